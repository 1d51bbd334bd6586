#include "core/domain/stream_id.hpp"

namespace slipway::domain {

std::string StreamId::text() const {
  std::string out(base::enum_name(kind));
  out += '-';
  out += name.empty() ? base::to_string(id) : name;
  return out;
}

std::optional<StreamId> StreamId::parse(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || dash + 1 == text.size()) return std::nullopt;
  const auto kind = base::enum_from_name<StreamKind>(text.substr(0, dash));
  if (!kind) return std::nullopt;
  const std::string_view rest = text.substr(dash + 1);
  if (rest.size() == base::kUuidTextSize) {
    if (const auto id = base::parse_uuid(rest)) return StreamId(*kind, *id);
  }
  return StreamId(*kind, rest);
}

std::string StreamId::index_key() const {
  std::string key(1, static_cast<char>(kind));
  if (name.empty()) {
    key.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
  } else {
    key += name;
  }
  return key;
}

}  // namespace slipway::domain
