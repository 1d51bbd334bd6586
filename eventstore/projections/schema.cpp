#include "eventstore/projections/schema.hpp"

#include <fmt/format.h>

#include "core/base/crypto.hpp"
#include "eventstore/live_counts.hpp"
#include "eventstore/rows.hpp"

namespace slipway::eventstore {
namespace {

// Numbers of enumerators (state, command, dialect) are those of states.hpp; an enumerator that is
// added changes the fingerprint, hence the file. Times are microseconds since 1970. Ids are 16
// bytes. `created_seq` is the row id and the order of every list, so each index is in order of
// creation too: new rows go to its end.
constexpr const char* kSchema = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
-- One row: the last event folded.
CREATE TABLE checkpoint(one INTEGER PRIMARY KEY, seq INTEGER, time INTEGER);

CREATE TABLE tasks(
  created_seq INTEGER PRIMARY KEY, id BLOB NOT NULL, tenant TEXT NOT NULL, actor TEXT NOT NULL,
  command INTEGER NOT NULL, dialect INTEGER NOT NULL, state INTEGER NOT NULL,
  priority INTEGER NOT NULL, backend TEXT NOT NULL, worker_pool TEXT NOT NULL, parent BLOB,
  item INTEGER NOT NULL, redriven INTEGER NOT NULL, resource BLOB, attempt INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL, created_at INTEGER NOT NULL, deadline INTEGER NOT NULL,
  ready_at INTEGER, started_at INTEGER, finished_at INTEGER, next_attempt_at INTEGER,
  version INTEGER NOT NULL, seq INTEGER NOT NULL, batch_total INTEGER, batch_succeeded INTEGER,
  batch_failed INTEGER, batch_cancelled INTEGER, doc TEXT NOT NULL);
CREATE UNIQUE INDEX tasks_id ON tasks(id);
CREATE INDEX tasks_tenant ON tasks(tenant);
-- All but SUCCEEDED: the common end of a task is dense in every other index.
CREATE INDEX tasks_state ON tasks(state, tenant) WHERE state <> 5;
-- All but vm.create and vm.delete, which are dense in the others.
CREATE INDEX tasks_command ON tasks(command, tenant) WHERE command > 1;
CREATE INDEX tasks_parent ON tasks(parent, item) WHERE parent IS NOT NULL;
CREATE TABLE task_resources(resource BLOB, task INTEGER, PRIMARY KEY(resource, task))
  WITHOUT ROWID;

CREATE TABLE vms(
  created_seq INTEGER PRIMARY KEY, id BLOB NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL,
  backend TEXT NOT NULL, host TEXT NOT NULL, image BLOB, network BLOB, flavor TEXT NOT NULL,
  vcpus INTEGER NOT NULL, memory_mb INTEGER NOT NULL, disk_gb INTEGER NOT NULL,
  ipv4 INTEGER NOT NULL, labels TEXT, keypair TEXT NOT NULL, admin_secret TEXT NOT NULL,
  user_data TEXT NOT NULL, state INTEGER NOT NULL, task BLOB, backend_ref TEXT NOT NULL,
  error TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  launched_at INTEGER, deleted_at INTEGER, version INTEGER NOT NULL, seq INTEGER NOT NULL,
  guest TEXT, running INTEGER NOT NULL, number INTEGER, lost INTEGER NOT NULL,
  is_foreign INTEGER NOT NULL, drift TEXT);
CREATE UNIQUE INDEX vms_id ON vms(id);
-- DELETED is deleted_at, so that a change of state does not write these indexes anew.
CREATE INDEX vms_tenant ON vms(tenant) WHERE deleted_at IS NULL;
CREATE INDEX vms_name ON vms(name) WHERE deleted_at IS NULL;
CREATE INDEX vms_host ON vms(host) WHERE deleted_at IS NULL AND host <> '';
CREATE INDEX vms_number ON vms(backend, number) WHERE deleted_at IS NULL AND number IS NOT NULL;
-- All but RUNNING and DELETED.
CREATE INDEX vms_state ON vms(state, tenant) WHERE state <> 2 AND state <> 19;
-- Of every VM, also of deleted ones: their tasks are found by label too.
CREATE TABLE vm_labels(key TEXT, value TEXT, vm INTEGER, PRIMARY KEY(key, value, vm))
  WITHOUT ROWID;
CREATE TABLE snapshots(
  vm BLOB, created_seq INTEGER, name TEXT NOT NULL, description TEXT NOT NULL,
  parent TEXT NOT NULL, with_memory INTEGER NOT NULL, created_at INTEGER NOT NULL,
  current INTEGER NOT NULL, running INTEGER NOT NULL, PRIMARY KEY(vm, created_seq)) WITHOUT ROWID;

-- What a cloud has, and people: few, looked up by key (that of the stream) or name.
-- `doc` is the row as JSON; a row with
-- `shared` is seen by every tenant.
CREATE TABLE images(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE flavors(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE networks(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE hosts(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE backends(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE projects(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE users(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE tokens(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
-- Leases of hosts, their reservations, and the hosts given to them. A lease's key is its id, its
-- timers are inside its document; a reservation's key is its id.
CREATE TABLE leases(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE reservations(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE reservable_hosts(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE host_properties(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE floating_ips(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
-- Groups; what a data centre is divided into. Of `addresses` the key is the VM, the name the pool.
CREATE TABLE roles(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE groups(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE logins(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE pools(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE storage_pools(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE address_pools(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE addresses(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE templates(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE security_groups(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE vm_security(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
CREATE TABLE audit(seq INTEGER PRIMARY KEY, tenant TEXT NOT NULL, time INTEGER NOT NULL,
  content TEXT NOT NULL, hidden INTEGER NOT NULL);
CREATE INDEX audit_tenant ON audit(tenant, time) WHERE hidden = 0;
-- To whom VMs are given, by the VM's id.
CREATE TABLE assignments(created_seq INTEGER PRIMARY KEY, key TEXT UNIQUE, name TEXT, tenant TEXT,
  shared INTEGER, doc TEXT);
-- What VMs and tasks hold of a host ('host') or a project ('project'), by name.
CREATE TABLE usage(kind TEXT, name TEXT, vms INTEGER, vcpus INTEGER, memory_mb INTEGER,
  disk_gb INTEGER, tasks INTEGER, PRIMARY KEY(kind, name)) WITHOUT ROWID;

-- A row for each hour in which a VM of that tenant was made or deleted. `vms_existing`: at its end.
-- `vm_us`: VM count integrated over the hour, as if nothing more came after its last event.
CREATE TABLE stats_hourly(tenant TEXT, hour INTEGER, vms_existing INTEGER, vms_created INTEGER,
  vms_deleted INTEGER, vm_us INTEGER, PRIMARY KEY(tenant, hour)) WITHOUT ROWID;
-- finished: tasks that ended, `sum_us` from acceptance. waited: task leases, from READY to leased.
CREATE TABLE stats_tasks(tenant TEXT, hour INTEGER, kind TEXT, command INTEGER, outcome INTEGER,
  n INTEGER, sum_us INTEGER, PRIMARY KEY(tenant, hour, kind, command, outcome)) WITHOUT ROWID;
CREATE TABLE tallies(tally TEXT, a TEXT, b TEXT, c TEXT, value INTEGER,
  PRIMARY KEY(tally, a, b, c)) WITHOUT ROWID;
-- The first and the last seq whose record is of that minute: turns a time filter into a range of
-- row ids, whatever the wall clock did.
CREATE TABLE minutes(minute INTEGER PRIMARY KEY, first_seq INTEGER, last_seq INTEGER);
)sql";

template <class E>
void add_names(std::string& text, E e) {
  for (const std::string_view name : enum_names(e))
    fmt::format_to(std::back_inserter(text), "{},", name);
}

template <class T>
void add_layout(std::string& text) {
  base::LayoutDigest digest;
  T sample{};
  digest.add(sample);
  fmt::format_to(std::back_inserter(text), "{:x},", digest.digest());
}

}  // namespace

std::string schema_fingerprint() {
  std::string text(kSchema);
  fmt::format_to(std::back_inserter(text), "{},", kProjectionVersion);
  add_names(text, domain::TaskState{});
  add_names(text, domain::VmState{});
  add_names(text, domain::CommandKind{});
  add_names(text, domain::Dialect{});
  add_names(text, Tally{});
  add_layout<TaskDoc>(text);
  add_layout<domain::GuestSpec>(text);
  add_layout<ImageRow>(text);
  add_layout<FlavorRow>(text);
  add_layout<NetworkRow>(text);
  add_layout<HostRow>(text);
  add_layout<BackendRow>(text);
  add_layout<ProjectRow>(text);
  add_layout<UserRow>(text);
  add_layout<TokenRow>(text);
  add_layout<LeaseRow>(text);
  add_layout<ReservationRow>(text);
  add_layout<ReservableHostRow>(text);
  add_layout<HostPropertyRow>(text);
  add_layout<FloatingIpRow>(text);
  add_layout<RoleRow>(text);
  add_layout<GroupRow>(text);
  add_layout<LoginRow>(text);
  add_layout<PoolRow>(text);
  add_layout<StoragePoolRow>(text);
  add_layout<AddressPoolRow>(text);
  add_layout<AddressRow>(text);
  add_layout<TemplateRow>(text);
  add_layout<SecurityGroupRow>(text);
  add_layout<VmSecurityRow>(text);
  add_layout<AssignmentRow>(text);
  return base::hex(base::sha256(text));
}

void create_schema(Database& db) { db.exec(kSchema); }

std::vector<std::string> table_names(Database& db) {
  std::vector<std::string> names;
  Statement select(db, "SELECT name FROM sqlite_schema WHERE type='table' ORDER BY name");
  while (select.step()) names.emplace_back(select.text(0));
  return names;
}

}  // namespace slipway::eventstore
