#pragma once
// One value of the configuration as text: "30s", "64MiB", "true", "a,b". What is written is what is
// read: parse_value(format_value(v)) is v.
#include <string>
#include <string_view>
#include <variant>

#include "app/config.hpp"
#include "core/base/result.hpp"

namespace slipway::app {

// A member of a Config; its type is the key's.
using ValueRef = std::variant<bool*, std::uint64_t*, double*, base::Duration*, ByteSize*,
                              std::string*, SecretFile*, TextList*>;

// "a duration such as \"30s\"", for messages and the sample.
std::string_view type_name(const ValueRef& ref);

// Errors: InvalidArgument; the message says what was expected and does not name the key.
base::Status parse_value(std::string_view text, const ValueRef& into);

std::string format_value(const ValueRef& ref);
// The same as TOML: quoted where TOML needs it.
std::string format_toml(const ValueRef& ref);

// "64MiB", "1KiB", "512" (bytes). Nothing for MB and the like: those are 1000s to some.
base::Result<ByteSize> parse_size(std::string_view text);
std::string format_size(ByteSize size);
std::string format_duration(base::Duration d);

}  // namespace slipway::app
