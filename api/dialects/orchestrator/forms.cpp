#include "api/dialects/orchestrator/forms.hpp"

#include <fmt/format.h>

namespace slipway::api::orchestrator {

eventstore::Answer WaitForm::render(const eventstore::Accepted& accepted) {
  eventstore::Answer answer;
  answer.task = task_;
  answer.status = 200;
  answer.body = success(accepted);
  return answer;
}

// What is sent if the wait is over first.
void WaitForm::finish(Response& response, const eventstore::Answer& answer) const {
  success_ = answer.body;
  const std::string id = base::to_string(answer.task);
  const Response late = envelope(504, fmt::format("The wait is over, and task {} goes on", id));
  response.status = late.status;
  response.type = late.type;
  response.body = late.body;
  response.add("Location", "/core/v1/tasks/" + id);
}

Response WaitForm::finished(const eventstore::TaskRow& task) const {
  if (task.state == domain::TaskState::Succeeded) return Response(200, success_, kType);
  const auto& error = task.doc.error;
  const std::string why =
      error && !error->detail.empty() ? error->detail : std::string(base::enum_name(task.state));
  return envelope(500, "Something went wrong " + why);
}

std::string StartForm::success(const eventstore::Accepted& accepted) const {
  const domain::Vm* vm = accepted.world.vm(vm_);
  return vm == nullptr ? std::string() : started_body(cloud_, vm_, vm->spec);
}

eventstore::Answer AssignmentForm::render(const eventstore::Accepted& accepted) {
  eventstore::Answer answer;
  answer.task = task_;
  answer.status = 200;
  std::uint64_t number = number_;
  for (const domain::Event& event : accepted.events) {
    if (const auto* e = std::get_if<domain::VmAssigned>(&event.body)) number = e->number;
  }
  answer.body = assignment_body(number, node_, result_);
  return answer;
}

}  // namespace slipway::api::orchestrator
