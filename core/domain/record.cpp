#include "core/domain/record.hpp"

#include <fmt/format.h>

#include <unordered_map>

namespace slipway::domain {
namespace {

using base::JsonValue;
using Reader = bool (*)(JsonValue data, EventBody& out);

template <class E>
bool read_event(JsonValue data, EventBody& out) {
  return base::read_json(data, out.emplace<E>());
}

template <class... E>
std::unordered_map<std::string_view, Reader> make_readers(std::variant<E...>*) {
  return {{E::kType, &read_event<E>}...};
}

// The event types that this version knows. One whose schema has moved on is upcast here, by an
// entry that reads the old members and fills in the new.
Reader find_reader(std::string_view type) {
  static const auto kReaders = make_readers(static_cast<EventBody*>(nullptr));
  const auto it = kReaders.find(type);
  return it == kReaders.end() ? nullptr : it->second;
}

base::Result<Event> decode_event(JsonValue json) {
  Event event;
  std::string_view type;
  std::optional<JsonValue> data;
  for (base::JsonObjectIterator it(json); it; ++it) {
    const std::string_view key = it.key();
    if (key == "stream") {
      const auto id = StreamId::parse(it.value().string().value_or(""));
      if (!id) return base::fail(base::Errc::Internal, "an event names no stream");
      event.stream = *id;
    } else if (key == "version") {
      event.version = it.value().uint64().value_or(0);
    } else if (key == "type") {
      type = it.value().string().value_or("");
    } else if (key == "data") {
      data = it.value();
    }
  }
  const Reader reader = find_reader(type);
  if (reader == nullptr) {
    return base::fail(base::Errc::Internal,
                      fmt::format("event type '{}' is not known to this version", type));
  }
  if (!data || !reader(*data, event.body)) {
    return base::fail(base::Errc::Internal, fmt::format("event {} has unreadable data", type));
  }
  return event;
}

}  // namespace

SLIPWAY_ONE_OF_DEFINE(EventBody)

std::string_view event_type(const EventBody& body) {
  return std::visit([](const auto& e) { return std::decay_t<decltype(e)>::kType; }, body);
}

void encode_record(const RecordBody& record, base::JsonWriter& w, std::string& out) {
  w.clear();
  w.begin_object();
  base::JsonFieldsWriter envelope{w};
  Envelope::fields(record.envelope, envelope);
  w.key("events").begin_array();
  for (const Event& event : record.events) {
    w.begin_object().member("stream", event.stream.text()).member("version", event.version);
    std::visit(
        [&w](const auto& e) {
          using E = std::decay_t<decltype(e)>;
          w.member("type", E::kType).member("schema", E::kSchema).key("data");
          base::write_json(w, e);
        },
        event.body);
    w.end_object();
  }
  w.end_array().end_object();
  out.append(w.view());
}

base::Result<RecordBody> decode_record(std::string_view text, base::JsonParser& parser) {
  auto json = parser.parse_trusted(text);
  if (!json) return base::fail(json.error());
  RecordBody record;
  if (!base::read_json(*json, record.envelope)) {
    return base::fail(base::Errc::Internal, "a record's envelope is unreadable");
  }
  const auto events = json->find("events");
  if (!events || !events->is_array()) {
    return base::fail(base::Errc::Internal, "a record has no events");
  }
  for (base::JsonArrayIterator it(*events); it; ++it) {
    auto event = decode_event(it.value());
    if (!event) return base::fail(event.error());
    record.events.push_back(std::move(*event));
  }
  return record;
}

}  // namespace slipway::domain
