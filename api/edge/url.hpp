#pragma once
// Percent-decoding and the checks on what it yields. Pure.
#include <optional>
#include <string_view>

namespace slipway::api {

bool valid_utf8(std::string_view text);

// Decodes "%41" (and '+' to a space in a query) into `room`, which has space for text.size() bytes
// and is moved past what was written; text without escapes is returned as it is. nullopt for a
// broken escape, a NUL, or what is not UTF-8.
std::optional<std::string_view> percent_decode(std::string_view text, bool in_query, char*& room);

// A Host header's or an absolute form's authority: name, address or [IPv6], and perhaps a port.
bool valid_authority(std::string_view text);

// What X-Request-Id may look like: 1 to 64 characters of [A-Za-z0-9._-].
bool valid_request_id(std::string_view text);

}  // namespace slipway::api
