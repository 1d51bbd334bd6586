#pragma once
// Commands on leases and on the hosts given to them. See command.hpp.
#include <optional>

#include "core/domain/lease_specs.hpp"

namespace slipway::domain {

struct CreateLease {
  LeaseId lease;
  std::string name;
  base::Time start{};
  base::Time end{};
  std::optional<base::Time> before_end;
  base::Duration default_lead{};  // without `before_end`: so long before the end
  std::vector<ReservationSpec> reservations;
  std::array<LeaseTimerId, 3> timers;  // in the order of LeaseTimerKind
};

// A reservation is named by its id; what is absent stays.
struct ChangeReservation {
  ReservationId id;
  std::optional<std::uint32_t> min;
  std::optional<std::uint32_t> max;
  std::optional<std::string> hypervisor_properties;
  std::optional<std::string> resource_properties;
  std::optional<BeforeEndAction> before_end;
};

struct UpdateLease {
  LeaseId lease;
  std::optional<std::string> name;
  std::optional<base::Time> start;
  std::optional<base::Time> end;
  std::optional<base::Time> before_end;
  base::Duration default_lead{};
  std::vector<ChangeReservation> reservations;
};

struct DeleteLease {
  LeaseId lease;
};

struct EnrollHost {
  std::string name;
  Labels capabilities;
};
// `host`: its name or its number.
struct UpdateReservableHost {
  std::string host;
  Labels capabilities;
};
struct WithdrawHost {
  std::string host;
};
struct SetHostProperty {
  std::string property;
  bool is_private = false;
};
// An operator, or what watches the hosts for him, says that one is lost or back.
struct SetHostAlive {
  std::string host;
  bool alive = true;
};

struct CreateFloatingIp {
  FloatingIp floating_ip;
};
struct DeleteFloatingIp {
  FloatingIpId floating_ip;
};

}  // namespace slipway::domain
