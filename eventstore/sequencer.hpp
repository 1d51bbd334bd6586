#pragma once
// The one writer. Everything that can change something comes to it as an input; it decides, folds,
// and appends the events of all inputs taken together as one synced batch. Only after that sync do
// the effects leave: answers to clients, frames to workers, batches to the followers.
//
// SequencerCore is a plain object (the deterministic simulator drives it); Sequencer is the thread
// and the bounded queue around it.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "core/base/bounded_queue.hpp"
#include "core/base/clock.hpp"
#include "core/domain/decide.hpp"
#include "core/domain/reconcile_rules.hpp"
#include "core/domain/worker_messages.hpp"
#include "eventstore/committed.hpp"
#include "eventstore/event_log.hpp"
#include "eventstore/inspections.hpp"
#include "eventstore/live_progress.hpp"
#include "eventstore/reconciler.hpp"
#include "eventstore/retention.hpp"
#include "eventstore/space_guard.hpp"
#include "eventstore/task_leases.hpp"

namespace slipway::eventstore {

// What a client gets for an accepted command. Remembered with the idempotency key.
struct Answer {
  int status = 202;
  std::string body;
  domain::TaskId task;  // nil for a command that makes none
  // A secret that belongs into the body at `offset`: never stored with the answer, put in when
  // sent.
  struct SecretSlot {
    std::size_t offset = 0;
    domain::SecretRef ref;
    bool once = false;  // for nothing but this answer: forgotten with it
  };
  std::optional<SecretSlot> secret;
  Seq seq = 0;  // of the command's last event
};

// A command that was decided, seen before its sync.
struct Accepted {
  const domain::World& world;  // the command's events folded; for a dry run, as it was before
  const domain::Command& command;
  const domain::Events& events;
  Seq first_seq = 0;  // 0 for a dry run
  base::Time now{};
  bool dry_run = false;
};

// How one submitted command is answered. All three are called on the sequencer's thread and must
// only compute or queue; exactly one of send and refuse is called, once.
class Reply {
 public:
  virtual ~Reply() = default;
  virtual Answer render(const Accepted& accepted) = 0;
  // After the sync. `replayed`: the remembered answer of an earlier request with the same key.
  virtual void send(Answer&& answer, bool replayed) = 0;
  virtual void refuse(const base::Error& error) = 0;
};

struct Submission {
  domain::Command command;
  std::vector<LogBatch::Put> secrets;  // sealed; made durable with the command
  struct Idempotency {
    std::string key;          // scope included
    std::string fingerprint;  // of the request
  };
  std::optional<Idempotency> idempotency;
  bool dry_run = false;  // decide and render, append nothing
  std::unique_ptr<Reply> reply;
};

struct Tick {};  // a timer may be due
struct DrainRequest {
  std::string worker;  // name or session id
  std::function<void(bool found)> done;
};
// Asks a worker of the VM's backend; changes nothing. `done` is called on the sequencer's thread.
struct InspectRequest {
  domain::VmId vm;
  std::string operation;  // "vm.console_open", "vm.stats"
  Inspected done;
};
// A domain::Policy takes the place of the one in force, for what is decided after it.
using Input = std::variant<std::unique_ptr<Submission>, domain::WorkerInput, Tick, DrainRequest,
                           InspectRequest, domain::Policy>;

class EffectSink {
 public:
  virtual ~EffectSink() = default;
  // Called once a batch, on the sequencer's thread; must only queue.
  virtual void post(std::vector<domain::WorkerEffect>&& effects) = 0;
};

// Told of what happens, for the metrics; on the sequencer's thread.
class SequencerObserver {
 public:
  virtual ~SequencerObserver() = default;
  virtual void on_append(std::size_t events, std::size_t bytes, base::Duration took) = 0;
  virtual void on_idempotency(std::string_view result) = 0;
  virtual void on_stale_report() = 0;
  virtual void on_lease_expired() = 0;
  virtual void on_timer_late(base::Duration late) = 0;
  // A cloud was listed, or could not be (`result`: done, failed), in so long.
  virtual void on_reconciled(std::string_view /*backend*/, std::string_view /*result*/,
                             base::Duration /*took*/) {}
  // What the list showed: Finding::kind.
  virtual void on_finding(std::string_view /*backend*/, std::string_view /*kind*/) {}
};

struct SequencerOptions {
  domain::Policy policy;
  base::Duration heartbeat_interval = std::chrono::seconds(5);
  base::Duration progress_log_interval = std::chrono::seconds(10);
  std::size_t batch_events_max = 1000;
  std::size_t batch_bytes_max = std::size_t{1} << 20U;
  std::size_t queue_capacity = 4096;
  RetentionOptions retention;
  ReconcileOptions reconcile;
  bool fence = true;  // for the crash harness's control run only
};

// A copy of what GET /core/v1/workers shows.
struct WorkerStatus {
  domain::SessionId session;
  std::string worker;
  std::vector<std::string> pools;
  std::string version;
  std::uint32_t slots = 0;
  std::uint32_t busy = 0;
  bool draining = false;
  base::Time connected_at{};
};

class SequencerCore {
 public:
  // `world` is folded up to the log's head. `random` seeds the jitter of retries.
  SequencerCore(EventLog& log, domain::World world, const base::Clock& clock,
                SequencerOptions options, std::uint64_t random);

