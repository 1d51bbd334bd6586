// What a client asks before it logs in: /system/.
#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

void show_system(Context& context, const Call& call) {
  base::JsonWriter w;
  w.begin_object().member("ready", !context.services.people()->users.empty()).end_object();
  call.reply.send(success(w.view()));
}

}  // namespace

void system_routes(Area& area) { area.on(Method::Get, "/system/", Right::Public, show_system); }

}  // namespace slipway::api::nano
