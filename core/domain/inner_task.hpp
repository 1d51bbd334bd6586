#pragma once
// Tasks that no client's command carries to a worker: those of commands which the server carries
// out itself, here and now, and those that the service begins of its own accord.
#include "core/domain/decide.hpp"
#include "core/domain/draft.hpp"

namespace slipway::domain {

// A command without a worker's work is a task all the same, so that its caller can follow it: it is
// accepted and has succeeded in one record.
void add_done_task(Draft& draft, const Command& command, ResourceRef resource);
void add_done_task_about(Draft& draft, const Command& command, std::vector<ResourceRef> resources);

// Accepts a command on a VM of a lease's tenant, in whose name the record is. `purpose` makes the
// id, together with the time: the same decision gives the same ids. Refused like any other.
base::Status begin_on_vm(Draft& draft, const Policy& policy, const std::string& tenant,
                         const base::Uuid& cause, std::string_view purpose, ActOnVm act);

// What a task of the service's own is queued with. `backend` may be null.
TaskQueued queued_by_service(const Policy& policy, CommandKind command, const Backend* backend,
                             base::Time now);

// An id that follows from its arguments.
base::Uuid derived_id(base::Time now, const base::Uuid& cause, const base::Uuid& object,
                      std::string_view purpose);

}  // namespace slipway::domain
