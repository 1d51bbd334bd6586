// Expressions. From the weakest to the strongest:
//
//   OR ||   XOR   AND &&   NOT   = != < > <= >= [NOT] BETWEEN IN LIKE REGEXP, IS [NOT] NULL
//   |   &   << >>   + -   * / div % mod   ^   - + ~ !
#include <fmt/format.h>

#include <array>
#include <span>

#include "eventstore/sql/token_stream.hpp"

namespace slipway::eventstore::sql {
namespace {

struct InfixOp {
  std::string_view symbol;
  Op op;
};

ExprPtr make(ExprKind kind, const Place& place) {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->place = place;
  return expr;
}

class ExpressionParser {
 public:
  explicit ExpressionParser(TokenStream& in) : in_(in) {}

  ExprPtr expression() {
    const TokenStream::Level level(in_);
    const Place begin = in_.peek().place;
    ExprPtr expr = any_of();
    if (expr != nullptr) expr->text = in_.written_since(begin);
    return in_.failed() ? nullptr : std::move(expr);
  }

 private:
  // ---- OR, XOR, AND: chains of any length are one node, so they nest no deeper ----

  template <class Operand>
  ExprPtr chain(Op op, std::string_view word, std::string_view symbol, Operand operand) {
    ExprPtr first = operand();
    if (first == nullptr || !(in_.is_word(word) || in_.is_symbol(symbol))) return first;
    ExprPtr all = make(ExprKind::Infix, first->place);
    all->op = op;
    all->args.push_back(std::move(first));
    while (in_.take_word(word) || in_.take_symbol(symbol)) {
      ExprPtr more = operand();
      if (more == nullptr) return nullptr;
      all->args.push_back(std::move(more));
    }
    return all;
  }
  ExprPtr any_of() {
    return chain(Op::Or, "or", "||", [this] { return either(); });
  }
  ExprPtr either() {
    ExprPtr left = all_of();
    while (left != nullptr && in_.take_word("xor")) left = join(Op::Xor, std::move(left), all_of());
    return left;
  }
  ExprPtr all_of() {
    return chain(Op::And, "and", "&&", [this] { return negation(); });
  }
  ExprPtr negation() {
    const Place place = in_.peek().place;
    if (!in_.take_word("not")) return predicate();
    const TokenStream::Level level(in_);
    return prefix(Op::Not, place, negation());
  }

  static ExprPtr prefix(Op op, const Place& place, ExprPtr operand) {
    if (operand == nullptr) return nullptr;
    ExprPtr expr = make(ExprKind::Prefix, place);
    expr->op = op;
    expr->args.push_back(std::move(operand));
    return expr;
  }
  static ExprPtr join(Op op, ExprPtr left, ExprPtr right) {
    if (left == nullptr || right == nullptr) return nullptr;
    ExprPtr expr = make(ExprKind::Infix, left->place);
    expr->op = op;
    expr->args.push_back(std::move(left));
    expr->args.push_back(std::move(right));
    return expr;
  }

  // ---- predicates ----

  ExprPtr predicate() {
    ExprPtr left = arithmetic(0);
    while (left != nullptr) {
      ExprPtr more = predicate_on(left);
      if (more == nullptr) break;
      left = std::move(more);
    }
    return in_.failed() ? nullptr : std::move(left);
  }

  // Takes `left` if a predicate follows; else null.
  ExprPtr predicate_on(ExprPtr& left) {
    static constexpr std::array<InfixOp, 7> kComparisons = {{{"=", Op::Equal},
                                                             {"!=", Op::Unequal},
                                                             {"<>", Op::Unequal},
                                                             {"<", Op::Less},
                                                             {"<=", Op::LessEqual},
                                                             {">", Op::Greater},
                                                             {">=", Op::GreaterEqual}}};
    for (const InfixOp& c : kComparisons) {
      if (in_.take_symbol(c.symbol)) return join(c.op, std::move(left), arithmetic(0));
    }
    if (in_.take_word("is")) return is_null(std::move(left));
    const bool negated = in_.is_word("not") && (in_.is_word("between", 1) || in_.is_word("in", 1) ||
                                                in_.is_word("like", 1) || in_.is_word("regexp", 1));
    if (negated) in_.next();
    ExprPtr out;
    if (in_.take_word("between")) {
      out = between(std::move(left));
    } else if (in_.take_word("in")) {
      out = in_list(std::move(left));
    } else if (in_.take_word("like")) {
      out = match(Op::Like, std::move(left));
    } else if (in_.take_word("regexp")) {
      out = match(Op::Regexp, std::move(left));
    }
    if (out != nullptr) out->negated = negated;
    return out;
  }

  ExprPtr is_null(ExprPtr operand) {
    ExprPtr expr = make(ExprKind::IsNull, operand->place);
    expr->negated = in_.take_word("not");
    in_.expect_word("null");
    expr->args.push_back(std::move(operand));
    return expr;
  }
  ExprPtr between(ExprPtr operand) {
    ExprPtr expr = make(ExprKind::Between, operand->place);
    expr->args.push_back(std::move(operand));
    expr->args.push_back(arithmetic(0));
    in_.expect_word("and");
    expr->args.push_back(arithmetic(0));
    return in_.failed() ? nullptr : std::move(expr);
  }
  ExprPtr in_list(ExprPtr operand) {
    ExprPtr expr = make(ExprKind::In, operand->place);
    expr->args.push_back(std::move(operand));
    in_.expect_symbol("(");
    if (in_.is_word("select")) {
      in_.fail(in_.peek().place, "there are no subqueries in this language");
    }
    arguments(*expr);
    return in_.failed() ? nullptr : std::move(expr);
  }
  ExprPtr match(Op op, ExprPtr operand) {
    ExprPtr expr = make(ExprKind::Match, operand->place);
    expr->op = op;
    expr->args.push_back(std::move(operand));
    expr->args.push_back(arithmetic(0));
    return in_.failed() ? nullptr : std::move(expr);
  }
  // "a, b, c)"
  void arguments(Expr& expr) {
    do {
      ExprPtr item = expression();
      if (item == nullptr) return;
      expr.args.push_back(std::move(item));
    } while (in_.take_symbol(","));
    in_.expect_symbol(")");
  }

