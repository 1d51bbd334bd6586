#include "app/config_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace slipway::app {
namespace {

using base::Errc;
using base::fail;

bool is_choice(std::string_view choices, std::string_view value) {
  while (true) {
    const auto bar = choices.find('|');
    if (choices.substr(0, bar) == value) return true;
    if (bar == std::string_view::npos) return false;
    choices.remove_prefix(bar + 1);
  }
}

base::Status check_choices(std::string_view choices, const ValueRef& ref) {
  std::string wrong;
  if (const auto* text = std::get_if<std::string*>(&ref)) {
    if (!is_choice(choices, **text)) wrong = **text;
  } else if (const auto* list = std::get_if<TextList*>(&ref)) {
    for (const auto& item : **list) {
      if (!is_choice(choices, item)) wrong = item;
    }
  }
  if (wrong.empty()) return {};
  return fail(Errc::InvalidArgument, fmt::format("\"{}\" is not one of {}", wrong, choices));
}

std::optional<double> number_of(const ValueRef& ref) {
  if (const auto* n = std::get_if<std::uint64_t*>(&ref)) return static_cast<double>(**n);
  if (const auto* n = std::get_if<double*>(&ref)) return **n;
  if (const auto* size = std::get_if<ByteSize*>(&ref)) return static_cast<double>((*size)->bytes);
  if (const auto* d = std::get_if<base::Duration*>(&ref)) {
    return static_cast<double>((*d)->count()) * 1e-6;
  }
  return std::nullopt;
}

// A bound in the words of the key's type.
std::string bound_text(const ValueRef& ref, double bound) {
  if (std::holds_alternative<ByteSize*>(ref)) {
    return format_size({static_cast<std::uint64_t>(bound)});
  }
  if (std::holds_alternative<base::Duration*>(ref)) {
    return format_duration(base::Duration(static_cast<std::int64_t>(bound * 1e6)));
  }
  return fmt::format("{}", bound);
}

}  // namespace

// Levenshtein's distance, in one row.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

const Key* find_key(std::string_view name) {
  const auto keys = config_keys();
  const auto it =
      std::find_if(keys.begin(), keys.end(), [&](const Key& k) { return k.name == name; });
  return it == keys.end() ? nullptr : &*it;
}

std::string_view nearest_key(std::string_view name) {
  std::string_view nearest;
  std::size_t fewest = std::max<std::size_t>(2, name.size() / 3) + 1;
  const auto consider = [&](std::string_view key, std::size_t distance) {
    if (distance >= fewest) return;
    fewest = distance;
    nearest = key;
  };
  for (const auto& key : config_keys()) {
    consider(key.name, edits(name, key.name));
    // The right word in the wrong section, or in none.
    if (name.substr(name.rfind('.') + 1) == key.member()) consider(key.name, 2);
  }
  return nearest;
}

base::Status check_bounds(const ValueRef& ref, std::string_view choices, double min, double max) {
  if (!choices.empty()) return check_choices(choices, ref);
  const auto number = number_of(ref);
  if (!number) return {};
  if (*number < min) {
    return fail(Errc::InvalidArgument,
                fmt::format("{} is below the least, {}", format_value(ref), bound_text(ref, min)));
  }
  if (*number > max) {
    return fail(Errc::InvalidArgument,
                fmt::format("{} is above the most, {}", format_value(ref), bound_text(ref, max)));
  }
  return {};
}

base::Status check_bounds(const Key& key, const Config& config) {
  return check_bounds(ref_of(key, config), key.choices, key.min, key.max);
}

}  // namespace slipway::app
