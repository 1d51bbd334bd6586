// What a scrape of /metrics fetches from those who count it anyway.
#include <algorithm>

#include "api/queue_numbers.hpp"
#include "app/service.hpp"

namespace slipway::app {
namespace {

constexpr std::string_view kProjection = "read_models";

}  // namespace

std::string Service::scrape() {
  metrics::Instruments& m = instruments_;
  const auto counts = engine_->projector().live_counts();
  show_counts(m, counts);
  show_workers(m, engine_->sequencer().workers());
  const auto head = commit_clock_->seq();
  m.eventlog_head_seq->set(static_cast<double>(head));
  m.projection_seq.with(kProjection).set(static_cast<double>(counts.seq));
  m.projection_lag_events.with(kProjection)
      .set(static_cast<double>(head - std::min(head, counts.seq)));
  m.projection_last_event_timestamp.with(kProjection).set(counts.last_event_time);
  m.projection_errors.with(kProjection).raise_to(engine_->projector().stats().errors);
  m.http_waiters->set(static_cast<double>(engine_->projector().waiters().size()));
  m.http_rejected.with("rate_limited").raise_to(core_api_->guard().rates().refused());
  m.http_rejected.with("queue_full").raise_to(engine_->sequencer().rejected());
  dialects_->show(m);
  show_broker(m, engine_->broker().counters());
  show_store(m, engine_->log().stats());
  show_queues(counts);
  m.draining->set(draining_.load() ? 1 : 0);
  const auto checks = ready();
  m.ready->set(std::all_of(checks.begin(), checks.end(), [](const auto& c) { return c.ok; }) ? 1
                                                                                             : 0);
  if (server_ != nullptr) show_edge(server_->counters());
  return m.registry.scrape();
}

void Service::show_edge(const api::EdgeCounters& counters) {
  for (std::size_t i = 0; i < api::kRefusals; ++i) {
    const auto reason = static_cast<api::Refusal>(i);
    instruments_.http_rejected.with(api::refusal_name(reason)).raise_to(counters.of(reason));
  }
  instruments_.http_requests_in_flight->set(static_cast<double>(counters.in_flight.load()));
}

void Service::show_queues(const eventstore::LiveCounts& counts) {
  const auto workers = engine_->sequencer().workers();
  for (const std::string& pool : api::worker_pools(counts, workers)) {
    const auto queue = api::queue_numbers(core_api_->services(), counts, workers, pool);
    instruments_.workers_desired.with(pool).set(static_cast<double>(queue.desired_workers));
  }
}

}  // namespace slipway::app
