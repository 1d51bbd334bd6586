#pragma once
// Commands on what a data centre is divided into. Carried out by the server itself: no task.
#include <optional>

#include "core/domain/infrastructure_specs.hpp"

namespace slipway::domain {

struct CreatePool {
  Pool pool;
  std::vector<std::string> hosts;  // that are in no pool yet
};
struct UpdatePool {
  std::string name;
  std::optional<bool> enabled;
  std::optional<NetworkMode> network_mode;
  std::optional<std::string> storage;
  std::optional<std::string> network;
  std::optional<bool> failover;
};
struct DeletePool {
  std::string name;
};
struct AttachHost {
  std::string pool;
  std::string host;
};
struct DetachHost {
  std::string pool;
  std::string host;
};
struct SetHostEnabled {
  std::string pool;
  std::string host;
  bool enabled = true;
};

struct CreateStoragePool {
  StoragePool pool;
};
struct UpdateStoragePool {
  std::string name;
  std::optional<std::string> type;
  std::optional<std::string> host;
  std::optional<std::string> target;
};
struct DeleteStoragePool {
  std::string name;
};

struct CreateAddressPool {
  AddressPool pool;
};
struct UpdateAddressPool {
  std::string name;
  std::optional<std::uint32_t> gateway;
  std::optional<std::vector<std::uint32_t>> dns;
};
struct DeleteAddressPool {
  std::string name;
};
struct AddAddressRange {
  std::string pool;
  AddressBlock range;
};
struct RemoveAddressRange {
  std::string pool;
  RangeKind kind = RangeKind::Internal;
  std::uint32_t start = 0;
};

struct DefineTemplate {
  SystemTemplate system;
  bool is_new = false;  // else the id must be known
};
struct DeleteTemplate {
  base::Uuid id;
};

// One change of a list of rules.
struct RuleChange {
  enum class Kind : std::uint8_t { Add, Replace, Remove, MoveUp, MoveDown };
  Kind kind = Kind::Add;
  std::size_t index = 0;  // of all but Add
  SecurityRule rule;      // Add, Replace
};
struct DefineSecurityGroup {
  SecurityGroup group;  // the policy's rules are kept as they are
  bool is_new = false;
};
struct ChangeSecurityGroupRules {
  base::Uuid id;
  RuleChange change;
};
struct DeleteSecurityGroup {
  base::Uuid id;
};
struct ChangeVmSecurity {
  VmId vm;
  std::optional<bool> accept_by_default;
  std::optional<RuleChange> change;
};

}  // namespace slipway::domain
