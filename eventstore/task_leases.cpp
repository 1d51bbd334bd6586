#include "eventstore/task_leases.hpp"

#include <algorithm>

namespace slipway::eventstore {

WorkerSession& TaskLeaseTable::open_session(const domain::WorkerHello& hello,
                                            base::SteadyTime steady, base::Time now) {
  WorkerSession& s = sessions_[hello.session];
  if (s.id.is_nil()) s.connected_at = now;
  s.id = hello.session;
  s.worker = hello.worker;
  s.pools = hello.pools;
  s.version = hello.version;
  s.slots = hello.slots;
  s.last_seen = steady;
  s.asked_at_us = hello.asked_at_us;
  return s;
}

WorkerSession* TaskLeaseTable::session(const domain::SessionId& id) {
  const auto it = sessions_.find(id);
  return it == sessions_.end() ? nullptr : &it->second;
}

std::vector<domain::SessionId> TaskLeaseTable::earlier_sessions(const std::string& worker,
                                                                const domain::SessionId& id) const {
  std::vector<domain::SessionId> out;
  for (const auto& [other, s] : sessions_) {
    if (other != id && s.worker == worker) out.push_back(other);
  }
  return out;
}

void TaskLeaseTable::close_session(const domain::SessionId& id) {
  const auto it = sessions_.find(id);
  if (it == sessions_.end()) return;
  for (const domain::TaskId& task : it->second.held) {
    if (TaskLease* l = lease(task)) l->session = domain::SessionId();
  }
  sessions_.erase(it);
}

void TaskLeaseTable::supersede_session(const domain::SessionId& id) {
  close_session(id);
  if (!superseded_.insert(id).second) return;
  superseded_order_.push_back(id);
  if (superseded_order_.size() <= kSupersededMax) return;
  superseded_.erase(superseded_order_.front());
  superseded_order_.pop_front();
}

std::vector<domain::TaskId> TaskLeaseTable::unclaimed() const {
  std::vector<domain::TaskId> out;
  for (const auto& [task, l] : leases_) {
    if (l.session.is_nil()) out.push_back(task);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<domain::SessionId> TaskLeaseTable::silent_sessions(base::SteadyTime before) const {
  std::vector<domain::SessionId> out;
  for (const auto& [id, s] : sessions_) {
    if (s.held.empty() && s.last_seen < before) out.push_back(id);
  }
  return out;
}

WorkerSession* TaskLeaseTable::roomiest(std::string_view pool, base::SteadyTime since) {
  WorkerSession* best = nullptr;
  for (auto& [id, s] : sessions_) {
    if (s.last_seen < since) continue;
    if (s.free_slots() == 0 || (best != nullptr && s.free_slots() <= best->free_slots())) continue;
    if (std::find(s.pools.begin(), s.pools.end(), pool) != s.pools.end()) best = &s;
  }
  return best;
}

const WorkerSession* TaskLeaseTable::any_of(std::string_view pool, base::SteadyTime since) const {
  for (const auto& [id, s] : sessions_) {
    if (s.last_seen < since || s.draining) continue;
    if (std::find(s.pools.begin(), s.pools.end(), pool) != s.pools.end()) return &s;
  }
  return nullptr;
}

void TaskLeaseTable::grant(const domain::TaskId& task, domain::FencingToken token,
                           const domain::SessionId& session, base::SteadyTime expires) {
  release(task);
  leases_[task] = TaskLease{task, token, session, expires, 0, 0, {}};
  by_expiry_.insert({expires, task});
  if (WorkerSession* s = this->session(session)) s->held.insert(task);
}

TaskLease* TaskLeaseTable::lease(const domain::TaskId& task) {
  const auto it = leases_.find(task);
  return it == leases_.end() ? nullptr : &it->second;
}

void TaskLeaseTable::extend(TaskLease& lease, base::SteadyTime expires) {
  if (expires <= lease.expires) return;
  by_expiry_.erase({lease.expires, lease.task});
  lease.expires = expires;
  by_expiry_.insert({expires, lease.task});
}

void TaskLeaseTable::reattach(TaskLease& lease, const domain::SessionId& session) {
  if (WorkerSession* old = this->session(lease.session)) old->held.erase(lease.task);
  lease.session = session;
  if (WorkerSession* s = this->session(session)) s->held.insert(lease.task);
}

void TaskLeaseTable::release(const domain::TaskId& task) {
  const auto it = leases_.find(task);
  if (it == leases_.end()) return;
  by_expiry_.erase({it->second.expires, task});
  if (WorkerSession* s = session(it->second.session)) s->held.erase(task);
  leases_.erase(it);
}

std::optional<domain::TaskId> TaskLeaseTable::expired(base::SteadyTime steady) const {
  if (by_expiry_.empty() || by_expiry_.begin()->first > steady) return std::nullopt;
  return by_expiry_.begin()->second;
}

std::optional<base::SteadyTime> TaskLeaseTable::next_expiry() const {
  if (by_expiry_.empty()) return std::nullopt;
  return by_expiry_.begin()->first;
}

}  // namespace slipway::eventstore
