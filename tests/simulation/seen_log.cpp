#include "tests/simulation/seen_log.hpp"

#include "core/domain/task.hpp"

namespace slipway::simulation {

base::Status SeenLog::append(const eventstore::LogBatch& batch) {
  if (plant_ < Plant::VersionSkipped) return log_.append(batch);
  eventstore::LogBatch forged = batch;
  base::JsonWriter scratch;
  for (auto& record : forged.records) {
    auto body = domain::decode_record(record.payload, parser_);
    if (!body) violate("log-readable", body.error().message);
    forge(*body);
    record.payload.clear();
    domain::encode_record(*body, scratch, record.payload);
  }
  return log_.append(forged);
}

void SeenLog::forge(domain::RecordBody& record) {
  for (domain::Event& event : record.events) {
    if (plant_ == Plant::VersionSkipped && event.version == 3) ++event.version;
    if (auto* leased = std::get_if<domain::TaskLeased>(&event.body);
        leased != nullptr && plant_ == Plant::AttemptsUncounted && leased->attempt > 1) {
      leased->attempt += 100;
    }
    if (plant_ == Plant::EventAfterTheEnd) {
      if (ended_ && std::holds_alternative<domain::TaskReady>(event.body)) {
        event = *ended_;
        ++event.version;
      }
      if (std::holds_alternative<domain::TaskSucceeded>(event.body)) ended_ = event;
    }
    if (plant_ == Plant::BusyVmTaken && std::holds_alternative<domain::VmLaunching>(event.body)) {
      domain::TaskId other = record.envelope.correlation;
      other.bytes[15] = static_cast<std::uint8_t>(other.bytes[15] + 1);
      event.body = domain::VmStateChanged{domain::VmState::Starting, other};
    }
  }
}

}  // namespace slipway::simulation