  void set_effects(EffectSink* sink) { effects_ = sink; }
  void add_listener(CommitListener* listener) { listeners_.push_back(listener); }
  void set_observer(SequencerObserver* observer) { observer_ = observer; }
  void set_space(std::function<SpaceState()> space) { space_ = std::move(space); }

  // Decides all inputs, appends, and lets the effects leave. An Error is the log's, and final: what
  // was decided since the last sync is answered to nobody, and every later call fails with it.
  base::Status process(std::vector<Input>& inputs);

  // When the next timer is due on the wall clock, and the next lease on the steady one. While
  // nothing may be written, none is: look again in a second.
  std::optional<base::Time> next_timer() const;
  std::optional<base::SteadyTime> next_lease_expiry() const;

  const domain::World& world() const { return world_; }
  const TaskLeaseTable& leases() const { return leases_; }
  std::vector<WorkerStatus> workers() const;
  // Grows when the answer of workers() has changed.
  std::uint64_t workers_version() const { return workers_version_; }
  LiveProgress& progress() { return progress_; }

 private:
  struct Pending {  // an answer that waits for the sync
    std::unique_ptr<Reply> reply;
    Answer answer;
    bool replayed = false;
    std::optional<base::Error> refusal;  // decided on what may not be durable yet: it waits too
  };
  struct Remembered {
    std::string fingerprint;
    Answer answer;
  };

  void take(std::unique_ptr<Submission>& submission);
  void take(domain::WorkerInput& input);
  void take(Tick&) {}
  void take(DrainRequest& request);
  void take(InspectRequest& request);
  void take(domain::Policy& policy) { options_.policy = policy; }
  void take(const domain::WorkerHello& hello);
  void take(domain::WorkerReport& report);
  void take(const domain::WorkerHeartbeat& heartbeat);
  void take(const domain::WorkerGoodbye& goodbye);
  void take(const domain::InventoryPage& page);
  void take(const domain::VmInspection& answer) { inspections_.take(answer); }

  // True if the key was used before: the submission is answered then.
  bool answer_from_memory(Submission& submission);
  // A re-drive makes its VM with the secrets of the old one: they must not be forgotten by now.
  base::Status check_secrets(const domain::CommandBody& body) const;
  base::Status check_space(const domain::CommandBody& body) const;
  void refuse(Submission& submission, base::Error error);
  void accept(Submission& submission, domain::Events events);
  void show_plan(Submission& submission, const domain::Events& events);

