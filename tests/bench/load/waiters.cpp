// Clients that wait, one connection each: sends every line of a file as `GET <line>`, says
// "waiting" once all are sent, and takes the answers, which must all be 200 and have
// "finished_at". The wake-up latency runs from that time (of the server's clock, which is this
// machine's, taken before its sync) to the arrival of the answer. Prints one JSON object.
//
//   waiters --port P --targets FILE [--timeout 60]
#include <fmt/format.h>
#include <sys/epoll.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "core/base/time.hpp"
#include "tests/bench/load/connection.hpp"
#include "tests/bench/load/histogram.hpp"

namespace slipway::bench {
namespace {

using Wall = std::chrono::system_clock;

base::Time now() { return std::chrono::time_point_cast<base::Duration>(Wall::now()); }

base::Time finished_at(std::string_view body) {
  constexpr std::string_view kKey = R"("finished_at":")";
  const std::size_t at = body.find(kKey);
  if (at == std::string_view::npos) die(fmt::format("a task that has not ended: {}", body));
  const auto time = base::parse_rfc3339(body.substr(at + kKey.size(), base::kRfc3339Size));
  if (!time) die(fmt::format("no time: {}", body));
  return *time;
}

void run(std::uint16_t port, const std::vector<std::string>& targets, int timeout_s) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> connections(targets.size());
  for (std::uint32_t i = 0; i < targets.size(); ++i) {
    connections[i].open(port, epoll, i);
    connections[i].send(fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", targets[i]));
  }
  fmt::print("waiting\n");
  std::fflush(stdout);
  Histogram latencies;
  std::array<epoll_event, 256> events;
  while (latencies.total() < targets.size()) {
    const int n = ::epoll_wait(epoll, events.data(), events.size(), timeout_s * 1000);
    if (n <= 0) die(fmt::format("{} answers stay away", targets.size() - latencies.total()));
    for (int i = 0; i < n; ++i) {
      Connection& connection = connections[events[static_cast<std::size_t>(i)].data.u32];
      if (!connection.receive()) continue;
      if (connection.status() != 200) {
        die(fmt::format("got {}: {}", connection.status(), connection.body()));
      }
      latencies.add((now() - finished_at(connection.body())).count());
    }
  }
  fmt::print(R"({{"clients":{},"p50_us":{},"p90_us":{},"p99_us":{},"max_us":{}}})"
             "\n",
             latencies.total(), latencies.at(0.5), latencies.at(0.9), latencies.at(0.99),
             latencies.max());
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  if (lines.empty()) die(fmt::format("{}: no targets", path));
  return lines;
}

}  // namespace
}  // namespace slipway::bench

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  std::string targets;
  int timeout_s = 60;
  CLI::App app{"Clients that wait for tasks"};
  app.add_option("--port", port)->required();
  app.add_option("--targets", targets, "file with a request target a line")->required();
  app.add_option("--timeout", timeout_s, "seconds without any answer")->check(CLI::Range(1, 600));
  CLI11_PARSE(app, argc, argv);
  slipway::bench::run(port, slipway::bench::lines_of(targets), timeout_s);
}
