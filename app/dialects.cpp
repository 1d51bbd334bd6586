#include "app/dialects.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "api/core_api/sql_routes.hpp"
#include "app/listeners.hpp"
#include "app/secret_file.hpp"
#include "core/domain/demo_catalog.hpp"
#include "metrics/log.hpp"

namespace slipway::app {
namespace {

using api::Door;

api::SqlPool::Options sql_options(const SqlConfig& c) {
  api::SqlPool::Options o;
  o.threads = static_cast<unsigned>(c.threads);
  o.per_tenant = static_cast<unsigned>(c.max_per_tenant);
  o.limits.text_bytes = c.max_text_bytes;
  o.limits.tokens = c.max_tokens;
  o.limits.depth = c.max_depth;
  o.limits.joins = c.max_joins;
  o.limits.statements = c.max_statements;
  o.limits.time = c.timeout;
  o.limits.rows_scanned = c.max_rows_scanned;
  o.limits.rows = c.max_rows;
  o.limits.memory_bytes = c.max_memory_bytes;
  o.limits.value_bytes = c.max_value_bytes;
  return o;
}

api::Orchestrator::Options orchestrator_options(const OrchestratorConfig& c) {
  api::Orchestrator::Options o;
  o.tenant = c.tenant;
  o.default_cloud = c.default_cloud;
  o.require_token = c.require_token;
  o.release_destroys = c.release_destroys;
  return o;
}

api::Reservation::Options reservation_options(const Config& config) {
  api::Reservation::Options o;
  const bool modern = config.reservation.profile == "modern";
  o.modern.set(modern);
  o.accept_any_token.set(config.reservation.accept_any_token);
  const std::uint64_t minutes = config.lease.before_end_minutes;
  o.before_end_lead.set(std::chrono::minutes(minutes != 0 ? minutes : modern ? 60 : 2880));
  return o;
}

// "<id> <secret>" a line, and perhaps the group that it signs for.
base::Result<std::vector<api::nano::CoreKey>> core_keys(const SecretFile& file) {
  std::vector<api::nano::CoreKey> keys;
  if (file.empty()) return keys;
  const auto text = read_secret(file);
  if (!text) return base::fail(text.error());
  std::istringstream lines{std::string(text->reveal())};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string id, secret, group = std::string(domain::kDemoProject);
    if (!(words >> id) || id.starts_with('#')) continue;
    if (!(words >> secret)) {
      return base::fail(base::Errc::InvalidArgument,
                        "nano.core_keys_file: a line is no \"<id> <secret>\"");
    }
    words >> group;
    keys.push_back({id, base::Secret(std::move(secret)), group});
  }
  return keys;
}

base::Result<api::nano::Options> nano_options(const NanoConfig& c) {
  api::nano::Options o;
  o.session_timeout = c.session_timeout;
  o.strict_passwords = c.password_policy == "strict";
  auto keys = core_keys(c.core_keys_file);
  if (!keys) return base::fail(keys.error());
  o.core_keys = std::move(*keys);
  return o;
}

}  // namespace

base::Result<std::unique_ptr<Dialects>> Dialects::open(const Config& config, Engine& engine,
                                                       api::CoreApi& core) {
  auto images =
      api::ImageFiles::open({.directory = std::filesystem::path(config.server.data_dir) / "images",
                             .max_bytes = config.http.max_upload_bytes});
  if (!images) return base::fail(images.error());
  auto nano = nano_options(config.nano);
  if (!nano) return base::fail(nano.error());
  nano->images = images->get();
  return std::unique_ptr<Dialects>(
      new Dialects(config, engine, core, std::move(*images), std::move(*nano)));
}

