#pragma once
// One HTTP request, complete and checked: what a handler sees. Movable, not copyable; views into it
// stay valid when it is moved, and die with it. All text was checked by the parser: names are
// tokens, values have no control characters, the path is percent-decoded without a NUL.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/edge/trace_context.hpp"

namespace slipway::api {

class BodySink;

enum class Method : std::uint8_t { Get, Head, Post, Put, Patch, Delete, Options, Other };
inline constexpr std::size_t kMethods = 8;
std::string_view method_name(Method method);  // "GET", ...; "OTHER"
Method method_from(std::string_view text);    // case-sensitive, as HTTP is

struct Header {
  std::string_view name;  // as sent
  std::string_view value;
};
struct QueryParam {
  std::string_view name;  // both percent-decoded, '+' is a space
  std::string_view value;
};

// What is the same for all requests of one connection.
struct PeerInfo {
  std::string address;  // "127.0.0.1", "::1"
  std::uint16_t port = 0;
  std::string listener;
};

bool iequals(std::string_view a, std::string_view b);  // ASCII, case-insensitive

class Request {
 public:
  Request() = default;
  Request(Request&&) = default;
  Request& operator=(Request&&) = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  Method method() const { return method_; }
  std::string_view method_text() const { return method_text_; }
  // Path and query as sent, an absolute form's "http://host" cut off.
  std::string_view target() const { return target_; }
  std::string_view raw_path() const { return raw_path_; }
  std::string_view path() const { return path_; }  // decoded: "%2F" is a '/' here
  std::string_view raw_query() const { return raw_query_; }
  std::span<const QueryParam> query() const { return query_; }
  std::optional<std::string_view> query_value(std::string_view name) const;  // the first
  std::string_view host() const { return host_; }  // of an absolute form, else the Host header

  std::span<const Header> headers() const { return headers_; }
  // Names are looked up case-insensitively. The first value; empty when absent.
  std::string_view header(std::string_view name) const;
  std::optional<std::string_view> find_header(std::string_view name) const;
  std::vector<std::string_view> header_values(std::string_view name) const;

  const std::string& body() const { return body_; }
  std::string take_body() { return std::move(body_); }
  // The sink the handler's BodyPlan named, once it has had everything; else null.
  const std::shared_ptr<BodySink>& sink() const { return sink_; }
  bool has_body() const { return chunked_ || content_length_ > 0; }

  int version() const { return version_; }  // 10 or 11
  bool keep_alive() const { return keep_alive_; }
  bool wants_upgrade() const { return upgrade_; }  // Connection: upgrade, and an Upgrade header

  std::string_view request_id() const { return request_id_; }
  const TraceContext& trace() const { return trace_; }
  std::string_view tracestate() const { return tracestate_; }  // empty unless the trace continues
  const PeerInfo& peer() const { return *peer_; }
  std::string_view listener() const { return peer_->listener; }

 private:
  friend class RequestParser;
  friend class Connection;

  std::unique_ptr<char[]> bytes_;  // the head as sent, then what was decoded, then the request id
  std::string_view method_text_, target_, raw_path_, path_, raw_query_, host_;
  std::string_view request_id_, tracestate_;
  std::vector<Header> headers_;
  std::vector<QueryParam> query_;
  std::string body_;
  std::shared_ptr<BodySink> sink_;
  std::shared_ptr<const PeerInfo> peer_;
  TraceContext trace_;
  std::uint64_t content_length_ = 0;
  int version_ = 11;
  Method method_ = Method::Other;
  bool chunked_ = false;
  bool keep_alive_ = true;
  bool upgrade_ = false;
  bool expects_continue_ = false;
};

}  // namespace slipway::api
