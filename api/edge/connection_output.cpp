// The half of a Connection that writes: answers, streams, flushing, and how it comes to an end.
#include <sys/socket.h>

#include <exception>
#include <utility>

#include "api/edge/connection.hpp"

namespace slipway::api {
namespace {

constexpr auto kNever = base::SteadyTime::max();
constexpr int kTurns = 32;  // answers of a callback before others get their turn

}  // namespace

bool Connection::may_keep_alive(const Exchange& exchange) const {
  return state_ == State::Busy && exchange.keep_alive() && !closing_ && !peer_closed_ &&
         !listener_->edge->draining.load(std::memory_order_relaxed);
}

Framing Connection::framing(const Exchange& exchange, bool keep_alive) {
  return {.keep_alive = keep_alive,
          .http10 = exchange.http10(),
          .head_only = exchange.head_only(),
          .date = io_.http_date(),
          .request_id = exchange.request_id()};
}

void Connection::write_answer(Exchange& exchange) {
  const bool keep_alive = may_keep_alive(exchange);
  Response& response = exchange.response();
  render_head(out_.tail(), response, framing(exchange, keep_alive));
  out_.commit();
  if (sends_body(response.status, exchange.head_only())) out_.push(std::move(response.body));
  exchange.sent_status = response.status;
  abort_sink();
  end_exchange();
  if (keep_alive) {
    become_idle(limits().idle_time);
  } else {
    begin_close();
  }
}

void Connection::write_stream_head(Exchange& exchange) {
  const bool keep_alive = !exchange.raw() && !exchange.http10() && may_keep_alive(exchange);
  Framing frame = framing(exchange, keep_alive);
  frame.chunked = exchange.chunked();
  frame.until_close = !exchange.raw() && exchange.http10();
  frame.upgrade = exchange.raw();
  abort_sink();
  if (!keep_alive) closing_ = closing_ || !exchange.raw();
  state_ = exchange.raw() ? State::Raw : State::Stream;
  render_head(out_.tail(), exchange.response(), frame);
  out_.commit();
  exchange.sent_status = exchange.response().status;
  exchange.head_written = true;
  deadline_ = kNever;
  listener_->edge->counters.streams.fetch_add(1, std::memory_order_relaxed);
  if (exchange.raw() || !exchange.head_only()) return;
  exchange.set_closed();  // HEAD: whoever writes learns that nobody reads
  end_exchange();
  if (keep_alive) {
    become_idle(limits().idle_time);
  } else {
    begin_close();
  }
}

// Moves what was written to the socket, and asks for more while it takes all of it.
void Connection::pump(Exchange& exchange) {
  const auto held = exchange.shared_from_this();
  for (int turn = 0; turn < kTurns; ++turn) {
    Exchange::Taken taken = exchange.take();
    if (taken.aborted) {
      if (taken.behind) listener_->edge->counters.count(Refusal::StreamBehind);
      close();
      return;
    }
    out_.push(std::move(taken.bytes));
    flush();
    if (state_ == State::Closed) return;
    exchange.note_queued(out_.size());
    if (taken.finished) {
      const bool keep_alive = state_ == State::Stream && !closing_ && !peer_closed_ &&
                              !listener_->edge->draining.load(std::memory_order_relaxed);
      end_exchange();
      if (keep_alive) {
        become_idle(limits().idle_time);
      } else {
        begin_close();
      }
      return;
    }
    if (!out_.empty() || !taken.wants_more) return;
    in_callback_ = true;
    try {
      exchange.ask_for_more();
    } catch (const std::exception&) {
      exchange.abort();
    }
    in_callback_ = false;
  }
  mailbox_->post(held);
}

void Connection::end_exchange() {
  EdgeState& edge = *listener_->edge;
  const auto exchange = std::move(exchange_);
  exchange_.reset();
  edge.counters.in_flight.fetch_sub(1, std::memory_order_relaxed);
  if (exchange->head_written) edge.counters.streams.fetch_sub(1, std::memory_order_relaxed);
  exchange->drop_callbacks();
  exchange->record(edge, listener_->options.name);
}

void Connection::flush() {
  if (!out_.empty()) {
    const std::size_t before = out_.size();
    const OutQueue::Flushed flushed = out_.flush(fd_);
    if (flushed == OutQueue::Flushed::Broken) {
      close();
      return;
    }
    if (!blocked_ || out_.size() != before) progress_ = io_.now();
    blocked_ = flushed == OutQueue::Flushed::Blocked;
  }
  if (!out_.empty() || state_ != State::Linger || shut_) return;
  shut_ = true;
  ::shutdown(fd_, SHUT_WR);
  deadline_ = io_.now() + limits().linger_time;
  if (peer_closed_ && !readable_) close();
}

void Connection::become_idle(base::Duration patience) {
  state_ = State::Idle;
  starved_ = false;
  deadline_ = io_.now() + patience;
}

// The last answer is on its way. What the client still sends is read and thrown away for a moment:
// closing at once would reset the connection and could take the answer with it.
void Connection::begin_close() {
  closing_ = true;
  state_ = State::Linger;
  deadline_ = kNever;  // set once all is out; until then the stall limit holds
  std::string().swap(in_);
  in_at_ = 0;
  parser_.reset();
  reply_.reset();
}

void Connection::abort_sink() {
  if (!sink_) return;
  const auto sink = std::move(sink_);
  sink_.reset();
  sink->on_abort();
}

}  // namespace slipway::api
