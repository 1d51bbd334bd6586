#pragma once
// toml++, for the two files that read TOML. The packaged 3.3.0 asserts on some texts that are no
// TOML ("[ #]", "[(a)]"), which would end the process over a slip in a file: here that is a
// TomlSlip, to be caught around the call that parses. Included before anything else of toml++.
#include <exception>
#include <optional>

namespace slipway::app {
struct TomlSlip : std::exception {
  const char* what() const noexcept override { return "not TOML: a name in brackets is none"; }
};
}  // namespace slipway::app

#ifdef NDEBUG
#error "with NDEBUG toml++ takes its assertions for granted instead of making them"
#endif
#define TOML_ASSERT(expr) \
  static_cast<void>(static_cast<bool>(expr) || (throw ::slipway::app::TomlSlip(), false))
#pragma GCC diagnostic push
#ifndef __clang__
// It asserts in functions that are noexcept too, about itself and not about the text.
#pragma GCC diagnostic ignored "-Wterminate"
#endif
#include <toml++/toml.h>
#pragma GCC diagnostic pop

namespace slipway::app {
// What `parse` gives; nullopt after a TomlSlip.
template <class Parse>
std::optional<toml::parse_result> parse_toml(Parse parse) {
  try {
    return parse();
  } catch (const TomlSlip&) {
    return std::nullopt;
  }
}
}  // namespace slipway::app
