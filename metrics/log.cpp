#include "metrics/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>

#include "core/base/json_write.hpp"

namespace slipway::metrics {
namespace {

constexpr std::uint64_t kWindowSeconds = 10;
// Room kept for `,"suppressed":18446744073709551615,"truncated":true}` and the line end.
constexpr std::size_t kTail = 64;
constexpr std::size_t kMaxText = 1024;

// How often one message was logged in the present window. Two messages that meet in one place only
// share its allowance.
struct Allowance {
  std::atomic<const char*> message{nullptr};
  std::atomic<std::uint64_t> window{0};
  std::atomic<std::uint32_t> used{0};
  std::atomic<std::uint32_t> suppressed{0};
};

struct State {
  std::atomic<LogLevel> level{LogLevel::Info};
  std::atomic<std::uint32_t> burst{LogOptions{}.burst};
  std::array<std::atomic<std::uint64_t>, kLogLevels.size()> counts{};
  std::atomic<std::uint64_t> dropped{0};
  std::array<Allowance, 256> allowances{};
  std::function<void(std::string_view)> sink;
  std::uint64_t (*seconds)() = nullptr;
};
// Never destroyed: threads may log while the process ends.
State& state() {
  static auto* const instance = new State;
  return *instance;
}

std::uint64_t seconds_now() {
  if (const auto fake = state().seconds) return fake();
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

Allowance& allowance_of(const char* message) {
  auto& all = state().allowances;
  auto at = std::hash<const void*>{}(message)*0x9E3779B97F4A7C15ULL >> 56U;
  for (int probe = 0; probe < 8; ++probe, at = (at + 1) % all.size()) {
    const char* owner = nullptr;
    if (all[at].message.compare_exchange_strong(owner, message) || owner == message) return all[at];
  }
  return all[at];
}

// Whether the line may pass. If so, `suppressed` is how many were held back before it.
bool allowed(LogLevel level, const char* message, std::uint32_t& suppressed) {
  const auto burst = state().burst.load(std::memory_order_relaxed);
  if (burst == 0 || level == LogLevel::Debug) return true;
  auto& allowance = allowance_of(message);
  const auto window = seconds_now() / kWindowSeconds;
  if (allowance.window.exchange(window, std::memory_order_relaxed) != window) {
    allowance.used.store(0, std::memory_order_relaxed);
  }
  if (allowance.used.fetch_add(1, std::memory_order_relaxed) >= burst) {
    allowance.suppressed.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  suppressed = allowance.suppressed.exchange(0, std::memory_order_relaxed);
  return true;
}

// The length of the valid UTF-8 sequence at the start of `text` (RFC 3629), 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

// A line that is built up to kMaxLogLine and never beyond.
class Line {
 public:
  explicit Line(base::JsonWriter& w) : w_(w) { w_.clear(); }

  void begin(LogLevel level, std::string_view message) {
    const auto now = std::chrono::system_clock::now();
    w_.begin_object().member("time", std::chrono::time_point_cast<base::Duration>(now));
    w_.member("level", log_level_name(level)).member("message", message);
  }

  void add(const LogField& field) {
    constexpr std::size_t longest_number = 40;  // and longer than any time or id
    if (field.name().size() + longest_number + 6 > room()) {
      truncated_ = true;
      return;
    }
    w_.key(field.name());
    std::visit([this](const auto& value) { write(value); }, field.value());
  }

  std::string finish(std::uint32_t suppressed) {
    if (suppressed > 0) w_.member("suppressed", suppressed);
    if (truncated_) w_.member("truncated", true);
    w_.end_object();
    return w_.text() + '\n';
  }

 private:
  std::size_t room() const {
    return w_.size() + kTail < kMaxLogLine ? kMaxLogLine - kTail - w_.size() : 0;
  }
  template <class T>
  void write(const T& value) {
    w_.value(value);
  }
  void write(const base::Uuid* id) { w_.value(*id); }
  void write(const base::Error* error) {
    write(std::string(base::errc_name(error->code)) + ": " + error->message);
  }
  void write(const std::string& text) { write(std::string_view(text)); }
  // Valid UTF-8 without control characters, so that a character takes at most two bytes for one in
  // JSON, cut to what there is room for.
  void write(std::string_view text) {
    const auto limit = std::min(kMaxText, room() / 2 > 4 ? room() / 2 - 4 : 0);
    std::string clean;
    while (!text.empty()) {
      const auto length = std::max<std::size_t>(sequence_length(text), 1);
      if (clean.size() + length > limit) {
        truncated_ = true;
        break;
      }
      const bool printable = static_cast<unsigned char>(text[0]) >= 0x20 || text[0] == '\n' ||
                             text[0] == '\t' || text[0] == '\r';
      if (printable && text[0] != '\x7f' && sequence_length(text) > 0) {
        clean.append(text.substr(0, length));
      } else {
        clean += '?';
      }
      text.remove_prefix(length);
    }
    w_.value(clean);
  }

  base::JsonWriter& w_;
  bool truncated_ = false;
};

void emit(std::string_view line) {
  if (state().sink) {
    state().sink(line);
    return;
  }
  ssize_t written = 0;
  do {
    written = ::write(STDERR_FILENO, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written != static_cast<ssize_t>(line.size())) {
    state().dropped.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace

void configure_log(const LogOptions& options) {
  state().level.store(options.level, std::memory_order_relaxed);
  state().burst.store(options.burst, std::memory_order_relaxed);
}

bool log_enabled(LogLevel level) { return level >= state().level.load(std::memory_order_relaxed); }

std::uint64_t log_count(LogLevel level) {
  return state().counts[static_cast<std::size_t>(level)].load(std::memory_order_relaxed);
}

std::uint64_t log_lines_dropped() { return state().dropped.load(std::memory_order_relaxed); }

void log(LogLevel level, LogMessage message, LogFields fields) {
  if (!log_enabled(level)) return;
  state().counts[static_cast<std::size_t>(level)].fetch_add(1, std::memory_order_relaxed);
  std::uint32_t suppressed = 0;
  if (!allowed(level, message.text().data(), suppressed)) return;
  thread_local base::JsonWriter writer;
  Line line(writer);
  line.begin(level, message.text());
  for (const auto& field : fields) line.add(field);
  emit(line.finish(suppressed));
}

void set_log_sink_for_test(std::function<void(std::string_view line)> sink) {
  state().sink = std::move(sink);
}
void set_log_clock_for_test(std::uint64_t (*seconds)()) { state().seconds = seconds; }

}  // namespace slipway::metrics
