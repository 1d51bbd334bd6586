#pragma once
// The log: one JSON object a line, to stderr.
//
//   log_info("task ended", {{"task_id", id}, {"attempt", attempt}, {"took", duration}});
//   {"time":"2026-02-18T18:37:46.000123Z","level":"info","message":"task
//   ended","task_id":"0197...",
//    "attempt":2,"took":1.25}
//
// Messages are constant (a compile error otherwise) and say what happened; what differs is a field.
// `info` is what an operator wants to read at 3 a.m., `warn` what may need a hand, `error` what
// does. A base::Secret is no field. Any thread; no lock: a line is one write(2) of at most 4096
// bytes, which pipes (pipe(7), PIPE_BUF), sockets and files opened to append keep whole. Over that,
// fields are cut and `"truncated":true` says so. What stderr does not take is dropped, and counted.
//
// This and nothing else of the program is global: stderr is.
#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/base/time.hpp"
#include "core/base/uuid.hpp"

namespace slipway::metrics {

enum class LogLevel : std::uint8_t { Debug, Info, Warn, Error };
inline constexpr std::array kLogLevels{LogLevel::Debug, LogLevel::Info, LogLevel::Warn,
                                       LogLevel::Error};
inline constexpr std::size_t kMaxLogLine = 4096;
constexpr std::string_view log_level_name(LogLevel level) {
  constexpr std::array<std::string_view, 4> names{"debug", "info", "warn", "error"};
  return names[static_cast<std::size_t>(level)];
}

struct LogOptions {
  LogLevel level = LogLevel::Info;
  // Lines of one message in ten seconds; the rest are counted, and the next line that passes says
  // how many as "suppressed". 0: no limit. Debug has none.
  std::uint32_t burst = 100;
};
// Any thread, any time: a reload changes both.
void configure_log(const LogOptions& options);
bool log_enabled(LogLevel level);
// Messages so far; of those below the level in force none are counted.
std::uint64_t log_count(LogLevel level);
std::uint64_t log_lines_dropped();

// A text that the compiler has seen. Equal texts are one message to the rate limit.
class LogMessage {
 public:
  consteval LogMessage(const char* text) : text_(text) {}  // NOLINT: implicit, so a literal will do
  std::string_view text() const { return text_; }

 private:
  const char* text_;
};

// One field. It only points: it must not outlive the statement that makes it. Text need not be
// valid UTF-8 and may come from anyone.
class LogField {
 public:
  LogField(std::string_view name, std::string_view text) : name_(name), value_(text) {}
  LogField(std::string_view name, const char* text) : LogField(name, std::string_view(text)) {}
  LogField(std::string_view name, const std::string& text)
      : LogField(name, std::string_view(text)) {}
  LogField(std::string_view name, bool flag) : name_(name), value_(flag) {}
  LogField(std::string_view name, double number) : name_(name), value_(number) {}
  LogField(std::string_view name, base::Time t) : name_(name), value_(t) {}
  LogField(std::string_view name, base::Duration d)  // in seconds
      : LogField(name, static_cast<double>(d.count()) * 1e-6) {}
  LogField(std::string_view name, const base::Uuid& id) : name_(name), value_(&id) {}
  // The code and what was being done; the fields of a request are the client's business.
  LogField(std::string_view name, const base::Error& error) : name_(name), value_(&error) {}
  template <class I>
  requires(std::is_integral_v<I> && !std::is_same_v<I, bool>)
      LogField(std::string_view name, I number)
      : name_(name) {
    if constexpr (std::is_signed_v<I>) {
      value_ = static_cast<std::int64_t>(number);
    } else {
      value_ = static_cast<std::uint64_t>(number);
    }
  }
  LogField(std::string_view, const base::Secret&) = delete;

  using Value = std::variant<std::string_view, bool, double, std::int64_t, std::uint64_t,
                             base::Time, const base::Uuid*, const base::Error*>;
  std::string_view name() const { return name_; }
  const Value& value() const { return value_; }

 private:
  std::string_view name_;
  Value value_;
};
using LogFields = std::initializer_list<LogField>;

void log(LogLevel level, LogMessage message, LogFields fields = {});
inline void log_debug(LogMessage message, LogFields fields = {}) {
  if (log_enabled(LogLevel::Debug)) log(LogLevel::Debug, message, fields);
}
inline void log_info(LogMessage message, LogFields fields = {}) {
  log(LogLevel::Info, message, fields);
}
inline void log_warn(LogMessage message, LogFields fields = {}) {
  log(LogLevel::Warn, message, fields);
}
inline void log_error(LogMessage message, LogFields fields = {}) {
  log(LogLevel::Error, message, fields);
}

// Lines (with their line end) go here instead of stderr; an empty function undoes it. Not while
// other threads log.
void set_log_sink_for_test(std::function<void(std::string_view line)> sink);
// The rate limit's clock, in seconds; null undoes it.
void set_log_clock_for_test(std::uint64_t (*seconds)());

}  // namespace slipway::metrics
