#pragma once
// Answers to commands that a worker carries out. What nano's clients expect at once waits for the
// task's end; what they follow by themselves is answered as soon as it is durable.
#include "api/dialects/nano/context.hpp"

namespace slipway::api::nano {

// Waits: data "" when it is done, the task's error if it failed. When the wait is over before the
// task is, a failure that says so; X-Task-Id leads on.
class DoneForm : public AnswerForm {
 public:
  explicit DoneForm(domain::TaskId task) : task_(task) {}
  eventstore::Answer render(const eventstore::Accepted& accepted) override;
  Response finished(const eventstore::TaskRow& task) const override;

 protected:
  virtual Response succeeded() const { return done(); }

 private:
  domain::TaskId task_;
};

// The same, with something to tell at the end that is not kept with the answer.
class TellForm final : public DoneForm {
 public:
  TellForm(domain::TaskId task, std::function<std::string()> data)
      : DoneForm(task), data_(std::move(data)) {}

 protected:
  Response succeeded() const override { return success(data_()); }

 private:
  std::function<std::string()> data_;
};

// {"id": ...} with that status, at once.
class IdForm final : public AnswerForm {
 public:
  IdForm(domain::TaskId task, const base::Uuid& id, int status)
      : task_(task), id_(id), status_(status) {}
  eventstore::Answer render(const eventstore::Accepted& accepted) override;

 private:
  domain::TaskId task_;  // nil for a command that makes none
  base::Uuid id_;
  int status_;
};

std::string error_of(const eventstore::TaskRow& task);

// Puts the command and waits for its end (`http.max_wait_seconds` at most).
void command_and_wait(Context& context, const Call& call, domain::CommandBody body);
void command_and_wait(Context& context, CommandRequest request);
// Answers {"id": id} once the command is durable.
void command_with_id(Context& context, CommandRequest request, const base::Uuid& id, int status);

}  // namespace slipway::api::nano
