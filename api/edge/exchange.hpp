#pragma once
// One request and its answer: what Responder and Stream are handles of. Any thread answers; the
// connection's I/O thread learns of it by mail and writes. An exchange is bound to its connection
// object, never to a descriptor number, so an answer cannot reach a stranger who got the number.
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/edge/edge_state.hpp"
#include "api/edge/io_thread.hpp"
#include "api/edge/responder.hpp"
#include "core/base/mutex.hpp"

namespace slipway::api {

class Connection;

class Exchange final : public Mail, public std::enable_shared_from_this<Exchange> {
 public:
  using Bytes = std::function<void(std::string_view)>;
  using More = std::function<void(const Stream&)>;
  // Claimed: somebody won the right to answer and is writing down what; the I/O thread looks again
  // when his mail comes.
  enum class Phase : std::uint8_t { Open, Claimed, Answered, Streaming };

  Exchange(std::shared_ptr<Connection> connection, const Request& request,
           base::SteadyTime started);

  // Any thread.
  bool answer(Response&& response);
  bool fail(std::string why);  // a 500; `why` is for the log alone
  bool start_stream(Response&& head, Bytes on_bytes);
  Stream::Written write(std::string_view bytes);
  void on_writable(More more);
  std::size_t pending() const;
  void finish();
  void abort();
  void on_gone(std::function<void()> gone);
  bool gone() const { return gone_.load(); }
  bool open() const;  // the stream takes more
  void consumed(std::size_t bytes);
  void add_wait(base::Duration waited) { waited_us_ += waited.count(); }
  void set_route(std::string_view dialect, std::string_view route);
  void hold() { handles_.fetch_add(1, std::memory_order_relaxed); }
  void release();
  Phase phase() const { return phase_.load(std::memory_order_acquire); }
  std::string_view request_id() const { return {request_id_.data(), request_id_size_}; }
  std::string_view trace_id() const { return {trace_id_.data(), trace_id_.size()}; }
  Response render(const base::Error& error, int status) const;

  // The I/O thread of the connection, from here on.
  void on_mail() override;
  Response& response() { return response_; }
  const Bytes& on_bytes() const { return on_bytes_; }
  bool raw() const { return raw_; }
  bool head_only() const { return method_ == Method::Head; }
  bool http10() const { return version_ == 10; }
  bool keep_alive() const { return keep_alive_; }
  bool chunked() const { return !raw() && !http10(); }
  // What was written since the last call, in wire form; and how the stream stands.
  struct Taken {
    std::string bytes;
    bool finished = false;
    bool aborted = false;
    bool behind = false;  // the abort was ours: the reader was too slow
    bool wants_more = false;
  };
  Taken take();
  void note_queued(std::size_t bytes);  // what the connection still holds of it
  void ask_for_more();                  // calls what on_writable was given, at most once a drought
  // The stream's end by drain: finished, and whoever writes it is told.
  void end_stream();
  // The client has closed its side, or the connection is no more: tells whoever asked, once.
  void set_gone();
  void set_closed();
  // Everything has been handed over: lets go of callbacks and counts the request.
  void record(EdgeState& edge, std::string_view listener);
  void drop_callbacks();
  // Uploads: pieces handed out. True when reading must pause.
  bool handed_out(std::size_t bytes, std::size_t window);
  int sent_status = 0;  // 0 until an answer was written

  bool head_written = false;

 private:
  bool claim();
  void settle(Phase phase);
  void hand_over();
  void append_framed(std::string_view bytes) REQUIRES(mu_);

  const std::shared_ptr<Connection> connection_;  // shared: the object outlives the socket
  std::array<char, 64> request_id_{};
  std::uint8_t request_id_size_ = 0;
  std::array<char, 32> trace_id_{};
  const Method method_;
  const std::uint8_t version_;
  const bool keep_alive_;
  const base::SteadyTime started_;

  std::atomic<Phase> phase_{Phase::Open};
  std::atomic<int> handles_{0};
  std::atomic<bool> gone_{false};
  std::atomic<std::int64_t> waited_us_{0};
  std::atomic<std::int64_t> not_consumed_{0};  // of an upload
  std::atomic<bool> upload_waits_{false};
  std::atomic<std::size_t> waiting_{0};  // of a stream: not yet taken by the kernel

  Response response_;    // written once by whoever answers, before phase_ says so
  std::string failure_;  // likewise
  Bytes on_bytes_;       // likewise
  bool raw_ = false;     // likewise

  mutable base::Mutex mu_;
  std::string_view dialect_ GUARDED_BY(mu_);
  std::string_view route_ GUARDED_BY(mu_) = "other";
  std::vector<std::function<void()>> on_gone_ GUARDED_BY(mu_);
  std::shared_ptr<const More> on_writable_ GUARDED_BY(mu_);  // shared: called without the lock
  std::string buffer_ GUARDED_BY(mu_);
  std::size_t queued_ GUARDED_BY(mu_) = 0;  // taken by the connection, not yet by the kernel
  bool kicked_ GUARDED_BY(mu_) = false;     // mail is on its way
  bool asked_ GUARDED_BY(mu_) = false;      // on_writable was called for this drought
  bool finished_ GUARDED_BY(mu_) = false;
  bool aborted_ GUARDED_BY(mu_) = false;
  bool behind_ GUARDED_BY(mu_) = false;
  bool closed_ GUARDED_BY(mu_) = false;
};

}  // namespace slipway::api
