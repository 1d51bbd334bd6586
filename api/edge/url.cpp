#include "api/edge/url.hpp"

#include <algorithm>
#include <cstddef>

namespace slipway::api {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool valid_port(std::string_view text) {
  if (text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  int port = 0;
  for (const char c : text) port = port * 10 + (c - '0');
  return port <= 65535;
}

// How many bytes the UTF-8 sequence that starts with `lead` has; 0 for none.
std::size_t sequence_size(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
bool second_byte_fits(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0;
    case 0xED:
      return second <= 0x9F;
    case 0xF0:
      return second >= 0x90;
    case 0xF4:
      return second <= 0x8F;
    default:
      return true;
  }
}

}  // namespace

bool valid_utf8(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = sequence_size(at(i));
    if (size == 0 || i + size > text.size()) return false;
    if (size > 1 && !second_byte_fits(at(i), at(i + 1))) return false;
    for (std::size_t k = 1; k < size; ++k) {
      if ((at(i + k) & 0xC0U) != 0x80U) return false;
    }
    i += size;
  }
  return true;
}

std::optional<std::string_view> percent_decode(std::string_view text, bool in_query, char*& room) {
  if (text.find_first_of(in_query ? "%+" : "%") == std::string_view::npos) {
    return valid_utf8(text) ? std::optional(text) : std::nullopt;
  }
  char* out = room;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && in_query) {
      *out++ = ' ';
    } else if (text[i] != '%') {
      *out++ = text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0 || high * 16 + low == 0) return std::nullopt;
      *out++ = static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  const std::string_view decoded(room, static_cast<std::size_t>(out - room));
  room = out;
  return valid_utf8(decoded) ? std::optional(decoded) : std::nullopt;
}

bool valid_authority(std::string_view text) {
  if (text.empty()) return false;
  std::string_view rest = text;
  if (text[0] == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    const std::string_view address = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (!std::all_of(address.begin(), address.end(),
                     [](char c) { return is_alnum(c) || c == ':' || c == '.' || c == '%'; })) {
      return false;
    }
    return rest.empty() || (rest[0] == ':' && valid_port(rest.substr(1)));
  }
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view name = text.substr(0, colon);
  if (name.empty()) return false;
  if (colon < text.size() && !valid_port(text.substr(colon + 1))) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return is_alnum(c) || std::string_view("-._~!$&'()*+;=%").find(c) != std::string_view::npos;
  });
}

bool valid_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alnum(c) || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace slipway::api
