#pragma once
// Passwords on their way into the secrets store: hashed on the query pool, never on an I/O thread.
#include "api/dialects/nano/context.hpp"

namespace slipway::api::nano {

// "" if it will do; else what is missing.
std::string why_refused(const Options& options, std::string_view password);

// Hashes the password and puts it with the request under a fresh reference, sealed for `tenant`;
// then calls `go` with both, on the pool. Answers the client itself when the pool is full.
void with_password(Context& context, CommandRequest request, base::Secret password,
                   std::string tenant,
                   std::function<void(CommandRequest&&, const domain::SecretRef&)> go);

}  // namespace slipway::api::nano