Dialects::Dialects(const Config& config, Engine& engine, api::CoreApi& core,
                   std::unique_ptr<api::ImageFiles> images, api::nano::Options nano)
    : config_(config),
      engine_(engine),
      core_(core),
      vmfront_(core.services(), core.authenticator(), core.submitter()),
      sql_(engine.read_models(), engine.log(), sql_options(config.sql)),
      perspective_(
          core.services(), core.authenticator(), core.submitter(), sql_, mail_,
          api::Perspective::Options{config.perspective.tenant, config.perspective.require_token}),
      reservation_(core.services(), core.authenticator(), core.submitter(),
                   reservation_options(config)),
      nano_(core.services(), core.authenticator(), core.submitter(), core.watch(), std::move(nano)),
      images_(std::move(images)),
      orchestrator_(core.services(), core.authenticator(), core.submitter(),
                    orchestrator_options(config.orchestrator)) {
  core.guard().open(Door::VmFront, vmfront_.door());
  core.guard().open(Door::Perspective, perspective_.door());
  core.guard().open(Door::Reservation, reservation_.door());
  core.guard().open(Door::Nano, nano_.door());
  core.guard().open(Door::Orchestrator, orchestrator_.door());
  // Not before: what ended in an earlier run is no news.
  engine_.projector().add_batch_listener(mail_);
}

void Dialects::reload(const Config& fresh) { reservation_.set(reservation_options(fresh)); }

void Dialects::mount(api::Router& router) {
  router.mount("/core/v1", api::sql_routes(core_.services(), sql_));
  router.mount("/api", vmfront_.routes(), api::VmFront::mount_options());
  router.mount("/d/vmfront", vmfront_.routes(), api::VmFront::mount_options());
  router.mount("/d/perspective", perspective_.routes(), api::Perspective::mount_options());
  reservation_.mount(router, "/d/reservation");
  nano_.mount(router, "/d/nano");
  orchestrator_.mount(router, "/d/orchestrator");
}

base::Status Dialects::listen(api::Server& server, const NewRouter& new_router) {
  auto reservation = new_router();
  reservation_.mount(*reservation, "");
  auto status = listen(server, "reservation", config_.reservation.listen,
                       ReservationConfig().listen, std::move(reservation));
  if (!status) return status;
  for (const auto& [name, address, standard] :
       {std::tuple{api::nano::kUserListener, config_.nano.user_listen, NanoConfig().user_listen},
        std::tuple{api::nano::kCoreListener, config_.nano.core_listen, NanoConfig().core_listen}}) {
    auto nano = new_router();
    nano_.mount(*nano, "");
    status = listen(server, name, address, standard, std::move(nano));
    if (!status) return status;
  }
  auto orchestrator = new_router();
  orchestrator_.mount(*orchestrator, "");
  status = listen(server, api::Orchestrator::kListener, config_.orchestrator.listen,
                  OrchestratorConfig().listen, std::move(orchestrator));
  if (!status) return status;
  auto perspective = new_router();
  perspective->mount("", perspective_.routes(), api::Perspective::mount_options());
  return listen(server, "perspective", config_.perspective.listen, PerspectiveConfig().listen,
                std::move(perspective));
}

base::Status Dialects::listen(api::Server& server, std::string_view name,
                              const std::string& address, const std::string& standard,
                              std::shared_ptr<api::Router> router) const {
  const TextList& wanted = config_.server.listeners;
  if (address.empty() || std::find(wanted.begin(), wanted.end(), name) == wanted.end()) return {};
  const auto at = listen_on(server, address, std::string(name), std::move(router));
  if (at) {
    metrics::log_info("a dialect listens", {{"listener", name}, {"address", *at}});
    return {};
  }
  if (address != standard) return base::fail(at.error());
  metrics::log_warn("a dialect's default port is taken: it is served below its prefix alone",
                    {{"listener", name}, {"address", address}, {"error", at.error()}});
  return {};
}

void Dialects::stop() {
  sql_.stop();
  engine_.projector().remove_batch_listener(mail_);
}

void Dialects::show(metrics::Instruments& m) const {
  m.http_rejected.with("sql_busy").raise_to(sql_.refused());
  m.http_rejected.with("mail_dropped").raise_to(mail_.dropped());
}

}  // namespace slipway::app
