// The pieces of authentication, on a clock of their own.
#include <vector>

#include <gtest/gtest.h>

#include "api/credential_cache.hpp"
#include "api/login_delays.hpp"
#include "api/signed_text.hpp"
#include "core/base/clock.hpp"

namespace slipway::api {
namespace {

using base::Duration;
using std::chrono::seconds;

const base::SteadyTime kStart{Duration(1'000'000'000)};

TEST(LoginDelays, G7_4_FiveFailuresAreFreeThenEachTakesTwiceAsLong) {
  LoginDelays delays;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(delays.failed("ada", "192.0.2.1", kStart), Duration(0));
  Duration wanted = seconds(1);
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(delays.failed("ada", "192.0.2.1", kStart), std::min<Duration>(wanted, seconds(300)));
    wanted *= 2;
  }
}

TEST(LoginDelays, G7_4_WhatOthersDoFromElsewhereNeverMatters) {
  LoginDelays delays;
  for (int i = 0; i < 50; ++i) delays.failed("ada", "192.0.2.1", kStart);
  EXPECT_GT(delays.refused_for("ada", "192.0.2.1", kStart), Duration(0));
  EXPECT_EQ(delays.refused_for("ada", "192.0.2.2", kStart), Duration(0));
  EXPECT_EQ(delays.failed("ada", "192.0.2.2", kStart), Duration(0));
}

TEST(LoginDelays, G7_4_AnAddressHasAHundredFreeFailuresAndLoopbackAnyNumber) {
  LoginDelays delays;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(delays.failed("u" + std::to_string(i), "192.0.2.1", kStart), Duration(0));
    EXPECT_EQ(delays.failed("u" + std::to_string(i), "127.0.0.1", kStart), Duration(0));
  }
  EXPECT_EQ(delays.failed("x", "192.0.2.1", kStart), seconds(1));
  EXPECT_EQ(delays.failed("x", "127.0.0.1", kStart), Duration(0));
}

TEST(LoginDelays, AreForgottenAfterAWhileOrASuccess) {
  LoginDelays delays;
  for (int i = 0; i < 9; ++i) delays.failed("ada", "192.0.2.1", kStart);
  EXPECT_EQ(delays.failed("ada", "192.0.2.1", kStart + std::chrono::minutes(20)), Duration(0));
  for (int i = 0; i < 9; ++i) delays.failed("bob", "192.0.2.1", kStart);
  delays.succeeded("bob", "192.0.2.1");
  EXPECT_EQ(delays.refused_for("bob", "192.0.2.1", kStart), Duration(0));
}

eventstore::Directory people_with(const domain::User& user) {
  eventstore::Directory people;
  people.users[user.name] = eventstore::UserRow{1, user, {}};
  return people;
}

TEST(CredentialCache, RemembersForAMinuteAndForgetsWhenTheUserChanges) {
  CredentialCache cache(10, seconds(60));
  domain::User ada;
  ada.name = "ada";
  ada.password = "ref-1";
  const auto key = cache.key_of({"ada", "pw", "", ""});
  const auto identity =
      std::make_shared<const Identity>(Identity{"t", "ada", domain::Role::Viewer});
  cache.put(key, ada, identity, kStart);
  EXPECT_EQ(cache.find(key, people_with(ada), kStart + seconds(59)), identity);
  EXPECT_EQ(cache.find(key, people_with(ada), kStart + seconds(60)), nullptr);
  cache.put(key, ada, identity, kStart);
  domain::User changed = ada;
  changed.password = "ref-2";
  EXPECT_EQ(cache.find(key, people_with(changed), kStart), nullptr);
  cache.put(key, ada, identity, kStart);
  EXPECT_EQ(cache.find(key, {}, kStart), nullptr);
}

TEST(CredentialCache, IsBoundedAndTellsCredentialsApart) {
  CredentialCache cache(2, seconds(60));
  EXPECT_NE(cache.key_of({"a", "bc", "", ""}), cache.key_of({"ab", "c", "", ""}));
  domain::User ada;
  ada.name = "ada";
  const auto identity = std::make_shared<const Identity>();
  const auto first = cache.key_of({"ada", "1", "", ""});
  cache.put(first, ada, identity, kStart);
  cache.put(cache.key_of({"ada", "2", "", ""}), ada, identity, kStart);
  cache.put(cache.key_of({"ada", "3", "", ""}), ada, identity, kStart);
  EXPECT_EQ(cache.find(first, people_with(ada), kStart), nullptr);
}

TEST(SignedText, ComesBackAsItWasAndOnlyForItsPurpose) {
  const base::Key key = base::random_key();
  const std::vector<std::string> texts{"", "a", "ab", "abc", "+vms|12345", std::string(300, 'x')};
  for (const std::string& text : texts) {
    const std::string signed_text = sign_text(key, "cursor", text);
    EXPECT_EQ(verify_text(key, "cursor", signed_text), text);
    EXPECT_EQ(verify_text(key, "token", signed_text), std::nullopt);
    EXPECT_EQ(verify_text(base::random_key(), "cursor", signed_text), std::nullopt);
    EXPECT_EQ(verify_text(key, "cursor", "A" + signed_text), std::nullopt);
  }
}

}  // namespace
}  // namespace slipway::api
