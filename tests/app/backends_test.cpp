#include "app/backends.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/temp_files.hpp"

namespace slipway::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Backends : public ::testing::Test {
 protected:
  Backends() {
    config_.server.data_dir = files_.dir();
    config_.simulated.clouds = {};
  }
  BackendTable& add(std::string name, std::string type, std::string worker_pool = "default") {
    BackendTable& table = config_.backends.emplace_back();
    table.name = std::move(name);
    table.type = std::move(type);
    table.worker_pool = std::move(worker_pool);
    return table;
  }
  std::vector<std::string> opened() {
    const auto backends = open_backends(config_, files_.dir(), clock_);
    if (!backends) return {backends.error().message};
    std::vector<std::string> names;
    for (const auto& backend : *backends) names.emplace_back(backend->name());
    EXPECT_EQ(names, opened_backends(config_));
    return names;
  }

  TempFiles files_;
  Config config_;
  base::ManualClock clock_{base::Time{}};
};

TEST_F(Backends, AWorkerOpensThoseOfItsPools) {
  add("near", "simulated");
  add("far", "simulated", "far");
  EXPECT_THAT(opened(), ElementsAre("simulated", "near"));
  config_.worker.pools = {"far"};
  EXPECT_THAT(opened(), ElementsAre("simulated", "far"));
}

TEST_F(Backends, TheLogIsToldOfAllButTheFirst) {
  config_.simulated.clouds = {"fake:dummy"};
  add("far", "simulated", "far").simulated.face = "dummy";
  add("rack", "libvirt");
  add("lab", "openstack");
  const auto all = registered_backends(config_);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].name, "fake");
  EXPECT_EQ(all[1].name, "far");
  EXPECT_EQ(all[1].worker_pool, "far");
  EXPECT_EQ(all[1].face, "dummy");
  EXPECT_FALSE(all[1].places_hosts);
  EXPECT_EQ(all[2].type, "libvirt");
  EXPECT_TRUE(all[2].places_hosts) << "libvirt has no scheduler of its own";
  EXPECT_FALSE(all[3].places_hosts);
}

TEST_F(Backends, TheLogIsToldOfWhoMaySeeWhatAndOfWhatBecomesOfDrift) {
  BackendTable& table = add("lab", "openstack");
  table.policy = "adopt";
  table.tenant = "found";
  const auto all = registered_backends(config_);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].policy, domain::ReconcilePolicy::Adopt);
  EXPECT_EQ(all[0].tenant, "found");
}

TEST_F(Backends, AWorkerSparesEachByItsOwnLimits) {
  BackendTable& table = add("lab", "simulated");
  table.max_calls = 20;
  table.max_calls_per_host = 3;
  table.rate_per_second = 0.5;
  table.rate_burst = 4;
  workers::WorkerCoreOptions worker;
  set_limits(config_, worker);
  ASSERT_EQ(worker.limits.size(), 1U) << "the first one has none";
  const workers::CallLimits& limits = worker.limits.at("lab");
  EXPECT_EQ(limits.max_calls, 20U);
  EXPECT_EQ(limits.max_calls_per_host, 3U);
  EXPECT_EQ(limits.per_second, 0.5);
  EXPECT_EQ(limits.burst, 4U);
}

TEST_F(Backends, ATableMayGiveItsCallsAnotherTimeout) {
  add("slow", "simulated").call_timeout = std::chrono::seconds(17);
  const auto backends = open_backends(config_, files_.dir(), clock_);
  ASSERT_TRUE(backends) << backends.error().message;
  EXPECT_EQ((*backends)[0]->call_timeout(), config_.backend.call_timeout);
  EXPECT_EQ((*backends)[1]->call_timeout(), std::chrono::seconds(17));
}

TEST_F(Backends, AnErrorNamesTheBackend) {
  add("odd", "simulated").simulated.face = "nobody";
  EXPECT_THAT(opened(), ElementsAre("backend odd: there is no face \"nobody\""));
}

}  // namespace
}  // namespace slipway::app
