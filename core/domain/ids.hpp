#pragma once
// Strong ids. All are UUIDs; version 7 unless a backend or a specification gave another.
#include "core/base/uuid.hpp"

namespace slipway::domain {

using TaskId = base::Id<struct TaskTag>;
using VmId = base::Id<struct VmTag>;
using ImageId = base::Id<struct ImageTag>;
using NetworkId = base::Id<struct NetworkTag>;
using HostId = base::Id<struct HostTag>;
using ProjectId = base::Id<struct ProjectTag>;
using SessionId = base::Id<struct SessionTag>;  // one run of one worker process
using TokenId = base::Id<struct TokenTag>;
using LeaseId = base::Id<struct LeaseTag>;
using ReservationId = base::Id<struct ReservationTag>;
using LeaseTimerId = base::Id<struct LeaseTimerTag>;
using FloatingIpId = base::Id<struct FloatingIpTag>;

using Seq = std::uint64_t;
using StreamVersion = std::uint64_t;
// Grows by one with each lease of a task; a message that carries an older one changes nothing.
using FencingToken = std::uint64_t;

}  // namespace slipway::domain
