#pragma once
// When each cloud is asked what it has, and what of its answer has come. Volatile, the sequencer's
// alone; what it all means is decided in core/domain/reconcile_rules.hpp.
//
// A run: TakeInventory to one worker of the backend's pool; its pages as they come; with the last
// one, what was in none of them. VMs that an event has changed since the run began are left for the
// next: the list may be older than they are.
#include <boost/unordered/unordered_flat_set.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/domain/work.hpp"

namespace slipway::eventstore {

struct ReconcileOptions {
  base::Duration interval{};  // zero: off
  // A thing with our tag is nobody's only when it is older.
  base::Duration orphan_age = std::chrono::seconds(30);
  // A list that takes longer is not waited for.
  base::Duration patience = std::chrono::minutes(5);
};

class Reconciler {
 public:
  struct Run {
    std::uint64_t number = 0;
    domain::SessionId session;
    base::SteadyTime started{};
    std::uint32_t pages = 0;
    boost::unordered_flat_set<domain::VmId, base::UuidHash> seen;
    boost::unordered_flat_set<domain::VmId, base::UuidHash> touched;
    std::vector<std::string> images;        // refs
    std::vector<std::string> silent_hosts;  // their VMs are not missing
  };

  explicit Reconciler(ReconcileOptions options) : options_(options) {}

  const ReconcileOptions& options() const { return options_; }
  bool is_on() const { return options_.interval > base::Duration::zero(); }

  // Whether that backend is to be asked now; the first time shortly after it is known.
  bool is_due(const std::string& backend, base::SteadyTime now);
  // The earliest of those times; nullopt while off.
  std::optional<base::SteadyTime> next_due() const;

  Run& begin(const std::string& backend, const domain::SessionId& session, base::SteadyTime now);
  // The run that the page is the next of; nullptr for one that is late, out of order or not asked
  // for. A page that is missing ends the run.
  Run* take(const domain::InventoryPage& page);
  void end(const std::string& backend);
  // Nobody to ask: again after a while.
  void put_off(const std::string& backend, base::SteadyTime now);
  // As soon as possible.
  void ask_soon(const std::string& backend) { due_[backend] = {}; }

  void touch(const domain::VmId& vm) {
    for (auto& [backend, run] : runs_) run.touched.insert(vm);
  }

 private:
  const ReconcileOptions options_;
  std::map<std::string, base::SteadyTime> due_;
  std::map<std::string, Run> runs_;
  std::uint64_t last_number_ = 0;
};

}  // namespace slipway::eventstore
