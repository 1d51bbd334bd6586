#include "api/edge/exchange.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/edge/connection.hpp"

namespace slipway::api {

Exchange::Exchange(std::shared_ptr<Connection> connection, const Request& request,
                   base::SteadyTime started)
    : connection_(std::move(connection)),
      method_(request.method()),
      version_(static_cast<std::uint8_t>(request.version())),
      keep_alive_(request.keep_alive()),
      started_(started) {
  const std::string_view id = request.request_id();
  request_id_size_ = static_cast<std::uint8_t>(id.copy(request_id_.data(), request_id_.size()));
  trace_id_ = request.trace().trace;
}

// Tells the I/O thread; a callback of this very connection is seen to when it returns.
void Exchange::hand_over() {
  Mailbox& mailbox = connection_->mailbox();
  if (mailbox.on_owner_thread() && connection_->in_callback()) return;
  mailbox.post(shared_from_this());
}

void Exchange::on_mail() { connection_->on_exchange(*this); }

bool Exchange::claim() {
  Phase open = Phase::Open;
  return phase_.compare_exchange_strong(open, Phase::Claimed);
}

void Exchange::settle(Phase phase) {
  phase_.store(phase, std::memory_order_release);
  hand_over();
}

bool Exchange::answer(Response&& response) {
  if (!claim()) return false;
  response_ = std::move(response);
  settle(Phase::Answered);
  return true;
}

bool Exchange::fail(std::string why) {
  if (!claim()) return false;
  failure_ = std::move(why);
  response_ = render({base::Errc::Internal, {}, {}}, 500);
  settle(Phase::Answered);
  return true;
}

bool Exchange::start_stream(Response&& head, Bytes on_bytes) {
  if (!claim()) return false;
  response_ = std::move(head);
  raw_ = on_bytes != nullptr;
  on_bytes_ = std::move(on_bytes);
  settle(Phase::Streaming);
  return true;
}

void Exchange::release() {
  if (handles_.fetch_sub(1, std::memory_order_acq_rel) == 1 && phase() == Phase::Open) {
    fail("dropped without an answer");
  }
}

Response Exchange::render(const base::Error& error, int status) const {
  ErrorInfo info = error_info(error, request_id(), trace_id());
  info.status = status;
  return connection_->listener().options.render_error(info);
}

void Exchange::set_route(std::string_view dialect, std::string_view route) {
  base::Lock lock(mu_);
  dialect_ = dialect;
  route_ = route;
}

void Exchange::append_framed(std::string_view bytes) {
  if (!chunked()) {
    buffer_.append(bytes);
    return;
  }
  char size[16];
  const auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
  buffer_.append(size, end).append("\r\n").append(bytes).append("\r\n");
}

Stream::Written Exchange::write(std::string_view bytes) {
  const Limits& limits = connection_->limits();
  bool kick = false;
  std::size_t waiting = 0;
  {
    base::Lock lock(mu_);
    if (finished_ || aborted_ || closed_) return Stream::Written::Gone;
    if (bytes.empty()) return Stream::Written::Ok;  // an empty chunk would end the body
    append_framed(bytes);
    asked_ = false;
    waiting = buffer_.size() + queued_;
    waiting_.store(waiting, std::memory_order_relaxed);
    if (waiting > limits.stream_behind_bytes && bytes.size() < waiting) aborted_ = behind_ = true;
    kick = !std::exchange(kicked_, true);
  }
  if (kick) hand_over();
  return waiting > limits.stream_high_water_bytes ? Stream::Written::Behind : Stream::Written::Ok;
}

void Exchange::on_writable(More more) {
  bool kick = false;
  {
    base::Lock lock(mu_);
    if (finished_ || aborted_ || closed_) return;
    on_writable_ = std::make_shared<const More>(std::move(more));
    asked_ = false;
    kick = !std::exchange(kicked_, true);
  }
  if (kick) hand_over();
}

bool Exchange::open() const {
  if (gone_) return false;
  base::Lock lock(mu_);
  return !finished_ && !aborted_ && !closed_;
}

std::size_t Exchange::pending() const {
  return waiting_.load(std::memory_order_relaxed) + connection_->kernel_pending();
}

void Exchange::finish() {
  bool kick = false;
  {
    base::Lock lock(mu_);
    if (finished_ || aborted_ || closed_) return;
    if (chunked()) buffer_.append("0\r\n\r\n");
    finished_ = true;
    kick = !std::exchange(kicked_, true);
  }
  if (kick) hand_over();
}

void Exchange::abort() {
  {
    base::Lock lock(mu_);
    if (finished_ || aborted_ || closed_) return;
    aborted_ = true;
    kicked_ = true;
  }
  hand_over();
}

void Exchange::end_stream() {
  finish();
  set_gone();
}

void Exchange::on_gone(std::function<void()> gone) {
  {
    base::Lock lock(mu_);
    if (!gone_) {
      if (!closed_) on_gone_.push_back(std::move(gone));
      return;
    }
  }
  gone();
}

void Exchange::set_gone() {
  std::vector<std::function<void()>> tell;
  {
    base::Lock lock(mu_);
    gone_ = true;
    tell.swap(on_gone_);
  }
  for (const auto& gone : tell) gone();
}

void Exchange::set_closed() {
  {
    base::Lock lock(mu_);
    closed_ = true;
  }
  set_gone();
}

// Callbacks may hold handles on this very exchange: they go when it ends, or it would live for
// ever.
void Exchange::drop_callbacks() {
  std::vector<std::function<void()>> gone;
  std::shared_ptr<const More> more;
  Bytes bytes;
  base::Lock lock(mu_);
  closed_ = true;
  gone.swap(on_gone_);
  more.swap(on_writable_);
  bytes.swap(on_bytes_);
}

Exchange::Taken Exchange::take() {
  base::Lock lock(mu_);
  kicked_ = false;
  Taken taken{std::move(buffer_), finished_, aborted_, behind_,
              on_writable_ != nullptr && !asked_ && !finished_};
  buffer_.clear();
  queued_ += taken.bytes.size();
  return taken;
}

void Exchange::note_queued(std::size_t bytes) {
  base::Lock lock(mu_);
  queued_ = bytes;
  waiting_.store(buffer_.size() + bytes, std::memory_order_relaxed);
}

void Exchange::ask_for_more() {
  std::shared_ptr<const More> more;
  {
    base::Lock lock(mu_);
    if (asked_ || finished_ || aborted_ || closed_) return;
    asked_ = true;
    more = on_writable_;
  }
  if (more) (*more)(Stream(shared_from_this()));
}

bool Exchange::handed_out(std::size_t bytes, std::size_t window) {
  const auto limit = static_cast<std::int64_t>(window);
  if (not_consumed_.fetch_add(static_cast<std::int64_t>(bytes)) +
          static_cast<std::int64_t>(bytes) <=
      limit) {
    return false;
  }
  upload_waits_ = true;
  // The sink may have caught up between the two lines, and then nobody would wake us.
  if (not_consumed_ > limit / 2) return true;
  return !upload_waits_.exchange(false);
}

void Exchange::consumed(std::size_t bytes) {
  const auto window = static_cast<std::int64_t>(connection_->limits().sink_window_bytes);
  const auto now =
      not_consumed_.fetch_sub(static_cast<std::int64_t>(bytes)) - static_cast<std::int64_t>(bytes);
  if (now <= window / 2 && upload_waits_.exchange(false)) hand_over();
}

void Exchange::record(EdgeState& edge, std::string_view listener) {
  if (!failure_.empty()) edge.counters.count(Refusal::HandlerFailed);
  if (!edge.observer) return;
  const auto now = std::chrono::time_point_cast<base::Duration>(std::chrono::steady_clock::now());
  RequestRecord line;
  {
    base::Lock lock(mu_);
    line.dialect = dialect_;
    line.route = route_;
  }
  line.listener = listener;
  line.method = method_name(method_);
  line.request_id = request_id();
  line.failure = failure_;
  line.status = sent_status;
  line.duration = std::max(base::Duration(0), now - started_ - base::Duration(waited_us_.load()));
  edge.observer(line);
}

}  // namespace slipway::api
