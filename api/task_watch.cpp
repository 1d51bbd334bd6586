#include "api/task_watch.hpp"

namespace slipway::api {
namespace {

using eventstore::TaskRowPtr;
using eventstore::WaitResult;

constexpr base::Duration kCatchUp = std::chrono::seconds(5);

}  // namespace

void TaskWatch::look(const Client& client, const eventstore::Scope& scope, const domain::TaskId& id,
                     Then then) const {
  const TaskRowPtr hot = services_.hot_tasks.find(id);
  if (hot != nullptr) {
    then(visible_in(scope, hot->tenant) ? hot : nullptr);
    return;
  }
  ask(client, scope, id, services_.committed_seq(), std::move(then));
}

// `until`: the projection may still learn of the task up to this seq; 0: it has been waited for.
void TaskWatch::ask(const Client& client, const eventstore::Scope& scope, const domain::TaskId& id,
                    domain::Seq until, Then then) const {
  services_.queries.ask(
      client, [this, client, scope, id, until, then = std::move(then)](eventstore::Reader& reader) {
        auto found = reader.get_task(scope, id);
        if (!found) {
          client.fail(found.error());
          return;
        }
        if (found->value) {
          then(std::make_shared<const eventstore::TaskRow>(std::move(*found->value)));
          return;
        }
        if (until == 0 || found->seq >= until) {
          then(nullptr);
          return;
        }
        const auto handle = services_.waiters.wait_for_seq(
            until, services_.clock.steady() + kCatchUp, [this, client, scope, id, then](auto&) {
              const TaskRowPtr hot = services_.hot_tasks.find(id);
              if (hot != nullptr) {
                then(visible_in(scope, hot->tenant) ? hot : nullptr);
              } else {
                ask(client, scope, id, 0, then);
              }
            });
        if (handle == 0) then(nullptr);
      });
}

eventstore::WaitHandle TaskWatch::enlist(const Client& client, const eventstore::Scope& scope,
                                         const domain::TaskId& id, std::uint64_t since,
                                         base::Duration timeout, Then then) const {
  const base::SteadyTime begin = services_.clock.steady();
  return services_.waiters.wait_for_task(
      id, since, begin + timeout,
      [this, client, scope, id, begin, then = std::move(then)](const WaitResult& result) {
        client.reply.add_wait(services_.clock.steady() - begin);
        if (result.kind != WaitResult::Kind::Reached || result.task == nullptr) {
          look(client, scope, id, then);
        } else {
          then(visible_in(scope, result.task->tenant) ? result.task : nullptr);
        }
      });
}

void TaskWatch::wait(const Client& client, const eventstore::Scope& scope, const domain::TaskId& id,
                     std::uint64_t since, base::Duration timeout, Then then) const {
  const auto handle =
      timeout > base::Duration(0) ? enlist(client, scope, id, since, timeout, then) : 0;
  settle(client, scope, id, since, handle, std::move(then));
}

void TaskWatch::wait_fresh(const Client& client, const eventstore::Scope& scope,
                           const domain::TaskId& id, domain::Seq accepted, base::Duration timeout,
                           Then then) const {
  const auto handle = enlist(client, scope, id, kUntilTerminal, timeout, then);
  if (handle != 0 && services_.projected_seq() < accepted) return;  // the callback comes
  settle(client, scope, id, kUntilTerminal, handle, std::move(then));
}

void TaskWatch::settle(const Client& client, const eventstore::Scope& scope,
                       const domain::TaskId& id, std::uint64_t since, eventstore::WaitHandle handle,
                       Then then) const {
  look(client, scope, id, [this, since, handle, then = std::move(then)](const TaskRowPtr& row) {
    const bool there =
        row == nullptr || row->terminal() || (since != kUntilTerminal && row->version > since);
    // Else the waiter's callback comes, or has come already.
    if (handle == 0 || (there && services_.waiters.cancel(handle))) then(row);
  });
}

}  // namespace slipway::api
