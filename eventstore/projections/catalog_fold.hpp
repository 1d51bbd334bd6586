#pragma once
// What a cloud has, and people: images, flavors, networks, hosts, backends, projects, users,
// tokens, roles, groups, sessions.
#include "core/domain/events.hpp"
#include "eventstore/directory.hpp"
#include "eventstore/projections/catalog_table.hpp"
#include "eventstore/projections/fold_context.hpp"
#include "eventstore/projections/tallies.hpp"

namespace slipway::eventstore {

class CatalogFold {
 public:
  CatalogFold(Database& db, Tallies& tallies);
  void load();

  void on(const FoldContext&, const domain::ImageRegistered&);
  void on(const FoldContext&, const domain::ImageSaving&);
  void on(const FoldContext&, const domain::ImageQueued&);
  void on(const FoldContext&, const domain::ImageStored&);
  void on(const FoldContext&, const domain::ImageUpdated&);
  void on(const FoldContext&, const domain::ImageSaved&);
  void on(const FoldContext&, const domain::ImageFailed&);
  void on(const FoldContext&, const domain::ImageDeleting&);
  void on(const FoldContext&, const domain::ImageDeleted&);
  void on(const FoldContext&, const domain::FlavorDefined&);
  void on(const FoldContext&, const domain::NetworkDefined&);
  void on(const FoldContext&, const domain::HostAttached&);
  void on(const FoldContext&, const domain::BackendRegistered&);
  void on(const FoldContext&, const domain::ProjectCreated&);
  void on(const FoldContext&, const domain::ProjectQuotaSet&);
  void on(const FoldContext&, const domain::UserCreated&);
  void on(const FoldContext&, const domain::UserPasswordChanged&);
  void on(const FoldContext&, const domain::UserDeleted&);
  void on(const FoldContext&, const domain::TokenCreated&);
  void on(const FoldContext&, const domain::TokenDeleted&);
  void on(const FoldContext&, const domain::HostDetached&);
  void on(const FoldContext&, const domain::HostEnabled&);
  void on(const FoldContext&, const domain::HostDisabled&);
  void on(const FoldContext&, const domain::HostLost&);
  void on(const FoldContext&, const domain::HostSeen&);
  void on(const FoldContext&, const domain::UserUpdated&);
  void on(const FoldContext&, const domain::RoleCreated&);
  void on(const FoldContext&, const domain::RoleUpdated&);
  void on(const FoldContext&, const domain::RoleDeleted&);
  void on(const FoldContext&, const domain::GroupCreated&);
  void on(const FoldContext&, const domain::GroupUpdated&);
  void on(const FoldContext&, const domain::GroupDeleted&);
  void on(const FoldContext&, const domain::GroupMemberAdded&);
  void on(const FoldContext&, const domain::GroupMemberRemoved&);
  void on(const FoldContext&, const domain::SessionOpened&);
  void on(const FoldContext&, const domain::SessionClosed&);
  template <class E>
  void on(const FoldContext&, const E&) {}

  void flush();
  bool people_changed() const { return people_changed_; }  // by the last flush()
  Directory directory() const;                             // `seq` is left to the caller

 private:
  ImageRow* touch_image(const FoldContext&);
  ImageRow& new_image(const FoldContext&, const domain::Image&, domain::ImageState);
  void become(ImageRow& row, domain::ImageState state);

  Tallies& tallies_;
  CatalogTable<ImageRow> images_;
  CatalogTable<FlavorRow> flavors_;
  CatalogTable<NetworkRow> networks_;
  CatalogTable<HostRow> hosts_;
  CatalogTable<BackendRow> backends_;
  CatalogTable<ProjectRow> projects_;
  CatalogTable<UserRow> users_;
  CatalogTable<TokenRow> tokens_;
  CatalogTable<RoleRow> roles_;
  CatalogTable<GroupRow> groups_;
  CatalogTable<LoginRow> logins_;
  bool people_changed_ = false;
};

}  // namespace slipway::eventstore
