#include "eventstore/remembered.hpp"

namespace slipway::eventstore {

RememberedAnswer RememberedAnswer::of(const std::string& fingerprint, const Answer& answer,
                                      base::Time now) {
  RememberedAnswer r;
  r.fingerprint = fingerprint;
  r.status = answer.status;
  r.body = answer.body;
  r.task = answer.task;
  r.seq = answer.seq;
  r.at = now;
  if (answer.secret) {
    r.secret_offset = answer.secret->offset;
    r.secret_ref = answer.secret->ref;
  }
  return r;
}

Answer RememberedAnswer::answer() const {
  Answer a;
  a.status = status;
  a.body = body;
  a.task = task;
  a.seq = seq;
  if (!secret_ref.empty()) a.secret = Answer::SecretSlot{secret_offset, secret_ref};
  return a;
}

std::string RememberedAnswer::encode() const {
  base::JsonWriter w;
  base::write_json(w, *this);
  return w.text();
}

std::optional<RememberedAnswer> RememberedAnswer::decode(std::string_view stored) {
  base::JsonParser parser;
  const auto json = parser.parse_trusted(stored);
  RememberedAnswer r;
  if (!json || !base::read_json(*json, r)) return std::nullopt;
  return r;
}

}  // namespace slipway::eventstore
