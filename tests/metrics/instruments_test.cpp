#include "metrics/instruments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

#include "core/domain/states.hpp"

namespace slipway::metrics {
namespace {

using ::testing::HasSubstr;

std::size_t lines_with_values(const std::string& text) {
  std::size_t n = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) n += !line.starts_with('#');
  return n;
}

// As many different values in every family as anyone can bring.
void fill(Instruments& m) {
  for (int i = 0; i < 60; ++i) {
    const auto a = "a" + std::to_string(i);
    m.add_backend(a);
    m.add_worker_pool(a);
    m.add_projection(a);
    m.build_info.with("1", a);
    m.eventlog_events.with(a);
    for (int j = 0; j < 20; ++j) {
      const auto b = "b" + std::to_string(j);
      m.http_requests.with("core", "GET", a + b, "200").add();
      m.http_request_duration.with("core", a + b).observe(0.1);
      m.tasks_submitted.with(a, b).add();
      m.tasks_finished.with(a, b, "SUCCEEDED").add();
      m.task_attempts.with(a, b, "ok").add();
      m.task_retries.with(a, b);
      m.tasks_dead_lettered.with(a, b);
      m.task_undo_steps.with(a, b);
      m.task_attempt_duration.with(a, b);
      m.task_end_to_end_duration.with(a, b);
      m.broker_messages.with(a, b);
      m.backend_requests.with(a, b, "ok");
      m.backend_request_duration.with(a, b);
      m.vm_failures.with(a, b);
      m.eventlog_events.with(a + b);
      m.http_rejected.with(a);
      m.broker_dropped.with(a);
      m.vms.with(a, b);
    }
  }
}

// Runs a command with `input` on its standard input; its exit status, or -1.
int run_with_input(const std::string& command, const std::string& input) {
  auto* pipe = ::popen(command.c_str(), "w");
  if (pipe == nullptr) return -1;
  std::fwrite(input.data(), 1, input.size(), pipe);
  const int status = ::pclose(pipe);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool have_promtool() { return std::system("command -v promtool >/dev/null 2>&1") == 0; }

TEST(Instruments, NeverShowMoreSeriesThanPromised) {
  Instruments m;
  fill(m);
  const auto lines = lines_with_values(m.registry.scrape());
  EXPECT_LE(lines, kMaxSeries);
  EXPECT_LE(lines, m.registry.max_lines());
  EXPECT_GT(lines, m.registry.max_lines() * 9 / 10) << "fill() does not reach every family";
}

TEST(Instruments, PromtoolFindsNothingToComplainAbout) {
  if (!have_promtool()) GTEST_SKIP() << "promtool (Debian package prometheus) is not here";
  Instruments m;
  EXPECT_EQ(run_with_input("promtool check metrics", m.registry.scrape()), 0);
  fill(m);
  EXPECT_EQ(run_with_input("promtool check metrics", m.registry.scrape()), 0);
  EXPECT_NE(run_with_input("promtool check metrics 2>/dev/null", "x_total_bad{ 1\n"), 0);
}

TEST(Instruments, NamesAreUniqueAndSayTheirUnit) {
  Instruments m;
  std::set<std::string_view> seen;
  for (const auto& family : m.registry.describe()) {
    EXPECT_TRUE(seen.insert(family.name).second) << family.name;
    EXPECT_TRUE(family.name.starts_with("slipway_") || family.name.starts_with("process_"))
        << family.name;
    EXPECT_EQ(family.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos)
        << family.name;
    EXPECT_EQ(family.name.ends_with("_total"), family.type == "counter") << family.name;
    EXPECT_TRUE(family.help.ends_with('.')) << family.name;
    for (const auto label : family.labels) EXPECT_FALSE(label.ends_with("id")) << family.name;
  }
}

// The list that dashboards and alerts may rely on; tests/golden/metrics.tsv is its spelling.
TEST(Instruments, AreTheOnesThatWerePromised) {
  std::string now;
  Instruments m;
  for (const auto& family : m.registry.describe()) {
    std::string labels;
    for (const auto label : family.labels)
      labels += (labels.empty() ? "" : ",") + std::string(label);
    now += std::string(family.name) + '\t' + std::string(family.type) + '\t' + labels + '\n';
  }
  const std::string path = SLIPWAY_SOURCE_DIR "/tests/golden/metrics.tsv";
  if (std::getenv("SLIPWAY_REWRITE_GOLDEN") != nullptr) std::ofstream(path) << now;
  std::ifstream file(path);
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(now, golden.str());
}

TEST(Instruments, TaskAndVmStatesAreTheDomains) {
  Instruments m;
  m.add_backend("simulated");
  const auto text = m.registry.scrape();
  for (const auto state : enum_names(domain::TaskState{})) {
    EXPECT_THAT(text, HasSubstr("slipway_tasks{state=\"" + std::string(state) + "\"} 0"));
  }
  for (const auto state : enum_names(domain::VmState{})) {
    if (state == "DELETED") continue;
    EXPECT_THAT(text, HasSubstr("slipway_vms{backend=\"simulated\",state=\"" + std::string(state) +
                                "\"} 0"));
  }
}

TEST(Instruments, ABackendAndAPoolAreShownBeforeTheyDidAnything) {
  Instruments m;
  m.add_backend("simulated");
  m.add_worker_pool("default");
  m.add_projection("main");
  const auto text = m.registry.scrape();
  EXPECT_THAT(text, HasSubstr("slipway_vms_created_total{backend=\"simulated\"} 0"));
  EXPECT_THAT(text, HasSubstr("slipway_queue_tasks{worker_pool=\"default\",state=\"ready\"} 0"));
  EXPECT_THAT(text, HasSubstr("slipway_projection_lag_events{projection=\"main\"} 0"));
}

}  // namespace
}  // namespace slipway::metrics
