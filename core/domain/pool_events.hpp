#pragma once
// What a data centre is divided into. See events.hpp.
#include "core/domain/event.hpp"
#include "core/domain/infrastructure_specs.hpp"

namespace slipway::domain {

// ---- pool-<name> ----

struct PoolCreated {
  Pool pool;
  SLIPWAY_EVENT(PoolCreated, v("pool", s.pool);)
};
struct PoolUpdated {
  Pool pool;
  SLIPWAY_EVENT(PoolUpdated, v("pool", s.pool);)
};
struct PoolDeleted {
  SLIPWAY_EVENT(PoolDeleted, )
};

// ---- host-<name>; HostAttached puts it into a pool ----

// In no pool: takes no VMs.
struct HostDetached {
  SLIPWAY_EVENT(HostDetached, )
};
struct HostEnabled {
  SLIPWAY_EVENT(HostEnabled, )
};
// Takes no new VMs.
struct HostDisabled {
  SLIPWAY_EVENT(HostDisabled, )
};

// ---- storage_pool-<name> ----

struct StoragePoolCreated {
  StoragePool pool;
  SLIPWAY_EVENT(StoragePoolCreated, v("pool", s.pool);)
};
struct StoragePoolUpdated {
  StoragePool pool;
  SLIPWAY_EVENT(StoragePoolUpdated, v("pool", s.pool);)
};
struct StoragePoolDeleted {
  SLIPWAY_EVENT(StoragePoolDeleted, )
};

// ---- address_pool-<name>. Which VM has which address is said by VmRequested and VmDeleted ----

struct AddressPoolCreated {
  AddressPool pool;
  SLIPWAY_EVENT(AddressPoolCreated, v("pool", s.pool);)
};
struct AddressPoolUpdated {
  AddressPool pool;
  SLIPWAY_EVENT(AddressPoolUpdated, v("pool", s.pool);)
};
struct AddressPoolDeleted {
  SLIPWAY_EVENT(AddressPoolDeleted, )
};
struct AddressRangeAdded {
  AddressBlock range;
  SLIPWAY_EVENT(AddressRangeAdded, v("range", s.range);)
};
struct AddressRangeRemoved {
  RangeKind kind = RangeKind::Internal;
  std::uint32_t start = 0;
  SLIPWAY_EVENT(AddressRangeRemoved, v("kind", s.kind); v("start", s.start);)
};

// ---- template-<id>, security_group-<id> ----

// Made, or changed.
struct TemplateDefined {
  SystemTemplate system;
  SLIPWAY_EVENT(TemplateDefined, v("template", s.system);)
};
struct TemplateDeleted {
  SLIPWAY_EVENT(TemplateDeleted, )
};
struct SecurityGroupDefined {
  SecurityGroup group;
  SLIPWAY_EVENT(SecurityGroupDefined, v("group", s.group);)
};
struct SecurityGroupDeleted {
  SLIPWAY_EVENT(SecurityGroupDeleted, )
};

// ---- vm-<id> ----

struct VmSecurityChanged {
  SecurityPolicy policy;
  SLIPWAY_EVENT(VmSecurityChanged, v("policy", s.policy);)
};

}  // namespace slipway::domain
