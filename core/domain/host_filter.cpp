#include "core/domain/host_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace slipway::domain {
namespace {

constexpr int kMaxDepth = 16;

std::optional<double> number_of(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end || text.empty()) return std::nullopt;
  return value;
}

// Clients write numbers with and without quotes.
std::optional<std::string> scalar(base::JsonValue json) {
  if (const auto text = json.string()) return std::string(*text);
  switch (json.type()) {
    case base::JsonType::Bool:
    case base::JsonType::Int:
    case base::JsonType::Uint:
    case base::JsonType::Double:
      return json.minified();
    default:
      return std::nullopt;
  }
}

template <class T>
bool holds(int op, const T& a, const T& b) {
  switch (op) {
    case 0:
      return a == b;
    case 1:
      return a != b;
    case 2:
      return a < b;
    case 3:
      return a > b;
    case 4:
      return a <= b;
    default:
      return a >= b;
  }
}

}  // namespace

base::Result<HostFilter> HostFilter::parse(std::string_view text) {
  HostFilter filter;
  if (text.empty()) return filter;
  base::JsonParser parser;
  const auto json = parser.parse(text);
  Node root;
  // "[]" is what some clients send for no filter.
  if (json && json->is_array() && json->size() == 0) return filter;
  if (!json || !read(*json, root, 0)) {
    return base::fail(base::Errc::InvalidArgument, fmt::format("Malformed requirements {}", text));
  }
  filter.root_ = std::move(root);
  return filter;
}

std::optional<HostFilter::Operator> HostFilter::operator_of(std::string_view word) {
  using enum Operator;
  static constexpr std::array<std::pair<std::string_view, Operator>, 12> kWords = {
      {{"==", Equal},
       {"=", Equal},
       {"!=", NotEqual},
       {"<", Less},
       {">", Greater},
       {"<=", AtMost},
       {">=", AtLeast},
       {"in", In},
       {"and", And},
       {"or", Or},
       {"not", Not},
       {"!", Not}}};
  const auto found =
      std::find_if(kWords.begin(), kWords.end(), [&](const auto& w) { return w.first == word; });
  if (found == kWords.end()) return std::nullopt;
  return found->second;
}

bool HostFilter::read(base::JsonValue json, Node& out, int depth) {
  if (!json.is_array() || depth > kMaxDepth) return false;
  base::JsonArrayIterator it(json);
  if (!it) return false;
  const auto op = operator_of(it.value().string().value_or(""));
  if (!op) return false;
  out.op = *op;
  ++it;
  if (*op == Operator::And || *op == Operator::Or || *op == Operator::Not) {
    for (; it; ++it) {
      if (!read(it.value(), out.parts.emplace_back(), depth + 1)) return false;
    }
    return *op == Operator::Not ? out.parts.size() == 1 : !out.parts.empty();
  }
  const auto property = it ? it.value().string().value_or("") : std::string_view();
  if (property.size() < 2 || property.front() != '$') return false;
  out.property = property.substr(1);
  ++it;
  return read_values(it, out);
}

bool HostFilter::read_values(base::JsonArrayIterator it, Node& out) {
  for (; it; ++it) {
    if (out.op == Operator::In && it.value().is_array()) {
      if (!read_values(base::JsonArrayIterator(it.value()), out)) return false;
      continue;
    }
    auto value = scalar(it.value());
    if (!value) return false;
    out.values.push_back(std::move(*value));
  }
  return out.op == Operator::In ? !out.values.empty() : out.values.size() == 1;
}

bool HostFilter::matches(const Node& node, const Lookup& lookup) {
  const auto holds_here = [&](const Node& part) { return matches(part, lookup); };
  switch (node.op) {
    case Operator::And:
      return std::all_of(node.parts.begin(), node.parts.end(), holds_here);
    case Operator::Or:
      return std::any_of(node.parts.begin(), node.parts.end(), holds_here);
    case Operator::Not:
      return !holds_here(node.parts.front());
    default:
      break;
  }
  const auto has = lookup(node.property);
  if (!has) return false;
  const Operator op = node.op == Operator::In ? Operator::Equal : node.op;
  return std::any_of(node.values.begin(), node.values.end(),
                     [&](const std::string& wanted) { return compare(op, *has, wanted); });
}

bool HostFilter::compare(Operator op, const std::string& has, const std::string& wanted) {
  const auto a = number_of(has);
  const auto b = number_of(wanted);
  if (a && b) return holds(static_cast<int>(op), *a, *b);
  return holds(static_cast<int>(op), has, wanted);
}

bool HostFilter::mentions(const Node& node, std::string_view property) {
  return node.property == property ||
         std::any_of(node.parts.begin(), node.parts.end(),
                     [&](const Node& part) { return mentions(part, property); });
}

}  // namespace slipway::domain
