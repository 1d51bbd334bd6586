#include "eventstore/projector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>

#include "core/base/check.hpp"
#include "core/base/mutex.hpp"
#include "eventstore/log_follower.hpp"

namespace slipway::eventstore {
namespace {

using std::chrono::milliseconds;

// Waits are looked through this often while nothing is committed.
constexpr milliseconds kExpireInterval(100);
constexpr milliseconds kReopenInterval(1000);

std::size_t event_count(const CommittedBatch& batch) {
  return static_cast<std::size_t>(batch.next_seq - batch.first_seq);
}

// The batch without the records up to `seq`; the same batch where there are none such.
CommittedBatchPtr newer_than(domain::Seq seq, const CommittedBatchPtr& batch) {
  if (batch->first_seq > seq) return batch;
  auto rest = std::make_shared<CommittedBatch>();
  rest->first_seq = seq + 1;
  rest->next_seq = batch->next_seq;
  for (const domain::RecordBody& record : batch->records) {
    if (record.envelope.seq > seq) rest->records.push_back(record);
  }
  return rest;
}

}  // namespace

struct Projector::Impl {
  Impl(Projector& owner, ProjectorOptions o, const EventLog& l, const base::Clock& c)
      : self(owner), options(std::move(o)), log(l), clock(c), log_id(l.head().log_id) {}

  // ---- the projector's thread ----
  base::Status open_core(std::string drop_because);
  void run(const std::stop_token& stop);
  void wait_for_work(const std::stop_token& stop);
  bool take_work(std::vector<CommittedBatchPtr>& lot, domain::Seq& catch_up_until);
  void catch_up(domain::Seq until, const std::stop_token& stop);
  void fold(std::span<const CommittedBatchPtr> batches, const std::stop_token& stop);
  void publish(std::span<const CommittedBatchPtr> lot);
  void adopt();
  void recover(const std::stop_token& stop);
  void take_over_second_copy(const std::stop_token& stop);

  // ---- the building thread ----
  void build(const std::stop_token& stop,
             const std::function<void(const RebuildProgress&)>& report);
  bool catch_up_copy(ProjectorCore& copy, domain::Seq until, const std::stop_token& stop,
                     const std::function<void(const RebuildProgress&)>& report);

  Projector& self;
  const ProjectorOptions options;
  const EventLog& log;
  const base::Clock& clock;
  const std::string log_id;
  domain::Seq head_at_start = 0;
  std::function<void(const RebuildProgress&)> on_progress;
  std::unique_ptr<ProjectorCore> core;

  base::Mutex mu;
  std::condition_variable_any wake;
  std::deque<CommittedBatchPtr> ring GUARDED_BY(mu);
  domain::Seq committed_next GUARDED_BY(mu) = 1;  // after the last batch that was handed in
  std::unique_ptr<ProjectorCore> second_copy GUARDED_BY(mu);
  std::function<void(const RebuildProgress&)> copy_done GUARDED_BY(mu);
  bool building GUARDED_BY(mu) = false;
  std::string dropped_because GUARDED_BY(mu);
  Stats stats GUARDED_BY(mu);

  // Held while listeners are called, so that one that was removed is not called any more.
  base::Mutex listeners_mu;
  std::vector<CommitListener*> listeners GUARDED_BY(listeners_mu);

