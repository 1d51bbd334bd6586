#pragma once
// For worker_core.cpp and worker_leases.cpp only: a task lease in a worker's hand.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "workers/step_runner.hpp"
#include "workers/worker_core.hpp"

namespace slipway::workers {

inline constexpr base::SteadyTime kNever = base::SteadyTime::max();

struct WorkerCore::Held {
  Held(std::shared_ptr<const LeasedWork> w, base::Duration timeout, base::Duration settle)
      : work(w), runner(std::move(w), timeout, settle), call_timeout(timeout) {}

  std::shared_ptr<const LeasedWork> work;
  StepRunner runner;
  Target* target = nullptr;
  domain::TaskId task;
  domain::FencingToken token = 0;
  base::Duration call_timeout;  // the backend's, or less where the lease is short
  base::Duration margin{};
  base::Duration lease_timeout{};
  base::SteadyTime received{};
  base::SteadyTime lease_end{};

  bool advancing = false;
  bool dirty = false;
  bool finished = false;  // its outcome is in a report
  // The action in `next` waits: for room in the lease, or, if it is `queued`, for its turn at the
  // backend.
  bool parked = false;
  bool queued = false;
  bool seen_waiting = false;  // counted as one that had to wait
  Action next;
  bool crowded = false;  // not begun yet: too many of the backend's, which has not answered
  bool counted = false;  // among the backend's leases
  bool permit = false;   // counts as a call at the backend's limiter
  base::SteadyTime granted_until{};  // a granted call must be over by then
  std::uint64_t call = 0;            // under way; 0 for none
  bool call_waits = false;           // it only waits for what an earlier step set going
  std::string_view operation;
  base::SteadyTime call_start{};
  base::SteadyTime call_end = kNever;
  base::SteadyTime wake_at = kNever;

  domain::WorkerReport turn;                // what this turn brought
  std::optional<domain::WorkerInput> sent;  // a WorkerReport not acknowledged yet
  std::string asked_step;                   // its begin
  base::SteadyTime resend_at = kNever;
  std::uint32_t percent = 0;
  base::SteadyTime progress_at{};

  bool has_room(base::SteadyTime now) const { return lease_end - now >= call_timeout + margin; }
  // A report is kept for one lease timeout past the lease's end.
  base::SteadyTime end() const { return finished ? lease_end + lease_timeout : lease_end; }
  base::SteadyTime next_timer() const {
    return std::min(std::min(end(), call_end), std::min(wake_at, resend_at));
  }
};

}  // namespace slipway::workers
