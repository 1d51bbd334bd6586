#pragma once
// The body of POST /guests/ and of POST /batch/create_guest/, as a command that makes one guest.
#include "api/dialects/nano/context.hpp"

namespace slipway::api::nano {

// What the guests of one request have in common; each gets its own id and secrets by make_guest().
struct GuestOrder {
  domain::CreateVm vm;
  std::string admin_secret;  // as the client chose it; empty: one is made for each
  bool wants_admin = false;  // it has a module that can set a password
};
// Mistakes are noted in the reader's errors. `name`: whether one is asked for.
GuestOrder read_guest(FieldReader& body, bool name);

// [0-9A-Za-z_-]+
bool is_guest_name(std::string_view text);

// One guest of it: ids and secrets of its own, which are put into `request`.
domain::CreateVm make_guest(const Context& context, const GuestOrder& order,
                            CommandRequest& request);

// The user of that system who may do everything.
std::string admin_of(std::string_view system);

}  // namespace slipway::api::nano
