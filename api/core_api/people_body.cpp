#include "api/core_api/people_body.hpp"

namespace slipway::api {
namespace {

void user_fields(base::JsonWriter& w, const domain::User& user) {
  w.member("id", user.id).member("name", user.name).member("tenant", user.tenant);
  w.member("role", base::enum_name(user.role));
}

void token_fields(base::JsonWriter& w, const domain::AccessToken& token) {
  w.member("id", token.id).member("name", token.name).member("tenant", token.tenant);
  w.member("actor", token.actor).member("role", base::enum_name(token.role));
  w.member("expires_at", token.expires_at);
}

}  // namespace

std::string user_body(const domain::User& user) {
  base::JsonWriter w;
  w.begin_object();
  user_fields(w, user);
  return w.end_object().text();
}

void write_user(base::JsonWriter& w, const eventstore::UserRow& row) {
  w.begin_object();
  user_fields(w, row.user);
  w.member("created_at", row.created_at).end_object();
}

std::string new_token_body(const domain::AccessToken& token, std::size_t& offset) {
  base::JsonWriter w;
  w.begin_object();
  token_fields(w, token);
  w.member("token", "");
  offset = w.size() - 1;  // before the closing quote
  return w.end_object().text();
}

void write_token(base::JsonWriter& w, const eventstore::TokenRow& row) {
  w.begin_object();
  token_fields(w, row.token);
  w.member("created_at", row.created_at).end_object();
}

}  // namespace slipway::api
