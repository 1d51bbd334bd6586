#pragma once
// What a handler answers. The edge adds what HTTP asks for: Date, Content-Length, Connection,
// X-Request-Id, and leaves the body away for HEAD, 204 and 304.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::api {

// A content type is one of these or another literal, so it costs nothing to carry around.
class ContentType {
 public:
  consteval ContentType(const char* literal) : text_(literal) {}  // NOLINT: a literal is one
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

inline constexpr ContentType kJson = "application/json; charset=utf-8";
inline constexpr ContentType kProblemJson = "application/problem+json";
inline constexpr ContentType kNdjson = "application/x-ndjson; charset=utf-8";
inline constexpr ContentType kEventStream = "text/event-stream; charset=utf-8";
inline constexpr ContentType kText = "text/plain; charset=utf-8";
inline constexpr ContentType kHtml = "text/html; charset=utf-8";
inline constexpr ContentType kNoContentType = "";  // none is sent

struct Response {
  int status = 200;
  ContentType type = kJson;  // not sent when the body is empty
  std::string body;

  Response() = default;
  explicit Response(int code, std::string text = {}, ContentType of = kJson)
      : status(code), type(of), body(std::move(text)) {}

  // Appends a header line. A CR, LF or NUL in the value is cut out: no caller can split an answer.
  // Not for the headers the edge writes itself (Content-Length, Transfer-Encoding, Connection,
  // Date). A Content-Type that is no literal goes here, with `type = kNoContentType`.
  Response& add(std::string_view name, std::string_view value);
  const std::string& header_lines() const { return header_lines_; }
  // The value of an added header, for tests and for callers that extend an answer.
  std::optional<std::string_view> find(std::string_view name) const;

 private:
  std::string header_lines_;  // "Name: value\r\n" each
};

std::string_view status_text(int status);  // "OK"; "Unknown" for one HTTP does not know

// How the message around a Response is written. Made by the connection.
struct Framing {
  bool keep_alive = true;
  bool http10 = false;       // then a kept connection must be named
  bool chunked = false;      // a stream to an HTTP/1.1 client
  bool until_close = false;  // a stream to an HTTP/1.0 client
  bool upgrade = false;      // 101: the caller's own Connection and Upgrade lines
  bool head_only = false;    // the request was HEAD
  std::string_view date{};   // RFC 9110 form
  std::string_view request_id{};
};
// Appends the status line and all headers, the empty line included.
void render_head(std::string& out, const Response& response, const Framing& framing);
// Whether the body follows: not for HEAD, 1xx, 204 and 304.
bool sends_body(int status, bool head_only);

}  // namespace slipway::api
