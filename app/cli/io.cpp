#include "app/cli/io.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

namespace slipway::app::cli {
namespace {

std::atomic<std::atomic<bool>*> g_flag{nullptr};  // of the one scope that is alive
struct sigaction g_before;

void on_interrupt(int) {
  if (auto* flag = g_flag.load()) flag->store(true);
}

unsigned terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace

Io process_io() {
  static std::atomic<bool> interrupted{false};
  static const base::SystemClock clock;
  return Io{std::cin,
            std::cout,
            std::cerr,
            isatty(STDIN_FILENO) == 1,
            isatty(STDOUT_FILENO) == 1,
            isatty(STDERR_FILENO) == 1,
            [](const std::string& name) -> std::optional<std::string> {
              const char* value = std::getenv(name.c_str());
              return value ? std::optional<std::string>(value) : std::nullopt;
            },
            terminal_columns,
            clock,
            [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); },
            interrupted};
}

InterruptScope::InterruptScope(Io& io) {
  g_flag = &io.interrupted;
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second Ctrl-C ends the process
  sigaction(SIGINT, &action, &g_before);
}

InterruptScope::~InterruptScope() {
  sigaction(SIGINT, &g_before, nullptr);
  g_flag = nullptr;
}

bool sleep_unless_interrupted(const Io& io, std::chrono::milliseconds time) {
  constexpr std::chrono::milliseconds kStep{100};
  for (; time.count() > 0 && !io.interrupted; time -= kStep) io.sleep(std::min(time, kStep));
  return !io.interrupted;
}

}  // namespace slipway::app::cli
