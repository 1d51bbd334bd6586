// Work orders a second through broker, worker and simulated cloud, in one process.
//
//   workers_bench [tasks=100000] [mode=sqlite|memory|core|wire|cloud] [slots=256]
//
// sqlite, memory: the whole path over inproc (which store the cloud uses); core: WorkerCore and an
// inline cloud, no socket and no frames; wire: frames written and read, nothing else; cloud:
// creates in the SQLite cloud alone. Under callgrind: `valgrind --tool=callgrind workers_bench 2000
// core`.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include "core/base/clock.hpp"
#include "workers/backends/simulated/simulated_backend.hpp"
#include "workers/broker.hpp"
#include "workers/worker.hpp"

namespace {

using namespace slipway;           // NOLINT: a program of its own
using namespace slipway::workers;  // NOLINT
using Clock = std::chrono::steady_clock;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

domain::WorkOrder make_order(base::SystemIdSource& ids) {
  domain::WorkOrder order;
  order.task = domain::TaskId(ids.next());
  order.vm = domain::VmId(ids.next());
  order.token = 1;
  order.backend = "simulated";
  order.spec.name = "web-1";
  order.spec.project = "demo";
  order.spec.size = {"m1.small", 1, 2048, 20};
  order.spec.image = domain::ImageId(ids.next());
  order.spec.network = domain::NetworkId(ids.next());
  order.spec.backend = "simulated";
  order.spec.host = "sim-1";
  order.spec.ipv4 = 0x0A000001;
  order.granted_step = "vm.create";
  order.steps.push_back({.step = "vm.create", .token = 1});
  order.lease_timeout = std::chrono::seconds(30);
  return order;
}

// Leases `slots` at a time and acknowledges: what the sequencer does, without deciding anything.
class Feeder {
 public:
  Feeder(std::size_t tasks, std::size_t slots) : left_(tasks), unfinished_(tasks), slots_(slots) {}

  void take(domain::WorkerInput&& input) {
    if (const auto* hello = std::get_if<domain::WorkerHello>(&input)) {
      session_ = hello->session;
      domain::Welcome welcome;
      welcome.session = session_;
      welcome.heartbeat_interval = std::chrono::seconds(5);
      out_.push_back({session_, 1, welcome, ""});
      for (std::size_t i = 0; i < slots_; ++i) lease();
    } else if (const auto* report = std::get_if<domain::WorkerReport>(&input)) {
      ++reports_;
      out_.push_back(
          {session_, 1,
           domain::ReportAck{
               .report_id = report->report_id, .task = report->task, .token = report->token},
           ""});
      if (!report->outcome) return;
      lease();
      --unfinished_;
    }
  }
  std::vector<domain::WorkerEffect>& out() { return out_; }
  bool done() const { return unfinished_ == 0; }
  std::size_t reports() const { return reports_; }

 private:
  void lease() {
    if (left_ == 0) return;
    --left_;
    out_.push_back({session_, 1, make_order(ids_), "demo"});
  }

