#pragma once
// CHECK(condition, "format", args...): a promise that must hold in release builds too. When it does
// not, the process ends with the place and the values: going on would write lies into a log that is
// kept for ever. For bugs and for damage, never for bad input (that is an Error, see result.hpp).
#include <fmt/format.h>

#include <string_view>

namespace slipway::base {
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               std::string_view message);
}

#define CHECK(condition, ...)                                       \
  do {                                                              \
    if (!(condition)) [[unlikely]]                                  \
      ::slipway::base::check_failed(__FILE__, __LINE__, #condition, \
                                    ::fmt::format("" __VA_ARGS__)); \
  } while (false)
