#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "app/backends.hpp"
#include "app/commands.hpp"
#include "app/engine.hpp"
#include "app/supervision.hpp"
#include "app/worker_watch.hpp"
#include "metrics/log.hpp"
#include "workers/curve_keys.hpp"

namespace slipway::app {
namespace {

// Two processes of one name would take each other for a restarted one: by default no two share it.
std::string default_name() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}-{}", host.data(),
                     base::to_string(base::SystemIdSource().next()).substr(24));
}

cli::Exit failed(cli::Invocation& call, const base::Error& error) {
  call.io.err << "slipway worker: " << error.message << "\n";
  return cli::Exit::Failed;
}

cli::Exit run_worker(cli::Invocation& call) {
  forbid_core_dumps();
  block_signals();
  const auto loaded = load_for(call);
  if (!loaded) return cli::Exit::Usage;
  const Config& config = loaded->config;
  static base::SystemClock clock;
  base::crypto_init();
  auto backends = open_backends(config, config.server.data_dir, clock);
  if (!backends) return failed(call, backends.error());
  const std::string name = config.worker.name.empty() ? default_name() : config.worker.name;
  workers::Transport transport;
  workers::WorkerOptions options = worker_options(config, name);
  options.endpoint = config.worker.server;
  auto keys = read_curve_keys(config.worker.secret_key_file);
  if (!keys) return failed(call, keys.error());
  options.keys = std::move(*keys);
  options.server_public_key = config.worker.server_public_key;
  WorkerWatch seen(clock);
  std::vector<std::string> names;
  for (const auto& backend : *backends) names.emplace_back(backend->name());
  seen.watch(options, names);
  auto worker = workers::Worker::start(transport, std::move(options), std::move(*backends), clock);
  if (!worker) return failed(call, worker.error());
  if (auto status = seen.start(config, **worker); !status) return failed(call, status.error());
  metrics::log_info(
      "worker started",
      {{"worker", name}, {"server", config.worker.server}, {"metrics", seen.address()}});
  Supervision supervision;
  supervision.ready([health = seen.health()] { return health->live().ok; });
  call.io.out << "ready " << name << std::endl;
  // Ends by a signal, or when the server asks it to drain.
  std::jthread watch([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if ((*worker)->wait_finished(std::chrono::seconds(1))) ::kill(::getpid(), SIGTERM);
    }
  });
  // Nothing of a worker is read again.
  while (wait_for_signal() == SIGHUP)
    metrics::log_warn("a worker takes a new configuration at its next start");
  watch.request_stop();
  supervision.stopping();
  (*worker)->drain();
  const HurryOnSignal hurry([&] { (*worker)->drain(); });
  (*worker)->wait_finished(config.server.drain_timeout + std::chrono::seconds(5));
  metrics::log_info("worker drained", {{"worker", name}});
  seen.stop();
  watch.join();
  return cli::Exit::Done;
}

cli::Exit keygen(cli::Invocation& call) {
  const auto made = workers::generate_key_file(call.values.get("FILE"));
  if (!made) {
    call.io.err << made.error().message << "\n";
    return cli::Exit::Failed;
  }
  call.io.out << *made << "\n";
  return cli::Exit::Done;
}

}  // namespace

void add_worker_commands(cli::CommandTable& table) {
  table.add({.path = {"worker"},
             .summary = "Run a worker that carries out tasks for a server",
             .description = "SIGTERM drains: it takes no new task, finishes or hands back what it "
                            "has, and exits 0. A second signal hurries.",
             .examples = {{"slipway worker --broker tcp://127.0.0.1:5871 --data-dir slipway-data",
                           "beside a server on this machine"}},
             .options = {{"--config", "", "FILE", "configuration file (TOML)"}},
             .run = run_worker,
             .passes_unknown = true});
  table.add({.path = {"worker", "keygen"},
             .summary = "Make a key pair for a worker or a server, and print the public half",
             .examples = {{"slipway worker keygen worker-1.key", "writes worker-1.key, mode 0600"}},
             .arguments = {{"FILE", "the secret key's file; must not exist"}},
             .run = keygen});
}

}  // namespace slipway::app
