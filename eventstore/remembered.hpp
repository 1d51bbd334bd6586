#pragma once
// What is stored under an idempotency key: the fingerprint of the request and the answer of its
// acceptance. JSON, so that it can be read for as long as it is kept. The secret of an answer is
// named, not held.
#include <optional>
#include <string>

#include "core/base/fields.hpp"
#include "eventstore/sequencer.hpp"

namespace slipway::eventstore {

struct RememberedAnswer {
  std::string fingerprint;
  std::int32_t status = 202;
  std::string body;
  domain::TaskId task;
  std::uint64_t secret_offset = 0;
  std::string secret_ref;
  Seq seq = 0;
  base::Time at{};
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("fingerprint", s.fingerprint);
    v("status", s.status);
    v("body", s.body);
    v("task", s.task);
    v("secret_offset", s.secret_offset);
    v("secret_ref", s.secret_ref);
    v("seq", s.seq);
    v("at", s.at);
  }

  static RememberedAnswer of(const std::string& fingerprint, const Answer& answer, base::Time now);
  Answer answer() const;
  std::string encode() const;
  static std::optional<RememberedAnswer> decode(std::string_view stored);
};

}  // namespace slipway::eventstore
