#include "workers/backends/simulated/driver.hpp"

#include <algorithm>
#include <utility>

namespace slipway::workers::simulated {
namespace {

constexpr auto kLater = [](const auto& a, const auto& b) {
  return a->due != b->due ? a->due > b->due : a->order > b->order;
};

std::uint32_t percent(base::Time since, base::Time until, base::Time now) {
  const auto whole = (until - since).count();
  if (whole <= 0) return 99;
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>((now - since).count() * 100 / whole, 1, 99));
}

}  // namespace

Driver::Driver(Options options, std::unique_ptr<Store> store)
    : cloud_(std::move(options), std::move(store)) {}

void Driver::turn(std::vector<Asked>& asked, base::Time now, std::vector<Completion>& out) {
  std::erase_if(asked, [this](Asked& item) {
    if (item.inventory) lists_.push_back(std::move(item.answer));
    return item.inventory;
  });
  const bool due = !heap_.empty() && heap_.front()->due <= now;
  if (!asked.empty() || due) {
    cloud_.begin();
    for (Asked& item : asked) ask(std::move(item), now, false, out);
    run_due(now, out);
    cloud_.commit();
    asked.clear();
  }
  list(now, out);
}

void Driver::list(base::Time now, std::vector<Completion>& out) {
  if (lists_.empty()) return;
  if (!listing_) listing_ = std::make_shared<Listing>();
  if (!cloud_.list(*listing_, now)) return;
  BackendAnswer answer;
  answer.inventory = {listing_, &listing_->seen};
  out.push_back({std::move(lists_.front()), std::move(answer)});
  lists_.pop_front();
  listing_.reset();
}

std::optional<base::Time> Driver::next_due() const {
  if (!lists_.empty()) return base::Time{};
  if (heap_.empty()) return std::nullopt;
  return heap_.front()->due;
}

void Driver::ask(Asked&& asked, base::Time now, bool again, std::vector<Completion>& out) {
  Reply reply =
      asked.lookup ? cloud_.lookup(asked.call, now) : cloud_.perform(asked.call, now, again);
  if (reply.silent) return;
  if (reply.ask_again_at != base::Time{}) {
    auto waiting = std::make_unique<Waiting>();
    waiting->since = reply.since;
    waiting->until = reply.ask_again_at;
    waiting->due = std::min(waiting->until, now + options().progress_interval);
    waiting->asked = std::move(asked);
    return wait(std::move(waiting));
  }
  if (reply.after > base::Duration::zero()) {
    auto waiting = std::make_unique<Waiting>();
    waiting->due = now + reply.after;
    waiting->ready = true;
    waiting->with = std::move(reply.answer);
    waiting->asked = std::move(asked);
    return wait(std::move(waiting));
  }
  out.push_back({std::move(asked.answer), std::move(reply.answer)});
}

void Driver::wait(std::unique_ptr<Waiting> waiting) {
  waiting->order = arrivals_++;
  heap_.push_back(std::move(waiting));
  std::push_heap(heap_.begin(), heap_.end(), kLater);
}

void Driver::run_due(base::Time now, std::vector<Completion>& out) {
  while (!heap_.empty() && heap_.front()->due <= now) {
    std::pop_heap(heap_.begin(), heap_.end(), kLater);
    std::unique_ptr<Waiting> waiting = std::move(heap_.back());
    heap_.pop_back();
    if (waiting->ready) {
      out.push_back({std::move(waiting->asked.answer), std::move(waiting->with)});
      continue;
    }
    if (now >= waiting->until) {
      ask(std::move(waiting->asked), now, true, out);
      continue;
    }
    BackendAnswer progress;
    progress.kind = BackendAnswer::Kind::Progress;
    progress.percent = percent(waiting->since, waiting->until, now);
    out.push_back({waiting->asked.answer, std::move(progress)});
    waiting->due = std::min(waiting->until, now + options().progress_interval);
    wait(std::move(waiting));
  }
}

}  // namespace slipway::workers::simulated
