#pragma once
// For this folder's .cpp files only: the one header that spells ZeroMQ.
#include <string>
#include <string_view>
#include <zmq.hpp>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "workers/transport.hpp"
#include "workers/wire.hpp"

namespace slipway::workers {

struct Transport::Impl {
  zmq::context_t context{1};
};

// 127.0.0.0/8, [::1], localhost, or not TCP at all.
bool is_loopback(std::string_view endpoint);

struct ConnectionTimes {
  base::Duration handshake;
  base::Duration heartbeat_interval;
  base::Duration heartbeat_timeout;
};
void set_limits(zmq::socket_t& socket, const ConnectionTimes& times);

// The body of a message with secrets is wiped once it is sent.
zmq::message_t body_message(Frames&& frames);

// The thread sanitizer cannot see into libzmq, so not that a message orders what its sender did
// before with what its receiver does after. Where bytes are handed over and not copied, it is told.
void note_sent(const void* bytes);
void note_received(const void* bytes);

// Signals end a poll early; that is as good as nothing having come.
void poll(std::vector<zmq::pollitem_t>& items, std::chrono::milliseconds timeout);

}  // namespace slipway::workers
