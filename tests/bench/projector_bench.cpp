// How fast the projector folds and writes, and how fast readers read. Prints one line a case:
//   projector_bench [tasks=200000] [tasks_per_lot=1000] [directory=/tmp/...]
// A "task" is the whole life of a vm.create: 3 records, 10 events, one task row, one VM row.
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <thread>

#include "eventstore/projector.hpp"
#include "eventstore/read_models.hpp"
#include "history.hpp"

namespace slipway::eventstore {
namespace {

using Clock = std::chrono::steady_clock;

// Of this thread: what the projector costs, however busy the machine is.
double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Lives {
  testing::Recorder recorder;
  std::vector<std::pair<domain::TaskId, domain::VmId>> made;
};

// `n` whole lives, or their first halves and then their second halves.
CommittedBatchPtr lot_of_lives(Lives& lives, std::size_t n) {
  auto& r = lives.recorder;
  for (std::size_t i = 0; i < n; ++i) {
    r.wait(std::chrono::microseconds(100));
    const domain::TaskId task(r.new_id());
    const domain::VmId vm(r.new_id());
    r.whole_vm_create(task, vm, fmt::format("vm-{:08}", lives.made.size()));
    lives.made.emplace_back(task, vm);
  }
  return r.take();
}

struct Timing {
  double fold_seconds = 0;
  double cpu = 0;
  double checkpoint_seconds = 0;
  double worst_lot_ms = 0;
};

void apply(ProjectorCore& core, const CommittedBatchPtr& batch, Timing& timing) {
  const auto start = Clock::now();
  const double cpu_before = cpu_seconds();
  const auto status = core.apply({&batch, 1});
  const double took = seconds_since(start);
  timing.fold_seconds += took;
  timing.cpu += cpu_seconds() - cpu_before;
  timing.worst_lot_ms = std::max(timing.worst_lot_ms, took * 1e3);
  if (!status) {
    fmt::print("failed: {}\n", status.error().message);
    std::exit(1);
  }
  const auto before = Clock::now();
  core.tend_wal(16384);
  timing.checkpoint_seconds += seconds_since(before);
}

void report(const char* name, std::size_t tasks, std::size_t events, const Timing& t) {
  const double total = t.fold_seconds + t.checkpoint_seconds;
  fmt::print(
      "{:<38} {:>8.0f} tasks/s {:>8.0f} events/s ({:.1f} us CPU a task; fold {:.2f} s, tend WAL "
      "{:.2f} s, worst lot {:.1f} ms)\n",
      name, static_cast<double>(tasks) / total, static_cast<double>(events) / total,
      t.cpu * 1e6 / static_cast<double>(tasks), t.fold_seconds, t.checkpoint_seconds,
      t.worst_lot_ms);
}

std::unique_ptr<ProjectorCore> open_core(const std::string& directory) {
  ProjectorCore::Options options;
  options.directory = directory;
  auto core = ProjectorCore::open(options, "");
  if (!core) {
    fmt::print("failed: {}\n", core.error().message);
    std::exit(1);
  }
  return std::move(*core);
}

void whole_lives(const std::string& directory, std::size_t tasks, std::size_t per_lot) {
  auto core = open_core(directory);
  Lives lives;
  Timing timing;
  for (std::size_t done = 0; done < tasks; done += per_lot) {
    apply(*core, lot_of_lives(lives, per_lot), timing);
  }
  report("made and finished in one lot", tasks, tasks * 10, timing);
}

// Every life is cut: accepted in one lot, leased and finished in a later one.
void cut_lives(const std::string& directory, std::size_t tasks, std::size_t per_lot) {
  auto core = open_core(directory);
  testing::Recorder r;
  Timing timing;
  std::vector<std::pair<domain::TaskId, domain::VmId>> open;
  for (std::size_t done = 0; done < tasks; done += per_lot) {
    auto before = std::exchange(open, {});
    for (std::size_t i = 0; i < per_lot; ++i) {
      r.wait(std::chrono::microseconds(100));
      const auto& [task, vm] =
          open.emplace_back(domain::TaskId(r.new_id()), domain::VmId(r.new_id()));
      r.accept_vm_create(task, vm, fmt::format("vm-{:08}", done + i));
      if (i < before.size()) {
        r.lease_vm_create(before[i].first, before[i].second);
        r.finish_vm_create(before[i].first, before[i].second);
      }
    }
    apply(*core, r.take(), timing);
  }
  report("accepted in one lot, done in the next", tasks, tasks * 10, timing);
}

void rebuild(const std::string& directory, std::size_t tasks) {
  Lives lives;
  (void)lot_of_lives(lives, tasks);
  base::JsonWriter scratch;
  std::vector<std::string> log;
  for (const auto& record : lives.recorder.records()) {
    domain::encode_record(record, scratch, log.emplace_back());
  }
  auto core = open_core(directory);
  base::JsonParser parser;
  Timing timing;
  double decode = 0;
  for (std::size_t at = 0; at < log.size();) {
    const auto start = Clock::now();
    const double cpu_before = cpu_seconds();
    std::vector<domain::RecordBody> records;
    for (; at < log.size() && records.size() < 30000; ++at) {
      records.push_back(std::move(*domain::decode_record(log[at], parser)));
    }
    decode += seconds_since(start);
    timing.cpu += cpu_seconds() - cpu_before;
    apply(*core, testing::make_batch(std::move(records)), timing);
  }
  timing.fold_seconds += decode;
  report("rebuild from the log's bytes", tasks, tasks * 10, timing);
  fmt::print("{:<38} decoding alone {:.2f} s\n", "", decode);
}

// Latency of one question, over and over.
template <class Question>
void latency(const char* name, int times, Question question) {
  std::vector<double> us;
  for (int i = 0; i < times; ++i) {
    const auto start = Clock::now();
    question(static_cast<std::size_t>(i));
    us.push_back(seconds_since(start) * 1e6);
  }
  std::sort(us.begin(), us.end());
  fmt::print("{:<38} p50 {:>8.1f} us  p99 {:>8.1f} us\n", name, us[us.size() / 2],
             us[us.size() * 99 / 100]);
}

void questions(const std::string& directory, std::size_t tasks) {
  auto core = open_core(directory);
  Lives lives;
  for (std::size_t done = 0; done < tasks; done += 5000) {
    const auto lot = lot_of_lives(lives, 5000);
    (void)core->apply({&lot, 1});
    core->tend_wal(16384);
  }
  auto reader = std::move(*ReadModels({.directory = directory}).open_reader());
  const Scope demo = Scope::tenant("demo");
  const auto ok = [](const auto& answer) {
    if (answer) return;
    fmt::print("failed: {}\n", answer.error().message);
    std::exit(1);
  };
  const auto& made = lives.made;
  latency("get_task", 20000,
          [&](std::size_t i) { ok(reader->get_task(demo, made[i * 7919 % made.size()].first)); });
  latency("get_vm", 20000,
          [&](std::size_t i) { ok(reader->get_vm(demo, made[i * 7919 % made.size()].second)); });
  latency("list_tasks, newest 50", 300, [&](std::size_t) { ok(reader->list_tasks(demo, {}, {})); });
  latency("list_tasks, state=FAILED, none there", 300, [&](std::size_t) {
    ok(reader->list_tasks(demo, {.states = {domain::TaskState::Failed}}, {}));
  });
  latency("list_tasks, created_after the last s", 300, [&](std::size_t) {
    TaskFilter filter;
    filter.created_after = lives.recorder.now - std::chrono::seconds(1);
    ok(reader->list_tasks(Scope::admin(), filter, {.ascending = true}));
  });
  latency("list_tasks with count", 300,
          [&](std::size_t) { ok(reader->list_tasks(demo, {}, {.limit = 1, .count = true})); });
  latency("list_vms, admin, newest 50", 300,
          [&](std::size_t) { ok(reader->list_vms(Scope::admin(), {}, {})); });
  latency("list_vms, name", 300, [&](std::size_t i) {
    ok(reader->list_vms(demo, {.name = fmt::format("vm-{:08}", i)}, {}));
  });
  latency("vms_per_hour", 300,
          [&](std::size_t) { ok(reader->vms_per_hour(demo, lives.recorder.now)); });
}

// No log is read: everything comes through the ring.
class NoLog final : public EventLog {
 public:
  base::Status append(const LogBatch&) override { return {}; }
  const LogHead& head() const override { return head_; }
  base::Result<std::unique_ptr<LogCursor>> read(Seq) const override {
    return base::fail(base::Errc::Internal, "no log");
  }
  base::Result<std::optional<Record>> find(Seq, std::string&) const override {
    return std::optional<Record>();
  }
  base::Result<std::vector<Seq>> stream_records(std::string_view, Seq, std::size_t) const override {
    return std::vector<Seq>();
  }
  base::Result<std::optional<std::string>> idempotency(std::string_view) const override {
    return std::optional<std::string>();
  }
  base::Result<std::optional<std::string>> secret(std::string_view) const override {
    return std::optional<std::string>();
  }
  base::Result<std::vector<LogBatch::Put>> range(LogColumn, std::string_view, std::string_view,
                                                 std::size_t) const override {
    return std::vector<LogBatch::Put>();
  }
  std::uint64_t free_bytes() const override { return 0; }

