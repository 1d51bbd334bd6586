#pragma once
// Bytes in, requests out: Boost.Beast's parser with the strict checks it leaves to its user. Owned
// by one connection and used on its I/O thread; no I/O of its own.
//
//   Idle --take_head--> Head (ask the handler) --take_body--> Done --reset--> Idle
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "api/edge/head_scanner.hpp"
#include "api/edge/options.hpp"
#include "api/edge/request.hpp"
#include "core/base/uuid.hpp"

namespace slipway::api {

// What the edge answers when it refuses on its own.
struct EdgeError {
  int status = 400;
  Refusal reason = Refusal::Malformed;
  const char* detail = "";  // a constant: never what the client sent
};

class RequestParser {
 public:
  explicit RequestParser(const Limits& limits);
  ~RequestParser();

  enum class Step { NeedMore, Done, Refused };

  // `bytes` is all that has come and was not consumed; `taken` is how much of it is done with.
  // Done: request() has its head; body bytes, if any, follow.
  Step take_head(std::string_view bytes, std::size_t& taken, base::IdSource& ids);
  // Feeds the body: to the request's own string, or piece by piece to `sink`. At most `limit`
  // bytes. Done: the request is complete.
  Step take_body(std::string_view bytes, std::size_t& taken, std::uint64_t limit, BodySink* sink);

  // Gives a request that could not be parsed an id, so that its refusal has one.
  void name_unparsed(base::IdSource& ids);

  Request& request() { return request_; }
  const EdgeError& error() const { return error_; }
  std::uint64_t body_received() const { return received_; }
  void reset();

 private:
  class Beast;

  Step refuse(int status, Refusal reason, const char* detail);
  Step refuse_scan(Refusal reason);
  // The steps of take_head, once the head is whole; false after refuse().
  bool parse_head(std::string_view head);
  bool check_host();
  bool check_body_headers();
  bool split_target();
  bool decode_target();
  void identify(base::IdSource& ids);
  Step take_chunks(std::string_view bytes, std::size_t& taken, std::uint64_t limit, BodySink* sink);
  void give(std::string_view piece, BodySink* sink);

  const Limits& limits_;
  HeadScanner scanner_;
  std::unique_ptr<Beast> beast_;
  Request request_;
  EdgeError error_;
  char* room_ = nullptr;  // unused space at the end of request_.bytes_
  std::uint64_t received_ = 0;
  unsigned blank_lines_ = 0;  // before the request line
};

}  // namespace slipway::api
