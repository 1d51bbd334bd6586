// Broker and worker over real sockets, with the stand-in for the sequencer between them.
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/mutex.hpp"
#include "tests/workers/support.hpp"
#include "workers/backends/simulated/simulated_backend.hpp"
#include "workers/broker.hpp"
#include "workers/worker.hpp"

namespace slipway::workers {
namespace {

using namespace test;  // NOLINT

// A broker whose sequencer is the stand-in. Members in the order of dependency.
class Server {
 public:
  explicit Server(Transport& transport, BrokerOptions options = {})
      : stand_in_([this](domain::WorkerEffect&& e) { out_.push_back(std::move(e)); }) {
    auto broker = Broker::start(
        transport, options, [this](domain::WorkerInput&& input) { take(std::move(input)); },
        [](const domain::SecretRef& ref, const std::string&) -> base::Result<base::Secret> {
          return base::Secret("value of " + ref);
        });
    EXPECT_TRUE(broker.has_value()) << (broker ? "" : broker.error().message);
    if (broker) broker_ = std::move(*broker);
  }

  Broker& broker() { return *broker_; }

  // Under the lock: looks at or leases with the stand-in; what it sends goes out as one batch.
  template <class F>
  auto with(const F& f) {
    std::vector<domain::WorkerEffect> out;
    base::Lock lock(mu_);
    if constexpr (std::is_void_v<decltype(f(stand_in_))>) {
      f(stand_in_);
      out.swap(out_);
      broker_->post(std::move(out));
    } else {
      auto result = f(stand_in_);
      out.swap(out_);
      broker_->post(std::move(out));
      return result;
    }
  }
  // Until `f` holds; it is asked after each message from a worker.
  template <class F>
  bool wait(const F& f, std::chrono::seconds timeout = 20s) {
    base::Lock lock(mu_);
    return changed_.wait_for(lock.native(), timeout, [&] { return f(stand_in_); });
  }

 private:
  void take(domain::WorkerInput&& input) {
    std::vector<domain::WorkerEffect> out;
    {
      base::Lock lock(mu_);
      stand_in_.take(input);
      out.swap(out_);
    }
    if (broker_) broker_->post(std::move(out));
    changed_.notify_all();
  }

  base::Mutex mu_;
  std::condition_variable changed_;
  std::vector<domain::WorkerEffect> out_;
  StandIn stand_in_;
  std::unique_ptr<Broker> broker_;
};

struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "slipway-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const char* name) const { return (path / name).string(); }
  std::filesystem::path path;
};

std::vector<std::unique_ptr<Backend>> simulated(const std::string& path, const base::Clock& clock) {
  std::vector<std::unique_ptr<Backend>> backends;
  auto backend =
      simulated::SimulatedBackend::open(path, simulated::Options::without_latency(), clock);
  EXPECT_TRUE(backend.has_value()) << (backend ? "" : backend.error().message);
  if (backend) backends.push_back(std::move(*backend));
  return backends;
}

bool all_succeeded(const StandIn& s, std::size_t n) {
  return s.tasks.size() == n && std::all_of(s.tasks.begin(), s.tasks.end(), [](const auto& t) {
           return t.second.outcome && t.second.outcome->kind == OutcomeKind::Succeeded;
         });
}

TEST(Sockets, AnOrderBecomesAVmAndIsReportedOnce) {
  Folder folder;
  base::SystemClock clock;
  Transport transport;
  Server server(transport);
  WorkerOptions options;
  options.core.name = "local";
  auto worker =
      Worker::start(transport, options, simulated(folder.file("simulated.db"), clock), clock);
  ASSERT_TRUE(worker.has_value());
  ASSERT_TRUE(server.wait([](const StandIn& s) { return !s.hellos.empty(); }));

  server.with([](StandIn& s) {
    for (std::uint64_t n = 1; n <= 50; ++n) s.lease(order_for(CommandKind::VmCreate, n));
  });
  ASSERT_TRUE(server.wait([](const StandIn& s) { return all_succeeded(s, 50); }));
  EXPECT_EQ(server.with([](StandIn& s) { return s.reports; }), 50U);
}

}  // namespace
}  // namespace slipway::workers
