// What the log costs: durable appends a second for several sizes of batch, a sustained load, and
// replay, beside what the disk's own fdatasync does in the same run. On a shared machine trust the
// ratios, not the figures.
//
//   log_bench [--dir DIR] [--seconds N] [append|sustained|replay|instructions]...
//
// `instructions` appends a fixed number of records and reads them back, for callgrind.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "core/base/check.hpp"
#include "core/base/uuid.hpp"
#include "eventstore/durable_file.hpp"
#include "eventstore/log_tools.hpp"
#include "eventstore/rocks_log.hpp"

namespace slipway::eventstore {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPayloadBytes = 700;
constexpr std::uint32_t kEventsPerRecord = 2;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Latencies {
  std::vector<double> us;
  double at(double share) {
    if (us.empty()) return 0;
    std::sort(us.begin(), us.end());
    return us[static_cast<std::size_t>(share * static_cast<double>(us.size() - 1))];
  }
};

// As a task service's records: JSON of 700 bytes, not all alike, and the streams of a task and a
// VM. Ten thousand tasks are under way at once and take turns; each has four records.
class Load {
 public:
  Load() : tasks_(kTasks) {}
  void fill(LogBatch& batch, Seq seq, std::size_t records) {
    batch.clear();
    for (std::size_t i = 0; i < records; ++i, seq += kEventsPerRecord) {
      Task& task = tasks_[next_++ % kTasks];
      if (task.left-- == 0) task = {3, key('\1'), key('\3')};
      batch.records.push_back({seq, kEventsPerRecord, payload(seq), {task.task, task.vm}});
    }
  }

 private:
  static constexpr std::size_t kTasks = 10'000;
  struct Task {
    int left = 0;
    std::string task, vm;
  };
  std::string key(char kind) {
    const base::Uuid id = ids_.next();
    std::string out(1, kind);
    return out.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
  }
  std::string payload(Seq seq) {
    std::string out =
        fmt::format(R"({{"seq":{},"task":"{}","trace":"{:016x}{:016x}","events":[)", seq,
                    base::to_string(ids_.next()), ids_.random64(), ids_.random64());
    while (out.size() < kPayloadBytes - 60) {
      out += fmt::format(R"({{"type":"StepDone","step":{},"token":"{:016x}"}},)", out.size(),
                         ids_.random64());
    }
    out.resize(kPayloadBytes, ' ');
    return out;
  }

  base::SystemIdSource ids_;
  std::vector<Task> tasks_;
  std::size_t next_ = 0;
};

// Resident memory of this process.
double resident_mib() {
  const auto statm = read_file("/proc/self/statm");
  CHECK(statm, "{}", statm.error().message);
  const auto pages = std::stoull(statm->substr(statm->find(' ')));
  return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1U << 20U);
}

std::unique_ptr<RocksLog> open_new(const fs::path& dir) {
  fs::remove_all(dir);
  auto log = RocksLog::open(dir);
  CHECK(log, "{}", log.error().message);
  return std::move(*log);
}

// Appends `bytes` and syncs, again and again: the most that a log with one sync a batch can reach.
double disk_rate(const fs::path& dir, std::size_t bytes, double seconds, Latencies& each) {
  const fs::path path = dir / "disk";
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const std::string block(bytes, 'x');
  const auto start = Clock::now();
  std::uint64_t n = 0;
  for (; since(start) < seconds; ++n) {
    const auto one = Clock::now();
    CHECK(write_all(fd, block, path) && ::fdatasync(fd.get()) == 0, "{}", std::strerror(errno));
    each.us.push_back(since(one) * 1e6);
  }
  const double rate = static_cast<double>(n) / since(start);
  fs::remove(path);
  return rate;
}

void bench_append(const fs::path& dir, double seconds) {
  fmt::print("\n{:>6} {:>12} {:>10} {:>9} {:>9} {:>12} {:>9} {:>6}\n", "batch", "records/s",
             "batches/s", "p50 us", "p99 us", "disk syncs/s", "p50 us", "ratio");
  for (const std::size_t size : {1U, 10U, 100U, 1000U}) {
    const auto log = open_new(dir / "log");
    Load load;
    LogBatch batch;
    Latencies ours, disks;
    const double disk = disk_rate(dir, size * (kPayloadBytes + 160), seconds / 2, disks);
    double busy = 0;  // inside append alone: making the batch is the caller's work
    std::uint64_t n = 0;
    for (; busy < seconds; ++n) {
      load.fill(batch, log->head().next_seq, size);
      const auto one = Clock::now();
      CHECK(log->append(batch), "append");
      ours.us.push_back(since(one) * 1e6);
      busy += ours.us.back() / 1e6;
    }
    const double rate = static_cast<double>(n) / busy;
    fmt::print("{:>6} {:>12.0f} {:>10.0f} {:>9.0f} {:>9.0f} {:>12.0f} {:>9.0f} {:>6.2f}\n", size,
               rate * static_cast<double>(size), rate, ours.at(0.5), ours.at(0.99), disk,
               disks.at(0.5), rate / disk);
  }
}

