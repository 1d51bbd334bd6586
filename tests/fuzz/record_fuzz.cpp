// Bytes where a record of the log should be, and texts where its payload should be. What a payload
// was read as is written, and reads as the same again: a log outlives the program that wrote it.
#include "core/domain/record.hpp"
#include "eventstore/record_codec.hpp"
#include "target.hpp"

namespace {

using namespace slipway;  // NOLINT
using fuzz::must;

void any_bytes(std::string_view bytes) {
  const auto record = eventstore::decode_record(bytes);
  if (!record) return must(!record.error().message.empty(), "refused without a word");
  must(record->seq > 0 && record->event_count > 0, "a record of nothing");
  must(record->payload.size() + eventstore::kRecordHeaderBytes == bytes.size(), "a part was left");
}

void under_a_good_header(std::string_view payload) {
  const auto header = eventstore::encode_header({}, 7, 2, payload);
  const std::string whole = std::string(header.data(), header.size()).append(payload);
  const auto record = eventstore::decode_record(whole);
  must(record && record->payload == payload && record->next_seq() == 9, "not what was written");
  must(eventstore::follows({}, whole, *record), "the chain is broken");
}

void as_payload(std::string_view text) {
  static base::JsonParser parser({.depth = 64, .elements_per_array = 1U << 20U});
  static base::JsonWriter scratch;
  const auto first = domain::decode_record(text, parser);
  if (!first) return must(!first.error().message.empty(), "refused without a word");
  std::string written;
  domain::encode_record(*first, scratch, written);
  const auto second = domain::decode_record(written, parser);
  must(second.has_value(), "what was read cannot be written", written);
  std::string again;
  domain::encode_record(*second, scratch, again);
  must(again == written, "it is another after a turn", again);
}

}  // namespace

SLIPWAY_FUZZ_TARGET(record) {
  any_bytes(bytes);
  under_a_good_header(bytes);
  as_payload(bytes);
}
