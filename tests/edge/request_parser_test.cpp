#include "api/edge/request_parser.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "api/edge/handler.hpp"

namespace slipway::api {
namespace {

using Step = RequestParser::Step;

struct Parsed {
  Step step = Step::NeedMore;
  EdgeError error;
  std::unique_ptr<RequestParser> parser;
  Request& request() { return parser->request(); }
};

// Feeds `text` in pieces of `piece` bytes, as a connection would.
Parsed parse(const std::string& text, std::size_t piece = 1 << 20, std::size_t limit = 1 << 20) {
  static const Limits limits;
  static base::SystemIdSource ids;
  Parsed parsed;
  parsed.parser = std::make_unique<RequestParser>(limits);
  std::string kept;
  bool in_body = false;
  for (std::size_t at = 0; at < text.size() && parsed.step == Step::NeedMore;) {
    kept += text.substr(at, piece);
    at += piece;
    for (bool again = true; again;) {
      again = false;
      std::size_t taken = 0;
      parsed.step = in_body ? parsed.parser->take_body(kept, taken, limit, nullptr)
                            : parsed.parser->take_head(kept, taken, ids);
      kept.erase(0, taken);
      if (!in_body && parsed.step == Step::Done && parsed.parser->request().has_body()) {
        in_body = again = true;
        parsed.step = Step::NeedMore;
      }
    }
  }
  parsed.error = parsed.parser->error();
  return parsed;
}

std::string line(const std::string& request_line, const std::string& headers = "Host: x\r\n") {
  return request_line + "\r\n" + headers + "\r\n";
}

TEST(RequestParser, GivesWhatWasSent) {
  auto parsed = parse(
      "POST /a%20b/c%2Fd?x=1&x=2&flag&name=J%C3%BCrgen+K HTTP/1.1\r\nHost: example.org:80\r\n"
      "X-Thing:  one \r\nx-thing: two\r\nproject_name: demo\r\nContent-Length: 3\r\n\r\nabc");
  ASSERT_EQ(parsed.step, Step::Done) << parsed.error.detail;
  const Request& request = parsed.request();
  EXPECT_EQ(request.method(), Method::Post);
  EXPECT_EQ(request.target(), "/a%20b/c%2Fd?x=1&x=2&flag&name=J%C3%BCrgen+K");
  EXPECT_EQ(request.path(), "/a b/c/d");
  EXPECT_EQ(request.raw_path(), "/a%20b/c%2Fd");
  ASSERT_EQ(request.query().size(), 4U);
  EXPECT_EQ(request.query()[1].value, "2");
  EXPECT_EQ(request.query_value("x"), "1");
  EXPECT_EQ(request.query_value("flag"), "");
  EXPECT_EQ(request.query_value("name"), "Jürgen K");
  EXPECT_EQ(request.query_value("none"), std::nullopt);
  EXPECT_EQ(request.header("X-THING"), "one");
  EXPECT_EQ(request.header_values("x-thing"), (std::vector<std::string_view>{"one", "two"}));
  EXPECT_EQ(request.header("project_name"), "demo");
  EXPECT_EQ(request.host(), "example.org:80");
  EXPECT_EQ(request.body(), "abc");
  EXPECT_TRUE(request.keep_alive());
}

TEST(RequestParser, ViewsSurviveAMove) {
  auto parsed = parse(line("GET /some/path?q=%41 HTTP/1.1", "Host: h\r\nX-Request-Id: id-1\r\n"));
  ASSERT_EQ(parsed.step, Step::Done);
  const Request moved = std::move(parsed.request());
  parsed.parser.reset();
  EXPECT_EQ(moved.path(), "/some/path");
  EXPECT_EQ(moved.query_value("q"), "A");
  EXPECT_EQ(moved.request_id(), "id-1");
}

// Every row has one reading here, or none: what differs between two servers is how requests are
// smuggled past one of them.
struct Case {
  const char* name;
  std::string text;
  int status;  // 0: accepted
};
class Strictness : public ::testing::TestWithParam<Case> {};

TEST_P(Strictness, HoldsWholeAndByteByByte) {
  for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}, std::size_t{7}}) {
    auto parsed = parse(GetParam().text, piece);
    if (GetParam().status == 0) {
      EXPECT_EQ(parsed.step, Step::Done) << "pieces of " << piece << ": " << parsed.error.detail;
    } else {
      EXPECT_EQ(parsed.step, Step::Refused) << "pieces of " << piece;
      EXPECT_EQ(parsed.error.status, GetParam().status) << "pieces of " << piece;
    }
  }
}

