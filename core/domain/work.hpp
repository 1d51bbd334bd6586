#pragma once
// What passes between the sequencer and workers: the work order that goes out with a task lease,
// and the reports that come back. Plain values; workers/ frames them (docs/WIRE.md).
#include <optional>
#include <string>
#include <vector>

#include "core/domain/inventory.hpp"
#include "core/domain/specs.hpp"

namespace slipway::domain {

enum class StepState : std::uint8_t { Started, Done, Undone };
constexpr std::array<std::string_view, 3> enum_names(StepState) {
  return {"started", "done", "undone"};
}

// What the log knows of a step of this task. Started and not done (or its undo started and not
// done) is *unknown*: the worker waits until call_deadline + the backend's settle time, looks the
// correlation key up, and adopts or calls.
struct StepRecord {
  std::string step;
  StepState state = StepState::Started;
  FencingToken token = 0;  // of the attempt that started it
  base::Time call_deadline{};
  std::string backend_ref;
  bool operator==(const StepRecord&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("step", s.step);
    v("state", s.state);
    v("token", s.token);
    v("call_deadline", s.call_deadline);
    v("backend_ref", s.backend_ref);
  }
};

// "slipway-<task>-<step>": from ids in the log, never random, never from token or attempt.
std::string correlation_key(const TaskId& task, std::string_view step);

// A thing of a cloud that nobody owns, for orphan.*.delete.
struct OrphanRef {
  std::string kind;  // vm, port, volume, image
  std::string ref;
  std::string key;
  bool operator==(const OrphanRef&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("kind", s.kind);
    v("ref", s.ref);
    v("key", s.key);
  }
};

// The parameters of a command on an existing VM or image; which are set depends on the command.
struct ActionArgs {
  std::string name;          // rename, image.capture
  std::string description;   // snapshot.create, image.capture
  std::string snapshot;      // snapshot.*
  std::optional<Size> size;  // resize: the new one, resolved
  ImageId image;             // rebuild: the new one; image.*: the subject
  std::string host;          // migrate: the target, resolved
  bool live = false;         // migrate
  bool evacuate = false;     // migrate: its host is gone; its disks are on storage that others see
  bool hard = false;         // reboot
  bool with_memory = false;  // snapshot.create
  std::string pool;          // migrate: of the target; empty: any
  base::Box<GuestChange> guest;
  base::Box<ImageTraits> traits;  // image.capture: of the new image
  base::Box<OrphanRef> orphan;    // orphan.*.delete
  bool operator==(const ActionArgs&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("name", s.name);
    v("description", s.description);
    v("snapshot", s.snapshot);
    v("size", s.size);
    v("image", s.image);
    v("host", s.host);
    v("live", s.live);
    v("evacuate", s.evacuate);
    v("hard", s.hard);
    v("with_memory", s.with_memory);
    v("pool", s.pool);
    v("guest", s.guest);
    v("traits", s.traits);
    v("orphan", s.orphan);
  }
};

// All that a worker needs; it asks the server for nothing.
struct WorkOrder {
  TaskId task;
  FencingToken token = 0;
  // The place of this lease in the log. Grows over all tasks, so a backend can tell which of two
  // callers is the later one also when they are different tasks (a re-drive, a deletion of what a
  // creation may still make); ids cannot say, they hang on a wall clock.
  Seq fence = 0;
  std::uint64_t epoch = 1;
  std::uint32_t attempt = 1;
  CommandKind command = CommandKind::VmCreate;
  std::string backend;
  TaskId root;  // correlation keys are made from it: `task`, unless re-driven
  std::string
      vm_key;  // the correlation key of the VM's creation: finds one whose vm_ref is unknown
  VmId vm;     // nil for a command without one
  std::string vm_ref;  // the backend's own id, once known
  VmSpec spec;
  ActionArgs args;
  std::vector<StepRecord> steps;
  std::string granted_step;  // its TaskStepStarted is already durable: begin without asking
  bool cancel = false;       // undo what is done and report Cancelled
  base::Duration lease_timeout{};
  base::Time deadline{};
  std::string trace;
  // The backend's own ids and the names of what spec and args name; an id is empty where the
  // backend has not told it. `image`: of the command (create, rebuild, image.*). `media`: inserted,
  // or to be.
  std::string image_ref;
  std::string image_name;
  std::string media_ref;
  std::string media_name;
  std::string network_ref;
  std::string network_name;
  std::string installation;  // the log's id: goes into the tag of all that is made
  // The correlation key of the image's creation: finds one whose image_ref is unknown.
  std::string image_key;
  std::int64_t asked_at_us = 0;  // echo of the session's newest, see WorkerHeartbeat
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("task", s.task);
    v("token", s.token);
    v("fence", s.fence);
    v("epoch", s.epoch);
    v("attempt", s.attempt);
    v("command", s.command);
    v("backend", s.backend);
    v("root", s.root);
    v("vm_key", s.vm_key);
    v("vm", s.vm);
    v("vm_ref", s.vm_ref);
    v("spec", s.spec);
    v("args", s.args);
    v("steps", s.steps);
    v("granted_step", s.granted_step);
    v("cancel", s.cancel);
    v("lease_timeout_us", s.lease_timeout);
    v("deadline", s.deadline);
    v("trace", s.trace);
    v("image_ref", s.image_ref);
    v("image_name", s.image_name);
    v("media_ref", s.media_ref);
    v("media_name", s.media_name);
    v("network_ref", s.network_ref);
    v("network_name", s.network_name);
    v("installation", s.installation);
    v("image_key", s.image_key);
    v("asked_at_us", s.asked_at_us);
  }
};

