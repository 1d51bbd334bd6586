#pragma once
// Every limit of the HTTP edge, with its default, and a counter for each time one was hit.
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "core/base/time.hpp"

namespace slipway::api {

// What a client may do before it is refused. Times are on the steady clock and are checked every
// Options::tick, so they are exact to one tick.
struct Limits {
  std::size_t request_line_bytes = 8 << 10;  // 414
  std::size_t header_bytes = 16 << 10;       // all header lines together: 431
  std::size_t headers = 64;                  // 431
  std::size_t body_bytes = 1 << 20;          // 413; a BodyPlan may say otherwise for one request

  base::Duration header_time = std::chrono::seconds(10);  // first byte (or accept) to last: 408
  base::Duration body_time = std::chrono::seconds(30);    // bodies held in memory: 408
  std::size_t body_bytes_per_second = 1 << 10;            // every body, uploads too: 408
  base::Duration body_rate_window = std::chrono::seconds(5);
  base::Duration idle_time = std::chrono::seconds(60);   // keep-alive, nothing under way: closed
  base::Duration stall_time = std::chrono::seconds(20);  // a reader that takes no byte: closed
  base::Duration linger_time =
      std::chrono::seconds(2);  // after a last answer, for the client's FIN

  std::size_t connections = 10000;          // more are closed at once
  std::size_t connections_per_address = 0;  // 429 to the ones above it; 0: off

  std::size_t stream_high_water_bytes = 64 << 10;  // above it Stream::write answers Behind
  std::size_t stream_behind_bytes = 1 << 20;       // above it the stream is cut
  std::size_t sink_window_bytes = 1 << 20;         // handed to a BodySink and not yet consumed
};

struct Options {
  unsigned io_threads = 2;
  int backlog = 1024;
  bool reuse_address = true;
  int send_buffer_bytes = 0;  // SO_SNDBUF; 0 leaves it to the kernel
  base::Duration tick = std::chrono::milliseconds(250);
  // On each I/O thread, once a tick: it turns. Must be quick and must not throw.
  std::function<void(unsigned thread)> on_tick;
  Limits limits;
};

// Why the edge itself refused or closed; the label `reason` of slipway_http_rejected_total.
enum class Refusal : std::uint8_t {
  Malformed,        // 400 and closed
  RequestLine,      // 414
  HeaderBytes,      // 431
  HeaderCount,      // 431
  BodyBytes,        // 413
  BodyEncoding,     // 415
  HeaderTime,       // 408
  BodyTime,         // 408
  BodyRate,         // 408
  IdleTime,         // closed
  StalledReader,    // closed
  StreamBehind,     // closed
  Connections,      // closed
  AddressCap,       // 429
  FileDescriptors,  // closed
  HandlerFailed,    // 500: an exception, or a Responder dropped without an answer
};
inline constexpr std::size_t kRefusals = static_cast<std::size_t>(Refusal::HandlerFailed) + 1;
std::string_view refusal_name(Refusal reason);  // "malformed", "request_line", ...

// Any thread may read; the I/O threads count. Lives as long as its Server.
struct EdgeCounters {
  std::array<std::atomic<std::uint64_t>, kRefusals> refused{};
  std::atomic<std::uint64_t> accepted{0};    // connections ever
  std::atomic<std::int64_t> connections{0};  // open now
  std::atomic<std::int64_t> in_flight{0};    // requests whose head was read, not yet answered
  std::atomic<std::int64_t> streams{0};      // answers under way piece by piece, upgrades included

  void count(Refusal reason) {
    refused[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
  }
  std::uint64_t of(Refusal reason) const {
    return refused[static_cast<std::size_t>(reason)].load(std::memory_order_relaxed);
  }
};

// One finished request, for metrics and the access log. The views live during the call only.
struct RequestRecord {
  std::string_view listener;
  std::string_view dialect;  // of the router's mount; empty when none matched
  std::string_view route;    // the template; "other" when none matched
  std::string_view method;
  std::string_view request_id;
  std::string_view failure;   // why it is a 500, for the log: never for the client
  int status = 0;             // 499: the client left before the answer
  base::Duration duration{};  // head read to last byte handed over, Responder::add_wait excluded
};
// Called on an I/O thread: it must be quick and must not throw.
using Observer = std::function<void(const RequestRecord&)>;

}  // namespace slipway::api
