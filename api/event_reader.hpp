#pragma once
// Reads events for one filter out of the log, a bounded piece at a time. May touch the disk: not on
// an I/O thread.
#include <functional>
#include <memory>

#include "api/event_body.hpp"
#include "eventstore/event_log.hpp"

namespace slipway::api {

class EventReader {
 public:
  // Begins with the event `from`.
  EventReader(const eventstore::EventLog& log, EventFilter filter, domain::Seq from);

  struct Limits {
    std::size_t events = 500;
    std::size_t bytes = std::size_t{1} << 20U;
    std::size_t looked_at = 50000;  // of any tenant: a page may be shorter than its limit
  };
  // Takes one event that the filter lets through.
  using Take = std::function<void(const domain::Envelope&, domain::Seq, const domain::Event&)>;
  // Hands out events until a limit or the end of the log. `bytes` are those of `take`'s own
  // counting: it returns nothing, so the caller adds to `used_bytes`. True when there may be more.
  base::Result<bool> read(const Limits& limits, std::size_t& used_bytes, const Take& take);

  // The next event that it would look at: where to go on.
  domain::Seq next() const { return next_; }

 private:
  base::Result<bool> read_all(const Limits& limits, std::size_t& used_bytes, const Take& take);
  base::Result<bool> read_streams(const Limits& limits, std::size_t& used_bytes, const Take& take);
  base::Status hand_out(const eventstore::Record& record, const Limits& limits,
                        std::size_t& used_bytes, std::size_t& taken, const Take& take);

  const eventstore::EventLog& log_;
  const EventFilter filter_;
  domain::Seq next_;
  base::JsonParser parser_{{.depth = 64, .elements_per_array = 1U << 20U}};
};

}  // namespace slipway::api
