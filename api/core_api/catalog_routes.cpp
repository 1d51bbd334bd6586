// What a cloud has: images, flavors, networks, hosts, backends, projects; lists and single ones.
#include "api/core_api/context.hpp"
#include "api/core_api/list_query.hpp"
#include "api/core_api/vm_body.hpp"
#include "api/task_body.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using base::JsonWriter;
using eventstore::Reader;
using eventstore::Scope;

void text_or_null(JsonWriter& w, std::string_view name, const std::string& text) {
  w.key(name);
  text.empty() ? w.null() : w.value(text);
}

void write(JsonWriter& w, const eventstore::ImageRow& row) {
  const domain::Image& image = row.image;
  w.begin_object().member("id", image.id).member("name", image.name);
  w.member("state", base::enum_name(row.state)).member("tenant", image.tenant);
  w.member("public", image.is_public).member("disk_format", image.disk_format);
  w.member("size_bytes", image.size_bytes).member("virtual_size_bytes", image.virtual_size_bytes);
  text_or_null(w, "checksum_md5", image.checksum_md5);
  text_or_null(w, "checksum_sha512", image.checksum_sha512);
  w.member("min_ram_mb", image.min_ram_mb).member("min_disk_gb", image.min_disk_gb);
  text_or_null(w, "backend", image.backend);
  text_or_null(w, "backend_ref", image.backend_ref);
  w.member("source_vm", image.source_vm).key("properties");
  base::write_json(w, image.properties);
  w.key("task");
  row.task.is_nil() ? w.null() : w.value(row.task);
  text_or_null(w, "error", row.error);
  w.member("created_at", row.created_at).member("updated_at", row.updated_at);
  w.member("version", row.version).member("seq", row.seq).key("links").begin_object();
  w.member("self", href_of(domain::StreamKind::Image, image.id)).end_object().end_object();
}

void write(JsonWriter& w, const eventstore::FlavorRow& row) {
  const domain::Flavor& f = row.flavor;
  w.begin_object().member("id", f.id).member("name", f.name).member("vcpus", f.vcpus);
  w.member("memory_mb", f.memory_mb).member("disk_gb", f.disk_gb);
  w.member("ephemeral_gb", f.ephemeral_gb).member("swap_mb", f.swap_mb);
  w.member("public", f.is_public).key("links").begin_object();
  w.member("self", "/core/v1/flavors/" + f.id).end_object().end_object();
}

void write(JsonWriter& w, const eventstore::NetworkRow& row) {
  const domain::Network& n = row.network;
  w.begin_object().member("id", n.id).member("name", n.name).member("tenant", n.tenant);
  w.member("shared", n.shared).member("external", n.external).member("mtu", n.mtu);
  w.key("subnets").begin_array();
  for (const base::Uuid& subnet : n.subnets) w.value(subnet);
  w.end_array().key("range");
  if (n.first_ipv4 == 0) {
    w.null();
  } else {
    w.begin_object().member("first", domain::ipv4_text(n.first_ipv4));
    w.member("last", domain::ipv4_text(n.last_ipv4)).end_object();
  }
  w.member("revision", n.revision).member("created_at", row.created_at);
  w.member("updated_at", row.updated_at).key("links").begin_object();
  w.member("self", href_of(domain::StreamKind::Network, n.id)).end_object().end_object();
}

void write_amount(JsonWriter& w, std::string_view name, std::uint64_t capacity, std::int64_t used) {
  w.key(name).begin_object().member("capacity", capacity).member("used", used).end_object();
}

void write(JsonWriter& w, const eventstore::HostRow& row) {
  const domain::Host& h = row.host;
  w.begin_object().member("name", h.name).member("number", h.number).member("backend", h.backend);
  w.member("pool", h.pool).member("address", h.address).member("enabled", h.enabled);
  w.member("alive", h.alive);
  w.member("vms", row.used.vms);
  write_amount(w, "vcpus", h.vcpus, row.used.vcpus);
  write_amount(w, "memory_mb", h.memory_mb, row.used.memory_mb);
  write_amount(w, "disk_gb", h.disk_gb, row.used.disk_gb);
  w.key("links").begin_object().member("self", "/core/v1/hosts/" + h.name);
  w.end_object().end_object();
}

void write(JsonWriter& w, const eventstore::BackendRow& row) {
  const domain::Backend& b = row.backend;
  w.begin_object().member("name", b.name).member("type", b.type);
  w.member("worker_pool", b.worker_pool).member("places_hosts", b.places_hosts);
  w.member("policy", base::enum_name(b.policy));
  w.key("links").begin_object().member("self", "/core/v1/backends/" + b.name);
  w.end_object().end_object();
}

