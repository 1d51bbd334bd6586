#pragma once
// The rows of the read models, as plain values: what the projector keeps, what readers hand out and
// what the API renders. No SQLite here. Times are those of the records' envelopes.
//
// Each row is known by two keys: its public id, and `created_seq`, the seq of the event that made
// it. The latter is the row id inside, the order of every list and the content of a cursor: it is
// dense in time, never used twice, and the same after a rebuild.
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/fields.hpp"
#include "core/domain/infrastructure_specs.hpp"
#include "core/domain/lease.hpp"
#include "core/domain/membership_specs.hpp"
#include "core/domain/node_book.hpp"
#include "core/domain/specs.hpp"
#include "core/domain/work.hpp"

namespace slipway::eventstore {

// ---- tasks ----

struct BatchCounts {
  std::uint32_t total = 0;
  std::uint32_t succeeded = 0;
  std::uint32_t failed = 0;  // also dead and timed out
  std::uint32_t cancelled = 0;
  std::uint32_t running() const { return total - succeeded - failed - cancelled; }
  bool operator==(const BatchCounts&) const = default;
};

// The parts of a task that are only ever shown, never searched: one JSON column.
struct TaskDoc {
  base::RawJson args;
  std::vector<domain::ResourceRef> resources;
  // Once terminal exactly one of `result` and `error` is set. While retrying, `error` is the last
  // attempt's. A batch always has a result, its counts; a cancelled task the error `cancelled`.
  base::RawJson result;
  std::optional<domain::TaskError> error;
  std::optional<std::uint32_t> percent;
  std::string step;
  std::string message;
  std::vector<domain::StepRecord> steps;  // dropped at SUCCEEDED; the log has them
  std::vector<domain::TaskId> depends_on;
  std::optional<base::Time> not_before;
  std::string worker;  // of the last task lease
  std::string request_id;
  std::string trace;
  bool cancel_requested = false;
  domain::FencingToken token = 0;  // of the last task lease
  domain::TaskId redrives;         // the old task, where this one is a re-drive
  domain::TaskId root;  // the first of a chain of re-drives that share their VM; else nil
  bool operator==(const TaskDoc&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("args", s.args);
    v("resources", s.resources);
    v("result", s.result);
    v("error", s.error);
    v("percent", s.percent);
    v("step", s.step);
    v("message", s.message);
    v("steps", s.steps);
    v("depends_on", s.depends_on);
    v("not_before", s.not_before);
    v("worker", s.worker);
    v("request_id", s.request_id);
    v("trace", s.trace);
    v("cancel_requested", s.cancel_requested);
    v("token", s.token);
    v("redrives", s.redrives);
    v("root", s.root);
  }
};

struct TaskRow {
  domain::Seq created_seq = 0;
  domain::TaskId id;
  std::string tenant;
  std::string actor;
  domain::CommandKind command = domain::CommandKind::VmCreate;
  domain::Dialect dialect = domain::Dialect::Core;
  domain::TaskState state = domain::TaskState::Ready;
  std::uint32_t priority = 5;
  std::string backend;
  std::string worker_pool;  // empty: no worker carries this out
  domain::TaskId parent;    // nil; the batch; or the task that this one re-drives
  std::uint32_t index = 0;  // place in the batch
  bool redriven = false;    // `parent` is the old task that this one re-drives, not a batch
  base::Uuid resource;      // the first of doc.resources
  std::uint32_t attempt = 0;
  std::uint32_t max_attempts = 0;
  base::Time created_at{};
  base::Time deadline{};
  std::optional<base::Time> ready_at;  // since when it waits for a worker; set while READY
  std::optional<base::Time> started_at;
  std::optional<base::Time> finished_at;
  std::optional<base::Time> next_attempt_at;
  // The number of events folded from its streams task-<id> and batch-<id>: the stream version of
  // a task that is no batch. The ETag.
  std::uint64_t version = 0;
  domain::Seq seq = 0;  // of the last event folded
  std::optional<BatchCounts> batch;
  TaskDoc doc;

  bool terminal() const { return domain::is_terminal(state); }
  bool operator==(const TaskRow&) const = default;
};
// Shared: the map of unfinished tasks, waiters and answers under way hold the same row.
using TaskRowPtr = std::shared_ptr<const TaskRow>;

// ---- VMs ----

struct VmRow {
  domain::Seq created_seq = 0;
  domain::VmId id;
  domain::VmSpec spec;  // as it is now: host, size, image and name follow their events
  domain::VmState state = domain::VmState::Queued;
  bool running = false;  // it was in the last state that was no passing one
  domain::TaskId task;   // under way; nil in a stable state
  std::string backend_ref;
  std::string error;  // why it is in ERROR
  base::Time created_at{};
  base::Time updated_at{};
  std::optional<base::Time> launched_at;
  std::optional<base::Time> deleted_at;
  std::uint64_t version = 0;
  domain::Seq seq = 0;
  bool lost = false;               // its cloud does not know it any more
  bool foreign = false;            // nobody made it through this service
  base::Box<domain::Drift> drift;  // what its cloud has otherwise

  const std::string& tenant() const { return spec.project; }
  bool operator==(const VmRow&) const = default;
};

struct SnapshotRow {
  domain::Seq created_seq = 0;
  domain::VmId vm;
  domain::Snapshot snapshot;
  bool current = false;  // the last one made or restored
};

// ---- what a cloud has ----

struct ImageRow {
  domain::Seq created_seq = 0;
  domain::Image image;
  domain::ImageState state = domain::ImageState::Saved;
  domain::TaskId task;
  std::string error;
  base::Time created_at{};
  base::Time updated_at{};
  std::uint64_t version = 0;
  domain::Seq seq = 0;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("image", s.image);
    v("state", s.state);
    v("task", s.task);
    v("error", s.error);
    v("created_at", s.created_at);
    v("updated_at", s.updated_at);
    v("version", s.version);
    v("seq", s.seq);
  }
};