// 40 000 records a second in batches of 200, as 10 000 tasks a second would be: does it hold?
void bench_sustained(const fs::path& dir, double seconds) {
  constexpr std::size_t kBatch = 200;
  constexpr double kWanted = 40'000;
  const double before = resident_mib();
  const auto log = open_new(dir / "log");
  const double opened = resident_mib();
  Load load;
  LogBatch batch;
  Latencies each;
  const auto start = Clock::now();
  double worst_second = kWanted;
  std::uint64_t n = 0, in_second = 0;
  for (auto second = start; since(start) < seconds;) {
    load.fill(batch, log->head().next_seq, kBatch);
    const auto one = Clock::now();
    CHECK(log->append(batch), "append");
    each.us.push_back(since(one) * 1e6);
    n += kBatch;
    in_second += kBatch;
    if (since(second) >= 1) {
      worst_second = std::min(worst_second, static_cast<double>(in_second) / since(second));
      second = Clock::now();
      in_second = 0;
    }
    const double ahead = static_cast<double>(n) / kWanted - since(start);
    if (ahead > 0) std::this_thread::sleep_for(std::chrono::duration<double>(ahead));
  }
  fmt::print(
      "\nsustained {:.0f} records/s for {:.0f} s (wanted {:.0f}), worst second {:.0f}; append "
      "p50 {:.0f} us, p99 {:.0f} us, max {:.0f} us\n",
      static_cast<double>(n) / since(start), seconds, kWanted, worst_second, each.at(0.5),
      each.at(0.99), each.at(1));
  fmt::print("resident: {:.0f} MiB before, {:.0f} opened, {:.0f} after the load\n", before, opened,
             resident_mib());
}

void bench_replay(const fs::path& dir) {
  constexpr std::size_t kRecords = 500'000;
  auto log = open_new(dir / "log");
  Load load;
  LogBatch batch;
  for (std::size_t n = 0; n < kRecords; n += 1000) {
    load.fill(batch, log->head().next_seq, 1000);
    CHECK(log->append(batch), "append");
  }
  log.reset();
  const auto start = Clock::now();
  auto reopened = RocksLog::open(dir / "log");
  CHECK(reopened, "{}", reopened.error().message);
  const double opened = since(start);
  for (const char* how : {"first", "again"}) {
    const EventLog& any = **reopened;
    const VerifyReport report = verify(any);
    CHECK(report.complete, "{}", report.damage.value_or("stopped"));
    fmt::print(
        "\nreplay ({}): {} records, {} events, {:.0f} records/s, {:.0f} events/s, {:.0f} MB/s", how,
        report.records, report.events, report.records_per_second(),
        static_cast<double>(report.events) / report.seconds,
        static_cast<double>(report.payload_bytes) / report.seconds / 1e6);
  }
  fmt::print("\nopen after that load: {:.2f} s\n", opened);
}

void run_instructions(const fs::path& dir) {
  const auto log = open_new(dir / "log");
  Load load;
  LogBatch batch;
  for (int i = 0; i < 400; ++i) {
    load.fill(batch, log->head().next_seq, 100);
    CHECK(log->append(batch), "append");
  }
  const EventLog& any = *log;
  CHECK(verify(any).complete, "verify");
}

int run(int argc, char** argv) {
  fs::path dir = fs::temp_directory_path() / "slipway-log-bench";
  double seconds = 3;
  std::vector<std::string_view> what;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--dir" && i + 1 < argc) {
      dir = argv[++i];
    } else if (word == "--seconds" && i + 1 < argc) {
      seconds = std::stod(argv[++i]);
    } else {
      what.push_back(word);
    }
  }
  const auto wanted = [&](std::string_view name, bool by_default) {
    return what.empty() ? by_default : std::find(what.begin(), what.end(), name) != what.end();
  };
  fs::create_directories(dir);
  fmt::print(
      "{} processors, records of {} bytes with 2 index keys and {} events, every append "
      "synced, in {}\n",
      std::thread::hardware_concurrency(), kPayloadBytes, kEventsPerRecord, dir.string());
  if (wanted("append", true)) bench_append(dir, seconds);
  if (wanted("sustained", true)) bench_sustained(dir, 5 * seconds);
  if (wanted("replay", true)) bench_replay(dir);
  if (wanted("instructions", false)) run_instructions(dir);
  fs::remove_all(dir);
  return 0;
}

}  // namespace
}  // namespace slipway::eventstore

int main(int argc, char** argv) { return slipway::eventstore::run(argc, argv); }
