#include "app/config_show.hpp"

#include <fmt/format.h>

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

// Comment lines of at most 100 columns.
std::string wrapped(std::string_view text) {
  constexpr std::size_t width = 98;
  std::string out;
  while (!text.empty()) {
    auto end = text.size() <= width ? text.size() : text.rfind(' ', width);
    out += fmt::format("# {}\n", text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return out;
}

std::string described(const Key& key, const Config& defaults) {
  const auto ref = ref_of(key, defaults);
  std::string notes;
  if (!key.choices.empty()) {
    notes = fmt::format(" One of {}.", key.choices);
    if (std::holds_alternative<TextList*>(ref)) notes = fmt::format(" Any of {}.", key.choices);
  }
  if (key.reload == Reload::Restart) notes += " [restart]";
  return wrapped(std::string(key.help) + notes) +
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

)";

}  // namespace

std::string show_config(const LoadedConfig& loaded) {
  std::string out;
  for (const auto& key : config_keys()) {
    const auto origin = loaded.origins.find(std::string(key.name));
    out +=
        fmt::format("{} = {}  # {}\n", key.name, mask_url(format_toml(ref_of(key, loaded.config))),
                    origin == loaded.origins.end() ? "default" : origin->second.text());
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
  out.pop_back();
  return out;
}

std::vector<ConfigChange> diff_config(const Config& from, const Config& to) {
  std::vector<ConfigChange> changes;
  for (const auto& key : config_keys()) {
    auto before = format_value(ref_of(key, from));
    auto after = format_value(ref_of(key, to));
    if (before == after) continue;
    changes.push_back({std::string(key.name), mask_url(std::move(before)),
                       mask_url(std::move(after)), key.reload == Reload::Restart});
  }
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
