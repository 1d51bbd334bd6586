#pragma once
// Who answers requests. One Handler serves all requests of a listener; the Router is the usual one.
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>

#include "api/edge/request.hpp"
#include "api/edge/responder.hpp"

namespace slipway::api {

// Takes a body piece by piece, for uploads that do not fit into memory. All calls come from one I/O
// thread, in order. It must not block: copy the piece, hand it to another thread, and when that has
// written it, call Responder::consumed. While more than Limits::sink_window_bytes are not consumed,
// the edge does not read from the socket.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual void on_piece(std::string_view piece) = 0;
  // The rest will not come: the client is gone, was too slow or too long, or was answered already.
  virtual void on_abort() = 0;
};

// What a handler wants done with a body. Default: held in memory, up to Limits::body_bytes.
struct BodyPlan {
  static constexpr std::uint64_t kDefaultLimit = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t limit = kDefaultLimit;  // 413 above it, before reading where the length is named
  std::shared_ptr<BodySink> sink;       // shared: the edge feeds it, the writing thread drains it
};

// Both calls come from an I/O thread, from several at once for different connections; neither may
// block. An exception is logged as a 500 and counted, and tells the client nothing.
class Handler {
 public:
  virtual ~Handler() = default;
  // The head of a request that has a body has come. Answering here already (401, 403, 415) refuses
  // the body: it is not read, the connection closes after the answer, on_request is not called.
  virtual BodyPlan on_head(const Request& /*head*/, const Responder& /*reply*/) { return {}; }
  // The request is complete. Answer now or later, from any thread, through `reply`.
  virtual void on_request(Request request, Responder reply) = 0;
};

}  // namespace slipway::api
