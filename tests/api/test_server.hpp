#pragma once
// The whole API over a real socket: real log, sequencer, projector and edge in this process, and a
// worker that does what the test tells it.
#include <atomic>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/commit_clock.hpp"
#include "api/core_api/core_api.hpp"
#include "api/dialects/nano/nano.hpp"
#include "api/dialects/orchestrator/orchestrator.hpp"
#include "api/dialects/perspective/perspective.hpp"
#include "api/dialects/reservation/reservation.hpp"
#include "api/dialects/vmfront/vmfront.hpp"
#include "api/edge/server.hpp"
#include "api/event_feed.hpp"
#include "api/images/image_files.hpp"
#include "eventstore/projector.hpp"
#include "eventstore/rocks_log.hpp"
#include "eventstore/secrets_store.hpp"
#include "tests/edge/raw_client.hpp"
#include "tests/eventstore/temp_dir.hpp"

namespace slipway::api::test {

using Json = nlohmann::ordered_json;
using domain::BeforeEndAction;

// Carries out every work order at once, or holds them until told.
class ToyWorker final : public eventstore::EffectSink {
 public:
  void attach(eventstore::Sequencer& sequencer);
  void post(std::vector<domain::WorkerEffect>&& effects) override;
  // From now on orders wait.
  void hold() { held_ = true; }
  // What waits is carried out, and what comes.
  void release();
  // It goes, as if its process had ended in good order.
  void leave() { sequencer_->push(domain::WorkerInput(domain::WorkerGoodbye{session_})); }
  // The next orders end FAILED.
  void fail_all(bool on) { failing_ = on; }
  // What it says of each VM's display from now on: "host:port".
  void serve_display(std::string display);
  // Of the order that waits the longest; false if none does within the patience of a test.
  bool report_progress(std::uint32_t percent, const std::string& message);
  bool wait_for_orders(std::size_t n);

 private:
  void carry_out(const domain::WorkOrder& order);
  domain::WorkerReport report_on(const domain::WorkOrder& order);

  eventstore::Sequencer* sequencer_ = nullptr;
  domain::SessionId session_;
  std::atomic<bool> held_{false};
  std::atomic<bool> failing_{false};
  std::atomic<std::uint64_t> report_id_{0};
  base::Mutex mu_;
  std::condition_variable came_;
  std::deque<domain::WorkOrder> waiting_;
  std::string display_;
};

// The system's clocks, and a wall clock that a test sets forward: no test waits for a lease to end.
class DrivenClock final : public base::Clock {
 public:
  base::Time now() const override { return system_.now() + base::Duration(ahead_us_.load()); }
  base::SteadyTime steady() const override { return system_.steady(); }
  void jump_wall(base::Duration d) { ahead_us_ += d.count(); }

 private:
  base::SystemClock system_;
  std::atomic<std::int64_t> ahead_us_{0};
};

class TestServer {
 public:
  struct Options {
    bool demo = true;
    bool read_only = false;
    Reservation::Options reservation;
    BeforeEndAction lease_before_end = BeforeEndAction::Email;
    EventFeed::Options feed;
    Perspective::Options perspective{};
    Orchestrator::Options orchestrator{};
    bool fake_driver = false;  // the cloud of dialect 001's samples is there too
    base::Duration max_wait = std::chrono::seconds(60);
    SqlPool::Options sql{};
    std::function<std::vector<ReadyCheck>()> ready{};
    nano::Options nano;
  };
  TestServer() : TestServer(Options()) {}
  explicit TestServer(Options options);
  ~TestServer();

  std::uint16_t port() const { return port_; }
  // Of the dialect's own listener.
  std::uint16_t perspective_port() const { return perspective_port_; }
  ToyWorker& worker() { return worker_; }
  Router& router() { return *router_; }
  base::Time now() const { return clock_.now(); }
  // Sets the wall clock forward. When this returns, every timer that has fallen due meanwhile has
  // been run and is durable.
  void pass(base::Duration d);
  // Where dialect 002 listens alone.
  std::uint16_t reservation_port() const { return reservation_port_; }
  std::uint16_t orchestrator_port() const { return orchestrator_port_; }
  CoreApi& core() { return *core_; }
  SqlPool& sql() { return *sql_; }
  std::filesystem::path images_folder() const;

  // One request on a connection of its own.
  Answer ask(std::string_view request, bool head = false) const;
  Answer get(std::string_view path, std::string_view headers = "") const;
  Answer post(std::string_view path, std::string_view body, std::string_view headers = "") const;
  Answer send(std::string_view method, std::string_view path, std::string_view headers = "") const;
  // A token of the core API, made by the demo admin.
  std::string make_token(std::string_view tenant, std::string_view role) const;

 private:
  void initialize(bool demo, bool fake_driver);
  void give(std::unique_ptr<eventstore::Submission> submission);

  eventstore::testing::TempDir dir_;
  DrivenClock clock_;
  std::unique_ptr<eventstore::RocksLog> log_;
  std::unique_ptr<eventstore::SecretsStore> secrets_;
  std::unique_ptr<eventstore::Projector> projector_;
  std::unique_ptr<eventstore::ReadModels> models_;
  CommitClock committed_;
  ToyWorker worker_;
  std::unique_ptr<eventstore::SequencerCore> core_sequencer_;
  std::unique_ptr<eventstore::Sequencer> sequencer_;
  std::unique_ptr<QueryPool> queries_;
  std::unique_ptr<EventFeed> feed_;
  std::unique_ptr<CoreApi> core_;
  std::unique_ptr<VmFront> vmfront_;
  std::unique_ptr<SqlPool> sql_;
  perspective::Mail mail_;
  std::unique_ptr<Perspective> perspective_;
  std::unique_ptr<Reservation> reservation_;
  std::unique_ptr<Nano> nano_;
  std::unique_ptr<ImageFiles> images_;
  std::unique_ptr<Orchestrator> orchestrator_;
  std::shared_ptr<Router> router_;
  std::shared_ptr<Router> perspective_router_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
  std::uint16_t perspective_port_ = 0;
  std::uint16_t reservation_port_ = 0;
  std::uint16_t orchestrator_port_ = 0;
};

inline Json json_of(const Answer& answer) { return Json::parse(answer.body, nullptr, false); }
inline std::string bearer(std::string_view token) {
  return "Authorization: Bearer " + std::string(token) + "\r\n";
}
inline constexpr std::string_view kNano =
    R"({"name":"web-1","flavor":"m1.nano","image":"cirros-0.5.1-x86_64-disk"})";
inline constexpr std::string_view kJsonType = "Content-Type: application/json\r\n";

}  // namespace slipway::api::test
