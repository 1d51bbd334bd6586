#include "tests/domain/story.hpp"

#include <fmt/format.h>

namespace slipway::domain::testing {

InitializeSystem small_cloud() {
  InitializeSystem c;
  c.version = "test";
  c.backends = {{"sim", "simulated", "default", true}};
  for (const char* name : {"h1", "h2"}) {
    Host h;
    h.name = name;
    h.backend = "sim";
    h.pool = "default";
    h.vcpus = 8;
    h.memory_mb = 16384;
    h.disk_gb = 400;
    c.hosts.push_back(h);
  }
  c.flavors = {{"1", "small", 1, 1024, 10, 0, 0, true}, {"2", "large", 4, 8192, 40, 0, 0, true}};
  Image debian;
  debian.id = image(900);
  debian.name = "debian";
  debian.is_public = true;
  debian.backend = "sim";
  debian.backend_ref = "img-debian";
  c.images = {debian};
  Network net;
  net.id = network(800);
  net.name = "net";
  net.shared = true;
  net.first_ipv4 = 0x0A00000A;
  net.last_ipv4 = 0x0A000013;
  c.networks = {net};
  Project demo;
  demo.name = "demo";
  c.projects = {demo};
  return c;
}

Caller caller(const std::string& tenant) {
  Caller c;
  c.tenant = tenant;
  c.actor = tenant;
  c.role = Role::Operator;
  c.request_id = "r1";
  return c;
}

CreateVm create_body(std::uint64_t n) {
  CreateVm c;
  c.vm = vm(n);
  c.name = fmt::format("web-{}", n);
  c.flavor = "small";
  c.image = "debian";
  return c;
}

namespace {
Command command(std::uint64_t n, CommandBody body) {
  Command c;
  c.caller = caller();
  c.task = task(n);
  c.body = std::move(body);
  return c;
}
}  // namespace

Command create(std::uint64_t n) { return command(n, create_body(n)); }
Command act(std::uint64_t n, CommandKind kind, std::uint64_t vm_number) {
  ActOnVm a;
  a.kind = kind;
  a.vm = vm(vm_number);
  return command(n, a);
}
Command act(std::uint64_t n, ActOnVm body) { return command(n, std::move(body)); }
Command cancel(std::uint64_t n) { return command(9000 + n, CancelTask{task(n)}); }
Command batch(std::uint64_t n, std::vector<BatchItem> items, bool lenient) {
  return command(n, OpenBatch{CommandKind::BatchCommands, std::move(items), lenient});
}
Command redrive(std::uint64_t n, std::uint64_t from, TaskState state, std::uint64_t vm_number) {
  RedriveTask r;
  r.from = r.root = task(from);
  r.from_state = state;
  r.from_tenant = "demo";
  r.body = create_body(vm_number == 0 ? from : vm_number);
  r.fresh_vm = vm(n);
  return command(n, r);
}

WorkerReport report(std::uint64_t n, FencingToken token) {
  WorkerReport r;
  r.session = session(1);
  r.task = task(n);
  r.token = token;
  return r;
}
WorkerReport step_done(std::uint64_t n, FencingToken token, const std::string& step,
                       const std::string& ref) {
  WorkerReport r = report(n, token);
  r.steps_done.push_back({step, ref, false, false, {}});
  return r;
}
WorkerReport step_undone(std::uint64_t n, FencingToken token, const std::string& step) {
  WorkerReport r = report(n, token);
  r.steps_done.push_back({step, "", false, true, {}});
  return r;
}
WorkerReport begins(std::uint64_t n, FencingToken token, const std::string& step) {
  WorkerReport r = report(n, token);
  r.begin = StepBegin{step, 10s, false};
  return r;
}
WorkerReport ends(std::uint64_t n, FencingToken token, OutcomeKind kind) {
  WorkerReport r = report(n, token);
  r.outcome.emplace();
  r.outcome->kind = kind;
  return r;
}

Story::Story() : Story(small_cloud()) {}

Story::Story(const InitializeSystem& cloud) { given(command(1000000, cloud)); }

void Story::fold(Events events, const std::string& tenant) {
  if (events.empty()) return;
  RecordBody record;
  record.envelope.seq = world.next_seq();
  record.envelope.time = now;
  record.envelope.tenant = tenant;
  record.envelope.actor = "demo";
  record.events = std::move(events);
  Seq seq = record.envelope.seq;
  for (Event& event : record.events) {
    event.version = world.next_version(event.stream);
    world.evolve(record.envelope, seq++, event);
  }
  last = record.events;
  log.push_back(std::move(record));
}

Story& Story::given(const Command& c) { return when(c).accepted(); }

Story& Story::given(Events events) {
  fold(std::move(events), "demo");
  return *this;
}

Story& Story::when(const Command& c) {
  last.clear();
  auto events = decide(world, policy, c, now);
  ok = events.has_value();
  if (ok) {
    fold(std::move(*events), c.caller.tenant);
  } else {
    error = events.error();
  }
  return *this;
}

Story& Story::when(const WorkerReport& r, bool log_progress) {
  last.clear();
  auto events = decide_report(world, policy, r, now, random, log_progress);
  ok = events.has_value();
  if (ok) {
    fold(std::move(*events), "demo");
  } else {
    error = events.error();
  }
  return *this;
}

Story& Story::when_leased(std::uint64_t n) {
  fold(decide_lease(world, policy, live(n), session(1), "w1", now), "demo");
  return *this;
}

Story& Story::when_lease_ends(std::uint64_t n, LeaseEnd why) {
  fold(decide_lease_end(world, policy, live(n), why, now, random), "demo");
  return *this;
}

Story& Story::when_passes(base::Duration d) {
  const base::Time end = now + d;
  Events all;
  const auto& leases = world.leases().due();
  const auto task_due = [&] {
    return world.timers().empty() ? base::Time::max() : world.timers().begin()->due;
  };
  while (task_due() <= end || (!leases.empty() && leases.begin()->at <= end)) {
    if (!leases.empty() && leases.begin()->at < task_due()) {
      const LeaseDue due = *leases.begin();
      now = std::max(now, due.at);
      fold(decide_lease_due(world, policy, due, now), world.leases().lease(due.lease)->tenant);
      all.insert(all.end(), last.begin(), last.end());
      continue;
    }
    const Timer timer = *world.timers().begin();
    now = std::max(now, timer.due);
    Events events = decide_timer(world, policy, timer, now);
    if (events.empty()) {
      ADD_FAILURE() << "a timer that means nothing";
      break;
    }
    fold(std::move(events), "demo");
    all.insert(all.end(), last.begin(), last.end());
  }
  now = end;
  last = std::move(all);
  return *this;
}

std::vector<std::string> followed(std::uint64_t n, const std::vector<std::string>& made) {
  std::vector<std::string> all{
      fmt::format("command-{} CommandAccepted", n), fmt::format("task-{} TaskQueued", n),
      fmt::format("task-{} TaskLeased", n), fmt::format("task-{} TaskSucceeded", n)};
  all.insert(all.end(), made.begin(), made.end());
  return all;
}

std::string short_name(const StreamId& stream) {
  std::string out(base::enum_name(stream.kind));
  if (!stream.name.empty()) return out + "-" + stream.name;
  std::uint64_t n = 0;
  for (std::size_t i = 8; i < 16; ++i) n = n << 8U | stream.id.bytes[i];
  return fmt::format("{}-{}", out, n);
}

std::string lines(const Events& events) {
  std::string out;
  for (const Event& e : events) {
    out += short_name(e.stream) + " " + std::string(event_type(e.body)) + "\n";
  }
  return out;
}

Story& Story::then(const std::vector<std::string>& expected) {
  EXPECT_TRUE(ok) << error.message;
  std::string wanted;
  for (const std::string& line : expected) wanted += line + "\n";
  EXPECT_EQ(lines(last), wanted);
  return *this;
}

Story& Story::refused(Errc code) {
  EXPECT_FALSE(ok) << lines(last);
  if (!ok) {
    EXPECT_EQ(error.code, code) << error.message;
  }
  return *this;
}

Story& Story::accepted() {
  EXPECT_TRUE(ok) << error.message;
  return *this;
}

Story& Story::running_vm(std::uint64_t n) {
  given(create(n));
  when_leased(n);
  WorkerReport r = step_done(n, live(n).token, "vm.create", fmt::format("sim-{}", n));
  r.outcome.emplace();
  return when(r).accepted();
}

Story& Story::vm_in(std::uint64_t n, VmState state) {
  return given(Events{{StreamId(StreamKind::Vm, vm(n)), 0, VmStateChanged{state, TaskId()}}});
}

TaskState Story::state(std::uint64_t n) const {
  if (const Task* t = world.task(task(n))) return t->state;
  const auto outcome = world.recent_outcome(task(n));
  EXPECT_TRUE(outcome.has_value()) << "no task " << n;
  return outcome.value_or(TaskState::Accepted);
}

VmState Story::vm_state(std::uint64_t n) const {
  const Vm* v = world.vm(vm(n));
  return v == nullptr ? VmState::Deleted : v->state;
}

const Task& Story::live(std::uint64_t n) const {
  const Task* t = world.task(task(n));
  if (t == nullptr) throw std::runtime_error(fmt::format("task {} is not live", n));
  return *t;
}

World Story::restored() const {
  World out;
  const bool written = world.write_snapshot(
      [&](std::string_view piece) { return out.read_snapshot_piece(piece).has_value(); });
  EXPECT_TRUE(written);
  out.finish_snapshot();
  return out;
}

}  // namespace slipway::domain::testing
