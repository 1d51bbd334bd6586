#pragma once
// Questions about what was folded. A Reader is one read-only SQLite connection: it never blocks the
// projector and is never blocked by it. One thread uses one Reader; any number may be open.
//
//   ReadModels models({.directory = directory});        // the projector has made the files
//   auto reader = models.open_reader();                 // one per query thread
//   auto page = (*reader)->list_tasks(Scope::tenant("demo"), {.states = {TaskState::Failed}}, {});
//
// Each answer is a prefix of the log and says which (`seq`: of the last event folded; read in the
// same transaction as the rows). Who may see what is decided here: every question takes a Scope.
//
// Lists are in the order of creation (the seq of the event that made the thing; `created_at` is the
// same order unless the wall clock was set back), newest first unless asked otherwise. A Cursor is
// the last row's created_seq: a page is "what comes after it", so paging to the end sees everything
// that existed throughout exactly once, whatever is written meanwhile, and a cursor outlives
// restarts and rebuilds.
//
// Errors: Internal for a damaged or missing file (the projector rebuilds it), DeadlineExceeded for
// a question that took longer than `query_timeout`, InvalidArgument where said.
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "eventstore/rows.hpp"

namespace slipway::eventstore {

// Whose things may be seen: one tenant's, or everybody's (admins only; the caller has checked).
class Scope {
 public:
  static Scope tenant(std::string_view name) { return Scope(name, false); }
  static Scope admin() { return Scope({}, true); }
  bool everything() const { return everything_; }
  const std::string& name() const { return tenant_; }

 private:
  Scope(std::string_view name, bool everything) : tenant_(name), everything_(everything) {}
  std::string tenant_;
  bool everything_;
};

template <class T>
struct Read {
  T value{};
  domain::Seq seq = 0;
};

struct PageRequest {
  std::size_t limit = 50;
  std::optional<domain::Seq> after{};  // Cursor: created_seq of the last row of the page before
  bool ascending = false;
  bool count = false;
};

template <class Row>
struct Page {
  std::vector<Row> items;
  std::optional<domain::Seq> next;  // the cursor of the next page; nullopt at the end
  std::optional<std::uint64_t> total;
  bool total_is_lower_bound = false;  // more than kMaxExactCount
  domain::Seq seq = 0;
};
inline constexpr std::uint64_t kMaxExactCount = 10000;

// Every member that is set must hold; the values inside one are alternatives.
struct TaskFilter {
  std::vector<domain::TaskState> states{};
  std::vector<domain::CommandKind> commands{};
  std::vector<domain::Dialect> dialects{};
  std::optional<base::Uuid> resource{};
  std::optional<domain::TaskId> batch{};
  std::optional<base::Time> created_after{};   // strictly
  std::optional<base::Time> created_before{};  // strictly
  std::optional<std::string> tenant{};         // further narrows an admin's scope
  domain::Labels labels{};                     // of the VM that the task acts on
};

struct VmFilter {
  std::vector<domain::VmState> states{};
  std::optional<std::string> name{};
  std::optional<domain::ImageId> image{};
  std::optional<std::string> flavor{};
  std::optional<std::string> host{};
  std::vector<std::string> hosts{};  // any of these
  std::optional<std::string> backend{};
  std::optional<std::uint64_t> number{};  // that its cloud gave it
  bool numbered = false;                  // `backend` is a cloud that gives numbers
  std::optional<std::string> tenant{};
  std::optional<base::Time> created_after{};
  std::optional<base::Time> created_before{};
  domain::Labels labels{};
};

// Resumes a list that goes out in pieces (the dialects' lists have no pages). Holds no transaction
// between pieces, so a slow client never keeps the WAL from being cut. What was made after the scan
// began is left out.
struct ListScan {
  std::optional<domain::Seq> after;
  domain::Seq newest = 0;  // set by the first piece
  domain::Seq seq = 0;     // the first piece was read at
  bool done = false;
};

enum class Series : std::uint8_t {
  VmsExisting,  // at the end of the bucket; now for the running one
  VmsCreated,
  VmsDeleted,
  VmHours,        // VM count integrated over time, in hours
  TasksFinished,  // by outcome and command
  TaskWait,       // mean seconds from ready to leased
};
constexpr std::array<std::string_view, 6> enum_names(Series) {
  return {"vms_existing", "vms_created", "vms_deleted", "vm_hours", "tasks_finished", "task_wait"};
}
enum class SeriesStep : std::uint8_t { Hour, Day };
// Tenant for an admin's scope; Command and Outcome for tasks_finished, Command for task_wait.
enum class SeriesGroup : std::uint8_t { None, Tenant, Command, Outcome };

struct SeriesQuery {
  Series series = Series::VmsExisting;
  SeriesStep step = SeriesStep::Hour;
  base::Time from{};
  base::Time to{};  // exclusive; cut at `now`
  base::Time now{};
  // Of days: "" and "UTC", an offset ("+02:00") or a zone name ("Europe/Berlin"). Hours are always
  // UTC hours; where an offset is no whole hour, an hour belongs to the day in which it begins.
  std::string zone{};
  SeriesGroup group_by = SeriesGroup::None;
};
inline constexpr std::size_t kMaxSeriesPoints = 20000;

// VMs that existed at the end of an hour, or now in the running one.
struct HourCount {
  base::Time hour{};
  std::int64_t vms = 0;
};

struct HostStateCount {
  std::string host;
  domain::VmState state = domain::VmState::Queued;
  bool lost = false;
  std::int64_t vms = 0;
};

struct AuditFilter {
  std::size_t limit = 20;
  std::size_t start = 0;  // so many of the newest are left out
  std::optional<base::Time> after{};
  std::optional<base::Time> before{};
};

struct QueryConnection;

class Reader {
 public:
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  base::Result<domain::Seq> seq();
  // What SQLite said when a question last failed: for the log, never for a client.
  const std::string& last_error() const;

