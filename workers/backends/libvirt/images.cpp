// Images made of a VM's first disk. The copy is a long job: the step begins it, the waiting step
// asks for it, and begins it again if the process that did is gone.
#include <fmt/format.h>

#include <thread>

#include "workers/backends/libvirt/long_jobs.hpp"
#include "workers/backends/libvirt/names.hpp"
#include "workers/backends/libvirt/steps.hpp"

namespace slipway::workers::libvirt {

using base::Errc;

namespace {

constexpr base::Duration kPoll = std::chrono::milliseconds(300);
constexpr const char* kImagePart = "image.qcow2";

// The step's own name stands in the volume's, whichever step asks.
std::string image_name(const Request& r) {
  const domain::Tag tag{r.order().installation,
                        domain::correlation_key(r.call().root(), "image.create")};
  return volume_name(tag, kImagePart);
}

SeenDisk first_disk(virDomainPtr domain) {
  for (const SeenDisk& disk : read_domain(live_xml(domain)).disks) {
    if (disk.device == "disk") return disk;
  }
  refuse(Errc::BackendRefused, "the VM has no disk");
}

std::string copy_target_xml(const std::string& path) {
  pugi::xml_document document;
  pugi::xml_node disk = document.append_child("disk");
  disk.append_attribute("type").set_value("file");
  disk.append_child("source").append_attribute("file").set_value(path.c_str());
  disk.append_child("driver").append_attribute("type").set_value("qcow2");
  return print(document);
}

// Of a running VM: QEMU mirrors the disk, and stops doing so when both are the same.
void copy_live(virDomainPtr domain, const SeenDisk& disk, const std::string& to) {
  checked(virDomainBlockCopy(domain, disk.target.c_str(), copy_target_xml(to).c_str(), nullptr, 0,
                             VIR_DOMAIN_BLOCK_COPY_REUSE_EXT | VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB),
          "copy the disk");
  while (true) {
    virDomainBlockJobInfo info{};
    const int known =
        checked(virDomainGetBlockJobInfo(domain, disk.target.c_str(), &info, 0), "watch the copy");
    if (known == 0) refuse(Errc::BackendRefused, "the copy of the disk was broken off");
    if (info.end != 0 && info.cur == info.end) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  checked(virDomainBlockJobAbort(domain, disk.target.c_str(), 0), "end the copy");
}

// Holds all that it uses: the backend may go before it is over.
struct Copy {
  Connection connection;
  CellOptions cell;
  std::string uuid;
  std::string name;
  DomainTag done;  // with the step's key in it; that of no VM of ours is not written

  void operator()() const {
    StoragePool pool(connection, cell);
    const auto domain =
        owned<Domain>(virDomainLookupByUUIDString(connection.get(), uuid.c_str()), "find the VM");
    const SeenDisk disk = first_disk(domain.get());
    const auto from = owned<Volume>(virStorageVolLookupByPath(connection.get(), disk.path.c_str()),
                                    "find the disk's volume");
    pool.remove(name);  // half a copy, of a process that is gone
    const VolumeXml volume{.name = name, .bytes = pool.describe(from.get()).capacity_bytes};
    if (virDomainIsActive(domain.get()) == 1) {
      const Volume to = pool.create(volume);
      copy_live(domain.get(), disk, pool.describe(to.get()).path);
    } else {
      pool.copy(volume, from.get());
    }
    if (!done.tag.key.empty()) write_tag(domain.get(), done);
  }
};

void begin_copy(const Request& r, const Located& vm, const std::string& name) {
  DomainTag done = vm.tag;
  done.done = domain::correlation_key(r.call().root(), "image.create");
  r.may_change();
  r.context().jobs->start(name, Copy{.connection = vm.cell->separate_connection(),
                                     .cell = vm.cell->options(),
                                     .uuid = r.uuid(),
                                     .name = name,
                                     .done = std::move(done)});
}

void tell_progress(const Request& r, const Located& vm) {
  if (virDomainIsActive(vm.domain.get()) != 1) return;
  virDomainBlockJobInfo info{};
  const SeenDisk disk = first_disk(vm.domain.get());
  if (virDomainGetBlockJobInfo(vm.domain.get(), disk.target.c_str(), &info, 0) != 1) return;
  if (info.end == 0) return;
  r.progress(static_cast<std::uint32_t>(info.cur * 100 / info.end), "copying the disk");
}

bool is_copied(const Request& r, const Located& vm) {
  return vm.tag.done == domain::correlation_key(r.call().root(), "image.create");
}

}  // namespace

BackendAnswer create_image(const Request& r) {
  const Located vm = r.take();
  const std::string name = image_name(r);
  if (!is_copied(r, vm)) begin_copy(r, vm, name);
  return r.done(name);
}

BackendAnswer await_image(const Request& r) {
  const std::string name = image_name(r);
  const auto job = r.context().jobs->state(name);
  const Located vm = r.locate();
  if (job && job->error) throw CallFailed{*job->error};
  if (vm.domain == nullptr) refuse(Errc::NotFound, "the VM is not there");
  const bool over = job ? job->over : is_copied(r, vm);
  if (!over) {
    if (!job) begin_copy(r, vm, name);
    tell_progress(r, vm);
    return Request::not_yet(kPoll);
  }
  StoragePool pool(vm.connection, vm.cell->options());
  BackendAnswer answer = r.done(name);
  answer.result.text =
      fmt::format(R"({{"size_bytes":{}}})", find_image(r, pool, name).seen.capacity_bytes);
  return answer;
}

namespace {

std::string image_to_delete(const Request& r) {
  if (!r.call().ref.empty()) return r.call().ref;
  if (!r.order().image_ref.empty()) return r.order().image_ref;
  if (r.call().undo) return image_name(r);
  if (r.order().image_key.empty()) return {};
  return volume_name({r.order().installation, r.order().image_key}, kImagePart);
}

// Disks are overlays on their image: without it they are nothing.
void refuse_if_used(StoragePool& pool, const std::string& name) {
  const Volume image = pool.find(name);
  if (image == nullptr) return;
  const std::string path = pool.describe(image.get()).path;
  std::size_t disks = 0;
  for (const SeenVolume& volume : pool.list()) disks += volume.backing_path == path ? 1 : 0;
  if (disks == 0) return;
  refuse(Errc::ResourceBusy, fmt::format("{} disks are made on this image", disks));
}

}  // namespace

// Its name is its tag: what has another is not touched, whoever asks.
BackendAnswer delete_part(const Request& r) {
  const auto& orphan = r.order().args.orphan;
  const auto named = orphan ? parse_volume_name(orphan->ref) : std::nullopt;
  if (!named || named->tag != domain::Tag{r.order().installation, orphan->key}) {
    refuse(Errc::BackendRefused, "it does not carry this installation's tag");
  }
  for (const auto& cell : r.context().cells) {
    StoragePool pool(cell->connection(), cell->options());
    refuse_if_used(pool, orphan->ref);
    r.may_change();
    pool.remove(orphan->ref);
  }
  return r.done(orphan->ref);
}

// On every cell that has one by that name; where they share storage it is the same one.
BackendAnswer delete_image(const Request& r) {
  const std::string name = image_to_delete(r);
  if (name.empty()) return r.done(name);
  if (const auto job = r.context().jobs->state(name); job && !job->over) {
    return Request::not_yet(kPoll);
  }
  for (const auto& cell : r.context().cells) {
    StoragePool pool(cell->connection(), cell->options());
    refuse_if_used(pool, name);
  }
  for (const auto& cell : r.context().cells) {
    StoragePool pool(cell->connection(), cell->options());
    r.may_change();
    pool.remove(name);
  }
  r.context().jobs->forget(name);
  return r.done(name);
}

std::vector<FoundResource> find_image_copy(const Request& r) {
  const std::string name = image_name(r);
  const Located vm = r.locate();
  bool found = r.context().jobs->state(name).has_value() || (vm.domain && is_copied(r, vm));
  if (!found && r.call().undo && vm.domain != nullptr) {
    StoragePool pool(vm.connection, vm.cell->options());
    found = pool.find(name) != nullptr;
  }
  if (!found) return {};
  return {{.ref = name}};
}

}  // namespace slipway::workers::libvirt
