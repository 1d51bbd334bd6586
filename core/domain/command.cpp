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
};

}  // namespace

CommandKind kind_of(const CommandBody& body) { return std::visit(KindOf{}, body); }
CommandKind kind_of(const ItemBody& body) { return std::visit(KindOf{}, body); }

}  // namespace slipway::domain
