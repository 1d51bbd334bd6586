#include <fmt/format.h>

#include <algorithm>

#include "core/base/check.hpp"
#include "eventstore/remembered.hpp"
#include "eventstore/sequencer.hpp"

namespace slipway::eventstore {
namespace {

constexpr std::string_view kServer = "slipway";
constexpr base::Duration kReadOnlyPoll = std::chrono::seconds(1);

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
      retention_(log, options_.retention),
      reconciler_(options_.reconcile),
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
  inspections_.expire(steady_);
  if (is_read_only()) return flush();
  if (auto status = run_timers(); !status) return status;
  if (auto status = expire_leases(); !status) return status;
  if (auto status = sweep(); !status) return status;
  sample_hour();
  run_reconciler();
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
  } else if (auto kept = check_secrets(submission.command.body); !kept) {
    refuse(submission, kept.error());
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

base::Status SequencerCore::check_secrets(const domain::CommandBody& body) const {
  const auto* redrive = std::get_if<domain::RedriveTask>(&body);
  const auto* create = redrive == nullptr ? nullptr : std::get_if<domain::CreateVm>(&redrive->body);
  if (create == nullptr) return {};
  for (const domain::SecretRef* ref : {&create->admin_secret, &create->user_data}) {
    if (ref->empty()) continue;
    const auto stored = log_.secret(*ref);
    if (!stored) return base::fail(stored.error());
    if (!*stored) {
      return base::fail(base::Errc::IllegalTransition,
                        "the password or user data of this task is no longer kept: create anew");
    }
  }
  return {};
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
    const bool once = answer.secret && answer.secret->once;
    Retention::remember(batch_, idempotency.key,
                        RememberedAnswer::of(idempotency.fingerprint, answer, now_).encode(),
                        answer.seq, once ? answer.secret->ref : domain::SecretRef());
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
  const bool redriven = std::any_of(
      record.events.begin(), record.events.end(),
      [](const domain::Event& e) { return std::holds_alternative<domain::TaskRedriven>(e.body); });
  for (domain::Event& event : record.events) {
    event.version = world_.next_version(event.stream);
    note_secrets(event, seq, redriven);
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

// Called before the event is folded: what it deletes is still there to name its secrets.
void SequencerCore::note_secrets(const domain::Event& event, Seq seq, bool redriven) {
  const auto condemn = [&](const domain::SecretRef& ref) {
    if (!ref.empty()) Retention::condemn(batch_, ref, seq);
  };
  if (std::holds_alternative<domain::VmDeleted>(event.body)) {
    if (const domain::Vm* vm = world_.vm(domain::VmId(event.stream.id))) {
      condemn(vm->spec.admin_secret);
      condemn(vm->spec.user_data);
    }
  } else if (std::holds_alternative<domain::UserDeleted>(event.body) ||
             std::holds_alternative<domain::UserPasswordChanged>(event.body)) {
    if (const domain::User* user = world_.user(event.stream.name)) condemn(user->password);
  } else if (const auto* made = std::get_if<domain::VmRequested>(&event.body)) {
    for (const domain::SecretRef* ref : {&made->spec.admin_secret, &made->spec.user_data}) {
      if (redriven && !ref->empty()) Retention::share(batch_, *ref);
    }
  }
}

base::Status SequencerCore::sweep() {
  if (!retention_.due()) return {};
  // It reads the store: what the open batch says of secrets must be there.
  if (auto status = flush(); !status) return status;
  const auto in_use = [this](const domain::SecretRef& ref) {
    bool found = false;
    world_.each_vm([&](const domain::Vm& vm) {
      found = found || vm.spec.admin_secret == ref || vm.spec.user_data == ref;
    });
    return found;
  };
  auto status = retention_.sweep(batch_, in_use);
  if (!status) failed_ = status.error();
  return status;
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
    if (event.stream.kind == domain::StreamKind::Vm)
      reconciler_.touch(domain::VmId(event.stream.id));
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

// ---- time ----

std::optional<base::Time> SequencerCore::next_timer() const {
  if (is_read_only()) return now_ + kReadOnlyPoll;
  if (retention_.due()) return now_;
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

std::optional<base::SteadyTime> SequencerCore::next_lease_expiry() const {
  if (is_read_only()) return steady_ + kReadOnlyPoll;
  std::optional<base::SteadyTime> next;
  for (const auto& due :
       {leases_.next_expiry(), reconciler_.next_due(), inspections_.next_expiry()}) {
    if (due && (!next || *due < *next)) next = due;
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
  retention_.on_sample(commit(std::move(envelope), domain::decide_sample(world_, hour)));
}

}  // namespace slipway::eventstore
