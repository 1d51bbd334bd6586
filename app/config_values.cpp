#include "app/config_values.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace slipway::app {
namespace {

using base::Errc;
using base::fail;

struct SizeUnit {
  std::string_view name;
  unsigned shift;
};
constexpr std::array<SizeUnit, 4> kSizeUnits{{{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};

struct TimeUnit {
  std::string_view name;
  std::int64_t us;
};
constexpr std::array<TimeUnit, 5> kTimeUnits{
    {{"h", 3'600'000'000}, {"m", 60'000'000}, {"s", 1'000'000}, {"ms", 1000}, {"us", 1}}};

template <class N>
bool read_number(std::string_view text, N& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

TextList split(std::string_view text) {
  TextList items;
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto item = text.substr(0, comma);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (!item.empty()) items.emplace_back(item);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return items;
}

struct Parse {
  std::string_view text;

  bool operator()(bool* out) const {
    if (text != "true" && text != "false") return false;
    *out = text == "true";
    return true;
  }
  bool operator()(std::uint64_t* out) const { return read_number(text, *out); }
  bool operator()(double* out) const { return read_number(text, *out) && *out == *out; }
  bool operator()(base::Duration* out) const {
    const auto d = base::parse_duration(text);
    if (d) *out = *d;
    return d.has_value();
  }
  bool operator()(ByteSize* out) const {
    const auto size = parse_size(text);
    if (size) *out = *size;
    return size.has_value();
  }
  bool operator()(std::string* out) const {
    *out = text;
    return true;
  }
  bool operator()(SecretFile* out) const {
    out->path = text;
    return true;
  }
  bool operator()(TextList* out) const {
    *out = split(text);
    return true;
  }
};

struct Format {
  std::string operator()(const bool* v) const { return *v ? "true" : "false"; }
  std::string operator()(const std::uint64_t* v) const { return std::to_string(*v); }
  std::string operator()(const double* v) const { return fmt::format("{}", *v); }
  std::string operator()(const base::Duration* v) const { return format_duration(*v); }
  std::string operator()(const ByteSize* v) const { return format_size(*v); }
  std::string operator()(const std::string* v) const { return *v; }
  std::string operator()(const SecretFile* v) const { return v->path; }
  std::string operator()(const TextList* v) const { return fmt::format("{}", fmt::join(*v, ",")); }
};

}  // namespace

std::string_view type_name(const ValueRef& ref) {
  static constexpr std::array<std::string_view, std::variant_size_v<ValueRef>> names{
      "true or false",
      "a whole number",
      "a number",
      "a duration such as \"30s\" (us, ms, s, m, h, d; a bare number is seconds)",
      "a size such as \"64MiB\" (KiB, MiB, GiB, TiB; a bare number is bytes)",
      "a text",
      "the path of a file",
      "a list of texts"};
  return names[ref.index()];
}

base::Status parse_value(std::string_view text, const ValueRef& into) {
  if (std::visit(Parse{text}, into)) return {};
  return fail(Errc::InvalidArgument, fmt::format("expected {}", type_name(into)));
}

std::string format_value(const ValueRef& ref) { return std::visit(Format{}, ref); }

std::string format_toml(const ValueRef& ref) {
  if (const auto* list = std::get_if<TextList*>(&ref)) {
    std::string out;
    for (const auto& item : **list) out += (out.empty() ? "" : ", ") + quoted(item);
    return '[' + out + ']';
  }
  if (std::holds_alternative<bool*>(ref) || std::holds_alternative<std::uint64_t*>(ref) ||
      std::holds_alternative<double*>(ref)) {
    return format_value(ref);
  }
  return quoted(format_value(ref));
}

base::Result<ByteSize> parse_size(std::string_view text) {
  unsigned shift = 0;
  for (const auto& unit : kSizeUnits) {
    if (!text.ends_with(unit.name)) continue;
    text.remove_suffix(unit.name.size());
    shift = unit.shift;
    break;
  }
  std::uint64_t number = 0;
  if (!read_number(text, number) || number > (UINT64_MAX >> shift)) {
    return fail(Errc::InvalidArgument, "expected a size such as \"64MiB\"");
  }
  return ByteSize{number << shift};
}

std::string format_size(ByteSize size) {
  for (const auto& unit : kSizeUnits) {
    const auto rest = size.bytes & ((std::uint64_t{1} << unit.shift) - 1);
    if (size.bytes > 0 && rest == 0)
      return fmt::format("{}{}", size.bytes >> unit.shift, unit.name);
  }
  return std::to_string(size.bytes);
}

std::string format_duration(base::Duration d) {
  for (const auto& unit : kTimeUnits) {
    if (d.count() > 0 && d.count() % unit.us == 0) {
      return fmt::format("{}{}", d.count() / unit.us, unit.name);
    }
  }
  return "0s";
}

}  // namespace slipway::app
