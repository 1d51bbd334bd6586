#include <fmt/format.h>

#include <algorithm>

#include "core/base/check.hpp"
#include "eventstore/remembered.hpp"
#include "eventstore/sequencer.hpp"

namespace slipway::eventstore {
namespace {

constexpr std::string_view kServer = "slipway";

std::string worker_actor(const std::string& worker) { return "worker/" + worker; }

// The task that a command makes or is about; nil for one without.
domain::TaskId correlation_of(const domain::Command& command) {
  if (const auto* cancel = std::get_if<domain::CancelTask>(&command.body)) return cancel->task;
  if (const auto* priority = std::get_if<domain::SetPriority>(&command.body)) return priority->task;
  return command.task;
}

bool is_cancel(const domain::CommandBody& body) {
  const auto* batch = std::get_if<domain::OpenBatch>(&body);
  return std::holds_alternative<domain::CancelTask>(body) ||
         (batch != nullptr && batch->kind == domain::CommandKind::BatchTaskCancel);
}

}  // namespace

SequencerCore::SequencerCore(EventLog& log, domain::World world, const base::Clock& clock,
                             SequencerOptions options, std::uint64_t random)
    : log_(log),
      world_(std::move(world)),
      clock_(clock),
      options_(std::move(options)),
      random_state_(random) {
  const auto id = base::parse_uuid(log_.head().log_id);
  CHECK(id.has_value(), "the log's id is no UUID: '{}'", log_.head().log_id);
  log_id_ = *id;
  CHECK(world_.next_seq() == log_.head().next_seq, "the live state is at seq {}, the log at {}",
        world_.next_seq(), log_.head().next_seq);
  // All leases start anew: their workers may be alive and get one full timeout to say so.
  const base::SteadyTime expires = clock_.steady() + options_.policy.lease_timeout;
  world_.each_task([&](const domain::Task& task) {
    if (task.state == domain::TaskState::Running && !task.worker_pool.empty()) {
      leases_.grant(task.id, task.token, domain::SessionId(), expires);
    }
  });
}

base::Status SequencerCore::process(std::vector<Input>& inputs) {
  if (failed_) return base::fail(*failed_);
  now_ = clock_.now();
  steady_ = clock_.steady();
  for (Input& input : inputs) {
    std::visit([this](auto& i) { take(i); }, input);
    if (auto status = flush_if_full(); !status) return status;
  }
  inputs.clear();
  if (is_read_only()) return flush();
  if (auto status = run_timers(); !status) return status;
  if (auto status = expire_leases(); !status) return status;
  sample_hour();
  for (bool more = true; more;) {
    more = dispatch();
    if (auto status = flush(); !status) return status;
  }
  return {};
}

bool SequencerCore::batch_is_full() const {
  return batch_events_ >= options_.batch_events_max || batch_bytes_ >= options_.batch_bytes_max;
}

std::uint64_t SequencerCore::next_random() {
  // splitmix64: jitter only, nothing secret.
  std::uint64_t z = (random_state_ += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

// ---- a client's command ----

void SequencerCore::take(std::unique_ptr<Submission>& input) {
  Submission& submission = *input;
  if (submission.idempotency && answer_from_memory(submission)) return;
  if (auto status = check_space(submission.command.body); !status) {
    refuse(submission, status.error());
    return;
  }
  auto events = domain::decide(world_, options_.policy, submission.command, now_);
  if (!events) {
    refuse(submission, events.error());
  } else if (submission.dry_run) {
    show_plan(submission, *events);
  } else {
    accept(submission, std::move(*events));
  }
}

void SequencerCore::refuse(Submission& submission, base::Error error) {
  pending_.push_back({std::move(submission.reply), {}, false, std::move(error)});
}

bool SequencerCore::answer_from_memory(Submission& submission) {
  const auto& idempotency = *submission.idempotency;
  Remembered found;
  if (const auto open = open_keys_.find(idempotency.key); open != open_keys_.end()) {
    found = open->second;
  } else {
    auto stored = log_.idempotency(idempotency.key);
    if (!stored) {
      refuse(submission, stored.error());
      return true;
    }
    if (!*stored) {
      if (observer_ != nullptr) observer_->on_idempotency("new");
      return false;
    }
    const auto remembered = RememberedAnswer::decode(**stored);
    CHECK(remembered.has_value(), "the answer stored under an idempotency key is unreadable");
    found = {remembered->fingerprint, remembered->answer()};
  }
  if (found.fingerprint != idempotency.fingerprint) {
    if (observer_ != nullptr) observer_->on_idempotency("reused");
    refuse(submission, {base::Errc::IdempotencyKeyReused,
                        "this idempotency key was used for another request",
                        {}});
    return true;
  }
  if (observer_ != nullptr) observer_->on_idempotency("replayed");
  // With the batch: the first request's answer may not be durable yet.
  pending_.push_back({std::move(submission.reply), std::move(found.answer), true, std::nullopt});
  return true;
}

base::Status SequencerCore::check_space(const domain::CommandBody& body) const {
  if (!space_) return {};
  const SpaceState state = space_();
  if (state == SpaceState::Normal || (state == SpaceState::RefuseNew && is_cancel(body))) return {};
  return base::fail(base::Errc::StorageFull, "the disk is nearly full: no new commands for now");
}

void SequencerCore::show_plan(Submission& submission, const domain::Events& events) {
  Answer answer = submission.reply->render({world_, submission.command, events, 0, now_, true});
  pending_.push_back({std::move(submission.reply), std::move(answer), false, std::nullopt});
}

void SequencerCore::accept(Submission& submission, domain::Events events) {
  const domain::Command& command = submission.command;
  domain::Envelope envelope;
  envelope.tenant = command.caller.tenant;
  envelope.actor = command.caller.actor;
  envelope.dialect = command.caller.dialect;
  envelope.request_id = command.caller.request_id;
  envelope.trace = command.caller.trace;
  envelope.correlation = correlation_of(command);
  for (LogBatch::Put& secret : submission.secrets) batch_.secrets.push_back(std::move(secret));
  // A command that changes nothing (cancelling what is being cancelled) is answered all the same.
  static const domain::Events kNone;
  const bool changes = !events.empty();
  const Seq first =
      changes ? commit(std::move(envelope), std::move(events)) : world_.next_seq() - 1;
  const domain::Events& decided = changes ? records_.back().events : kNone;
  Answer answer = submission.reply->render({world_, command, decided, first, now_, false});
  answer.seq = world_.next_seq() - 1;
  if (submission.idempotency) {
    auto& idempotency = *submission.idempotency;
    batch_.idempotency.push_back(
        {idempotency.key, RememberedAnswer::of(idempotency.fingerprint, answer, now_).encode()});
    open_keys_[std::move(idempotency.key)] = {std::move(idempotency.fingerprint), answer};
  }
  pending_.push_back({std::move(submission.reply), std::move(answer), false, std::nullopt});
}

// ---- the open batch ----

Seq SequencerCore::commit(domain::Envelope envelope, domain::Events events) {
  envelope.log = log_id_;
  envelope.epoch = log_.head().epoch;
  envelope.seq = world_.next_seq();
  envelope.time = now_;
  domain::RecordBody& record = records_.emplace_back();
  record.envelope = std::move(envelope);
  record.events = std::move(events);
  Seq seq = record.envelope.seq;
  for (domain::Event& event : record.events) {
    event.version = world_.next_version(event.stream);
    world_.evolve(record.envelope, seq++, event);
  }
  LogBatch::NewRecord& out = batch_.records.emplace_back();
  out.seq = record.envelope.seq;
  out.event_count = static_cast<std::uint32_t>(record.events.size());
  index_streams(record, out);
  domain::encode_record(record, scratch_, out.payload);
  batch_events_ += record.events.size();
  batch_bytes_ += out.payload.size();
  note_consequences(record);
  return record.envelope.seq;
}

void SequencerCore::index_streams(const domain::RecordBody& record,
                                  LogBatch::NewRecord& out) const {
  for (const domain::Event& event : record.events) {
    // A command's stream has one event, in the record that begins its task's.
    if (event.stream.kind == domain::StreamKind::Command) continue;
    out.index_keys.push_back(event.stream.index_key());
  }
  std::sort(out.index_keys.begin(), out.index_keys.end());
  out.index_keys.erase(std::unique(out.index_keys.begin(), out.index_keys.end()),
                       out.index_keys.end());
}

// What an event means for the volatile side: a lease that is over, a worker that is to stop.
void SequencerCore::note_consequences(const domain::RecordBody& record) {
  for (const domain::Event& event : record.events) {
    if (event.stream.kind != domain::StreamKind::Task) continue;
    const domain::TaskId task(event.stream.id);
    const auto state = domain::state_after(event.body);
    const bool cancel = std::holds_alternative<domain::TaskCancelRequested>(event.body);
    if (!cancel && (!state || *state == domain::TaskState::Running)) continue;
    const TaskLease* lease = leases_.lease(task);
    if (lease == nullptr) continue;
    if (cancel || *state == domain::TaskState::TimedOut) {
      effect(lease->session, domain::CancelLease{task, lease->token});
    }
    if (!cancel) {
      leases_.release(task);
      progress_.erase(task);
    }
  }
}

base::Status SequencerCore::flush() {
  if (!batch_.empty()) {
    const base::SteadyTime start = clock_.steady();
    if (auto status = log_.append(batch_); !status) {
      failed_ = status.error();
      return status;
    }
    if (observer_ != nullptr) {
      observer_->on_append(batch_events_, batch_bytes_, clock_.steady() - start);
    }
    if (!records_.empty() && !listeners_.empty()) {
      auto committed = std::make_shared<CommittedBatch>();
      committed->first_seq = records_.front().envelope.seq;
      committed->next_seq = world_.next_seq();
      committed->records = std::move(records_);
      for (CommitListener* listener : listeners_) listener->on_committed(committed);
    }
    records_.clear();
    batch_.clear();
    batch_events_ = 0;
    batch_bytes_ = 0;
    open_keys_.clear();
  }
  send_answers();
  return {};
}

base::Status SequencerCore::flush_if_full() {
  if (!batch_is_full()) return {};
  return flush();
}

void SequencerCore::send_answers() {
  for (Pending& p : pending_) {
    if (p.refusal) {
      p.reply->refuse(*p.refusal);
    } else {
      p.reply->send(std::move(p.answer), p.replayed);
    }
  }
  pending_.clear();
  if (!outgoing_.empty() && effects_ != nullptr) effects_->post(std::move(outgoing_));
  outgoing_.clear();
}

void SequencerCore::effect(const domain::SessionId& session, domain::ServerMessage message,
                           std::string tenant) {
  if (session.is_nil()) return;
  outgoing_.push_back({session, log_.head().epoch, std::move(message), std::move(tenant)});
}

domain::Envelope SequencerCore::envelope_of(const domain::Task& task, std::string actor) const {
  domain::Envelope e;
  e.tenant = task.tenant;
  e.actor = std::move(actor);
  e.dialect = task.dialect;
  e.request_id = task.request_id;
  e.trace = task.trace;
  const domain::Task* parent = world_.task(task.parent);
  e.correlation = parent != nullptr && parent->batch ? parent->id : task.id;
  e.causation = task.last_seq;
  return e;
}

// ---- workers ----

void SequencerCore::take(domain::WorkerInput& input) {
  std::visit([this](auto& message) { take(message); }, input);
}

void SequencerCore::take(const domain::WorkerHello& hello) {
  if (drain_superseded(hello.session)) return;
  if (!is_read_only()) end_leases_of_dead(hello);
  WorkerSession& session = leases_.open_session(hello, steady_, now_);
  session.asked_at_us = std::max(session.asked_at_us, hello.asked_at_us);
  ++workers_version_;
  domain::Welcome welcome;
  welcome.session = hello.session;
  welcome.epoch = log_.head().epoch;
  welcome.heartbeat_interval = options_.heartbeat_interval;
  welcome.asked_at_us = hello.asked_at_us;
  welcome.lost = extend_held(session, hello.held);
  effect(hello.session, std::move(welcome));
}

// A worker of that name starts anew: the process that held these is gone. Also those that it held
// when an earlier server stopped: that one's sessions are not known here, but the log names them.
void SequencerCore::end_leases_of_dead(const domain::WorkerHello& hello) {
  for (const domain::SessionId& old : leases_.earlier_sessions(hello.worker, hello.session)) {
    const std::set<domain::TaskId> held = leases_.session(old)->held;
    leases_.supersede_session(old);
    for (const domain::TaskId& task : held) end_lease(task, domain::LeaseEnd::ProcessDied);
  }
  for (const domain::TaskId& id : leases_.unclaimed()) {
    const domain::Task* task = world_.task(id);
    if (task == nullptr || task->worker != hello.worker || task->session == hello.session) continue;
    end_lease(id, domain::LeaseEnd::ProcessDied);
  }
}

// An older process of a worker that has been replaced: it holds nothing any more.
bool SequencerCore::drain_superseded(const domain::SessionId& session) {
  if (!leases_.is_superseded(session)) return false;
  effect(session, domain::DrainWorker{"another process of this worker has taken its place"});
  return true;
}

std::vector<domain::HeldLease> SequencerCore::extend_held(
    WorkerSession& session, const std::vector<domain::HeldLease>& held) {
  std::vector<domain::HeldLease> lost;
  for (const domain::HeldLease& h : held) {
    TaskLease* lease = leases_.lease(h.task);
    const domain::Task* task = world_.task(h.task);
    if (lease == nullptr || lease->token != h.token || task == nullptr ||
        task->session != session.id) {
      lost.push_back(h);
      continue;
    }
    if (!session.held.contains(h.task)) leases_.reattach(*lease, session.id);
    leases_.extend(*lease, steady_ + options_.policy.lease_timeout);
    // Said when it was requested, but that frame may be lost, or the server have stopped then.
    if (task->cancel_requested()) effect(session.id, domain::CancelLease{h.task, h.token});
  }
  return lost;
}

void SequencerCore::take(const domain::WorkerHeartbeat& heartbeat) {
  if (drain_superseded(heartbeat.session)) return;
  domain::HeartbeatAck ack;
  ack.asked_at_us = heartbeat.asked_at_us;
  WorkerSession* session = leases_.session(heartbeat.session);
  if (session == nullptr) {
    ack.unknown_session = true;
  } else {
    session->last_seen = steady_;
    session->asked_at_us = std::max(session->asked_at_us, heartbeat.asked_at_us);
    if (heartbeat.draining && !session->draining) {
      session->draining = true;
      ++workers_version_;
    }
    ack.lost = extend_held(*session, heartbeat.held);
  }
  effect(heartbeat.session, std::move(ack));
}

void SequencerCore::take(const domain::WorkerGoodbye& goodbye) {
  WorkerSession* session = leases_.session(goodbye.session);
  if (session == nullptr || (is_read_only() && !session->held.empty())) return;
  const std::set<domain::TaskId> held = session->held;
  leases_.close_session(goodbye.session);
  ++workers_version_;
  for (const domain::TaskId& task : held) end_lease(task, domain::LeaseEnd::Expired);
}

void SequencerCore::take(DrainRequest& request) {
  bool found = false;
  for (const auto& [id, s] : leases_.sessions()) {
    if (s.worker != request.worker && base::to_string(id) != request.worker) continue;
    found = true;
    leases_.session(id)->draining = true;
    ++workers_version_;
    effect(id, domain::DrainWorker{"drain requested"});
  }
  if (request.done) request.done(found);
}

void SequencerCore::take(domain::WorkerReport& report) {
  if (drain_superseded(report.session)) return;
  if (WorkerSession* session = leases_.session(report.session)) {
    session->last_seen = steady_;
    session->asked_at_us = std::max(session->asked_at_us, report.asked_at_us);
  }
  if (is_read_only()) return;  // not acknowledged: it comes again
  TaskLease* lease = leases_.lease(report.task);
  if (lease != nullptr && lease->token == report.token && lease->session == report.session &&
      report.report_id <= lease->last_report) {
    acknowledge(report, false);  // came twice
    return;
  }
  const domain::Task* task = world_.task(report.task);
  if (!options_.fence && task != nullptr) {
    report.token = task->token;
    report.session = task->session;
  }
  const bool log_progress = due_for_log(lease, report);
  auto events =
      domain::decide_report(world_, options_.policy, report, now_, next_random(), log_progress);
  if (!events) {
    if (observer_ != nullptr) observer_->on_stale_report();
    acknowledge(report, true);
    return;
  }
  if (lease != nullptr) {
    if (lease->session != report.session) leases_.reattach(*lease, report.session);
    lease->last_report = report.report_id;
    leases_.extend(*lease, steady_ + options_.policy.lease_timeout);
    note_progress(report, log_progress);
  }
  if (!events->empty()) commit(envelope_of(*task, worker_actor(task->worker)), std::move(*events));
  acknowledge(report, false);
}

void SequencerCore::acknowledge(const domain::WorkerReport& report, bool lost) {
  domain::ReportAck ack;
  ack.report_id = report.report_id;
  ack.task = report.task;
  ack.token = report.token;
  ack.lease_lost = lost;
  if (!lost && domain::is_begun(world_, report)) ack.granted_step = report.begin->step;
  effect(report.session, std::move(ack));
}

bool SequencerCore::due_for_log(TaskLease* lease, const domain::WorkerReport& report) const {
  return lease != nullptr && report.progress && !report.outcome &&
         report.progress->percent > lease->logged_percent &&
         steady_ - lease->progress_logged >= options_.progress_log_interval;
}

void SequencerCore::note_progress(const domain::WorkerReport& report, bool logged) {
  if (!report.progress || report.outcome) return;
  progress_.set(report.task, *report.progress);
  TaskLease* lease = leases_.lease(report.task);
  if (!logged || lease == nullptr) return;
  lease->logged_percent = report.progress->percent;
  lease->progress_logged = steady_;
}

// ---- time ----

std::optional<base::Time> SequencerCore::next_timer() const {
  std::optional<base::Time> next = next_sample_;
  if (!world_.timers().empty()) {
    const base::Time due = world_.timers().begin()->due;
    if (!next || due < *next) next = due;
  }
  if (const auto& due = world_.leases().due(); !due.empty()) {
    if (!next || due.begin()->at < *next) next = due.begin()->at;
  }
  return next;
}

base::Status SequencerCore::run_timers() {
  while (!world_.timers().empty() && world_.timers().begin()->due <= now_) {
    const domain::Timer timer = *world_.timers().begin();
    if (observer_ != nullptr) observer_->on_timer_late(now_ - timer.due);
    auto events = domain::decide_timer(world_, options_.policy, timer, now_);
    CHECK(!events.empty(), "a timer of task {} fell due and means nothing",
          base::to_string(timer.task));
    const domain::Task* task = world_.task(timer.task);
    commit(envelope_of(*task, std::string(kServer)), std::move(events));
    if (auto status = flush_if_full(); !status) return status;
  }
  return run_lease_timers();
}

// In order of their due times, whatever the wall clock did: hosts go from one lease to the next.
base::Status SequencerCore::run_lease_timers() {
  const auto& all = world_.leases().due();
  while (!all.empty() && all.begin()->at <= now_) {
    const domain::LeaseDue due = *all.begin();
    if (observer_ != nullptr) observer_->on_timer_late(now_ - due.at);
    domain::Envelope envelope;
    envelope.tenant = world_.leases().lease(due.lease)->tenant;
    envelope.actor = kServer;
    envelope.dialect = domain::Dialect::Reservation;
    commit(std::move(envelope), domain::decide_lease_due(world_, options_.policy, due, now_));
    if (auto status = flush_if_full(); !status) return status;
  }
  return {};
}

base::Status SequencerCore::expire_leases() {
  while (const auto task = leases_.expired(steady_)) {
    if (observer_ != nullptr) observer_->on_lease_expired();
    end_lease(*task, domain::LeaseEnd::Expired);
    if (auto status = flush_if_full(); !status) return status;
  }
  for (const domain::SessionId& id :
       leases_.silent_sessions(steady_ - options_.policy.lease_timeout)) {
    leases_.close_session(id);
    ++workers_version_;
  }
  return {};
}

void SequencerCore::end_lease(const domain::TaskId& id, domain::LeaseEnd why) {
  const domain::Task* task = world_.task(id);
  if (task != nullptr && task->state == domain::TaskState::Running) {
    auto events =
        domain::decide_lease_end(world_, options_.policy, *task, why, now_, next_random());
    commit(envelope_of(*task, std::string(kServer)), std::move(events));
  }
  leases_.release(id);
  progress_.erase(id);
}

void SequencerCore::sample_hour() {
  const base::Time hour = std::chrono::floor<std::chrono::hours>(now_);
  if (!next_sample_) next_sample_ = hour + std::chrono::hours(1);
  if (now_ < *next_sample_) return;
  next_sample_ = hour + std::chrono::hours(1);
  domain::Envelope envelope;
  envelope.actor = kServer;
  commit(std::move(envelope), domain::decide_sample(world_, hour));
}

// ---- leases ----

bool SequencerCore::dispatch() {
  const base::SteadyTime since =
      steady_ - std::min(3 * options_.heartbeat_interval, options_.policy.lease_timeout);
  for (const auto& [pool, queue] : world_.ready()) {
    while (!queue.empty()) {
      WorkerSession* session = leases_.roomiest(pool, since);
      if (session == nullptr) break;
      if (batch_is_full()) return true;
      lease_to(queue.begin()->task, *session);
    }
  }
  return false;
}

// `id` by value: the queue that it is read from forgets it here.
void SequencerCore::lease_to(domain::TaskId id, WorkerSession& session) {
  const domain::Task& task = *world_.task(id);
  auto events =
      domain::decide_lease(world_, options_.policy, task, session.id, session.worker, now_);
  commit(envelope_of(task, std::string(kServer)), std::move(events));
  leases_.grant(id, task.token, session.id, steady_ + options_.policy.lease_timeout);
  domain::WorkOrder order =
      domain::make_work_order(world_, options_.policy, task, log_.head().epoch);
  order.asked_at_us = session.asked_at_us;
  effect(session.id, std::move(order), task.tenant);
}

std::vector<WorkerStatus> SequencerCore::workers() const {
  std::vector<WorkerStatus> out;
  for (const auto& [id, s] : leases_.sessions()) {
    out.push_back({id, s.worker, s.pools, s.version, s.slots,
                   static_cast<std::uint32_t>(s.held.size()), s.draining, s.connected_at});
  }
  return out;
}

}  // namespace slipway::eventstore