std::string with(const std::string& headers, const std::string& body = "") {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
}
std::string chunked(const std::string& body) {
  return with("Transfer-Encoding: chunked\r\n", body);
}
std::string many_headers(int n) {
  std::string text;
  for (int i = 0; i < n; ++i) text += "X-" + std::to_string(i) + ": 1\r\n";
  return text;
}

INSTANTIATE_TEST_SUITE_P(
    Http, Strictness,
    ::testing::ValuesIn(std::vector<Case>{
        {"plain", line("GET / HTTP/1.1"), 0},
        {"http10_without_host", line("GET / HTTP/1.0", ""), 0},
        {"leading_blank_line", "\r\n" + line("GET / HTTP/1.1"), 0},
        {"many_leading_blank_lines", "\r\n\r\n\r\n\r\n" + line("GET / HTTP/1.1"), 400},
        {"bare_lf", "GET / HTTP/1.1\nHost: x\n\n", 400},
        {"bare_lf_in_headers", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400},
        {"bare_cr", "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", 400},
        {"nul_in_value", "GET / HTTP/1.1\r\nHost: x\r\nA: b" + std::string(1, '\0') + "\r\n\r\n",
         400},
        {"control_in_value", line("GET / HTTP/1.1", "Host: x\r\nA: b\x01\r\n"), 400},
        {"folded_header", line("GET / HTTP/1.1", "Host: x\r\nA: b\r\n c\r\n"), 400},
        {"folded_first_header", line("GET / HTTP/1.1", " Host: x\r\n"), 400},
        {"no_colon", line("GET / HTTP/1.1", "Host: x\r\nnonsense\r\n"), 400},
        {"space_before_colon", line("GET / HTTP/1.1", "Host : x\r\n"), 400},
        {"empty_name", line("GET / HTTP/1.1", "Host: x\r\n: y\r\n"), 400},
        {"name_no_token", line("GET / HTTP/1.1", "Host: x\r\nA(b): y\r\n"), 400},
        {"no_host", line("GET / HTTP/1.1", ""), 400},
        {"two_hosts", line("GET / HTTP/1.1", "Host: x\r\nHost: x\r\n"), 400},
        {"empty_host", line("GET / HTTP/1.1", "Host:\r\n"), 400},
        {"host_with_path", line("GET / HTTP/1.1", "Host: a/b\r\n"), 400},
        {"host_list", line("GET / HTTP/1.1", "Host: a, b\r\n"), 400},
        {"host_port_too_large", line("GET / HTTP/1.1", "Host: a:99999999\r\n"), 400},
        {"host_ipv6", line("GET / HTTP/1.1", "Host: [::1]:8081\r\n"), 0},
        {"tls_hello", std::string("\x16\x03\x01\x02", 4), 400},
        {"target_without_slash", line("GET hello HTTP/1.1"), 400},
        {"method_glued", line("GETX/hello HTTP/1.1"), 400},
        {"unknown_method", line("BREW / HTTP/1.1"), 0},
        {"two_spaces", line("GET  / HTTP/1.1"), 400},
        {"no_version", line("GET /"), 400},
        {"short_version", line("GET / H"), 400},
        {"lower_version", line("GET / http/1.1"), 400},
        {"version_2", line("GET / HTTP/2.0"), 505},
        {"version_0_9", line("GET / HTTP/0.9"), 505},
        {"h2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"trailing_space", line("GET / HTTP/1.1 "), 400},
        {"fragment", line("GET /a#b HTTP/1.1"), 400},
        {"bad_escape", line("GET /%zz HTTP/1.1"), 400},
        {"cut_escape", line("GET /%4 HTTP/1.1"), 400},
        {"escaped_nul", line("GET /%00 HTTP/1.1"), 400},
        {"escaped_bad_utf8", line("GET /%ff HTTP/1.1"), 400},
        {"bad_escape_in_query", line("GET /?a=%g0 HTTP/1.1"), 400},
        {"absolute_form", line("GET http://other:80/p?q HTTP/1.1"), 0},
        {"absolute_form_without_path", line("GET http://other HTTP/1.1"), 0},
        {"absolute_form_bad_host", line("GET http:///p HTTP/1.1"), 400},
        {"other_scheme", line("GET ftp://other/p HTTP/1.1"), 400},
        {"options_asterisk", line("OPTIONS * HTTP/1.1"), 0},
        {"get_asterisk", line("GET * HTTP/1.1"), 400},
        {"many_slashes", line("GET /" + std::string(8000, '/') + " HTTP/1.1"), 0},
        {"long_request_line", line("GET /" + std::string(8192, 'a') + " HTTP/1.1"), 414},
        {"long_request_line_no_end", "GET /" + std::string(9000, 'a'), 414},
        {"long_header", line("GET / HTTP/1.1", "Host: x\r\nA: " + std::string(17000, 'a') + "\r\n"),
         431},
        {"many_headers", line("GET / HTTP/1.1", "Host: x\r\n" + many_headers(64)), 431},
        {"just_enough_headers", line("GET / HTTP/1.1", "Host: x\r\n" + many_headers(63)), 0},
        {"length_letters", with("Content-Length: abc\r\n"), 400},
        {"length_plus", with("Content-Length: +5\r\n", "abcde"), 400},
        {"length_minus", with("Content-Length: -5\r\n"), 400},
        {"length_empty", with("Content-Length:\r\n"), 400},
        {"length_hex", with("Content-Length: 0x5\r\n", "abcde"), 400},
        {"length_overflow", with("Content-Length: 99999999999999999999\r\n"), 400},
        {"length_list", with("Content-Length: 5, 5\r\n", "abcde"), 400},
        {"length_twice_same", with("Content-Length: 5\r\nContent-Length: 5\r\n", "abcde"), 400},
        {"length_twice_different", with("Content-Length: 5\r\nContent-Length: 6\r\n", "abcde"),
         400},
        {"length_huge", with("Content-Length: 20000000000\r\n"), 413},
        {"length_and_chunked",
         with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        {"chunked_and_length",
         with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400},
        {"chunked_twice",
         with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        {"chunked_list", with("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 501},
        {"chunked_x", with("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501},
        {"gzip_chunked", with("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
        {"identity_coding", with("Transfer-Encoding: identity\r\n"), 501},
        {"chunked_with_vertical_tab",
         with("Transfer-Encoding:\x0b"
              "chunked\r\n",
              "0\r\n\r\n"),
         400},
        {"chunked_in_http10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400},
        {"compressed", with("Content-Encoding: gzip\r\nContent-Length: 1\r\n", "x"), 415},
        {"identity_encoding", with("Content-Encoding: identity\r\nContent-Length: 1\r\n", "x"), 0},
        {"odd_expectation", with("Expect: the-best\r\nContent-Length: 1\r\n", "x"), 417},
        {"odd_content_type", with("Content-Type: garbage\r\nContent-Length: 1\r\n", "x"), 0},
        {"odd_accept_and_cookie",
         line("GET / HTTP/1.1", "Host: x\r\nAccept: ;;;\r\nCookie: =;=\r\n"), 0},
        {"chunks", chunked("5\r\nhello\r\n6;ext=\"a\"\r\n world\r\n0\r\n\r\n"), 0},
        {"empty_chunked_body", chunked("0\r\n\r\n"), 0},
        {"one_byte_chunks", chunked("1\r\na\r\n1\r\nb\r\n0\r\n\r\n"), 0},
        {"trailers", chunked("1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n"), 0},
        {"smuggling_trailer", chunked("1\r\na\r\n0\r\nContent-Length: 5\r\n\r\n"), 400},
        {"chunk_size_prefix", chunked("0x5\r\nhello\r\n0\r\n\r\n"), 400},
        {"chunk_size_plus", chunked("+5\r\nhello\r\n0\r\n\r\n"), 400},
        {"chunk_size_space", chunked(" 5\r\nhello\r\n0\r\n\r\n"), 400},
        {"chunk_size_empty", chunked("\r\nhello\r\n0\r\n\r\n"), 400},
        {"chunk_size_overflow", chunked("fffffffffffffffff\r\nhello\r\n0\r\n\r\n"), 400},
        {"chunk_size_huge", chunked("ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), 413},
        {"chunk_bare_lf", chunked("5\nhello\r\n0\r\n\r\n"), 400},
        {"chunk_longer_than_said", chunked("5\r\nhelloX\r\n0\r\n\r\n"), 400},
        {"chunk_endless_extension", chunked("5;" + std::string(6000, 'a')), 400},
        {"endless_trailers", chunked("0\r\nA: " + std::string(20000, 'a')), 400},
        {"last_chunk_is_nonsense", chunked("0\x84\x84\x84\x84\x84"), 400},
        {"chunked_too_long", chunked("100001\r\n"), 413},
    }),
    [](const auto& tested) { return tested.param.name; });

TEST(RequestParser, PutsChunksTogether) {
  const std::string text = chunked("5\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n");
  for (std::size_t piece = 1; piece < 12; ++piece) {
    auto parsed = parse(text, piece);
    ASSERT_EQ(parsed.step, Step::Done) << piece;
    EXPECT_EQ(parsed.request().body(), "hello world") << piece;
    EXPECT_EQ(parsed.request().header("X"), "") << "a trailer is no header";
  }
}

TEST(RequestParser, AbsoluteFormReplacesTheHost) {
  auto parsed = parse(line("GET HTTP://Other:81/p?q=1 HTTP/1.1"));
  ASSERT_EQ(parsed.step, Step::Done);
  EXPECT_EQ(parsed.request().host(), "Other:81");
  EXPECT_EQ(parsed.request().target(), "/p?q=1");
  EXPECT_EQ(parsed.request().path(), "/p");
}

TEST(RequestParser, TakesAGoodRequestIdAndMakesOneOtherwise) {
  auto given = parse(line("GET / HTTP/1.1", "Host: x\r\nX-Request-Id: aZ.9_-\r\n"));
  EXPECT_EQ(given.request().request_id(), "aZ.9_-");
  for (const std::string& bad : std::vector<std::string>{"a b", std::string(65, 'a'), "ä"}) {
    auto made = parse(line("GET / HTTP/1.1", "Host: x\r\nX-Request-Id: " + bad + "\r\n"));
    EXPECT_TRUE(base::parse_uuid(made.request().request_id())) << made.request().request_id();
  }
}

TEST(RequestParser, ContinuesATraceAndIgnoresABadOne) {
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  auto continued =
      parse(line("GET / HTTP/1.1", "Host: x\r\ntraceparent: " + good + "\r\ntracestate: a=b\r\n"));
  EXPECT_TRUE(continued.request().trace().continued);
  EXPECT_EQ(continued.request().trace().trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(continued.request().tracestate(), "a=b");
  auto twice = parse(line("GET / HTTP/1.1",
                          "Host: x\r\ntraceparent: " + good + "\r\ntraceparent: " + good + "\r\n"));
  EXPECT_FALSE(twice.request().trace().continued);
  auto bad = parse(line("GET / HTTP/1.1", "Host: x\r\ntraceparent: 00-zz\r\ntracestate: a=b\r\n"));
  EXPECT_EQ(bad.step, Step::Done);
  EXPECT_FALSE(bad.request().trace().continued);
  EXPECT_EQ(bad.request().tracestate(), "");
}

TEST(RequestParser, KeepAliveFollowsVersionAndHeader) {
  const auto keeps = [](const std::string& version, const std::string& header) {
    return parse(line("GET / HTTP/" + version, "Host: x\r\n" + header)).request().keep_alive();
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_FALSE(keeps("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("1.1", "Connection: foo, CLOSE\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: keep-alive\r\n"));
}

TEST(RequestParser, LeavesWhatFollowsTheRequest) {
  static const Limits limits;
  base::SystemIdSource ids;
  RequestParser parser(limits);
  const std::string text = line("GET /1 HTTP/1.1") + line("GET /2 HTTP/1.1");
  std::size_t taken = 0;
  ASSERT_EQ(parser.take_head(text, taken, ids), Step::Done);
  EXPECT_EQ(taken, text.size() / 2);
  parser.reset();
  ASSERT_EQ(parser.take_head(std::string_view(text).substr(taken), taken, ids), Step::Done);
  EXPECT_EQ(parser.request().path(), "/2");
}

// A cheap fuzz: mutated requests, cut at random, must end in an answer, never in an abort.
TEST(RequestParser, SurvivesMutations) {
  const std::vector<std::string> seeds = {
      chunked("5\r\nhello\r\n6;e=\"q\"\r\n world\r\n0\r\nT: v\r\n\r\n"),
      with("Content-Length: 5\r\nExpect: 100-continue\r\n", "hello"),
      line("GET http://h:1/%41?a=%20&b HTTP/1.1", "Host: x\r\nConnection: close, te\r\n")};
  std::uint64_t state = 20240229;
  const auto random = [&](std::size_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>((state >> 33U) % below);
  };
  std::array<std::size_t, 3> ends{};  // by Step
  for (int i = 0; i < 200000; ++i) {
    std::string text = seeds[random(seeds.size())];
    for (std::size_t edits = 1 + random(3); edits > 0; --edits) {
      const std::size_t at = random(text.size());
      switch (random(4)) {
        case 0:
          text[at] = static_cast<char>(random(256));
          break;
        case 1:
          text.erase(at, 1 + random(4));
          break;
        case 2:
          text.insert(at, text.substr(random(text.size()), random(12)));
          break;
        default:
          text.insert(at, 1, "\r\n \t:;,0f\0"[random(10)]);
          break;
      }
      if (text.empty()) text = "G";
    }
    ++ends[static_cast<std::size_t>(parse(text, 1 + random(40)).step)];
  }
  for (const std::size_t times : ends) EXPECT_GT(times, 2000U) << "the mutations do not reach far";
}

}  // namespace
}  // namespace slipway::api
