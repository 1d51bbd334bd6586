#include "api/edge/request_parser.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <cstring>

#include "api/edge/handler.hpp"
#include "api/edge/url.hpp"

namespace slipway::api {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

constexpr std::size_t kRequestIdBytes = 64;
constexpr unsigned kBlankLines = 2;               // some clients send one after a body
constexpr std::size_t kSmallestChunkEnd = 5;      // "0\r\n\r\n"
constexpr std::size_t kChunkLineBytes = 4 << 10;  // a chunk's extensions, or all trailers

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Whether these bytes can be the beginning of a chunk's line. Beast says so only when it has the
// whole line, of the last chunk all trailers too, and a client that has sent nonsense may send no
// more.
bool may_begin_chunk(std::string_view text, bool after_chunk) {
  for (const char wanted : std::string_view(after_chunk ? "\r\n" : "")) {
    if (text.empty()) return true;
    if (text.front() != wanted) return false;
    text.remove_prefix(1);
  }
  const auto digits_end = std::find_if_not(text.begin(), text.end(), is_hex);
  if (digits_end == text.end()) return true;
  if (digits_end == text.begin()) return false;
  const std::string_view rest(digits_end, text.end());
  if (rest.front() != '\r')
    return rest.front() == ';' || rest.front() == ' ' || rest.front() == '\t';
  return rest.size() == 1 || rest[1] == '\n';
}

}  // namespace

// Beast's push parser. It sees each head once and whole, in the request's own buffer, so the views
// it hands out stay valid.
class RequestParser::Beast {
 public:
  // What the headers said that decides how the message is framed.
  struct Seen {
    unsigned hosts = 0, lengths = 0, encodings = 0, traceparents = 0, tracestates = 0;
    std::string_view host, length, encoding, content_encoding, expect, request_id, traceparent,
        tracestate;
    bool upgrade = false;
  };

  class Core final : public http::basic_parser<true> {
   public:
    explicit Core(Request& request) : request_(request) {
      header_limit(std::numeric_limits<std::uint32_t>::max());  // the scanner has seen to it
      body_limit(boost::none);                                  // take_chunks does
    }
    Seen seen;
    bool in_chunks = false;  // a chunk header was seen: the next follows the CRLF of a chunk
    std::uint64_t chunk_left = 0;
    std::uint64_t limit_left = 0;
    bool too_long = false;
    std::string_view piece;

    void on_request_impl(http::verb, boost::beast::string_view method,
                         boost::beast::string_view target, int version, error_code&) override {
      request_.method_text_ = view(method);
      request_.method_ = method_from(view(method));
      request_.target_ = view(target);
      request_.version_ = version;
    }
    void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}
    void on_field_impl(http::field field, boost::beast::string_view name,
                       boost::beast::string_view value, error_code&) override {
      if (is_header_done()) return;  // a trailer: ignored
      request_.headers_.push_back({view(name), view(value)});
      note(field, view(name), view(value));
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(boost::beast::string_view body, error_code&) override {
      return body.size();
    }
    void on_chunk_header_impl(std::uint64_t size, boost::beast::string_view,
                              error_code& ec) override {
      in_chunks = true;
      chunk_left = size;
      too_long = size > limit_left;
      if (too_long) ec = http::error::body_limit;
    }
    std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view body,
                                   error_code&) override {
      piece = view(body);
      chunk_left -= body.size();
      limit_left -= body.size();
      return body.size();
    }
    void on_finish_impl(error_code&) override {}

   private:
    void note(http::field field, std::string_view name, std::string_view value) {
      switch (field) {
        case http::field::host:
          ++seen.hosts, seen.host = value;
          break;
        case http::field::content_length:
          ++seen.lengths, seen.length = value;
          break;
        case http::field::transfer_encoding:
          ++seen.encodings, seen.encoding = value;
          break;
        case http::field::content_encoding:
          seen.content_encoding = value;
          break;
        case http::field::expect:
          seen.expect = value;
          break;
        case http::field::upgrade:
          seen.upgrade = true;
          break;
        case http::field::unknown:
          note_unknown(name, value);
          break;
        default:
          break;  // hundreds that mean nothing to framing
      }
    }
    void note_unknown(std::string_view name, std::string_view value) {
      if (iequals(name, "x-request-id")) seen.request_id = value;
      if (iequals(name, "traceparent")) ++seen.traceparents, seen.traceparent = value;
      if (iequals(name, "tracestate")) ++seen.tracestates, seen.tracestate = value;
    }
    Request& request_;
  };

  Core& begin(Request& request) { return core_.emplace(request); }
  Core& operator*() { return *core_; }
  Core* operator->() { return &*core_; }

 private:
  std::optional<Core> core_;
};

