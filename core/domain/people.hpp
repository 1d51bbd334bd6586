#pragma once
// Users, their tokens, and what a project may use: the decisions. Roles and tenants have been
// checked by whoever parsed the command.
#include "core/domain/draft.hpp"

namespace slipway::domain {

base::Status decide_on(Draft& draft, const Command& command, const CreateUser& c);
base::Status decide_on(Draft& draft, const Command& command, const SetUserPassword& c);
base::Status decide_on(Draft& draft, const Command& command, const DeleteUser& c);
base::Status decide_on(Draft& draft, const Command& command, const CreateToken& c);
base::Status decide_on(Draft& draft, const Command& command, const DeleteToken& c);
base::Status decide_on(Draft& draft, const Command& command, const SetQuota& c);

}  // namespace slipway::domain