  // ---- tasks ----
  base::Result<Read<std::optional<TaskRow>>> get_task(const Scope&, const domain::TaskId&);
  base::Result<Page<TaskRow>> list_tasks(const Scope&, const TaskFilter&, const PageRequest&);
  // Items in their order; `after` is the index of the last item seen, `next` likewise.
  base::Result<Page<TaskRow>> batch_items(const Scope&, const domain::TaskId& batch,
                                          const PageRequest&);
  // Tasks that gave up: state DEAD.
  base::Result<Page<TaskRow>> dead_letters(const Scope& scope, const PageRequest& page) {
    return list_tasks(scope, {.states = {domain::TaskState::Dead}}, page);
  }
  // The ids only, oldest first, for a bulk command by filter; at most `limit`.
  base::Result<Read<std::vector<domain::TaskId>>> task_ids(const Scope&, const TaskFilter&,
                                                           std::size_t limit);

  // ---- VMs. Deleted ones are found by id (until then they are history), never listed ----
  base::Result<Read<std::optional<VmRow>>> get_vm(const Scope&, const domain::VmId&);
  base::Result<Page<VmRow>> list_vms(const Scope&, const VmFilter&, const PageRequest&);
  // The next rows of a whole list, oldest first, at most `limit`; sets scan.done at the end.
  base::Status scan_vms(const Scope&, const VmFilter&, ListScan& scan, std::size_t limit,
                        const std::function<void(const VmRow&)>& row);
  base::Result<Read<std::vector<SnapshotRow>>> snapshots(const Scope&, const domain::VmId&);

  // ---- what a cloud has. A tenant sees its own and what is public or shared; lists are in the
  // order of definition, oldest first unless `ascending` is false and a page is asked for ----
  base::Result<Read<std::optional<ImageRow>>> get_image(const Scope&, const domain::ImageId&);
  base::Result<Page<ImageRow>> list_images(const Scope&, const PageRequest&);
  base::Result<Read<std::optional<FlavorRow>>> get_flavor(const Scope&, std::string_view id);
  base::Result<Page<FlavorRow>> list_flavors(const Scope&, const PageRequest&);
  base::Result<Read<std::optional<NetworkRow>>> get_network(const Scope&, const domain::NetworkId&);
  base::Result<Page<NetworkRow>> list_networks(const Scope&, const PageRequest&);
  base::Result<Read<std::optional<HostRow>>> get_host(const Scope&, std::string_view name);
  base::Result<Page<HostRow>> list_hosts(const Scope&, const PageRequest&);
  base::Result<Read<std::optional<BackendRow>>> get_backend(const Scope&, std::string_view name);
  base::Result<Page<BackendRow>> list_backends(const Scope&, const PageRequest&);
  // By name (the tenant's) or by id as text. A tenant sees only its own.
  base::Result<Read<std::optional<ProjectRow>>> get_project(const Scope&, std::string_view name);
  base::Result<Page<ProjectRow>> list_projects(const Scope&, const PageRequest&);
  base::Result<Page<UserRow>> list_users(const Scope&, const PageRequest&);
  base::Result<Page<TokenRow>> list_tokens(const Scope&, const PageRequest&);

