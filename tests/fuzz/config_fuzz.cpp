// A configuration: TOML, and after a line "%%" lines that are flags ("--...") or variables. Wrong
// ones are refused with words; of a right one, each value reads back as it is shown.
#include <sys/mman.h>
#include <unistd.h>

#include "app/config_keys.hpp"
#include "app/config_show.hpp"
#include "target.hpp"

namespace {

using namespace slipway::app;  // NOLINT: the thing under test
using slipway::fuzz::must;

// A file without a directory.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("slipway.toml", MFD_CLOEXEC)) {
    must(fd_ >= 0, "no file in memory");
  }
  std::string write(std::string_view text) const {
    must(::ftruncate(fd_, 0) == 0, "not cut");
    must(::pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()), "short");
    return "/proc/self/fd/" + std::to_string(fd_);
  }

 private:
  const int fd_;
};

ConfigSources sources_of(std::string_view bytes) {
  constexpr std::string_view kEnd = "\n%%\n";
  const std::size_t end = bytes.find(kEnd);
  static const MemoryFile file;
  ConfigSources sources{.file = file.write(bytes.substr(0, end))};
  if (end == std::string_view::npos) return sources;
  bytes.remove_prefix(end + kEnd.size());
  while (!bytes.empty()) {
    const std::string_view line = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(bytes.size(), line.size() + 1));
    const std::size_t equals = line.find('=');
    if (line.starts_with("--")) {
      sources.flags.emplace_back(line);
    } else if (equals != std::string_view::npos) {
      sources.environment.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    }
  }
  return sources;
}

}  // namespace

SLIPWAY_FUZZ_TARGET(config) {
  const LoadedConfig loaded = load_config(sources_of(bytes));
  for (const auto& error : loaded.errors) must(!error.message.empty(), "refused without a word");
  if (!loaded.ok()) return;
  (void)show_config(loaded);
  Config copy;
  for (const Key& key : config_keys()) {
    const std::string shown = format_value(ref_of(key, loaded.config));
    const auto status = parse_value(shown, key.ref(copy));
    must(status.has_value(), "a value that cannot be read back", shown);
    must(format_value(key.ref(copy)) == shown, "a value that reads back as another", shown);
  }
  must(diff_config(loaded.config, copy).empty(), "a configuration that differs from itself");
}
