#pragma once
// The table of all keys: parsing, `config show`, `config check`, the sample file and reload follow
// from it. To add a key: a member in config.hpp, a row in config_keys.cpp, `make golden` for
// deploy/slipway.toml.
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_values.hpp"

namespace slipway::app {

enum class Reload : std::uint8_t { Live, Restart };

struct Key {
  std::string_view name;  // "http.max_body_bytes"
  ValueRef (*ref)(Config&);
  Reload reload = Reload::Restart;
  std::string_view help;       // what it does, and what to weigh in changing it
  std::string_view choices{};  // "always|none": nothing else is taken
  double min = 0;              // of numbers, sizes (bytes) and durations (seconds)
  double max = 1e18;
  std::string_view flag{};  // a short form: "--listen"

  std::string_view section() const { return name.substr(0, name.find('.')); }
  std::string_view member() const { return name.substr(name.find('.') + 1); }
};

std::span<const Key> config_keys();
const Key* find_key(std::string_view name);
// The known name with the fewest edits away, if that is near enough to be what was meant.
std::string_view nearest_key(std::string_view name);

// A const Config is only read through this.
inline ValueRef ref_of(const Key& key, const Config& config) {
  return key.ref(const_cast<Config&>(config));  // NOLINT: see above
}
// Choices ("a|b"; empty: any), least and most. Errors say what is allowed.
base::Status check_bounds(const ValueRef& ref, std::string_view choices, double min, double max);
// The key's own.
base::Status check_bounds(const Key& key, const Config& config);

// How many letters must be put in, left out or changed to make one of the other.
std::size_t edits(std::string_view a, std::string_view b);

}  // namespace slipway::app
