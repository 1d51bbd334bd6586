#include "api/dialects/nano/forms.hpp"

#include <fmt/format.h>

namespace slipway::api::nano {

using eventstore::Accepted;
using eventstore::Answer;
using eventstore::TaskRow;

std::string error_of(const TaskRow& task) {
  if (task.doc.error && !task.doc.error->detail.empty()) return task.doc.error->detail;
  return fmt::format("the task ended {}", base::enum_name(task.state));
}

Answer DoneForm::render(const Accepted&) {
  Answer answer;
  answer.status = 200;
  answer.task = task_;
  answer.body = failure(fmt::format("not done yet: task {} goes on", base::to_string(task_))).body;
  return answer;
}

Response DoneForm::finished(const TaskRow& task) const {
  return task.state == domain::TaskState::Succeeded ? succeeded() : failure(error_of(task));
}

Answer IdForm::render(const Accepted&) {
  base::JsonWriter w;
  w.begin_object().member("id", id_).end_object();
  Answer answer;
  answer.status = status_;
  answer.task = task_;
  answer.body = success(w.view(), status_).body;
  return answer;
}

void command_and_wait(Context& context, const Call& call, domain::CommandBody body) {
  auto request = begin(context, call);
  if (!request) return client_of(call).fail(request.error());
  request->command.body = std::move(body);
  command_and_wait(context, std::move(*request));
}

void command_and_wait(Context& context, CommandRequest request) {
  if (request.form == nullptr) request.form = std::make_unique<DoneForm>(request.command.task);
  request.wait = context.services.options.max_wait;
  context.submitter.submit(std::move(request));
}

void command_with_id(Context& context, CommandRequest request, const base::Uuid& id, int status) {
  const bool has_task = status == 202;
  request.form =
      std::make_unique<IdForm>(has_task ? request.command.task : domain::TaskId(), id, status);
  context.submitter.submit(std::move(request));
}

}  // namespace slipway::api::nano
