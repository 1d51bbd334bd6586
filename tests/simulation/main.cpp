#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>

#include "tests/simulation/simulator.hpp"

// sim --seeds 500            seeds 1 to 500, ten simulated minutes each
// sim --seed 42 --trace      one seed, told line by line
namespace {

using slipway::simulation::Outcome;
using slipway::simulation::SimulationOptions;

std::uint64_t running_seed = 0;
long running_minutes = 0;

// A CHECK of the product has ended the process: say how to see it again.
extern "C" void on_abort(int) {
  fmt::print(stderr,
             "\nseed {} ended the process; run it again:\n  sim --seed {} --minutes {} --trace\n",
             running_seed, running_seed, running_minutes);
  std::_Exit(3);
}

bool run_one(const SimulationOptions& options) {
  running_seed = options.seed;
  running_minutes = options.minutes.count();
  const Outcome out = slipway::simulation::simulate(options);
  if (out.ok) return true;
  for (const std::string& line : out.trace) fmt::print("{}\n", line);
  fmt::print("\nseed {} breaks '{}': {}\nrun it again:\n  sim --seed {} --minutes {}{} --trace\n",
             options.seed, out.invariant, out.what, options.seed, options.minutes.count(),
             options.plant == slipway::simulation::Plant::None
                 ? ""
                 : fmt::format(" --plant {}", slipway::base::enum_name(options.plant)));
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seeds = 0;
  std::uint64_t seed = 1;
  long minutes = 10;
  bool trace = false;
  bool keep_going = false;
  std::string plant = "none";
  CLI::App app("The deterministic simulator");
  app.add_option("--seeds", seeds, "how many, from --seed on");
  app.add_option("--seed", seed, "the first, or the only one");
  app.add_option("--minutes", minutes, "simulated minutes with faults");
  app.add_option("--plant", plant, "a planted bug, by name");
  app.add_flag("--trace", trace, "print what happens");
  app.add_flag("--keep-going", keep_going, "do not stop at the first failure");
  CLI11_PARSE(app, argc, argv);

  std::signal(SIGABRT, on_abort);
  std::uint64_t failed = 0;
  const std::uint64_t count = std::max<std::uint64_t>(seeds, 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    SimulationOptions options;
    options.seed = seed + i;
    options.minutes = std::chrono::minutes(minutes);
    options.print_trace = trace;
    options.plant = slipway::base::enum_from_name<slipway::simulation::Plant>(plant).value_or(
        slipway::simulation::Plant::None);
    if (!run_one(options)) {
      ++failed;
      if (!keep_going) return 1;
    }
  }
  fmt::print("{} seeds, {} simulated minutes each, {} failed\n", count, minutes, failed);
  return failed == 0 ? 0 : 1;
}
