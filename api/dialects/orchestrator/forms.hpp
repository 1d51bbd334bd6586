#pragma once
// The answers to dialect 001's commands. It is synchronous by its specification: what a worker
// carries out is waited for, and when the wait is over before the task, the error says that the
// task goes on.
#include "api/dialects/orchestrator/wire.hpp"
#include "api/submit.hpp"

namespace slipway::api::orchestrator {

// Kept with the acceptance, and so under an idempotency key, is the body of the success.
class WaitForm : public AnswerForm {
 public:
  explicit WaitForm(domain::TaskId task) : task_(task) {}
  eventstore::Answer render(const eventstore::Accepted& accepted) final;
  void finish(Response& response, const eventstore::Answer& answer) const final;
  Response finished(const eventstore::TaskRow& task) const final;

 protected:
  virtual std::string success(const eventstore::Accepted& accepted) const = 0;

 private:
  const domain::TaskId task_;
  // Put there by finish(), before anybody can wait; read by finished().
  mutable std::string success_;
};

class StartForm final : public WaitForm {
 public:
  StartForm(domain::TaskId task, domain::VmId vm, Cloud cloud)
      : WaitForm(task), vm_(vm), cloud_(std::move(cloud)) {}

 private:
  std::string success(const eventstore::Accepted& accepted) const override;
  const domain::VmId vm_;
  const Cloud cloud_;
};

// A body that is known beforehand.
class StopForm final : public WaitForm {
 public:
  StopForm(domain::TaskId task, std::string body) : WaitForm(task), body_(std::move(body)) {}

 private:
  std::string success(const eventstore::Accepted&) const override { return body_; }
  const std::string body_;
};

// Done with its acceptance. `number`: of an assignment that ends; that of a new one is in its
// event.
class AssignmentForm final : public AnswerForm {
 public:
  AssignmentForm(domain::TaskId task, std::uint64_t number, std::string node, std::string result)
      : task_(task), number_(number), node_(std::move(node)), result_(std::move(result)) {}
  eventstore::Answer render(const eventstore::Accepted& accepted) override;
  void finish(Response& response, const eventstore::Answer&) const override {
    response.type = kType;
  }

 private:
  const domain::TaskId task_;
  const std::uint64_t number_;
  const std::string node_;
  const std::string result_;
};

}  // namespace slipway::api::orchestrator
