#pragma once
// Who works on what, as far as memory goes: worker sessions, their leases and the clocks of those.
// Volatile: not in the log, not in snapshots. After a restart each running task gets one full lease
// timeout of grace, and its worker says hello again with what it holds. The sequencer's alone.
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/time.hpp"
#include "core/domain/work.hpp"

namespace slipway::eventstore {

struct WorkerSession {
  domain::SessionId id;
  std::string worker;
  std::vector<std::string> pools;
  std::string version;
  std::uint32_t slots = 0;
  bool draining = false;
  base::SteadyTime last_seen{};
  std::int64_t asked_at_us = 0;  // the worker's own clock in its newest message, echoed to it
  base::Time connected_at{};
  std::set<domain::TaskId> held;
  std::uint32_t free_slots() const {
    const auto used = static_cast<std::uint32_t>(held.size());
    return draining || used >= slots ? 0 : slots - used;
  }
};

struct TaskLease {
  domain::TaskId task;
  domain::FencingToken token = 0;
  domain::SessionId session;  // nil until its worker is heard of again after a restart
  base::SteadyTime expires{};
  std::uint64_t last_report = 0;  // report_id; what is not above it came twice
  std::uint32_t logged_percent = 0;
  base::SteadyTime progress_logged{};
};

class TaskLeaseTable {
 public:
  // ---- sessions ----
  WorkerSession& open_session(const domain::WorkerHello& hello, base::SteadyTime steady,
                              base::Time now);
  WorkerSession* session(const domain::SessionId& id);
  // Sessions of a worker of that name other than `id`: what its earlier process left behind.
  std::vector<domain::SessionId> earlier_sessions(const std::string& worker,
                                                  const domain::SessionId& id) const;
  void close_session(const domain::SessionId& id);
  // Closes it for good: a newer process of the same worker has said hello. What the old one,
  // resumed after a long sleep, says from then on must not drive the newer out.
  void supersede_session(const domain::SessionId& id);
  bool is_superseded(const domain::SessionId& id) const { return superseded_.contains(id); }
  const std::map<domain::SessionId, WorkerSession>& sessions() const { return sessions_; }
  // Sessions not heard of since `before` that hold nothing: gone.
  std::vector<domain::SessionId> silent_sessions(base::SteadyTime before) const;

  // The session of that pool with most slots free, of those heard of since `since`; nullptr if none
  // has one. A silent one is most likely dead: each lease given to it would cost its task an
  // attempt.
  WorkerSession* roomiest(std::string_view pool, base::SteadyTime since);

  // Any session of that pool that was heard of since `since`, but no draining one; nullptr for
  // none.
  const WorkerSession* any_of(std::string_view pool, base::SteadyTime since) const;

  // ---- leases ----
  void grant(const domain::TaskId& task, domain::FencingToken token,
             const domain::SessionId& session, base::SteadyTime expires);
  TaskLease* lease(const domain::TaskId& task);
  void extend(TaskLease& lease, base::SteadyTime expires);
  // Its worker came back and still holds it.
  void reattach(TaskLease& lease, const domain::SessionId& session);
  void release(const domain::TaskId& task);
  // The first lease past its time, if any has run out at `steady`.
  std::optional<domain::TaskId> expired(base::SteadyTime steady) const;
  std::optional<base::SteadyTime> next_expiry() const;
  std::size_t lease_count() const { return leases_.size(); }
  // Those that a server before this one gave, and whose worker has not been heard of since.
  std::vector<domain::TaskId> unclaimed() const;

 private:
  std::map<domain::SessionId, WorkerSession> sessions_;
  std::unordered_map<domain::TaskId, TaskLease> leases_;
  std::set<std::pair<base::SteadyTime, domain::TaskId>> by_expiry_;
  static constexpr std::size_t kSupersededMax = 4096;
  std::set<domain::SessionId> superseded_;
  std::deque<domain::SessionId> superseded_order_;
};

}  // namespace slipway::eventstore
