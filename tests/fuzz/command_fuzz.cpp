// Bodies of commands as clients send them, as a whole and as the arguments of each kind of command.
#include "api/core_api/parse_command.hpp"
#include "target.hpp"

namespace {

using namespace slipway;  // NOLINT
using base::Errc;
using fuzz::must;

void check(const base::Result<api::ParsedCommand>& parsed) {
  if (parsed) return must(parsed->priority <= 9, "a priority out of range");
  must(!parsed.error().message.empty(), "refused without a word");
  must(parsed.error().code != Errc::Internal, "an error of ours", parsed.error().message);
}

}  // namespace

SLIPWAY_FUZZ_TARGET(command) {
  if (bytes.empty()) return;
  static base::JsonParser parser;
  const auto kind = static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) %
                    enum_names(domain::CommandKind{}).size();
  const auto json = parser.parse(bytes.substr(1));
  if (!json) return must(!json.error().message.empty(), "refused without a word");
  check(api::parse_command(*json));
  static const base::Uuid subject = *base::parse_uuid("0197a265-0000-7000-8000-000000000001");
  check(api::parse_arguments(static_cast<domain::CommandKind>(kind), *json, subject));
}
