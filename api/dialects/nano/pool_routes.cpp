// /compute_pools/: pools of cells, which is what hosts are called here.
#include <fmt/format.h>

#include <algorithm>

#include "api/dialects/nano/infrastructure.hpp"
#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;

constexpr std::string_view kMenu = "compute_pool";
constexpr std::size_t kMaxCells = 1000;

void write_pool(base::JsonWriter& w, const domain::Pool& pool,
                const std::vector<eventstore::HostRow>& hosts) {
  const auto cells = std::count_if(hosts.begin(), hosts.end(),
                                   [&](const auto& row) { return row.host.pool == pool.name; });
  w.begin_object().member("name", pool.name).member("enabled", pool.enabled);
  w.member("cells", cells).member("storage", pool.storage).member("network", pool.network);
  w.member("failover", pool.failover).end_object();
}

// All pools, or the one of that name.
void show_pools(Context& context, Call call, bool one) {
  ask(context, std::move(call),
      [one](const Call& asked, eventstore::Reader& reader, const Client& client) {
        const auto pools = reader.pools();
        if (!pools) return client.fail(pools.error());
        const auto hosts = all_hosts(reader);
        if (!hosts) return client.fail(hosts.error());
        const std::string_view name = asked.params["pool"];
        base::JsonWriter w;
        bool found = false;
        if (!one) w.begin_array();
        for (const eventstore::PoolRow& row : pools->value) {
          if (one && row.pool.name != name) continue;
          write_pool(w, row.pool, *hosts);
          found = true;
        }
        if (!one) w.end_array();
        if (one && !found) {
          return client.fail(Errc::NotFound, fmt::format("invalid pool '{}'", name));
        }
        client.send(success(w.view()));
      });
}

std::optional<domain::NetworkMode> network_mode(FieldReader& body) {
  const auto text = maybe_text(body, "network_mode");
  if (!text) return std::nullopt;
  const auto mode = base::enum_from_name<domain::NetworkMode>(*text);
  if (!mode) body.errors().add("/network_mode", "wrong-value", "plain, share or mono");
  return mode;
}

void create_pool(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::CreatePool create;
  create.pool.name = call.params["pool"];
  create.pool.network_mode = network_mode(body).value_or(domain::NetworkMode::Plain);
  create.pool.storage = body.text("storage");
  create.pool.network = body.text("network");
  create.pool.failover = body.flag("failover");
  create.hosts = texts(body, "cells", kMaxCells);
  if (!errors.empty()) return client_of(call).fail(errors.error());
  if (!is_plain_name(create.pool.name)) {
    return client_of(call).send(failure("only '0~9a~Z_.-' allowed in a pool name"));
  }
  command(context, call, std::move(create));
}

void update_pool(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::UpdatePool update;
  update.name = call.params["pool"];
  update.enabled = maybe_flag(body, "enable");
  update.network_mode = network_mode(body);
  update.storage = maybe_text(body, "storage");
  update.network = maybe_text(body, "network");
  update.failover = maybe_flag(body, "failover");
  if (!errors.empty()) return client_of(call).fail(errors.error());
  command(context, call, std::move(update));
}

void delete_pool(Context& context, const Call& call) {
  command(context, call, domain::DeletePool{std::string(call.params["pool"])});
}

}  // namespace

void pool_routes(Area& area) {
  const std::string pool = "/compute_pools/{pool}";
  area.get("/compute_pools/",
           [](Context& context, Call call) { show_pools(context, std::move(call), false); });
  area.get(pool, [](Context& context, Call call) { show_pools(context, std::move(call), true); });
  area.change(Method::Post, pool, std::string(kMenu), create_pool);
  area.change(Method::Put, pool, std::string(kMenu), update_pool);
  area.change(Method::Delete, pool, std::string(kMenu), delete_pool);
}

}  // namespace slipway::api::nano
