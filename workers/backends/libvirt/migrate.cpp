// From cell to cell: live where the VM runs, its definition alone (and its disks, where they are
// not shared) where it does not. libvirt's daemons do it between themselves (peer to peer), so it
// goes on when this process ends; where the VM is is always found out by looking at both.
#include <fmt/format.h>

#include <thread>

#include "workers/backends/libvirt/long_jobs.hpp"
#include "workers/backends/libvirt/names.hpp"
#include "workers/backends/libvirt/steps.hpp"

namespace slipway::workers::libvirt {

using base::Errc;

namespace {

constexpr base::Duration kPoll = std::chrono::milliseconds(300);
constexpr base::Duration kAbortPoll = std::chrono::milliseconds(100);

std::string job_name(const Request& r) { return r.uuid() + "/migrate"; }

bool is_active(const Located& vm) {
  return vm.domain != nullptr && virDomainIsActive(vm.domain.get()) == 1;
}

// There, and not only being received.
bool has_arrived(const Located& at) {
  if (at.domain == nullptr) return false;
  int state = 0;
  int reason = 0;
  if (virDomainGetState(at.domain.get(), &state, &reason, 0) < 0) return false;
  return state != VIR_DOMAIN_PAUSED || reason != VIR_DOMAIN_PAUSED_MIGRATION;
}

bool has_job(const Located& at, virDomainJobInfo& info) {
  return is_active(at) && virDomainGetJobInfo(at.domain.get(), &info) == 0 &&
         (info.type == VIR_DOMAIN_JOB_BOUNDED || info.type == VIR_DOMAIN_JOB_UNBOUNDED);
}

// Holds all that it uses: the backend may go before it is over.
struct Move {
  Connection from;
  Connection to;
  CellOptions from_cell;
  CellOptions to_cell;
  std::string uuid;
  domain::Tag tag;
  bool auto_start = false;
  std::uint32_t mib_per_second = 0;

  void operator()() const {
    const auto domain =
        owned<Domain>(virDomainLookupByUUIDString(from.get(), uuid.c_str()), "find the VM");
    const bool runs = virDomainIsActive(domain.get()) == 1;
    const bool shared = from_cell.shared && to_cell.shared;
    const SeenDomain seen = read_domain(live_xml(domain.get()));
    const bool bases = shared || copy_files(seen, runs);
    // Without their bases there whole disks are copied, not what is their own.
    const unsigned files = shared  ? VIR_MIGRATE_UNSAFE  // libvirt cannot know that they are shared
                           : bases ? VIR_MIGRATE_NON_SHARED_INC
                                   : VIR_MIGRATE_NON_SHARED_DISK;
    migrate(domain.get(),
            runs ? unsigned{VIR_MIGRATE_LIVE} | files : unsigned{VIR_MIGRATE_OFFLINE});
    if (!shared) remove_files(seen);
    const Domain moved(virDomainLookupByUUIDString(to.get(), uuid.c_str()));
    if (moved != nullptr && auto_start) virDomainSetAutostart(moved.get(), 1);
  }

  // Before the guest goes. QEMU copies the disks of one that runs into files that must be there, or
  // libvirt makes them, with all their room taken at once; all else is copied here. True if each
  // disk that is an overlay has its base at the target too.
  bool copy_files(const SeenDomain& seen, bool runs) const {
    StoragePool target(to, to_cell);
    bool bases = true;
    for (const SeenDisk& disk : seen.disks) {
      if (disk.path.empty()) continue;
      const Volume volume(virStorageVolLookupByPath(from.get(), disk.path.c_str()));
      if (volume == nullptr) refuse(Errc::BackendRefused, "a file of the VM is in no storage pool");
      const SeenVolume file =
          read_volume(text_of(virStorageVolGetXMLDesc(volume.get(), 0), "read the volume"));
      const auto ours = parse_volume_name(file.name);
      const bool own = ours && ours->tag == tag;
      if (!own && target.find(file.name) != nullptr) continue;  // a medium that both have
      if (own) target.remove(file.name);                        // of an attempt that failed
      if (runs && disk.device == "disk") {
        bases = make_empty(target, file) && bases;
      } else {
        target.transfer(volume.get(), from.get(), file);
      }
    }
    return bases;
  }

  // False if it is an overlay here and cannot be one there.
  bool make_empty(StoragePool& target, const SeenVolume& file) const {
    VolumeXml volume{.name = file.name, .format = file.format, .bytes = file.capacity_bytes};
    if (!file.backing_path.empty()) {
      const Volume here(virStorageVolLookupByPath(from.get(), file.backing_path.c_str()));
      const Volume there =
          here == nullptr ? Volume() : target.find(virStorageVolGetName(here.get()));
      if (there != nullptr) {
        const SeenVolume base = target.describe(there.get());
        volume.backing_path = base.path;
        volume.backing_format = base.format;
      }
    }
    target.create(volume);
    return file.backing_path.empty() || !volume.backing_path.empty();
  }

