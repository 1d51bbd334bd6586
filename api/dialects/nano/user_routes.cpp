// /users/ and /user_search/. Who administers people sees all of them, anybody else those of the own
// group.
#include <fmt/format.h>

#include "api/dialects/nano/passwords.hpp"
#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;
using eventstore::Directory;

bool sees(const Call& call, const domain::User& user) {
  return identity_of(call).sees(user.tenant);
}

void list_users(Context& context, Call call) {
  ask_people(context, std::move(call),
             [](const Call& asked, const Directory& people, const Client& client) {
               const auto group = asked.request.query_value("group");
               base::JsonWriter w;
               w.begin_array();
               for (const auto& [name, row] : people.users) {
                 if (!sees(asked, row.user) || (group && *group != row.user.tenant)) continue;
                 w.value(name);
               }
               client.send(success(w.end_array().view()));
             });
}

void show_user(Context& context, Call call) {
  ask_people(context, std::move(call),
             [](const Call& asked, const Directory& people, const Client& client) {
               const std::string_view name = asked.params["user_name"];
               const eventstore::UserRow* row = people.user(name);
               if (row == nullptr || !sees(asked, row->user)) {
                 return client.fail(Errc::NotFound, fmt::format("invalid user '{}'", name));
               }
               base::JsonWriter w;
               w.begin_object().member("nick", row->user.nick).member("mail", row->user.mail);
               w.member("name", name).end_object();
               client.send(success(w.view()));
             });
}

void create_user(Context& context, Call call) {
  const Client client = client_of(call);
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::User user;
  user.nick = body.text("nick");
  user.mail = body.text("mail");
  base::Secret password(body.text("password", {.required = true}));
  if (!errors.empty()) return client.fail(errors.error());
  user.name = call.params["user_name"];
  if (!is_plain_name(user.name)) {
    return client.send(failure("only '0~9a~Z_.-' allowed in a user name"));
  }
  if (const auto why = why_refused(context.options, password.reveal()); !why.empty()) {
    return client.send(failure(why));
  }
  user.id = new_id();
  user.sealed_for = domain::kPeopleTenant;
  auto request = begin(context, call);
  if (!request) return client.fail(request.error());
  with_password(context, std::move(*request), std::move(password), user.sealed_for,
                [&context, user](CommandRequest&& ready, const domain::SecretRef& ref) {
                  domain::User complete = user;
                  complete.password = ref;
                  ready.command.body = domain::CreateUser{std::move(complete)};
                  command(context, std::move(ready));
                });
}

// Oneself, or with the right to administer.
bool may_change(const Call& call, std::string_view user) {
  return identity_of(call).actor == user || identity_of(call).may(Right::Administer);
}

void update_user(Context& context, const Call& call) {
  const Client client = client_of(call);
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::UpdateUser update;
  update.user = call.params["user_name"];
  update.nick = maybe_text(body, "nick");
  update.mail = maybe_text(body, "mail");
  if (!errors.empty()) return client.fail(errors.error());
  if (!may_change(call, update.user)) {
    return client.fail(Errc::Forbidden, "no permission for another user");
  }
  command(context, call, std::move(update));
}

void delete_user(Context& context, const Call& call) {
  command(context, call, domain::DeleteUser{std::string(call.params["user_name"])});
}

// The old one is checked whoever asks.
void put_password(Context& context, Call call) {
  const Client client = client_of(call);
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  std::string old = body.text("old", {.required = true});
  // Shared with the callback, which must be copyable.
  const auto fresh = std::make_shared<base::Secret>(body.text("new", {.required = true}));
  if (!errors.empty()) return client.fail(errors.error());
  const std::string user(call.params["user_name"]);
  if (!may_change(call, user)) {
    return client.fail(Errc::Forbidden, "no permission for another user");
  }
  if (const auto why = why_refused(context.options, fresh->reveal()); !why.empty()) {
    return client.send(failure(why));
  }
  const auto shared = std::make_shared<Call>(std::move(call));
  context.authenticator.by_password(
      {user, old, "", ""}, shared->request.peer().address,
      [&context, shared, client, user, fresh](const base::Result<IdentityPtr>& identity) {
        if (!identity && identity.error().code == Errc::Unauthenticated) {
          return client.send(failure("invalid user or password"));
        }
        if (!identity) return client.fail(identity.error());
        auto request = begin(context, *shared);
        const auto people = context.services.people();
        const eventstore::UserRow* row = people->user(user);
        if (!request) return client.fail(request.error());
        if (row == nullptr) return client.send(failure(fmt::format("invalid user '{}'", user)));
        with_password(context, std::move(*request), std::move(*fresh), row->user.secret_tenant(),
                      [&context, user](CommandRequest&& ready, const domain::SecretRef& ref) {
                        ready.command.body = domain::SetUserPassword{user, ref};
                        command(context, std::move(ready));
                      });
      });
  base::wipe(old);
}

}  // namespace

void user_routes(Area& area) {
  area.get("/users/", list_users);
  area.get("/user_search/", list_users);
  area.get("/users/{user_name}", show_user);
  area.on(Method::Post, "/users/{user_name}", Right::Administer, create_user);
  area.on(Method::Put, "/users/{user_name}", Right::View, update_user);
  area.on(Method::Delete, "/users/{user_name}", Right::Administer, delete_user);
  area.on(Method::Put, "/users/{user_name}/password/", Right::View, put_password);
}

}  // namespace slipway::api::nano
