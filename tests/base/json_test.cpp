#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "core/base/fields.hpp"

namespace slipway::base {
namespace {

enum class Colour { Red, Green };
constexpr std::array<std::string_view, 2> enum_names(Colour) { return {"red", "green"}; }

struct Inner {
  std::string name;
  std::optional<int> count;
  bool operator==(const Inner&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("name", s.name);
    v("count", s.count);
  }
};

struct Outer {
  std::uint64_t big = 0;
  Colour colour = Colour::Red;
  std::vector<Inner> inners;
  std::map<std::string, std::string> labels;
  Time at{};
  RawJson args;
  Uuid id;
  bool operator==(const Outer&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("big", s.big);
    v("colour", s.colour);
    v("inners", s.inners);
    v("labels", s.labels);
    v("at", s.at);
    v("args", s.args);
    v("id", s.id);
  }
};

Outer sample() {
  Outer o;
  o.big = 0xFFFFFFFFFFFFFFFFULL;
  o.colour = Colour::Green;
  o.inners = {{"a\"b", 7}, {"", std::nullopt}};
  o.labels = {{"team", "web"}};
  o.at = *parse_rfc3339("2026-02-18T18:37:46.000123Z");
  o.args.text = R"({"x":[1,2,{"y":null}]})";
  o.id = *parse_uuid("0197a265-a479-7b40-8203-bc9f7c3a6b7a");
  return o;
}

std::string to_json(const Outer& o) {
  JsonWriter w;
  write_json(w, o);
  return w.text();
}

TEST(Fields, JsonRoundTrips) {
  const Outer before = sample();
  JsonParser parser;
  auto json = parser.parse(to_json(before));
  ASSERT_TRUE(json) << to_json(before);
  Outer after;
  ASSERT_TRUE(read_json(*json, after));
  EXPECT_EQ(after, before);
}

TEST(Fields, MembersInAnyOrderAndUnknownOnesAreRead) {
  JsonParser parser;
  auto json = parser.parse(R"({"labels":{},"new":[1],"colour":"green","big":3})");
  ASSERT_TRUE(json);
  Outer o;
  ASSERT_TRUE(read_json(*json, o));
  EXPECT_EQ(o.big, 3U);
  EXPECT_EQ(o.colour, Colour::Green);
}

TEST(Fields, AWrongTypeIsRefused) {
  JsonParser parser;
  for (const char* text : {R"({"big":-1})", R"({"big":1.0})", R"({"colour":"blue"})",
                           R"({"inners":{}})", R"({"at":"yesterday"})", R"({"id":"x"})", "[]"}) {
    auto json = parser.parse(text);
    ASSERT_TRUE(json) << text;
    Outer o;
    EXPECT_FALSE(read_json(*json, o)) << text;
  }
}

TEST(Fields, BinaryRoundTripsAndATruncatedOneIsNotOk) {
  const Outer before = sample();
  std::string bytes;
  BinaryWriter(bytes).put(before);
  Outer after;
  BinaryReader reader(bytes);
  reader.get(after);
  ASSERT_TRUE(reader.ok() && reader.at_end());
  EXPECT_EQ(after, before);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    BinaryReader cut(std::string_view(bytes).substr(0, n));
    Outer ignored;
    cut.get(ignored);
    EXPECT_FALSE(cut.ok()) << n;
  }
}

TEST(JsonParser, G8_RefusesWhatTheContractNames) {
  const std::string deep = std::string(33, '[') + std::string(33, ']');
  const std::vector<std::pair<std::string, Errc>> cases = {
      {"", Errc::MalformedJson},
      {"{", Errc::MalformedJson},
      {"{} {}", Errc::MalformedJson},
      {R"({"a":1,"a":2})", Errc::MalformedJson},
      {R"({"a":{"b":1,"b":1}})", Errc::MalformedJson},
      {"\"\\u0000\"", Errc::MalformedJson},
      {"\"\xFF\"", Errc::MalformedJson},
      {"\"\\ud800\"", Errc::MalformedJson},
      {"\xEF\xBB\xBF{}", Errc::MalformedJson},
      {"[NaN]", Errc::MalformedJson},
      {"[1e400]", Errc::InvalidArgument},
      {"[18446744073709551616]", Errc::InvalidArgument},
      {deep, Errc::InvalidArgument},
      {"\"" + std::string(65537, 'a') + "\"", Errc::InvalidArgument},
  };
  JsonParser parser;
  for (const auto& [text, code] : cases) {
    auto json = parser.parse(text);
    ASSERT_FALSE(json) << text.substr(0, 80);
    EXPECT_EQ(json.error().code, code) << text.substr(0, 80) << ": " << json.error().message;
  }
}

TEST(JsonParser, G8_CountsElementsAndKeys) {
  JsonParser parser;
  std::string array = "[0";
  for (int i = 1; i < 10000; ++i) array += ",0";
  EXPECT_TRUE(parser.parse(array + "]"));
  EXPECT_FALSE(parser.parse(array + ",0]"));
  std::string object = "{\"k\":0";
  for (int i = 1; i < 1024; ++i) object += ",\"k" + std::to_string(i) + "\":0";
  EXPECT_TRUE(parser.parse(object + "}"));
  EXPECT_FALSE(parser.parse(object + ",\"z\":0}"));
}

TEST(JsonWriter, EscapesAndIsReusable) {
  JsonWriter w;
  w.begin_object().member("a", "\x01\"\\/").member("n", -5).member("u", ~0ULL).end_object();
  EXPECT_EQ(w.view(), R"({"a":"\u0001\"\\/","n":-5,"u":18446744073709551615})");
  w.clear();
  w.begin_array().value(1.5).null().value(true).end_array();
  EXPECT_EQ(w.view(), "[1.5,null,true]");
}

TEST(JsonWriter, EscapesEachByteAtEachPlace) {
  const auto escaped = [](char c) -> std::string {
    static const std::map<char, std::string> kShort{{'"', "\\\""}, {'\\', "\\\\"}, {'\b', "\\b"},
                                                    {'\f', "\\f"}, {'\n', "\\n"},  {'\r', "\\r"},
                                                    {'\t', "\\t"}};
    if (const auto it = kShort.find(c); it != kShort.end()) return it->second;
    return c < 0x20 ? fmt::format("\\u{:04X}", static_cast<int>(c)) : std::string(1, c);
  };
  for (std::size_t size = 1; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 128; ++c) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(c);
        std::string wanted(size - 1, 'x');
        wanted.insert(at, escaped(text[at]));
        JsonWriter w;
        w.begin_object().member(text, text).end_object();
        ASSERT_EQ(w.view(), "{\"" + wanted + "\":\"" + wanted + "\"}")
            << size << ' ' << at << ' ' << c;
      }
    }
  }
}

TEST(JsonWriter, CopiesTextBeyondAscii) {
  for (const char* text :
       {"", "\u00e9", "na\u00efve caf\u00e9s, \u65e5\u672c\u8a9e", "\U0001F600\"\U0001F600"}) {
    JsonWriter w;
    w.begin_object().member("text", text).end_object();
    JsonParser parser;
    const auto json = parser.parse(w.text());
    ASSERT_TRUE(json) << w.view();
    EXPECT_EQ(json->find("text")->string(), text);
  }
}

}  // namespace
}  // namespace slipway::base
