#include "eventstore/projections/catalog_fold.hpp"

namespace slipway::eventstore {

using domain::ImageState;

namespace {

// What its stream is known by: the name that somebody chose, or the UUID as text.
std::string key_of(const FoldContext& ctx) {
  const domain::StreamId& stream = ctx.event.stream;
  return stream.name.empty() ? base::to_string(stream.id) : stream.name;
}

// A thing that is defined again keeps its place in lists.
template <class Row>
Row& define(CatalogTable<Row>& table, const FoldContext& ctx) {
  Row& row = table.touch(key_of(ctx));
  if (row.created_seq == 0) row.created_seq = ctx.seq;
  if constexpr (requires { row.created_at; }) {
    if (row.created_seq == ctx.seq) row.created_at = ctx.time();
  }
  if constexpr (requires { row.updated_at; }) row.updated_at = ctx.time();
  return row;
}

}  // namespace

CatalogFold::CatalogFold(Database& db, Tallies& tallies)
    : tallies_(tallies),
      images_(db, "images"),
      flavors_(db, "flavors"),
      networks_(db, "networks"),
      hosts_(db, "hosts"),
      backends_(db, "backends"),
      projects_(db, "projects"),
      users_(db, "users"),
      tokens_(db, "tokens") {}

void CatalogFold::load() {
  images_.load();
  flavors_.load();
  networks_.load();
  hosts_.load();
  backends_.load();
  projects_.load();
  users_.load();
  tokens_.load();
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

Directory CatalogFold::directory() const {
  Directory out;
  for (const auto& [key, row] : users_.rows()) out.users.emplace(row.user.name, row);
  for (const auto& [key, row] : tokens_.rows()) out.tokens.emplace(row.token.sha256_hex, row);
  for (const auto& [key, row] : projects_.rows()) out.projects.emplace(row.project.name, row);
  return out;
}

void CatalogFold::flush() {
  people_changed_ = projects_.changed() || users_.changed() || tokens_.changed();
  images_.flush();
  flavors_.flush();
  networks_.flush();
  hosts_.flush();
  backends_.flush();
  projects_.flush();
  users_.flush();
  tokens_.flush();
}

}  // namespace slipway::eventstore
