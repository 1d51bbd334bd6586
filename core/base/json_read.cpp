#include "core/base/json_read.hpp"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "core/base/check.hpp"

namespace slipway::base {
namespace {

namespace dom = simdjson::dom;

// An element is {const document*, size_t} inside; the layout is checked, so that the header needs
// no simdjson type and a JsonValue stays two words.
struct Words {
  const void* document;
  std::size_t index;
};
static_assert(sizeof(dom::element) == sizeof(Words));
static_assert(std::is_trivially_copyable_v<dom::element>);

dom::element element(const void* document, std::size_t index) {
  return std::bit_cast<dom::element>(Words{document, index});
}
Words words(const dom::element& e) { return std::bit_cast<Words>(e); }

template <class Iterator>
Words iterator_words(const Iterator& it) {
  static_assert(sizeof(Iterator) == sizeof(Words));
  return std::bit_cast<Words>(it);
}

Error over(std::string what) { return Error{Errc::InvalidArgument, std::move(what), {}}; }

// Everything the DOM lets through: limits, doubled keys, NUL characters.
class Checker {
 public:
  explicit Checker(const JsonLimits& limits) : limits_(limits) {}

  std::optional<Error> check(const dom::element& e) {
    switch (e.type()) {
      case dom::element_type::STRING:
        return check_string(e.get_string().value_unsafe());
      case dom::element_type::ARRAY:
        return check_array(e.get_array().value_unsafe());
      case dom::element_type::OBJECT:
        return check_object(e.get_object().value_unsafe());
      default:
        return std::nullopt;
    }
  }

 private:
  std::optional<Error> check_string(std::string_view text) const {
    if (text.size() > limits_.string_bytes) {
      return over(fmt::format("a string is longer than {} bytes", limits_.string_bytes));
    }
    if (text.find('\0') != std::string_view::npos) {
      return Error{Errc::MalformedJson, "a string holds a NUL character", {}};
    }
    return std::nullopt;
  }

  std::optional<Error> check_array(dom::array array) {
    std::size_t n = 0;
    for (dom::element e : array) {
      if (++n > limits_.elements_per_array) {
        return over(fmt::format("an array has more than {} elements", limits_.elements_per_array));
      }
      if (auto error = check(e)) return error;
    }
    return std::nullopt;
  }

  std::optional<Error> check_object(dom::object object) {
    const std::size_t first = keys_.size();
    for (const dom::key_value_pair member : object) {
      if (keys_.size() - first >= limits_.keys_per_object) {
        return over(fmt::format("an object has more than {} keys", limits_.keys_per_object));
      }
      if (auto error = check_string(member.key)) return error;
      keys_.push_back(member.key);
    }
    if (auto error = check_doubled(first)) return error;
    keys_.resize(first);
    for (const dom::key_value_pair member : object) {
      if (auto error = check(member.value)) return error;
    }
    return std::nullopt;
  }

  std::optional<Error> check_doubled(std::size_t first) {
    const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(first);
    if (keys_.end() - begin <= 12) {  // no sort for the usual request: few keys
      for (auto a = begin; a != keys_.end(); ++a) {
        if (std::find(a + 1, keys_.end(), *a) != keys_.end()) return doubled(*a);
      }
      return std::nullopt;
    }
    std::sort(begin, keys_.end());
    const auto twice = std::adjacent_find(begin, keys_.end());
    if (twice == keys_.end()) return std::nullopt;
    return doubled(*twice);
  }

  static Error doubled(std::string_view key) {
    return Error{Errc::MalformedJson,
                 fmt::format("key \"{}\" appears twice in one object", key.substr(0, 64)),
                 {}};
  }