  // ---- leases of hosts. Hosts, properties and floating addresses are seen by everybody; a lease
  // that is being deleted by nobody ----
  base::Result<Read<std::optional<LeaseRow>>> get_lease(const Scope&, const domain::LeaseId&);
  base::Result<Page<LeaseRow>> list_leases(const Scope&, const PageRequest&);
  base::Result<Page<ReservationRow>> list_reservations(const Scope&, const PageRequest&);
  base::Result<Page<ReservableHostRow>> list_reservable_hosts(const Scope&, const PageRequest&);
  base::Result<Page<HostPropertyRow>> list_host_properties(const Scope&, const PageRequest&);
  base::Result<Page<FloatingIpRow>> list_floating_ips(const Scope&, const PageRequest&);
  // ---- what a data centre is divided into: all of it, in the order of creation ----
  base::Result<Read<std::vector<PoolRow>>> pools();
  base::Result<Read<std::vector<StoragePoolRow>>> storage_pools();
  base::Result<Read<std::vector<AddressPoolRow>>> address_pools();
  // Of one pool, those that the scope's VMs have; how many are given in all says `allocated()`.
  base::Result<Read<std::vector<AddressRow>>> addresses(const Scope&, std::string_view pool);
  base::Result<Read<std::map<std::string, std::int64_t>>> allocated();  // by pool
  base::Result<Read<std::vector<TemplateRow>>> templates();
  base::Result<Read<std::vector<SecurityGroupRow>>> security_groups(const Scope&);
  // What was never set accepts everything.
  base::Result<Read<domain::SecurityPolicy>> vm_security(const Scope&, const domain::VmId&);
  // Reads an entry for each VM of the scope.
  base::Result<Read<std::vector<HostStateCount>>> vms_by_host(const Scope&);

  // ---- notes of one tenant, newest first ----
  base::Result<Page<AuditRow>> audit(std::string_view tenant, const AuditFilter&);

  // ---- to whom VMs are given. By the VM's id alone, though the look-up takes a user too ----
  base::Result<Read<std::optional<AssignmentRow>>> get_assignment(const Scope&,
                                                                  const domain::VmId&);
  base::Result<Page<AssignmentRow>> list_assignments(const Scope&, const PageRequest&);

  // ---- statistics: exact, from the events' times, hours without events included ----
  // The UTC hours of the last 24 h, none before the first event, the running one last.
  base::Result<Read<std::vector<HourCount>>> vms_per_hour(const Scope&, base::Time now);
  // InvalidArgument: an unknown zone, a grouping the series has not, over kMaxSeriesPoints.
  base::Result<Read<std::vector<SeriesPoint>>> series(const Scope&, const SeriesQuery&);

 private:
  friend class ReadModels;
  explicit Reader(std::unique_ptr<QueryConnection> impl);
  std::unique_ptr<QueryConnection> impl_;
};

// Where the files are. A rebuild makes a new file beside the one that serves; readers move over
// between two questions. Any thread.
class ReadModels {
 public:
  struct Options {
    std::string directory{};
    base::Duration query_timeout = std::chrono::seconds(5);
    std::size_t cache_bytes = 8U << 20U;  // per reader
  };
  explicit ReadModels(Options options) : options_(std::move(options)) {}
  // Internal until a projector has made the files.
  base::Result<std::unique_ptr<Reader>> open_reader() const;
  // The file that serves now, for the SQL dialect's own connections; empty if there is none.
  std::string serving_file() const;

 private:
  Options options_;
};

}  // namespace slipway::eventstore
