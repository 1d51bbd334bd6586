#include "workers/backends/simulated/inventory.hpp"

#include <fmt/format.h>

#include <set>

#include "core/domain/work.hpp"

namespace slipway::workers::simulated {
namespace {

// Rows older than the column have no root. The maker's own id will do, for every task makes at most
// one.
InventoryVm describe(const VmRow& row, base::Time now) {
  std::string state(base::enum_name(row.state));
  if (row.ready_at > now) state = row.old_host.empty() ? "launching" : "migrating";
  return {.ref = fmt::format("sim-{}", row.number),
          .key = domain::correlation_key(row.root.is_nil() ? row.made_by : row.root, "vm.create"),
          .vm = row.vm,
          .name = row.name,
          .state = std::move(state),
          .host = row.host,
          .reboots = row.reboots};
}

}  // namespace

std::vector<std::string> Inventory::doubles() const {
  std::set<std::string> keys;
  std::set<domain::VmId> ids;
  std::vector<std::string> out;
  for (const InventoryVm& vm : vms) {
    const bool first = keys.insert(vm.key).second && ids.insert(vm.vm).second;
    if (!first) out.push_back(vm.ref);
  }
  return out;
}

Inventory take_inventory(Store& store, base::Time now) {
  Inventory inventory;
  store.each_vm([&](const VmRow& row) { inventory.vms.push_back(describe(row, now)); });
  store.each_snapshot([&](const SnapshotRow& row) {
    inventory.snapshots.push_back(fmt::format("sim-{}/{}", row.vm, row.snapshot.name));
  });
  store.each_image([&](const ImageRow& row) {
    inventory.images.push_back(fmt::format("simimg-{}", row.number));
  });
  store.each_ledger([&](const LedgerRow& row) {
    ++inventory.calls[fmt::format("{}/{}", base::enum_name(row.operation),
                                  base::enum_name(row.outcome))];
  });
  return inventory;
}

base::Result<Inventory> take_inventory(const std::string& path, base::Time now) {
  auto store = open_sqlite_store(path);
  if (!store) return base::fail(store.error());
  return take_inventory(**store, now);
}

}  // namespace slipway::workers::simulated
