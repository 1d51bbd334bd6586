#pragma once
// The states that a lease, a reservation and a timer of a lease can be seen in. Stored by name.
#include <array>
#include <cstdint>
#include <string_view>

namespace slipway::domain {

//  PENDING -> STARTING -> ACTIVE -> TERMINATING -> TERMINATED
//  STARTING -> ERROR (no host is left to start with); ERROR -> TERMINATING -> ERROR (at its end)
//  any -> DELETING -> gone
// A creation and a change are one record each, so CREATING and UPDATING are never seen. STARTING
// is left in the record that enters it; TERMINATING and DELETING last until every VM on the hosts
// has its deletion accepted.
enum class LeaseState : std::uint8_t {
  Pending,
  Starting,
  Active,
  Terminating,
  Terminated,
  Deleting,
  Error,
};
constexpr std::array<std::string_view, 7> enum_names(LeaseState) {
  return {"PENDING", "STARTING", "ACTIVE", "TERMINATING", "TERMINATED", "DELETING", "ERROR"};
}
// Whether the life of a lease has that arrow.
bool may_become(LeaseState from, LeaseState to);

enum class ReservationState : std::uint8_t { Pending, Active, Deleted, Error };
constexpr std::array<std::string_view, 4> enum_names(ReservationState) {
  return {"pending", "active", "deleted", "error"};
}

// In the order in which those that fall due in the same moment are run: what ends frees hosts for
// what starts.
enum class LeaseTimerKind : std::uint8_t { BeforeEnd, End, Start };
constexpr std::array<std::string_view, 3> enum_names(LeaseTimerKind) {
  return {"before_end_lease", "end_lease", "start_lease"};
}

enum class LeaseTimerState : std::uint8_t { Undone, InProgress, Done, Error };
constexpr std::array<std::string_view, 4> enum_names(LeaseTimerState) {
  return {"UNDONE", "IN_PROGRESS", "DONE", "ERROR"};
}

// What becomes of the VMs on the hosts shortly before a lease ends. Default: as the setting says.
enum class BeforeEndAction : std::uint8_t { Default, None, Snapshot, Email, Delete };
constexpr std::array<std::string_view, 5> enum_names(BeforeEndAction) {
  return {"default", "none", "snapshot", "email", "delete"};
}

}  // namespace slipway::domain
