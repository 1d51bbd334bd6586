#include "eventstore/projections/catalog_fold.hpp"

namespace slipway::eventstore {

using domain::ImageState;

std::string key_of(const FoldContext& ctx) {
  const domain::StreamId& stream = ctx.event.stream;
  return stream.name.empty() ? base::to_string(stream.id) : stream.name;
}

CatalogFold::CatalogFold(Database& db, Tallies& tallies)
    : tallies_(tallies),
      images_(db, "images"),
      flavors_(db, "flavors"),
      networks_(db, "networks"),
      hosts_(db, "hosts"),
      backends_(db, "backends"),
      projects_(db, "projects"),
      users_(db, "users"),
      tokens_(db, "tokens"),
      roles_(db, "roles"),
      groups_(db, "groups"),
      logins_(db, "logins") {}

void CatalogFold::load() {
  images_.load();
  flavors_.load();
  networks_.load();
  hosts_.load();
  backends_.load();
  projects_.load();
  users_.load();
  tokens_.load();
  roles_.load();
  groups_.load();
  logins_.load();
}

// ---- images ----

void CatalogFold::on(const FoldContext& ctx, const domain::ImageRegistered& e) {
  new_image(ctx, e.image, ImageState::Saved);
}
void CatalogFold::on(const FoldContext& ctx, const domain::ImageSaving& e) {
  new_image(ctx, e.image, ImageState::Saving).task = e.task;
}

ImageRow& CatalogFold::new_image(const FoldContext& ctx, const domain::Image& image,
                                 ImageState state) {
  ImageRow& row = define(images_, ctx);
  if (row.version > 0) tallies_.add(Tally::ImagesByState, tallies_.label(row.state), 0, 0, -1);
  tallies_.add(Tally::ImagesByState, tallies_.label(state));
  row.image = image;
  row.state = state;
  row.seq = ctx.seq;
  ++row.version;
  return row;
}

ImageRow* CatalogFold::touch_image(const FoldContext& ctx) {
  ImageRow* row = images_.find(key_of(ctx));
  if (row == nullptr) return nullptr;
  row->seq = ctx.seq;
  row->updated_at = ctx.time();
  ++row->version;
  return row;
}

void CatalogFold::become(ImageRow& row, ImageState state) {
  tallies_.add(Tally::ImagesByState, tallies_.label(row.state), 0, 0, -1);
  if (state != ImageState::Deleted) tallies_.add(Tally::ImagesByState, tallies_.label(state));
  row.state = state;
  row.task = {};
}

void CatalogFold::on(const FoldContext& ctx, const domain::ImageSaved& e) {
  ImageRow* row = touch_image(ctx);
  if (row == nullptr) return;
  become(*row, ImageState::Saved);
  row->image.size_bytes = e.size_bytes;
  if (!e.backend_ref.empty()) row->image.backend_ref = e.backend_ref;
  row->error.clear();
}
void CatalogFold::on(const FoldContext& ctx, const domain::ImageQueued& e) {
  new_image(ctx, e.image, ImageState::Queued);
}
void CatalogFold::on(const FoldContext& ctx, const domain::ImageStored& e) {
  ImageRow* row = touch_image(ctx);
  if (row == nullptr) return;
  become(*row, ImageState::Saved);
  row->image.size_bytes = e.size_bytes;
  row->image.checksum_md5 = e.checksum_md5;
  row->image.checksum_sha512 = e.checksum_sha512;
  if (!row->image.traits) row->image.traits.emplace();
  row->image.traits->stored = true;
  row->error.clear();
}
void CatalogFold::on(const FoldContext& ctx, const domain::ImageUpdated& e) {
  ImageRow* row = touch_image(ctx);
  if (row == nullptr) return;
  row->image.name = e.name;
  row->image.traits = e.traits;
}
void CatalogFold::on(const FoldContext& ctx, const domain::ImageFailed& e) {
  ImageRow* row = touch_image(ctx);
  if (row == nullptr) return;
  become(*row, ImageState::Error);
  row->error = e.reason;
}
void CatalogFold::on(const FoldContext& ctx, const domain::ImageDeleting& e) {
  ImageRow* row = touch_image(ctx);
  if (row == nullptr) return;
  become(*row, ImageState::Deleting);
  row->task = e.task;
}
void CatalogFold::on(const FoldContext& ctx, const domain::ImageDeleted&) {
  ImageRow* row = touch_image(ctx);
  if (row == nullptr) return;
  become(*row, ImageState::Deleted);
  images_.erase(key_of(ctx));
}

// ---- what a cloud has ----

void CatalogFold::on(const FoldContext& ctx, const domain::FlavorDefined& e) {
  define(flavors_, ctx).flavor = e.flavor;
}
void CatalogFold::on(const FoldContext& ctx, const domain::NetworkDefined& e) {
  define(networks_, ctx).network = e.network;
}
void CatalogFold::on(const FoldContext& ctx, const domain::HostAttached& e) {
  define(hosts_, ctx).host = e.host;
}
void CatalogFold::on(const FoldContext& ctx, const domain::HostDetached&) {
  if (HostRow* row = hosts_.find(key_of(ctx))) row->host.pool.clear();
}
void CatalogFold::on(const FoldContext& ctx, const domain::HostEnabled&) {
  if (HostRow* row = hosts_.find(key_of(ctx))) row->host.enabled = true;
}
void CatalogFold::on(const FoldContext& ctx, const domain::HostDisabled&) {
  if (HostRow* row = hosts_.find(key_of(ctx))) row->host.enabled = false;
}
void CatalogFold::on(const FoldContext& ctx, const domain::HostLost&) {
  if (HostRow* row = hosts_.find(key_of(ctx))) row->host.alive = false;
}
void CatalogFold::on(const FoldContext& ctx, const domain::HostSeen&) {
  if (HostRow* row = hosts_.find(key_of(ctx))) row->host.alive = true;
}
void CatalogFold::on(const FoldContext& ctx, const domain::BackendRegistered& e) {
  define(backends_, ctx).backend = e.backend;
}

// ---- people ----

void CatalogFold::on(const FoldContext& ctx, const domain::ProjectCreated& e) {
  define(projects_, ctx).project = e.project;
}
void CatalogFold::on(const FoldContext& ctx, const domain::ProjectQuotaSet& e) {
  if (ProjectRow* row = projects_.find(key_of(ctx))) row->project.quota = e.quota;
}
void CatalogFold::on(const FoldContext& ctx, const domain::UserCreated& e) {
  define(users_, ctx).user = e.user;
}
void CatalogFold::on(const FoldContext& ctx, const domain::UserPasswordChanged& e) {
  if (UserRow* row = users_.find(key_of(ctx))) row->user.password = e.password;
}
void CatalogFold::on(const FoldContext& ctx, const domain::UserDeleted&) {
  users_.erase(key_of(ctx));
}
void CatalogFold::on(const FoldContext& ctx, const domain::TokenCreated& e) {
  define(tokens_, ctx).token = e.token;
}
void CatalogFold::on(const FoldContext& ctx, const domain::TokenDeleted&) {
  tokens_.erase(key_of(ctx));
}

void CatalogFold::on(const FoldContext& ctx, const domain::UserUpdated& e) {
  UserRow* row = users_.find(key_of(ctx));
  if (row == nullptr) return;
  row->user.nick = e.nick;
  row->user.mail = e.mail;
}
void CatalogFold::on(const FoldContext& ctx, const domain::RoleCreated& e) {
  define(roles_, ctx).role = e.role;
}
void CatalogFold::on(const FoldContext& ctx, const domain::RoleUpdated& e) {
  define(roles_, ctx).role = e.role;
}
void CatalogFold::on(const FoldContext& ctx, const domain::RoleDeleted&) {
  roles_.erase(key_of(ctx));
}
void CatalogFold::on(const FoldContext& ctx, const domain::GroupCreated& e) {
  define(groups_, ctx).group = e.group;
}
void CatalogFold::on(const FoldContext& ctx, const domain::GroupUpdated& e) {
  define(groups_, ctx).group = e.group;
}
void CatalogFold::on(const FoldContext& ctx, const domain::GroupDeleted&) {
  groups_.erase(key_of(ctx));
}
void CatalogFold::on(const FoldContext& ctx, const domain::GroupMemberAdded& e) {
  if (UserRow* row = users_.find(e.user)) domain::join(row->user, key_of(ctx));
}
void CatalogFold::on(const FoldContext&, const domain::GroupMemberRemoved& e) {
  if (UserRow* row = users_.find(e.user)) domain::leave(row->user);
}
void CatalogFold::on(const FoldContext& ctx, const domain::SessionOpened& e) {
  define(logins_, ctx).login = e.login;
}
void CatalogFold::on(const FoldContext& ctx, const domain::SessionClosed&) {
  logins_.erase(key_of(ctx));
}

Directory CatalogFold::directory() const {
  Directory out;
  for (const auto& [key, row] : roles_.rows()) out.roles.emplace(row.role.name, row);
  for (const auto& [key, row] : groups_.rows()) out.groups.emplace(row.group.name, row);
  for (const auto& [key, row] : logins_.rows()) out.logins.emplace(row.login.sha256_hex, row);
  for (const auto& [key, row] : users_.rows()) out.users.emplace(row.user.name, row);
  for (const auto& [key, row] : tokens_.rows()) out.tokens.emplace(row.token.sha256_hex, row);
  for (const auto& [key, row] : projects_.rows()) out.projects.emplace(row.project.name, row);
  return out;
}

void CatalogFold::flush() {
  people_changed_ = projects_.changed() || users_.changed() || tokens_.changed() ||
                    roles_.changed() || groups_.changed() || logins_.changed();
  images_.flush();
  flavors_.flush();
  networks_.flush();
  hosts_.flush();
  backends_.flush();
  projects_.flush();
  users_.flush();
  tokens_.flush();
  roles_.flush();
  groups_.flush();
  logins_.flush();
}

}  // namespace slipway::eventstore
