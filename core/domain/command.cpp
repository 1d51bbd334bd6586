#include "core/domain/command.hpp"

namespace slipway::domain {
namespace {

struct KindOf {
  CommandKind operator()(const CreateVm&) const { return CommandKind::VmCreate; }
  CommandKind operator()(const ActOnVm& c) const { return c.kind; }
  CommandKind operator()(const DeleteImage&) const { return CommandKind::ImageDelete; }
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
  CommandKind operator()(const AssignVm&) const { return CommandKind::VmAssign; }
  CommandKind operator()(const ReleaseVm&) const { return CommandKind::VmRelease; }
  CommandKind operator()(const RegisterBackend&) const { return CommandKind::BackendRegister; }
};

}  // namespace

CommandKind kind_of(const CommandBody& body) { return std::visit(KindOf{}, body); }
CommandKind kind_of(const ItemBody& body) { return std::visit(KindOf{}, body); }

}  // namespace slipway::domain
