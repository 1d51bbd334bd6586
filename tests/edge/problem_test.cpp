#include "api/edge/problem.hpp"

#include <gtest/gtest.h>

#include <set>

namespace slipway::api {
namespace {

using base::Errc;

TEST(Problem, HasTheFormOfTheConventions) {
  const base::Error error{Errc::IdempotencyKeyReused,
                          "say \"why\"\n",
                          {{"/args/flavor", "unknown-flavor", "no flavor 'm1.hug'"}}};
  const Response response = render_problem(error_info(error, "rid", "tid"));
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.type.text(), "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"/problems/idempotency-key-reused",)"
            R"("title":"Idempotency key was used for another request","status":422,)"
            R"("code":"idempotency-key-reused","detail":"say \"why\"\n",)"
            R"("instance":"urn:request:rid","request_id":"rid","trace_id":"tid",)"
            R"("retryable":false,"retry_after_seconds":null,"errors":[{"pointer":"/args/flavor",)"
            R"("code":"unknown-flavor","detail":"no flavor 'm1.hug'"}]})");
}

TEST(Problem, EveryCodeHasAStatusAndATitle) {
  std::set<std::string_view> titles;
  for (int i = 0; i <= static_cast<int>(Errc::Internal); ++i) {
    const auto code = static_cast<Errc>(i);
    EXPECT_GE(status_of(code), 400) << code_of(code);
    EXPECT_LT(status_of(code), 600) << code_of(code);
    EXPECT_TRUE(titles.insert(title_of(code)).second) << "title used twice: " << title_of(code);
    if (status_of(code) == 429 || status_of(code) == 503) {
      EXPECT_TRUE(retry_after_seconds(code)) << code_of(code);
      EXPECT_TRUE(retryable(code)) << code_of(code);
    }
  }
}

TEST(Problem, WhatClientsRelyOn) {
  EXPECT_EQ(status_of(Errc::StorageFull), 503);
  EXPECT_EQ(code_of(Errc::StorageFull), "read-only");
  EXPECT_EQ(status_of(Errc::ReadOnly), 403);
  EXPECT_EQ(status_of(Errc::UnprocessableArgument), 422);
  EXPECT_EQ(code_of(Errc::UnprocessableArgument), "invalid-argument");
  EXPECT_EQ(status_of(Errc::InvalidArgument), 400);
  EXPECT_EQ(status_of(Errc::QueueFull), 503);
  EXPECT_EQ(status_of(Errc::VersionMismatch), 412);
  EXPECT_EQ(status_of(Errc::HistoryTruncated), 410);
}

TEST(Problem, RetryAfterIsInHeaderAndBody) {
  const base::Error full{Errc::QueueFull, "", {}};
  const Response response = render_problem(error_info(full, "r", "t"));
  EXPECT_EQ(response.find("Retry-After"), "1");
  EXPECT_NE(response.body.find("\"retry_after_seconds\":1,"), std::string::npos);
}

TEST(Problem, InternalErrorsTellNothing) {
  const base::Error bug{Errc::Internal, "rocksdb: /var/lib/x is gone", {}};
  const Response response = render_problem(error_info(bug, "r", "t"));
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("rocksdb"), std::string::npos);
}

TEST(Problem, ATextThatIsNoUtf8DoesNotBreakTheBody) {
  const base::Error odd{Errc::NotFound, "no '\xff\xfe'", {}};
  const Response response = render_problem(error_info(odd, "r", "t"));
  EXPECT_NE(response.body.find("no '?"
                               "?'"),
            std::string::npos)
      << response.body;
}

}  // namespace
}  // namespace slipway::api
