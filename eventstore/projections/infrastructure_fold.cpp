#include "eventstore/projections/infrastructure_fold.hpp"

#include <algorithm>

namespace slipway::eventstore {

InfrastructureFold::InfrastructureFold(Database& db)
    : pools_(db, "pools"),
      storage_pools_(db, "storage_pools"),
      address_pools_(db, "address_pools"),
      addresses_(db, "addresses"),
      templates_(db, "templates"),
      security_groups_(db, "security_groups"),
      vm_security_(db, "vm_security"),
      insert_note_(db, "INSERT INTO audit VALUES(?,?,?,?,0)"),
      hide_note_(db, "UPDATE audit SET hidden=1 WHERE seq=? AND tenant=?") {}

void InfrastructureFold::load() {
  pools_.load();
  storage_pools_.load();
  address_pools_.load();
  addresses_.load();
  templates_.load();
  security_groups_.load();
  vm_security_.load();
}

void InfrastructureFold::on(const FoldContext& ctx, const domain::PoolCreated& e) {
  define(pools_, ctx).pool = e.pool;
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::PoolUpdated& e) {
  define(pools_, ctx).pool = e.pool;
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::PoolDeleted&) {
  pools_.erase(key_of(ctx));
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::StoragePoolCreated& e) {
  define(storage_pools_, ctx).pool = e.pool;
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::StoragePoolUpdated& e) {
  define(storage_pools_, ctx).pool = e.pool;
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::StoragePoolDeleted&) {
  storage_pools_.erase(key_of(ctx));
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::AddressPoolCreated& e) {
  define(address_pools_, ctx).pool = e.pool;
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::AddressPoolUpdated& e) {
  define(address_pools_, ctx).pool = e.pool;
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::AddressPoolDeleted&) {
  address_pools_.erase(key_of(ctx));
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::AddressRangeAdded& e) {
  AddressPoolRow* row = address_pools_.find(key_of(ctx));
  if (row == nullptr) return;
  const auto place = std::find_if(row->ranges.begin(), row->ranges.end(),
                                  [&](const auto& r) { return r.start > e.range.start; });
  row->ranges.insert(place, e.range);
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::AddressRangeRemoved& e) {
  AddressPoolRow* row = address_pools_.find(key_of(ctx));
  if (row == nullptr) return;
  std::erase_if(row->ranges, [&](const auto& r) { return r.kind == e.kind && r.start == e.start; });
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::TemplateDefined& e) {
  define(templates_, ctx).system = e.system;
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::TemplateDeleted&) {
  templates_.erase(key_of(ctx));
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::SecurityGroupDefined& e) {
  define(security_groups_, ctx).group = e.group;
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::SecurityGroupDeleted&) {
  security_groups_.erase(key_of(ctx));
}

// ---- what VMs have of it: most have nothing ----

void InfrastructureFold::on(const FoldContext& ctx, const domain::VmSecurityChanged& e) {
  VmSecurityRow& row = define(vm_security_, ctx);
  row.vm = domain::VmId(ctx.event.stream.id);
  row.tenant = ctx.envelope.tenant;
  row.policy = e.policy;
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::VmRequested& e) {
  if (e.spec.address_pool.empty()) return;
  AddressRow& row = define(addresses_, ctx);
  row.vm = domain::VmId(ctx.event.stream.id);
  row.pool = e.spec.address_pool;
  row.ipv4 = e.spec.ipv4;
  row.tenant = e.spec.project.empty() ? ctx.envelope.tenant : e.spec.project;
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::VmDeleted&) {
  if (addresses_.rows().empty() && vm_security_.rows().empty()) return;
  const std::string key = key_of(ctx);
  if (addresses_.rows().contains(key)) addresses_.erase(key);
  if (vm_security_.rows().contains(key)) vm_security_.erase(key);
}

// ---- notes ----

void InfrastructureFold::on(const FoldContext& ctx, const domain::AuditNoted& e) {
  notes_.push_back({key_of(ctx), {ctx.seq, ctx.time(), e.content}});
}
void InfrastructureFold::on(const FoldContext& ctx, const domain::AuditHidden& e) {
  for (const std::uint64_t seq : e.entries) hidden_.push_back({key_of(ctx), seq});
}

void InfrastructureFold::flush() {
  pools_.flush();
  storage_pools_.flush();
  address_pools_.flush();
  addresses_.flush();
  templates_.flush();
  security_groups_.flush();
  vm_security_.flush();
  for (const Note& note : notes_) {
    insert_note_.run(note.row.seq, note.tenant, note.row.time, note.row.content);
  }
  for (const Hiding& hiding : hidden_) hide_note_.run(hiding.seq, hiding.tenant);
  notes_.clear();
  hidden_.clear();
}

}  // namespace slipway::eventstore
