#pragma once
// Finds the end of a request's head while it comes in, byte by byte if need be, and refuses at the
// earliest byte what no request may have: bare CR or LF, folded lines, too long, too many. So the
// parser sees each head once and whole. Plain object, no I/O.
#include <cstddef>
#include <optional>
#include <string_view>

#include "api/edge/options.hpp"

namespace slipway::api {

class HeadScanner {
 public:
  explicit HeadScanner(const Limits& limits) : limits_(limits) {}

  // `bytes` starts where the head starts and holds all of it that has come; a later call gets the
  // same bytes and more. True when the head is complete: size() bytes, the empty line included.
  // False: more is needed, or refused() says why not.
  bool scan(std::string_view bytes);

  std::optional<Refusal> refused() const { return refused_; }
  std::size_t size() const { return at_; }
  std::size_t headers() const { return lines_ - 1; }
  void reset();

 private:
  bool end_line(std::string_view line);
  void check_unfinished(std::string_view line);
  bool refuse(Refusal reason);

  const Limits& limits_;
  std::size_t at_ = 0;     // looked at so far
  std::size_t line_ = 0;   // where the present line starts
  std::size_t lines_ = 0;  // complete ones, the request line included
  std::size_t first_ = 0;  // end of the request line
  std::optional<Refusal> refused_;
};

}  // namespace slipway::api