  // ---- arithmetic: a table of levels, each left to right ----

  static std::span<const InfixOp> level_ops(std::size_t level) {
    static constexpr InfixOp kOr[] = {{"|", Op::BitOr}};
    static constexpr InfixOp kAnd[] = {{"&", Op::BitAnd}};
    static constexpr InfixOp kShift[] = {{"<<", Op::ShiftLeft}, {">>", Op::ShiftRight}};
    static constexpr InfixOp kSum[] = {{"+", Op::Add}, {"-", Op::Subtract}};
    static constexpr InfixOp kProduct[] = {
        {"*", Op::Multiply}, {"/", Op::Divide}, {"div", Op::Div}, {"%", Op::Mod}, {"mod", Op::Mod}};
    static constexpr InfixOp kXor[] = {{"^", Op::BitXor}};
    static constexpr std::array<std::span<const InfixOp>, 6> kLevels = {kOr,  kAnd,     kShift,
                                                                        kSum, kProduct, kXor};
    return level < kLevels.size() ? kLevels[level] : std::span<const InfixOp>();
  }

  Op take_op(std::span<const InfixOp> ops) {
    for (const InfixOp& o : ops) {
      if (o.symbol == "div" || o.symbol == "mod" ? in_.take_word(o.symbol)
                                                 : in_.take_symbol(o.symbol)) {
        return o.op;
      }
    }
    return Op::None;
  }

  ExprPtr arithmetic(std::size_t level) {
    const auto ops = level_ops(level);
    if (ops.empty()) return sign();
    ExprPtr left = arithmetic(level + 1);
    while (left != nullptr) {
      const Op op = take_op(ops);
      if (op == Op::None) break;
      left = join(op, std::move(left), arithmetic(level + 1));
    }
    return left;
  }

  ExprPtr sign() {
    const Place place = in_.peek().place;
    Op op = Op::None;
    if (in_.take_symbol("-")) op = Op::Minus;
    if (op == Op::None && in_.take_symbol("~")) op = Op::BitNot;
    if (op == Op::None && in_.take_symbol("!")) op = Op::Not;
    const bool plus = op == Op::None && in_.take_symbol("+");
    if (op == Op::None && !plus) return primary();
    const TokenStream::Level level(in_);
    ExprPtr operand = sign();
    return plus ? std::move(operand) : prefix(op, place, std::move(operand));
  }

  // ---- what stands alone ----

  ExprPtr primary() {
    const Token& token = in_.peek();
    const Place place = token.place;
    switch (token.kind) {
      case TokenKind::Number:
        return literal(place, in_.next().number);
      case TokenKind::String:
        return literal(place, std::string(in_.next().text));
      case TokenKind::Placeholder:
        return literal(place, *in_.placeholders().find(in_.next()));
      case TokenKind::Word:
        return word(place);
      default:
        break;
    }
    if (!in_.take_symbol("(")) {
      in_.fail_here("a value");
      return nullptr;
    }
    if (in_.is_word("select")) in_.fail(place, "there are no subqueries in this language");
    ExprPtr inner = expression();
    in_.expect_symbol(")");
    return inner;
  }

  static ExprPtr literal(const Place& place, Value value) {
    ExprPtr expr = make(ExprKind::Literal, place);
    expr->value = std::move(value);
    return expr;
  }

  ExprPtr word(const Place& place) {
    if (in_.take_word("null")) return literal(place, {});
    // Two functions have the name of a keyword.
    const bool callable = in_.at_name() || in_.is_word("mod") || in_.is_word("join");
    if (callable && in_.is_symbol("(", 1)) return call(place);
    if (in_.is_word("select")) in_.fail(place, "there are no subqueries in this language");
    ExprPtr expr = make(ExprKind::Column, place);
    expr->name = in_.name("a value");
    if (in_.take_symbol(".")) {
      expr->table = std::move(expr->name);
      expr->name = in_.name("a column's name");
    }
    return in_.failed() ? nullptr : std::move(expr);
  }

  ExprPtr call(const Place& place) {
    ExprPtr expr = make(ExprKind::Call, place);
    expr->name = lower(in_.next().text);
    in_.expect_symbol("(");
    if (in_.take_symbol(")")) return expr;
    if (in_.is_symbol("*") && in_.is_symbol(")", 1)) {
      expr->args.push_back(make(ExprKind::All, in_.next().place));
      in_.next();
      return expr;
    }
    expr->distinct = in_.take_word("distinct");
    arguments(*expr);
    return in_.failed() ? nullptr : std::move(expr);
  }

  TokenStream& in_;
};

}  // namespace

ExprPtr parse_expression(TokenStream& in) { return ExpressionParser(in).expression(); }

}  // namespace slipway::eventstore::sql
