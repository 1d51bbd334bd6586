#include "workers/backends/openstack/operations.hpp"

#include <utility>

namespace slipway::workers::openstack {

namespace {

constexpr std::pair<std::string_view, Operation> kOperations[] = {
    {"vm.create", create},
    {"vm.await_running", await_running},
    {"vm.delete", remove},
    {"vm.start", change_power},
    {"vm.stop", change_power},
    {"vm.pause", change_power},
    {"vm.unpause", change_power},
    {"vm.suspend", change_power},
    {"vm.resume", change_power},
    {"vm.reboot", reboot},
    {"vm.resize", resize},
    {"vm.resize_confirm", confirm_resize},
    {"vm.resize_revert", revert_resize},
    {"vm.rebuild", rebuild},
    {"vm.reset_system", rebuild},
    {"vm.rename", rename},
    {"vm.migrate", migrate},
    {"vm.await_migrated", await_migrated},
    {"vm.migrate_abort", abort_migration},
    {"snapshot.create", create_snapshot},
    {"snapshot.restore", restore_snapshot},
    {"snapshot.delete", delete_snapshot},
    {"image.create", create_image},
    {"image.await_saved", await_saved},
    {"image.delete", delete_image},
    {"part.delete", delete_part},
    {"vm.configure", configure},
    {"vm.set_credential", set_credential},
    {"vm.console_open", open_console},
    {"vm.stats", read_stats},
    {"vm.console_secret", not_offered},
    {"vm.disk_shrink", not_offered},
    {"media.insert", not_offered},
    {"media.eject", not_offered},
};

// The step changes nothing by which it could be told: Nova's list of what was done to the server is
// asked.
Async<BackendAnswer> find_action(Job& job, std::string_view action) {
  const auto server = co_await job.subject();
  if (!server) co_return BackendAnswer::failed(server.error());
  BackendAnswer answer;
  if (server->gone) co_return answer;
  const auto begun = co_await job.has_begun(server->id, action);
  if (!begun) co_return BackendAnswer::failed(begun.error());
  if (*begun) answer.found.push_back({server->id, {}});
  co_return answer;
}

}  // namespace

Operation find_operation(std::string_view name) {
  for (const auto& [known, operation] : kOperations) {
    if (known == name) return operation;
  }
  return nullptr;
}

Async<BackendAnswer> look_up(Job& job) {
  const std::string_view step = job.call.step;
  if (step == "vm.create") co_return co_await find_created(job);
  if (step == "vm.resize") co_return co_await find_resized(job);
  if (step == "vm.migrate") co_return co_await find_migrated(job);
  if (step == "snapshot.create" || step == "image.create") co_return co_await find_images(job);
  if (step == "vm.reboot") co_return co_await find_action(job, "reboot");
  if (step == "vm.rebuild" || step == "vm.reset_system") {
    co_return co_await find_action(job, "rebuild");
  }
  co_return BackendAnswer{};  // the others are repeatable: nothing is looked up
}

}  // namespace slipway::workers::openstack
