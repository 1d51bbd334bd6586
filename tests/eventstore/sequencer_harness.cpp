#include "tests/eventstore/sequencer_harness.hpp"

namespace slipway::eventstore::testing {

using namespace std::chrono_literals;  // NOLINT: tests

namespace {

class TestReply final : public Reply {
 public:
  TestReply(HeardPtr heard, const CountedLog& log, std::string once)
      : heard_(std::move(heard)), log_(log), once_(std::move(once)) {}
  Answer render(const Accepted& accepted) override {
    Answer answer;
    answer.task = accepted.command.task;
    answer.body = "task " + base::to_string(accepted.command.task);
    if (!once_.empty()) answer.secret = Answer::SecretSlot{0, once_, true};
    return answer;
  }
  void send(Answer&& answer, bool replayed) override {
    ++heard_->answers;
    heard_->replayed = replayed;
    heard_->body = answer.body;
    heard_->task = answer.task;
    heard_->syncs_before = log_.syncs.size();
  }
  void refuse(const base::Error& error) override {
    ++heard_->refusals;
    heard_->code = error.code;
    heard_->syncs_before = log_.syncs.size();
  }

 private:
  const HeardPtr heard_;
  const CountedLog& log_;
  const std::string once_;
};

}  // namespace

base::Status CountedLog::append(const LogBatch& batch) {
  auto status = log_.append(batch);
  if (!status) return status;
  Sync sync;
  sync.records = batch.records.size();
  for (const auto& record : batch.records) sync.events += record.event_count;
  sync.forgotten = batch.forgotten_idempotency.size() + batch.deleted_secrets.size();
  syncs.push_back(sync);
  return status;
}

SequencerHarness::SequencerHarness(SequencerOptions o) : options(std::move(o)) {
  start();
  domain::Command first;
  first.caller = caller();
  first.task = task(1000000);
  first.body = small_cloud();
  submit(first);
  EXPECT_TRUE(turn());
  log.syncs.clear();
}

void SequencerHarness::start() {
  domain::World world;
  base::JsonParser parser;
  Record record;
  auto cursor = disk.read(1);
  while (*(*cursor)->next(record)) world.evolve(*domain::decode_record(record.payload, parser));
  core = std::make_unique<SequencerCore>(log, std::move(world), clock, options, 42);
  core->set_effects(this);
  core->set_observer(this);
  core->set_space([this] { return space; });
}

void SequencerHarness::restart() {
  core.reset();
  inputs_.clear();
  sent.clear();
  disk.crash();
  start();
}

HeardPtr SequencerHarness::submit(const domain::Command& command, const Ask& ask) {
  auto heard = std::make_shared<Heard>();
  auto submission = std::make_unique<Submission>();
  submission->command = command;
  if (!ask.key.empty()) submission->idempotency = {ask.key, ask.fingerprint};
  for (const std::string& ref : ask.secrets) submission->secrets.push_back({ref, "sealed"});
  submission->dry_run = ask.dry_run;
  submission->reply = std::make_unique<TestReply>(heard, log, ask.once);
  inputs_.emplace_back(std::move(submission));
  return heard;
}

void SequencerHarness::hello(std::uint64_t n, std::uint32_t slots,
                             std::vector<domain::HeldLease> held, const std::string& worker) {
  domain::WorkerHello hello;
  hello.session = session(n);
  hello.worker = worker;
  hello.pools = {"default"};
  hello.slots = slots;
  hello.held = std::move(held);
  inputs_.emplace_back(domain::WorkerInput(std::move(hello)));
}

void SequencerHarness::heartbeat(std::uint64_t n, std::vector<domain::HeldLease> held) {
  domain::WorkerHeartbeat beat;
  beat.session = session(n);
  beat.held = std::move(held);
  inputs_.emplace_back(domain::WorkerInput(std::move(beat)));
}

void SequencerHarness::report(domain::WorkerReport report, std::uint64_t n) {
  report.session = session(n);
  if (report.report_id == 0) report.report_id = ++report_ids_;
  inputs_.emplace_back(domain::WorkerInput(std::move(report)));
}

base::Status SequencerHarness::turn() {
  std::vector<Input> inputs = std::exchange(inputs_, {});
  return core->process(inputs);
}

void SequencerHarness::passes(base::Duration d, std::vector<std::uint64_t> alive) {
  const base::Time end = clock.now() + d;
  while (clock.now() < end) {
    clock.advance(std::min<base::Duration>(1s, end - clock.now()));
    for (const std::uint64_t n : alive) heartbeat(n);
    ASSERT_TRUE(turn());
  }
}

void SequencerHarness::make_vm(std::uint64_t n) {
  submit(create(n));
  hello(1);
  ASSERT_TRUE(turn());
  ASSERT_NE(order(n), nullptr);
  auto done = step_done(n, order(n)->token, "vm.create", "sim-1");
  done.outcome.emplace();
  report(std::move(done));
  ASSERT_TRUE(turn());
  ASSERT_EQ(world().recent_outcome(task(n)), TaskState::Succeeded);
}

const domain::WorkOrder* SequencerHarness::order(std::uint64_t n) const {
  const domain::WorkOrder* found = nullptr;
  for (const auto* o : messages<domain::WorkOrder>()) {
    if (o->task == task(n)) found = o;
  }
  return found;
}

TaskState SequencerHarness::state(std::uint64_t n) const {
  if (const domain::Task* t = live(n)) return t->state;
  const auto outcome = world().recent_outcome(task(n));
  EXPECT_TRUE(outcome.has_value()) << "no task " << n;
  return outcome.value_or(TaskState::Accepted);
}

std::vector<domain::RecordBody> SequencerHarness::records() const {
  std::vector<domain::RecordBody> out;
  base::JsonParser parser;
  Record record;
  auto cursor = disk.read(1);
  while (*(*cursor)->next(record)) out.push_back(*domain::decode_record(record.payload, parser));
  return out;
}

std::string SequencerHarness::history(std::uint64_t n) const {
  std::string out;
  for (const auto& record : records()) {
    for (const auto& event : record.events) {
      if (event.stream.kind != domain::StreamKind::Task || event.stream.id != task(n)) continue;
      out += (out.empty() ? "" : " ") + std::string(domain::event_type(event.body));
    }
  }
  return out;
}

void SequencerHarness::post(std::vector<domain::WorkerEffect>&& effects) {
  syncs_before_sent = log.syncs.size();
  for (auto& effect : effects) sent.push_back(std::move(effect));
}

}  // namespace slipway::eventstore::testing
