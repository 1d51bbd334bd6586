#pragma once
// Where the simulated cloud keeps its state. Two of them behind one interface: SQLite, shared by
// every process on the machine, and memory, for the deterministic simulator.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/domain/specs.hpp"
#include "workers/backends/simulated/operation.hpp"

namespace slipway::workers::simulated {

struct VmRow {
  std::int64_t number = 0;  // its ref is "sim-<number>"; never used twice
  domain::VmId vm;
  domain::TaskId made_by;
  std::string name;
  PowerState state = PowerState::Running;
  domain::Size size;
  std::optional<domain::Size> old_size;  // a resize is neither confirmed nor reverted
  domain::ImageId image;
  std::uint32_t ipv4 = 0;
  std::string host;
  std::string old_host;     // of the migration that is under way or was the last
  base::Time ready_at{};    // launched, rebuilt, migrated: until then under way
  base::Time started_at{};  // of that
  base::Time created_at{};
  std::uint32_t reboots = 0;
};

// What was set of a VM beside its size: few have any of it.
struct VmConfig {
  bool auto_start = false;
  domain::ImageId media;
  std::string boot;            // of the last start: media, network; empty: the system's disk
  std::string credential;      // SHA-256 of "<user>:<password>" in hex
  std::string console_secret;  // likewise of the console's
  std::uint32_t shrinks = 0;   // how often a disk was
  base::Box<domain::Qos> qos;
  bool operator==(const VmConfig&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("auto_start", s.auto_start);
    v("media", s.media);
    v("boot", s.boot);
    v("credential", s.credential);
    v("console_secret", s.console_secret);
    v("shrinks", s.shrinks);
    v("qos", s.qos);
  }
};

struct SnapshotRow {
  std::int64_t vm = 0;
  domain::TaskId made_by;
  domain::Snapshot snapshot;
  PowerState state = PowerState::Running;  // of the VM then
};

struct ImageRow {
  std::int64_t number = 0;  // its ref is "simimg-<number>"
  domain::ImageId image;
  domain::TaskId made_by;
  std::string name;
  std::uint64_t size_bytes = 0;
  base::Time ready_at{};
  base::Time started_at{};
};

// That a task's operation took effect, and what it made: the correlation key's entry. The newest
// (fence, task, token) of a root's entries is its fence: an older caller changes nothing.
struct KeyRow {
  Operation operation = Operation::None;  // None: only a fence
  domain::TaskId task;
  domain::FencingToken token = 0;
  domain::Seq fence = 0;  // of the order, see WorkOrder
  std::string ref;
  base::Time at{};
};

struct LedgerRow {
  base::Time at{};
  domain::TaskId task;
  domain::FencingToken token = 0;
  Operation step = Operation::None;
  Operation operation = Operation::None;
  Outcome outcome = Outcome::Done;
};

struct Totals {
  std::int64_t last_number = 0;
  std::uint64_t vms = 0;
  std::uint64_t vcpus = 0;
  std::uint64_t memory_mb = 0;
};

// One thread. A write error ends the process: a cloud that forgets is no witness.
class Store {
 public:
  virtual ~Store() = default;

  // What lies between is there as a whole or not at all.
  virtual void begin() = 0;
  virtual void commit() = 0;

  virtual std::optional<VmRow> vm(std::int64_t number) = 0;
  virtual void put(const VmRow& row) = 0;
  virtual void erase_vm(std::int64_t number) = 0;  // with its configuration and snapshots

  virtual VmConfig config(std::int64_t vm) = 0;  // the default for one that has none
  virtual void put(std::int64_t vm, const VmConfig& config) = 0;

  virtual std::optional<SnapshotRow> snapshot(std::int64_t vm, const std::string& name) = 0;
  virtual void put(const SnapshotRow& row) = 0;
  virtual void erase_snapshot(std::int64_t vm, const std::string& name) = 0;

  virtual std::optional<ImageRow> image(std::int64_t number) = 0;
  virtual void put(const ImageRow& row) = 0;
  virtual void erase_image(std::int64_t number) = 0;

  // All entries of the keys made from `root`, into `out` (cleared first).
  virtual void keys(const domain::TaskId& root, std::vector<KeyRow>& out) = 0;
  virtual void put(const domain::TaskId& root, const KeyRow& row) = 0;

  virtual void append(const LedgerRow& row) = 0;

  virtual Totals totals() = 0;
  virtual void put(const Totals& totals) = 0;

  virtual void each_vm(const std::function<void(const VmRow&)>& see) = 0;
  virtual void each_snapshot(const std::function<void(const SnapshotRow&)>& see) = 0;
  virtual void each_image(const std::function<void(const ImageRow&)>& see) = 0;
  virtual void each_ledger(const std::function<void(const LedgerRow&)>& see) = 0;
};

std::unique_ptr<Store> make_memory_store();
// Makes the file where there is none. Any number of processes may have it open.
base::Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path);

}  // namespace slipway::workers::simulated
