#include "workers/backends/libvirt/client.hpp"

#include <fmt/format.h>

#include <unordered_map>

#include "workers/backends/libvirt/long_jobs.hpp"
#include "workers/backends/libvirt/steps.hpp"

namespace slipway::workers::libvirt {

namespace {

using StepFunction = BackendAnswer (*)(const Request&);

const std::unordered_map<std::string_view, StepFunction>& step_functions() {
  static const std::unordered_map<std::string_view, StepFunction> functions = {
      {"vm.create", create_vm},
      {"vm.await_running", await_running},
      {"vm.delete", delete_vm},
      {"vm.rebuild", rebuild_vm},
      {"vm.reset_system", rebuild_vm},
      {"vm.start", start_vm},
      {"vm.stop", stop_vm},
      {"vm.reboot", reboot_vm},
      {"vm.pause", pause_vm},
      {"vm.unpause", unpause_vm},
      {"vm.suspend", suspend_vm},
      {"vm.resume", resume_vm},
      {"vm.resize", resize_vm},
      {"vm.resize_confirm", confirm_resize},
      {"vm.resize_revert", revert_resize},
      {"vm.disk_shrink", shrink_disk},
      {"vm.rename", rename_vm},
      {"vm.configure", configure_vm},
      {"vm.set_credential", set_credential},
      {"vm.console_secret", set_console_secret},
      {"vm.console_open", open_console},
      {"vm.stats", read_stats},
      {"media.insert", insert_medium},
      {"media.eject", eject_medium},
      {"snapshot.create", create_snapshot},
      {"snapshot.restore", restore_snapshot},
      {"snapshot.delete", delete_snapshot},
      {"image.create", create_image},
      {"image.await_saved", await_image},
      {"image.delete", delete_image},
      {"part.delete", delete_part},
      {"vm.migrate", begin_migration},
      {"vm.await_migrated", await_migration},
      {"vm.migrate_abort", abort_migration},
  };
  return functions;
}

template <class F>
BackendAnswer answered(const F& call) {
  try {
    return call();
  } catch (const CallFailed& failed) {
    return BackendAnswer::failed(failed.error);
  }
}

}  // namespace

Client::Client(Options options) {
  start_library();
  context_.options = std::move(options);
  for (const CellOptions& cell : context_.options.cells) {
    context_.cells.push_back(std::make_unique<Cell>(cell, context_.options.connect_timeout,
                                                    context_.options.keepalive_seconds));
  }
  context_.jobs = std::make_unique<LongJobs>();
}

Client::~Client() = default;

std::string_view Client::lane(const BackendCall& call) const { return call.order().spec.host; }

BackendAnswer Client::perform(const BackendCall& call, const Progress& progress) {
  return answered([&] {
    const auto function = step_functions().find(call.operation);
    if (function == step_functions().end()) {
      refuse(base::Errc::UnknownCommand,
             fmt::format("libvirt has no operation '{}'", call.operation));
    }
    return function->second(Request(context_, call, progress));
  });
}

BackendAnswer Client::lookup(const BackendCall& call) {
  return answered([&] {
    const Progress silent = [](std::uint32_t, const std::string&) {};
    BackendAnswer answer;
    answer.found = find_made(Request(context_, call, silent));
    return answer;
  });
}

BackendAnswer Client::inventory(const InventoryCall&, std::string_view lane) {
  return answered([&] {
    BackendAnswer answer;
    answer.inventory =
        std::make_shared<domain::Inventory>(list_cell(context_, *context_.cell(lane)));
    return answer;
  });
}

BackendAnswer Client::join(std::vector<BackendAnswer>&& parts) {
  std::vector<std::shared_ptr<domain::Inventory>> cells;
  bool any = false;
  for (BackendAnswer& part : parts) {
    any = any || part.inventory != nullptr;
    cells.push_back(std::move(part.inventory));
  }
  if (!any) return std::move(parts.front());
  BackendAnswer answer;
  answer.inventory = std::make_shared<domain::Inventory>(join_cells(context_, std::move(cells)));
  return answer;
}

}  // namespace slipway::workers::libvirt
