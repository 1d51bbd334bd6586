#include "workers/broker_core.hpp"

#include <gmock/gmock.h>

#include "tests/workers/support.hpp"

namespace slipway::workers {
namespace {

using namespace test;  // NOLINT
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct BrokerCoreTest : testing::Test {
  BrokerCoreTest()
      : core([this](domain::WorkerInput&& m) { inputs.push_back(std::move(m)); },
             [](const domain::SecretRef& ref,
                const std::string& tenant) -> base::Result<base::Secret> {
               if (ref == "gone") return base::fail(base::Errc::NotFound, "no such secret");
               return base::Secret(ref + "@" + tenant);
             }) {
    core.set_send([this](const std::string& route, Frames&& frames) {
      if (unreachable) return false;
      sent.emplace_back(route, std::move(frames));
      return true;
    });
  }

  void say(const Peer& peer, const domain::WorkerInput& message, std::uint64_t epoch = 1) {
    const Frames frames = writer.write(message, epoch);
    const std::array<std::string_view, 2> parts = {frames.header, frames.body};
    core.on_message(peer, parts);
  }
  void say_nonsense(const Peer& peer) {
    const std::array<std::string_view, 2> parts = {"hello", "world"};
    core.on_message(peer, parts);
  }
  domain::WorkerHello hello(std::uint64_t session, std::string worker = "a") {
    return {.session = id<domain::SessionId>(session), .worker = std::move(worker), .slots = 8};
  }
  domain::WorkerHeartbeat beat(std::uint64_t session) {
    return {.session = id<domain::SessionId>(session)};
  }
  domain::WorkerEffect effect(std::uint64_t session, domain::ServerMessage message) {
    return {id<domain::SessionId>(session), 4, std::move(message), "demo"};
  }
  Incoming<domain::ServerMessage> last_sent() {
    const std::array<std::string_view, 2> parts = {sent.back().second.header,
                                                   sent.back().second.body};
    auto read = reader.read_server_message(parts);
    EXPECT_TRUE(read.has_value());
    return std::move(*read);
  }

  std::vector<domain::WorkerInput> inputs;
  std::vector<std::pair<std::string, Frames>> sent;
  bool unreachable = false;
  BrokerCore core;
  WireWriter writer;
  WireReader reader;
};

TEST_F(BrokerCoreTest, WhatAWorkerSaysGoesUpAndItsAnswersGoToItsRoute) {
  say({"i1"}, hello(1));
  say({"i2"}, hello(2, "b"));
  say({"i1"}, beat(1));
  EXPECT_THAT(inputs, SizeIs(3));
  core.on_effect(effect(2, domain::Welcome{}));
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].first, "i2");
  EXPECT_EQ(last_sent().epoch, 4U);
}

TEST_F(BrokerCoreTest, AMalformedMessageDropsThePeerAndNobodyElse) {
  say({"i1"}, hello(1));
  say({"i2"}, hello(2, "b"));
  say_nonsense({"i1"});
  say({"i1"}, beat(1));
  say({"i2"}, beat(2));
  EXPECT_THAT(inputs, SizeIs(3));
  EXPECT_EQ(core.counters().malformed, 1U);
  EXPECT_EQ(core.counters().from_dropped_peer, 1U);
  core.on_effect(effect(1, domain::Welcome{}));
  EXPECT_THAT(sent, IsEmpty());
}

TEST_F(BrokerCoreTest, ADroppedPeerIsHeardAgainOnANewConnection) {
  say_nonsense({"i1"});
  say({"i9"}, hello(1));
  EXPECT_THAT(inputs, SizeIs(1));
}

TEST_F(BrokerCoreTest, ASessionThatIsNotKnownIsAskedForItsHello) {
  say({"t1"}, beat(5), 7);
  EXPECT_THAT(inputs, IsEmpty());
  ASSERT_THAT(sent, SizeIs(1));
  const auto answer = last_sent();
  EXPECT_TRUE(std::get<domain::HeartbeatAck>(answer.message).unknown_session);
  EXPECT_EQ(answer.epoch, 7U);  // its own, or it would not listen
}

TEST_F(BrokerCoreTest, G7_6_NameAndPoolsAreThoseOfTheKey) {
  const AdmittedWorker admitted{"rack-7", {"gpu"}, ""};
  say({"t1", &admitted}, hello(1, "somebody else"));
  ASSERT_THAT(inputs, SizeIs(1));
  EXPECT_EQ(std::get<domain::WorkerHello>(inputs[0]).worker, "rack-7");
  EXPECT_THAT(std::get<domain::WorkerHello>(inputs[0]).pools, ElementsAre("gpu"));
}

TEST_F(BrokerCoreTest, G7_6_ASessionIsNotTakenOverByAnotherKey) {
  const AdmittedWorker mine{"rack-7", {"gpu"}, ""};
  const AdmittedWorker other{"rack-8", {"gpu"}, ""};
  say({"t1", &mine}, hello(1));
  say({"t2", &other}, hello(1));
  say({"t2", &other}, beat(1));
  EXPECT_THAT(inputs, SizeIs(1));
  EXPECT_EQ(core.counters().foreign_session, 2U);
  core.on_effect(effect(1, domain::Welcome{}));
  EXPECT_EQ(sent.back().first, "t1");
}

TEST_F(BrokerCoreTest, AWorkerThatConnectsAgainKeepsItsSession) {
  say({"t1"}, hello(1));
  say({"t2"}, beat(1));
  core.on_effect(effect(1, domain::HeartbeatAck{}));
  EXPECT_EQ(sent.back().first, "t2");
}

TEST_F(BrokerCoreTest, G6_4_AnOrderTakesItsSecretsAlong) {
  say({"i1"}, hello(1));
  WorkOrder order = order_for(CommandKind::VmCreate, 1);
  order.spec.admin_secret = "sec-1";
  core.on_effect(effect(1, order));
  EXPECT_EQ(last_sent().secrets.find("sec-1")->reveal(), "sec-1@demo");
  EXPECT_EQ(sent.back().second.body.substr(0, 400).find("sec-1@demo"), std::string::npos);
}

TEST_F(BrokerCoreTest, G6_4_AnOrderWhoseSecretCannotBeOpenedIsNotSent) {
  say({"i1"}, hello(1));
  WorkOrder order = order_for(CommandKind::VmCreate, 1);
  order.spec.user_data = "gone";
  core.on_effect(effect(1, order));
  EXPECT_THAT(sent, IsEmpty());
  EXPECT_EQ(core.counters().secret_unavailable, 1U);
}

TEST_F(BrokerCoreTest, WhatCannotBeDeliveredIsCountedAndDropped) {
  say({"i1"}, hello(1));
  unreachable = true;
  core.on_effect(effect(1, domain::Welcome{}));
  core.on_effect(effect(99, domain::Welcome{}));
  EXPECT_EQ(core.counters().unreachable, 1U);
  EXPECT_EQ(core.counters().unknown_session, 1U);
}

TEST_F(BrokerCoreTest, AGoodbyeEndsTheSession) {
  say({"i1"}, hello(1));
  say({"i1"}, domain::WorkerGoodbye{id<domain::SessionId>(1)});
  EXPECT_THAT(inputs, SizeIs(2));
  EXPECT_EQ(core.sessions(), 0U);
}

}  // namespace
}  // namespace slipway::workers
