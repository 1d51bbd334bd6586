#include "api/edge/trace_context.hpp"

#include <gtest/gtest.h>

namespace slipway::api {
namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kSpan = "00f067aa0ba902b7";

TEST(TraceContext, ReadsWhatTheRecommendationAllows) {
  const auto context = parse_traceparent("00-" + kTrace + "-" + kSpan + "-01");
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id(), kTrace);
  EXPECT_EQ(context->flags, 1);
  EXPECT_TRUE(parse_traceparent("cc-" + kTrace + "-" + kSpan + "-01"));
  EXPECT_TRUE(parse_traceparent("cc-" + kTrace + "-" + kSpan + "-01-what-the-future-brings"));
}

TEST(TraceContext, RefusesEverythingElse) {
  const std::string upper = "4BF92f3577b34da6a3ce929d0e0e4736";
  for (const std::string& bad : std::vector<std::string>{
           "", "00", "00-" + kTrace + "-" + kSpan, "00-" + kTrace + "-" + kSpan + "-0",
           "00-" + kTrace + "-" + kSpan + "-01x", "00-" + kTrace + "-" + kSpan + "-01-more",
           "ff-" + kTrace + "-" + kSpan + "-01", "00-" + upper + "-" + kSpan + "-01",
           "00-" + std::string(32, '0') + "-" + kSpan + "-01",
           "00-" + kTrace + "-" + std::string(16, '0') + "-01",
           "00_" + kTrace + "-" + kSpan + "-01", "cc-" + kTrace + "-" + kSpan + "-01.x"}) {
    EXPECT_FALSE(parse_traceparent(bad)) << bad;
  }
}

TEST(TraceContext, GoesOnUnderTheSameTraceWithASpanOfItsOwn) {
  base::SystemIdSource ids;
  const auto on = continue_trace("00-" + kTrace + "-" + kSpan + "-00", ids);
  EXPECT_EQ(on.trace_id(), kTrace);
  EXPECT_NE(on.span_id(), kSpan);
  EXPECT_EQ(on.traceparent(), "00-" + kTrace + "-" + std::string(on.span_id()) + "-00");
  EXPECT_TRUE(parse_traceparent(on.traceparent()));
  const auto begun = continue_trace("junk", ids);
  EXPECT_FALSE(begun.continued);
  EXPECT_TRUE(parse_traceparent(begun.traceparent()));
}

TEST(TraceContext, ChecksTracestate) {
  EXPECT_TRUE(valid_tracestate("rojo=00f067aa0ba902b7, congo=t61rcWkgMzE"));
  EXPECT_TRUE(valid_tracestate("a@b=1"));
  for (const char* bad : {"", "novalue", "=x", "A=1", "a=b=c", "a=\x01"}) {
    EXPECT_FALSE(valid_tracestate(bad)) << bad;
  }
  EXPECT_FALSE(valid_tracestate(std::string(513, 'a')));
  std::string many;
  for (int i = 0; i < 33; ++i) many += "k" + std::to_string(i) + "=v,";
  EXPECT_FALSE(valid_tracestate(many));
}

}  // namespace
}  // namespace slipway::api
