#include "core/domain/plan.hpp"

#include <array>

namespace slipway::domain {
namespace {

constexpr bool kRepeatable = true;

constexpr std::array kVmCreate{Step{"vm.create", "vm.delete"},
                               Step{"vm.await_running", "", kRepeatable}};
constexpr std::array kVmDelete{Step{"vm.delete", "", kRepeatable}};
constexpr std::array kVmStart{Step{"vm.start", "", kRepeatable}};
constexpr std::array kVmStop{Step{"vm.stop", "", kRepeatable}};
constexpr std::array kVmReboot{Step{"vm.reboot", ""}};
constexpr std::array kVmPause{Step{"vm.pause", "", kRepeatable}};
constexpr std::array kVmUnpause{Step{"vm.unpause", "", kRepeatable}};
constexpr std::array kVmSuspend{Step{"vm.suspend", "", kRepeatable}};
constexpr std::array kVmResume{Step{"vm.resume", "", kRepeatable}};
constexpr std::array kVmResize{Step{"vm.resize", "vm.resize_revert"},
                               Step{"vm.resize_confirm", "", kRepeatable}};
constexpr std::array kVmRebuild{Step{"vm.rebuild", ""}, Step{"vm.await_running", "", kRepeatable}};
constexpr std::array kVmRename{Step{"vm.rename", "", kRepeatable}};
constexpr std::array kVmMigrate{Step{"vm.migrate", "vm.migrate_abort"},
                                Step{"vm.await_migrated", "", kRepeatable}};
constexpr std::array kSnapshotCreate{Step{"snapshot.create", "snapshot.delete"}};
constexpr std::array kSnapshotRestore{Step{"snapshot.restore", "", kRepeatable}};
constexpr std::array kSnapshotDelete{Step{"snapshot.delete", "", kRepeatable}};
constexpr std::array kImageCapture{Step{"image.create", "image.delete"},
                                   Step{"image.await_saved", "", kRepeatable}};
constexpr std::array kImageDelete{Step{"image.delete", "", kRepeatable}};

constexpr std::array kVmConfigure{Step{"vm.configure", "", kRepeatable}};
constexpr std::array kVmDiskShrink{Step{"vm.disk_shrink", "", kRepeatable}};
constexpr std::array kVmResetSystem{Step{"vm.reset_system", ""},
                                    Step{"vm.await_running", "", kRepeatable}};
constexpr std::array kVmSetCredential{Step{"vm.set_credential", "", kRepeatable}};
constexpr std::array kVmConsoleSecret{Step{"vm.console_secret", "", kRepeatable}};
constexpr std::array kMediaInsert{Step{"media.insert", "", kRepeatable}};
constexpr std::array kPartDelete{Step{"part.delete", "", kRepeatable}};
constexpr std::array kMediaEject{Step{"media.eject", "", kRepeatable}};

}  // namespace

std::span<const Step> plan_of(CommandKind command) {
  using enum CommandKind;
  switch (command) {
    case VmCreate:
      return kVmCreate;
    case VmDelete:
      return kVmDelete;
    case VmStart:
      return kVmStart;
    case VmStop:
      return kVmStop;
    case VmReboot:
      return kVmReboot;
    case VmPause:
      return kVmPause;
    case VmUnpause:
      return kVmUnpause;
    case VmSuspend:
      return kVmSuspend;
    case VmResume:
      return kVmResume;
    case VmResize:
    case VmSetCores:
    case VmSetMemory:
    case VmDiskResize:
      return kVmResize;
    case VmRebuild:
      return kVmRebuild;
    case VmRename:
      return kVmRename;
    case VmMigrate:
      return kVmMigrate;
    case VmSnapshotCreate:
      return kSnapshotCreate;
    case VmSnapshotRestore:
      return kSnapshotRestore;
    case VmSnapshotDelete:
      return kSnapshotDelete;
    case ImageCapture:
      return kImageCapture;
    case ImageDelete:
      return kImageDelete;
    case VmDiskShrink:
      return kVmDiskShrink;
    case VmResetSystem:
      return kVmResetSystem;
    case VmSetAutoStart:
    case VmSetQos:
      return kVmConfigure;
    case VmSetCredential:
      return kVmSetCredential;
    case VmConsoleResetSecret:
      return kVmConsoleSecret;
    case VmMediaInsert:
      return kMediaInsert;
    case VmMediaEject:
      return kMediaEject;
    case OrphanVmDelete:
      return kVmDelete;
    case OrphanPartDelete:
      return kPartDelete;
    case BatchVmStop:
    case MigrationStart:
    case ImageRegister:
    case ImageUpdate:
    case ImageUpload:
    case ImageSync:
    case BatchCommands:
    case BatchVmCreate:
    case BatchVmDelete:
    case BatchTaskCancel:
    case BatchTaskRedrive:
    case TaskCancel:
    case TaskRedrive:
    case TaskSetPriority:
    case UserCreate:
    case UserSetPassword:
    case UserDelete:
    case TokenCreate:
    case TokenDelete:
    case QuotaSet:
    case SystemInitialize:
    case LeaseCreate:
    case LeaseUpdate:
    case LeaseDelete:
    case ReservableHostEnroll:
    case ReservableHostUpdate:
    case ReservableHostWithdraw:
    case HostPropertySet:
    case HostSetAlive:
    case FloatingIpCreate:
    case FloatingIpDelete:
    case PoolCreate:
    case PoolUpdate:
    case PoolDelete:
    case HostAttach:
    case HostDetach:
    case HostSetEnabled:
    case StoragePoolCreate:
    case StoragePoolUpdate:
    case StoragePoolDelete:
    case AddressPoolCreate:
    case AddressPoolUpdate:
    case AddressPoolDelete:
    case AddressRangeAdd:
    case AddressRangeRemove:
    case TemplateDefine:
    case TemplateDelete:
    case SecurityGroupDefine:
    case SecurityGroupChangeRules:
    case SecurityGroupDelete:
    case VmChangeSecurity:
    case RoleCreate:
    case RoleUpdate:
    case RoleDelete:
    case GroupCreate:
    case GroupUpdate:
    case GroupDelete:
    case GroupMemberAdd:
    case GroupMemberRemove:
    case UserUpdate:
    case SystemFound:
    case SessionOpen:
    case SessionRenew:
    case SessionClose:
    case AuditAppend:
    case AuditHide:
    case VmAssign:
    case VmRelease:
    case BackendRegister:
      return {};
  }
  return {};
}

const Step* find_step(CommandKind command, std::string_view name) {
  for (const Step& step : plan_of(command)) {
    if (step.name == name) return &step;
  }
  return nullptr;
}

}  // namespace slipway::domain
