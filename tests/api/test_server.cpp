#include "tests/api/test_server.hpp"

#include <gtest/gtest.h>

#include <future>

#include "api/core_api/sql_routes.hpp"
#include "core/base/check.hpp"
#include "core/domain/demo_catalog.hpp"

namespace slipway::api::test {

// ---- the worker

void ToyWorker::attach(eventstore::Sequencer& sequencer) {
  sequencer_ = &sequencer;
  session_ = domain::SessionId(new_id());
  domain::WorkerHello hello;
  hello.session = session_;
  hello.worker = "toy";
  hello.pools = {"default"};
  hello.slots = 100000;
  sequencer.push(domain::WorkerInput(hello));
}

void ToyWorker::post(std::vector<domain::WorkerEffect>&& effects) {
  for (const domain::WorkerEffect& effect : effects) {
    const auto* order = std::get_if<domain::WorkOrder>(&effect.message);
    if (order == nullptr) continue;
    if (!held_ || order->cancel) {
      carry_out(*order);
      continue;
    }
    base::Lock lock(mu_);
    waiting_.push_back(*order);
    came_.notify_all();
  }
}

domain::WorkerReport ToyWorker::report_on(const domain::WorkOrder& order) {
  domain::WorkerReport report;
  report.session = session_;
  report.report_id = ++report_id_;
  report.task = order.task;
  report.token = order.token;
  return report;
}

void ToyWorker::carry_out(const domain::WorkOrder& order) {
  domain::WorkerReport report = report_on(order);
  domain::Outcome outcome;
  if (order.cancel) {
    outcome.kind = domain::OutcomeKind::Cancelled;
  } else if (failing_) {
    outcome.kind = domain::OutcomeKind::Failed;
    outcome.error.code = "backend-refused";
    outcome.error.detail = "the toy cloud refuses";
  } else if (!order.granted_step.empty()) {
    report.steps_done.push_back({order.granted_step, "toy-1", false, false, {}});
  }
  if (base::Lock lock(mu_); !display_.empty()) {
    outcome.result.text = R"({"display":")" + display_ + R"("})";
  }
  report.outcome = std::move(outcome);
  sequencer_->push(domain::WorkerInput(std::move(report)));
}

void ToyWorker::serve_display(std::string display) {
  base::Lock lock(mu_);
  display_ = std::move(display);
}

void ToyWorker::release() {
  std::deque<domain::WorkOrder> orders;
  {
    base::Lock lock(mu_);
    held_ = false;
    orders.swap(waiting_);
  }
  for (const domain::WorkOrder& order : orders) carry_out(order);
}

bool ToyWorker::wait_for_orders(std::size_t n) {
  base::Lock lock(mu_);
  return came_.wait_for(lock.native(), kPatience, [&] { return waiting_.size() >= n; });
}

bool ToyWorker::report_progress(std::uint32_t percent, const std::string& message) {
  if (!wait_for_orders(1)) return false;
  domain::WorkerReport report;
  {
    base::Lock lock(mu_);
    report = report_on(waiting_.front());
  }
  report.progress = domain::Progress{percent, "create", message};
  sequencer_->push(domain::WorkerInput(std::move(report)));
  return true;
}

// ---- the server

namespace {

class FirstReply final : public eventstore::Reply {
 public:
  explicit FirstReply(std::promise<void>& done) : done_(done) {}
  eventstore::Answer render(const eventstore::Accepted&) override { return {}; }
  void send(eventstore::Answer&&, bool) override { done_.set_value(); }
  void refuse(const base::Error& error) override { CHECK(false, "{}", error.message); }

