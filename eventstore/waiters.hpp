#pragma once
// Who waits for a task to change or end, or for the read models to reach a seq. No thread waits:
// a waiter is a table entry whose callback is called once, on the projector's thread, after the
// commit that it waited for (it must only queue), or by expire().
//
// So that nothing is missed between looking and waiting: register first, then look (HotTasks or a
// Reader), and cancel() if the answer is there already. Whoever of cancel() and the callback comes
// first wins; cancel() says which.
//
//   const auto handle = waiters.wait_for_task(id, version, deadline, [](const WaitResult& r)
//   {...}); if (handle == 0) answer_at_once();                    // the table is full
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/base/mutex.hpp"
#include "eventstore/rows.hpp"

namespace slipway::eventstore {

struct WaitResult {
  enum class Kind : std::uint8_t { Reached, TimedOut, Stopped };
  Kind kind = Kind::Reached;
  TaskRowPtr task;      // Reached of a task wait; else null
  domain::Seq seq = 0;  // that the read models have reached
};
using WaitCallback = std::function<void(const WaitResult&)>;
using WaitHandle = std::uint64_t;  // 0: none

class Waiters {
 public:
  explicit Waiters(std::size_t capacity) : capacity_(capacity) {}

  // ---- any thread ----
  static constexpr std::uint64_t kUntilTerminal = ~0ULL;
  // Until the task has ended, or its version is past `since_version`. Returns 0 (and counts) when
  // the table is full or stopped; the callback is then never called.
  WaitHandle wait_for_task(const domain::TaskId& task, std::uint64_t since_version,
                           base::SteadyTime deadline, WaitCallback callback);
  // Until the event `seq` is folded. At once, on the caller's thread, if it is already.
  WaitHandle wait_for_seq(domain::Seq seq, base::SteadyTime deadline, WaitCallback callback);
  // True if the callback has not been called and never will be.
  bool cancel(WaitHandle handle);
  std::size_t size() const;
  std::uint64_t rejected() const;  // since the start
  // The earliest deadline; SteadyTime::max() with none.
  base::SteadyTime next_deadline() const;

  // ---- the projector's thread ----
  // Rows changed by the last commit, and the seq it reached.
  void committed(std::span<const TaskRowPtr> changed, domain::Seq seq);
  void expire(base::SteadyTime now);
  // Ends every wait with Stopped; none is accepted after.
  void stop();

 private:
  struct Wait {
    domain::TaskId task;  // nil: waits for `seq`
    std::uint64_t since_version = 0;
    domain::Seq seq = 0;
    base::SteadyTime deadline{};
    WaitCallback callback;
  };
  struct Fired {
    WaitCallback callback;
    WaitResult result;
  };
  WaitHandle add(Wait wait) REQUIRES(mu_);
  Wait take(WaitHandle handle) REQUIRES(mu_);
  void take_reached_seqs(domain::Seq seq, std::vector<Fired>& fired) REQUIRES(mu_);
  void take_reached_tasks(const TaskRowPtr& row, std::vector<Fired>& fired) REQUIRES(mu_);
  static void call(std::vector<Fired>& fired);

  const std::size_t capacity_;
  mutable base::Mutex mu_;
  std::unordered_map<WaitHandle, Wait> waits_ GUARDED_BY(mu_);
  std::unordered_multimap<domain::TaskId, WaitHandle> by_task_ GUARDED_BY(mu_);
  std::set<std::pair<domain::Seq, WaitHandle>> by_seq_ GUARDED_BY(mu_);
  std::set<std::pair<base::SteadyTime, WaitHandle>> by_deadline_ GUARDED_BY(mu_);
  WaitHandle last_handle_ GUARDED_BY(mu_) = 0;
  domain::Seq reached_ GUARDED_BY(mu_) = 0;
  std::uint64_t rejected_ GUARDED_BY(mu_) = 0;
  bool stopped_ GUARDED_BY(mu_) = false;
};

}  // namespace slipway::eventstore
