// The half of a Connection that reads: events, bytes, requests. The other is connection_output.cpp.
#include "api/edge/connection.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

namespace slipway::api {
namespace {

constexpr auto kNever = base::SteadyTime::max();
constexpr std::size_t kPipelineBytes = 64 << 10;  // answers not yet taken: no further request
constexpr std::size_t kKeepBytes = 4 << 10;       // capacity an idle connection may hold
constexpr int kTurns = 32;                        // reads (of 64 KiB) before others get their turn

base::Errc errc_of(int status) {
  switch (status) {
    case 408:
      return base::Errc::DeadlineExceeded;
    case 413:
      return base::Errc::BodyTooLarge;
    case 415:
      return base::Errc::UnsupportedMediaType;
    case 429:
      return base::Errc::RateLimited;
    default:
      return base::Errc::InvalidArgument;
  }
}

}  // namespace

Connection::Connection(IoThread& io, int fd, std::shared_ptr<const ListenerState> listener,
                       std::shared_ptr<const PeerInfo> peer, bool over_address_cap)
    : io_(io),
      mailbox_(io.mailbox()),
      listener_(std::move(listener)),
      peer_(std::move(peer)),
      fd_(fd),
      over_address_cap_(over_address_cap),
      parser_(listener_->edge->limits()) {}

// Its thread holds it until it is closed; only one that never reached its thread is still open.
Connection::~Connection() {
  if (state_ == State::Closed) return;
  ::close(fd_);
  listener_->edge->forget(peer_->address);
}

void Connection::start() {
  become_idle(limits().header_time);
  if (!io_.watch(fd_, *this)) {
    close();
    return;
  }
  advance();
}

std::size_t Connection::kernel_pending() const {
  base::Lock lock(fd_mu_);
  int bytes = 0;
  if (fd_ < 0 || ::ioctl(fd_, SIOCOUTQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::size_t>(bytes);
}

// --- events
// ---------------------------------------------------------------------------------------

void Connection::on_io(IoEvents events) {
  if (state_ == State::Closed) return;
  readable_ = readable_ || events.readable || events.peer_closed;
  if (events.hangup) {
    close();
    return;
  }
  if (events.peer_closed && !peer_closed_) {
    peer_closed_ = true;
    // A client may close its sending side and still read: it is told as gone, and answered.
    if (exchange_) exchange_->set_gone();
  }
  advance();
}

void Connection::on_exchange(Exchange& exchange) {
  if (state_ == State::Closed || exchange_.get() != &exchange) return;
  switch (exchange.phase()) {
    case Exchange::Phase::Open:
      if (paused_) {  // the sink has caught up
        paused_ = false;
        rate_mark_ = parser_.body_received();
        rate_until_ = io_.now() + limits().body_rate_window;
      }
      break;
    case Exchange::Phase::Claimed:
      return;
    case Exchange::Phase::Answered:
      write_answer(exchange);
      break;
    case Exchange::Phase::Streaming:
      if (!exchange.head_written) write_stream_head(exchange);
      break;
  }
  advance();
}

void Connection::on_drain() {
  if (state_ == State::Idle && in_.empty()) begin_close();
  if (streaming()) exchange_->end_stream();
  advance();
}

void Connection::on_tick(base::SteadyTime now) {
  EdgeCounters& counters = listener_->edge->counters;
  if (blocked_ && now - progress_ > limits().stall_time) {
    counters.count(Refusal::StalledReader);
    close();
    return;
  }
  if (state_ == State::Body && !paused_) check_body_pace(now);
  if (now < deadline_) return;
  switch (state_) {
    case State::Idle:
      counters.count(fresh_ ? Refusal::HeaderTime : Refusal::IdleTime);
      begin_close();
      advance();
      break;
    case State::Head:
      refuse({408, Refusal::HeaderTime, "headers came too slowly"});
      advance();
      break;
    case State::Linger:
      close();
      break;
    default:
      break;
  }
}

void Connection::check_body_pace(base::SteadyTime now) {
  const bool late = !sink_ && now >= deadline_;
  bool slow = false;
  if (now >= rate_until_) {
    const std::uint64_t got = parser_.body_received() - rate_mark_;
    const auto window = std::chrono::duration<double>(limits().body_rate_window).count();
    slow = static_cast<double>(got) < static_cast<double>(limits().body_bytes_per_second) * window;
    rate_mark_ = parser_.body_received();
    rate_until_ = now + limits().body_rate_window;
  }
  if (!late && !slow) return;
  refuse({408, late ? Refusal::BodyTime : Refusal::BodyRate, "body came too slowly"});
  advance();
}

void Connection::close() {
  if (state_ == State::Closed) return;
  state_ = State::Closed;
  const auto self = shared_from_this();
  io_.unwatch(fd_);
  {
    base::Lock lock(fd_mu_);
    ::close(fd_);
    fd_ = -1;
  }
  abort_sink();
  if (exchange_) {
    if (exchange_->sent_status == 0) exchange_->sent_status = 499;
    exchange_->set_closed();
    end_exchange();
  }
  reply_.reset();
  listener_->edge->forget(peer_->address);
  io_.retire(*this);
}

// --- reading
// --------------------------------------------------------------------------------------

bool Connection::streaming() const { return state_ == State::Stream || state_ == State::Raw; }
bool Connection::reading() const {
  return state_ == State::Idle || state_ == State::Head || state_ == State::Body;
}

// Goes on as far as input and output allow. A connection with much to do is cut short after some
// turns and comes again by mail, after the others.
void Connection::advance() {
  if (advancing_ || state_ == State::Closed) return;
  advancing_ = true;
  int turns = 0;
  do {
    while (turns < kTurns && step()) ++turns;
  } while (settle() && turns < kTurns);
  advancing_ = false;
  if (turns == kTurns && state_ != State::Closed) post_self();
}

// Sends what there is. True when that has made room for more input.
bool Connection::settle() {
  const bool held_back = streaming() || out_.size() > kPipelineBytes;
  if (streaming()) pump(*exchange_);
  if (state_ != State::Closed && !streaming()) flush();
  return held_back && reading() && out_.size() <= kPipelineBytes;
}

void Connection::post_self() { mailbox_->post(shared_from_this()); }

// One piece of input; false when there is none, or it may not be looked at yet.
bool Connection::step() {
  const bool kept = in_at_ < in_.size();
  switch (state_) {
    case State::Idle:
    case State::Head:
    case State::Body:
      if (paused_) return false;
      if (out_.size() > kPipelineBytes) {
        flush();
        if (out_.size() > kPipelineBytes || state_ == State::Closed) return false;
      }
      if (kept && !starved_) {
        keep({}, true);
        return state_ != State::Closed;
      }
      return read_some();
    case State::Raw:
      if (out_.size() > kPipelineBytes) return false;
      if (kept) {
        keep({}, true);
        return state_ != State::Closed;
      }
      return read_some();
    case State::Linger:
      return read_some();
    case State::Busy:
    case State::Stream:
    case State::Closed:
      return false;
  }
  return false;
}

bool Connection::read_some() {
  if (!readable_) return false;
  const std::span<char> scratch = io_.scratch();
  const ssize_t n = ::recv(fd_, scratch.data(), scratch.size(), 0);
  if (n < 0) {
    if (errno == EINTR) return true;
    readable_ = false;
    if (errno != EAGAIN && errno != EWOULDBLOCK) close();
    return false;
  }
  if (n == 0) {
    readable_ = false;
    on_eof();
    return false;
  }
  // Less than asked for: the socket is empty, and the next byte (or the end) is a new event.
  const auto size = static_cast<std::size_t>(n);
  if (size < scratch.size() && !peer_closed_) readable_ = false;
  if (state_ == State::Linger) return true;  // thrown away
  keep({scratch.data(), size}, false);
  return state_ != State::Closed;
}

void Connection::on_eof() {
  peer_closed_ = true;
  if (state_ == State::Linger && out_.empty()) {
    close();
  } else if (state_ == State::Raw) {
    exchange_->set_gone();
    begin_close();
  } else if (state_ != State::Linger) {
    if (out_.empty()) {
      close();
    } else {
      begin_close();
    }
  }
}

// Feeds what was kept before (`from_kept`) or `bytes` just read; keeps what was not consumed.
void Connection::keep(std::string_view bytes, bool from_kept) {
  if (!from_kept && in_at_ < in_.size()) {
    in_.append(bytes);
    from_kept = true;
  }
  if (from_kept) {
    in_at_ += feed(std::string_view(in_).substr(in_at_));
    if (state_ == State::Closed || state_ == State::Linger) in_at_ = in_.size();
    if (in_at_ < in_.size() && in_at_ < in_.capacity() / 2) return;
    in_.erase(0, in_at_);
    in_at_ = 0;
    if (in_.empty() && in_.capacity() > kKeepBytes) std::string().swap(in_);
    return;
  }
  const std::size_t used = feed(bytes);
  if (state_ == State::Closed || state_ == State::Linger) return;
  in_.assign(bytes.substr(used));
  in_at_ = 0;
}

// Until the parser is starved, or something is under way. How much was consumed.
std::size_t Connection::feed(std::string_view bytes) {
  std::size_t used = 0;
  starved_ = false;
  if (state_ == State::Raw) {
    give_raw(bytes);
    return bytes.size();
  }
  while (reading() && !starved_ && !paused_ && out_.size() <= kPipelineBytes) {
    const std::string_view rest = bytes.substr(used);
    if (state_ == State::Body) {
      used += feed_body(rest);
    } else if (rest.empty()) {
      starved_ = true;
    } else {
      used += feed_head(rest);
    }
  }
  return used;
}

void Connection::give_raw(std::string_view bytes) {
  in_callback_ = true;
  try {
    exchange_->on_bytes()(bytes);
  } catch (const std::exception&) {
    exchange_->abort();
  }
  in_callback_ = false;
  pump(*exchange_);
}

std::size_t Connection::feed_head(std::string_view bytes) {
  std::size_t taken = 0;
  switch (parser_.take_head(bytes, taken, io_.ids())) {
    case RequestParser::Step::NeedMore:
      starved_ = true;
      if (state_ == State::Idle) {
        state_ = State::Head;
        deadline_ = io_.now() + limits().header_time;
      }
      break;
    case RequestParser::Step::Refused:
      refuse(parser_.error());
      break;
    case RequestParser::Step::Done:
      on_head();
      break;
  }
  return taken;
}

std::size_t Connection::feed_body(std::string_view bytes) {
  std::size_t taken = 0;
  const std::uint64_t before = parser_.body_received();
  const auto step = parser_.take_body(bytes, taken, body_limit_, sink_.get());
  const auto got = static_cast<std::size_t>(parser_.body_received() - before);
  if (sink_ && got > 0) paused_ = exchange_->handed_out(got, limits().sink_window_bytes);
  if (answered_early()) return taken;  // the sink has refused the rest
  switch (step) {
    case RequestParser::Step::NeedMore:
      starved_ = true;
      break;
    case RequestParser::Step::Refused:
      refuse(parser_.error());
      break;
    case RequestParser::Step::Done:
      paused_ = false;
      dispatch();
      break;
  }
  return taken;
}

// --- requests
// -------------------------------------------------------------------------------------

void Connection::begin_exchange() {
  Request& request = parser_.request();
  request.peer_ = peer_;
  const auto now = std::chrono::time_point_cast<base::Duration>(std::chrono::steady_clock::now());
  exchange_ = std::make_shared<Exchange>(shared_from_this(), request, now);
  reply_.emplace(exchange_);
  listener_->edge->counters.in_flight.fetch_add(1, std::memory_order_relaxed);
  fresh_ = false;
}

void Connection::on_head() {
  begin_exchange();
  if (over_address_cap_) {
    refuse({429, Refusal::AddressCap, "too many connections from this address"});
    return;
  }
  if (!parser_.request().has_body()) {
    dispatch();
    return;
  }
  if (!plan_body()) return;
  state_ = State::Body;
  if (parser_.request().expects_continue_) {
    out_.append("HTTP/1.1 100 Continue\r\n\r\n");
    flush();
  }
  rate_mark_ = 0;
  rate_until_ = io_.now() + limits().body_rate_window;
  deadline_ = io_.now() + limits().body_time;
}

// Asks the handler what to do with the body; false when it is not wanted and was answered.
bool Connection::plan_body() {
  BodyPlan plan;
  in_callback_ = true;
  try {
    plan = listener_->options.handler->on_head(parser_.request(), *reply_);
  } catch (const std::exception& e) {
    exchange_->fail(e.what());
  } catch (...) {
    exchange_->fail("unknown exception");
  }
  in_callback_ = false;
  sink_ = std::move(plan.sink);
  body_limit_ = plan.limit == BodyPlan::kDefaultLimit ? limits().body_bytes : plan.limit;
  if (answered_early()) return false;
  if (parser_.request().content_length_ > body_limit_) {
    refuse({413, Refusal::BodyBytes, "body is too large"});
    return false;
  }
  return true;
}

// Answered before its body was read: the rest is not wanted, and the connection closes after it.
bool Connection::answered_early() {
  const Exchange::Phase phase = exchange_->phase();
  if (phase == Exchange::Phase::Open) return false;
  closing_ = true;
  state_ = State::Busy;
  if (phase != Exchange::Phase::Claimed) on_exchange(*exchange_);
  return true;
}

// The one place that catches everything: a handler's exception is a bug of ours, and the client is
// told nothing but 500.
void Connection::dispatch() {
  state_ = State::Busy;
  deadline_ = kNever;
  Request request = std::move(parser_.request());
  request.sink_ = std::move(sink_);
  parser_.reset();
  Responder reply = std::move(*reply_);
  reply_.reset();
  const auto exchange = exchange_;
  in_callback_ = true;
  try {
    listener_->options.handler->on_request(std::move(request), std::move(reply));
  } catch (const std::exception& e) {
    exchange->fail(e.what());
  } catch (...) {
    exchange->fail("unknown exception");
  }
  in_callback_ = false;
  if (peer_closed_) exchange->set_gone();
  if (exchange->phase() != Exchange::Phase::Open) on_exchange(*exchange);
}

void Connection::refuse(const EdgeError& error) {
  listener_->edge->counters.count(error.reason);
  Request& request = parser_.request();
  if (!exchange_) {
    if (request.request_id_.empty()) parser_.name_unparsed(io_.ids());
    begin_exchange();
  }
  base::Error told{errc_of(error.status), error.detail, {}};
  closing_ = true;  // nothing that follows can be trusted
  state_ = State::Busy;
  in_callback_ = true;  // written below, not by mail
  exchange_->answer(exchange_->render(told, error.status));
  in_callback_ = false;
  on_exchange(*exchange_);
}

}  // namespace slipway::api
