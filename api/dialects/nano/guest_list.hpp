#pragma once
// A list of guests, whole: a short one is one message, a long one goes out piece by piece, each
// read and rendered only when the one before is in the client's hands.
#include "api/dialects/nano/guest_view.hpp"

namespace slipway::api::nano {

struct GuestQuestion {
  std::string pool;
  std::string cell;  // empty: all of the pool
  GuestWish wish{};
  GuestParts parts{};
};

// Answers the call.
void list_guests(Context& context, Call call, GuestQuestion question);

// The cells that it is about; NotFound for a pool or cell that is not there.
base::Result<std::vector<std::string>> cells_asked_for(const GuestScene& scene,
                                                       const GuestQuestion& question);

}  // namespace slipway::api::nano