  void migrate(virDomainPtr domain, unsigned how) const {
    const unsigned flags =
        how | VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
    virTypedParameterPtr items = nullptr;
    int count = 0;
    int room = 0;
    if (mib_per_second != 0) {
      virTypedParamsAddULLong(&items, &count, &room, VIR_MIGRATE_PARAM_BANDWIDTH, mib_per_second);
    }
    const std::string& uri = to_cell.migrate_uri.empty() ? to_cell.uri : to_cell.migrate_uri;
    const int result =
        virDomainMigrateToURI3(domain, uri.c_str(), items, static_cast<unsigned>(count), flags);
    virTypedParamsFree(items, count);
    checked(result, "migrate the VM");
  }

  void remove_files(const SeenDomain& seen) const {
    StoragePool source(from, from_cell);
    for (const SeenDisk& disk : seen.disks) {
      const Volume volume(
          disk.path.empty() ? nullptr : virStorageVolLookupByPath(from.get(), disk.path.c_str()));
      if (volume == nullptr) continue;
      const std::string name = virStorageVolGetName(volume.get());
      const auto ours = parse_volume_name(name);
      if (ours && ours->tag == tag) source.remove(name);
    }
  }
};

void begin_move(const Request& r, const Located& vm, Cell& to) {
  Move move{.from = vm.cell->separate_connection(),
            .to = to.separate_connection(),
            .from_cell = vm.cell->options(),
            .to_cell = to.options(),
            .uuid = r.uuid(),
            .tag = vm.tag.tag,
            .mib_per_second = r.options().migrate_mib_per_second};
  int auto_start = 0;
  move.auto_start = virDomainGetAutostart(vm.domain.get(), &auto_start) == 0 && auto_start == 1;
  r.may_change();
  if (!r.context().jobs->start(job_name(r), std::move(move))) {
    throw CallFailed{{.code = Errc::ResourceBusy,
                      .detail = "as many migrations as may be are under way",
                      .retryable = true,
                      .without_effect = true}};
  }
}

// The address moves with it.
void move_address(const Request& r, const Located& to, Cell& from) {
  const domain::VmSpec& spec = r.order().spec;
  if (spec.ipv4 == 0) return;
  const SeenDomain seen = read_domain(live_xml(to.domain.get()));
  reserve_address(to.connection.get(), seen.network, seen.mac, domain::ipv4_text(spec.ipv4),
                  seen.name);
  try {
    release_address(from.connection().get(), seen.network, seen.mac);
  } catch (const CallFailed&) {
    // The old cell may be gone; an entry that stays behind does no harm.
  }
}

}  // namespace

Cell& target_of(const Request& r) {
  Cell* cell = r.context().cell(r.order().args.host);
  if (cell == nullptr) {
    throw CallFailed{{.code = Errc::InvalidArgument,
                      .detail = fmt::format("the backend has no host '{}'", r.order().args.host),
                      .without_effect = true}};
  }
  return *cell;
}

Located look_at(const Request& r, Cell& cell, std::optional<CallFailed>& silent) {
  try {
    return r.locate_on(cell);
  } catch (const CallFailed& failed) {
    silent = failed;
    return {.cell = &cell};
  }
}

BackendAnswer begin_migration(const Request& r) {
  if (is_evacuation(r)) return evacuate_vm(r);
  const Located vm = r.take();
  Cell& to = target_of(r);
  if (vm.cell == &to) {
    BackendAnswer answer = r.done(vm);
    answer.settled = true;
    return answer;
  }
  if (power_of(vm.domain.get()) == Power::Suspended) {
    throw CallFailed{{.code = Errc::IllegalTransition,
                      .detail = "the VM's saved memory is on its host: resume it first",
                      .without_effect = true}};
  }
  if (!r.context().jobs->state(job_name(r)).value_or(LongJobs::State{.over = true}).over) {
    return r.done();
  }
  begin_move(r, vm, to);
  return r.done();
}

namespace {

void tell_progress(const Request& r, const Located& source) {
  virDomainJobInfo info{};
  if (!has_job(source, info) || info.dataTotal == 0) return;
  // What a busy guest changes meanwhile is sent again, so this may stand still below 100.
  const unsigned long long percent =
      std::min(info.dataProcessed, info.dataTotal) * 99 / info.dataTotal;
  r.progress(
      static_cast<std::uint32_t>(percent),
      fmt::format("{} of {} MiB are sent", info.dataProcessed >> 20U, info.dataTotal >> 20U));
}

[[noreturn]] void fail_migration(const std::optional<LongJobs::State>& job, const Located& source) {
  BackendError error{.code = Errc::BackendRefused, .detail = "the migration came to nothing"};
  if (job && job->error) error = *job->error;
  error.retryable = false;  // undone first, so that it is known where the VM is
  if (source.domain != nullptr) {
    error.detail += fmt::format("; the VM is on {}, {}", source.cell->name(),
                                power_name(power_of(source.domain.get())));
  }
  throw CallFailed{error};
}

}  // namespace

BackendAnswer await_migration(const Request& r) {
  Cell& from = r.home();
  Cell& to = target_of(r);
  const auto job = r.context().jobs->state(job_name(r));
  std::optional<CallFailed> silent;
  const Located source = look_at(r, from, silent);
  if (job && !job->over) {
    tell_progress(r, source);
    return Request::not_yet(kPoll);
  }
  const Located target = look_at(r, to, silent);
  virDomainJobInfo info{};
  if (!job && has_job(source, info)) {  // another process began it
    tell_progress(r, source);
    return Request::not_yet(kPoll);
  }
  // At the end of a live one the source's definition goes after the guest has moved.
  if (has_arrived(target) && !is_active(source)) {
    move_address(r, target, from);
    r.context().jobs->forget(job_name(r));
    return r.done(target);
  }
  if (silent) throw CallFailed(*silent);
  if (source.domain == nullptr && target.domain == nullptr) {
    refuse(Errc::NotFound, "the VM is on neither host");
  }
  if (source.domain == nullptr) return Request::not_yet(kPoll);  // still being received
  fail_migration(job, source);
}

namespace {

base::SteadyTime now() {
  return std::chrono::time_point_cast<base::Duration>(std::chrono::steady_clock::now());
}

// True when nothing of it is under way any more; false if that is not so in time.
bool wait_for_end(const Request& r, Cell& on) {
  const base::SteadyTime end = r.call().deadline - std::chrono::seconds(1);
  while (true) {
    virDomainJobInfo info{};
    const bool ours =
        !r.context().jobs->state(job_name(r)).value_or(LongJobs::State{.over = true}).over;
    if (!ours && !has_job(r.locate_on(on), info)) return true;
    if (now() >= end) return false;
    std::this_thread::sleep_for(kAbortPoll);
  }
}

[[noreturn]] void not_ended() {
  throw CallFailed{{.code = Errc::ResourceBusy,
                    .detail = "the migration is still being undone",
                    .retryable = true}};
}

// What was copied to where the VM is not.
void clean(const Request& r, Cell& cell) {
  const CellOptions& source = r.home().options();
  if (source.shared && cell.options().shared) return;
  StoragePool pool(cell.connection(), cell.options());
  remove_volumes(r, pool, domain::guest_of(r.order().spec).disks.size());
}

}  // namespace

// Back to where it was: broken off, or, if it was over already, made once more the other way.
BackendAnswer abort_migration(const Request& r) {
  if (is_evacuation(r)) return abort_evacuation(r);
  Cell& from = r.home();
  Cell& to = target_of(r);
  if (&from == &to) return r.done();
  Located source = r.locate_on(from);
  virDomainJobInfo info{};
  // Aborting what has just ended fails, and looking again tells.
  if (has_job(source, info)) virDomainAbortJob(source.domain.get());
  if (!wait_for_end(r, from)) not_ended();
  source = r.locate_on(from);
  if (source.domain != nullptr) {
    r.context().jobs->forget(job_name(r));
    if (!is_active(source) && is_active(r.locate_on(to))) not_ended();
    clean(r, to);
    return r.done(source);
  }
  const Located target = r.locate_on(to);
  if (target.domain == nullptr) return r.done();
  begin_move(r, target, from);
  if (!wait_for_end(r, to)) not_ended();
  source = r.locate_on(from);
  if (source.domain == nullptr) fail_migration(r.context().jobs->state(job_name(r)), target);
  r.context().jobs->forget(job_name(r));
  return r.done(source);
}

std::vector<FoundResource> find_migration(const Request& r) {
  if (is_evacuation(r)) return find_evacuated(r);
  Cell& from = r.home();
  Cell& to = target_of(r);
  const bool ours = r.context().jobs->state(job_name(r)).has_value();
  virDomainJobInfo info{};
  const bool found = ours || has_arrived(r.locate_on(to)) || has_job(r.locate_on(from), info);
  if (!found) return {};
  return {{.ref = r.uuid()}};
}

}  // namespace slipway::workers::libvirt
