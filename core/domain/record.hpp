#pragma once
// One command's events, as the log holds them: the envelope once, then the list. JSON, so that any
// tool can read the log for ever:
//
//   {"log":"<uuid>","epoch":1,"seq":17,"time":"2026-...Z","tenant":"demo","actor":"demo",
//    "dialect":"core","request_id":"...","trace":"...","correlation":"<task>","causation":16,
//    "events":[{"stream":"task-...","version":1,"type":"TaskQueued","schema":1,"data":{...}}, ...]}
//
// `seq` is that of the first event; the next event's is one more.
#include <string>
#include <vector>

#include "core/base/json_read.hpp"
#include "core/base/json_write.hpp"
#include "core/domain/events.hpp"

namespace slipway::domain {

struct Envelope {
  base::Uuid log;
  std::uint64_t epoch = 1;
  Seq seq = 0;
  base::Time time{};
  std::string tenant;
  std::string actor;
  Dialect dialect = Dialect::System;
  std::string request_id;
  std::string trace;   // W3C traceparent
  TaskId correlation;  // the task at the root; nil for none
  Seq causation = 0;   // seq of the event before it in the same task; 0 for none
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("log", s.log);
    v("epoch", s.epoch);
    v("seq", s.seq);
    v("time", s.time);
    v("tenant", s.tenant);
    v("actor", s.actor);
    v("dialect", s.dialect);
    v("request_id", s.request_id);
    v("trace", s.trace);
    v("correlation", s.correlation);
    v("causation", s.causation);
  }
};

struct RecordBody {
  Envelope envelope;
  std::vector<Event> events;
};

// Appends the record's JSON to `out`; `scratch` is cleared and reused.
void encode_record(const RecordBody& record, base::JsonWriter& scratch, std::string& out);

// Reads what encode_record of this or any older version wrote. An unknown event type is an Error
// (the log was written by a newer version): the caller stops, it never skips.
base::Result<RecordBody> decode_record(std::string_view json, base::JsonParser& parser);

}  // namespace slipway::domain
