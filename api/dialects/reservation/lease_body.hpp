#pragma once
// The bodies of lease requests, parsed into commands whose ids are made. Refusals have the texts
// that clients know. What the specification does not name is passed over.
#include "core/base/json_read.hpp"
#include "core/domain/command.hpp"

namespace slipway::api::reservation {

struct LeaseRules {
  base::Time now{};
  base::Duration before_end_lead{};  // of a lease without a before_end_date
};

base::Result<domain::CreateLease> parse_create(base::JsonValue body, const LeaseRules& rules);
base::Result<domain::UpdateLease> parse_update(base::JsonValue body, const domain::LeaseId& lease,
                                               const LeaseRules& rules);

// The value as text: a string as it is, a number or boolean as JSON writes it; nullopt else.
std::optional<std::string> scalar_text(base::JsonValue json);
base::Error missing(std::string_view parameter);
base::Error malformed(std::string_view parameter);

}  // namespace slipway::api::reservation
