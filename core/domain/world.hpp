#pragma once
// The live state: everything unfinished and everything that exists, folded from the log and nothing
// else. One owner, the sequencer; `evolve` is the only way to change it, and two worlds that folded
// the same events are equal. Worker sessions and lease clocks are not here: they are not in the log
// (task_leases.hpp).
#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/domain/address_range.hpp"
#include "core/domain/events.hpp"
#include "core/domain/infrastructure.hpp"
#include "core/domain/lease_book.hpp"
#include "core/domain/membership.hpp"
#include "core/domain/node_book.hpp"
#include "core/domain/record.hpp"
#include "core/domain/task.hpp"

namespace slipway::domain {

struct Vm {
  VmId id;
  StreamVersion version = 0;
  std::string tenant;
  VmState state = VmState::Queued;
  VmState stable_state = VmState::Queued;  // where a cancelled command leaves it
  TaskId task;                             // the unfinished command on it; nil for none
  TaskId creator;                          // whose correlation key its backend resource carries
  VmSpec spec;
  std::string backend_ref;
  std::vector<Snapshot> snapshots;
  std::string current_snapshot;
  TaskId failed_by;      // ERROR: the task that left it so
  bool lost = false;     // its cloud does not know it any more
  bool foreign = false;  // nobody made it through this service
  base::Box<Drift> drift;
  // What the unfinished resize or migration will take, held for it beside what the VM has.
  std::optional<Size> resize_to;
  std::string migrate_to;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("version", s.version);
    v("tenant", s.tenant);
    v("state", s.state);
    v("stable_state", s.stable_state);
    v("task", s.task);
    v("creator", s.creator);
    v("spec", s.spec);
    v("backend_ref", s.backend_ref);
    v("snapshots", s.snapshots);
    v("current_snapshot", s.current_snapshot);
    v("failed_by", s.failed_by);
    v("lost", s.lost);
    v("foreign", s.foreign);
    v("drift", s.drift);
    v("resize_to", s.resize_to);
    v("migrate_to", s.migrate_to);
  }
  bool has_snapshot(std::string_view name) const;
};

struct LiveImage {
  Image image;
  StreamVersion version = 0;
  ImageState state = ImageState::Queued;
  ImageState stable_state = ImageState::Queued;  // where a cancelled deletion leaves it
  TaskId task;
  TaskId creator;  // of a captured one: whose correlation key its backend resource carries
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("image", s.image);
    v("version", s.version);
    v("state", s.state);
    v("stable_state", s.stable_state);
    v("task", s.task);
    v("creator", s.creator);
  }
};

struct Usage {
  std::uint64_t vms = 0;
  std::uint64_t vcpus = 0;
  std::uint64_t memory_mb = 0;
  std::uint64_t disk_gb = 0;
  bool operator==(const Usage&) const = default;
};

enum class TimerKind : std::uint8_t { Deadline, Wake, GiveUp };
struct Timer {
  base::Time due;
  TimerKind kind;
  TaskId task;
  auto operator<=>(const Timer&) const = default;
};

template <class K, class V>
using FlatMap = boost::unordered_flat_map<K, V, base::UuidHash>;

class World {
 public:
  // Folds one record. Ends the process on what no writer of this program can have written (a gap, a
  // version that does not follow, a transition outside the table): the log's checksums have held,
  // so it is a bug, and going on would write lies.
  void evolve(const RecordBody& record);
  // One event of a record that is being decided; `seq` is the event's own.
  void evolve(const Envelope& envelope, Seq seq, const Event& event);

  Seq next_seq() const { return next_seq_; }
  bool initialized() const { return initialized_; }

  // ---- look-ups; nullptr if there is none ----
  const Task* task(const TaskId& id) const;
  const Vm* vm(const VmId& id) const;
  const LiveImage* image(const ImageId& id) const;
  // One that the tenant may use: a SAVED one before others, its own before public ones, and the
  // newest of those. With a backend, one that can be used there before one that cannot.
  const LiveImage* image_by_name(std::string_view name, std::string_view tenant,
                                 std::string_view backend = {}) const;
  const Flavor* flavor(std::string_view id_or_name) const;
  const Network* network(const NetworkId& id) const;
  const Network* network_by_name(std::string_view name) const;
  const Backend* backend(std::string_view name) const;
  const Project* project(std::string_view name) const;
  const User* user(std::string_view name) const;
  const AccessToken* token(const TokenId& id) const;
  // Tasks that wait for this one, in the order of their ids.
  std::vector<TaskId> dependents(const TaskId& id) const;
  // The VM of that cloud that nobody made through this service; nil for none.
  VmId foreign_vm(std::string_view backend, std::string_view ref) const;
  // The outcome of one of the last kRecentOutcomes finished tasks.
  std::optional<TaskState> recent_outcome(const TaskId& id) const;

