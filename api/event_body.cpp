#include "api/event_body.hpp"

#include <algorithm>

namespace slipway::api {

using domain::StreamKind;

std::string event_body(const domain::Envelope& envelope, domain::Seq seq,
                       const domain::Event& event) {
  thread_local base::JsonWriter w;
  w.clear();
  w.begin_object().member("seq", seq).member("time", envelope.time);
  w.member("type", domain::event_type(event.body)).member("stream", event.stream.text());
  w.member("version", event.version);
  w.member("tenant", envelope.tenant).member("actor", envelope.actor);
  w.member("dialect", base::enum_name(envelope.dialect));
  w.member("request_id", envelope.request_id).member("trace", envelope.trace);
  w.key("correlation");
  envelope.correlation.is_nil() ? w.null() : w.value(envelope.correlation);
  w.key("causation");
  envelope.causation == 0 ? w.null() : w.value(envelope.causation);
  std::visit(
      [](const auto& e) {
        using E = std::decay_t<decltype(e)>;
        w.member("schema", E::kSchema).key("data");
        base::write_json(w, e);
      },
      event.body);
  return w.end_object().text();
}

EventFilter::EventFilter(const eventstore::Scope& scope, const eventstore::TaskRow& task)
    : scope_(scope), task_(task.id) {
  for (const domain::ResourceRef& r : task.doc.resources) related_.push_back(r.id);
}

bool EventFilter::sees(const domain::RecordBody& record, const domain::Event& event) const {
  if (!scope_.everything() && record.envelope.tenant != scope_.name()) return false;
  if (!task_ || event.stream.id == *task_) return true;
  if (std::find(related_.begin(), related_.end(), event.stream.id) == related_.end()) return false;
  // Of what it works on only what happened together with this task.
  return std::any_of(record.events.begin(), record.events.end(),
                     [&](const domain::Event& e) { return e.stream.id == *task_; });
}

bool EventFilter::is_last(const domain::Event& event) const {
  if (!task_ || event.stream.id != *task_) return false;
  if (event.stream.kind == StreamKind::Batch) {
    return std::holds_alternative<domain::BatchClosed>(event.body);
  }
  return std::holds_alternative<domain::TaskSucceeded>(event.body) ||
         std::holds_alternative<domain::TaskFailed>(event.body) ||
         std::holds_alternative<domain::TaskCancelled>(event.body) ||
         std::holds_alternative<domain::TaskTimedOut>(event.body) ||
         std::holds_alternative<domain::TaskDead>(event.body);
}

std::vector<std::string> EventFilter::index_keys() const {
  if (!task_) return {};
  return {domain::StreamId(StreamKind::Task, *task_).index_key(),
          domain::StreamId(StreamKind::Batch, *task_).index_key()};
}

}  // namespace slipway::api
