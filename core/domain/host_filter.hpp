#pragma once
// What a reservation asks of its hosts, as JSON text:
//
//   ["==", "$vcpus", "8"]            also = != < > <= >=
//   ["in", "$colour", "red", "blue"]
//   ["and", f, f, ...]  ["or", f, f, ...]  ["not", f]
//
// Empty text asks for nothing. Two values that both read as numbers are compared as numbers, others
// as text. A host without the property matches no comparison. Parsed once, evaluated for each host.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json_read.hpp"

namespace slipway::domain {

class HostFilter {
 public:
  // InvalidArgument with the text that clients know: "Malformed requirements ...".
  static base::Result<HostFilter> parse(std::string_view text);

  using Lookup = std::function<std::optional<std::string>(std::string_view property)>;
  bool matches(const Lookup& lookup) const { return !root_ || matches(*root_, lookup); }
  // Whether it asks for that property at all.
  bool mentions(std::string_view property) const { return root_ && mentions(*root_, property); }

 private:
  enum class Operator : std::uint8_t {
    Equal,
    NotEqual,
    Less,
    Greater,
    AtMost,
    AtLeast,
    In,
    And,
    Or,
    Not
  };
  struct Node {
    Operator op = Operator::And;
    std::string property;
    std::vector<std::string> values;
    std::vector<Node> parts;
  };
  static std::optional<Operator> operator_of(std::string_view word);
  static bool read(base::JsonValue json, Node& out, int depth);
  static bool read_values(base::JsonArrayIterator it, Node& out);
  static bool matches(const Node& node, const Lookup& lookup);
  static bool compare(Operator op, const std::string& has, const std::string& wanted);
  static bool mentions(const Node& node, std::string_view property);

  std::optional<Node> root_;
};

}  // namespace slipway::domain
