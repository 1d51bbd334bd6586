#include "api/signed_text.hpp"

namespace slipway::api {
namespace {

std::string mac_of(const base::Key& key, std::string_view purpose, std::string_view text) {
  std::string bytes(purpose);
  bytes.push_back('\0');
  bytes.append(text);
  const base::Digest digest =
      base::hmac_sha256({reinterpret_cast<const char*>(key.data()), key.size()}, bytes);
  return base::base64url({digest.data(), 16});
}

int base64url_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  return c == '_' ? 63 : -1;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string out;
  unsigned bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const int digit = base64url_digit(c);
    if (digit < 0) return std::nullopt;
    bits = (bits << 6U | static_cast<unsigned>(digit)) & 0xFFFFU;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<char>((bits >> held) & 0xFFU));
  }
  return out;
}

}  // namespace

std::string sign_text(const base::Key& key, std::string_view purpose, std::string_view text) {
  std::string out =
      base::base64url({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  out.push_back('.');
  out.append(mac_of(key, purpose, text));
  return out;
}

std::optional<std::string> verify_text(const base::Key& key, std::string_view purpose,
                                       std::string_view signed_text) {
  const std::size_t dot = signed_text.find('.');
  if (dot == std::string_view::npos || signed_text.size() > 2048) return std::nullopt;
  auto text = from_base64url(signed_text.substr(0, dot));
  if (!text) return std::nullopt;
  // One spelling a text: left-over bits or a lone digit are not ours.
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text->data());
  if (base::base64url({bytes, text->size()}) != signed_text.substr(0, dot)) return std::nullopt;
  if (!base::constant_time_equal(mac_of(key, purpose, *text), signed_text.substr(dot + 1))) {
    return std::nullopt;
  }
  return text;
}

}  // namespace slipway::api
