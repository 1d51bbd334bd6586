#pragma once
// Pools, storage, addresses and who has them, templates, security; and notes.
#include "core/domain/events.hpp"
#include "eventstore/projections/catalog_table.hpp"
#include "eventstore/projections/fold_context.hpp"

namespace slipway::eventstore {

class InfrastructureFold {
 public:
  explicit InfrastructureFold(Database& db);
  void load();

  void on(const FoldContext&, const domain::PoolCreated&);
  void on(const FoldContext&, const domain::PoolUpdated&);
  void on(const FoldContext&, const domain::PoolDeleted&);
  void on(const FoldContext&, const domain::StoragePoolCreated&);
  void on(const FoldContext&, const domain::StoragePoolUpdated&);
  void on(const FoldContext&, const domain::StoragePoolDeleted&);
  void on(const FoldContext&, const domain::AddressPoolCreated&);
  void on(const FoldContext&, const domain::AddressPoolUpdated&);
  void on(const FoldContext&, const domain::AddressPoolDeleted&);
  void on(const FoldContext&, const domain::AddressRangeAdded&);
  void on(const FoldContext&, const domain::AddressRangeRemoved&);
  void on(const FoldContext&, const domain::TemplateDefined&);
  void on(const FoldContext&, const domain::TemplateDeleted&);
  void on(const FoldContext&, const domain::SecurityGroupDefined&);
  void on(const FoldContext&, const domain::SecurityGroupDeleted&);
  void on(const FoldContext&, const domain::VmSecurityChanged&);
  void on(const FoldContext&, const domain::VmRequested&);
  void on(const FoldContext&, const domain::VmDeleted&);
  void on(const FoldContext&, const domain::AuditNoted&);
  void on(const FoldContext&, const domain::AuditHidden&);
  template <class E>
  void on(const FoldContext&, const E&) {}

  void flush();

 private:
  struct Note {
    std::string tenant;
    AuditRow row;
  };
  struct Hiding {
    std::string tenant;
    domain::Seq seq;
  };

  CatalogTable<PoolRow> pools_;
  CatalogTable<StoragePoolRow> storage_pools_;
  CatalogTable<AddressPoolRow> address_pools_;
  CatalogTable<AddressRow> addresses_;  // by VM
  CatalogTable<TemplateRow> templates_;
  CatalogTable<SecurityGroupRow> security_groups_;
  CatalogTable<VmSecurityRow> vm_security_;
  std::vector<Note> notes_;
  std::vector<Hiding> hidden_;
  Statement insert_note_, hide_note_;
};

}  // namespace slipway::eventstore