RequestParser::RequestParser(const Limits& limits)
    : limits_(limits), scanner_(limits), beast_(std::make_unique<Beast>()) {}
RequestParser::~RequestParser() = default;

void RequestParser::reset() {
  scanner_.reset();
  request_ = Request();
  received_ = 0;
  blank_lines_ = 0;
}

RequestParser::Step RequestParser::refuse(int status, Refusal reason, const char* detail) {
  error_ = {status, reason, detail};
  return Step::Refused;
}

RequestParser::Step RequestParser::refuse_scan(Refusal reason) {
  if (reason == Refusal::RequestLine) return refuse(414, reason, "request line is too long");
  if (reason == Refusal::HeaderBytes) return refuse(431, reason, "headers are too long");
  if (reason == Refusal::HeaderCount) return refuse(431, reason, "too many headers");
  return refuse(400, reason, "request is not valid HTTP");
}

RequestParser::Step RequestParser::take_head(std::string_view bytes, std::size_t& taken,
                                             base::IdSource& ids) {
  taken = 0;
  while (scanner_.size() == 0 && blank_lines_ < kBlankLines && bytes.starts_with("\r\n")) {
    bytes.remove_prefix(2);
    taken += 2;
    ++blank_lines_;
  }
  if (bytes.empty() || (bytes == "\r" && blank_lines_ < kBlankLines)) return Step::NeedMore;
  if (!scanner_.scan(bytes)) {
    return scanner_.refused() ? refuse_scan(*scanner_.refused()) : Step::NeedMore;
  }
  taken += scanner_.size();
  if (!parse_head(bytes.substr(0, scanner_.size())) || !check_host() || !check_body_headers() ||
      !split_target() || !decode_target()) {
    return Step::Refused;
  }
  identify(ids);
  return Step::Done;
}

bool RequestParser::parse_head(std::string_view head) {
  const std::size_t line = head.find('\r');
  request_.bytes_ = std::make_unique_for_overwrite<char[]>(head.size() + line + kRequestIdBytes);
  std::memcpy(request_.bytes_.get(), head.data(), head.size());
  room_ = request_.bytes_.get() + head.size();
  request_.headers_.reserve(scanner_.headers());

  Beast::Core& core = beast_->begin(request_);
  error_code ec;
  core.put(boost::asio::const_buffer(request_.bytes_.get(), head.size()), ec);
  if (!ec && core.is_header_done()) {
    request_.keep_alive_ = core.keep_alive();
    request_.upgrade_ = core.upgrade() && core.seen.upgrade && request_.version_ == 11;
    return true;
  }
  const std::string_view version = head.substr(std::min(head.rfind(' ', line), line), line);
  if (ec == http::error::bad_version && version.starts_with(" HTTP/")) {
    refuse(505, Refusal::Malformed, "only HTTP/1.0 and HTTP/1.1 are spoken");
  } else {
    refuse(400, Refusal::Malformed, "request is not valid HTTP");
  }
  return false;
}

bool RequestParser::check_host() {
  const Beast::Seen& seen = (*beast_)->seen;
  const bool required = request_.version_ == 11;
  if (seen.hosts > 1 || (seen.hosts == 0 && required) ||
      (seen.hosts == 1 && !valid_authority(seen.host))) {
    refuse(400, Refusal::Malformed, "exactly one valid Host header is needed");
    return false;
  }
  request_.host_ = seen.host;
  return true;
}

// Nothing about where the body ends may be open to two readings: that is how requests are smuggled.
bool RequestParser::check_body_headers() {
  const Beast::Seen& seen = (*beast_)->seen;
  const auto no = [&](int status, Refusal reason, const char* detail) {
    refuse(status, reason, detail);
    return false;
  };
  if (seen.encodings > 0) {
    if (seen.encodings > 1 || seen.lengths > 0 || request_.version_ != 11) {
      return no(400, Refusal::Malformed, "length of the body is ambiguous");
    }
    if (!iequals(seen.encoding, "chunked")) {
      return no(501, Refusal::Malformed, "only chunked transfer coding is spoken");
    }
    request_.chunked_ = true;
  }
  if (seen.lengths > 0) {
    const char* end = seen.length.data() + seen.length.size();
    const auto parsed = std::from_chars(seen.length.data(), end, request_.content_length_);
    if (seen.lengths > 1 || seen.length.empty() || parsed.ec != std::errc() || parsed.ptr != end) {
      return no(400, Refusal::Malformed, "exactly one valid Content-Length is needed");
    }
  }
  if (!seen.content_encoding.empty() && !iequals(seen.content_encoding, "identity")) {
    return no(415, Refusal::BodyEncoding, "compressed request bodies are not accepted");
  }
  if (!seen.expect.empty() && request_.version_ == 11) {
    if (!iequals(seen.expect, "100-continue")) {
      return no(417, Refusal::Malformed, "only 100-continue may be expected");
    }
    request_.expects_continue_ = true;
  }
  return true;
}

