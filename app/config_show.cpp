#include "app/config_show.hpp"

#include <fmt/format.h>

#include <map>

#include "app/backends_config.hpp"
#include "app/config_keys.hpp"

namespace slipway::app {
namespace {

// https://user:password@host -> https://user:***@host
std::string mask_url(std::string text) {
  const auto scheme = text.find("://");
  if (scheme == std::string::npos) return text;
  const auto host_end = text.find_first_of("/?#\"", scheme + 3);
  const auto at = text.substr(0, host_end).rfind('@');
  const auto colon = text.find(':', scheme + 3);
  if (at == std::string::npos || colon == std::string::npos || colon > at) return text;
  return text.replace(colon + 1, at - colon - 1, "***");
}

std::string described(const Key& key, const Config& defaults) {
  const auto ref = ref_of(key, defaults);
  std::string notes;
  if (!key.choices.empty()) {
    notes = fmt::format(" One of {}.", key.choices);
    if (std::holds_alternative<TextList*>(ref)) notes = fmt::format(" Any of {}.", key.choices);
  }
  if (key.reload == Reload::Restart) notes += " [restart]";
  return comment_lines(std::string(key.help) + notes) +
         fmt::format("#{} = {}\n\n", key.member(), format_toml(ref));
}

constexpr std::string_view kSampleHead =
    R"(# slipway's configuration: every key, commented out at its default. Without this file the service
# runs as a demo: simulated cloud, one worker in the process, loopback only.
#
# A key may also be given in the environment, SLIPWAY_HTTP__MAX_WAITERS=20000, or on the command
# line, --http.max_waiters=20000: flags win over the environment, and that wins over this file.
# `slipway config check` finds mistakes, `slipway config show` tells what is in force and why.
# SIGHUP reads this file again; keys marked [restart] take effect at the next start.
# Durations: "250ms", "30s", "1h30m". Sizes: "64KiB", "1MiB", "2GiB". Secrets are never values: keys
# that end in _file name a file that others cannot read, or a name under $CREDENTIALS_DIRECTORY.
# Clouds are a list, at the end of this file; only the file has it.

)";

constexpr std::string_view kBackendsHead =
    R"(# ---- Clouds beside the first simulated one: a table each, any number of them. ----
# `slipway serve` registers each at its start; VMs name it in `backend`. The worker processes that
# serve its worker_pool need the same tables. docs/OPERATIONS.md, "Backends". [restart]

)";

std::string place_of(const LoadedConfig& loaded, const std::string& key) {
  const auto origin = loaded.origins.find(key);
  return origin == loaded.origins.end() ? "default" : origin->second.text();
}

}  // namespace

std::string comment_lines(std::string_view text) {
  constexpr std::size_t width = 98;
  std::string out;
  while (!text.empty()) {
    auto end = text.size() <= width ? text.size() : text.rfind(' ', width);
    out += fmt::format("# {}\n", text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return out;
}

std::string show_config(const LoadedConfig& loaded) {
  std::string out;
  for (const auto& key : config_keys()) {
    out +=
        fmt::format("{} = {}  # {}\n", key.name, mask_url(format_toml(ref_of(key, loaded.config))),
                    place_of(loaded, std::string(key.name)));
  }
  for (const auto& [key, value] : backend_settings(loaded.config)) {
    out += fmt::format("{} = {}  # {}\n", key, mask_url(value), place_of(loaded, key));
  }
  return out;
}

std::string sample_config() {
  const Config defaults;
  std::string out(kSampleHead);
  std::string_view section;
  for (const auto& key : config_keys()) {
    if (key.section() != section) {
      section = key.section();
      out += fmt::format("[{}]\n", section);
    }
    out += described(key, defaults);
  }
  out += std::string(kBackendsHead) + sample_backends();
  out.pop_back();
  return out;
}

namespace {

// A setting of a table that only one of them has is empty in the other.
void diff_backends(const Config& from, const Config& to, std::vector<ConfigChange>& changes) {
  std::map<std::string, std::pair<std::string, std::string>> values;
  for (auto& [key, value] : backend_settings(from)) values[key].first = std::move(value);
  for (auto& [key, value] : backend_settings(to)) values[key].second = std::move(value);
  for (auto& [key, value] : values) {
    if (value.first == value.second) continue;
    changes.push_back(
        {key, mask_url(std::move(value.first)), mask_url(std::move(value.second)), true});
  }
}

}  // namespace

std::vector<ConfigChange> diff_config(const Config& from, const Config& to) {
  std::vector<ConfigChange> changes;
  for (const auto& key : config_keys()) {
    auto before = format_value(ref_of(key, from));
    auto after = format_value(ref_of(key, to));
    if (before == after) continue;
    changes.push_back({std::string(key.name), mask_url(std::move(before)),
                       mask_url(std::move(after)), key.reload == Reload::Restart});
  }
  diff_backends(from, to, changes);
  return changes;
}

void apply_reloadable(Config& running, const Config& fresh) {
  for (const auto& key : config_keys()) {
    if (key.reload == Reload::Restart) continue;
    std::visit([&]<class T>(T* into) { *into = *std::get<T*>(ref_of(key, fresh)); },
               key.ref(running));
  }
}

}  // namespace slipway::app
