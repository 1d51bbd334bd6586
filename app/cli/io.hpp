#pragma once
// All that a command may touch of the world outside: streams, terminal, environment, time, Ctrl-C.
// A test fills it with strings; `process_io()` fills it with the process.
#include <atomic>
#include <chrono>
#include <functional>
#include <istream>
#include <optional>
#include <ostream>
#include <string>

#include "core/base/clock.hpp"

namespace slipway::app::cli {

struct Io {
  std::istream& in;
  std::ostream& out;  // results only
  std::ostream& err;  // everything else
  bool in_tty = false;
  bool out_tty = false;
  bool err_tty = false;
  std::function<std::optional<std::string>(const std::string& name)> env;
  std::function<unsigned()> columns;  // of the terminal, asked anew each time; 0 if unknown
  const base::Clock& clock;
  std::function<void(std::chrono::milliseconds)> sleep;
  // Set by Ctrl-C while a command follows something.
  std::atomic<bool>& interrupted;

  // The variable's value; unset and empty are the same.
  std::string variable(const std::string& name) const {
    return env ? env(name).value_or("") : std::string();
  }
};

// Of this process; lives as long as it does.
Io process_io();

// While it lives, the first Ctrl-C sets `Io::interrupted` instead of ending the process; a second
// one ends it. Outside of it (before a command is accepted, say) Ctrl-C does what it always does.
class InterruptScope {
 public:
  explicit InterruptScope(Io& io);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
};

// In small steps; false as soon as Ctrl-C was pressed.
bool sleep_unless_interrupted(const Io& io, std::chrono::milliseconds time);

}  // namespace slipway::app::cli
