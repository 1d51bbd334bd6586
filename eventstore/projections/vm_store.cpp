#include "eventstore/projections/vm_store.hpp"

#include <fmt/format.h>

namespace slipway::eventstore {

const char* const kVmColumns =
    "created_seq, id, tenant, name, backend, host, image, network, flavor, vcpus, memory_mb, "
    "disk_gb, ipv4, labels, keypair, admin_secret, user_data, state, task, backend_ref, error, "
    "created_at, updated_at, launched_at, deleted_at, version, seq, guest, running, number, "
    "lost, is_foreign, drift";

namespace {
constexpr const char* kUpdate =
    "UPDATE vms SET name=?, host=?, image=?, flavor=?, vcpus=?, memory_mb=?, disk_gb=?, state=?, "
    "task=?, backend_ref=?, error=?, updated_at=?, launched_at=?, deleted_at=?, version=?, seq=?, "
    "admin_secret=?, guest=?, running=?, ipv4=?, lost=?, is_foreign=?, drift=? "
    "WHERE created_seq=?";
constexpr const char* kUpdateState =
    "UPDATE vms SET state=?, task=?, backend_ref=?, error=?, updated_at=?, launched_at=?, "
    "version=?, seq=?, running=? WHERE created_seq=?";
}  // namespace

bool read_vm(const Statement& s, base::JsonParser& parser, VmRow& row) {
  int at = 0;
  row.created_seq = s.as<domain::Seq>(at++);
  row.id = domain::VmId(s.uuid(at++));
  row.spec.project = s.text(at++);
  row.spec.name = s.text(at++);
  row.spec.backend = s.text(at++);
  row.spec.host = s.text(at++);
  row.spec.image = domain::ImageId(s.uuid(at++));
  row.spec.network = domain::NetworkId(s.uuid(at++));
  row.spec.size.flavor = s.text(at++);
  row.spec.size.vcpus = s.as<std::uint32_t>(at++);
  row.spec.size.memory_mb = s.as<std::uint32_t>(at++);
  row.spec.size.disk_gb = s.as<std::uint32_t>(at++);
  row.spec.ipv4 = s.as<std::uint32_t>(at++);
  const int labels = at++;
  row.spec.keypair = s.text(at++);
  row.spec.admin_secret = s.text(at++);
  row.spec.user_data = s.text(at++);
  row.state = s.as<domain::VmState>(at++);
  row.task = domain::TaskId(s.uuid(at++));
  row.backend_ref = s.text(at++);
  row.error = s.text(at++);
  row.created_at = s.time(at++);
  row.updated_at = s.time(at++);
  row.launched_at = s.maybe_time(at++);
  row.deleted_at = s.maybe_time(at++);
  row.version = s.as<std::uint64_t>(at++);
  row.seq = s.as<domain::Seq>(at++);
  const int guest = at++;
  row.running = s.integer(at++) != 0;
  row.spec.number.reset();
  if (!s.is_null(at)) row.spec.number = s.as<std::uint64_t>(at);
  ++at;
  row.lost = s.integer(at++) != 0;
  row.foreign = s.integer(at++) != 0;
  const int drift = at++;
  row.drift.reset();
  row.spec.labels.clear();
  row.spec.guest.reset();
  if (!s.is_null(labels)) {
    const auto json = parser.parse_trusted(s.text(labels));
    if (!json || !base::read_json(*json, row.spec.labels)) return false;
  }
  if (!s.is_null(drift)) {
    const auto json = parser.parse_trusted(s.text(drift));
    if (!json || !base::read_json(*json, row.drift)) return false;
  }
  if (s.is_null(guest)) return true;
  const auto json = parser.parse_trusted(s.text(guest));
  return json && base::read_json(*json, row.spec.guest);
}

VmStore::VmStore(Database& db)
    : db_(db),
      insert_(db,
              "INSERT INTO vms "
              "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
      insert_label_(db, "INSERT OR IGNORE INTO vm_labels VALUES(?,?,?)"),
      update_(db, kUpdate),
      update_state_(db, kUpdateState),
      find_(db, fmt::format("SELECT {} FROM vms WHERE id=?", kVmColumns)),
      select_snapshots_(
          db,
          "SELECT created_seq, name, description, parent, with_memory, "
          "created_at, current, running FROM snapshots WHERE vm=? ORDER BY created_seq"),
      erase_snapshots_(db, "DELETE FROM snapshots WHERE vm=?"),
      insert_snapshot_(db, "INSERT INTO snapshots VALUES(?,?,?,?,?,?,?,?,?)") {}

void VmStore::insert(const VmRow& row) {
  const domain::VmSpec& spec = row.spec;
  std::optional<std::string_view> labels;
  if (!spec.labels.empty()) {
    writer_.clear();
    base::write_json(writer_, spec.labels);
    labels = writer_.view();
  }
  insert_.run(row.created_seq, row.id, spec.project, spec.name, spec.backend, spec.host, spec.image,
              spec.network, spec.size.flavor, spec.size.vcpus, spec.size.memory_mb,
              spec.size.disk_gb, spec.ipv4, labels, spec.keypair, spec.admin_secret, spec.user_data,
              row.state, row.task, row.backend_ref, row.error, row.created_at, row.updated_at,
              row.launched_at, row.deleted_at, row.version, row.seq, guest_doc(spec), row.running,
              spec.number, row.lost, row.foreign, drift_doc(row));
  for (const auto& [key, value] : spec.labels) insert_label_.run(key, value, row.created_seq);
}

void VmStore::update(const VmRow& row) {
  const domain::VmSpec& spec = row.spec;
  update_.run(spec.name, spec.host, spec.image, spec.size.flavor, spec.size.vcpus,
              spec.size.memory_mb, spec.size.disk_gb, row.state, row.task, row.backend_ref,
              row.error, row.updated_at, row.launched_at, row.deleted_at, row.version, row.seq,
              spec.admin_secret, guest_doc(spec), row.running, spec.ipv4, row.lost, row.foreign,
              drift_doc(row), row.created_seq);
}

// NULL for a VM without one. Valid until the next call.
std::optional<std::string_view> VmStore::guest_doc(const domain::VmSpec& spec) {
  if (!spec.guest) return std::nullopt;
  guest_writer_.clear();
  base::write_json(guest_writer_, *spec.guest);
  return guest_writer_.view();
}

std::optional<std::string_view> VmStore::drift_doc(const VmRow& row) {
  if (!row.drift) return std::nullopt;
  drift_writer_.clear();
  base::write_json(drift_writer_, *row.drift);
  return drift_writer_.view();
}

void VmStore::update_state(const VmRow& row) {
  update_state_.run(row.state, row.task, row.backend_ref, row.error, row.updated_at,
                    row.launched_at, row.version, row.seq, row.running, row.created_seq);
}

bool VmStore::find(const domain::VmId& id, VmRow& row) {
  find_.bind_all(id);
  const bool found = find_.step();
  if (found && !read_vm(find_, parser_, row)) db_.set_error(11, "a VM's labels are damaged");
  find_.reset();
  return found && db_.ok();
}

std::vector<SnapshotRow> VmStore::snapshots(const domain::VmId& vm) {
  std::vector<SnapshotRow> rows;
  select_snapshots_.bind_all(vm);
  while (select_snapshots_.step()) {
    const Statement& s = select_snapshots_;
    SnapshotRow& row = rows.emplace_back();
    row.created_seq = s.as<domain::Seq>(0);
    row.vm = vm;
    row.snapshot = {std::string(s.text(1)), std::string(s.text(2)), std::string(s.text(3)),
                    s.integer(4) != 0,      s.integer(7) != 0,      s.time(5)};
    row.current = s.integer(6) != 0;
  }
  select_snapshots_.reset();
  return rows;
}

void VmStore::replace_snapshots(const domain::VmId& vm, const std::vector<SnapshotRow>& rows) {
  erase_snapshots_.run(vm);
  for (const SnapshotRow& row : rows) {
    const domain::Snapshot& s = row.snapshot;
    insert_snapshot_.run(vm, row.created_seq, s.name, s.description, s.parent, s.with_memory,
                         s.created_at, row.current, s.running);
  }
}

}  // namespace slipway::eventstore
