#pragma once
// What is decided about leases: a client's commands here, what falls due (decide_lease_due in
// decide.hpp) in lease_timers.cpp. Times
// and filters have been parsed by whoever made the command.
#include "core/domain/decide.hpp"
#include "core/domain/draft.hpp"

namespace slipway::domain {

base::Status decide_on(Draft& draft, const Command& command, const CreateLease& c);
base::Status decide_on(Draft& draft, const Command& command, const UpdateLease& c);
base::Status decide_on(Draft& draft, const Command& command, const DeleteLease& c);

// The lease's VMs on the hosts that this reservation holds; none unless it is active.
std::vector<VmId> guests_of(const World& world, const Lease& lease, const Reservation& reservation);
// On one host.
void add_guests(const World& world, const Lease& lease, const std::string& host,
                std::vector<VmId>& out);

}  // namespace slipway::domain
