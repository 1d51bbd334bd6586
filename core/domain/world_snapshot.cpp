#include <vector>

#include "core/base/maps.hpp"
#include "core/domain/world.hpp"

// A piece: one byte of section, then the entries, in the fields() binary form, to its end.
namespace slipway::domain {

using base::values;

namespace {

enum class Section : std::uint8_t {
  Head = 1,
  Tasks,
  Vms,
  Images,
  Catalogue,
  Recent,
  Leases,
  LeaseRest,
  Infrastructure,
  Membership,
  NodeRest,
  Assignments,
};
constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

struct Head {
  Seq next_seq = 0;
  bool initialized = false;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("next_seq", s.next_seq);
    v("initialized", s.initialized);
  }
};

struct NetworkAddresses {
  NetworkId network;
  AddressRange range;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("network", s.network);
    v("range", s.range);
  }
};

struct RecentOutcome {
  TaskId task;
  TaskState state = TaskState::Succeeded;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("task", s.task);
    v("state", s.state);
  }
};

struct Catalogue {
  std::vector<Flavor> flavors;
  std::vector<Network> networks;
  std::vector<NetworkAddresses> addresses;
  std::vector<Backend> backends;
  std::vector<Host> hosts;
  std::vector<Project> projects;
  std::vector<User> users;
  std::vector<AccessToken> tokens;
  std::map<std::string, StreamVersion> versions;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("flavors", s.flavors);
    v("networks", s.networks);
    v("addresses", s.addresses);
    v("backends", s.backends);
    v("hosts", s.hosts);
    v("projects", s.projects);
    v("users", s.users);
    v("tokens", s.tokens);
    v("versions", s.versions);
  }
};

// Collects entries and hands a piece on when it is full.
class PieceWriter {
 public:
  PieceWriter(Section section, const std::function<bool(std::string_view)>& sink)
      : section_(section), sink_(sink) {
    start();
  }
  template <class T>
  void add(const T& value) {
    if (!ok_) return;
    base::BinaryWriter(piece_).put(value);
    if (piece_.size() >= kPieceBytes) flush();
  }
  bool finish() {
    if (ok_ && piece_.size() > 1) flush();
    return ok_;
  }

 private:
  void start() { piece_.assign(1, static_cast<char>(section_)); }
  void flush() {
    ok_ = sink_(piece_);
    start();
  }
  Section section_;
  const std::function<bool(std::string_view)>& sink_;
  std::string piece_;
  bool ok_ = true;
};

// Entries to the end of the piece; false if one is cut short.
template <class T, class F>
bool read_entries(std::string_view bytes, F&& take) {
  base::BinaryReader reader(bytes);
  while (!reader.at_end()) {
    T entry{};
    reader.get(entry);
    if (!reader.ok()) return false;
    take(std::move(entry));
  }
  return true;
}

}  // namespace

std::uint64_t World::layout_digest() {
  base::LayoutDigest digest;
  Head head;
  Task task;
  Vm vm;
  LiveImage image;
  Catalogue catalogue;
  RecentOutcome outcome;
  Lease lease;
  LeaseBook::Rest rest;
  NodeBook::Rest nodes;
  Assignment assignment;
  digest.add(head);
  digest.add(task);
  digest.add(vm);
  digest.add(image);
  digest.add(catalogue);
  digest.add(outcome);
  digest.add(lease);
  digest.add(rest);
  Infrastructure::Kept infrastructure;
  Membership::Kept membership;
  digest.add(infrastructure);
  digest.add(membership);
  digest.add(nodes);
  digest.add(assignment);
  return digest.digest();
}

bool World::write_snapshot(const std::function<bool(std::string_view)>& sink) const {
  PieceWriter head(Section::Head, sink);
  head.add(Head{next_seq_, initialized_});
  if (!head.finish()) return false;

  Catalogue all{values(flavors_), networks_,       {}, values(backends_), {}, values(projects_),
                values(users_),   values(tokens_), {}};
  for (const auto& [id, range] : addresses_) {
    all.addresses.push_back({id, range});
    all.addresses.back().range.pack();
  }
  for (const auto& [name, host] : hosts_) all.hosts.push_back(host.host);
  all.versions.insert(named_versions_.begin(), named_versions_.end());
  PieceWriter catalogue(Section::Catalogue, sink);
  catalogue.add(all);
  if (!catalogue.finish()) return false;

  PieceWriter infrastructure(Section::Infrastructure, sink);
  infrastructure.add(infrastructure_.kept());
  if (!infrastructure.finish()) return false;
  PieceWriter membership(Section::Membership, sink);
  membership.add(membership_.kept());
  if (!membership.finish()) return false;

  PieceWriter tasks(Section::Tasks, sink);
  for (const auto& [id, task] : tasks_) tasks.add(*task);
  if (!tasks.finish()) return false;
  PieceWriter vms(Section::Vms, sink);
  for (const auto& [id, vm] : vms_) vms.add(*vm);
  if (!vms.finish()) return false;
  PieceWriter images(Section::Images, sink);
  for (const auto& [id, image] : images_) images.add(image);
  if (!images.finish()) return false;
  PieceWriter lease_rest(Section::LeaseRest, sink);
  lease_rest.add(leases_.rest());
  if (!lease_rest.finish()) return false;
  PieceWriter leases(Section::Leases, sink);
  leases_.each_lease([&](const Lease& lease) { leases.add(lease); });
  if (!leases.finish()) return false;
  PieceWriter node_rest(Section::NodeRest, sink);
  node_rest.add(nodes_.rest());
  if (!node_rest.finish()) return false;
  PieceWriter assignments(Section::Assignments, sink);
  nodes_.each_assignment([&](const Assignment& a) { assignments.add(a); });
  if (!assignments.finish()) return false;
  PieceWriter recent(Section::Recent, sink);
  for (const TaskId& id : recent_order_) recent.add(RecentOutcome{id, recent_.at(id)});
  return recent.finish();
}

