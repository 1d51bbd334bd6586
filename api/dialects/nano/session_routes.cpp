// Logging in and out: /sessions/.
#include <fmt/format.h>

#include "api/dialects/nano/door.hpp"
#include "api/dialects/nano/routes.hpp"
#include "api/dialects/nano/sessions.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;

std::int64_t seconds_of(base::Duration d) {
  return std::chrono::duration_cast<std::chrono::seconds>(d).count();
}

std::string new_token() {
  std::array<std::uint8_t, 32> random{};
  base::random_bytes(random);
  return base::base64url(random);
}

void open_session(Context& context, Call call) {
  const Client client = client_of(call);
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  const std::string user = body.text("user", {.required = true});
  std::string password = body.text("password", {.required = true});
  if (!errors.empty()) return client.fail(errors.error());
  const std::string address = call.request.peer().address;
  context.authenticator.by_password(
      {user, password, "", ""}, address,
      [&context, client, address](const base::Result<IdentityPtr>& identity) {
        if (!identity) {
          if (identity.error().code != Errc::Unauthenticated) {
            return client.fail(identity.error());
          }
          return client.send(failure("invalid user or password"));
        }
        const Identity& who = **identity;
        const std::string token = new_token();
        if (!context.sessions.add({new_id(), who.actor, who.tenant, hash_of_token(token)})) {
          return client.fail(Errc::RateLimited, "too many sessions are open");
        }
        base::JsonWriter w;
        w.begin_object()
            .member("session", token)
            .member("timeout", seconds_of(context.sessions.timeout()));
        w.member("group", who.tenant).member("address", address).end_object();
        client.send(success(w.view()));
      });
  base::wipe(password);
}

}  // namespace

void session_routes(Area& area) {
  area.on(Method::Post, "/sessions/", Right::Public, open_session);
}

}  // namespace slipway::api::nano
