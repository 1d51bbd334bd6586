#pragma once
// What a cloud must be able to do for a worker. One Backend object belongs to one worker and is
// used on that worker's thread alone; it must never block it. Three shapes fit:
//   - a real client of an asynchronous kind (libcurl multi) answers later through the queue;
//   - a blocking client (libvirt) is put behind BlockingBackend, which owns the threads;
//   - a model in memory answers inline, within perform().
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/work.hpp"
#include "workers/secrets.hpp"

namespace slipway::workers {

class CompletionQueue;

// A task lease in hand: what is to be done, and the secrets for it. Shared, because a backend's
// thread may still read it after the worker has given the lease up.
struct LeasedWork {
  domain::WorkOrder order;
  Secrets secrets;
};

struct BackendCall {
  std::shared_ptr<const LeasedWork> work;
  std::string_view step;       // of the plan (static text)
  std::string_view operation;  // the step itself, or the name of its undo (static text)
  bool undo = false;
  // What it is about: the VM's or image's own id at the backend; for a step that waits, and for an
  // undo, the id of what the earlier step made. Empty for a VM whose id never became known: then
  // order().vm_key finds it, if it is there at all.
  std::string ref;
  // Give up by then: the worker does, and a later answer is not heard.
  base::SteadyTime deadline{};

  const domain::WorkOrder& order() const { return work->order; }
  // What correlation keys are made from: the task, or the first of a chain of re-driven ones.
  const domain::TaskId& root() const { return order().root.is_nil() ? order().task : order().root; }
  // Of the step, also for its undo: names what the step made, in every attempt alike.
  std::string correlation_key() const { return domain::correlation_key(root(), step); }
};

struct InventoryCall {
  std::string installation;
  base::SteadyTime deadline{};
};

struct BackendError {
  base::Errc code = base::Errc::BackendUnavailable;
  std::string detail;              // shown to clients: no secrets, no library's text
  bool retryable = false;          // the same call may succeed later
  bool throttled = false;          // 429: not the task's fault, the attempt is not counted
  bool without_effect = false;     // surely nothing was begun: no need to look it up
  bool one_host = false;           // one host's fault: says nothing of the backend's others
  std::string backend_request_id;  // the cloud's own
  std::optional<base::Duration> retry_after;
};

struct FoundResource {
  std::string ref;
  base::Duration age{};
};

struct BackendAnswer {
  enum class Kind : std::uint8_t {
    Done,
    Failed,
    NotYet,    // a step that waits: ask again after `ask_again_after`
    Progress,  // not the end; any number of these may come first
  };
  Kind kind = Kind::Done;
  std::string ref;                   // Done: the backend's own id of what was made
  base::RawJson result;              // Done: becomes the task's result; of a VM's step, VmFacts
  bool settled = false;              // Done: a waiting step that follows has nothing to wait for
  std::vector<FoundResource> found;  // Done, of a look-up
  std::shared_ptr<domain::Inventory> inventory;  // Done, of inventory()
  BackendError error;                            // Failed
  base::Duration ask_again_after{};              // NotYet
  std::uint32_t percent = 0;                     // Progress
  std::string message;                           // Progress

  static BackendAnswer failed(BackendError e) {
    BackendAnswer answer;
    answer.kind = Kind::Failed;
    answer.error = std::move(e);
    return answer;
  }
};

// Called on the worker's thread: Progress any number of times, then once another kind. Small enough
// (two words) to be copied without an allocation.
using Answer = std::function<void(BackendAnswer&&)>;

class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string_view name() const = 0;
  // The longest that one call may take; the worker starts none with less of its lease left.
  virtual base::Duration call_timeout() const = 0;
  // How long after a call's deadline its effect may still come to be seen by lookup().
  virtual base::Duration settle_time() const = 0;

  // Once, before the first call: answers that do not come inline go through the queue.
  virtual void attach(CompletionQueue&) {}

  // Repeats are harmless where the operation says so (domain/plan.hpp), or where the backend knows
  // the correlation key. "Already so", and "not found" on a delete, are Done.
  virtual void perform(const BackendCall& call, Answer answer) = 0;
  // All that carries the call's correlation key, oldest first.
  virtual void lookup(const BackendCall& call, Answer answer) = 0;

  // All that the cloud has and this account may see, tagged or not. What cannot be listed is Failed
  // as a whole, but for single hosts (Inventory::silent_hosts): half a list would be taken for
  // loss.
  virtual void inventory(const InventoryCall&, Answer answer) {
    answer(BackendAnswer::failed({.code = base::Errc::BackendRefused,
                                  .detail = "this backend lists nothing",
                                  .without_effect = true}));
  }

  // A model in memory: called at the start of each turn of the worker, when what fell due by `now`
  // answers inline. Real ones have threads or sockets of their own and need neither.
  virtual void on_timer(base::Time) {}
  virtual std::optional<base::Time> next_timer() const { return std::nullopt; }
};

}  // namespace slipway::workers