  std::size_t left_;
  std::size_t unfinished_;
  std::size_t slots_;
  std::size_t reports_ = 0;
  domain::SessionId session_;
  base::SystemIdSource ids_;
  std::vector<domain::WorkerEffect> out_;
};

// A sequencer's thread: takes what queued up, answers it in one batch.
std::size_t through_sockets(std::size_t tasks, std::size_t slots, bool sqlite,
                            const std::string& file) {
  base::SystemClock clock;
  Transport transport;
  base::BoundedQueue<domain::WorkerInput> queue(1'000'000);
  Feeder feeder(tasks, slots);
  auto broker = Broker::start(
      transport, {}, [&](domain::WorkerInput&& m) { queue.push_always(std::move(m)); },
      [](const domain::SecretRef&, const std::string&) -> base::Result<base::Secret> {
        return base::Secret();
      });
  auto options = simulated::Options::without_latency();
  auto store =
      sqlite ? std::move(*simulated::open_sqlite_store(file)) : simulated::make_memory_store();
  std::vector<std::unique_ptr<Backend>> backends;
  backends.push_back(
      std::make_unique<simulated::SimulatedBackend>(options, std::move(store), clock));
  WorkerOptions worker_options;
  worker_options.core.slots = static_cast<std::uint32_t>(slots);
  auto worker = Worker::start(transport, worker_options, std::move(backends), clock);
  std::vector<domain::WorkerInput> inputs;
  while (!feeder.done()) {
    queue.take_all(inputs, std::chrono::seconds(1));
    for (auto& input : inputs) feeder.take(std::move(input));
    (*broker)->post(std::exchange(feeder.out(), {}));
  }
  return feeder.reports();
}

std::size_t through_core(std::size_t tasks, std::size_t slots) {
  Feeder feeder(tasks, slots);
  simulated::InlineBackend backend(simulated::Options::without_latency(),
                                   simulated::make_memory_store());
  WorkerCoreOptions options;
  options.slots = static_cast<std::uint32_t>(slots);
  std::vector<domain::WorkerInput> said;
  WorkerCore core(options, {&backend}, [&](const domain::WorkerInput& m) { said.push_back(m); });
  base::SystemClock clock;
  while (!feeder.done()) {
    core.begin_turn(clock.now(), clock.steady());
    for (auto& effect : std::exchange(feeder.out(), {})) {
      core.on_message(effect.epoch, std::move(effect.message));
    }
    core.end_turn();
    for (auto& message : std::exchange(said, {})) feeder.take(std::move(message));
  }
  return feeder.reports();
}

std::size_t through_wire(std::size_t tasks) {
  base::SystemIdSource ids;
  const domain::ServerMessage order = make_order(ids);
  WireWriter writer;
  WireReader reader;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < tasks; ++i) {
    const Frames frames = writer.write(order, 1);
    const std::array<std::string_view, 2> parts = {frames.header, frames.body};
    bytes += reader.read_server_message(parts).has_value() ? frames.body.size() : 0;
  }
  fmt::print("a work order is {} bytes\n", bytes / tasks);
  return tasks;
}

std::size_t cloud_alone(std::size_t tasks, std::size_t slots, const std::string& file) {
  simulated::Cloud cloud(simulated::Options::without_latency(),
                         std::move(*simulated::open_sqlite_store(file)));
  base::SystemIdSource ids;
  base::SystemClock clock;
  for (std::size_t i = 0; i < tasks; i += slots) {
    cloud.begin();
    for (std::size_t n = 0; n < slots; ++n) {
      auto work = std::make_shared<LeasedWork>();
      work->order = make_order(ids);
      cloud.perform({.work = work, .step = "vm.create", .operation = "vm.create"}, clock.now());
    }
    cloud.commit();
  }
  return tasks;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t tasks = argc > 1 ? std::stoul(argv[1]) : 100'000;
  const std::string mode = argc > 2 ? argv[2] : "sqlite";
  const std::size_t slots = argc > 3 ? std::stoul(argv[3]) : 256;
  std::string folder = (std::filesystem::temp_directory_path() / "slipway-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  const std::string file = folder + "/simulated.db";

  const auto start = Clock::now();
  const double cpu = cpu_seconds();
  std::size_t reports = 0;
  if (mode == "core") {
    reports = through_core(tasks, slots);
  } else if (mode == "wire") {
    reports = through_wire(tasks);
  } else if (mode == "cloud") {
    reports = cloud_alone(tasks, slots, file);
  } else {
    reports = through_sockets(tasks, slots, mode == "sqlite", file);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const double used = cpu_seconds() - cpu;
  std::filesystem::remove_all(folder);
  fmt::print(
      "{} {} tasks, {} slots, {} cores: {:.0f}/s, {:.1f} us of CPU each, {:.2f} reports each\n",
      mode, tasks, slots, std::thread::hardware_concurrency(), static_cast<double>(tasks) / seconds,
      used * 1e6 / static_cast<double>(tasks),
      static_cast<double>(reports) / static_cast<double>(tasks));
}
