#pragma once
// One event as clients see it, and who may see which.
#include <optional>
#include <string>
#include <vector>

#include "core/domain/record.hpp"
#include "eventstore/read_models.hpp"

namespace slipway::api {

// {"seq":..,"time":..,"type":..,"stream":..,"version":..,"schema":..,"tenant":..,...,"data":{..}}
// on one line. Secrets are not in events, only references to them.
std::string event_body(const domain::Envelope& envelope, domain::Seq seq,
                       const domain::Event& event);

// Which events a reader gets: of one tenant, or of all; of one task and what it works on, or of
// everything.
class EventFilter {
 public:
  explicit EventFilter(const eventstore::Scope& scope) : scope_(scope) {}
  EventFilter(const eventstore::Scope& scope, const eventstore::TaskRow& task);

  bool sees(const domain::RecordBody& record, const domain::Event& event) const;
  // The event after which nothing more comes: the end of the one task.
  bool is_last(const domain::Event& event) const;
  // The task's streams in the index of the log; empty for a filter on everything.
  std::vector<std::string> index_keys() const;

 private:
  eventstore::Scope scope_;
  std::optional<domain::TaskId> task_;
  std::vector<base::Uuid> related_;  // its VM or image
};

}  // namespace slipway::api
