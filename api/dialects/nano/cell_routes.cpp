// /compute_pool_cells/: which cells are in which pool.
#include "api/dialects/nano/infrastructure.hpp"
#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

constexpr std::string_view kMenu = "compute_pool";

void write_cell(base::JsonWriter& w, const domain::Host& host, bool alive) {
  w.member("name", host.name).member("address", host.address);
  w.member("enabled", host.enabled).member("alive", alive);
}

// Those in `pool`; those in none for "".
void answer_cells(Context& context, eventstore::Reader& reader, const Client& client,
                  std::string_view pool) {
  const auto liveness = Liveness::of(context.services, reader);
  if (!liveness) return client.fail(liveness.error());
  const auto hosts = all_hosts(reader);
  if (!hosts) return client.fail(hosts.error());
  base::JsonWriter w;
  w.begin_array();
  for (const eventstore::HostRow& row : *hosts) {
    if (row.host.pool != pool) continue;
    w.begin_object();
    write_cell(w, row.host, liveness->alive(row.host));
    w.end_object();
  }
  client.send(success(w.end_array().view()));
}

void list_free(Context& context, Call call) {
  ask(context, std::move(call),
      [&context](const Call&, eventstore::Reader& reader, const Client& client) {
        answer_cells(context, reader, client, "");
      });
}

void list_pool(Context& context, Call call) {
  ask(context, std::move(call),
      [&context](const Call& asked, eventstore::Reader& reader, const Client& client) {
        const auto pool = find_pool(reader, asked.params["pool"]);
        if (!pool) return client.fail(pool.error());
        answer_cells(context, reader, client, pool->name);
      });
}

// The storage of a cell is that of its pool; it is attached while the cell is alive.
void show_cell(Context& context, Call call) {
  ask(context, std::move(call),
      [&context](const Call& asked, eventstore::Reader& reader, const Client& client) {
        const auto pool = find_pool(reader, asked.params["pool"]);
        if (!pool) return client.fail(pool.error());
        const auto cell = find_cell(reader, pool->name, asked.params["cell"]);
        if (!cell) return client.fail(cell.error());
        const auto liveness = Liveness::of(context.services, reader);
        if (!liveness) return client.fail(liveness.error());
        const bool alive = liveness->alive(cell->host);
        base::JsonWriter w;
        w.begin_object();
        write_cell(w, cell->host, alive);
        w.key("storage").begin_array();
        if (!pool->storage.empty()) {
          w.begin_object().member("name", pool->storage).member("attached", alive);
          if (!alive) w.member("error", "the cell is offline");
          w.end_object();
        }
        client.send(success(w.end_array().end_object().view()));
      });
}

std::string param(const Call& call, std::string_view name) {
  return std::string(call.params[name]);
}

void attach(Context& context, const Call& call) {
  command(context, call, domain::AttachHost{param(call, "pool"), param(call, "cell")});
}
void detach(Context& context, const Call& call) {
  command(context, call, domain::DetachHost{param(call, "pool"), param(call, "cell")});
}
void set_enabled(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  const auto enabled = maybe_flag(body, "enable");
  if (!enabled) body.require("enable");
  if (!errors.empty()) return client_of(call).fail(errors.error());
  command(context, call,
          domain::SetHostEnabled{param(call, "pool"), param(call, "cell"), *enabled});
}

}  // namespace

void cell_routes(Area& area) {
  const std::string cell = "/compute_pool_cells/{pool}/{cell}";
  area.get("/compute_pool_cells/", list_free);
  area.get("/compute_pool_cells/{pool}", list_pool);
  area.get(cell, show_cell);
  area.change(Method::Post, cell, std::string(kMenu), attach);
  area.change(Method::Delete, cell, std::string(kMenu), detach);
  area.change(Method::Put, cell, std::string(kMenu), set_enabled);
}

}  // namespace slipway::api::nano
