#pragma once
// Calls other HTTP servers: clouds, webhook targets, and (from the command line) our own. Blocking,
// HTTP/1.1, connections kept and reused. Never follows a redirect, never takes a proxy from the
// environment, never inflates: what was asked for is what is called, and what is read is bounded.
//
//   HttpClient client;
//   HttpRequest request;
//   request.url = "http://127.0.0.1:8081/healthz";
//   HttpResult answer = client.send(request);
//   if (!answer) use(answer.error()); else if (answer->status == 200) use(answer->body);
//
// A status of 400 or more is an answer, not an error. One thread per client; make as many as
// wanted. Targets that users name go through check_http_target() first.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "core/base/address_check.hpp"
#include "core/base/result.hpp"

namespace slipway::base {

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // http or https, without user or password
  std::vector<HttpHeader> headers;
  std::string body;
  // To connect to this numeric address, whatever the URL's host resolves to; TLS still checks the
  // host's name. From check_http_target(). Empty: resolve.
  std::string address;
  std::string ca_file;  // PEM; empty: the system's
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds timeout{30000};      // of the whole call; 0: none (streams)
  std::chrono::milliseconds idle_timeout{0};     // longest silence while connected; 0: none
  std::size_t max_body_bytes = 8 * 1024 * 1024;  // of the answer; a stream counts each piece alone
  // A kept connection may prove closed only when it is used; the library then sends the request
  // again by itself. A request that must not be sent twice, and carries no key that tells the
  // server so, sets this.
  bool fresh_connection = false;
  // Likewise, but on a kept connection where there is one (and a body): the library is kept from
  // sending it again. If the connection proves closed, that is Kind::Broken.
  bool send_once = false;
  bool verify_tls = true;  // false: whoever answers is believed
  // Asked about ten times a second on the calling thread; false gives up (Kind::Stopped).
  std::function<bool()> keep_going;
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;  // empty from stream()
  // The first header of that name, any case; empty if absent.
  std::string_view header(std::string_view name) const;
};

struct HttpError {
  enum class Kind : std::uint8_t {
    Invalid,   // the URL, method or a header; nothing was done
    Resolve,   // no address for the host
    Connect,   // refused or no route or too slow; the request was not sent
    Tls,       // certificate or handshake; the request was not sent
    Timeout,   // sent, and no whole answer in time
    Broken,    // sent (perhaps in part), and the connection ended
    TooLarge,  // the answer is over max_body_bytes
    Stopped,   // keep_going() or the sink said so
  };
  Kind kind = Kind::Broken;
  std::string message;  // our words, fit for a person; no secret
  // Whether the server may have acted on the request: then its outcome is unknown, not refused.
  bool may_have_been_sent() const { return kind >= Kind::Timeout; }
};

struct [[nodiscard]] HttpResult : tl::expected<HttpResponse, HttpError> {
  using tl::expected<HttpResponse, HttpError>::expected;
};

class HttpClient {
 public:
  // A piece of the body as it arrives, cut anywhere; the head is complete by then. False ends the
  // stream (Kind::Stopped).
  using Sink = std::function<bool(const HttpResponse& head, std::string_view piece)>;

  HttpClient();
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  HttpResult send(const HttpRequest& request);
  // Answers when the server ends the stream; for SSE and NDJSON, with timeout 0 and an
  // idle_timeout.
  HttpResult stream(const HttpRequest& request, const Sink& sink);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What a user may name as a target.
struct TargetPolicy {
  AddressPolicy addresses;
  bool allow_http = false;
  std::vector<std::uint16_t> ports{443, 8443};  // with allow_http also 80 and 8080
};

// The numeric address to put into HttpRequest::address. Errors as resolve_checked, and
// UnprocessableArgument for a bad URL, scheme, port, or a user name in it.
Result<std::string> check_http_target(const std::string& url, const TargetPolicy& policy,
                                      const Resolver& resolve = system_resolve);

}  // namespace slipway::base
