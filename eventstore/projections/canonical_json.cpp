#include "eventstore/projections/canonical_json.hpp"

namespace slipway::eventstore {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

// False only for text that certainly is minified: strings without escapes or control characters,
// integers, literals.
bool may_be_spelt_otherwise(std::string_view text) {
  bool in_string = false;
  char before = 0;
  for (const char c : text) {
    if (c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return true;
    if (c == '"') {
      in_string = !in_string;
    } else if (!in_string) {
      if (c == ' ' || c == '.' || c == 'E' || c == '+') return true;
      if (c == 'e' && digit(before)) return true;
      if (c == '0' && before == '-') return true;
    }
    before = c;
  }
  return false;
}

}  // namespace

void CanonicalJson::assign(std::string& out, std::string_view text) {
  out.assign(text);
  if (!may_be_spelt_otherwise(text)) return;
  if (const auto json = parser_.parse_trusted(text)) out = json->minified();
}

}  // namespace slipway::eventstore