 private:
  LogHead head_;
};

// 5000 clients wait while their tasks end at 10 000 a second, in batches of 250 tasks (1000
// events): from handing in a task's batch to the call of its waiter.
void wake_up(const std::string& directory) {
  constexpr std::size_t kWaiters = 5000;
  constexpr std::size_t kBatch = 250;
  constexpr auto kInterval = std::chrono::milliseconds(25);
  const NoLog log;
  const base::SystemClock clock;
  auto projector = std::move(*Projector::open({.directory = directory}, log, clock));
  projector->start();
  testing::Recorder r;
  std::vector<std::pair<domain::TaskId, domain::VmId>> made;
  std::vector<Clock::time_point> handed_in(kWaiters);
  std::vector<double> ms(kWaiters);
  std::atomic<std::size_t> called{0};
  for (std::size_t i = 0; i < kWaiters; ++i) {
    made.emplace_back(domain::TaskId(r.new_id()), domain::VmId(r.new_id()));
    r.accept_vm_create(made.back().first, made.back().second, "vm");
    r.lease_vm_create(made.back().first, made.back().second);
    (void)projector->waiters().wait_for_task(made[i].first, Waiters::kUntilTerminal,
                                             clock.steady() + std::chrono::minutes(1),
                                             [&, i](const WaitResult&) {
                                               ms[i] = seconds_since(handed_in[i]) * 1e3;
                                               ++called;
                                             });
  }
  projector->on_committed(r.take());
  while (projector->seq() + 1 < r.next_seq()) std::this_thread::yield();
  for (std::size_t i = 0; i < kWaiters; i += kBatch) {
    for (std::size_t k = i; k < i + kBatch; ++k) r.finish_vm_create(made[k].first, made[k].second);
    const auto batch = r.take();
    std::fill_n(handed_in.begin() + static_cast<std::ptrdiff_t>(i), kBatch, Clock::now());
    projector->on_committed(batch);
    std::this_thread::sleep_for(kInterval);
  }
  while (called < kWaiters) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::sort(ms.begin(), ms.end());
  fmt::print("{:<38} p50 {:.1f} ms  p99 {:.1f} ms  (10 000 tasks/s end, 250 a batch)\n",
             "wake-up of 5000 waiters", ms[kWaiters / 2], ms[kWaiters * 99 / 100]);
}

}  // namespace
}  // namespace slipway::eventstore

int main(int argc, char** argv) {
  using namespace slipway::eventstore;
  const std::size_t tasks = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200000;
  const std::size_t per_lot = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1000;
  const std::string root = argc > 3 ? argv[3] : "/tmp/slipway-projector-bench";
  utsname system{};
  uname(&system);
#ifdef NDEBUG
  const char* build = "release";
#else
  const char* build = "with assertions";
#endif
  fmt::print(
      "{} {}, {} processors, {}; WAL, synchronous=NORMAL, no sync per lot; {} tasks, {} a lot\n",
      system.sysname, system.release, std::thread::hardware_concurrency(), build, tasks, per_lot);
  std::filesystem::remove_all(root);
  whole_lives(root + "/whole", tasks, per_lot);
  cut_lives(root + "/cut", tasks, per_lot);
  rebuild(root + "/rebuild", tasks);
  questions(root + "/questions", tasks);
  wake_up(root + "/waiters");
  std::filesystem::remove_all(root);
  return 0;
}