 private:
  std::promise<void>& done_;
};

template <class T>
T must(base::Result<T> result) {
  CHECK(result.has_value(), "{}", result.error().message);
  return std::move(*result);
}

}  // namespace

TestServer::TestServer(Options options) {
  base::crypto_init();
  const std::filesystem::path dir(dir_.path());
  log_ = must(eventstore::RocksLog::open(dir / "log"));
  secrets_ = std::make_unique<eventstore::SecretsStore>(
      must(eventstore::SecretsStore::open(dir / "master.key")));
  const std::string models = (dir / "read_models").string();
  projector_ = must(eventstore::Projector::open({.directory = models}, *log_, clock_));
  models_ = std::make_unique<eventstore::ReadModels>(
      eventstore::ReadModels::Options{.directory = models});
  eventstore::SequencerOptions sequencing;
  sequencing.policy.lease_before_end = options.lease_before_end;
  core_sequencer_ = std::make_unique<eventstore::SequencerCore>(*log_, domain::World(), clock_,
                                                                std::move(sequencing), 7);
  core_sequencer_->set_effects(&worker_);
  core_sequencer_->add_listener(&committed_);
  core_sequencer_->add_listener(projector_.get());
  sequencer_ = std::make_unique<eventstore::Sequencer>(
      *core_sequencer_, clock_, 4096, [](const base::Error& e) { CHECK(false, "{}", e.message); });
  projector_->start();
  sequencer_->start();
  worker_.attach(*sequencer_);
  queries_ = std::make_unique<QueryPool>(*models_, QueryPool::Options());
  feed_ = std::make_unique<EventFeed>(*log_, clock_, options.feed);
  feed_->start(projector_->seq());
  projector_->add_batch_listener(*feed_);

  ApiOptions api;
  api.demo = options.demo;
  api.read_only = options.read_only;
  api.max_wait = options.max_wait;
  api.signing_key = base::random_key();
  core_ = std::make_unique<CoreApi>(
      ApiServices{.options = api,
                  .clock = clock_,
                  .submit = [this](auto&& s) { return sequencer_->submit(std::move(s)); },
                  .seal = [this](auto ref, auto tenant,
                                 const base::Secret& v) { return secrets_->seal(ref, tenant, v); },
                  .open_secret = [this](std::string_view ref,
                                        std::string_view tenant) -> base::Result<base::Secret> {
                    const auto sealed = log_->secret(ref);
                    if (!sealed) return base::fail(sealed.error());
                    if (!*sealed) return base::fail(base::Errc::NotFound, "no such secret");
                    return secrets_->open_sealed(**sealed, ref, tenant);
                  },
                  .log = *log_,
                  .queries = *queries_,
                  .hot_tasks = projector_->hot_tasks(),
                  .waiters = projector_->waiters(),
                  .progress = core_sequencer_->progress(),
                  .feed = *feed_,
                  .projected_seq = [this] { return projector_->seq(); },
                  .committed_seq = [this] { return committed_.seq(); },
                  .people = [this] { return projector_->people(); },
                  .counts = [this] { return projector_->live_counts(); },
                  .workers = [this] { return sequencer_->workers(); },
                  .drain_worker = [this](auto&& request) { sequencer_->push(std::move(request)); },
                  .inspect_vm = [this](auto&& request) { sequencer_->push(std::move(request)); },
                  .ready = options.ready,
                  .metrics = [] { return std::string("slipway_ready 1\n"); },
                  .rebuild_projections = [this] { return projector_->rebuild({}); },
                  .backup = {}});
  vmfront_ =
      std::make_unique<VmFront>(core_->services(), core_->authenticator(), core_->submitter());
  core_->guard().open(Door::VmFront, vmfront_->door());
  reservation_ = std::make_unique<Reservation>(core_->services(), core_->authenticator(),
                                               core_->submitter(), options.reservation);
  core_->guard().open(Door::Reservation, reservation_->door());
  images_ = must(ImageFiles::open({.directory = images_folder()}));
  options.nano.images = images_.get();
  nano_ = std::make_unique<Nano>(core_->services(), core_->authenticator(), core_->submitter(),
                                 core_->watch(), std::move(options.nano));
  core_->guard().open(Door::Nano, nano_->door());
  router_ = std::make_shared<Router>(core_->guard().guard(), core_->guard().head_guard());
  core_->mount(*router_);
  router_->mount("/api", vmfront_->routes(), VmFront::mount_options());
  router_->mount("/d/vmfront", vmfront_->routes(), VmFront::mount_options());
  sql_ = std::make_unique<SqlPool>(*models_, *log_, options.sql);
  router_->mount("/core/v1", sql_routes(core_->services(), *sql_));
  projector_->add_batch_listener(mail_);
  perspective_ =
      std::make_unique<Perspective>(core_->services(), core_->authenticator(), core_->submitter(),
                                    *sql_, mail_, options.perspective);
  core_->guard().open(Door::Perspective, perspective_->door());
  router_->mount("/d/perspective", perspective_->routes(), Perspective::mount_options());
  perspective_router_ = std::make_shared<Router>(core_->guard().guard());
  perspective_router_->mount("", perspective_->routes(), Perspective::mount_options());
  reservation_->mount(*router_, "/d/reservation");
  auto own = std::make_shared<Router>(core_->guard().guard(), core_->guard().head_guard());
  reservation_->mount(*own, "");
  nano_->mount(*router_, "/d/nano");
  orchestrator_ = std::make_unique<Orchestrator>(core_->services(), core_->authenticator(),
                                                 core_->submitter(), options.orchestrator);
  core_->guard().open(Door::Orchestrator, orchestrator_->door());
  orchestrator_->mount(*router_, "/d/orchestrator");
  auto orchestrator = std::make_shared<Router>(core_->guard().guard());
  orchestrator_->mount(*orchestrator, "");
  initialize(true, options.fake_driver);
  server_ = must(Server::open({}));
  port_ =
      must(server_->listen({.name = "main", .host = "127.0.0.1", .port = 0, .handler = router_}));
  perspective_port_ = must(server_->listen({.name = std::string(Perspective::kListener),
                                            .host = "127.0.0.1",
                                            .port = 0,
                                            .handler = perspective_router_}));
  reservation_port_ =
      must(server_->listen({.name = "own", .host = "127.0.0.1", .port = 0, .handler = own}));
  orchestrator_port_ = must(server_->listen({.name = std::string(Orchestrator::kListener),
                                             .host = "127.0.0.1",
                                             .port = 0,
                                             .handler = orchestrator}));
  server_->start();
}

void TestServer::pass(base::Duration d) {
  clock_.jump_wall(d);
  // The first is taken by a turn that runs the timers too; the second by a later one.
  for (int i = 0; i < 2; ++i) {
    std::promise<void> taken;
    sequencer_->push(eventstore::DrainRequest{"nobody", [&](bool) { taken.set_value(); }});
    taken.get_future().wait();
  }
}

TestServer::~TestServer() {
  mail_.stop();
  server_->stop();
  sql_->stop();
  projector_->remove_batch_listener(mail_);
  feed_->stop();
  projector_->remove_batch_listener(*feed_);
  queries_->stop();
  sequencer_->stop();
  projector_->stop();
}

void TestServer::give(std::unique_ptr<eventstore::Submission> submission) {
  std::promise<void> done;
  submission->reply = std::make_unique<FirstReply>(done);
  CHECK(sequencer_->submit(std::move(submission)));
  done.get_future().wait();
}

void TestServer::initialize(bool demo, bool fake_driver) {
  auto submission = std::make_unique<eventstore::Submission>();
  submission->command = domain::initialize_command("test", demo, domain::TaskId(new_id()));
  const base::Secret hash(base::hash_password(domain::kDemoPassword));
  const std::string ref(domain::kDemoPasswordRef);
  submission->secrets.push_back({ref, secrets_->seal(ref, domain::kDemoProject, hash)});
  give(std::move(submission));
  if (fake_driver) {
    auto cloud = std::make_unique<eventstore::Submission>();
    cloud->command = domain::register_command(
        {.name = "fake_driver", .type = "simulated", .places_hosts = false, .face = "dummy"},
        domain::TaskId(new_id()));
    give(std::move(cloud));
  }
  std::promise<void> folded;
  projector_->waiters().wait_for_seq(committed_.seq(), clock_.steady() + kPatience,
                                     [&](const auto&) { folded.set_value(); });
  folded.get_future().wait();
}

std::filesystem::path TestServer::images_folder() const {
  return std::filesystem::path(dir_.path()) / "images";
}

Answer TestServer::ask(std::string_view request, bool head) const {
  RawClient client(port_);
  auto answer = client.ask(request, head);
  if (!answer) ADD_FAILURE() << "no answer to " << request.substr(0, 200);
  return answer.value_or(Answer());
}
Answer TestServer::get(std::string_view path, std::string_view headers) const {
  return ask(test::get(path, headers));
}
Answer TestServer::post(std::string_view path, std::string_view body,
                        std::string_view headers) const {
  std::string all(headers);
  if (!body.empty() && all.find("Content-Type") == std::string::npos) all += kJsonType;
  return ask(test::post(path, body, all));
}
Answer TestServer::send(std::string_view method, std::string_view path,
                        std::string_view headers) const {
  return ask(std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" +
                 std::string(headers) + "\r\n",
             method == "HEAD");
}

std::string TestServer::make_token(std::string_view tenant, std::string_view role) const {
  const Json body{{"name", "t-" + std::string(tenant)}, {"tenant", tenant}, {"role", role}};
  const Answer made = post("/core/v1/tokens", body.dump());
  EXPECT_EQ(made.status, 201) << made.body;
  // The directory follows the projection: a read that waits for it makes it known.
  get("/core/v1/tokens", "Slipway-Min-Seq: " + made.header("Slipway-Seq") + "\r\n");
  return json_of(made).value("token", "");
}

}  // namespace slipway::api::test
