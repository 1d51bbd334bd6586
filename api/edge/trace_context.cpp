#include "api/edge/trace_context.hpp"

#include <algorithm>

namespace slipway::api {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool all_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

void write_hex(std::uint64_t bits, char* out16) {
  for (int i = 15; i >= 0; --i, bits >>= 4U) out16[i] = kHex[bits & 15U];
}

// Never all zeros: that means "none" in the recommendation.
std::uint64_t nonzero(base::IdSource& ids) {
  std::uint64_t bits = ids.random64();
  while (bits == 0) bits = ids.random64();
  return bits;
}

unsigned hex_value(char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); }

bool valid_member(std::string_view member) {
  const std::size_t equals = member.find('=');
  if (equals == 0 || equals == std::string_view::npos || equals > 256) return false;
  const std::string_view key = member.substr(0, equals);
  const std::string_view value = member.substr(equals + 1);
  const auto key_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("_-*/@").find(c) != std::string_view::npos;
  };
  const auto value_char = [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; };
  return value.size() <= 256 && !value.empty() && std::all_of(key.begin(), key.end(), key_char) &&
         std::all_of(value.begin(), value.end(), value_char);
}

}  // namespace

std::string TraceContext::traceparent() const {
  std::string text = "00-";
  text.append(trace_id()).append("-").append(span_id()).append("-");
  text.push_back(kHex[flags >> 4U]);
  text.push_back(kHex[flags & 15U]);
  return text;
}

std::optional<TraceContext> parse_traceparent(std::string_view text) {
  // "vv-tttttttttttttttttttttttttttttttt-pppppppppppppppp-ff"
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return std::nullopt;
  }
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!is_lower_hex(version) || !is_lower_hex(trace) || !is_lower_hex(parent) ||
      !is_lower_hex(flags) || version == "ff" || all_zero(trace) || all_zero(parent)) {
    return std::nullopt;
  }
  if (text.size() > 55 && (version == "00" || text[55] != '-')) return std::nullopt;
  TraceContext context;
  trace.copy(context.trace.data(), trace.size());
  parent.copy(context.parent.data(), parent.size());
  context.flags = static_cast<std::uint8_t>(hex_value(flags[0]) * 16 + hex_value(flags[1]));
  context.continued = true;
  return context;
}

TraceContext continue_trace(std::string_view traceparent, base::IdSource& ids) {
  TraceContext context;
  if (auto given = parse_traceparent(traceparent)) {
    context = *given;
  } else {
    write_hex(nonzero(ids), context.trace.data());
    write_hex(ids.random64(), context.trace.data() + 16);
    context.parent.fill('0');
  }
  write_hex(nonzero(ids), context.span.data());
  return context;
}

bool valid_tracestate(std::string_view text) {
  if (text.empty() || text.size() > 512) return false;
  std::size_t members = 0;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view member = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!member.empty() && (member.front() == ' ' || member.front() == '\t')) {
      member.remove_prefix(1);
    }
    while (!member.empty() && (member.back() == ' ' || member.back() == '\t')) {
      member.remove_suffix(1);
    }
    if (member.empty()) continue;  // allowed, and worth nothing
    if (++members > 32 || !valid_member(member)) return false;
  }
  return members > 0;
}

}  // namespace slipway::api
