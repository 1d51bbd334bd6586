#pragma once
// Text that we hand to clients and believe when it comes back: cursors, short-lived tokens. Not
// secret, but nobody else can make or change it: "<base64url(text)>.<base64url(mac)>", where mac is
// the first 16 bytes of HMAC-SHA256 over purpose, NUL, text.
#include <optional>
#include <string>
#include <string_view>

#include "core/base/crypto.hpp"

namespace slipway::api {

// `purpose` keeps a cursor from being taken for a token.
std::string sign_text(const base::Key& key, std::string_view purpose, std::string_view text);
// The text, if this key signed it for this purpose.
std::optional<std::string> verify_text(const base::Key& key, std::string_view purpose,
                                       std::string_view signed_text);

}  // namespace slipway::api
