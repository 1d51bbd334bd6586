#include "app/cli/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

namespace slipway::app::cli {
namespace {

std::string key_of(const std::string& option) {
  auto key = option.substr(2);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

JsonOutcome pairs(const std::vector<std::string>& given, bool as_text) {
  auto out = Json::object();
  for (const auto& pair : given) {
    const auto equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos)
      return tl::unexpected(usage_failure("'" + pair + "' is not of the form NAME=VALUE"));
    const auto text = pair.substr(equals + 1);
    const auto json = as_text ? Json(text) : Json::parse(text, nullptr, false);
    out[pair.substr(0, equals)] = json.is_discarded() ? Json(text) : json;
  }
  return out;
}

std::optional<std::int64_t> number_of(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

tl::expected<void, Failure> add_number(const Values& values, const std::string& option,
                                       Json& body) {
  if (!values.has(option)) return {};
  const auto number = number_of(values.get(option));
  if (!number) return tl::unexpected(usage_failure(option + " is not a whole number"));
  body[key_of(option)] = *number;
  return {};
}

}  // namespace

JsonOutcome pairs_to_json(const std::vector<std::string>& given) { return pairs(given, false); }
JsonOutcome labels_to_json(const std::vector<std::string>& given) { return pairs(given, true); }

tl::expected<std::string, Failure> text_of(Session& session, const std::string& given) {
  using Chars = std::istreambuf_iterator<char>;
  if (given == "-") return std::string(Chars(session.io.in), Chars());
  if (!given.starts_with('@')) return given;
  std::ifstream file(given.substr(1), std::ios::binary);
  if (!file) return tl::unexpected(usage_failure("cannot read " + given.substr(1)));
  return std::string(Chars(file), Chars());
}

JsonOutcome json_of(Session& session, const std::string& given) {
  const auto text = text_of(session, given);
  if (!text) return tl::unexpected(text.error());
  try {
    return Json::parse(*text);
  } catch (const Json::parse_error& error) {
    return tl::unexpected(usage_failure(fmt::format(
        "{} is not JSON (byte {})", given.starts_with('@') ? given.substr(1) : given, error.byte)));
  }
}

tl::expected<std::string, Failure> time_of(Session& session, const std::string& option) {
  const auto text = session.values.get(option);
  if (base::parse_rfc3339(text)) return text;
  if (const auto duration = base::parse_duration(text))
    return base::rfc3339(session.io.clock.now() + *duration);
  return tl::unexpected(usage_failure(
      option + " takes a time such as 2026-03-01T08:00:00Z, or a duration from now such as 10m"));
}

std::vector<Option> envelope_options() {
  return {{"--priority", "", "N", "0 (last) to 9 (first); 5 if not given"},
          {"--not-before", "", "TIME", "Start no earlier; a time, or a duration from now"},
          {"--deadline", "", "TIME", "Give up then; a time, or a duration from now"},
          {"--depends-on", "", "TASK", "Start only after that task succeeded", {}, "", true}};
}

tl::expected<void, Failure> add_envelope(Session& session, Json& body) {
  const auto& values = session.values;
  if (auto added = add_number(values, "--priority", body); !added) return added;
  for (const char* option : {"--not-before", "--deadline"}) {
    if (!values.has(option)) continue;
    const auto time = time_of(session, option);
    if (!time) return tl::unexpected(time.error());
    body[key_of(option)] = *time;
  }
  if (values.has("--depends-on")) body["depends_on"] = values.all("--depends-on");
  if (values.has("--dry-run")) body["dry_run"] = true;
  return {};
}

Query filters(const Values& values, const std::vector<std::string>& names) {
  Query out;
  for (const auto& name : names)
    for (const auto& value : values.all(name)) out.emplace_back(key_of(name), value);
  for (const auto& label : values.all("--label")) {
    const auto equals = label.find('=');
    if (equals != std::string::npos)
      out.emplace_back("label." + label.substr(0, equals), label.substr(equals + 1));
  }
  return out;
}

void add_text(const Values& values, const std::string& option, Json& body) {
  if (values.has(option)) body[key_of(option)] = values.get(option);
}

tl::expected<void, Failure> add_size(Session& session, Json& body) {
  auto size = Json::object();
  for (const char* option : {"--vcpus", "--memory-mb", "--disk-gb"})
    if (auto added = add_number(session.values, option, size); !added) return added;
  if (!size.empty()) body["size"] = size;
  return {};
}

}  // namespace slipway::app::cli
