// Logging in, staying and looking: /sessions/.
#include <fmt/format.h>

#include "api/dialects/nano/door.hpp"
#include "api/dialects/nano/routes.hpp"
#include "api/dialects/nano/sessions.hpp"
#include "api/read_gate.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;

constexpr std::size_t kClosedAtOnce = 100;

std::string new_token() {
  std::array<std::uint8_t, 32> random{};
  base::random_bytes(random);
  return base::base64url(random);
}

// Tells the token once, and lets it in from then on.
class OpenedForm final : public AnswerForm {
 public:
  OpenedForm(Sessions& sessions, domain::Login login, std::string body)
      : sessions_(sessions), login_(std::move(login)), body_(std::move(body)) {}
  eventstore::Answer render(const eventstore::Accepted&) override {
    eventstore::Answer answer;
    answer.status = 200;
    answer.body = body_;
    return answer;
  }
  void finish(Response&, const eventstore::Answer& answer) const override {
    sessions_.opened(login_, answer.seq);
  }

 private:
  Sessions& sessions_;
  const domain::Login login_;
  const std::string body_;
};

std::string opened_body(const Context& context, const Call& call, const std::string& group,
                        std::string_view token) {
  const auto timeout =
      std::chrono::duration_cast<std::chrono::seconds>(context.sessions.timeout()).count();
  base::JsonWriter w;
  w.begin_object().member("session", token).member("timeout", timeout).member("group", group);
  w.key("menu");
  base::write_json(w, menus_of(*context.services.people(), group));
  w.member("address", call.request.peer().address).end_object();
  return success(w.view()).body;
}

void open_for(Context& context, const Call& call) {
  const Identity& who = identity_of(call);
  const Client client = client_of(call);
  if (context.services.people()->group(who.tenant) == nullptr) {
    return client.send(failure(fmt::format("{} not belongs to any group", who.actor)));
  }
  auto request = begin(context, call);
  if (!request) return client.fail(request.error());
  request->idempotency.reset();  // a token is never told twice
  const std::string token = new_token();
  const domain::Login login{domain::LoginId(new_id()), who.actor, who.tenant, hash_of_token(token)};
  request->command.body = domain::OpenSession{login, context.sessions.ended(kClosedAtOnce)};
  request->form = std::make_unique<OpenedForm>(context.sessions, login,
                                               opened_body(context, call, who.tenant, token));
  command(context, std::move(*request));
}

void check_password(Context& context, const std::shared_ptr<Call>& shared, const Client& client,
                    const std::string& user, const base::Secret& password) {
  context.authenticator.by_password({user, password.reveal(), "", ""},
                                    shared->request.peer().address,
                                    [&context, shared, client](base::Result<IdentityPtr> identity) {
                                      if (identity) {
                                        shared->identity = std::move(*identity);
                                        return open_for(context, *shared);
                                      }
                                      if (identity.error().code == Errc::Unauthenticated) {
                                        return client.send(failure("invalid user or password"));
                                      }
                                      client.fail(identity.error());
                                    });
}

void open_session(Context& context, Call call) {
  const Client client = client_of(call);
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  const std::string user = body.text("user", {.required = true});
  // Shared with callbacks, which must be copyable.
  const auto password = std::make_shared<base::Secret>(body.text("password", {.required = true}));
  if (!errors.empty()) return client.fail(errors.error());
  const auto shared = std::make_shared<Call>(std::move(call));
  // A user who was made a moment ago can log in.
  read_when_current(context.services, shared->request, client,
                    [&context, shared, client, user, password] {
                      check_password(context, shared, client, user, *password);
                    });
}

// Who has a session's token may ask for it and renew it; others, by the id under which sessions
// are listed, those of their group.
struct Named {
  IdentityPtr identity;
  domain::Login login;
};
base::Result<Named> named_session(Context& context, const Call& call) {
  const std::string_view name = call.params["session_id"];
  const auto unknown = [&] {
    return base::fail(Errc::NotFound, fmt::format("invalid session '{}'", name.substr(0, 64)));
  };
  if (auto identity = by_session(context, name)) {
    return Named{std::move(*identity), *context.sessions.use(name)};
  }
  auto identity = by_headers(context, call.request);
  const auto id = base::parse_uuid(name);
  if (!identity || !id) return unknown();
  for (const domain::Login& login : context.sessions.of_group((*identity)->tenant)) {
    if (login.id == *id) return Named{std::move(*identity), login};
  }
  return unknown();
}

void renew_session(Context& context, Call call) {
  auto named = named_session(context, call);
  if (!named) return client_of(call).fail(named.error());
  call.identity = named->identity;
  command(context, call, domain::RenewSession{named->login.id});
}

void show_session(Context& context, const Call& call) {
  const auto named = named_session(context, call);
  const Client client = client_of(call);
  if (!named) return client.fail(named.error());
  base::JsonWriter w;
  w.begin_object().key("menu");
  base::write_json(w, menus_of(*context.services.people(), named->login.group));
  w.key("resource").begin_array().end_array();
  w.member("user", named->login.user).end_object();
  client.send(success(w.view()));
}

// A token is told to nobody but its client: the others are listed by their ids.
void list_sessions(Context& context, Call call) {
  ask_people(context, std::move(call),
             [&context](const Call& asked, const eventstore::Directory&, const Client& client) {
               const Member& member = member_of(asked);
               base::JsonWriter w;
               w.begin_array();
               for (const domain::Login& login : context.sessions.of_group(member.tenant)) {
                 if (login.id == member.session) {
                   w.value(asked.request.header("nano-session"));
                 } else {
                   w.value(login.id);
                 }
               }
               client.send(success(w.end_array().view()));
             });
}

}  // namespace

void session_routes(Area& area) {
  area.get("/sessions/", list_sessions);
  area.on(Method::Post, "/sessions/", Right::Public, open_session);
  const auto own = [&](Method method, void (*handler)(Context&, Call)) {
    area.add(
        {method, "/sessions/{session_id}", allow(Right::View, Door::OwnKeeping),
         [&context = area.context(), handler](Call call) { handler(context, std::move(call)); },
         nullptr});
  };
  own(Method::Put, renew_session);
  own(Method::Get, [](Context& context, Call call) { show_session(context, call); });
}

}  // namespace slipway::api::nano
