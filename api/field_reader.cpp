#include "api/field_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::api {
namespace {

using base::Errc;
using base::JsonValue;

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// Levenshtein's distance; both are short.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t swap = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
      corner = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, swap});
    }
  }
  return row.back();
}

// A member's name as a token of a JSON pointer (RFC 6901).
std::string escape_pointer(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

std::string did_you_mean(std::string_view wrong, const std::vector<std::string_view>& known) {
  if (wrong.size() > 64) return {};
  std::string_view best;
  std::size_t nearest = std::min<std::size_t>(3, wrong.size());
  for (const std::string_view word : known) {
    const std::size_t d = distance(wrong, word);
    if (d >= nearest) continue;
    nearest = d;
    best = word;
  }
  return best.empty() ? std::string() : fmt::format("; did you mean '{}'?", best);
}

void FieldErrors::add(std::string pointer, std::string code, std::string detail) {
  shape_ = true;
  fields_.push_back({std::move(pointer), std::move(code), std::move(detail)});
}
void FieldErrors::add_limit(std::string pointer, std::string detail) {
  fields_.push_back({std::move(pointer), "over-limit", std::move(detail)});
}

base::Error FieldErrors::error() const {
  const base::FieldError& first = fields_.front();
  std::string message = first.pointer.empty() ? first.detail : first.pointer + ": " + first.detail;
  if (fields_.size() > 1) message += fmt::format(" (and {} more)", fields_.size() - 1);
  return {shape_ ? Errc::InvalidArgument : Errc::UnprocessableArgument, std::move(message),
          fields_};
}

FieldReader::FieldReader(std::optional<JsonValue> json, std::string pointer, FieldErrors& errors)
    : pointer_(std::move(pointer)), errors_(errors) {
  if (!json || json->is_null()) return;
  if (json->is_object()) {
    json_ = json;
  } else {
    errors_.add(pointer_, "wrong-type", "must be an object");
  }
}

std::string FieldReader::pointer(std::string_view name) const {
  return pointer_ + "/" + escape_pointer(name);
}

std::optional<JsonValue> FieldReader::member(std::string_view name) {
  known_.push_back(name);
  if (!json_) return std::nullopt;
  auto value = json_->find(name);
  if (value && value->is_null()) return std::nullopt;
  return value;
}

void FieldReader::require(std::string_view name) {
  errors_.add(pointer(name), "required", fmt::format("'{}' is required", name));
}

void FieldReader::wrong_type(std::string_view name, std::string_view wanted) {
  errors_.add(pointer(name), "wrong-type", fmt::format("must be {}", wanted));
}

std::string FieldReader::text(std::string_view name, TextRule rule) {
  const auto value = member(name);
  if (!value) {
    if (rule.required) require(name);
    return {};
  }
  const auto found = value->string();
  if (!found) {
    wrong_type(name, "a string");
  } else if (found->empty() && rule.required) {
    errors_.add(pointer(name), "empty", "must not be empty");
  } else if (found->size() > rule.max_bytes) {
    errors_.add_limit(pointer(name), fmt::format("at most {} bytes", rule.max_bytes));
  } else if (rule.one_line && has_control(*found)) {
    errors_.add(pointer(name), "bad-character", "must not contain control characters");
  } else {
    return std::string(*found);
  }
  return {};
}

bool FieldReader::flag(std::string_view name) {
  const auto value = member(name);
  if (!value) return false;
  const auto found = value->boolean();
  if (!found) wrong_type(name, "true or false");
  return found.value_or(false);
}

std::optional<std::uint64_t> FieldReader::number(std::string_view name, std::uint64_t min,
                                                 std::uint64_t max, bool required) {
  const auto value = member(name);
  if (!value) {
    if (required) require(name);
    return std::nullopt;
  }
  const auto found = value->uint64();
  if (!found) {
    wrong_type(name, "a whole number");
  } else if (*found < min || *found > max) {
    errors_.add_limit(pointer(name), fmt::format("must be {} to {}", min, max));
  } else {
    return found;
  }
  return std::nullopt;
}

std::optional<base::Time> FieldReader::time(std::string_view name) {
  const auto value = member(name);
  if (!value) return std::nullopt;
  const auto found = value->string();
  auto time = found ? base::parse_rfc3339(*found) : std::nullopt;
  if (!time) wrong_type(name, "a time as in RFC 3339");
  return time;
}

std::optional<base::Uuid> FieldReader::id(std::string_view name, bool required) {
  const auto value = member(name);
  if (!value) {
    if (required) require(name);
    return std::nullopt;
  }
  const auto found = value->string();
  auto id = found ? base::parse_uuid(*found) : std::nullopt;
  if (!id) wrong_type(name, "a UUID");
  return id;
}

std::vector<base::Uuid> FieldReader::ids(std::string_view name, std::size_t max) {
  std::vector<base::Uuid> out;
  const auto value = member(name);
  if (!value) return out;
  if (!value->is_array()) {
    wrong_type(name, "a list of UUIDs");
    return out;
  }
  if (value->size() > max) {
    errors_.add_limit(pointer(name), fmt::format("at most {} items", max));
    return out;
  }
  for (base::JsonArrayIterator it(*value); it; ++it) {
    const auto text = it.value().string();
    const auto id = text ? base::parse_uuid(*text) : std::nullopt;
    if (id) {
      out.push_back(*id);
    } else {
      errors_.add(fmt::format("{}/{}", pointer(name), out.size()), "wrong-type", "must be a UUID");
      return out;
    }
  }
  return out;
}

domain::Labels FieldReader::labels(std::string_view name) {
  domain::Labels out;
  const auto value = member(name);
  if (!value) return out;
  if (!value->is_object()) {
    wrong_type(name, "an object of strings");
    return out;
  }
  if (value->size() > kLabels) {
    errors_.add_limit(pointer(name), fmt::format("at most {} labels", kLabels));
    return out;
  }
  for (base::JsonObjectIterator it(*value); it; ++it) {
    const std::string where = pointer(name) + "/" + escape_pointer(it.key());
    const auto text = it.value().string();
    if (!text) {
      errors_.add(where, "wrong-type", "must be a string");
    } else if (it.key().empty() || it.key().size() > kNameBytes) {
      errors_.add_limit(where, fmt::format("a label's name has 1 to {} bytes", kNameBytes));
    } else if (text->size() > kLabelBytes) {
      errors_.add_limit(where, fmt::format("a label's value has at most {} bytes", kLabelBytes));
    } else {
      out.emplace(it.key(), *text);
    }
  }
  return out;
}

void FieldReader::finish() {
  if (!json_) return;
  for (base::JsonObjectIterator it(*json_); it; ++it) {
    if (std::find(known_.begin(), known_.end(), it.key()) != known_.end()) continue;
    errors_.add(pointer(it.key()), "unknown-field",
                fmt::format("no such field{}", did_you_mean(it.key(), known_)));
  }
}

}  // namespace slipway::api
