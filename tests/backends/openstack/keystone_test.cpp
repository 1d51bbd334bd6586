#include "tests/backends/openstack/scripted_cloud.hpp"

namespace slipway::workers::openstack::test {
namespace {

using base::Errc;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kAuth = "/identity/v3/auth/tokens";
constexpr const char* kVm = "/compute/v2.1/servers/vm-1";

class KeystoneTest : public ScriptedCloud {
 protected:
  KeystoneTest() {
    server.on("PUT", kVm, {json(200, "{}")});
    server.on("GET", kVm, {json(200, R"({"server":)" + server_json("vm-1", "ACTIVE") + "}")});
  }
  BackendAnswer rename() { return calls().perform(order_on(CommandKind::VmRename), "vm.rename"); }
  std::size_t tokens() { return server.requests("POST", kAuth).size(); }
};

TEST_F(KeystoneTest, OneTokenServesManyCalls) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rename().kind, Kind::Done);
  EXPECT_EQ(tokens(), 1U);
  EXPECT_EQ(server.requests("PUT", kVm).at(2).header("x-auth-token"), "token-1");
}

TEST_F(KeystoneTest, ATokenIsRenewedBeforeItRunsOut) {
  server.on("POST", kAuth, [this](const Seen&) { return token(1s); });
  EXPECT_EQ(rename().kind, Kind::Done);
  std::this_thread::sleep_for(850ms);  // a fifth of its life is left at 800 ms
  EXPECT_EQ(rename().kind, Kind::Done);
  EXPECT_EQ(tokens(), 2U);
  EXPECT_EQ(server.requests("PUT", kVm).at(1).header("x-auth-token"), "token-2");
}

TEST_F(KeystoneTest, ARevokedTokenIsRenewedOnceAndTheCallMadeAgain) {
  server.on("PUT", kVm, [](const Seen& seen) {
    return seen.header("x-auth-token") == "token-1" ? fault(401, "no") : json(200, "{}");
  });
  EXPECT_EQ(rename().kind, Kind::Done);
  EXPECT_EQ(tokens(), 2U);
  EXPECT_EQ(server.requests("PUT", kVm).size(), 2U);
}

TEST_F(KeystoneTest, ATokenThatIsNeverAcceptedIsNotRenewedForEver) {
  server.on("PUT", kVm, {fault(401, "no")});
  const BackendAnswer answer = rename();
  EXPECT_EQ(answer.kind, Kind::Failed);
  EXPECT_EQ(answer.error.code, Errc::BackendUnavailable);
  EXPECT_EQ(tokens(), 2U);
}

TEST_F(KeystoneTest, ManyCallsShareOneRenewal) {
  server.on("POST", kAuth, {token(1s)});
  ASSERT_EQ(rename().kind, Kind::Done);  // and the versions are known from here on
  std::this_thread::sleep_for(1s);
  server.on("POST", kAuth, [this](const Seen&) {
    Reply reply = token();
    reply.delay = 200ms;
    return reply;
  });
  int ended = 0;
  for (int i = 0; i < 20; ++i) {
    calls().start(order_on(CommandKind::VmRename), "vm.rename", "vm-1",
                  [&](BackendAnswer&& answer) {
                    EXPECT_EQ(answer.kind, Kind::Done) << answer.error.detail;
                    ++ended;
                  });
  }
  EXPECT_TRUE(calls().wait_for([&] { return ended == 20; }, 10s));
  EXPECT_EQ(tokens(), 2U);
  EXPECT_GE(backend->counters().tokens_shared, 19U);
}

TEST_F(KeystoneTest, RefusedCredentialsAreSaidAndNeverShown) {
  server.on("POST", kAuth, {fault(401, "The password a-password is wrong")});
  const BackendAnswer answer = rename();
  EXPECT_EQ(answer.kind, Kind::Failed);
  EXPECT_EQ(answer.error.code, Errc::BackendUnavailable);
  EXPECT_TRUE(answer.error.without_effect);
  EXPECT_THAT(answer.error.detail, HasSubstr("refuses the credentials"));
  EXPECT_THAT(answer.error.detail, Not(HasSubstr("a-password")));
}

TEST_F(KeystoneTest, ADeadKeystoneFailsCallsWithoutEffectAndTheyComeBackWithIt) {
  std::atomic<bool> dead{true};
  server.on("POST", kAuth, [&](const Seen&) {
    Reply reply = token();
    reply.hang_up = dead;
    return reply;
  });
  const BackendAnswer answer = rename();
  EXPECT_EQ(answer.kind, Kind::Failed);
  EXPECT_TRUE(answer.error.retryable);
  EXPECT_TRUE(answer.error.without_effect);
  EXPECT_TRUE(server.requests("PUT", kVm).empty());
  dead = false;
  std::this_thread::sleep_for(1100ms);  // a failure holds for a second
  EXPECT_EQ(rename().kind, Kind::Done);
}

TEST_F(KeystoneTest, AnApplicationCredentialNeedsNoProject) {
  options.credential_id = "credential-1";
  options.credential_secret = base::Secret("hidden");
  EXPECT_EQ(rename().kind, Kind::Done);
  const std::string body = server.requests("POST", kAuth).at(0).body;
  EXPECT_THAT(body, HasSubstr(R"("methods":["application_credential"])"));
  EXPECT_THAT(body, HasSubstr(R"({"id":"credential-1","secret":"hidden"})"));
  EXPECT_THAT(body, Not(HasSubstr("scope")));
}

TEST_F(KeystoneTest, ARegionWithoutTheServiceIsSaid) {
  options.region = "Nowhere";
  const BackendAnswer answer = rename();
  EXPECT_EQ(answer.kind, Kind::Failed);
  EXPECT_THAT(answer.error.detail, HasSubstr("no compute service"));
}

TEST(OpenstackOptions, ThatCanNeverWorkAreRefused) {
  Options none;
  none.auth_url = "keystone:5000";
  EXPECT_FALSE(OpenstackBackend::open(std::move(none)));
  Options nobody;
  nobody.auth_url = "https://keystone:5000/v3";
  EXPECT_FALSE(OpenstackBackend::open(std::move(nobody)));
}

}  // namespace
}  // namespace slipway::workers::openstack::test
