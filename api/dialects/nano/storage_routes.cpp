// /storage_pools/, and where a cell keeps its volumes.
#include <fmt/format.h>

#include <algorithm>

#include "api/dialects/nano/infrastructure.hpp"
#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;

constexpr std::string_view kMenu = "storage_pool";

void write_pool(base::JsonWriter& w, const domain::StoragePool& pool) {
  w.member("type", pool.type).member("host", pool.host).member("target", pool.target);
}

void list_pools(Context& context, Call call) {
  ask(context, std::move(call), [](const Call&, eventstore::Reader& reader, const Client& client) {
    const auto pools = reader.storage_pools();
    if (!pools) return client.fail(pools.error());
    base::JsonWriter w;
    w.begin_array();
    for (const auto& row : pools->value) {
      w.begin_object().member("name", row.pool.name);
      write_pool(w, row.pool);
      w.end_object();
    }
    client.send(success(w.end_array().view()));
  });
}

base::Result<domain::StoragePool> find_storage(eventstore::Reader& reader, std::string_view name) {
  const auto pools = reader.storage_pools();
  if (!pools) return base::fail(pools.error());
  for (const auto& row : pools->value) {
    if (row.pool.name == name) return row.pool;
  }
  return base::fail(Errc::NotFound, fmt::format("invalid storage pool '{}'", name));
}

void show_pool(Context& context, Call call) {
  ask(context, std::move(call),
      [](const Call& asked, eventstore::Reader& reader, const Client& client) {
        const auto pool = find_storage(reader, asked.params["pool"]);
        if (!pool) return client.fail(pool.error());
        base::JsonWriter w;
        w.begin_object();
        write_pool(w, *pool);
        client.send(success(w.end_object().view()));
      });
}

void create_pool(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::StoragePool pool;
  pool.name = call.params["pool"];
  pool.type = body.text("type", {.required = true});
  pool.host = body.text("host");
  pool.target = body.text("target");
  if (!errors.empty()) return client_of(call).fail(errors.error());
  if (!is_plain_name(pool.name)) {
    return client_of(call).send(failure("only '0~9a~Z_.-' allowed in a pool name"));
  }
  command(context, call, domain::CreateStoragePool{std::move(pool)});
}

void update_pool(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::UpdateStoragePool update;
  update.name = call.params["pool"];
  update.type = maybe_text(body, "type");
  update.host = maybe_text(body, "host");
  update.target = maybe_text(body, "target");
  if (!errors.empty()) return client_of(call).fail(errors.error());
  command(context, call, std::move(update));
}

void delete_pool(Context& context, const Call& call) {
  command(context, call, domain::DeleteStoragePool{std::string(call.params["pool"])});
}

// A cell keeps its volumes where its pool says: in the storage pool, or on its own disks.
void show_cell_storage(Context& context, Call call) {
  ask(context, std::move(call),
      [](const Call& asked, eventstore::Reader& reader, const Client& client) {
        const auto pool = find_pool(reader, asked.params["pool"]);
        if (!pool) return client.fail(pool.error());
        const auto cell = find_cell(reader, pool->name, asked.params["cell"]);
        if (!cell) return client.fail(cell.error());
        base::JsonWriter w;
        w.begin_object();
        if (pool->storage.empty()) {
          w.member("mode", "local").key("system").begin_array().end_array();
          w.key("data").begin_array().end_array();
        } else {
          const auto storage = find_storage(reader, pool->storage);
          if (!storage) return client.fail(storage.error());
          w.member("mode", storage->type).key("system").begin_array().end_array();
          w.key("data").begin_array().value(storage->target).end_array();
        }
        client.send(success(w.end_object().view()));
      });
}

// The default names the storage pool whose target it is; it then holds for the cell's whole pool.
void put_cell_storage(Context& context, Call call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  const std::string wanted = body.text("default", {.required = true});
  if (!errors.empty()) return client_of(call).fail(errors.error());
  ask(context, std::move(call),
      [&context, wanted](const Call& asked, eventstore::Reader& reader, const Client& client) {
        const auto cell = find_cell(reader, asked.params["pool"], asked.params["cell"]);
        if (!cell) return client.fail(cell.error());
        const auto pools = reader.storage_pools();
        if (!pools) return client.fail(pools.error());
        const auto it = std::find_if(
            pools->value.begin(), pools->value.end(),
            [&](const auto& row) { return row.pool.target == wanted || row.pool.name == wanted; });
        if (it == pools->value.end()) {
          return client.fail(Errc::NotFound, fmt::format("no storage at '{}'", wanted));
        }
        domain::UpdatePool update;
        update.name = cell->host.pool;
        update.storage = it->pool.name;
        command(context, asked, std::move(update));
      });
}

}  // namespace

void storage_routes(Area& area) {
  const std::string pool = "/storage_pools/{pool}";
  area.get("/storage_pools/", list_pools);
  area.get(pool, show_pool);
  area.change(Method::Post, pool, std::string(kMenu), create_pool);
  area.change(Method::Put, pool, std::string(kMenu), update_pool);
  area.change(Method::Delete, pool, std::string(kMenu), delete_pool);
  const std::string cell = "/compute_cell_status/{pool}/{cell}/storages/";
  area.get(cell, show_cell_storage);
  area.change(Method::Put, cell, std::string(kMenu), put_cell_storage);
}

}  // namespace slipway::api::nano
