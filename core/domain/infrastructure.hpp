#pragma once
// The live state of what a data centre is divided into: a part of the World, folded from events and
// nothing else. VMs take addresses from it when they are requested and give them back when they are
// gone.
#include <map>
#include <string>
#include <vector>

#include "core/domain/address_range.hpp"
#include "core/domain/pool_events.hpp"

namespace slipway::domain {

struct LiveAddressRange {
  AddressBlock block;
  AddressRange addresses;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("block", s.block);
    v("addresses", s.addresses);
  }
};

struct LiveAddressPool {
  AddressPool pool;
  std::vector<LiveAddressRange> ranges;  // by start
  std::uint64_t allocated() const;
  const LiveAddressRange* range(RangeKind kind, std::uint32_t start) const;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("pool", s.pool);
    v("ranges", s.ranges);
  }
};

struct VmSecurity {
  VmId vm;
  SecurityPolicy policy;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("vm", s.vm);
    v("policy", s.policy);
  }
};

class Infrastructure {
 public:
  // ---- look-ups; nullptr if there is none ----
  const Pool* pool(std::string_view name) const;
  const StoragePool* storage_pool(std::string_view name) const;
  const LiveAddressPool* address_pool(std::string_view name) const;
  const SystemTemplate* system_template(const base::Uuid& id) const;
  const SecurityGroup* security_group(const base::Uuid& id) const;
  SecurityPolicy security_of(const VmId& vm) const;  // what was never set accepts everything
  const std::map<std::string, Pool, std::less<>>& pools() const { return pools_; }

  // Whether a host of that pool takes new VMs. A host in no pool does not.
  bool takes_vms(std::string_view pool) const;
  // Where VMs on hosts of that pool get their address; nullptr: from their network.
  const LiveAddressPool* addresses_for(std::string_view pool) const;
  // The n-th internal address that would be given now; 0 if there are not as many.
  static std::uint32_t peek(const LiveAddressPool& pool, std::size_t n);

  // ---- events. `name` is that of the stream ----
  void fold(std::string_view name, const PoolCreated& e);
  void fold(std::string_view name, const PoolUpdated& e);
  void fold(std::string_view name, const PoolDeleted& e);
  void fold(std::string_view name, const StoragePoolCreated& e);
  void fold(std::string_view name, const StoragePoolUpdated& e);
  void fold(std::string_view name, const StoragePoolDeleted& e);
  void fold(std::string_view name, const AddressPoolCreated& e);
  void fold(std::string_view name, const AddressPoolUpdated& e);
  void fold(std::string_view name, const AddressPoolDeleted& e);
  void fold(std::string_view name, const AddressRangeAdded& e);
  void fold(std::string_view name, const AddressRangeRemoved& e);
  void fold(const base::Uuid& id, const TemplateDefined& e);
  void fold(const base::Uuid& id, const TemplateDeleted& e);
  void fold(const base::Uuid& id, const SecurityGroupDefined& e);
  void fold(const base::Uuid& id, const SecurityGroupDeleted& e);
  void fold(const base::Uuid& id, const VmSecurityChanged& e);
  void vm_requested(const VmSpec& spec);
  void vm_deleted(const VmId& vm, const VmSpec& spec);

  // ---- snapshots ----
  struct Kept {
    std::vector<Pool> pools;
    std::vector<StoragePool> storage_pools;
    std::vector<LiveAddressPool> address_pools;
    std::vector<SystemTemplate> templates;
    std::vector<SecurityGroup> security_groups;
    std::vector<VmSecurity> vms;
    template <class S, class V>
    static void fields(S& s, V& v) {
      v("pools", s.pools);
      v("storage_pools", s.storage_pools);
      v("address_pools", s.address_pools);
      v("templates", s.templates);
      v("security_groups", s.security_groups);
      v("vms", s.vms);
    }
  };
  Kept kept() const;
  void restore(Kept kept);

 private:
  LiveAddressRange* range_of(std::string_view pool, std::uint32_t ipv4);

  std::map<std::string, Pool, std::less<>> pools_;
  std::map<std::string, StoragePool, std::less<>> storage_pools_;
  std::map<std::string, LiveAddressPool, std::less<>> address_pools_;
  std::map<base::Uuid, SystemTemplate> templates_;
  std::map<base::Uuid, SecurityGroup> security_groups_;
  std::map<base::Uuid, SecurityPolicy> vms_;
};

}  // namespace slipway::domain
