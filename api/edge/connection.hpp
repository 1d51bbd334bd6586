#pragma once
// One client's connection: a state machine on its I/O thread, fed by events, ticks and mail.
//
//   Idle -> Head -> [Body] -> Busy -> answer -> Idle ...          one request at a time
//                               |---> Stream -> Idle              an answer in pieces
//                               `---> Raw                         after an upgrade
//   any -> Linger (answer sent, waiting for the client's FIN) -> Closed
//
// While a request is under way nothing is read: pipelined bytes wait in the kernel, in order.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/edge/edge_state.hpp"
#include "api/edge/exchange.hpp"
#include "api/edge/handler.hpp"
#include "api/edge/io_thread.hpp"
#include "api/edge/out_queue.hpp"
#include "api/edge/request_parser.hpp"

namespace slipway::api {

class Connection final : public IoClient,
                         public Mail,
                         public std::enable_shared_from_this<Connection> {
 public:
  // Owns `fd` from here on. `over_address_cap`: its first request is answered with 429.
  Connection(IoThread& io, int fd, std::shared_ptr<const ListenerState> listener,
             std::shared_ptr<const PeerInfo> peer, bool over_address_cap);
  ~Connection() override;

  // Any thread.
  Mailbox& mailbox() const { return *mailbox_; }
  const ListenerState& listener() const { return *listener_; }
  const Limits& limits() const { return listener_->edge->limits(); }
  std::size_t kernel_pending() const;  // written and not yet acknowledged by the client

  // The I/O thread.
  void start();
  void on_io(IoEvents events) override;
  void on_tick(base::SteadyTime now) override;
  void on_drain() override;
  void on_mail() override { advance(); }  // to go on where a long turn was cut
  void close() override;
  void on_exchange(Exchange& exchange);
  // A handler or callback of this connection is on the stack: what it does is seen when it returns.
  bool in_callback() const { return in_callback_; }

 private:
  enum class State : std::uint8_t { Idle, Head, Body, Busy, Stream, Raw, Linger, Closed };

  void advance();
  bool step();
  bool settle();
  bool reading() const;
  bool streaming() const;
  bool read_some();
  void on_eof();
  void keep(std::string_view bytes, bool from_kept);
  std::size_t feed(std::string_view bytes);
  void give_raw(std::string_view bytes);
  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_body(std::string_view bytes);

  void begin_exchange();
  void on_head();
  bool plan_body();
  bool answered_early();
  void dispatch();
  void refuse(const EdgeError& error);
  void write_answer(Exchange& exchange);
  void write_stream_head(Exchange& exchange);
  void pump(Exchange& exchange);
  void end_exchange();
  Framing framing(const Exchange& exchange, bool keep_alive);
  bool may_keep_alive(const Exchange& exchange) const;

  void flush();
  void become_idle(base::Duration patience);
  void begin_close();
  void check_body_pace(base::SteadyTime now);
  void abort_sink();
  void post_self();

  IoThread& io_;
  const std::shared_ptr<Mailbox> mailbox_;
  const std::shared_ptr<const ListenerState> listener_;
  const std::shared_ptr<const PeerInfo> peer_;
  mutable base::Mutex fd_mu_;  // held to close, and by other threads to ask the kernel
  int fd_;                     // written under fd_mu_ on the I/O thread, which may read it without

  State state_ = State::Idle;
  bool fresh_ = true;  // no request yet
  bool over_address_cap_;
  bool readable_ = true;
  bool peer_closed_ = false;
  bool starved_ = true;  // the parser needs more than was kept
  bool paused_ = false;  // a sink is behind
  bool closing_ = false;
  bool shut_ = false;
  bool blocked_ = false;  // the socket is full
  bool advancing_ = false;
  bool in_callback_ = false;

  std::string in_;  // read, not yet parsed
  std::size_t in_at_ = 0;
  OutQueue out_;
  RequestParser parser_;
  std::shared_ptr<Exchange> exchange_;  // shared: its Responders
  std::optional<Responder> reply_;      // between head and dispatch
  std::shared_ptr<BodySink> sink_;      // shared: see BodyPlan
  std::uint64_t body_limit_ = 0;

  base::SteadyTime deadline_;
  base::SteadyTime progress_;    // the kernel last took a byte
  base::SteadyTime rate_until_;  // end of the present window of the body's rate
  std::uint64_t rate_mark_ = 0;  // body bytes at its start
};

}  // namespace slipway::api
