#include "app/dialects.hpp"

#include <algorithm>

#include "app/listeners.hpp"
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

api::Reservation::Options reservation_options(const Config& config) {
  api::Reservation::Options o;
  const bool modern = config.reservation.profile == "modern";
  o.modern.set(modern);
  o.accept_any_token.set(config.reservation.accept_any_token);
  const std::uint64_t minutes = config.lease.before_end_minutes;
  o.before_end_lead.set(std::chrono::minutes(minutes != 0 ? minutes : modern ? 60 : 2880));
  return o;
}

}  // namespace

Dialects::Dialects(const Config& config, Engine& engine, api::CoreApi& core)
    : config_(config),
      engine_(engine),
      vmfront_(core.services(), core.authenticator(), core.submitter()),
      sql_(engine.read_models(), engine.log(), sql_options(config.sql)),
      perspective_(
          core.services(), core.authenticator(), core.submitter(), sql_, mail_,
          api::Perspective::Options{config.perspective.tenant, config.perspective.require_token}),
      reservation_(core.services(), core.authenticator(), core.submitter(),
                   reservation_options(config)) {
  core.guard().open(Door::VmFront, vmfront_.door());
  core.guard().open(Door::Perspective, perspective_.door());
  core.guard().open(Door::Reservation, reservation_.door());
  // Not before: what ended in an earlier run is no news.
  engine_.projector().add_batch_listener(mail_);
}

void Dialects::reload(const Config& fresh) { reservation_.set(reservation_options(fresh)); }

void Dialects::mount(api::Router& router) {
  router.mount("/api", vmfront_.routes(), api::VmFront::mount_options());
  router.mount("/d/vmfront", vmfront_.routes(), api::VmFront::mount_options());
  router.mount("/d/perspective", perspective_.routes(), api::Perspective::mount_options());
  reservation_.mount(router, "/d/reservation");
}

base::Status Dialects::listen(api::Server& server, const NewRouter& new_router) {
  auto reservation = new_router();
  reservation_.mount(*reservation, "");
  auto status = listen(server, "reservation", config_.reservation.listen,
                       ReservationConfig().listen, std::move(reservation));
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