bool RequestParser::split_target() {
  std::string_view target = request_.target_;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() || !iequals(target.substr(0, scheme.size()), scheme))
      continue;
    target.remove_prefix(scheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    request_.host_ = target.substr(0, end);  // RFC 9112 3.2.2: it replaces the Host header
    target.remove_prefix(end);
    if (!valid_authority(request_.host_)) target = "#";
    if (target.empty()) target = "/";
    break;
  }
  const bool asterisk = target == "*" && request_.method_ == Method::Options;
  if ((!target.starts_with('/') && !asterisk) || target.find('#') != std::string_view::npos) {
    refuse(400, Refusal::Malformed, "request target is not valid");
    return false;
  }
  request_.target_ = target;
  const std::size_t mark = std::min(target.find('?'), target.size());
  request_.raw_path_ = target.substr(0, mark);
  request_.raw_query_ = target.substr(std::min(mark + 1, target.size()));
  return true;
}

bool RequestParser::decode_target() {
  const auto path = percent_decode(request_.raw_path_, false, room_);
  bool good = path.has_value();
  if (good) request_.path_ = *path;
  std::string_view rest = request_.raw_query_;
  while (good && !rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = percent_decode(pair.substr(0, equals), true, room_);
    const auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true, room_);
    good = name && value;
    if (good) request_.query_.push_back({*name, *value});
  }
  if (!good) refuse(400, Refusal::Malformed, "request target has a bad escape");
  return good;
}

void RequestParser::identify(base::IdSource& ids) {
  const Beast::Seen& seen = (*beast_)->seen;
  if (valid_request_id(seen.request_id)) {
    request_.request_id_ = seen.request_id;
  } else {
    base::format_uuid(ids.next(), room_);
    request_.request_id_ = {room_, base::kUuidTextSize};
    room_ += base::kUuidTextSize;
  }
  const bool one = seen.traceparents == 1;
  request_.trace_ = continue_trace(one ? seen.traceparent : std::string_view(), ids);
  if (request_.trace_.continued && seen.tracestates == 1 && valid_tracestate(seen.tracestate)) {
    request_.tracestate_ = seen.tracestate;
  }
}

void RequestParser::name_unparsed(base::IdSource& ids) {
  if (request_.bytes_ == nullptr) {
    request_.bytes_ = std::make_unique_for_overwrite<char[]>(kRequestIdBytes);
    room_ = request_.bytes_.get();
    beast_->begin(request_);  // forgets what the last request said
  }
  identify(ids);
}

void RequestParser::give(std::string_view piece, BodySink* sink) {
  received_ += piece.size();
  if (sink != nullptr) {
    sink->on_piece(piece);
  } else {
    request_.body_.append(piece);
  }
}

RequestParser::Step RequestParser::take_body(std::string_view bytes, std::size_t& taken,
                                             std::uint64_t limit, BodySink* sink) {
  taken = 0;
  if (request_.chunked_) return take_chunks(bytes, taken, limit, sink);
  if (request_.content_length_ > limit) return refuse(413, Refusal::BodyBytes, "body is too large");
  const std::uint64_t left = request_.content_length_ - received_;
  taken = static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size()));
  if (taken > 0) give(bytes.substr(0, taken), sink);
  return received_ == request_.content_length_ ? Step::Done : Step::NeedMore;
}

RequestParser::Step RequestParser::take_chunks(std::string_view bytes, std::size_t& taken,
                                               std::uint64_t limit, BodySink* sink) {
  Beast::Core& core = **beast_;
  for (;;) {
    const std::string_view rest = bytes.substr(taken);
    const bool at_header = core.chunk_left == 0;
    if (at_header && !may_begin_chunk(rest, core.in_chunks)) {
      return refuse(400, Refusal::Malformed, "chunked body is not valid");
    }
    // Beast asserts that a chunk header is never shorter than the shortest end of a message; there
    // is always that much still to come.
    if (rest.size() < (at_header ? kSmallestChunkEnd : 1)) return Step::NeedMore;
    core.limit_left = limit - received_;
    core.piece = {};
    error_code ec;
    taken += core.put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
    if (!core.piece.empty()) give(core.piece, sink);
    if (core.too_long) return refuse(413, Refusal::BodyBytes, "body is too large");
    if (ec == http::error::need_more && rest.size() <= kChunkLineBytes) return Step::NeedMore;
    if (ec) return refuse(400, Refusal::Malformed, "chunked body is not valid");
    if (core.is_done()) return Step::Done;
  }
}

}  // namespace slipway::api
