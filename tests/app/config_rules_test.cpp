#include "app/config_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::app {
namespace {

using ::testing::HasSubstr;

struct Impossible {
  std::vector<std::string> flags;
  std::string key;  // that the error names
};

// One row a rule. Each row without its flags is the default, which is allowed.
const std::vector<Impossible> kImpossible = {
    {{"--tasks.backoff_base=2m"}, "tasks.backoff_max: must not be below"},
    {{"--tasks.min_workers=200"}, "tasks.max_workers: must not be below"},
    {{"--worker.heartbeat_interval=11s"}, "worker.heartbeat_interval: must be at most a third"},
    {{"--backend.call_timeout=29s"}, "backend.call_timeout: with worker.margin"},
    {{"--broker.heartbeat_interval=10s"}, "broker.heartbeat_timeout: must be above"},
    {{"--auth.failure_delay_base=50s", "--auth.failure_delay_max=40s"}, "auth.failure_delay_max"},
    {{"--vmfront.wrong_identity_status=404"}, "vmfront.wrong_identity_status: must be 401 or 503"},
    {{"--server.listeners="}, "server.listeners: must name one"},
    {{"--server.listen=8081"}, "server.listen: \"8081\" is not HOST:PORT"},
    {{"--server.listen="}, "server.listen: \"\" is not HOST:PORT"},
    {{"--admin.listen=127.0.0.1:99999"}, "admin.listen: \"127.0.0.1:99999\" is not HOST:PORT"},
    {{"--server.listen=0.0.0.0:80", "--admin.listen=127.0.0.1:9090", "--auth.admin_token_file=t"},
     "server.listen: 0.0.0.0:80 is beyond loopback and has no TLS"},
    {{"--admin.listen=10.0.0.1:80"}, "admin.listen: 10.0.0.1:80 is beyond loopback"},
    {{"--worker.metrics_listen=10.0.0.1:80"}, "worker.metrics_listen: 10.0.0.1:80 is beyond"},
    {{"--server.listen=0.0.0.0:80", "--admin.listen=127.0.0.1:9090", "--allow-insecure"},
     "auth.admin_token_file: is required when server.listen is beyond loopback"},
    {{"--server.listen=0.0.0.0:80", "--allow-insecure", "--auth.admin_token_file=t"},
     "admin.listen: is required when server.listen is beyond loopback"},
    {{"--broker.listen=tcp://*:5871", "--broker.workers_file=w"},
     "broker.secret_key_file: is requ"},
    {{"--broker.listen=tcp://*:5871", "--broker.secret_key_file=k"},
     "broker.workers_file: is requ"},
    {{"--worker.server=tcp://h:1", "--worker.secret_key_file=k"}, "worker.server_public_key: must"},
    {{"--worker.server=tcp://h:1", "--worker.server_public_key=" + std::string(40, 'x')},
     "worker.secret_key_file: is required"},
    {{"--simulated.clouds=../x"}, "simulated.clouds: \"../x\" is not NAME"},
    {{"--simulated.clouds=a,a:dummy"}, "simulated.clouds: names the cloud a twice"},
    {{"--simulated.clouds=simulated"}, "simulated.clouds: names the cloud simulated twice"},
};

TEST(ConfigRules, G7_5_RefuseImpossiblePairs) {
  for (const auto& [flags, key] : kImpossible) {
    const auto loaded = load_config({.flags = flags});
    ASSERT_EQ(loaded.errors.size(), 1U) << key;
    EXPECT_THAT(loaded.errors[0].text(), HasSubstr(key));
  }
}

TEST(ConfigRules, G7_5_AnInsecureListenerIsAllowedWhenAskedForAndWarnedOf) {
  const auto loaded = load_config({.flags = {"--listen=0.0.0.0:80", "--admin.listen=127.0.0.1:1",
                                             "--allow-insecure", "--auth.admin_token_file=t"}});
  EXPECT_TRUE(loaded.ok());
  ASSERT_EQ(loaded.warnings.size(), 1U);
  EXPECT_THAT(loaded.warnings[0], HasSubstr("server.listen = 0.0.0.0:80"));
}

TEST(Address, IsHostAndPort) {
  EXPECT_EQ(split_address("[::1]:80").host, "::1");
  EXPECT_EQ(split_address("tcp://host:5871").host, "host");
  EXPECT_EQ(split_address("tcp://host:5871").port, "5871");
  for (const char* text : {"", ":80", "host", "host:", "host:x", "host:70000", "::1:80", "[]:80"}) {
    EXPECT_TRUE(split_address(text).port.empty()) << text;
  }
}

TEST(Address, LoopbackIsKnownByItsSpelling) {
  for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "localhost"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char* host : {"", "0.0.0.0", "::", "*", "10.0.0.1", "1270.example"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace slipway::app
