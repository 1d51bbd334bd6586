#pragma once
// The log as the sequencer of a simulation sees it. Honest, but for the plants: it may forget
// idempotency records, or write something else than what was decided.
#include <memory>

#include "core/domain/record.hpp"
#include "eventstore/memory_log.hpp"
#include "tests/simulation/base.hpp"

namespace slipway::simulation {

class SeenLog final : public eventstore::EventLog {
 public:
  SeenLog(eventstore::MemoryLog& log, Plant plant) : log_(log), plant_(plant) {}

  base::Status append(const eventstore::LogBatch& batch) override;
  const eventstore::LogHead& head() const override { return log_.head(); }
  base::Result<std::unique_ptr<eventstore::LogCursor>> read(eventstore::Seq from) const override {
    return log_.read(from);
  }
  base::Result<std::optional<eventstore::Record>> find(eventstore::Seq seq,
                                                       std::string& storage) const override {
    return log_.find(seq, storage);
  }
  base::Result<std::vector<eventstore::Seq>> stream_records(std::string_view key,
                                                            eventstore::Seq from,
                                                            std::size_t limit) const override {
    return log_.stream_records(key, from, limit);
  }
  base::Result<std::optional<std::string>> idempotency(std::string_view key) const override {
    if (plant_ == Plant::NoIdempotency) return std::optional<std::string>();
    return log_.idempotency(key);
  }
  base::Result<std::optional<std::string>> secret(std::string_view ref) const override {
    return log_.secret(ref);
  }
  base::Result<std::vector<eventstore::LogBatch::Put>> range(eventstore::LogColumn column,
                                                             std::string_view from,
                                                             std::string_view to,
                                                             std::size_t limit) const override {
    return log_.range(column, from, to, limit);
  }
  std::uint64_t free_bytes() const override { return log_.free_bytes(); }

 private:
  void forge(domain::RecordBody& record);

  eventstore::MemoryLog& log_;
  const Plant plant_;
  std::optional<domain::Event> ended_;  // the end of a task, to be said again
  base::JsonParser parser_;
};

}  // namespace slipway::simulation
