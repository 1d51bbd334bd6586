#pragma once
// To whom VMs are given: a row for each VM that is, until it is released or deleted.
#include "core/domain/events.hpp"
#include "eventstore/projections/catalog_table.hpp"
#include "eventstore/projections/fold_context.hpp"

namespace slipway::eventstore {

class AssignmentFold {
 public:
  explicit AssignmentFold(Database& db) : rows_(db, "assignments") {}
  void load() { rows_.load(); }
  void flush() { rows_.flush(); }

  void on(const FoldContext& ctx, const domain::VmAssigned& e) {
    const domain::VmId vm(ctx.event.stream.id);
    rows_.touch(base::to_string(vm)) = {
        ctx.seq, ctx.envelope.tenant, {vm, e.number, e.user, e.vm_type}};
  }
  void on(const FoldContext& ctx, const domain::VmReleased&) { forget(ctx); }
  void on(const FoldContext& ctx, const domain::VmDeleted&) { forget(ctx); }
  template <class E>
  void on(const FoldContext&, const E&) {}

 private:
  void forget(const FoldContext& ctx) {
    const std::string key = base::to_string(ctx.event.stream.id);
    if (rows_.rows().contains(key)) rows_.erase(key);
  }
  CatalogTable<AssignmentRow> rows_;
};

}  // namespace slipway::eventstore
