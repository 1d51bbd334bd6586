// Broker and worker over real sockets, with the stand-in for the sequencer between them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <zmq.hpp>

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
    base::Lock lock(mu_);
    if (broker) broker_ = std::move(*broker);
  }

  Broker& broker() { return *broker_; }

  // Under the lock: looks at the stand-in, or leases with it; what it sends goes out as one batch.
  template <class F>
  auto with(const F& f) {
    base::Lock lock(mu_);
    if constexpr (std::is_void_v<decltype(f(stand_in_))>) {
      f(stand_in_);
      broker_->post(std::exchange(out_, {}));
    } else {
      return f(stand_in_);
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
    base::Lock lock(mu_);
    stand_in_.take(input);
    broker_->post(std::exchange(out_, {}));
    changed_.notify_all();
  }

  base::Mutex mu_;
  std::condition_variable changed_;
  std::vector<domain::WorkerEffect> out_;
  StandIn stand_in_;
  std::unique_ptr<Broker> broker_;  // set before a worker can have said a word
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

struct SocketsTcp : testing::Test {
  Folder folder;
  base::SystemClock clock;
  Transport transport;

  WorkerOptions worker_for(Server& server) const {
    WorkerOptions options;
    options.endpoint = server.broker().endpoint();
    options.core.name = "claimed";
    options.core.pools = {"claimed"};
    return options;
  }
  std::unique_ptr<Worker> start(Transport& where, const WorkerOptions& options) {
    auto worker =
        Worker::start(where, options, simulated(folder.file("simulated.db"), clock), clock);
    EXPECT_TRUE(worker.has_value()) << (worker ? "" : worker.error().message);
    return worker ? std::move(*worker) : nullptr;
  }
};

TEST_F(SocketsTcp, PlainTcpOnLoopbackWorks) {
  Server server(transport, {.listen = "tcp://127.0.0.1:*"});
  Transport elsewhere;
  const auto worker = start(elsewhere, worker_for(server));
  ASSERT_TRUE(server.wait([](const StandIn& s) { return !s.hellos.empty(); }));
  server.with([](StandIn& s) { s.lease(order_for(CommandKind::VmCreate, 1)); });
  EXPECT_TRUE(server.wait([](const StandIn& s) { return all_succeeded(s, 1); }));
}

TEST_F(SocketsTcp, BeyondLoopbackKeysAreRequired) {
  const auto broker = Broker::start(transport, {.listen = "tcp://0.0.0.0:*"}, {}, {});
  EXPECT_FALSE(broker.has_value());
  WorkerOptions options;
  options.endpoint = "tcp://192.0.2.1:5871";
  EXPECT_FALSE(Worker::start(transport, options, {}, clock).has_value());
}

TEST_F(SocketsTcp, ADrainedWorkerFinishesAndSaysGoodbye) {
  Server server(transport);
  WorkerOptions options;
  const auto worker = start(transport, options);
  ASSERT_TRUE(server.wait([](const StandIn& s) { return !s.hellos.empty(); }));
  server.with([](StandIn& s) {
    for (std::uint64_t n = 1; n <= 20; ++n) s.lease(order_for(CommandKind::VmCreate, n));
  });
  worker->drain();
  EXPECT_TRUE(worker->wait_finished(20s));
  EXPECT_TRUE(server.wait([](const StandIn& s) { return s.goodbyes == 1; }));
  EXPECT_TRUE(server.with([](StandIn& s) {
    return std::all_of(s.tasks.begin(), s.tasks.end(), [](auto& t) { return !t.second.leased; });
  }));
}

TEST_F(SocketsTcp, SecretsReachTheWorkerAndAnUnknownOneKeepsTheOrderBack) {
  Server server(transport);
  WorkerOptions options;
  const auto worker = start(transport, options);
  ASSERT_TRUE(server.wait([](const StandIn& s) { return !s.hellos.empty(); }));
  server.with([](StandIn& s) {
    WorkOrder order = order_for(CommandKind::VmCreate, 1);
    order.spec.admin_secret = "sec-1";
    s.lease(order);
  });
  EXPECT_TRUE(server.wait([](const StandIn& s) { return all_succeeded(s, 1); }));
}

// A peer that speaks ZeroMQ but not our protocol.
class RawPeer {
 public:
  explicit RawPeer(const std::string& endpoint) : dealer_(context_, zmq::socket_type::dealer) {
    dealer_.set(zmq::sockopt::linger, 0);
    dealer_.connect(endpoint);
  }
  void say(const std::vector<std::string>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const bool last = i + 1 == frames.size();
      dealer_.send(zmq::buffer(frames[i]), last ? zmq::send_flags::none : zmq::send_flags::sndmore);
    }
  }

 private:
  zmq::context_t context_;
  zmq::socket_t dealer_;
};

