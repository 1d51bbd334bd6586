#pragma once
// Decisions on roles, groups, their members, sessions and notes. Who may has been checked.
#include "core/domain/draft.hpp"

namespace slipway::domain {

base::Status decide_on(Draft& draft, const Command& command, const CreateRole& c);
base::Status decide_on(Draft& draft, const Command& command, const UpdateRole& c);
base::Status decide_on(Draft& draft, const Command& command, const DeleteRole& c);
base::Status decide_on(Draft& draft, const Command& command, const CreateGroup& c);
base::Status decide_on(Draft& draft, const Command& command, const UpdateGroup& c);
base::Status decide_on(Draft& draft, const Command& command, const DeleteGroup& c);
base::Status decide_on(Draft& draft, const Command& command, const AddGroupMember& c);
base::Status decide_on(Draft& draft, const Command& command, const RemoveGroupMember& c);
base::Status decide_on(Draft& draft, const Command& command, const UpdateUser& c);
base::Status decide_on(Draft& draft, const Command& command, const FoundPeople& c);
base::Status decide_on(Draft& draft, const Command& command, const OpenSession& c);
base::Status decide_on(Draft& draft, const Command& command, const RenewSession& c);
base::Status decide_on(Draft& draft, const Command& command, const CloseSession& c);
base::Status decide_on(Draft& draft, const Command& command, const AppendAudit& c);
base::Status decide_on(Draft& draft, const Command& command, const HideAudit& c);

// Closes whatever sessions of the user are open.
void close_sessions(Draft& draft, std::string_view user);

}  // namespace slipway::domain
