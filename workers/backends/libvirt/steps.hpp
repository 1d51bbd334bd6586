#pragma once
// What each operation of the plans (domain/plan.hpp) does, a function each. All throw CallFailed;
// all may be called twice.
#include "workers/backends/libvirt/request.hpp"

namespace slipway::workers::libvirt {

// lifecycle.cpp
BackendAnswer create_vm(const Request& r);
BackendAnswer await_running(const Request& r);
BackendAnswer delete_vm(const Request& r);
// rebuild.cpp
BackendAnswer rebuild_vm(const Request& r);  // also vm.reset_system: it runs, or not, as before
// power.cpp
BackendAnswer start_vm(const Request& r);
BackendAnswer stop_vm(const Request& r);
BackendAnswer reboot_vm(const Request& r);
BackendAnswer pause_vm(const Request& r);
BackendAnswer unpause_vm(const Request& r);
BackendAnswer suspend_vm(const Request& r);
BackendAnswer resume_vm(const Request& r);

// resize.cpp
BackendAnswer resize_vm(const Request& r);
BackendAnswer confirm_resize(const Request& r);
BackendAnswer revert_resize(const Request& r);
BackendAnswer shrink_disk(const Request& r);
// guests.cpp
BackendAnswer rename_vm(const Request& r);
BackendAnswer insert_medium(const Request& r);
BackendAnswer eject_medium(const Request& r);
BackendAnswer configure_vm(const Request& r);
BackendAnswer set_credential(const Request& r);
BackendAnswer set_console_secret(const Request& r);
// stats.cpp: of a running VM, as JSON
BackendAnswer open_console(const Request& r);
BackendAnswer read_stats(const Request& r);
// snapshots.cpp
BackendAnswer create_snapshot(const Request& r);
BackendAnswer restore_snapshot(const Request& r);
BackendAnswer delete_snapshot(const Request& r);
bool has_snapshot(const Request& r, const Located& vm);  // one that this call's step made
// images.cpp
BackendAnswer create_image(const Request& r);
BackendAnswer await_image(const Request& r);
BackendAnswer delete_image(const Request& r);
BackendAnswer delete_part(const Request& r);  // a volume or image of ours that nobody owns
std::vector<FoundResource> find_image_copy(const Request& r);
// migrate.cpp
BackendAnswer begin_migration(const Request& r);
BackendAnswer await_migration(const Request& r);
BackendAnswer abort_migration(const Request& r);
std::vector<FoundResource> find_migration(const Request& r);

// evacuate.cpp: vm.migrate away from a cell that does not answer
bool is_evacuation(const Request& r);
BackendAnswer evacuate_vm(const Request& r);
BackendAnswer abort_evacuation(const Request& r);
std::vector<FoundResource> find_evacuated(const Request& r);

// What stands for the step at the cells, for look-ups.
std::vector<FoundResource> find_made(const Request& r);

// ---- parts that several of them use ----

// The cell that a migration goes to. Refuses a name that is none of ours.
Cell& target_of(const Request& r);
// Of a cell that may be gone: then it is not known to be there, and `silent` says why.
Located look_at(const Request& r, Cell& cell, std::optional<CallFailed>& silent);
// Makes the volumes that are not there yet, and the definition. `vm` has its cell.
void define_vm(const Request& r, Located& vm);
void start_defined(const Request& r, const Located& vm);

// The network that the VM is to be in.
std::string network_of(const Request& r);
// Where the network hands out addresses itself it is told which one is this VM's. Both may be
// called twice.
void reserve_address(virConnectPtr connection, const std::string& network, const std::string& mac,
                     const std::string& ipv4, const std::string& name);
void release_address(virConnectPtr connection, const std::string& network, const std::string& mac);

// The name of an image's volume: as configured, or its ref, or its name.
std::string image_volume(const Request& r, const std::string& ref, const std::string& name);
struct Image {
  Volume volume;
  SeenVolume seen;
};
// NotFound if the cell has no such image.
Image find_image(const Request& r, StoragePool& pool, const std::string& name);
// Makes disk number `n` of the VM, of `image` if it is the first.
void make_disk(const Request& r, StoragePool& pool, const std::string& name, std::size_t n,
               std::uint64_t megabytes, const Image* image);

// Those of its disks, its network and its CPU, as far as any is or was limited.
void set_limits(const Request& r, const Located& vm, const domain::Qos& qos);

// All volumes that the creation made in this pool; at least so many disks are looked for.
void remove_volumes(const Request& r, StoragePool& pool, std::size_t at_least);

// VNC's passwords have eight characters; what is longer is cut off, as its clients do.
inline constexpr std::size_t kVncPassword = 8;

// Switches it off if it runs.
void destroy(virDomainPtr domain);
// Removes its definition with all that libvirt keeps beside it.
void undefine(virDomainPtr domain);

// The NoCloud seed (an ISO 9660 file) for a new VM.
std::string make_seed(const Request& r);

}  // namespace slipway::workers::libvirt