struct FlavorRow {
  domain::Seq created_seq = 0;
  domain::Flavor flavor;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("flavor", s.flavor);
  }
};

struct NetworkRow {
  domain::Seq created_seq = 0;
  domain::Network network;
  base::Time created_at{};
  base::Time updated_at{};
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("network", s.network);
    v("created_at", s.created_at);
    v("updated_at", s.updated_at);
  }
};

// What VMs hold of something that has a capacity or a quota. From acceptance to VmDeleted.
struct Usage {
  std::int64_t vms = 0;
  std::int64_t vcpus = 0;
  std::int64_t memory_mb = 0;
  std::int64_t disk_gb = 0;
  bool operator==(const Usage&) const = default;
};

struct HostRow {
  domain::Seq created_seq = 0;
  domain::Host host;
  Usage used;  // not a field: a table of its own, see fields()
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("host", s.host);
  }
};

struct BackendRow {
  domain::Seq created_seq = 0;
  domain::Backend backend;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("backend", s.backend);
  }
};

struct ProjectRow {
  domain::Seq created_seq = 0;
  domain::Project project;
  Usage used;
  std::int64_t tasks_in_flight = 0;
  base::Time created_at{};
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("project", s.project);
    v("created_at", s.created_at);
  }
};

struct UserRow {
  domain::Seq created_seq = 0;
  domain::User user;
  base::Time created_at{};
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("user", s.user);
    v("created_at", s.created_at);
  }
};

struct TokenRow {
  domain::Seq created_seq = 0;
  domain::AccessToken token;
  base::Time created_at{};
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("token", s.token);
    v("created_at", s.created_at);
  }
};

// ---- leases of hosts ----

struct LeaseRow {
  domain::Seq created_seq = 0;
  domain::Lease lease;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("lease", s.lease);
  }
};

// The same reservations as inside the leases, each with what its lease says of it.
struct ReservationRow {
  domain::Seq created_seq = 0;
  domain::LeaseId lease;
  std::string tenant;
  base::Time start{};
  base::Time end{};
  domain::Reservation reservation;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("lease", s.lease);
    v("tenant", s.tenant);
    v("start", s.start);
    v("end", s.end);
    v("reservation", s.reservation);
  }
};

struct ReservableHostRow {
  domain::Seq created_seq = 0;
  domain::ReservableHost host;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("host", s.host);
  }
};

struct HostPropertyRow {
  domain::Seq created_seq = 0;
  std::string property;
  bool is_private = false;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("property", s.property);
    v("private", s.is_private);
  }
};

struct FloatingIpRow {
  domain::Seq created_seq = 0;
  domain::FloatingIp floating_ip;
  base::Time created_at{};
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("floating_ip", s.floating_ip);
    v("created_at", s.created_at);
  }
};

// ---- what a data centre is divided into ----

struct PoolRow {
  domain::Seq created_seq = 0;
  domain::Pool pool;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("pool", s.pool);
  }
};

struct StoragePoolRow {
  domain::Seq created_seq = 0;
  domain::StoragePool pool;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("pool", s.pool);
  }
};

struct AddressPoolRow {
  domain::Seq created_seq = 0;
  domain::AddressPool pool;
  std::vector<domain::AddressBlock> ranges;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("pool", s.pool);
    v("ranges", s.ranges);
  }
};

// Who has an address of a pool.
struct AddressRow {
  domain::Seq created_seq = 0;
  domain::VmId vm;
  std::string pool;
  std::uint32_t ipv4 = 0;
  std::string tenant;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("vm", s.vm);
    v("pool", s.pool);
    v("ipv4", s.ipv4);
    v("tenant", s.tenant);
  }
};

struct TemplateRow {
  domain::Seq created_seq = 0;
  domain::SystemTemplate system;
  base::Time created_at{};
  base::Time updated_at{};
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("system", s.system);
    v("created_at", s.created_at);
    v("updated_at", s.updated_at);
  }
};

struct SecurityGroupRow {
  domain::Seq created_seq = 0;
  domain::SecurityGroup group;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("group", s.group);
  }
};

struct VmSecurityRow {
  domain::Seq created_seq = 0;
  domain::VmId vm;
  std::string tenant;
  domain::SecurityPolicy policy;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("vm", s.vm);
    v("tenant", s.tenant);
    v("policy", s.policy);
  }
};

// ---- groups ----

struct RoleRow {
  domain::Seq created_seq = 0;
  domain::MenuRole role;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("role", s.role);
  }
};

struct GroupRow {
  domain::Seq created_seq = 0;
  domain::Group group;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("group", s.group);
  }
};

struct LoginRow {
  domain::Seq created_seq = 0;
  domain::Login login;
  base::Time created_at{};
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("login", s.login);
    v("created_at", s.created_at);
  }
};

// What somebody noted. Known by the seq of its event.
struct AuditRow {
  domain::Seq seq = 0;
  base::Time time{};
  std::string content;
};

// ---- to whom VMs are given ----

struct AssignmentRow {
  domain::Seq created_seq = 0;
  std::string tenant;
  domain::Assignment assignment;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("created_seq", s.created_seq);
    v("tenant", s.tenant);
    v("assignment", s.assignment);
  }
};

// ---- statistics ----

struct SeriesPoint {
  base::Time start{};  // of the hour or day
  std::string group;   // the value of group_by; empty without
  double value = 0;
};

}  // namespace slipway::eventstore
