// Users and access tokens; for admins.
#include "api/core_api/list_query.hpp"
#include "api/core_api/people_body.hpp"
#include "api/core_api/send_command.hpp"

namespace slipway::api {
namespace {

using domain::CommandKind;

void post_body(CoreContext& ctx, Call call, CommandKind kind) {
  const Client client{call.reply};
  const auto body = json_body(ctx.services, call.request);
  if (!body) return client.fail(body.error());
  auto parsed = parse_arguments(kind, *body, base::Uuid());
  if (!parsed) return client.fail(parsed.error());
  send_command(ctx, std::move(call), std::move(*parsed), true);
}

// The name stands in the path, the password in the body.
void put_password(CoreContext& ctx, Call call) {
  const Client client{call.reply};
  const auto body = json_body(ctx.services, call.request);
  if (!body) return client.fail(body.error());
  FieldErrors errors;
  FieldReader fields(*body, "", errors);
  ParsedCommand parsed;
  parsed.kind = CommandKind::UserSetPassword;
  parsed.password = base::Secret(fields.text("password", {.required = true}));
  fields.finish();
  if (!errors.empty()) return client.fail(errors.error());
  parsed.body = domain::SetUserPassword{std::string(call.params["name"]), {}};
  send_command(ctx, std::move(call), std::move(parsed), true);
}

void delete_user(CoreContext& ctx, Call call) {
  ParsedCommand parsed;
  parsed.kind = CommandKind::UserDelete;
  parsed.body = domain::DeleteUser{std::string(call.params["name"])};
  send_command(ctx, std::move(call), std::move(parsed), true);
}

void delete_token(CoreContext& ctx, Call call) {
  const auto id = path_id(call, "id", "token");
  if (!id) return Client{call.reply}.fail(id.error());
  ParsedCommand parsed;
  parsed.kind = CommandKind::TokenDelete;
  parsed.body = domain::DeleteToken{domain::TokenId(*id)};
  send_command(ctx, std::move(call), std::move(parsed), true);
}

template <class Find, class Write>
RouteHandler list_of(CoreContext& ctx, std::string_view kind, Find find, Write write_one) {
  return [&ctx, kind, find, write_one](Call call) {
    const SharedCall shared = share(std::move(call));
    query_when_current(ctx, shared, [&ctx, shared, kind, find, write_one](auto& reader) {
      const Client client{shared->reply};
      const base::Key& key = ctx.services.options.signing_key;
      QueryReader query(shared->request);
      const ListQuery list = read_list_query(query, kind, key, false);
      if (auto status = query.finish(); !status) return client.fail(status.error());
      const auto page = find(reader, identity_of(*shared).scope(), list.page);
      if (!page) return client.fail(page.error());
      client.send(list_response(shared->request, list, *page, key, write_one));
    });
  };
}

}  // namespace

RouteTable people_routes(CoreContext& ctx) {
  constexpr Permission kAdmin = allow(Right::Administer);
  const auto post = [&ctx](CommandKind kind) {
    return [&ctx, kind](Call call) { post_body(ctx, std::move(call), kind); };
  };
  return {
      {Method::Get, "/users", kAdmin,
       list_of(
           ctx, "users",
           [](eventstore::Reader& r, const auto& s, const auto& page) {
             return r.list_users(s, page);
           },
           write_user),
       nullptr},
      {Method::Post, "/users", kAdmin, post(CommandKind::UserCreate), nullptr},
      {Method::Put, "/users/{name}/password", kAdmin,
       [&ctx](Call call) { put_password(ctx, std::move(call)); }, nullptr},
      {Method::Delete, "/users/{name}", kAdmin,
       [&ctx](Call call) { delete_user(ctx, std::move(call)); }, nullptr},
      {Method::Get, "/tokens", kAdmin,
       list_of(
           ctx, "tokens",
           [](eventstore::Reader& r, const auto& s, const auto& page) {
             return r.list_tokens(s, page);
           },
           write_token),
       nullptr},
      {Method::Post, "/tokens", kAdmin, post(CommandKind::TokenCreate), nullptr},
      {Method::Delete, "/tokens/{id}", kAdmin,
       [&ctx](Call call) { delete_token(ctx, std::move(call)); }, nullptr},
  };
}

}  // namespace slipway::api
