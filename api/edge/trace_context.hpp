#pragma once
// W3C Trace Context: who asked, across processes. A bad `traceparent` is ignored, never an error:
// then a trace of our own begins.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/uuid.hpp"

namespace slipway::api {

// Plain data; all ids in lower-case hex.
struct TraceContext {
  std::array<char, 32> trace{};
  std::array<char, 16> parent{};  // the caller's span; zeros when the trace begins here
  std::array<char, 16> span{};    // ours, the parent of whatever this request causes
  std::uint8_t flags = 1;         // bit 0: sampled
  bool continued = false;         // the caller named the trace

  std::string_view trace_id() const { return {trace.data(), trace.size()}; }
  std::string_view span_id() const { return {span.data(), span.size()}; }
  // What to send on: "00-<trace>-<our span>-<flags>".
  std::string traceparent() const;
};

// Version 00 exactly; a higher version by its first four fields; "ff", zero ids and upper case are
// refused, as the recommendation says.
std::optional<TraceContext> parse_traceparent(std::string_view text);

// The caller's trace with a new span, or (empty or bad text) a new trace.
TraceContext continue_trace(std::string_view traceparent, base::IdSource& ids);

// At most 32 members, 512 bytes, and only the characters allowed; anything else is dropped whole.
bool valid_tracestate(std::string_view text);

}  // namespace slipway::api
