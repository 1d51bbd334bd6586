#include "core/domain/inner_task.hpp"

#include <algorithm>

#include "core/base/crypto.hpp"

namespace slipway::domain {

void add_done_task(Draft& draft, const Command& command, ResourceRef resource) {
  std::vector<ResourceRef> resources;
  resources.push_back(std::move(resource));
  add_done_task_about(draft, command, std::move(resources));
}

void add_done_task_about(Draft& draft, const Command& command, std::vector<ResourceRef> resources) {
  const CommandKind kind = kind_of(command.body);
  draft.add(StreamKind::Command, command.task, CommandAccepted{kind, {}, std::move(resources)});
  TaskQueued queued;
  queued.command = kind;
  queued.priority = command.priority;
  queued.max_attempts = 1;
  queued.deadline = command.deadline.value_or(draft.now);
  draft.add(StreamKind::Task, command.task, std::move(queued));
  draft.add(StreamKind::Task, command.task, TaskLeased{1, 1, "slipway", SessionId(), {}});
  draft.add(StreamKind::Task, command.task, TaskSucceeded{});
}

base::Status begin_on_vm(Draft& draft, const Policy& policy, const std::string& tenant,
                         const base::Uuid& cause, std::string_view purpose, ActOnVm act) {
  const Vm* vm = draft.world.vm(act.vm);
  if (vm == nullptr) return base::fail(base::Errc::NotFound, "no such VM");
  const TaskId task(derived_id(draft.now, cause, act.vm, purpose));
  if (act.kind == CommandKind::ImageCapture) act.new_image = ImageId(task);
  Command command;
  command.caller.tenant = tenant;
  command.task = task;
  const std::size_t before = draft.events.size();
  draft.add(StreamKind::Command, task, CommandAccepted{act.kind, {}, {}});
  if (auto status = start_on_vm(draft, command, act, task, TaskId()); !status) {
    draft.events.resize(before);
    return status;
  }
  const Backend* backend = draft.world.backend(vm->spec.backend);
  draft.add(StreamKind::Task, task, queued_by_service(policy, act.kind, backend, draft.now));
  ++draft.tasks_added;
  return {};
}

TaskQueued queued_by_service(const Policy& policy, CommandKind command, const Backend* backend,
                             base::Time now) {
  TaskQueued queued;
  queued.command = command;
  if (backend != nullptr) {
    queued.worker_pool = backend->worker_pool;
    queued.backend = backend->name;
  }
  queued.max_attempts = policy.max_attempts;
  queued.deadline = now + policy.default_deadline;
  return queued;
}

base::Uuid derived_id(base::Time now, const base::Uuid& cause, const base::Uuid& object,
                      std::string_view purpose) {
  std::string text = base::to_string(cause) + base::to_string(object);
  text += purpose;
  const base::Digest digest = base::blake2b(text);
  std::array<std::uint8_t, 10> bytes{};
  std::copy_n(digest.begin(), bytes.size(), bytes.begin());
  return base::make_uuid7(now, bytes);
}

}  // namespace slipway::domain
