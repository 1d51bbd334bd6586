#include "api/dialects/nano/context.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/access_guard.hpp"
#include "api/read_gate.hpp"

namespace slipway::api::nano {

using base::Errc;

bool Member::has_menu(std::string_view menu) const {
  return signed_for || role == domain::Role::Admin ||
         std::find(menus.begin(), menus.end(), menu) != menus.end();
}

const Member& member_of(const Call& call) { return static_cast<const Member&>(identity_of(call)); }

void Area::on(Method method, std::string pattern, Right right, Handler handler) {
  table_.push_back({method, std::move(pattern), allow(right, Door::Nano),
                    [&context = context_, handler = std::move(handler)](Call call) {
                      handler(context, std::move(call));
                    },
                    nullptr});
}

void Area::change(Method method, std::string pattern, std::string menu, Handler handler) {
  on(method, std::move(pattern), Right::Operate,
     [menu = std::move(menu), handler = std::move(handler)](Context& context, Call call) {
       if (!member_of(call).has_menu(menu)) {
         client_of(call).fail(Errc::Forbidden, fmt::format("no permission for '{}'", menu));
         return;
       }
       handler(context, std::move(call));
     });
}

void Area::on_guest(Method method, const std::string& rest, Right right, const Handler& handler) {
  on(method, "/guests/{id}" + rest, right, handler);
  on(method, "/guest/{id}" + rest, right, handler);
}

void ask(Context& context, Call call, Question run) {
  // Shared: it goes on on another thread.
  const auto shared = std::make_shared<Call>(std::move(call));
  const Client client = client_of(*shared);
  read_when_current(
      context.services, shared->request, client, [&context, shared, client, run = std::move(run)] {
        context.services.queries.ask(client, [shared, client, run](eventstore::Reader& reader) {
          run(*shared, reader, client);
        });
      });
}

void ask_people(Context& context, Call call, PeopleQuestion run) {
  const auto shared = std::make_shared<Call>(std::move(call));  // as in ask()
  const Client client = client_of(*shared);
  read_when_current(context.services, shared->request, client,
                    [&context, shared, client, run = std::move(run)] {
                      const auto people = context.services.people();
                      run(*shared, *people, client);
                    });
}

base::Result<CommandRequest> begin(Context& context, const Call& call) {
  auto request = context.submitter.begin(call, domain::Dialect::Nano);
  if (!request) return request;
  request->client = client_of(call);
  request->wait = base::Duration(0);
  return request;
}

void command(Context& context, CommandRequest request, std::string data) {
  if (request.form == nullptr) {
    request.form = std::make_unique<FixedForm>(200, success(data).body);
  }
  context.submitter.submit(std::move(request));
}

void command(Context& context, const Call& call, domain::CommandBody body, std::string data) {
  auto request = begin(context, call);
  if (!request) return client_of(call).fail(request.error());
  request->command.body = std::move(body);
  command(context, std::move(*request), std::move(data));
}

}  // namespace slipway::api::nano
