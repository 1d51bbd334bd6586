#include "workers/transport.hpp"

#include "workers/transport_impl.hpp"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLIPWAY_TSAN 1
#include <sanitizer/tsan_interface.h>
#endif
#endif

namespace slipway::workers {

Transport::Transport() : impl_(std::make_unique<Impl>()) {}
Transport::~Transport() = default;

bool is_loopback(std::string_view endpoint) {
  constexpr std::string_view kTcp = "tcp://";
  if (!endpoint.starts_with(kTcp)) return true;
  endpoint.remove_prefix(kTcp.size());
  return endpoint.starts_with("127.") || endpoint.starts_with("[::1]:") ||
         endpoint.starts_with("localhost:");
}

namespace {

int ms(base::Duration d) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

// Long enough for a goodbye, short enough for a shutdown.
constexpr int kLingerMs = 500;

}  // namespace

void set_limits(zmq::socket_t& socket, const ConnectionTimes& times) {
  socket.set(zmq::sockopt::linger, kLingerMs);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(kMaxMessageBytes));
  socket.set(zmq::sockopt::handshake_ivl, ms(times.handshake));
  socket.set(zmq::sockopt::heartbeat_ivl, ms(times.heartbeat_interval));
  socket.set(zmq::sockopt::heartbeat_timeout, ms(times.heartbeat_timeout));
  socket.set(zmq::sockopt::heartbeat_ttl, ms(times.heartbeat_timeout));
}

void note_sent([[maybe_unused]] const void* bytes) {
#ifdef SLIPWAY_TSAN
  __tsan_release(const_cast<void*>(bytes));
#endif
}

void note_received([[maybe_unused]] const void* bytes) {
#ifdef SLIPWAY_TSAN
  __tsan_acquire(const_cast<void*>(bytes));
#endif
}

zmq::message_t body_message(Frames&& frames) {
  if (!frames.secret) return zmq::message_t(frames.body.data(), frames.body.size());
  auto* owned = new std::string(std::move(frames.body));  // NOLINT: ZeroMQ frees it
  note_sent(owned->data());
  return zmq::message_t(
      owned->data(), owned->size(),
      [](void*, void* hint) {
        auto* text = static_cast<std::string*>(hint);
        base::wipe(*text);
        delete text;  // NOLINT
      },
      owned);
}

void poll(std::vector<zmq::pollitem_t>& items, std::chrono::milliseconds timeout) {
  try {
    zmq::poll(items, timeout);
  } catch (const zmq::error_t& error) {
    if (error.num() != EINTR) throw;
  }
}

}  // namespace slipway::workers
