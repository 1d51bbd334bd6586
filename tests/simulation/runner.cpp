#include "tests/simulation/runner.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>

namespace slipway::simulation {
namespace {

// One process that carries out one run; its verdict comes through a pipe: the name of the broken
// invariant, a line end, the report. Nothing at all: the process was ended.
struct Child {
  ::pid_t pid = -1;
  int pipe = -1;
  SimulationOptions options;
  std::string text;
};

void write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ::ssize_t n = ::write(fd, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

[[noreturn]] void carry_out(const SimulationOptions& options, int pipe) {
  const Outcome out = simulate(options);
  std::string text = out.ok ? "ok" : out.invariant;
  text += '\n';
  if (!out.ok) {
    for (const std::string& line : out.trace) text += line + '\n';
    text += fmt::format("\nseed {} breaks '{}': {}\n", options.seed, out.invariant, out.what);
  }
  write_whole(pipe, text);
  ::_exit(0);
}

Child start(const SimulationOptions& options) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
  std::fflush(nullptr);
  Child child{::fork(), ends[0], options, {}};
  if (child.pid == 0) {
    ::close(ends[0]);
    carry_out(options, ends[1]);
  }
  ::close(ends[1]);
  return child;
}

// True once the pipe is at its end.
bool read_some(Child& child) {
  std::array<char, 65536> buffer;
  const ::ssize_t n = ::read(child.pipe, buffer.data(), buffer.size());
  if (n > 0) child.text.append(buffer.data(), static_cast<std::size_t>(n));
  return n <= 0;
}

Verdict end(Child& child) {
  ::close(child.pipe);
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  SimReadModels::remove_files_of(child.pid);
  Verdict verdict{child.options, child.text == "ok\n", {}, {}};
  if (verdict.ok) return verdict;
  const std::size_t line = child.text.find('\n');
  if (line == std::string::npos) {
    verdict.invariant = "ended-the-process";
    verdict.report = fmt::format("\nseed {} ended the process\n", child.options.seed);
  } else {
    verdict.invariant = child.text.substr(0, line);
    verdict.report = child.text.substr(line + 1);
  }
  verdict.report += fmt::format("run it again:\n  {}\n", command_of(child.options));
  return verdict;
}

void wait_for_any(std::vector<Child>& children) {
  std::vector<::pollfd> pipes;
  for (const Child& child : children) pipes.push_back({child.pipe, POLLIN, 0});
  ::poll(pipes.data(), pipes.size(), -1);
}

void end_all(std::vector<Child>& children) {
  for (Child& child : children) {
    ::kill(child.pid, SIGTERM);
    (void)end(child);
  }
}

// The first whose verdict is there.
std::optional<Verdict> take_ended(std::vector<Child>& children) {
  for (std::size_t i = 0; i < children.size(); ++i) {
    ::pollfd pipe{children[i].pipe, POLLIN, 0};
    if (::poll(&pipe, 1, 0) <= 0 || !read_some(children[i])) continue;
    Verdict verdict = end(children[i]);
    children.erase(children.begin() + static_cast<std::ptrdiff_t>(i));
    return verdict;
  }
  return std::nullopt;
}

}  // namespace

std::string command_of(const SimulationOptions& options) {
  return fmt::format(
      "build/release/sim --seed {} --minutes {}{} --trace", options.seed, options.minutes.count(),
      options.plant == Plant::None ? ""
                                   : fmt::format(" --plant {}", base::enum_name(options.plant)));
}

void run_all(const std::vector<SimulationOptions>& runs, unsigned processes,
             const std::function<bool(const Verdict&)>& judge) {
  std::vector<Child> children;
  for (std::size_t next = 0; next < runs.size() || !children.empty();) {
    while (next < runs.size() && children.size() < processes) {
      children.push_back(start(runs[next++]));
    }
    wait_for_any(children);
    while (const auto verdict = take_ended(children)) {
      if (!judge(*verdict)) return end_all(children);
    }
  }
}

}  // namespace slipway::simulation
