// The server up to the hand-over: the real edge, access guard, dialect and submission, from the
// first byte to the command that would go into the sequencer's queue; there a constant is answered
// instead, on the same thread. What is missing against `slipway serve` is deciding, the log, and
// all that follows it, so the rates of the two say what those cost.
//
//   edge_constant --data-dir DIR      DIR: started once by `slipway serve`, and stopped
//
// Prints "ready URL". Ends on SIGTERM or SIGINT.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "api/core_api/core_api.hpp"
#include "api/dialects/vmfront/vmfront.hpp"
#include "api/edge/server.hpp"
#include "api/event_feed.hpp"
#include "app/engine.hpp"
#include "core/base/check.hpp"

namespace slipway::bench {
namespace {

// As long as the real answer of dialect 000.
const std::string kBody =
    R"({"server": {"id": "019a0000-0000-7000-8000-000000000000", "links": [{"rel": "self", )"
    R"("href": "http://127.0.0.1:8081/compute/v2.1/servers/019a0000-0000-7000-8000-000000000000"}, )"
    R"({"rel": "bookmark", "href": )"
    R"("http://127.0.0.1:8081/compute/servers/019a0000-0000-7000-8000-000000000000"}], )"
    R"("OS-DCF:diskConfig": "MANUAL", "security_groups": [{"name": "default"}], )"
    R"("adminPass": "aaaaaaaaaaaa"}})";

// Takes the queue's place.
bool answer_constant(std::unique_ptr<eventstore::Submission>&& submission) {
  eventstore::Answer answer;
  answer.body = kBody;
  answer.task = submission->command.task;
  answer.seq = 1;
  submission->reply->send(std::move(answer), false);
  submission.reset();
  return true;
}

api::ApiServices services(app::Engine& engine, api::QueryPool& queries, api::EventFeed& feed) {
  api::ApiOptions options;
  options.demo = true;
  options.signing_key = base::random_key();
  return {
      .options = options,
      .clock = engine.clock(),
      .submit = answer_constant,
      .seal = [&engine](
                  auto ref, auto tenant,
                  const base::Secret& value) { return engine.secrets().seal(ref, tenant, value); },
      .open_secret = [&engine](auto ref, auto tenant) { return engine.open_secret(ref, tenant); },
      .log = engine.log(),
      .queries = queries,
      .hot_tasks = engine.projector().hot_tasks(),
      .waiters = engine.projector().waiters(),
      .progress = engine.progress(),
      .feed = feed,
      .projected_seq = [&engine] { return engine.projector().seq(); },
      .committed_seq = [&engine] { return engine.projector().seq(); },
      .people = [&engine] { return engine.projector().people(); },
      .counts = [&engine] { return engine.projector().live_counts(); },
      .workers = [&engine] { return engine.sequencer().workers(); },
      .drain_worker = [&engine](auto&& r) { engine.sequencer().push(std::move(r)); },
      .inspect_vm = [&engine](auto&& r) { engine.sequencer().push(std::move(r)); },
      .arrival_rate = {},
      .health = {},
      .ready = {},
      .metrics = {},
      .rebuild_projections = [] { return false; },
      .backup = {}};
}

int serve(const std::string& dir, const sigset_t& ends) {
  app::Config config;
  config.server.data_dir = dir;
  config.server.workers = 0;
  metrics::Instruments instruments;
  base::SystemClock clock;
  metrics::Health health(clock);
  auto engine = app::Engine::open(config, instruments, health);
  CHECK(engine.has_value(), "{}", engine.error().message);
  CHECK((*engine)->initialized(), "start the server once before");
  CHECK((*engine)->start().has_value(), "the engine does not start");
  api::QueryPool queries((*engine)->read_models(), api::QueryPool::Options());
  api::EventFeed feed((*engine)->log(), (*engine)->clock());
  feed.start((*engine)->projector().seq());

  api::CoreApi core(services(**engine, queries, feed));
  api::VmFront vmfront(core.services(), core.authenticator(), core.submitter());
  core.guard().open(api::Door::VmFront, vmfront.door());
  auto router = std::make_shared<api::Router>(core.guard().guard(), core.guard().head_guard());
  core.mount(*router);
  router->mount("/api", vmfront.routes(), api::VmFront::mount_options());
  auto server = api::Server::open({});
  CHECK(server.has_value(), "{}", server.error().message);
  const auto port = (*server)->listen(
      {.name = "main", .host = "127.0.0.1", .port = 0, .handler = std::move(router)});
  CHECK(port.has_value(), "{}", port.error().message);
  (*server)->start();
  fmt::print("ready http://127.0.0.1:{}\n", *port);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  (*server)->stop();
  queries.stop();
  feed.stop();
  (*engine)->stop();
  return 0;
}

}  // namespace
}  // namespace slipway::bench

int main(int argc, char** argv) {
  std::string dir;
  CLI::App app{"The edge, answering a constant"};
  app.add_option("--data-dir", dir)->required()->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  return slipway::bench::serve(dir, ends);
}
