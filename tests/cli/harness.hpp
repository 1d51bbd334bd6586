#pragma once
// Runs the command line inside the test: its streams are strings, its clock is moved by its own
// sleeps, its environment is empty but for what the test puts there.
#include <atomic>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "app/cli/run.hpp"
#include "core/base/clock.hpp"

namespace slipway::test {

struct Ran {
  int exit = -1;
  std::string out;
  std::string err;
};

struct CliHarness {
  std::map<std::string, std::string> env;
  std::string input;
  bool in_tty = false;
  bool out_tty = false;
  bool err_tty = false;
  unsigned columns = 100;
  base::ManualClock clock{*base::parse_rfc3339("2026-03-01T12:00:00Z")};
  std::atomic<bool> interrupted{false};
  std::chrono::milliseconds slept{0};
  std::function<void()> on_sleep = {};
  app::cli::CommandTable table = app::cli::client_commands();

  // "task", "list", ...: without the program's name.
  Ran run(const std::vector<std::string>& words) {
    std::istringstream in(input);
    std::ostringstream out, err;
    app::cli::Io io{in,
                    out,
                    err,
                    in_tty,
                    out_tty,
                    err_tty,
                    [this](const std::string& name) -> std::optional<std::string> {
                      const auto at = env.find(name);
                      return at == env.end() ? std::nullopt : std::optional(at->second);
                    },
                    [this] { return columns; },
                    clock,
                    [this](std::chrono::milliseconds time) {
                      slept += time;
                      clock.advance(time);
                      if (on_sleep) on_sleep();
                    },
                    interrupted};
    std::vector<const char*> argv{"slipway"};
    for (const auto& word : words) argv.push_back(word.c_str());
    const int exit = app::cli::run_cli(static_cast<int>(argv.size()), argv.data(), io, table);
    return {exit, out.str(), err.str()};
  }

  void use(const std::string& server) { env["SLIPWAY_SERVER"] = server; }
};

// Compares with tests/golden/cli/<name>; SLIPWAY_REWRITE_GOLDEN=1 writes it instead.
void expect_golden(const std::string& name, const std::string& text);

// A task body as the core API shows it.
std::string task_json(const std::string& id, const std::string& state, int version,
                      const std::string& more = "");

inline const std::string kTask = "0197a0b0-0000-7000-8000-000000000001";
inline const std::string kOther = "0197a0b0-0000-7000-8000-000000000002";

}  // namespace slipway::test
