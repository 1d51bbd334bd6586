#pragma once
// What this backend does for each step of a plan (domain/plan.hpp), by name. Each function is one
// coroutine; `job` outlives it.
#include <string_view>

#include "workers/backends/openstack/job.hpp"

namespace slipway::workers::openstack {

using Operation = Async<BackendAnswer> (*)(Job& job);
// Null for one that it does not know.
Operation find_operation(std::string_view name);

// All that carries the correlation key of the call's step, oldest first.
Async<BackendAnswer> look_up(Job& job);

// servers.cpp: a port named by the key, then the server that gets it.
Async<BackendAnswer> create(Job& job);
Async<BackendAnswer> await_running(Job& job);
Async<BackendAnswer> remove(Job& job);
Async<BackendAnswer> find_created(Job& job);
// power.cpp
Async<BackendAnswer> change_power(Job& job);
Async<BackendAnswer> reboot(Job& job);
// resize.cpp: Nova keeps the old one until it is confirmed.
Async<BackendAnswer> resize(Job& job);
Async<BackendAnswer> confirm_resize(Job& job);
Async<BackendAnswer> revert_resize(Job& job);
Async<BackendAnswer> find_resized(Job& job);
// migrate.cpp
Async<BackendAnswer> migrate(Job& job);
Async<BackendAnswer> await_migrated(Job& job);
Async<BackendAnswer> abort_migration(Job& job);
Async<BackendAnswer> find_migrated(Job& job);
// images.cpp: snapshots are images with a mark.
Async<BackendAnswer> rebuild(Job& job);
Async<BackendAnswer> create_snapshot(Job& job);
Async<BackendAnswer> restore_snapshot(Job& job);
Async<BackendAnswer> delete_snapshot(Job& job);
Async<BackendAnswer> create_image(Job& job);
Async<BackendAnswer> await_saved(Job& job);
Async<BackendAnswer> delete_image(Job& job);
Async<BackendAnswer> find_images(Job& job);
// orphans.cpp: a port or an image of ours that nobody owns.
Async<BackendAnswer> delete_part(Job& job);
// guests.cpp
Async<BackendAnswer> rename(Job& job);
Async<BackendAnswer> configure(Job& job);
Async<BackendAnswer> set_credential(Job& job);
Async<BackendAnswer> open_console(Job& job);
Async<BackendAnswer> read_stats(Job& job);
Async<BackendAnswer> not_offered(Job& job);

}  // namespace slipway::workers::openstack
