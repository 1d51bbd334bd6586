#pragma once
// Decisions on pools, hosts in them, storage, addresses, templates and security. Names and
// addresses have been parsed; who may has been checked.
#include "core/domain/draft.hpp"

namespace slipway::domain {

base::Status decide_on(Draft& draft, const Command& command, const CreatePool& c);
base::Status decide_on(Draft& draft, const Command& command, const UpdatePool& c);
base::Status decide_on(Draft& draft, const Command& command, const DeletePool& c);
base::Status decide_on(Draft& draft, const Command& command, const AttachHost& c);
base::Status decide_on(Draft& draft, const Command& command, const DetachHost& c);
base::Status decide_on(Draft& draft, const Command& command, const SetHostEnabled& c);

base::Status decide_on(Draft& draft, const Command& command, const CreateStoragePool& c);
base::Status decide_on(Draft& draft, const Command& command, const UpdateStoragePool& c);
base::Status decide_on(Draft& draft, const Command& command, const DeleteStoragePool& c);

base::Status decide_on(Draft& draft, const Command& command, const CreateAddressPool& c);
base::Status decide_on(Draft& draft, const Command& command, const UpdateAddressPool& c);
base::Status decide_on(Draft& draft, const Command& command, const DeleteAddressPool& c);
base::Status decide_on(Draft& draft, const Command& command, const AddAddressRange& c);
base::Status decide_on(Draft& draft, const Command& command, const RemoveAddressRange& c);

base::Status decide_on(Draft& draft, const Command& command, const DefineTemplate& c);
base::Status decide_on(Draft& draft, const Command& command, const DeleteTemplate& c);
base::Status decide_on(Draft& draft, const Command& command, const DefineSecurityGroup& c);
base::Status decide_on(Draft& draft, const Command& command, const ChangeSecurityGroupRules& c);
base::Status decide_on(Draft& draft, const Command& command, const DeleteSecurityGroup& c);
base::Status decide_on(Draft& draft, const Command& command, const ChangeVmSecurity& c);

}  // namespace slipway::domain
