#include "core/domain/command.hpp"

namespace slipway::domain {
namespace {

struct KindOf {
  CommandKind operator()(const CreateVm&) const { return CommandKind::VmCreate; }
  CommandKind operator()(const ActOnVm& c) const { return c.kind; }
  CommandKind operator()(const DeleteImage&) const { return CommandKind::ImageDelete; }
  CommandKind operator()(const RegisterImage&) const { return CommandKind::ImageRegister; }
  CommandKind operator()(const UpdateImage&) const { return CommandKind::ImageUpdate; }
  CommandKind operator()(const StoreImage&) const { return CommandKind::ImageUpload; }
  CommandKind operator()(const SyncImages&) const { return CommandKind::ImageSync; }
  CommandKind operator()(const CancelTask&) const { return CommandKind::TaskCancel; }
  CommandKind operator()(const RedriveTask&) const { return CommandKind::TaskRedrive; }
  CommandKind operator()(const SetPriority&) const { return CommandKind::TaskSetPriority; }
  CommandKind operator()(const OpenBatch& c) const { return c.kind; }
  CommandKind operator()(const CreateUser&) const { return CommandKind::UserCreate; }
  CommandKind operator()(const SetUserPassword&) const { return CommandKind::UserSetPassword; }
  CommandKind operator()(const DeleteUser&) const { return CommandKind::UserDelete; }
  CommandKind operator()(const CreateToken&) const { return CommandKind::TokenCreate; }
  CommandKind operator()(const DeleteToken&) const { return CommandKind::TokenDelete; }
  CommandKind operator()(const SetQuota&) const { return CommandKind::QuotaSet; }
  CommandKind operator()(const InitializeSystem&) const { return CommandKind::SystemInitialize; }
  CommandKind operator()(const CreateLease&) const { return CommandKind::LeaseCreate; }
  CommandKind operator()(const UpdateLease&) const { return CommandKind::LeaseUpdate; }
  CommandKind operator()(const DeleteLease&) const { return CommandKind::LeaseDelete; }
  CommandKind operator()(const EnrollHost&) const { return CommandKind::ReservableHostEnroll; }
  CommandKind operator()(const UpdateReservableHost&) const {
    return CommandKind::ReservableHostUpdate;
  }
  CommandKind operator()(const WithdrawHost&) const { return CommandKind::ReservableHostWithdraw; }
  CommandKind operator()(const SetHostProperty&) const { return CommandKind::HostPropertySet; }
  CommandKind operator()(const SetHostAlive&) const { return CommandKind::HostSetAlive; }
  CommandKind operator()(const CreateFloatingIp&) const { return CommandKind::FloatingIpCreate; }
  CommandKind operator()(const DeleteFloatingIp&) const { return CommandKind::FloatingIpDelete; }
  CommandKind operator()(const CreatePool&) const { return CommandKind::PoolCreate; }
  CommandKind operator()(const UpdatePool&) const { return CommandKind::PoolUpdate; }
  CommandKind operator()(const DeletePool&) const { return CommandKind::PoolDelete; }
  CommandKind operator()(const AttachHost&) const { return CommandKind::HostAttach; }
  CommandKind operator()(const DetachHost&) const { return CommandKind::HostDetach; }
  CommandKind operator()(const SetHostEnabled&) const { return CommandKind::HostSetEnabled; }
  CommandKind operator()(const CreateStoragePool&) const { return CommandKind::StoragePoolCreate; }
  CommandKind operator()(const UpdateStoragePool&) const { return CommandKind::StoragePoolUpdate; }
  CommandKind operator()(const DeleteStoragePool&) const { return CommandKind::StoragePoolDelete; }
  CommandKind operator()(const CreateAddressPool&) const { return CommandKind::AddressPoolCreate; }
  CommandKind operator()(const UpdateAddressPool&) const { return CommandKind::AddressPoolUpdate; }
  CommandKind operator()(const DeleteAddressPool&) const { return CommandKind::AddressPoolDelete; }
  CommandKind operator()(const AddAddressRange&) const { return CommandKind::AddressRangeAdd; }
  CommandKind operator()(const RemoveAddressRange&) const {
    return CommandKind::AddressRangeRemove;
  }
  CommandKind operator()(const DefineTemplate&) const { return CommandKind::TemplateDefine; }
  CommandKind operator()(const DeleteTemplate&) const { return CommandKind::TemplateDelete; }
  CommandKind operator()(const DefineSecurityGroup&) const {
    return CommandKind::SecurityGroupDefine;
  }
  CommandKind operator()(const ChangeSecurityGroupRules&) const {
    return CommandKind::SecurityGroupChangeRules;
  }
  CommandKind operator()(const DeleteSecurityGroup&) const {
    return CommandKind::SecurityGroupDelete;
  }
  CommandKind operator()(const ChangeVmSecurity&) const { return CommandKind::VmChangeSecurity; }
  CommandKind operator()(const CreateRole&) const { return CommandKind::RoleCreate; }
  CommandKind operator()(const UpdateRole&) const { return CommandKind::RoleUpdate; }
  CommandKind operator()(const DeleteRole&) const { return CommandKind::RoleDelete; }
  CommandKind operator()(const CreateGroup&) const { return CommandKind::GroupCreate; }
  CommandKind operator()(const UpdateGroup&) const { return CommandKind::GroupUpdate; }
  CommandKind operator()(const DeleteGroup&) const { return CommandKind::GroupDelete; }
  CommandKind operator()(const AddGroupMember&) const { return CommandKind::GroupMemberAdd; }
  CommandKind operator()(const RemoveGroupMember&) const { return CommandKind::GroupMemberRemove; }
  CommandKind operator()(const UpdateUser&) const { return CommandKind::UserUpdate; }
  CommandKind operator()(const FoundPeople&) const { return CommandKind::SystemFound; }
  CommandKind operator()(const OpenSession&) const { return CommandKind::SessionOpen; }
  CommandKind operator()(const RenewSession&) const { return CommandKind::SessionRenew; }
  CommandKind operator()(const CloseSession&) const { return CommandKind::SessionClose; }
  CommandKind operator()(const AppendAudit&) const { return CommandKind::AuditAppend; }
  CommandKind operator()(const HideAudit&) const { return CommandKind::AuditHide; }
  CommandKind operator()(const AssignVm&) const { return CommandKind::VmAssign; }
  CommandKind operator()(const ReleaseVm&) const { return CommandKind::VmRelease; }
  CommandKind operator()(const RegisterBackend&) const { return CommandKind::BackendRegister; }
};

}  // namespace

SLIPWAY_ONE_OF_DEFINE(ItemBody)
SLIPWAY_ONE_OF_DEFINE(CommandBody)

CommandKind kind_of(const CommandBody& body) { return std::visit(KindOf{}, body); }
CommandKind kind_of(const ItemBody& body) { return std::visit(KindOf{}, body); }

}  // namespace slipway::domain
