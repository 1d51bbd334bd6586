#pragma once
// Users, tokens and projects as the core API shows them: never a hash, never a reference.
#include <string>

#include "core/base/json_write.hpp"
#include "eventstore/rows.hpp"

namespace slipway::api {

std::string user_body(const domain::User& user);
void write_user(base::JsonWriter& w, const eventstore::UserRow& row);
// With an empty "token", into which the value goes at `offset`.
std::string new_token_body(const domain::AccessToken& token, std::size_t& offset);
void write_token(base::JsonWriter& w, const eventstore::TokenRow& row);

}  // namespace slipway::api