base::Status World::read_snapshot_piece(std::string_view piece) {
  if (piece.empty()) return base::fail(base::Errc::Internal, "an empty snapshot piece");
  const auto section = static_cast<Section>(piece.front());
  piece.remove_prefix(1);
  bool ok = false;
  switch (section) {
    case Section::Head:
      ok = read_entries<Head>(piece, [&](Head h) {
        next_seq_ = h.next_seq;
        initialized_ = h.initialized;
      });
      break;
    case Section::Tasks:
      ok = read_entries<Task>(piece, [&](Task t) {
        const TaskId id = t.id;
        tasks_.emplace(id, std::make_unique<Task>(std::move(t)));
      });
      break;
    case Section::Vms:
      ok = read_entries<Vm>(piece, [&](Vm v) {
        const VmId id = v.id;
        vms_.emplace(id, std::make_unique<Vm>(std::move(v)));
      });
      break;
    case Section::Images:
      ok = read_entries<LiveImage>(piece, [&](LiveImage i) {
        const ImageId id = i.image.id;
        images_.emplace(id, std::move(i));
      });
      break;
    case Section::Recent:
      ok = read_entries<RecentOutcome>(
          piece, [&](const RecentOutcome& o) { remember_outcome(o.task, o.state); });
      break;
    case Section::Leases:
      ok = read_entries<Lease>(piece, [&](Lease l) { leases_.restore(std::move(l)); });
      break;
    case Section::LeaseRest:
      ok = read_entries<LeaseBook::Rest>(
          piece, [&](LeaseBook::Rest rest) { leases_.restore(std::move(rest)); });
      break;
    case Section::Infrastructure:
      ok = read_entries<Infrastructure::Kept>(
          piece, [&](Infrastructure::Kept kept) { infrastructure_.restore(std::move(kept)); });
      break;
    case Section::Membership:
      ok = read_entries<Membership::Kept>(
          piece, [&](Membership::Kept kept) { membership_.restore(std::move(kept)); });
      break;
    case Section::NodeRest:
      ok = read_entries<NodeBook::Rest>(
          piece, [&](NodeBook::Rest rest) { nodes_.restore(std::move(rest)); });
      break;
    case Section::Assignments:
      ok = read_entries<Assignment>(piece, [&](Assignment a) { nodes_.restore(std::move(a)); });
      break;
    case Section::Catalogue:
      ok = read_entries<Catalogue>(piece, [&](Catalogue c) {
        for (Flavor& f : c.flavors) flavors_[f.id] = f;
        networks_ = std::move(c.networks);
        for (NetworkAddresses& a : c.addresses) {
          a.range.unpack();
          addresses_.emplace(a.network, std::move(a.range));
        }
        for (Backend& b : c.backends) backends_[b.name] = b;
        for (Host& h : c.hosts) hosts_[h.name].host = h;
        for (Project& p : c.projects) projects_[p.name] = p;
        for (User& u : c.users) users_[u.name] = u;
        for (AccessToken& t : c.tokens) tokens_[t.id] = t;
        named_versions_.insert(c.versions.begin(), c.versions.end());
      });
      break;
  }
  if (!ok) return base::fail(base::Errc::Internal, "a snapshot piece is cut short or unknown");
  return {};
}

void World::finish_snapshot() {
  for (const auto& [id, flavor] : flavors_) flavor_ids_[flavor.name] = id;
  for (const auto& [id, image] : images_) image_ids_.emplace(image.image.name, id);
  for (const auto& [name, host] : leases_.hosts()) hosts_[name].reservable = true;
  for (const auto& [id, vm] : vms_) {
    use(*vm);
    if (vm->foreign) foreign_[{vm->spec.backend, vm->backend_ref}] = id;
  }
  for (const auto& [id, task] : tasks_) {
    index_task(*task);
    ++in_flight_[task->tenant];
    for (const TaskId& dependency : task->depends_on) dependents_[dependency].push_back(id);
  }
}

}  // namespace slipway::domain
