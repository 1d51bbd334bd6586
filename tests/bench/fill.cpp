// Gives a data directory a past: VMs created by dialect 000's own request, and deleted again, all
// by the real sequencer into the real log, synced; only HTTP and the cloud are left out, so that
// millions take minutes. The directory must have been started once by `slipway serve` and stopped.
//
//   fill --data-dir DIR --live N [--finished M]       N: 1000 to 2 million
//
// Until M tasks have ended (default N) with N VMs alive. No read models are written and no
// snapshot: the next start replays and catches up. Prints one JSON object.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <deque>
#include <filesystem>

#include "api/dialects/vmfront/create_server.hpp"
#include "core/base/check.hpp"
#include "core/base/crypto.hpp"
#include "eventstore/recovery.hpp"
#include "eventstore/rocks_log.hpp"
#include "eventstore/secrets_store.hpp"
#include "eventstore/sequencer.hpp"

namespace slipway::bench {
namespace {

namespace fs = std::filesystem;
using eventstore::Input;

constexpr std::string_view kBody =
    R"({"flavor_name": "m1.nano", "image_name": "cirros-0.5.1-x86_64-disk", )"
    R"("network_id": "1edf997e-dcde-485b-ae55-c16588c1e4f6", "virtual_machine_name": "test_13"})";
constexpr std::size_t kAtOnce = 500;
constexpr std::uint64_t kLeastLive = 2 * kAtOnce;  // what is deleted was made in an earlier turn

template <class T>
T must(base::Result<T> result) {
  CHECK(result.has_value(), "{}", result.error().message);
  return std::move(*result);
}

class MustBeAccepted final : public eventstore::Reply {
 public:
  eventstore::Answer render(const eventstore::Accepted&) override { return {}; }
  void send(eventstore::Answer&&, bool) override {}
  void refuse(const base::Error& error) override { CHECK(false, "refused: {}", error.message); }
};

// The worker and the clients around one sequencer, in its own thread.
class Filler final : public eventstore::EffectSink {
 public:
  explicit Filler(const fs::path& dir)
      : log_(must(eventstore::RocksLog::open(dir / "log"))),
        secrets_(must(eventstore::SecretsStore::open(dir / "master.key", false))),
        core_(*log_, recover(dir), clock_, options(), 1) {
    core_.set_effects(this);
    domain::WorkerHello hello;
    hello.session = session_ = domain::SessionId(api::new_id());
    hello.worker = "fill";
    hello.pools = {"default"};
    hello.slots = 2 * kAtOnce;
    inputs_.emplace_back(domain::WorkerInput(hello));
  }

  void run(std::uint64_t live, std::uint64_t finished) {
    while (finished_ < finished) {
      const std::uint64_t left = std::min<std::uint64_t>(finished - submitted_, kAtOnce);
      for (std::uint64_t i = 0; i < left; ++i) alive_.size() < live ? create() : remove();
      const auto status = core_.process(inputs_);
      CHECK(status.has_value(), "{}", status.error().message);
      inputs_.clear();
      inputs_.swap(next_);
    }
  }

  void post(std::vector<domain::WorkerEffect>&& effects) override {
    for (const domain::WorkerEffect& effect : effects) {
      if (const auto* order = std::get_if<domain::WorkOrder>(&effect.message)) carry_out(*order);
      if (const auto* ack = std::get_if<domain::ReportAck>(&effect.message)) {
        CHECK(!ack->lease_lost, "a lease was lost");
        ++finished_;
      }
    }
  }

  std::uint64_t finished() const { return finished_; }
  std::uint64_t alive() const { return alive_.size(); }
  std::uint64_t events() const { return log_->head().next_seq - 1; }

 private:
  domain::World recover(const fs::path& dir) {
    auto recovered = must(eventstore::recover(*log_, eventstore::SnapshotStore(dir / "snapshots")));
    CHECK(recovered.world.initialized(), "start the server once before");
    return std::move(recovered.world);
  }
  static eventstore::SequencerOptions options() {
    eventstore::SequencerOptions o;
    o.batch_events_max = 20'000;
    o.batch_bytes_max = 16U << 20U;
    return o;
  }

  void submit(domain::CommandBody body, std::vector<eventstore::LogBatch::Put> secrets) {
    auto submission = std::make_unique<eventstore::Submission>();
    domain::Command& command = submission->command;
    command.caller.tenant = "demo";
    command.caller.actor = "demo";
    command.caller.role = domain::Role::Admin;
    command.caller.dialect = domain::Dialect::VmFront;
    command.task = domain::TaskId(api::new_id());
    command.body = std::move(body);
    submission->secrets = std::move(secrets);
    submission->reply = std::make_unique<MustBeAccepted>();
    inputs_.emplace_back(std::move(submission));
    ++submitted_;
  }

  void create() {
    domain::CreateVm vm = must(api::vmfront::parse_create(kBody, {}));
    vm.admin_secret = "admin-" + base::to_string(vm.vm);
    const base::Secret password(base::random_password(12));
    const std::string sealed = secrets_.seal(vm.admin_secret, "demo", password);
    alive_.push_back(vm.vm);
    std::vector<eventstore::LogBatch::Put> secrets{{vm.admin_secret, sealed}};
    submit(std::move(vm), std::move(secrets));
  }

  void remove() {
    domain::ActOnVm action;
    action.kind = domain::CommandKind::VmDelete;
    action.vm = alive_.front();
    alive_.pop_front();
    submit(std::move(action), {});
  }

  void carry_out(const domain::WorkOrder& order) {
    domain::WorkerReport report;
    report.session = session_;
    report.report_id = ++report_id_;
    report.task = order.task;
    report.token = order.token;
    // A step that may be repeated has no grant, and needs no word of its own.
    if (!order.granted_step.empty()) {
      report.steps_done.push_back(
          {order.granted_step, fmt::format("sim-{:08x}", report_id_), false, false, {}});
    }
    report.outcome = domain::Outcome();
    next_.emplace_back(domain::WorkerInput(std::move(report)));
  }

  base::SystemClock clock_;
  std::unique_ptr<eventstore::RocksLog> log_;
  eventstore::SecretsStore secrets_;
  eventstore::SequencerCore core_;
  domain::SessionId session_;
  std::vector<Input> inputs_, next_;
  std::deque<domain::VmId> alive_;
  std::uint64_t submitted_ = 0, finished_ = 0, report_id_ = 0;
};

}  // namespace
}  // namespace slipway::bench

int main(int argc, char** argv) {
  std::string dir;
  std::uint64_t live = 0;
  std::uint64_t finished = 0;
  CLI::App app{"Gives a data directory a past"};
  app.add_option("--data-dir", dir)->required()->check(CLI::ExistingDirectory);
  app.add_option("--live", live, "VMs")
      ->required()
      ->check(CLI::Range(slipway::bench::kLeastLive, std::uint64_t{2'000'000}));
  app.add_option("--finished", finished, "tasks; at least as many as VMs");
  CLI11_PARSE(app, argc, argv);
  slipway::base::crypto_init();
  const auto start = std::chrono::steady_clock::now();
  slipway::bench::Filler filler{std::filesystem::path(dir)};
  filler.run(live, std::max(live, finished));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print(R"({{"finished":{},"live":{},"events":{},"seconds":{:.2f}}})"
             "\n",
             filler.finished(), filler.alive(), filler.events(), took.count());
}