struct StepDone {
  std::string step;
  std::string backend_ref;
  bool adopted = false;
  bool undone = false;  // the step's undo is done
  base::RawJson result;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("step", s.step);
    v("backend_ref", s.backend_ref);
    v("adopted", s.adopted);
    v("undone", s.undone);
    v("result", s.result);
  }
};

enum class OutcomeKind : std::uint8_t { Succeeded, Failed, Retry, Cancelled, HandedBack };
constexpr std::array<std::string_view, 5> enum_names(OutcomeKind) {
  return {"succeeded", "failed", "retry", "cancelled", "handed-back"};
}

struct Outcome {
  OutcomeKind kind = OutcomeKind::Succeeded;
  base::RawJson result;                       // Succeeded
  TaskError error;                            // Failed, Retry
  bool counted = true;                        // Retry: false for throttling and an open breaker
  std::optional<base::Duration> retry_after;  // Retry: what the backend asked for
  // Granted, but never called, or surely without effect: no longer unknown, so the next attempt
  // need not wait for the call deadline and look it up.
  std::vector<std::string> steps_not_begun;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("kind", s.kind);
    v("result", s.result);
    v("error", s.error);
    v("counted", s.counted);
    v("retry_after_us", s.retry_after);
    v("steps_not_begun", s.steps_not_begun);
  }
};

struct StepBegin {
  std::string step;
  base::Duration call_timeout{};
  bool undo = false;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("step", s.step);
    v("call_timeout_us", s.call_timeout);
    v("undo", s.undo);
  }
};

struct Progress {
  std::uint32_t percent = 0;
  std::string step;
  std::string message;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("percent", s.percent);
    v("step", s.step);
    v("message", s.message);
  }
};

// ---- worker to server ----

struct HeldLease {
  TaskId task;
  FencingToken token = 0;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("task", s.task);
    v("token", s.token);
  }
};

// A worker's first message, and again when it finds a server that does not know its session.
struct WorkerHello {
  SessionId session;   // fresh for each run of the process
  std::string worker;  // stable name; with CURVE the broker overwrites it from the key
  std::vector<std::string> pools;
  std::uint32_t slots = 0;  // leases it will hold at a time
  std::vector<HeldLease> held;
  std::string version;
  std::int64_t asked_at_us = 0;  // see WorkerHeartbeat
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("session", s.session);
    v("worker", s.worker);
    v("pools", s.pools);
    v("slots", s.slots);
    v("held", s.held);
    v("version", s.version);
    v("asked_at_us", s.asked_at_us);
  }
};

// One message about one leased task; the parts are folded in this order: steps_done, begin,
// progress, outcome. A worker puts together what happened since its last message. `report_id` grows
// by one with each report of a session; the server acknowledges it when it is durable.
struct WorkerReport {
  SessionId session;
  std::uint64_t report_id = 0;
  std::uint64_t epoch = 1;
  TaskId task;
  FencingToken token = 0;
  std::vector<StepDone> steps_done;
  std::optional<StepBegin> begin;
  std::optional<Progress> progress;
  std::optional<Outcome> outcome;
  std::int64_t asked_at_us = 0;  // see WorkerHeartbeat
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("session", s.session);
    v("report_id", s.report_id);
    v("epoch", s.epoch);
    v("task", s.task);
    v("token", s.token);
    v("steps_done", s.steps_done);
    v("begin", s.begin);
    v("progress", s.progress);
    v("outcome", s.outcome);
    v("asked_at_us", s.asked_at_us);
  }
};

