#include "eventstore/waiters.hpp"

#include <algorithm>
#include <utility>

namespace slipway::eventstore {
WaitHandle Waiters::wait_for_task(const domain::TaskId& task, std::uint64_t since_version,
                                  base::SteadyTime deadline, WaitCallback callback) {
  base::Lock lock(mu_);
  return add({task, since_version, 0, deadline, std::move(callback)});
}

WaitHandle Waiters::wait_for_seq(domain::Seq seq, base::SteadyTime deadline,
                                 WaitCallback callback) {
  std::vector<Fired> fired;
  WaitHandle handle = 0;
  {
    base::Lock lock(mu_);
    if (seq > reached_ || stopped_) {
      handle = add({{}, 0, seq, deadline, std::move(callback)});
    } else {
      handle = ++last_handle_;
      fired.push_back({std::move(callback), {WaitResult::Kind::Reached, nullptr, reached_}});
    }
  }
  call(fired);
  return handle;
}

WaitHandle Waiters::add(Wait wait) {
  if (stopped_ || waits_.size() >= capacity_) {
    ++rejected_;
    return 0;
  }
  const WaitHandle handle = ++last_handle_;
  by_deadline_.emplace(wait.deadline, handle);
  if (wait.task.is_nil()) {
    by_seq_.emplace(wait.seq, handle);
  } else {
    by_task_.emplace(wait.task, handle);
  }
  waits_.emplace(handle, std::move(wait));
  return handle;
}

// Out of every index; the handle is known to be there.
Waiters::Wait Waiters::take(WaitHandle handle) {
  auto node = waits_.extract(handle);
  Wait wait = std::move(node.mapped());
  by_deadline_.erase({wait.deadline, handle});
  if (wait.task.is_nil()) {
    by_seq_.erase({wait.seq, handle});
    return wait;
  }
  const auto [first, last] = by_task_.equal_range(wait.task);
  by_task_.erase(std::find_if(first, last, [&](const auto& e) { return e.second == handle; }));
  return wait;
}

bool Waiters::cancel(WaitHandle handle) {
  Wait wait;  // its callback dies outside the lock
  base::Lock lock(mu_);
  if (!waits_.contains(handle)) return false;
  wait = take(handle);
  return true;
}

std::size_t Waiters::size() const {
  base::Lock lock(mu_);
  return waits_.size();
}
std::uint64_t Waiters::rejected() const {
  base::Lock lock(mu_);
  return rejected_;
}
base::SteadyTime Waiters::next_deadline() const {
  base::Lock lock(mu_);
  return by_deadline_.empty() ? base::SteadyTime::max() : by_deadline_.begin()->first;
}
void Waiters::committed(std::span<const TaskRowPtr> changed, domain::Seq seq) {
  std::vector<Fired> fired;
  {
    base::Lock lock(mu_);
    reached_ = seq;
    take_reached_seqs(seq, fired);
    for (const TaskRowPtr& row : changed) {
      if (by_task_.empty()) break;
      take_reached_tasks(row, fired);
    }
  }
  call(fired);
}

void Waiters::take_reached_seqs(domain::Seq seq, std::vector<Fired>& fired) {
  while (!by_seq_.empty() && by_seq_.begin()->first <= seq) {
    Wait wait = take(by_seq_.begin()->second);
    fired.push_back({std::move(wait.callback), {WaitResult::Kind::Reached, nullptr, seq}});
  }
}

void Waiters::take_reached_tasks(const TaskRowPtr& row, std::vector<Fired>& fired) {
  const auto [first, last] = by_task_.equal_range(row->id);
  std::vector<WaitHandle> reached;
  for (auto it = first; it != last; ++it) {
    const std::uint64_t since = waits_.at(it->second).since_version;
    if (row->terminal() || row->version > since) reached.push_back(it->second);
  }
  for (const WaitHandle handle : reached) {
    fired.push_back({take(handle).callback, {WaitResult::Kind::Reached, row, reached_}});
  }
}

void Waiters::expire(base::SteadyTime now) {
  std::vector<Fired> fired;
  {
    base::Lock lock(mu_);
    while (!by_deadline_.empty() && by_deadline_.begin()->first <= now) {
      Wait wait = take(by_deadline_.begin()->second);
      fired.push_back({std::move(wait.callback), {WaitResult::Kind::TimedOut, nullptr, reached_}});
    }
  }
  call(fired);
}

void Waiters::stop() {
  std::vector<Fired> fired;
  {
    base::Lock lock(mu_);
    stopped_ = true;
    while (!by_deadline_.empty()) {
      Wait wait = take(by_deadline_.begin()->second);
      fired.push_back({std::move(wait.callback), {WaitResult::Kind::Stopped, nullptr, reached_}});
    }
  }
  call(fired);
}

void Waiters::call(std::vector<Fired>& fired) {
  for (Fired& f : fired) f.callback(f.result);
}

}  // namespace slipway::eventstore
