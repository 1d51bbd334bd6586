#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <thread>

#include "tests/simulation/plants.hpp"
#include "tests/simulation/runner.hpp"

// sim --seeds 500            the seeds of seeds.txt, then 1 to 500; ten simulated minutes each
// sim --seed 42 --trace      one seed, told line by line
// sim --plants               each planted bug must be seen, by the invariant that guards against it
namespace {

using namespace slipway::simulation;  // NOLINT: a main program

struct Arguments {
  std::uint64_t seeds = 0;
  std::uint64_t seed = 0;
  long minutes = 10;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  bool trace = false;
  bool keep_going = false;
  bool plants = false;
  std::string plant = "none";
};

// One seed a line; what follows it says what it once found.
std::vector<std::uint64_t> kept_seeds() {
  std::ifstream in(SLIPWAY_SOURCE_DIR "/tests/simulation/seeds.txt");
  std::vector<std::uint64_t> out;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') out.push_back(std::stoull(line));
  }
  return out;
}

int run_one(const SimulationOptions& options) {
  const Outcome out = simulate(options);
  if (out.ok) {
    fmt::print("seed {}: {} events, {} tasks, {} crashes, all invariants hold\n", options.seed,
               out.events, out.tasks, out.crashes);
    return 0;
  }
  if (!options.print_trace) {
    for (const std::string& line : out.trace) fmt::print("{}\n", line);
  }
  fmt::print("\nseed {} breaks '{}': {}\nrun it again:\n  {}\n", options.seed, out.invariant,
             out.what, command_of(options));
  return 1;
}

int run_seeds(const Arguments& a, SimulationOptions options) {
  std::vector<SimulationOptions> runs;
  for (const std::uint64_t seed : kept_seeds()) runs.push_back({seed, options.minutes});
  const std::size_t kept = runs.size();
  for (std::uint64_t i = 0; i < a.seeds; ++i) {
    options.seed = std::max<std::uint64_t>(a.seed, 1) + i;
    runs.push_back(options);
  }
  std::size_t done = 0;
  std::size_t failed = 0;
  auto told = std::chrono::steady_clock::now();
  run_all(runs, a.jobs, [&](const Verdict& verdict) {
    ++done;
    if (!verdict.ok) {
      ++failed;
      fmt::print("{}", verdict.report);
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - told > std::chrono::seconds(5)) {
      told = now;
      fmt::print("{} of {} seeds, {} failed\n", done, runs.size(), failed);
    }
    std::fflush(stdout);
    return verdict.ok || a.keep_going;
  });
  fmt::print("{} seeds ({} of them kept ones), {} simulated minutes each, {} failed\n", done, kept,
             a.minutes, failed);
  return failed == 0 ? 0 : 1;
}

bool is_seen(const PlantedBug& bug, const Arguments& a) {
  std::vector<SimulationOptions> runs;
  for (std::uint64_t seed = 1; seed <= bug.seeds; ++seed) {
    runs.push_back({seed, std::chrono::minutes(a.minutes), bug.plant});
  }
  std::optional<Verdict> first;
  run_all(runs, a.jobs, [&](const Verdict& verdict) {
    if (verdict.ok) return true;
    first = verdict;
    return false;
  });
  const bool seen = first && first->invariant == bug.invariant;
  fmt::print("{:<20} {:<24} {}\n", slipway::base::enum_name(bug.plant), bug.invariant,
             seen ? fmt::format("seen with seed {}", first->options.seed)
             : first
                 ? fmt::format("WRONG: '{}' with seed {}", first->invariant, first->options.seed)
                 : fmt::format("NOT SEEN within {} seeds", bug.seeds));
  std::fflush(stdout);
  return seen;
}

int run_plants(const Arguments& a) {
  int blind = 0;
  for (const PlantedBug& bug : kPlantedBugs) blind += is_seen(bug, a) ? 0 : 1;
  fmt::print("{} planted bugs, {} not seen by the invariant that guards against them\n",
             kPlantedBugs.size(), blind);
  return blind == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments a;
  CLI::App app("The deterministic simulator");
  app.add_option("--seeds", a.seeds, "how many, from --seed on, after the kept ones");
  app.add_option("--seed", a.seed, "the first, or the only one");
  app.add_option("--minutes", a.minutes, "simulated minutes with faults");
  app.add_option("--jobs", a.jobs, "processes at a time")->check(CLI::Range(1, 256));
  app.add_option("--plant", a.plant, "a planted bug, by name");
  app.add_flag("--plants", a.plants, "show that each planted bug is seen");
  app.add_flag("--trace", a.trace, "print what happens");
  app.add_flag("--keep-going", a.keep_going, "do not stop at the first failure");
  CLI11_PARSE(app, argc, argv);

  SimulationOptions options;
  options.seed = std::max<std::uint64_t>(a.seed, 1);
  options.minutes = std::chrono::minutes(a.minutes);
  options.print_trace = a.trace;
  const auto plant = slipway::base::enum_from_name<Plant>(a.plant);
  if (!plant) {
    fmt::print(stderr, "there is no plant '{}'\n", a.plant);
    return 2;
  }
  options.plant = *plant;
  if (a.plants) return run_plants(a);
  return a.seeds > 0 ? run_seeds(a, options) : run_one(options);
}