  std::jthread thread;
  base::Mutex builder_mu;
  std::jthread builder GUARDED_BY(builder_mu);
};

Projector::Projector(ProjectorOptions options, const EventLog& log, const base::Clock& clock)
    : hot_(options.max_hot_tasks),
      waiters_(options.max_waiters),
      impl_(std::make_unique<Impl>(*this, std::move(options), log, clock)) {}

base::Result<std::unique_ptr<Projector>> Projector::open(ProjectorOptions options,
                                                         const EventLog& log,
                                                         const base::Clock& clock) {
  std::unique_ptr<Projector> projector(new Projector(std::move(options), log, clock));
  Impl& impl = *projector->impl_;
  impl.head_at_start = log.head().next_seq - 1;
  if (auto status = impl.open_core({}); !status) return base::fail(status.error());
  // A file that knows more than the log does is of a log that was put back to an older state.
  if (impl.core->checkpoint() > impl.head_at_start) {
    impl.core.reset();
    auto status = impl.open_core("it is ahead of the log");
    if (!status) return base::fail(status.error());
  }
  return projector;
}

Projector::~Projector() { stop(); }

void Projector::start(std::function<void(const RebuildProgress&)> on_progress) {
  impl_->on_progress = std::move(on_progress);
  impl_->thread = std::jthread([this](const std::stop_token& stop) { impl_->run(stop); });
}

void Projector::stop() {
  {
    base::Lock lock(impl_->builder_mu);
    impl_->builder = {};  // asks it to stop, and joins
  }
  if (impl_->thread.joinable()) {
    impl_->thread.request_stop();
    impl_->thread.join();
  }
  waiters_.stop();
}

void Projector::on_committed(const CommittedBatchPtr& batch) {
  {
    base::Lock lock(impl_->mu);
    impl_->committed_next = batch->next_seq;
    if (impl_->ring.size() >= impl_->options.ring_batches) {
      ++impl_->stats.ring_overflows;  // the gap is read from the log
      return;
    }
    impl_->ring.push_back(batch);
    if (impl_->ring.size() > 1) return;  // it is awake
  }
  impl_->wake.notify_one();
}

std::string Projector::dropped_because() const {
  base::Lock lock(impl_->mu);
  return impl_->dropped_because;
}

Projector::Stats Projector::stats() const {
  base::Lock lock(impl_->mu);
  return impl_->stats;
}

void Projector::add_batch_listener(CommitListener& listener) {
  base::Lock lock(impl_->listeners_mu);
  impl_->listeners.push_back(&listener);
}
void Projector::remove_batch_listener(CommitListener& listener) {
  base::Lock lock(impl_->listeners_mu);
  std::erase(impl_->listeners, &listener);
}

// ---- the projector's thread ----

base::Status Projector::Impl::open_core(std::string drop_because) {
  ProjectorCore::Options core_options;
  core_options.directory = options.directory;
  core_options.cache_bytes = options.cache_bytes;
  core_options.max_hot_tasks = options.max_hot_tasks;
  core_options.drop_because = std::move(drop_because);
  core_options.checkpoint_pages = options.checkpoint_pages;
  auto opened = ProjectorCore::open(std::move(core_options), log_id);
  if (!opened) return base::fail(opened.error());
  core = std::move(*opened);
  {
    base::Lock lock(mu);
    if (!core->dropped_because().empty()) dropped_because = core->dropped_because();
    committed_next = std::max(committed_next, head_at_start + 1);
  }
  adopt();
  return {};
}

// Everything that is served from memory, from the core's state.
void Projector::Impl::adopt() {
  self.hot_.clear();
  for (const TaskRowPtr& row : core->hot_tasks()) (void)self.hot_.put(row);
  self.counts_.reset(core->tallies(), core->checkpoint(), core->last_event_time());
  self.people_.store(core->directory());
  self.seq_.store(core->checkpoint(), std::memory_order_release);
  self.waiters_.committed({}, core->checkpoint());
}

void Projector::Impl::run(const std::stop_token& stop) {
  catch_up(head_at_start, stop);
  if (on_progress) on_progress({core->checkpoint(), head_at_start, true});
  std::vector<CommittedBatchPtr> lot;
  domain::Seq catch_up_until = 0;
  while (true) {
    while (take_work(lot, catch_up_until)) {
      if (catch_up_until > core->checkpoint()) catch_up(catch_up_until, stop);
      fold(lot, stop);
      self.waiters_.expire(clock.steady());
      if (stop.stop_requested() && core->checkpoint() < catch_up_until) return;
    }
    self.waiters_.expire(clock.steady());
    if (stop.stop_requested()) return;
    take_over_second_copy(stop);
    wait_for_work(stop);
  }
}

void Projector::Impl::wait_for_work(const std::stop_token& stop) {
  if (options.on_turn) options.on_turn();
  base::Lock lock(mu);
  wake.wait_for(lock.native(), stop, kExpireInterval,
                [this]() SLIPWAY_TS(no_thread_safety_analysis) {
                  return !ring.empty() || second_copy != nullptr;
                });
}

// What has queued up, at most lot_events. False: nothing is to be done. `catch_up_until`: what has
// to be read from the log before it.
bool Projector::Impl::take_work(std::vector<CommittedBatchPtr>& lot, domain::Seq& catch_up_until) {
  lot.clear();
  base::Lock lock(mu);
  for (std::size_t events = 0; !ring.empty() && events < options.lot_events; ring.pop_front()) {
    events += event_count(*ring.front());
    lot.push_back(std::move(ring.front()));
  }
  catch_up_until = lot.empty() ? committed_next - 1 : lot.front()->first_seq - 1;
  return !lot.empty() || catch_up_until > core->checkpoint();
}

// From the log's own bytes. Damage in them ends the process: what was acknowledged is not readable.
void Projector::Impl::catch_up(domain::Seq until, const std::stop_token& stop) {
  while (core->checkpoint() < until && !stop.stop_requested()) {
    auto follower = LogFollower::open(log, core->checkpoint() + 1);
    CHECK(follower, "read the log from seq {}: {}", core->checkpoint() + 1,
          follower.error().message);
    while (core->checkpoint() < until && !stop.stop_requested()) {
      const domain::Seq before = core->checkpoint();
      auto batch = follower->next(options.catch_up_lot_events);
      CHECK(batch, "read the log after seq {}: {}", before, batch.error().message);
      CHECK(*batch != nullptr, "the log ends at seq {}, before {}", before, until);
      fold({&*batch, 1}, stop);
      if (core->checkpoint() < (*batch)->next_seq - 1) break;  // opened anew at an older seq
      if (on_progress) on_progress({core->checkpoint(), until, false});
    }
  }
}

void Projector::Impl::fold(std::span<const CommittedBatchPtr> batches,
                           const std::stop_token& stop) {
  std::vector<CommittedBatchPtr> lot;
  for (const CommittedBatchPtr& batch : batches) {
    if (batch->next_seq - 1 > core->checkpoint()) {
      lot.push_back(newer_than(core->checkpoint(), batch));
    }
  }
  if (options.on_turn) options.on_turn();
  if (lot.empty()) return;
  if (const auto status = core->apply(lot); !status) return recover(stop);
  publish(lot);
  core->tend_wal(options.checkpoint_pages);
}

void Projector::Impl::publish(std::span<const CommittedBatchPtr> lot) {
  const domain::Seq seq = core->checkpoint();
  for (const TaskRowPtr& row : core->changed_tasks()) {
    if (row->terminal()) {
      self.hot_.erase(row->id);
    } else {
      (void)self.hot_.put(row);
    }
  }
  self.counts_.apply(core->tally_deltas(), seq, core->last_event_time());
  if (core->people_changed()) self.people_.store(core->directory());
  self.seq_.store(seq, std::memory_order_release);
  self.waiters_.committed(core->changed_tasks(), seq);
  {
    base::Lock lock(mu);
    ++stats.lots;
    stats.events += seq - (lot.front()->first_seq - 1);
  }
  base::Lock lock(listeners_mu);
  for (CommitListener* listener : listeners) {
    for (const CommittedBatchPtr& batch : lot) listener->on_committed(batch);
  }
}

// The file failed: opened anew it is consistent at an older seq, and the log has the rest.
void Projector::Impl::recover(const std::stop_token& stop) {
  std::string drop_because = core->damaged() ? "the file is damaged" : "";
  while (true) {
    {
      base::Lock lock(mu);
      ++stats.errors;
    }
    core.reset();
    if (open_core(drop_because)) return;
    base::Lock lock(mu);
    wake.wait_for(lock.native(), stop, kReopenInterval, [] { return false; });
  }
}

// ---- a second copy ----

bool Projector::rebuild(std::function<void(const RebuildProgress&)> on_progress) {
  Impl& impl = *impl_;
  {
    base::Lock lock(impl.mu);
    if (impl.building) return false;
    impl.building = true;
  }
  base::Lock lock(impl.builder_mu);
  impl.builder = std::jthread([&impl, report = std::move(on_progress)](
                                  const std::stop_token& stop) { impl.build(stop, report); });
  return true;
}

// Until it has all that the serving copy had a moment ago; the projector's thread does the rest.
void Projector::Impl::build(const std::stop_token& stop,
                            const std::function<void(const RebuildProgress&)>& report) {
  ProjectorCore::Options core_options;
  core_options.directory = options.directory;
  core_options.building = true;
  core_options.max_hot_tasks = options.max_hot_tasks;
  auto copy = ProjectorCore::open(std::move(core_options), log_id);
  bool ok = copy.has_value();
  for (domain::Seq head = self.seq(); ok && (*copy)->checkpoint() < head; head = self.seq()) {
    ok = catch_up_copy(**copy, head, stop, report) && !stop.stop_requested();
  }
  ok = ok && (*copy)->checkpoint_wal().has_value();
  base::Lock lock(mu);
  building = ok;
  if (!ok) return;
  second_copy = std::move(*copy);
  copy_done = report;
  wake.notify_one();
}

// False: its file failed. It may go past `until`.
bool Projector::Impl::catch_up_copy(ProjectorCore& copy, domain::Seq until,
                                    const std::stop_token& stop,
                                    const std::function<void(const RebuildProgress&)>& report) {
  if (copy.checkpoint() >= until) return true;
  auto follower = LogFollower::open(log, copy.checkpoint() + 1);
  CHECK(follower, "read the log: {}", follower.error().message);
  while (copy.checkpoint() < until && !stop.stop_requested()) {
    auto batch = follower->next(options.catch_up_lot_events);
    CHECK(batch, "read the log: {}", batch.error().message);
    CHECK(*batch != nullptr, "the log ends at {}, before {}", copy.checkpoint(), until);
    if (!copy.apply({&*batch, 1})) return false;
    copy.tend_wal(options.checkpoint_pages);
    if (report) report({copy.checkpoint(), until, false});
  }
  return true;
}

// What came in while it was handed over is read from the log first: what is served never grows
// older.
void Projector::Impl::take_over_second_copy(const std::stop_token& stop) {
  std::unique_ptr<ProjectorCore> copy;
  std::function<void(const RebuildProgress&)> report;
  {
    base::Lock lock(mu);
    if (second_copy == nullptr) return;
    copy = std::move(second_copy);
    report = std::exchange(copy_done, nullptr);
  }
  const bool ok = catch_up_copy(*copy, core->checkpoint(), stop, {});
  copy.reset();
  if (ok && !stop.stop_requested()) {
    core.reset();
    const auto promoted = ProjectorCore::promote(options.directory);
    if (!open_core({})) recover(stop);
    base::Lock lock(mu);
    if (!promoted) ++stats.errors;
  }
  if (report) report({core->checkpoint(), core->checkpoint(), true});
  base::Lock lock(mu);
  building = false;
}

}  // namespace slipway::eventstore