  const JsonLimits& limits_;
  std::vector<std::string_view> keys_;
};

Error parse_error(simdjson::error_code code, const JsonLimits& limits) {
  switch (code) {
    case simdjson::DEPTH_ERROR:
      return over(fmt::format("nested deeper than {} levels", limits.depth));
    case simdjson::NUMBER_ERROR:
    case simdjson::NUMBER_OUT_OF_RANGE:
      return over("a number is malformed or out of range");
      return over("a number is malformed or out of range");
    case simdjson::UTF8_ERROR:
      return Error{Errc::MalformedJson, "the text is not UTF-8", {}};
    case simdjson::EMPTY:
      return Error{Errc::MalformedJson, "the text is empty", {}};
    case simdjson::CAPACITY:
      return over("the text is too large");
    default:
      return Error{Errc::MalformedJson, "the text is not JSON", {}};
  }
}

}  // namespace

JsonType JsonValue::type() const {
  if (document_ == nullptr) return JsonType::Null;
  switch (element(document_, index_).type()) {
    case dom::element_type::ARRAY:
      return JsonType::Array;
    case dom::element_type::OBJECT:
      return JsonType::Object;
    case dom::element_type::INT64:
      return JsonType::Int;
    case dom::element_type::UINT64:
      return JsonType::Uint;
    case dom::element_type::DOUBLE:
      return JsonType::Double;
    case dom::element_type::STRING:
      return JsonType::String;
    case dom::element_type::BOOL:
      return JsonType::Bool;
    case dom::element_type::NULL_VALUE:
      return JsonType::Null;
  }
  return JsonType::Null;
}

std::optional<std::string_view> JsonValue::string() const {
  std::string_view out;
  if (document_ == nullptr || element(document_, index_).get(out) != simdjson::SUCCESS) return {};
  return out;
}
std::optional<bool> JsonValue::boolean() const {
  bool out = false;
  if (document_ == nullptr || element(document_, index_).get(out) != simdjson::SUCCESS) return {};
  return out;
}
std::optional<std::int64_t> JsonValue::int64() const {
  std::int64_t out = 0;
  if (document_ == nullptr || element(document_, index_).get(out) != simdjson::SUCCESS) return {};
  return out;
}
std::optional<std::uint64_t> JsonValue::uint64() const {
  std::uint64_t out = 0;
  if (document_ == nullptr || element(document_, index_).get(out) != simdjson::SUCCESS) return {};
  return out;
}
std::optional<double> JsonValue::number() const {
  double out = 0;
  if (document_ == nullptr || element(document_, index_).get(out) != simdjson::SUCCESS) return {};
  return out;
}

std::optional<JsonValue> JsonValue::find(std::string_view name) const {
  for (JsonObjectIterator it(*this); it; ++it) {
    if (it.key() == name) return it.value();
  }
  return std::nullopt;
}

std::size_t JsonValue::size() const {
  if (document_ == nullptr) return 0;
  const dom::element e = element(document_, index_);
  if (e.is_array()) return e.get_array().value_unsafe().size();
  if (e.is_object()) return e.get_object().value_unsafe().size();
  return 0;
}

std::string JsonValue::minified() const {
  return document_ == nullptr ? "null" : simdjson::minify(element(document_, index_));
}

JsonObjectIterator::JsonObjectIterator(JsonValue object) {
  if (!object.is_object()) return;
  const dom::object o = element(object.document_, object.index_).get_object().value_unsafe();
  const Words begin = iterator_words(o.begin());
  document_ = begin.document;
  at_ = begin.index;
  end_ = iterator_words(o.end()).index;
}
JsonObjectIterator& JsonObjectIterator::operator++() {
  auto it = std::bit_cast<dom::object::iterator>(Words{document_, at_});
  at_ = iterator_words(++it).index;
  return *this;
}
std::string_view JsonObjectIterator::key() const {
  return std::bit_cast<dom::object::iterator>(Words{document_, at_}).key();
}
JsonValue JsonObjectIterator::value() const {
  const Words w = words(std::bit_cast<dom::object::iterator>(Words{document_, at_}).value());
  JsonValue v;
  v.document_ = w.document;
  v.index_ = w.index;
  return v;
}

JsonArrayIterator::JsonArrayIterator(JsonValue array) {
  if (!array.is_array()) return;
  const dom::array a = element(array.document_, array.index_).get_array().value_unsafe();
  const Words begin = iterator_words(a.begin());
  document_ = begin.document;
  at_ = begin.index;
  end_ = iterator_words(a.end()).index;
}
JsonArrayIterator& JsonArrayIterator::operator++() {
  auto it = std::bit_cast<dom::array::iterator>(Words{document_, at_});
  at_ = iterator_words(++it).index;
  return *this;
}
JsonValue JsonArrayIterator::value() const {
  const Words w = words(*std::bit_cast<dom::array::iterator>(Words{document_, at_}));
  JsonValue v;
  v.document_ = w.document;
  v.index_ = w.index;
  return v;
}

struct JsonParser::Impl {
  JsonLimits limits;
  dom::parser parser;
  std::vector<char> padded;
  std::size_t allocated = 0;

  Result<JsonValue> parse(std::string_view text) {
    if (text.size() > allocated) {
      const std::size_t capacity = std::max<std::size_t>(4096, std::bit_ceil(text.size()));
      if (parser.allocate(capacity, limits.depth) != simdjson::SUCCESS) {
        return fail(Errc::Internal, "no memory for a JSON parser");
      }
      padded.resize(capacity + simdjson::SIMDJSON_PADDING);
      allocated = capacity;
    }
    if (!text.empty()) std::copy(text.begin(), text.end(), padded.begin());
    dom::element root;
    const auto code =
        parser.parse(reinterpret_cast<const std::uint8_t*>(padded.data()), text.size(), false)
            .get(root);
    if (code != simdjson::SUCCESS) return fail(parse_error(code, limits));
    JsonValue v;
    const Words w = words(root);
    v.document_ = w.document;
    v.index_ = w.index;
    return v;
  }
};

JsonParser::JsonParser(JsonLimits limits) : impl_(std::make_unique<Impl>()) {
  impl_->limits = limits;
}
JsonParser::~JsonParser() = default;
JsonParser::JsonParser(JsonParser&&) noexcept = default;
JsonParser& JsonParser::operator=(JsonParser&&) noexcept = default;

Result<JsonValue> JsonParser::parse(std::string_view text) {
  auto value = impl_->parse(text);
  if (!value) return value;
  if (auto error = Checker(impl_->limits).check(element(value->document_, value->index_))) {
    return fail(std::move(*error));
  }
  return value;
}

Result<JsonValue> JsonParser::parse_trusted(std::string_view text) { return impl_->parse(text); }

}  // namespace slipway::base