TEST_F(SocketsTcp, G7_6_ABadPeerIsDroppedAndNobodyElseNoticesIt) {
  Server server(transport, {.listen = "tcp://127.0.0.1:*"});
  RawPeer bad(server.broker().endpoint());
  const Frames hello = WireWriter().write(
      domain::WorkerInput(domain::WorkerHello{.session = id<domain::SessionId>(66)}), 1);
  bad.say({"one"});
  bad.say({"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"});
  bad.say({hello.header, hello.body});  // too late
  Transport elsewhere;
  const auto worker = start(elsewhere, worker_for(server));
  ASSERT_TRUE(server.wait([](const StandIn& s) { return !s.hellos.empty(); }));
  server.with([](StandIn& s) { s.lease(order_for(CommandKind::VmCreate, 1)); });
  EXPECT_TRUE(server.wait([](const StandIn& s) { return all_succeeded(s, 1); }));
  EXPECT_EQ(server.with([](StandIn& s) { return s.hellos.size(); }), 1U);
}

// A worker that says hello and then nothing, as one that is stopped: its orders are lost with its
// lease, the others go on, and nothing blocks the broker.
TEST_F(SocketsTcp, ASilentWorkerHoldsUpNobody) {
  Server server(transport, {.listen = "tcp://127.0.0.1:*"});
  RawPeer silent(server.broker().endpoint());
  const domain::SessionId session = id<domain::SessionId>(66);
  const Frames hello =
      WireWriter().write(domain::WorkerInput(domain::WorkerHello{.session = session}), 1);
  silent.say({hello.header, hello.body});
  ASSERT_TRUE(server.wait([](const StandIn& s) { return s.hellos.size() == 1; }));
  server.with([](StandIn& s) {
    for (std::uint64_t n = 1; n <= 2000; ++n) s.lease(order_for(CommandKind::VmCreate, n));
  });
  Transport elsewhere;
  const auto worker = start(elsewhere, worker_for(server));
  ASSERT_TRUE(server.wait([](const StandIn& s) { return s.hellos.size() == 2; }));
  server.with([](StandIn& s) { s.lease_again(id<TaskId>(1)); });
  EXPECT_TRUE(server.wait([](const StandIn& s) {
    const auto& outcome = s.tasks.at(id<TaskId>(1)).outcome;
    return outcome && outcome->kind != OutcomeKind::HandedBack;
  }));
}

TEST_F(SocketsTcp, AWorkerFindsARestartedServerAgainAndSaysWhatItHolds) {
  auto first = std::make_unique<Transport>();
  auto server = std::make_unique<Server>(*first, BrokerOptions{.listen = "tcp://127.0.0.1:*"});
  const std::string endpoint = server->broker().endpoint();
  server->with([](StandIn& s) { s.heartbeat_interval = 50ms; });
  Transport elsewhere;
  const auto worker = start(elsewhere, worker_for(*server));
  ASSERT_TRUE(server->wait([](const StandIn& s) { return s.heartbeats > 0; }));
  const domain::SessionId session = server->with([](StandIn& s) { return s.session; });
  server.reset();
  first.reset();  // the port is free once the context is gone
  server = std::make_unique<Server>(transport, BrokerOptions{.listen = endpoint});
  ASSERT_TRUE(server->wait([](const StandIn& s) { return !s.hellos.empty(); }));
  EXPECT_EQ(server->with([](StandIn& s) { return s.session; }), session);
  server->with([](StandIn& s) { s.lease(order_for(CommandKind::VmCreate, 1)); });
  EXPECT_TRUE(server->wait([](const StandIn& s) { return all_succeeded(s, 1); }));
}

// ---- CURVE