// Extends the leases it names. Volatile: never logged.
//
// `asked_at_us` is the worker's own steady clock when it sent this; it means nothing to the server,
// which keeps the newest of each session and echoes it: in the answer, and in each work order. So a
// worker measures a lease from before it asked, and its view of a lease ends before the server's.
struct WorkerHeartbeat {
  SessionId session;
  std::vector<HeldLease> held;
  bool draining = false;
  std::int64_t asked_at_us = 0;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("session", s.session);
    v("held", s.held);
    v("draining", s.draining);
    v("asked_at_us", s.asked_at_us);
  }
};

// What a cloud has, in answer to a TakeInventory, in pages of a few hundred things each. Volatile:
// never logged, not sent again; what is lost is asked for anew.
struct InventoryPage {
  SessionId session;
  std::string backend;
  std::uint64_t run = 0;  // of the TakeInventory
  std::uint32_t page = 0;
  bool last = false;
  std::string error;  // it could not be listed; then this is the only page
  Inventory inventory;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("session", s.session);
    v("backend", s.backend);
    v("run", s.run);
    v("page", s.page);
    v("last", s.last);
    v("error", s.error);
    v("inventory", s.inventory);
  }
};

// The answer to an InspectVm. Never logged and kept nowhere: it may hold a secret.
struct VmInspection {
  SessionId session;
  std::uint64_t inspection = 0;  // of the InspectVm
  std::string error;             // Errc's name; empty if it came to something
  std::string detail;            // shown to clients
  base::RawJson result;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("session", s.session);
    v("inspection", s.inspection);
    v("error", s.error);
    v("detail", s.detail);
    v("result", s.result);
  }
};

// The process ends in good order; it holds nothing any more.
struct WorkerGoodbye {
  SessionId session;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("session", s.session);
  }
};

// ---- server to worker ----

struct Welcome {
  SessionId session;
  std::uint64_t epoch = 1;
  base::Duration heartbeat_interval{};
  std::vector<HeldLease> lost;   // of those it said it held; the others are extended
  std::int64_t asked_at_us = 0;  // echo of the hello's
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("session", s.session);
    v("epoch", s.epoch);
    v("heartbeat_interval_us", s.heartbeat_interval);
    v("lost", s.lost);
    v("asked_at_us", s.asked_at_us);
  }
};

// Everything up to the report named is durable; or the lease is lost and the report changed
// nothing.
struct ReportAck {
  std::uint64_t report_id = 0;
  TaskId task;
  FencingToken token = 0;
  bool lease_lost = false;
  std::string granted_step;  // answers `begin`: the call may be made now
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("report_id", s.report_id);
    v("task", s.task);
    v("token", s.token);
    v("lease_lost", s.lease_lost);
    v("granted_step", s.granted_step);
  }
};

struct HeartbeatAck {
  std::vector<HeldLease> lost;
  bool unknown_session = false;  // say hello again
  std::int64_t asked_at_us = 0;  // echo of the heartbeat's
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("lost", s.lost);
    v("unknown_session", s.unknown_session);
    v("asked_at_us", s.asked_at_us);
  }
};

struct CancelLease {
  TaskId task;
  FencingToken token = 0;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("task", s.task);
    v("token", s.token);
  }
};

// List what the cloud has. Answered by InventoryPages, or not at all.
struct TakeInventory {
  std::string backend;
  std::uint64_t run = 0;
  std::string installation;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("backend", s.backend);
    v("run", s.run);
    v("installation", s.installation);
  }
};

// A question about a VM, that changes nothing: "vm.console_open", "vm.stats". Answered by a
// VmInspection, or not at all. `order` says which VM it is; there is no task.
struct InspectVm {
  std::uint64_t inspection = 0;
  std::string operation;
  WorkOrder order;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("inspection", s.inspection);
    v("operation", s.operation);
    v("order", s.order);
  }
};

// Take nothing more, finish or hand back, say goodbye and exit.
struct DrainWorker {
  std::string reason;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("reason", s.reason);
  }
};

}  // namespace slipway::domain
