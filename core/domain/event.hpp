#pragma once
// How an event type is written down: plain members, and SLIPWAY_EVENT at its end.
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/specs.hpp"

// Names the event and lists its members once; they are all plain members declared before.
#define SLIPWAY_EVENT(Name, ...)                                     \
  static constexpr std::string_view kType = #Name;                   \
  static constexpr std::uint32_t kSchema = 1;                        \
  bool operator==(const Name&) const = default;                      \
  template <class S, class V>                                        \
  static void fields([[maybe_unused]] S& s, [[maybe_unused]] V& v) { \
    __VA_ARGS__                                                      \
  }
