// What a cloud has, and the projects: small tables of documents (projections/catalog_table.hpp).
#include <fmt/format.h>

#include "eventstore/sql/catalog.hpp"

namespace slipway::eventstore::sql {
namespace {

using enum ColumnType;

// A tenant's own and what all may see; {t} is the compiler's to fill in.
std::string visible(std::string_view alias) {
  return fmt::format("{0}.tenant={{t}} OR {0}.shared=1", alias);
}

std::string image_part(std::string_view path) { return member("i.doc", path); }
std::string type_of_backend(std::string_view name) {
  return fmt::format(
      "(SELECT json_extract(b.doc,'$.backend.type') FROM backends AS b "
      "WHERE b.key={})",
      name);
}
// A tenant's project; projects are few, and its name is the tenant.
std::string project_of(std::string_view tenant) {
  return fmt::format(
      "(SELECT json_extract(q.doc,'$.project.id') FROM projects AS q "
      "WHERE q.name={})",
      tenant);
}
constexpr std::string_view kFirstBackend =
    "(SELECT b.key FROM backends AS b ORDER BY "
    "b.created_seq LIMIT 1)";
constexpr std::string_view kImageLives = "json_extract(i.doc,'$.state') <> 'DELETED'";
constexpr std::string_view kAnyProject = "p.tenant={t}";

Table clouds() {
  return {"clouds",
          "backends AS b",
          "1",
          "",
          "b.created_seq",
          {{"id", Text, "b.key"}, {"type", Text, member("b.doc", "backend.type")}}};
}

Table projects() {
  return {"projects",
          "projects AS p",
          "1",
          std::string(kAnyProject),
          "p.created_seq",
          {{"id", Text, member("p.doc", "project.id")},
           {"name", Text, "p.name"},
           {"cloud_id", Text, std::string(kFirstBackend)},
           {"cloud_type", Text, type_of_backend(kFirstBackend)},
           {"last_updated", Text, time_of_text(member("p.doc", "created_at"))}}};
}

// Projects have no metadata in this service: the table has its columns and no rows.
Table project_metadata() {
  return {"project_metadata",
          "projects AS p",
          "0",
          std::string(kAnyProject),
          "p.created_seq",
          {{"project_id", Text, "NULL"}, {"key", Text, "NULL"}, {"value", Text, "NULL"}}};
}

// NULL: no limit.
Table project_quota() {
  const auto quota = [](std::string_view what) {
    return fmt::format("nullif({},0)", member("p.doc", fmt::format("project.quota.{}", what)));
  };
  return {"project_quota",
          "projects AS p",
          "1",
          std::string(kAnyProject),
          "p.created_seq",
          {{"project_id", Text, member("p.doc", "project.id")},
           {"instances", Integer, quota("vms")},
           {"vcpus", Integer, quota("vcpus")},
           {"ram", Integer, quota("memory_mb")},
           {"disk", Integer, "NULL"},
           {"ips", Integer, "NULL"},
           {"security_groups", Integer, "NULL"},
           {"volumes", Integer, "NULL"},
           {"keypairs", Integer, "NULL"}}};
}

Table project_images() {
  return {"project_images",
          "projects AS p JOIN images AS i ON i.tenant=p.name OR i.shared=1",
          std::string(kImageLives),
          std::string(kAnyProject),
          "i.created_seq",
          {{"project_id", Text, member("p.doc", "project.id")}, {"image_id", Text, "i.key"}}};
}

// The pools of the hosts; every project may use each.
Table availability_zones() {
  return {"availability_zones",
          "projects AS p JOIN (SELECT DISTINCT json_extract(h.doc,'$.host.pool') AS pool "
          "FROM hosts AS h) AS z",
          "1",
          std::string(kAnyProject),
          "p.created_seq",
          {{"name", Text, "z.pool"}, {"project_id", Text, member("p.doc", "project.id")}}};
}

Table flavors() {
  const auto part = [](std::string_view path) {
    return member("f.doc", fmt::format("flavor.{}", path));
  };
  return {"flavors",
          "flavors AS f",
          "1",
          visible("f"),
          "f.created_seq",
          {{"id", Text, part("id")},
           {"project_id", Text, "NULL"},
           {"name", Text, "f.name"},
           {"ram", Integer, part("memory_mb")},
           {"vcpus", Integer, part("vcpus")},
           {"root_disk", Integer, part("disk_gb")},
           {"ephemeral_disk", Integer, part("ephemeral_gb")},
           {"has_swap", Integer, fmt::format("{}>0", part("swap_mb"))},
           {"is_public", Integer, part("is_public")},
           {"notes", Text, "NULL"}}};
}

Table images() {
  return {"images",
          "images AS i",
          std::string(kImageLives),
          visible("i"),
          "i.created_seq",
          {{"id", Text, "i.key"},
           {"real_id", Text, fmt::format("nullif({},'')", image_part("image.backend_ref"))},
           {"name", Text, "i.name"},
           {"cloud_id", Text, image_part("image.backend")},
           {"cloud_type", Text, type_of_backend(image_part("image.backend"))},
           {"created", Text, time_of_text(image_part("created_at"))},
           {"last_updated", Text, time_of_text(image_part("updated_at"))},
           {"state", Text, fmt::format("lower({})", image_part("state"))},
           {"checksum", Text, fmt::format("nullif({},'')", image_part("image.checksum_md5"))}}};
}

Table image_metadata() {
  return {"image_metadata",
          "images AS i JOIN json_each(json_extract(i.doc,'$.image.properties')) AS m",
          std::string(kImageLives),
          visible("i"),
          "i.created_seq",
          {{"image_id", Text, "i.key"}, {"key", Text, "m.key"}, {"value", Text, "m.value"}}};
}

Table networks() {
  return {"networks",
          "networks AS n",
          "1",
          visible("n"),
          "n.created_seq",
          {{"id", Text, "n.key"},
           {"project_id", Text, project_of("n.tenant")},
           {"name", Text, "n.name"},
           {"state", Text, "'ACTIVE'"},
           {"is_shared", Integer, member("n.doc", "network.shared")}}};
}

// Of a subnet this service knows the id alone.
Table network_subnets() {
  return {"network_subnets",
          "networks AS n JOIN json_each(json_extract(n.doc,'$.network.subnets')) AS s",
          "1",
          visible("n"),
          "n.created_seq",
          {{"id", Text, "s.value"},
           {"project_id", Text, project_of("n.tenant")},
           {"network_id", Text, "n.key"},
           {"name", Text, "NULL"},
           {"cidr", Text, "NULL"},
           {"protocol_version", Text, "NULL"},
           {"gateway", Text, "NULL"},
           {"is_dhcp_enabled", Integer, "NULL"}}};
}

Table hosts() {
  const auto part = [](std::string_view path) {
    return member("h.doc", fmt::format("host.{}", path));
  };
  const auto used = [](std::string_view column) { return fmt::format("ifnull(u.{},0)", column); };
  return {"hosts",
          "hosts AS h LEFT JOIN usage AS u ON u.kind='host' AND u.name=h.name",
          "1",
          visible("h"),
          "h.created_seq",
          {{"id", Integer, part("number")},
           {"name", Text, "h.name"},
           {"cloud_id", Text, part("backend")},
           {"pool", Text, part("pool")},
           {"address", Text, part("address")},
           {"is_enabled", Integer, part("enabled")},
           {"vcpus", Integer, part("vcpus")},
           {"ram", Integer, part("memory_mb")},
           {"disk", Integer, part("disk_gb")},
           {"used_vcpus", Integer, used("vcpus")},
           {"used_ram", Integer, used("memory_mb")},
           {"used_disk", Integer, used("disk_gb")},
           {"instances", Integer, used("vms")}}};
}

// A lease that is being deleted has no row.
Table leases() {
  const auto part = [](std::string_view path) {
    return member("l.doc", fmt::format("lease.{}", path));
  };
  return {"leases",
          "leases AS l",
          "1",
          "l.tenant={t}",
          "l.created_seq",
          {{"id", Text, "l.key"},
           {"name", Text, "l.name"},
           {"project_id", Text, project_of("l.tenant")},
           {"owner", Text, part("user")},
           {"start_date", Text, time_of_text(part("start"))},
           {"end_date", Text, time_of_text(part("end"))},
           {"state", Text, part("state")},
           {"is_degraded", Integer, fmt::format("{}>0", part("missing"))},
           {"missing_hosts", Integer, part("missing")},
           {"reason", Text, fmt::format("nullif({},'')", part("reason"))},
           {"created", Text, time_of_text(part("created_at"))},
           {"last_updated", Text, time_of_text(part("updated_at"))},
           {"version", Integer, part("version")}}};
}

Table reservations() {
  const auto part = [](std::string_view path) {
    return member("r.doc", fmt::format("reservation.{}", path));
  };
  return {
      "reservations",
      "reservations AS r",
      "1",
      "r.tenant={t}",
      "r.created_seq",
      {{"id", Text, "r.key"},
       {"lease_id", Text, member("r.doc", "lease")},
       {"project_id", Text, project_of("r.tenant")},
       {"resource_id", Integer, part("spec.number")},
       {"resource_type", Text, "'physical:host'"},
       {"min_hosts", Integer, part("spec.min")},
       {"max_hosts", Integer, part("spec.max")},
       {"hypervisor_properties", Text, part("spec.hypervisor_properties")},
       {"resource_properties", Text, part("spec.resource_properties")},
       {"before_end", Text, part("spec.before_end")},
       {"state", Text, part("state")},
       {"hosts", Text,
        fmt::format("(SELECT group_concat(x.value,',') FROM json_each({}) AS x)", part("hosts"))},
       {"start_date", Text, time_of_text(member("r.doc", "start"))},
       {"end_date", Text, time_of_text(member("r.doc", "end"))},
       {"last_updated", Text, time_of_text(part("updated_at"))}}};
}

}  // namespace

void add_inventory_tables(std::vector<Table>& tables) {
  for (Table (*make)() :
       {clouds, projects, project_metadata, project_quota, project_images, availability_zones,
        flavors, images, image_metadata, networks, network_subnets, hosts, leases, reservations}) {
    tables.push_back(make());
  }
}

}  // namespace slipway::eventstore::sql
