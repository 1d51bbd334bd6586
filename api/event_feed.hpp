#pragma once
// Live event streams (text/event-stream). One thread serves all of them: it takes the batches that
// were committed to the read models from a short ring, and reads the log for a stream that began
// further back or fell behind the ring. A stream is written to only while its reader keeps up, so
// memory does not grow with slow readers.
#include <condition_variable>
#include <deque>
#include <list>
#include <thread>

#include "api/edge/responder.hpp"
#include "api/event_reader.hpp"
#include "core/base/clock.hpp"
#include "core/base/mutex.hpp"
#include "eventstore/committed.hpp"

namespace slipway::api {

class EventFeed final : public eventstore::CommitListener {
 public:
  struct Options {
    base::Duration comment_interval = std::chrono::seconds(15);
    base::Duration longest_stream = std::chrono::minutes(10);
    std::size_t ring_events = 20000;
    std::size_t max_streams = 2000;
  };
  EventFeed(const eventstore::EventLog& log, const base::Clock& clock, Options options);
  EventFeed(const eventstore::EventLog& log, const base::Clock& clock)
      : EventFeed(log, clock, Options()) {}
  ~EventFeed() override;  // stop()

  // `head`: the last seq that the read models hold already.
  void start(domain::Seq head);
  // Ends every stream. Idempotent.
  void stop();

  // The projector's batch listener: only queues.
  void on_committed(const eventstore::CommittedBatchPtr& batch) override;

  // Any thread. Writes all events from `from` on that the filter lets through, and goes on with
  // what comes. False when there are too many streams.
  [[nodiscard]] bool subscribe(const Stream& stream, const EventFilter& filter, domain::Seq from);

 private:
  struct Subscriber {
    Stream stream;
    EventFilter filter;
    domain::Seq next = 0;
    base::SteadyTime begun{};
    base::SteadyTime last_write{};
    bool ended = false;
  };
  struct Kept {  // a batch in the ring; each event is rendered once, for the first who wants it
    eventstore::CommittedBatchPtr batch;
    std::vector<std::string> lines;
  };
  static constexpr std::size_t kEventsAtOnce = 256;  // a subscriber, before the next has its turn
  static constexpr std::size_t kPendingMax = 256U << 10U;

  void run();
  void keep(std::deque<eventstore::CommittedBatchPtr>& batches);
  enum class Pumped : std::uint8_t { Idle, Blocked, More };  // Blocked: its reader is slow
  Pumped pump(Subscriber& s);
  bool pump_ring(Subscriber& s);
  bool pump_log(Subscriber& s);
  bool write(Subscriber& s, domain::Seq seq, const domain::Event& event, std::string_view line);
  void keep_alive(Subscriber& s);

  const eventstore::EventLog& log_;
  const base::Clock& clock_;
  const Options options_;

  base::Mutex mu_;
  std::condition_variable wake_;
  std::deque<eventstore::CommittedBatchPtr> incoming_ GUARDED_BY(mu_);
  std::vector<Subscriber> arrivals_ GUARDED_BY(mu_);
  std::size_t streams_ GUARDED_BY(mu_) = 0;
  bool stopped_ GUARDED_BY(mu_) = false;

  // ---- the feed's thread ----
  std::list<Subscriber> subscribers_;
  std::deque<Kept> ring_;
  std::size_t ring_events_ = 0;
  domain::Seq head_ = 0;
  std::thread thread_;
};

}  // namespace slipway::api
