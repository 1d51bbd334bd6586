#pragma once
// Where the simulated cloud keeps its state. Two of them behind one interface: SQLite, shared by
// every process on the machine, and memory, for the deterministic simulator.
//
// Damage, for tests of reconciliation: the SQLite file may be edited while services have it open
// (WAL; wait for their locks with `PRAGMA busy_timeout`). The columns are named as the fields
// below; ids are blobs of 16 bytes (empty: nil), times microseconds UTC, enums their numbers
// (operation.hpp).
//   a VM lost     DELETE FROM vms WHERE number = 7
//   drift         UPDATE vms SET state = 1 WHERE number = 7     0 running, 1 stopped, 2 paused,
//                                                               3 suspended; or name, host, vcpus
//   a stranger    UPDATE totals SET last_number = last_number + 1;
//                 INSERT INTO vms(number, vm, made_by, name, state, flavor, vcpus, memory_mb,
//                 disk_gb,
//                   image, ipv4, host, old_host, ready_at, started_at, created_at, reboots)
//                 SELECT last_number, x'', x'', 'theirs', 0, '', 1, 512, 1, x'', 0, 'sim-1', '', 0,
//                 0,
//                   0, 0 FROM totals
//   an orphan     the same with installation (of another VM's row) and root, any 16 bytes, set
//   likewise      images, snapshots; `totals` counts for quota and capacity alone
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
  domain::TaskId made_by;  // nil: nobody that we know
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
  // The tag: whose it is, and the task that its key is made from; empty: it has none.
  std::string installation;
  domain::TaskId root;
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
  std::string installation;  // the tag, as of a VM
  domain::TaskId root;
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

  // The next ones by number, at most so many: for reading all with others' writes in between.
  virtual std::vector<VmRow> vms_after(std::int64_t number, std::size_t at_most) = 0;

  virtual void each_vm(const std::function<void(const VmRow&)>& see) = 0;
  virtual void each_snapshot(const std::function<void(const SnapshotRow&)>& see) = 0;
  virtual void each_image(const std::function<void(const ImageRow&)>& see) = 0;
  virtual void each_ledger(const std::function<void(const LedgerRow&)>& see) = 0;
};

std::unique_ptr<Store> make_memory_store();
// Makes the file where there is none. Any number of processes may have it open.
base::Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path);

}  // namespace slipway::workers::simulated