  const std::map<std::string, Flavor>& flavors() const { return flavors_; }
  const std::vector<Network>& networks() const { return networks_; }
  const std::map<std::string, Backend>& backends() const { return backends_; }
  struct LiveHost {
    Host host;
    Usage used;
    bool reservable = false;  // given to leases
    std::set<VmId> guests;    // on it, while it is
  };
  const std::map<std::string, LiveHost>& hosts() const { return hosts_; }
  const LeaseBook& leases() const { return leases_; }
  const NodeBook& nodes() const { return nodes_; }
  const AddressRange* addresses(const NetworkId& id) const;
  const Infrastructure& infrastructure() const { return infrastructure_; }
  const Membership& membership() const { return membership_; }
  const std::map<std::string, User, std::less<>>& users() const { return users_; }
  Usage usage(std::string_view project) const;
  std::uint64_t tasks_in_flight(std::string_view tenant) const;
  std::size_t task_count() const { return tasks_.size(); }
  std::size_t vm_count() const { return vms_.size(); }
  // VMs of a project that exist, for the hourly sample.
  const std::map<std::string, Usage, std::less<>>& usage() const { return usage_; }

  // The version that the next event of a stream gets.
  StreamVersion next_version(const StreamId& stream) const;

  // ---- the ready queues: one a worker pool, by priority (9 first), then by arrival ----
  struct ReadyKey {
    std::uint32_t inverse_priority;
    Seq seq;
    TaskId task;
    auto operator<=>(const ReadyKey&) const = default;
  };
  using ReadyQueue = std::set<ReadyKey>;
  const ReadyQueue* ready(std::string_view pool) const;
  const std::map<std::string, ReadyQueue, std::less<>>& ready() const { return ready_; }
  const std::set<Timer>& timers() const { return timers_; }

  // Calls f(const Task&) / f(const Vm&) for each, in no order.
  template <class F>
  void each_task(F&& f) const {
    for (const auto& [id, t] : tasks_) f(*t);
  }
  template <class F>
  void each_vm(F&& f) const {
    for (const auto& [id, v] : vms_) f(*v);
  }

  template <class F>
  void each_image(F&& f) const {
    for (const auto& [id, image] : images_) f(image);
  }

  // ---- snapshots (world_snapshot.cpp): in pieces, so that a million VMs need no gigabyte of
  // buffer ----
  static std::uint64_t layout_digest();
  // Hands out one piece after another; false from `sink` stops it.
  bool write_snapshot(const std::function<bool(std::string_view)>& sink) const;
  // One piece, in the order in which they were written; an Error for a damaged one.
  base::Status read_snapshot_piece(std::string_view piece);
  // After the last piece: builds what is derived.
  void finish_snapshot();

  // All of it, the derived included, as lines of text in a fixed order: two worlds are equal if
  // these are (world_dump.cpp).
  std::string dump_for_test() const;

 private:
  friend struct WorldEvolver;
  // Calls f(Timer) for each timer that the task has in its present state.
  template <class F>
  static void each_timer(const Task& task, F&& f);
  void index_task(const Task& task);
  void unindex_task(const Task& task);
  void use(const Vm& vm);
  void count_guests(const std::string& host);
  void unuse(const Vm& vm);
  void remember_outcome(const TaskId& id, TaskState state);

  Seq next_seq_ = 1;
  bool initialized_ = false;
  // unique_ptr: the table moves its slots, and a task is large.
  FlatMap<TaskId, std::unique_ptr<Task>> tasks_;
  FlatMap<VmId, std::unique_ptr<Vm>> vms_;
  FlatMap<ImageId, LiveImage> images_;
  FlatMap<TaskId, std::vector<TaskId>> dependents_;
  std::map<std::string, Flavor> flavors_;  // by id
  std::vector<Network> networks_;
  FlatMap<NetworkId, AddressRange> addresses_;
  std::map<std::string, Backend> backends_;
  std::map<std::string, LiveHost> hosts_;
  std::map<std::string, Project, std::less<>> projects_;
  std::map<std::string, User, std::less<>> users_;
  FlatMap<TokenId, AccessToken> tokens_;
  LeaseBook leases_;
  Infrastructure infrastructure_;
  Membership membership_;
  NodeBook nodes_;
  std::map<std::string, StreamVersion, std::less<>> named_versions_;  // by StreamId::text()

  // ---- derived: rebuilt after a snapshot is read ----
  std::map<std::string, ReadyQueue, std::less<>> ready_;
  std::set<Timer> timers_;
  std::map<std::string, std::string, std::less<>> flavor_ids_;  // by name
  std::multimap<std::string, ImageId, std::less<>> image_ids_;  // by name
  std::map<std::string, Usage, std::less<>> usage_;             // by project
  std::map<std::string, std::uint64_t, std::less<>> in_flight_;
  std::map<std::pair<std::string, std::string>, VmId> foreign_;  // by backend and ref

  static constexpr std::size_t kRecentOutcomes = 65536;
  FlatMap<TaskId, TaskState> recent_;
  std::deque<TaskId> recent_order_;
};

}  // namespace slipway::domain
