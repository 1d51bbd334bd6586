#pragma once
// Request bodies as nano's clients send them: of any content type, perhaps in a list of one as in
// the specification's samples, with members that nobody asked for, or empty.
//
//   FieldErrors errors;
//   FieldReader body = read_body(call.request, errors);
//   const std::string name = body.text("name", {.required = true});
//   if (!errors.empty()) return client.fail(errors.error());
#include "api/edge/request.hpp"
#include "api/field_reader.hpp"

namespace slipway::api::nano {

// The members live until this thread's next read_body(). Malformed JSON is noted in `errors`.
FieldReader read_body(const Request& request, FieldErrors& errors);

// A list of short texts; absent is empty.
std::vector<std::string> texts(FieldReader& body, std::string_view name, std::size_t max = 256);
// nullopt if absent.
std::optional<bool> maybe_flag(FieldReader& body, std::string_view name);
std::optional<std::string> maybe_text(FieldReader& body, std::string_view name);
std::optional<std::vector<std::string>> maybe_texts(FieldReader& body, std::string_view name);

// [0-9A-Za-z_.-]: names of people and infrastructure; not empty, at most 255 bytes.
bool is_plain_name(std::string_view text);

}  // namespace slipway::api::nano
