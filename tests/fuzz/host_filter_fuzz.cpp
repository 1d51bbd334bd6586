// What a reservation asks of its hosts: parsed or refused with words, and what was parsed decides
// on any host; its negation decides otherwise.
#include <fmt/format.h>

#include "core/domain/host_filter.hpp"
#include "target.hpp"

namespace {

using slipway::domain::HostFilter;
using slipway::fuzz::must;

std::optional<std::string> property(std::string_view name) {
  if (name == "vcpus") return "8";
  if (name == "ratio") return "1e3";
  if (name == "colour") return "red";
  if (name == "empty") return "";
  return std::nullopt;
}

}  // namespace

SLIPWAY_FUZZ_TARGET(host_filter) {
  const auto filter = HostFilter::parse(bytes);
  if (!filter) return must(!filter.error().message.empty(), "refused without a word");
  const bool matches = filter->matches(property);
  // A filter that looks at a property says that it does.
  std::string looked_at;
  (void)filter->matches([&](std::string_view name) {
    looked_at = name;
    return property(name);
  });
  must(looked_at.empty() || filter->mentions(looked_at), "looks at what it does not mention");
  if (bytes.find_first_not_of(" \t\r\n") == std::string_view::npos) return;
  const auto negated = HostFilter::parse(fmt::format(R"(["not", {}])", bytes));
  if (negated) must(negated->matches(property) != matches, "both a filter and its negation hold");
}
