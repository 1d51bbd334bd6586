#include "core/domain/infrastructure.hpp"

#include <algorithm>

#include "core/base/maps.hpp"

namespace slipway::domain {

using base::find_in;
using base::values;

namespace {

template <class Map>
void erase_name(Map& map, std::string_view name) {
  const auto it = map.find(name);
  if (it != map.end()) map.erase(it);
}

}  // namespace

std::uint64_t LiveAddressPool::allocated() const {
  std::uint64_t sum = 0;
  for (const LiveAddressRange& r : ranges) sum += r.addresses.taken();
  return sum;
}
const LiveAddressRange* LiveAddressPool::range(RangeKind kind, std::uint32_t start) const {
  const auto it = std::find_if(ranges.begin(), ranges.end(), [&](const LiveAddressRange& r) {
    return r.block.kind == kind && r.block.start == start;
  });
  return it == ranges.end() ? nullptr : &*it;
}

const Pool* Infrastructure::pool(std::string_view name) const { return find_in(pools_, name); }
const StoragePool* Infrastructure::storage_pool(std::string_view name) const {
  return find_in(storage_pools_, name);
}
const LiveAddressPool* Infrastructure::address_pool(std::string_view name) const {
  return find_in(address_pools_, name);
}
const SystemTemplate* Infrastructure::system_template(const base::Uuid& id) const {
  return find_in(templates_, id);
}
const SecurityGroup* Infrastructure::security_group(const base::Uuid& id) const {
  return find_in(security_groups_, id);
}
SecurityPolicy Infrastructure::security_of(const VmId& vm) const {
  const auto* policy = find_in(vms_, static_cast<const base::Uuid&>(vm));
  return policy == nullptr ? SecurityPolicy() : *policy;
}

bool Infrastructure::takes_vms(std::string_view name) const {
  if (name.empty()) return false;
  const Pool* found = pool(name);
  return found == nullptr || found->enabled;  // a pool that was only ever named by its hosts
}
const LiveAddressPool* Infrastructure::addresses_for(std::string_view name) const {
  const Pool* found = pool(name);
  return found == nullptr || found->network.empty() ? nullptr : address_pool(found->network);
}
std::uint32_t Infrastructure::peek(const LiveAddressPool& pool, std::size_t n) {
  for (const LiveAddressRange& r : pool.ranges) {
    if (r.block.kind != RangeKind::Internal) continue;
    const std::uint64_t free = r.addresses.size() - r.addresses.taken();
    if (n < free) return r.addresses.peek(n);
    n -= static_cast<std::size_t>(free);
  }
  return 0;
}

// ---- events ----

void Infrastructure::fold(std::string_view name, const PoolCreated& e) {
  pools_[std::string(name)] = e.pool;
}
void Infrastructure::fold(std::string_view name, const PoolUpdated& e) {
  pools_[std::string(name)] = e.pool;
}
void Infrastructure::fold(std::string_view name, const PoolDeleted&) { erase_name(pools_, name); }
void Infrastructure::fold(std::string_view name, const StoragePoolCreated& e) {
  storage_pools_[std::string(name)] = e.pool;
}
void Infrastructure::fold(std::string_view name, const StoragePoolUpdated& e) {
  storage_pools_[std::string(name)] = e.pool;
}
void Infrastructure::fold(std::string_view name, const StoragePoolDeleted&) {
  erase_name(storage_pools_, name);
}
void Infrastructure::fold(std::string_view name, const AddressPoolCreated& e) {
  address_pools_[std::string(name)].pool = e.pool;
}
void Infrastructure::fold(std::string_view name, const AddressPoolUpdated& e) {
  address_pools_[std::string(name)].pool = e.pool;
}
void Infrastructure::fold(std::string_view name, const AddressPoolDeleted&) {
  erase_name(address_pools_, name);
}
void Infrastructure::fold(std::string_view name, const AddressRangeAdded& e) {
  auto& ranges = address_pools_[std::string(name)].ranges;
  const auto place = std::find_if(ranges.begin(), ranges.end(), [&](const LiveAddressRange& r) {
    return r.block.start > e.range.start;
  });
  ranges.insert(place, {e.range, AddressRange(e.range.start, e.range.end)});
}
void Infrastructure::fold(std::string_view name, const AddressRangeRemoved& e) {
  std::erase_if(address_pools_[std::string(name)].ranges, [&](const LiveAddressRange& r) {
    return r.block.kind == e.kind && r.block.start == e.start;
  });
}
void Infrastructure::fold(const base::Uuid& id, const TemplateDefined& e) {
  templates_[id] = e.system;
}
void Infrastructure::fold(const base::Uuid& id, const TemplateDeleted&) { templates_.erase(id); }
void Infrastructure::fold(const base::Uuid& id, const SecurityGroupDefined& e) {
  security_groups_[id] = e.group;
}
void Infrastructure::fold(const base::Uuid& id, const SecurityGroupDeleted&) {
  security_groups_.erase(id);
}
void Infrastructure::fold(const base::Uuid& id, const VmSecurityChanged& e) { vms_[id] = e.policy; }

LiveAddressRange* Infrastructure::range_of(std::string_view pool, std::uint32_t ipv4) {
  auto* found = find_in(address_pools_, pool);
  if (found == nullptr) return nullptr;
  for (LiveAddressRange& r : found->ranges) {
    if (r.block.kind == RangeKind::Internal && r.addresses.contains(ipv4)) return &r;
  }
  return nullptr;
}
void Infrastructure::vm_requested(const VmSpec& spec) {
  if (spec.address_pool.empty()) return;
  if (auto* range = range_of(spec.address_pool, spec.ipv4)) range->addresses.take(spec.ipv4);
}
void Infrastructure::vm_deleted(const VmId& vm, const VmSpec& spec) {
  vms_.erase(vm);
  if (spec.address_pool.empty()) return;
  if (auto* range = range_of(spec.address_pool, spec.ipv4)) range->addresses.release(spec.ipv4);
}

// ---- snapshots ----

Infrastructure::Kept Infrastructure::kept() const {
  Kept out{values(pools_),     values(storage_pools_),   values(address_pools_),
           values(templates_), values(security_groups_), {}};
  for (LiveAddressPool& pool : out.address_pools) {
    for (LiveAddressRange& range : pool.ranges) range.addresses.pack();
  }
  for (const auto& [id, policy] : vms_) out.vms.push_back({VmId(id), policy});
  return out;
}
void Infrastructure::restore(Kept kept) {
  for (Pool& p : kept.pools) pools_[p.name] = p;
  for (StoragePool& p : kept.storage_pools) storage_pools_[p.name] = p;
  for (LiveAddressPool& p : kept.address_pools) {
    for (LiveAddressRange& range : p.ranges) range.addresses.unpack();
    address_pools_[p.pool.name] = p;
  }
  for (SystemTemplate& t : kept.templates) templates_[t.id] = t;
  for (SecurityGroup& g : kept.security_groups) security_groups_[g.id] = g;
  for (VmSecurity& vm : kept.vms) vms_[vm.vm] = vm.policy;
}

}  // namespace slipway::domain
