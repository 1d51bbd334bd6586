#pragma once
// A command asks, in the imperative, and may be refused. The edge has parsed it completely: once
// parsed, nobody checks its syntax again. All ids, times and randomness come in with it.
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/one_of.hpp"
#include "core/domain/image_commands.hpp"
#include "core/domain/infrastructure_commands.hpp"
#include "core/domain/lease_commands.hpp"
#include "core/domain/membership_commands.hpp"
#include "core/domain/node_commands.hpp"
#include "core/domain/specs.hpp"
#include "core/domain/work.hpp"

namespace slipway::domain {

// Who asks, and by which door. Comes from identity, never from a body.
struct Caller {
  std::string tenant;
  std::string actor;
  Role role = Role::None;
  Dialect dialect = Dialect::Core;
  std::string request_id;
  std::string trace;
  bool owns(std::string_view tenant_of_object) const { return tenant == tenant_of_object; }
};

struct CreateVm {
  VmId vm;
  std::string name;
  std::string flavor;  // id or name; empty if `size` is given
  std::optional<Size> size;
  std::string image;    // UUID or name
  std::string network;  // UUID or name; empty: the first one that the tenant may use
  std::string backend;  // empty: the only or first one
  std::string host;     // empty: placement chooses
  Labels labels;
  std::string keypair;
  SecretRef admin_secret;
  SecretRef user_data;
  base::Box<GuestSpec> guest;
  // An address that was asked for by number; nullopt: the next free one.
  std::optional<std::uint32_t> ipv4;
  // "MAC" or "address": `name`, an underscore and that of the VM is its name, known only with its
  // address.
  std::string name_rule;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("vm", s.vm);
    v("name", s.name);
    v("flavor", s.flavor);
    v("size", s.size);
    v("image", s.image);
    v("network", s.network);
    v("backend", s.backend);
    v("host", s.host);
    v("labels", s.labels);
    v("keypair", s.keypair);
    v("admin_secret", s.admin_secret);
    v("user_data", s.user_data);
    v("guest", s.guest);
    v("ipv4", s.ipv4);
    v("name_rule", s.name_rule);
  }
};

// Every command on a VM that exists: delete, start, ..., migrate, snapshot.*, image.capture.
// `flavor`, `image` and `host` are as the client wrote them; decide resolves them into ActionArgs.
struct ActOnVm {
  CommandKind kind = CommandKind::VmDelete;
  VmId vm;
  ActionArgs args;
  std::string flavor;  // resize
  std::string image;   // rebuild
  ImageId new_image;   // image.capture: the id it will have
  // delete: false refuses it for a VM that runs; nullopt: whatever it does.
  std::optional<bool> force;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("kind", s.kind);
    v("vm", s.vm);
    v("args", s.args);
    v("flavor", s.flavor);
    v("image", s.image);
    v("new_image", s.new_image);
    v("force", s.force);
  }
};

struct DeleteImage {
  ImageId image;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("image", s.image);
  }
};

struct CancelTask {
  TaskId task;
};

using WorkBody = std::variant<CreateVm, ActOnVm, DeleteImage>;

// A new task with the same command and resources. The edge has read the old one from the read
// model.
struct RedriveTask {
  TaskId from;
  TaskId root;  // the first of a chain of re-drives; `from` itself if that was none
  TaskState from_state = TaskState::Dead;
  std::string from_tenant;
  WorkBody body;  // of the old one
  VmId fresh_vm;  // for a create whose VM is gone: an id is never used twice
};

struct SetPriority {
  TaskId task;
  std::uint32_t priority = 5;
};

using ItemVariant = std::variant<CreateVm, ActOnVm, DeleteImage, CancelTask, RedriveTask>;
struct ItemBody : ItemVariant {
  SLIPWAY_ONE_OF(ItemBody, ItemVariant)
};

struct BatchItem {
  TaskId task;
  ItemBody body;
};

struct OpenBatch {
  CommandKind kind = CommandKind::BatchCommands;
  std::vector<BatchItem> items;
  // True: an item that decide refuses becomes a FAILED item, and the batch is accepted all the
  // same.
  bool lenient = false;
};

struct CreateUser {
  User user;
};
struct SetUserPassword {
  std::string user;
  SecretRef password;
};
struct DeleteUser {
  std::string user;
};
struct CreateToken {
  AccessToken token;
};
struct DeleteToken {
  TokenId token;
};
struct SetQuota {
  std::string project;
  Quota quota;
};

// What a fresh log is given: the cloud's catalogue and, in demo mode, its user.
struct InitializeSystem {
  std::string version;
  bool demo = false;
  std::vector<Backend> backends;
  std::vector<Host> hosts;
  std::vector<Flavor> flavors;
  std::vector<Image> images;
  std::vector<Network> networks;
  std::vector<Project> projects;
  std::vector<User> users;
  std::vector<Pool> pools;
  std::vector<MenuRole> roles;
  std::vector<Group> groups;
};

// clang-format off
using CommandVariant = std::variant<
    // work
    CreateVm, ActOnVm, DeleteImage, CancelTask, RedriveTask, SetPriority, OpenBatch,
    // images
    RegisterImage, UpdateImage, StoreImage, SyncImages,
    // people
    CreateUser, SetUserPassword, DeleteUser, CreateToken, DeleteToken,
    // system
    SetQuota, InitializeSystem,
    // leases of hosts
    CreateLease, UpdateLease, DeleteLease, EnrollHost, UpdateReservableHost, WithdrawHost,
    SetHostProperty, SetHostAlive, CreateFloatingIp, DeleteFloatingIp,
    // what a data centre is divided into
    CreatePool, UpdatePool, DeletePool, AttachHost, DetachHost, SetHostEnabled,
    CreateStoragePool, UpdateStoragePool, DeleteStoragePool, CreateAddressPool,
    UpdateAddressPool, DeleteAddressPool, AddAddressRange, RemoveAddressRange,
    DefineTemplate, DeleteTemplate, DefineSecurityGroup, ChangeSecurityGroupRules, DeleteSecurityGroup, ChangeVmSecurity,
    // roles, groups, sessions, notes
    CreateRole, UpdateRole, DeleteRole, CreateGroup, UpdateGroup, DeleteGroup, AddGroupMember, RemoveGroupMember,
    UpdateUser, FoundPeople, OpenSession, RenewSession, CloseSession, AppendAudit, HideAudit,
    // clouds, and to whom VMs are given
    AssignVm, ReleaseVm, RegisterBackend>;
// clang-format on

struct CommandBody : CommandVariant {
  SLIPWAY_ONE_OF(CommandBody, CommandVariant)
};

struct Command {
  Caller caller;
  TaskId task;  // the id that the new task will have
  CommandBody body;
  std::optional<base::Time> not_before;
  std::optional<base::Time> deadline;
  std::uint32_t priority = 5;
  std::vector<TaskId> depends_on;
  std::optional<StreamVersion>
      if_match;  // version of the resource (VM or task) that the client saw
};

CommandKind kind_of(const CommandBody& body);
CommandKind kind_of(const ItemBody& body);

}  // namespace slipway::domain
