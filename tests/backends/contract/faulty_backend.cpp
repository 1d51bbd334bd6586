#include "tests/backends/contract/faulty_backend.hpp"

#include <fmt/format.h>

#include <utility>

namespace slipway::workers::contract {

using base::Errc;
using Kind = BackendAnswer::Kind;

namespace {

BackendAnswer error(bool retryable, bool without_effect) {
  return BackendAnswer::failed({.code = retryable ? Errc::BackendUnavailable : Errc::BackendRefused,
                                .detail = "the test says so",
                                .retryable = retryable,
                                .without_effect = without_effect});
}

}  // namespace

FaultyBackend::FaultyBackend(std::unique_ptr<Backend> inner, Disturbance& disturbance,
                             std::function<base::Duration()> clock_ahead)
    : inner_(std::move(inner)), disturbance_(disturbance), clock_ahead_(std::move(clock_ahead)) {}

void FaultyBackend::inventory(const InventoryCall& call, Answer answer) {
  InventoryCall passed = call;
  passed.deadline -= clock_ahead_();
  ++in_flight_;
  inner_->inventory(passed, [this, answer = std::move(answer)](BackendAnswer&& a) {
    --in_flight_;
    answer(std::move(a));
  });
}

// None but for the one call that is to be disturbed.
Trouble FaultyBackend::next_trouble(const BackendCall& call, bool lookup) {
  if (call.order().task != disturbance_.task) return Trouble::None;
  std::string what = fmt::format("{}{}", lookup ? "lookup " : "", call.operation);
  if (std::exchange(waits_for_, {}) == what) return Trouble::None;
  disturbance_.asked.push_back(std::move(what));
  return disturbance_.calls++ == disturbance_.at ? disturbance_.trouble : Trouble::None;
}

void FaultyBackend::ask(const BackendCall& call, bool lookup, const Answer& answer) {
  if (dead_) return;
  const Trouble trouble = next_trouble(call, lookup);
  switch (trouble) {
    case Trouble::Error:
    case Trouble::Refusal:
      return answer(error(trouble == Trouble::Error, true));
    case Trouble::KilledBefore:
    case Trouble::Frozen:
      dead_ = true;
      if (trouble == Trouble::Frozen && !lookup) frozen_ = call;
      return;
    case Trouble::Twice:
      return pass_on(call, lookup, [this, call, lookup, answer](BackendAnswer&& first) {
        if (first.kind != Kind::Progress) pass_on(call, lookup, answer);
      });
    case Trouble::Cancelled:
      disturbance_.cancel();
      break;
    case Trouble::None:
    case Trouble::Broken:
    case Trouble::BadEnd:
    case Trouble::LostAnswer:
    case Trouble::KilledAfter:
      break;
  }
  pass_on(call, lookup, [this, trouble, answer](BackendAnswer&& a) {
    const bool open = trouble == Trouble::Broken || trouble == Trouble::BadEnd;
    if (trouble == Trouble::KilledAfter && a.kind != Kind::Progress) dead_ = true;
    if (trouble == Trouble::KilledAfter || trouble == Trouble::LostAnswer) return;
    if (!open) return answer(std::move(a));
    if (a.kind != Kind::Progress) answer(error(trouble == Trouble::Broken, false));
  });
}

void FaultyBackend::pass_on(const BackendCall& call, bool lookup, Answer answer) {
  BackendCall passed = call;
  passed.deadline -= clock_ahead_();
  ++in_flight_;
  std::string what = fmt::format("{}{}", lookup ? "lookup " : "", call.operation);
  Answer count = [this, what = std::move(what), answer = std::move(answer)](BackendAnswer&& a) {
    if (a.kind != Kind::Progress) --in_flight_;
    if (a.kind == Kind::NotYet) waits_for_ = what;
    answer(std::move(a));
  };
  lookup ? inner_->lookup(passed, std::move(count)) : inner_->perform(passed, std::move(count));
}

void FaultyBackend::thaw(base::Time now) {
  if (!frozen_) return;
  inner_->on_timer(now);
  pass_on(*std::exchange(frozen_, std::nullopt), false, [](BackendAnswer&&) {});
}

}  // namespace slipway::workers::contract
