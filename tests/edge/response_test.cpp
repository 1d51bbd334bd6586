#include "api/edge/response.hpp"

#include <gtest/gtest.h>

namespace slipway::api {
namespace {

std::string head(const Response& response, Framing framing = {}) {
  framing.date = "now";
  framing.request_id = "id";
  std::string out;
  render_head(out, response, framing);
  return out;
}

TEST(Response, HasWhatHttpAsksFor) {
  EXPECT_EQ(head(Response(202, "{}").add("Location", "/x")),
            "HTTP/1.1 202 Accepted\r\nDate: now\r\nX-Request-Id: id\r\n"
            "Content-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n"
            "Location: /x\r\n\r\n");
}

TEST(Response, CannotBeSplit) {
  Response response(200);
  response.add("X-Name", std::string("a\r\nSet-Cookie: b\0c", 18));
  EXPECT_EQ(response.header_lines(), "X-Name: aSet-Cookie: bc\r\n");
}

TEST(Response, NamesTheConnectionOnlyWhereNeeded) {
  EXPECT_EQ(head(Response(200)).find("Connection"), std::string::npos);
  EXPECT_NE(head(Response(200), {.keep_alive = false}).find("Connection: close\r\n"),
            std::string::npos);
  EXPECT_NE(head(Response(200), {.http10 = true}).find("Connection: keep-alive\r\n"),
            std::string::npos);
}

TEST(Response, LengthDependsOnStatusAndFraming) {
  const auto has_length = [](int status, Framing framing) {
    return head(Response(status, "x"), framing).find("Content-Length") != std::string::npos;
  };
  EXPECT_TRUE(has_length(200, {}));
  EXPECT_TRUE(has_length(200, {.head_only = true}));
  EXPECT_FALSE(has_length(204, {}));
  EXPECT_FALSE(has_length(304, {}));
  EXPECT_FALSE(has_length(200, {.chunked = true}));
  EXPECT_FALSE(has_length(200, {.until_close = true}));
  EXPECT_FALSE(has_length(101, {.upgrade = true}));
}

TEST(Response, FindsWhatWasAdded) {
  Response response;
  response.add("A", "1").add("B", "2");
  EXPECT_EQ(response.find("b"), "2");
  EXPECT_EQ(response.find("c"), std::nullopt);
}

}  // namespace
}  // namespace slipway::api
