#pragma once
// Who asks: by the session in `Nano-Session` on the user side, by a signature on the core side
// (signature.hpp). Any listener but nano's own two takes both.
#include "api/access_guard.hpp"
#include "api/dialects/nano/context.hpp"

namespace slipway::api::nano {

inline constexpr std::string_view kUserListener = "nano_user";
inline constexpr std::string_view kCoreListener = "nano_core";

AccessGuard::DoorKeeper door(const Context& context);

// The member that a session was opened by; Unauthenticated if it has ended, or its user has left.
base::Result<IdentityPtr> by_session(const Context& context, std::string_view token);
// By the headers of the request, as every route but those of sessions does.
base::Result<IdentityPtr> by_headers(const Context& context, const Request& request);

// The menus of all roles of a group.
std::vector<std::string> menus_of(const eventstore::Directory& people, std::string_view group);

}  // namespace slipway::api::nano