  // Numbers the events, folds them, and puts the record into the open batch; its first seq.
  Seq commit(domain::Envelope envelope, domain::Events events);
  // `redriven`: the record makes a task that goes on with another.
  void note_secrets(const domain::Event& event, Seq seq, bool redriven);
  base::Status sweep();
  void index_streams(const domain::RecordBody& record, LogBatch::NewRecord& out) const;
  domain::Envelope envelope_of(const domain::Task& task, std::string actor) const;
  void acknowledge(const domain::WorkerReport& report, bool lost);
  bool due_for_log(TaskLease* lease, const domain::WorkerReport& report) const;
  void note_progress(const domain::WorkerReport& report, bool logged);
  base::Status run_timers();
  base::Status run_lease_timers();
  base::Status expire_leases();
  bool is_read_only() const { return space_ && space_() == SpaceState::ReadOnly; }
  void end_lease(const domain::TaskId& task, domain::LeaseEnd why);
  void sample_hour();
  // Asks the clouds whose time has come what they have (sequencer_reconcile.cpp).
  void run_reconciler();
  base::SteadyTime heard_since() const;
  void note_missing(const domain::ReconcileContext& context, const Reconciler::Run& run);
  void note(domain::Finding&& finding, const std::string& backend);
  // Leases READY tasks to free slots; true if it stopped because the batch is full.
  bool dispatch();
  void lease_to(domain::TaskId id, WorkerSession& session);
  void effect(const domain::SessionId& session, domain::ServerMessage message,
              std::string tenant = {});
  bool drain_superseded(const domain::SessionId& session);
  void end_leases_of_dead(const domain::WorkerHello& hello);
  std::vector<domain::HeldLease> extend_held(WorkerSession& session,
                                             const std::vector<domain::HeldLease>& held);
  void note_consequences(const domain::RecordBody& record);
  base::Status flush();
  base::Status flush_if_full();
  void send_answers();
  bool batch_is_full() const;
  std::uint64_t next_random();

  EventLog& log_;
  domain::World world_;
  const base::Clock& clock_;
  SequencerOptions options_;
  base::Uuid log_id_;
  EffectSink* effects_ = nullptr;
  SequencerObserver* observer_ = nullptr;
  std::vector<CommitListener*> listeners_;
  std::function<SpaceState()> space_;

  Retention retention_;
  TaskLeaseTable leases_;
  Reconciler reconciler_;
  Inspections inspections_;
  LiveProgress progress_;
  base::Time now_{};
  base::SteadyTime steady_{};
  std::uint64_t random_state_;
  std::optional<base::Time> next_sample_;
  std::optional<base::Error> failed_;  // the log's, for good
  std::uint64_t workers_version_ = 1;

  // ---- the open batch ----
  LogBatch batch_;
  std::size_t batch_events_ = 0;
  std::size_t batch_bytes_ = 0;
  std::vector<domain::RecordBody> records_;
  std::vector<Pending> pending_;
  std::vector<domain::WorkerEffect> outgoing_;
  std::map<std::string, Remembered, std::less<>> open_keys_;
  base::JsonWriter scratch_;
};

// The thread. Inputs from any thread; everything else is the core's.
class Sequencer final {
 public:
  // `on_fatal` is called on the sequencer's thread when the log fails: it must end the process.
  Sequencer(SequencerCore& core, const base::Clock& clock, std::size_t queue_capacity,
            std::function<void(const base::Error&)> on_fatal);
  ~Sequencer();

  void start();
  // Takes what is queued, then ends the thread.
  void stop();

  // False when the queue is full: 503 queue-full. The submission is then untouched.
  bool submit(std::unique_ptr<Submission>&& submission);
  void push(domain::WorkerInput&& input);
  void push(DrainRequest&& request);
  void push(InspectRequest&& request);
  void push(const domain::Policy& policy);
  // Called at each turn of the thread, at least every ten seconds. Before start().
  void set_on_turn(std::function<void()> on_turn) { on_turn_ = std::move(on_turn); }

  std::vector<WorkerStatus> workers();
  std::size_t queued() { return queue_.size(); }
  std::uint64_t rejected() const { return queue_.rejected(); }

 private:
  void run();
  void publish_workers();
  base::Duration until_next_timer() const;

  SequencerCore& core_;
  const base::Clock& clock_;
  base::BoundedQueue<Input> queue_;
  std::function<void(const base::Error&)> on_fatal_;
  std::function<void()> on_turn_;
  base::Mutex workers_mu_;
  std::vector<WorkerStatus> workers_ GUARDED_BY(workers_mu_);
  std::uint64_t published_version_ = 0;
  base::SteadyTime published_at_{};
  std::jthread thread_;
};

}  // namespace slipway::eventstore
