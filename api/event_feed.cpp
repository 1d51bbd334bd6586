#include "api/event_feed.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::api {

using base::Lock;
using eventstore::CommittedBatchPtr;

EventFeed::EventFeed(const eventstore::EventLog& log, const base::Clock& clock, Options options)
    : log_(log), clock_(clock), options_(options) {}

EventFeed::~EventFeed() { stop(); }

void EventFeed::start(domain::Seq head) {
  head_ = head;
  thread_ = std::thread([this] { run(); });
}

void EventFeed::stop() {
  {
    Lock lock(mu_);
    stopped_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void EventFeed::on_committed(const CommittedBatchPtr& batch) {
  {
    Lock lock(mu_);
    incoming_.push_back(batch);
    // Nobody listens: only the head matters, and the newest batch has it.
    while (streams_ == 0 && incoming_.size() > 16) incoming_.pop_front();
    if (streams_ == 0) return;
  }
  wake_.notify_one();
}

bool EventFeed::subscribe(const Stream& stream, const EventFilter& filter, domain::Seq from) {
  const base::SteadyTime now = clock_.steady();
  {
    Lock lock(mu_);
    if (stopped_ || streams_ >= options_.max_streams) return false;
    ++streams_;
    arrivals_.push_back({stream, filter, std::max<domain::Seq>(from, 1), now, now, false});
  }
  wake_.notify_one();
  return true;
}

void EventFeed::run() {
  Pumped most = Pumped::Idle;
  for (;;) {
    std::deque<CommittedBatchPtr> batches;
    {
      Lock lock(mu_);
      const std::chrono::milliseconds wait(most == Pumped::More      ? 0
                                           : most == Pumped::Blocked ? 10
                                                                     : 1000);
      wake_.wait_for(lock.native(), wait, [this]() SLIPWAY_TS(no_thread_safety_analysis) {
        return stopped_ || !arrivals_.empty() || (streams_ != 0 && !incoming_.empty());
      });
      if (stopped_) break;
      batches.swap(incoming_);
      for (Subscriber& s : arrivals_) subscribers_.push_back(std::move(s));
      arrivals_.clear();
    }
    keep(batches);
    most = Pumped::Idle;
    for (Subscriber& s : subscribers_) most = std::max(most, pump(s));
    const std::size_t gone =
        subscribers_.remove_if([](const Subscriber& s) { return s.ended || !s.stream.alive(); });
    Lock lock(mu_);
    streams_ -= gone;
  }
  for (const Subscriber& s : subscribers_) s.stream.finish();
  subscribers_.clear();
}

void EventFeed::keep(std::deque<CommittedBatchPtr>& batches) {
  for (CommittedBatchPtr& batch : batches) {
    // A gap (batches dropped while nobody listened): the ring begins anew, the log has the rest.
    if (batch->first_seq != head_ + 1) {
      ring_.clear();
      ring_events_ = 0;
    }
    head_ = std::max(head_, batch->next_seq - 1);
    ring_events_ += batch->next_seq - batch->first_seq;
    ring_.push_back({std::move(batch), {}});
  }
  while (ring_.size() > 1 && ring_events_ > options_.ring_events) {
    ring_events_ -= ring_.front().batch->next_seq - ring_.front().batch->first_seq;
    ring_.pop_front();
  }
}

EventFeed::Pumped EventFeed::pump(Subscriber& s) {
  if (s.stream.pending() > kPendingMax) return Pumped::Blocked;
  bool more = false;
  if (s.next <= head_) {
    const bool in_ring = !ring_.empty() && ring_.front().batch->first_seq <= s.next;
    more = in_ring ? pump_ring(s) : pump_log(s);
  }
  if (!s.ended) keep_alive(s);
  return more && !s.ended ? Pumped::More : Pumped::Idle;
}

void EventFeed::keep_alive(Subscriber& s) {
  const base::SteadyTime now = clock_.steady();
  if (now - s.begun >= options_.longest_stream) {
    s.stream.finish();
    s.ended = true;
  } else if (now - s.last_write >= options_.comment_interval) {
    s.stream.write(": still here\n\n");
    s.last_write = now;
  }
}

// False once the stream has ended with this event.
bool EventFeed::write(Subscriber& s, domain::Seq seq, const domain::Event& event,
                      std::string_view line) {
  const auto written = s.stream.write(
      fmt::format("id: {}\nevent: {}\ndata: {}\n\n", seq, domain::event_type(event.body), line));
  s.last_write = clock_.steady();
  if (written == Stream::Written::Gone) {
    s.ended = true;
  } else if (s.filter.is_last(event)) {
    s.stream.finish();
    s.ended = true;
  }
  return !s.ended;
}

bool EventFeed::pump_ring(Subscriber& s) {
  std::size_t written = 0;
  for (Kept& kept : ring_) {
    if (kept.batch->next_seq <= s.next) continue;
    if (kept.lines.empty()) kept.lines.resize(kept.batch->next_seq - kept.batch->first_seq);
    for (const domain::RecordBody& record : kept.batch->records) {
      domain::Seq seq = record.envelope.seq;
      for (const domain::Event& event : record.events) {
        const domain::Seq at = seq++;
        if (at < s.next) continue;
        s.next = at + 1;
        if (!s.filter.sees(record, event)) continue;
        std::string& line = kept.lines[at - kept.batch->first_seq];
        if (line.empty()) line = event_body(record.envelope, at, event);
        if (!write(s, at, event, line)) return false;
        if (++written >= kEventsAtOnce) return true;
      }
    }
    s.next = kept.batch->next_seq;
  }
  return false;
}

bool EventFeed::pump_log(Subscriber& s) {
  EventReader reader(log_, s.filter, s.next);
  std::size_t bytes = 0;
  const auto more = reader.read({.events = kEventsAtOnce, .bytes = kPendingMax, .looked_at = 5000},
                                bytes, [&](const auto& envelope, domain::Seq seq, const auto& e) {
                                  if (s.ended) return;
                                  const std::string line = event_body(envelope, seq, e);
                                  bytes += line.size();
                                  write(s, seq, e, line);
                                });
  if (!more) {
    s.stream.abort();
    s.ended = true;
    return false;
  }
  // A filter on streams skips what others did: at its end it is at the head.
  s.next = *more ? reader.next() : std::max(reader.next(), head_ + 1);
  return s.next <= head_;
}

}  // namespace slipway::api
