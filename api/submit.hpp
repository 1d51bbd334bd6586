#pragma once
// The one place where a request becomes a command in the sequencer's queue, and its acceptance an
// answer: who asks, under which request id and trace, idempotency, preconditions, waiting. The
// dialects differ only in the AnswerForm that they bring.
#include <memory>
#include <optional>
#include <string>

#include "api/identity.hpp"
#include "api/services.hpp"
#include "api/task_times.hpp"
#include "api/task_watch.hpp"

namespace slipway::api {

// How an accepted command is shown to its client. Called on the sequencer's thread: compute only.
class AnswerForm {
 public:
  virtual ~AnswerForm() = default;
  virtual eventstore::Answer render(const eventstore::Accepted& accepted) = 0;
  // A secret that the answer has a slot for, while it is still at hand: of a fresh answer. Empty:
  // it is read from the secrets store.
  virtual std::string_view secret() const { return {}; }
  // Last touches to the message around `answer`'s body, or one in its place: what is stored under
  // an idempotency key stays `answer`.
  virtual void finish(Response& /*response*/, const eventstore::Answer& /*answer*/) const {}
  // False: whole as soon as it is durable; a wait for its task would bring nothing.
  virtual bool waits() const { return true; }
  // A refusal as it is told, where the form knows more than whoever refused.
  virtual base::Error refusal(base::Error error) const { return error; }
  // After a wait: the task has ended.
  virtual Response finished(const eventstore::TaskRow& task) const;
};

// The task body, 202. For a command about a task that exists, `known` is its row if it was found.
class TaskForm final : public AnswerForm {
 public:
  explicit TaskForm(domain::TaskId task, eventstore::TaskRowPtr known = nullptr)
      : task_(task), known_(std::move(known)) {}
  eventstore::Answer render(const eventstore::Accepted& accepted) override;
  void finish(Response& response, const eventstore::Answer& answer) const override;
  base::Error refusal(base::Error error) const override;

 private:
  domain::TaskId task_;
  eventstore::TaskRowPtr known_;
};

// A body that is known beforehand, for commands that make no task.
class FixedForm final : public AnswerForm {
 public:
  FixedForm(int status, std::string body) : status_(status), body_(std::move(body)) {}
  // `value` is put in at `slot.offset` when sent, and never stored with the answer.
  FixedForm(int status, std::string body, eventstore::Answer::SecretSlot slot, base::Secret value)
      : status_(status), body_(std::move(body)), slot_(std::move(slot)), value_(std::move(value)) {}
  eventstore::Answer render(const eventstore::Accepted&) override;
  bool waits() const override { return false; }
  std::string_view secret() const override { return value_.reveal(); }

 private:
  int status_;
  std::string body_;
  std::optional<eventstore::Answer::SecretSlot> slot_;
  base::Secret value_;
};

// A command on its way.
struct CommandRequest {
  Client client;
  domain::Command command;
  std::vector<eventstore::LogBatch::Put> secrets;
  std::optional<eventstore::Submission::Idempotency> idempotency;
  bool dry_run = false;
  base::Duration wait{};      // Prefer: wait
  bool args_at_root = false;  // the body is the arguments: pointers lose their "/args"
  std::unique_ptr<AnswerForm> form;
};

class Submitter {
 public:
  explicit Submitter(const ApiServices& services, const TaskWatch& watch)
      : services_(services), watch_(watch) {}

  // What the request line and headers say: caller, fresh task id, If-Match, Idempotency-Key,
  // Prefer. InvalidArgument for a header that makes no sense. `client.errors` is left at its
  // default.
  base::Result<CommandRequest> begin(const Call& call, domain::Dialect dialect) const;

  // Queues it; the client is answered later, or here when the queue is full.
  void submit(CommandRequest request);

  TaskTimes& times() { return times_; }
  const ApiServices& services() const { return services_; }

 private:
  friend class SubmitReply;
  const ApiServices& services_;
  const TaskWatch& watch_;
  TaskTimes times_;
};

// A fresh version 7 UUID; one source a thread.
base::Uuid new_id();

// "5", "\"5\"", W/"5"; nullopt for "*" ; an Error for anything else.
base::Result<std::optional<std::uint64_t>> parse_if_match(std::string_view text);
// Seconds of "wait=N" in a Prefer header; nullopt without.
std::optional<base::Duration> parse_prefer_wait(std::string_view header);

}  // namespace slipway::api
