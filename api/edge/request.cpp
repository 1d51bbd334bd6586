#include "api/edge/request.hpp"

#include <algorithm>
#include <array>

namespace slipway::api {
namespace {

constexpr std::array<std::string_view, kMethods> kNames = {"GET",   "HEAD",   "POST",    "PUT",
                                                           "PATCH", "DELETE", "OPTIONS", "OTHER"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

std::string_view method_name(Method method) { return kNames[static_cast<std::size_t>(method)]; }

Method method_from(std::string_view text) {
  for (std::size_t i = 0; i + 1 < kNames.size(); ++i) {
    if (kNames[i] == text) return static_cast<Method>(i);
  }
  return Method::Other;
}

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  for (const QueryParam& param : query_) {
    if (param.name == name) return param.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::find_header(std::string_view name) const {
  for (const Header& header : headers_) {
    if (iequals(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::string_view Request::header(std::string_view name) const {
  return find_header(name).value_or(std::string_view());
}

std::vector<std::string_view> Request::header_values(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Header& header : headers_) {
    if (iequals(header.name, name)) values.push_back(header.value);
  }
  return values;
}

}  // namespace slipway::api
