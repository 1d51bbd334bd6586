#pragma once
// Lets a read go on once the read models are new enough: at the seq that the client named in
// Slipway-Min-Seq, or else, for a short while at most, at what was acknowledged to anybody before
// the read came in.
#include <functional>

#include "api/edge/request.hpp"
#include "api/services.hpp"

namespace slipway::api {

// Calls `go` now or later, on any thread; or answers the client: 400 for a bad header, 503
// projection-behind when the read models are not there after 5 s.
void read_when_current(const ApiServices& services, const Request& request, const Client& client,
                       std::function<void()> go);

}  // namespace slipway::api
