// A load generator for keep-alive HTTP/1.1 on loopback; one thread, one prebuilt request, nothing
// allocated per request. Prints one JSON object.
//
//   load --port P --request FILE [--status 202] [--connections 64]
//        [--seconds 3] [--warmup 0.5]   as many as go, one under way on each connection
//        [--rate R]                     R a second, whatever the answers do (open loop)
//        [--count N]                    N in all, one under way on each connection
//
// Latencies of an open loop run from when a request was due, not from when a connection was free
// for it: what a slow server holds up counts (no coordinated omission). Any answer but the expected
// one, and any that does not come, is an error, and the exit code 1.
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <sstream>

#include "tests/bench/load/connection.hpp"
#include "tests/bench/load/histogram.hpp"

namespace slipway::bench {
namespace {

struct Options {
  std::uint16_t port = 0;
  std::string request_file;
  int status = 202;
  std::uint32_t connections = 64;
  double seconds = 3;
  double warmup = 0.5;
  double rate = 0;
  std::uint64_t count = 0;
};

constexpr std::int64_t kPatienceUs = 20'000'000;  // for the last answers

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class Load {
 public:
  Load(const Options& options, std::string request)
      : options_(options),
        request_(std::move(request)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        connections_(options.connections) {
    idle_.reserve(options.connections);
    for (std::uint32_t i = 0; i < options.connections; ++i) {
      connections_[i].open(options.port, epoll_, i);
      idle_.push_back(i);
    }
  }

  void run() {
    begin_ = now_us();
    counted_from_ = begin_ + in_us(options_.count > 0 ? 0 : options_.warmup);
    end_ = options_.count > 0 ? INT64_MAX : counted_from_ + in_us(options_.seconds);
    for (std::int64_t now = begin_; !done(now); now = now_us()) {
      send_what_is_due(now);
      wait(now);
      if (now > last_progress_ + kPatienceUs && last_progress_ > 0) die("answers stay away");
    }
    finished_ = now_us();
  }

  void print() const {
    const std::int64_t until = std::min(end_, last_progress_);
    const double seconds = static_cast<double>(until - counted_from_) / 1e6;
    rusage own{};
    getrusage(RUSAGE_SELF, &own);
    const auto cpu = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    fmt::print(
        R"({{"sent":{},"counted":{},"seconds":{:.4f},"rate":{:.1f},"connections":{},)"
        R"("p50_us":{},"p90_us":{},"p99_us":{},"p999_us":{},"max_us":{},"cpu_seconds":{:.3f}}})"
        "\n",
        sent_, in_time_, seconds, static_cast<double>(in_time_) / seconds, options_.connections,
        latencies_.at(0.5), latencies_.at(0.9), latencies_.at(0.99), latencies_.at(0.999),
        latencies_.max(), cpu(own.ru_utime) + cpu(own.ru_stime));
  }

 private:
  static std::int64_t in_us(double seconds) { return static_cast<std::int64_t>(seconds * 1e6); }
  bool open_loop() const { return options_.rate > 0; }
  // Of the request with that number, in an open loop.
  std::int64_t due(std::uint64_t number) const {
    return begin_ + in_us(static_cast<double>(number) / options_.rate);
  }
  bool all_sent(std::int64_t now) const {
    if (options_.count > 0) return sent_ >= options_.count;
    return open_loop() ? due(sent_) >= end_ : now >= end_;
  }
  bool done(std::int64_t now) const { return all_sent(now) && idle_.size() == connections_.size(); }

  void send_what_is_due(std::int64_t now) {
    while (!idle_.empty() && !all_sent(now)) {
      const std::int64_t at = open_loop() ? due(sent_) : now;
      if (at > now) return;
      Connection& connection = connections_[idle_.back()];
      idle_.pop_back();
      connection.sent_at_us = at;
      connection.send(request_);
      ++sent_;
    }
  }

  void wait(std::int64_t now) {
    std::int64_t pause_us = kPatienceUs;
    if (open_loop() && !idle_.empty() && !all_sent(now)) {
      pause_us = std::max<std::int64_t>(due(sent_) - now_us(), 0);
    }
    const timespec pause{pause_us / 1'000'000, pause_us % 1'000'000 * 1000};
    std::array<epoll_event, 256> events;
    const int n = ::epoll_pwait2(epoll_, events.data(), events.size(), &pause, nullptr);
    if (n == 0 && pause_us == kPatienceUs) die("answers stay away");
    for (int i = 0; i < n; ++i) take(events[static_cast<std::size_t>(i)].data.u32);
  }

  void take(std::uint32_t number) {
    Connection& connection = connections_[number];
    if (!connection.receive()) return;
    if (connection.status() != options_.status) {
      die(fmt::format("expected {}, got {}: {}", options_.status, connection.status(),
                      connection.body().substr(0, 500)));
    }
    const std::int64_t now = now_us();
    last_progress_ = now;
    idle_.push_back(number);
    // An open loop counts what was due in the time, however late the answer; a closed one what was
    // answered in it.
    const std::int64_t counts_at = open_loop() ? connection.sent_at_us : now;
    if (counts_at < counted_from_ || counts_at >= end_) return;
    ++in_time_;
    latencies_.add(now - connection.sent_at_us);
  }

  const Options options_;
  const std::string request_;
  const int epoll_;
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> idle_;
  Histogram latencies_;
  std::uint64_t sent_ = 0;
  std::uint64_t in_time_ = 0;
  std::int64_t begin_ = 0, counted_from_ = 0, end_ = 0, last_progress_ = 0, finished_ = 0;
};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty()) die(fmt::format("{}: cannot be read, or is empty", path));
  return text.str();
}

}  // namespace
}  // namespace slipway::bench

int main(int argc, char** argv) {
  slipway::bench::Options options;
  CLI::App app{"Load on a server on loopback"};
  app.add_option("--port", options.port)->required();
  app.add_option("--request", options.request_file, "file with the request as it is sent")
      ->required();
  app.add_option("--status", options.status, "the status that every answer must have");
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 20000));
  app.add_option("--seconds", options.seconds, "that are counted")->check(CLI::PositiveNumber);
  app.add_option("--warmup", options.warmup, "seconds before them")->check(CLI::NonNegativeNumber);
  auto* rate = app.add_option("--rate", options.rate, "requests a second, open loop");
  rate->check(CLI::PositiveNumber);
  app.add_option("--count", options.count, "requests in all, instead of a time")->excludes(rate);
  CLI11_PARSE(app, argc, argv);
  slipway::bench::Load load(options, slipway::bench::read_file(options.request_file));
  load.run();
  load.print();
}