void write(JsonWriter& w, const eventstore::ProjectRow& row) {
  const domain::Project& p = row.project;
  w.begin_object().member("id", p.id).member("name", p.name).member("domain", p.domain);
  w.key("quota");
  base::write_json(w, p.quota);
  w.key("used").begin_object().member("vms", row.used.vms).member("vcpus", row.used.vcpus);
  w.member("memory_mb", row.used.memory_mb).member("disk_gb", row.used.disk_gb);
  w.member("tasks_in_flight", row.tasks_in_flight).end_object();
  w.member("created_at", row.created_at).key("links").begin_object();
  w.member("self", "/core/v1/projects/" + p.name).end_object().end_object();
}

// One list: `find(reader, scope, page)` asks.
template <class Find>
RouteHandler list_of(CoreContext& ctx, std::string_view kind, Find find) {
  return [&ctx, kind, find](Call call) {
    const SharedCall shared = share(std::move(call));
    query_when_current(ctx, shared, [&ctx, shared, kind, find](Reader& reader) {
      const Client client{shared->reply};
      const base::Key& key = ctx.services.options.signing_key;
      QueryReader query(shared->request);
      const ListQuery list = read_list_query(query, kind, key, false);
      if (auto status = query.finish(); !status) return client.fail(status.error());
      const auto page = find(reader, identity_of(*shared).scope(), list.page);
      if (!page) return client.fail(page.error());
      client.send(list_response(shared->request, list, *page, key,
                                [](auto& w, const auto& row) { write(w, row); }));
    });
  };
}

// A single one: `find(reader, scope, id)` asks; `id` is the path's.
template <class Find>
RouteHandler one_of(CoreContext& ctx, std::string_view what, Find find) {
  return [&ctx, what, find](Call call) {
    const SharedCall shared = share(std::move(call));
    query_when_current(ctx, shared, [shared, what, find](Reader& reader) {
      const Client client{shared->reply};
      const std::string_view id = shared->params["id"];
      const auto row = find(reader, identity_of(*shared).scope(), id);
      if (!row) return client.fail(row.error());
      if (!row->value) {
        return client.fail(Errc::NotFound,
                           "no " + std::string(what) + " '" + std::string(id) + "'");
      }
      JsonWriter w;
      write(w, *row->value);
      Response response(200, w.text());
      response.add("Slipway-Seq", std::to_string(row->seq)).add("Cache-Control", "no-cache");
      client.send(std::move(response));
    });
  };
}

template <class Id>
Id id_of(std::string_view text) {
  return Id(base::parse_uuid(text).value_or(base::Uuid()));
}

}  // namespace

RouteTable catalog_routes(CoreContext& ctx) {
  static constexpr Permission kView = allow(Right::View);
  const auto get = [](std::string pattern, RouteHandler handler) {
    return Route{Method::Get, std::move(pattern), kView, std::move(handler), nullptr};
  };
  return {
      get("/images", list_of(ctx, "images",
                             [](Reader& r, const Scope& s, const auto& page) {
                               return r.list_images(s, page);
                             })),
      get("/images/{id}", one_of(ctx, "image",
                                 [](Reader& r, const Scope& s, auto id) {
                                   return r.get_image(s, id_of<domain::ImageId>(id));
                                 })),
      get("/flavors", list_of(ctx, "flavors",
                              [](Reader& r, const Scope& s, const auto& page) {
                                return r.list_flavors(s, page);
                              })),
      get("/flavors/{id}",
          one_of(ctx, "flavor",
                 [](Reader& r, const Scope& s, auto id) { return r.get_flavor(s, id); })),
      get("/networks", list_of(ctx, "networks",
                               [](Reader& r, const Scope& s, const auto& page) {
                                 return r.list_networks(s, page);
                               })),
      get("/networks/{id}", one_of(ctx, "network",
                                   [](Reader& r, const Scope& s, auto id) {
                                     return r.get_network(s, id_of<domain::NetworkId>(id));
                                   })),
      get("/hosts", list_of(ctx, "hosts",
                            [](Reader& r, const Scope& s, const auto& page) {
                              return r.list_hosts(s, page);
                            })),
      get("/hosts/{id}",
          one_of(ctx, "host",
                 [](Reader& r, const Scope& s, auto id) { return r.get_host(s, id); })),
      get("/backends", list_of(ctx, "backends",
                               [](Reader& r, const Scope& s, const auto& page) {
                                 return r.list_backends(s, page);
                               })),
      get("/backends/{id}",
          one_of(ctx, "backend",
                 [](Reader& r, const Scope& s, auto id) { return r.get_backend(s, id); })),
      get("/projects", list_of(ctx, "projects",
                               [](Reader& r, const Scope& s, const auto& page) {
                                 return r.list_projects(s, page);
                               })),
      get("/projects/{id}",
          one_of(ctx, "project",
                 [](Reader& r, const Scope& s, auto id) { return r.get_project(s, id); })),
  };
}

}  // namespace slipway::api