struct Curve : SocketsTcp {
  Curve() {
    server_key = *generate_key_file(folder.file("server.key"));
    worker_key = *generate_key_file(folder.file("worker.key"));
    list({{"rack-7", {"gpu", "default"}, worker_key}});
    options = {.listen = "tcp://127.0.0.1:*",
               .keys = keys_in("server.key"),
               .workers_file = folder.file("workers")};
  }
  void list(const std::vector<AdmittedWorker>& workers) const {
    std::ofstream file(folder.file("workers"));
    file << "# name pools key\n";
    for (const auto& worker : workers) file << workers_file_line(worker) << "\n";
  }
  std::shared_ptr<const CurveKeys> keys_in(const char* file) const {
    return std::make_shared<const CurveKeys>(*read_key_file(folder.file(file)));
  }
  WorkerOptions with_key(Server& server, const char* key) const {
    WorkerOptions o = worker_for(server);
    o.keys = keys_in(key);
    o.server_public_key = server_key;
    return o;
  }
  // A worker that is let in after the refused one shows that the refused one had its time.
  void only_the_listed_one_is_heard(Server& server) {
    Transport elsewhere;
    const auto good = start(elsewhere, with_key(server, "worker.key"));
    ASSERT_TRUE(server.wait([](const StandIn& s) { return !s.hellos.empty(); }));
    EXPECT_TRUE(server.with([](StandIn& s) {
      return std::all_of(s.hellos.begin(), s.hellos.end(),
                         [](const auto& h) { return h.worker == "rack-7"; });
    }));
  }

  std::string server_key;
  std::string worker_key;
  BrokerOptions options;
};

TEST_F(Curve, G7_6_NameAndPoolsComeFromTheKeyNotFromTheMessage) {
  Server server(transport, options);
  Transport elsewhere;
  const auto worker = start(elsewhere, with_key(server, "worker.key"));
  ASSERT_TRUE(server.wait([](const StandIn& s) { return !s.hellos.empty(); }));
  EXPECT_TRUE(server.with([](StandIn& s) {
    return s.hellos[0].worker == "rack-7" &&
           s.hellos[0].pools == std::vector<std::string>{"gpu", "default"};
  }));
  server.with([](StandIn& s) { s.lease(order_for(CommandKind::VmCreate, 1)); });
  EXPECT_TRUE(server.wait([](const StandIn& s) { return all_succeeded(s, 1); }));
}

TEST_F(Curve, G7_6_AKeyThatIsNotListedIsRefused) {
  ASSERT_TRUE(generate_key_file(folder.file("stranger.key")).has_value());
  Server server(transport, options);
  Transport elsewhere;
  const auto stranger = start(elsewhere, with_key(server, "stranger.key"));
  only_the_listed_one_is_heard(server);
}

TEST_F(Curve, G7_6_APlainPeerIsRefused) {
  Server server(transport, options);
  Transport elsewhere;
  const auto plain = start(elsewhere, worker_for(server));
  only_the_listed_one_is_heard(server);
}

TEST_F(Curve, G7_6_AWorkerDoesNotTalkToAnotherServersKey) {
  Server server(transport, options);
  WorkerOptions wrong = with_key(server, "worker.key");
  wrong.server_public_key = worker_key;
  Transport elsewhere;
  const auto worker = start(elsewhere, wrong);
  only_the_listed_one_is_heard(server);
  EXPECT_EQ(server.with([](StandIn& s) { return s.hellos.size(); }), 1U);
}

TEST_F(Curve, AKeyAddedToTheListIsAdmittedWithoutARestart) {
  list({});
  Server server(transport, options);
  list({{"rack-7", {"default"}, worker_key}});
  only_the_listed_one_is_heard(server);
}

TEST_F(Curve, KeyFilesAreKeptFromOthersAndNeverOverwritten) {
  EXPECT_FALSE(generate_key_file(folder.file("worker.key")).has_value());
  EXPECT_TRUE(read_key_file(folder.file("worker.key")).has_value());
  std::filesystem::permissions(folder.file("worker.key"), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_FALSE(read_key_file(folder.file("worker.key")).has_value());
  EXPECT_FALSE(parse_workers_file("rack-7 default short").has_value());
}

}  // namespace
}  // namespace slipway::workers
