#pragma once
// What the simulated cloud has and what it was asked, for tests and for the command line: the
// independent witness that N tasks made exactly N VMs.
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "workers/backends/simulated/store.hpp"

namespace slipway::workers::simulated {

struct InventoryVm {
  std::string ref;  // "sim-7"
  std::string key;  // the correlation key of its creation
  domain::VmId vm;
  std::string name;
  std::string state;  // launching, migrating, or its power state
  std::string host;
  std::uint32_t reboots = 0;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("ref", s.ref);
    v("key", s.key);
    v("vm", s.vm);
    v("name", s.name);
    v("state", s.state);
    v("host", s.host);
    v("reboots", s.reboots);
  }
};

struct Inventory {
  std::vector<InventoryVm> vms;
  std::vector<std::string> snapshots;  // "sim-7/before-upgrade"
  std::vector<std::string> images;     // "simimg-8"
  // "vm.create/done", "vm.create/repeated", ...: how many calls ended so.
  std::map<std::string, std::uint64_t> calls;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("vms", s.vms);
    v("snapshots", s.snapshots);
    v("images", s.images);
    v("calls", s.calls);
  }

  // VMs of the same key beyond the first: must be none.
  std::vector<std::string> doubles() const;
};

Inventory take_inventory(Store& store, base::Time now);
// Of the file, whoever else has it open.
base::Result<Inventory> take_inventory(const std::string& path, base::Time now);

}  // namespace slipway::workers::simulated
