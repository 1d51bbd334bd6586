#pragma once
// How a request is answered: once, from any thread, now or later. Copies are handles on the same
// answer. When the last one is dropped without an answer the client gets a 500, so no request
// hangs.
//
//   reply.send(Response(200, body));                       // one message
//   Stream s = reply.start_stream(Response(200, "", kEventStream));
//   s.write("data: 1\n\n");                                // any thread, any number of times
//   s.finish();
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/edge/response.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace slipway::api {

class Exchange;

// An answer that goes out piece by piece: chunked to HTTP/1.1, until close to HTTP/1.0. Copyable
// handle, every function from any thread. Lasts as long as wanted: no timeout but that of a reader
// that takes nothing for Limits::stall_time while there is something to take. Dropping the last
// handle does not end it: finish() or abort() does.
class Stream {
 public:
  enum class Written {
    Ok,      // the reader keeps up
    Behind,  // taken, but more than Limits::stream_high_water_bytes wait: better pause
    Gone,    // the client left, or the stream has ended: nothing was taken
  };

  Stream() = default;

  // Sends one piece, in order. Never blocks. Past Limits::stream_behind_bytes waiting, the stream
  // is cut and the connection closed: a reader this slow must begin anew.
  Written write(std::string_view bytes) const;
  // Calls `more` on the I/O thread each time all that was written has been handed to the kernel:
  // render and write the next piece there (a list), or have another thread do it. Called once for
  // each time it runs dry, so it must write or finish; first as soon as the head is out.
  void on_writable(std::function<void(const Stream&)> more) const;
  // Bytes not yet in the client's hands: waiting here and unacknowledged in the kernel.
  std::size_t pending() const;
  // The end, after all that was written. The connection goes on with its next request.
  void finish() const;
  // The end at once; the client sees a broken answer. What was written may be lost.
  void abort() const;
  // False once the client has left, the stream was cut, finished, or the server drains.
  bool alive() const;
  // Once, when alive() turns false through no call of ours; at once if it is so already. On the I/O
  // thread, or on the caller's.
  void on_gone(std::function<void()> gone) const;

  // Used by the connection.
  explicit Stream(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

 private:
  std::shared_ptr<Exchange> exchange_;  // shared: handles on several threads and the connection
};

class Responder {
 public:
  Responder() = default;
  Responder(const Responder& other);
  Responder(Responder&& other) noexcept = default;
  Responder& operator=(Responder other) noexcept;
  ~Responder();

  // Answers. False, and nothing is sent, if it was answered before. A client that has gone
  // meanwhile is not an error.
  bool send(Response response) const;
  // send() with the error in the form of the listener (problem+json unless it says otherwise).
  bool fail(const base::Error& error) const;
  // A bug of ours: 500 without details. `why` goes to the log (RequestRecord::failure) alone.
  bool fail_internal(std::string why) const;

  // Answers in pieces; status, type and added headers of `head` count, its body is not used.
  Stream start_stream(Response head) const;
  // 101: from here on the connection is the caller's, raw bytes both ways. `on_bytes` is called on
  // the I/O thread with what the client sends; finish() of the Stream closes. `head` has the
  // Upgrade line and such; the edge adds "Connection: Upgrade".
  Stream upgrade(Response head, std::function<void(std::string_view)> on_bytes) const;

  // False once the client has closed its side: whoever prepares an answer may stop. It may still be
  // sent: a client may close its sending side and yet read.
  bool alive() const;
  // Once, when alive() turns false before the answer; at once if it is so already. On the I/O
  // thread, or on the caller's.
  void on_gone(std::function<void()> gone) const;
  bool answered() const;

  // An upload: `bytes` of the pieces given to the BodySink have been dealt with (BodySink).
  void consumed(std::size_t bytes) const;
  // Time that was spent waiting on purpose (?wait=): kept out of the duration metric.
  void add_wait(base::Duration waited) const;
  // Labels for metrics and logs, before the answer. Both must outlive the server: literals, or text
  // of the Router.
  void set_route(std::string_view dialect, std::string_view route) const;

  std::string_view request_id() const;
  std::string_view trace_id() const;

  // Used by the connection.
  explicit Responder(std::shared_ptr<Exchange> exchange);

 private:
  std::shared_ptr<Exchange> exchange_;  // shared: handles on several threads and the connection
};

}  // namespace slipway::api
