#pragma once
// From what was typed to what the API takes.
#include <string>
#include <vector>

#include "app/cli/session.hpp"

namespace slipway::app::cli {

using JsonOutcome = tl::expected<Json, Failure>;

// {"a": 1, "b": "x"} from {"a=1", "b=x"}: a value that is JSON is taken as JSON, else as text.
JsonOutcome pairs_to_json(const std::vector<std::string>& pairs);
// {"a": "1"}: text in any case, for labels.
JsonOutcome labels_to_json(const std::vector<std::string>& pairs);
// The text itself, of "@FILE", or of standard input for "-".
tl::expected<std::string, Failure> text_of(Session& session, const std::string& given);
// The same, parsed as JSON.
JsonOutcome json_of(Session& session, const std::string& given);
// A point in time: RFC 3339 as it is, or a duration from now ("10m"): as RFC 3339.
tl::expected<std::string, Failure> time_of(Session& session, const std::string& option);

// The members of the envelope that were given: dry_run, priority, not_before, deadline, depends_on.
std::vector<Option> envelope_options();
tl::expected<void, Failure> add_envelope(Session& session, Json& body);

// Filters of a list, from options of the same name: "--state A,B" is state=A,B.
Query filters(const Values& values, const std::vector<std::string>& names);

// Adds the option's value under its own name ("--memory-mb" as memory_mb) if it was given.
void add_text(const Values& values, const std::string& option, Json& body);
// {vcpus, memory_mb, disk_gb} as "size", from the options of those names, if any was given.
tl::expected<void, Failure> add_size(Session& session, Json& body);

}  // namespace slipway::app::cli
