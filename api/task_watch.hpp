#pragma once
// Finds a task and waits for it, holding no thread. Shared by GET /tasks/{id}, by `Prefer: wait` on
// a command and by the dialects that are synchronous by their specification.
#include <functional>

#include "api/identity.hpp"
#include "api/services.hpp"

namespace slipway::api {

class TaskWatch {
 public:
  explicit TaskWatch(const ApiServices& services) : services_(services) {}

  // Called once, on any thread, and must only queue or render. nullptr: no such task that `scope`
  // may see. Not called when the read models cannot be asked: then the client was answered.
  using Then = std::function<void(const eventstore::TaskRowPtr&)>;

  // A task that was accepted before this call is found, even if the projection is still behind.
  void look(const Client& client, const eventstore::Scope& scope, const domain::TaskId& id,
            Then then) const;

  static constexpr std::uint64_t kUntilTerminal = eventstore::Waiters::kUntilTerminal;
  // Until the task has ended or its version is past `since`, or time is up; then the newest row.
  // When the table of waiters is full it is look(): a wait is cut, never refused.
  void wait(const Client& client, const eventstore::Scope& scope, const domain::TaskId& id,
            std::uint64_t since, base::Duration timeout, Then then) const;
  // The same right after the commit `accepted` that made the task: it cannot have been missed.
  void wait_fresh(const Client& client, const eventstore::Scope& scope, const domain::TaskId& id,
                  domain::Seq accepted, base::Duration timeout, Then then) const;

 private:
  void ask(const Client& client, const eventstore::Scope& scope, const domain::TaskId& id,
           domain::Seq until, Then then) const;
  eventstore::WaitHandle enlist(const Client& client, const eventstore::Scope& scope,
                                const domain::TaskId& id, std::uint64_t since,
                                base::Duration timeout, Then then) const;
  // Looks once more after a waiter was registered, so that nothing falls between.
  void settle(const Client& client, const eventstore::Scope& scope, const domain::TaskId& id,
              std::uint64_t since, eventstore::WaitHandle handle, Then then) const;

  const ApiServices& services_;
};

// Whether a row may be shown.
inline bool visible_in(const eventstore::Scope& scope, const std::string& tenant) {
  return scope.everything() || scope.name() == tenant;
}

}  // namespace slipway::api
