#pragma once
// What is decided about the hosts given to leases, their properties, and floating addresses.
#include "core/domain/draft.hpp"

namespace slipway::domain {

base::Status decide_on(Draft& draft, const Command& command, const EnrollHost& c);
base::Status decide_on(Draft& draft, const Command& command, const UpdateReservableHost& c);
base::Status decide_on(Draft& draft, const Command& command, const WithdrawHost& c);
base::Status decide_on(Draft& draft, const Command& command, const SetHostProperty& c);
base::Status decide_on(Draft& draft, const Command& command, const SetHostAlive& c);
base::Status decide_on(Draft& draft, const Command& command, const CreateFloatingIp& c);
base::Status decide_on(Draft& draft, const Command& command, const DeleteFloatingIp& c);

}  // namespace slipway::domain
