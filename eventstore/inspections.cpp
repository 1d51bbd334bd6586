#include "eventstore/inspections.hpp"

#include <utility>

namespace slipway::eventstore {

using base::Errc;
using base::fail;

std::uint64_t Inspections::add(const domain::SessionId& session, base::SteadyTime now,
                               Inspected done) {
  waiting_.emplace(++last_, Waiting{session, now + kPatience, std::move(done)});
  return last_;
}

void Inspections::take(const domain::VmInspection& answer) {
  const auto at = waiting_.find(answer.inspection);
  if (at == waiting_.end() || at->second.session != answer.session) return;
  const Inspected done = std::move(at->second.done);
  waiting_.erase(at);
  if (answer.error.empty()) return done(answer.result.text);
  done(fail(base::errc_from_name(answer.error), answer.detail));
}

void Inspections::expire(base::SteadyTime now) {
  while (!waiting_.empty() && waiting_.begin()->second.until <= now) {
    const Inspected done = std::move(waiting_.begin()->second.done);
    waiting_.erase(waiting_.begin());
    done(fail(Errc::BackendUnavailable, "the backend did not answer in time"));
  }
}

std::optional<base::SteadyTime> Inspections::next_expiry() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->second.until;
}

}  // namespace slipway::eventstore
