// VMs, tasks, events and statistics: large tables.
#include <fmt/format.h>

#include "eventstore/sql/catalog.hpp"

namespace slipway::eventstore::sql {
namespace {

using enum ColumnType;

constexpr std::string_view kVmLives = "v.deleted_at IS NULL";
constexpr std::string_view kOwnVms = "v.tenant={t}";
constexpr std::string_view kOwnTasks = "t.tenant={t}";
constexpr std::string_view kOwnEvents = "e.tenant={t}";

std::string named_by(std::string_view column, auto example) {
  return case_of<decltype(example)>(column, [](decltype(example) e) { return base::enum_name(e); });
}
Column stored(std::string name, ColumnType type, std::string expression) {
  return {std::move(name), type, std::move(expression), {}, true};
}
// A 16-byte id as text.
Column id(std::string name, std::string column) {
  const std::string text = fmt::format("sw_uuid({})", column);
  return {std::move(name), Text, text, {}};
}
Column indexed_id(std::string name, std::string column) {
  Column c = id(std::move(name), column);
  c.id_key = std::move(column);
  return c;
}
Column project_id() {
  return {"project_id", Text,
          "ifnull((SELECT json_extract(q.doc,'$.project.id') FROM projects AS q WHERE "
          "q.name=v.tenant),v.tenant)"};
}

Table instances() {
  return {"instances",
          "vms AS v",
          std::string(kVmLives),
          std::string(kOwnVms),
          "v.created_seq",
          {indexed_id("id", "v.id"),
           {"real_id", Text, "nullif(v.backend_ref,'')"},
           stored("name", Text, "v.name"),
           stored("cloud_id", Text, "v.backend"),
           {"cloud_type", Text,
            "(SELECT json_extract(b.doc,'$.backend.type') FROM backends AS b WHERE "
            "b.key=v.backend)"},
           project_id(),
           {"flavor_id", Text, "nullif(v.flavor,'')"},
           id("image_id", "v.image"),
           {"state", Text, case_of<domain::VmState>("v.state", instance_state)},
           {"last_updated", Text, time_of("v.updated_at")},
           {"created", Text, time_of("v.created_at")},
           {"availability_zone", Text,
            "(SELECT json_extract(h.doc,'$.host.pool') FROM hosts AS h WHERE h.key=v.host)"},
           // An address is shown once the VM has come up, as in the other dialects.
           {"addresses", Text,
            "CASE WHEN v.ipv4<>0 AND v.launched_at IS NOT NULL THEN sw_ipv4(v.ipv4) END"},
           {"fqdn", Text, "NULL"}}};
}

Table instance_metadata() {
  return {"instance_metadata",
          "vms AS v JOIN json_each(v.labels) AS m",
          std::string(kVmLives),
          std::string(kOwnVms),
          "v.created_seq",
          {indexed_id("instance_id", "v.id"), {"key", Text, "m.key"}, {"value", Text, "m.value"}}};
}

Table instance_networks() {
  return {"instance_networks",
          "vms AS v",
          fmt::format("{} AND v.network IS NOT NULL", kVmLives),
          std::string(kOwnVms),
          "v.created_seq",
          {indexed_id("instance_id", "v.id"), id("network_id", "v.network")}};
}

// A key pair is a name on VMs: the key itself is the cloud's affair.
Table keypairs() {
  return {"keypairs",
          "(SELECT w.keypair AS name, w.tenant, min(w.created_seq) AS created_seq FROM vms AS w "
          "WHERE w.deleted_at IS NULL AND w.keypair<>'' GROUP BY w.tenant, w.keypair) AS v",
          "1",
          std::string(kOwnVms),
          "v.created_seq",
          {{"name", Text, "v.name"},
           project_id(),
           {"fingerprint", Text, "NULL"},
           {"public_key", Text, "NULL"}}};
}

std::vector<Column> task_columns() {
  const auto doc = [](std::string_view path) { return member("t.doc", path); };
  return {indexed_id("id", "t.id"),
          {"command", Text, named_by("t.command", domain::CommandKind{})},
          {"dialect", Text, named_by("t.dialect", domain::Dialect{})},
          stored("actor", Text, "t.actor"),
          stored("tenant", Text, "t.tenant"),
          {"state", Text, named_by("t.state", domain::TaskState{})},
          stored("priority", Integer, "t.priority"),
          stored("cloud_id", Text, "t.backend"),
          stored("worker_pool", Text, "t.worker_pool"),
          indexed_id("parent_id", "t.parent"),
          id("resource_id", "t.resource"),
          stored("attempt", Integer, "t.attempt"),
          stored("max_attempts", Integer, "t.max_attempts"),
          {"created", Text, time_of("t.created_at")},
          {"started", Text, time_of("t.started_at")},
          {"finished", Text, time_of("t.finished_at")},
          {"deadline", Text, time_of("t.deadline")},
          {"percent", Integer, doc("percent")},
          {"step", Text, doc("step")},
          {"error_code", Text, doc("error.code")},
          {"error", Text, doc("error.detail")},
          stored("version", Integer, "t.version"),
          stored("seq", Integer, "t.seq")};
}

Table tasks() {
  return {"tasks", "tasks AS t", "1", std::string(kOwnTasks), "t.created_seq", task_columns()};
}

Table batch_items() {
  return {"batch_items",
          "tasks AS t",
          "t.parent IS NOT NULL AND t.redriven=0",
          std::string(kOwnTasks),
          "t.created_seq",
          {indexed_id("batch_id", "t.parent"),
           stored("item", Integer, "t.item"),
           indexed_id("task_id", "t.id"),
           {"command", Text, named_by("t.command", domain::CommandKind{})},
           id("resource_id", "t.resource"),
           {"state", Text, named_by("t.state", domain::TaskState{})},
           {"error_code", Text, member("t.doc", "error.code")},
           {"error", Text, member("t.doc", "error.detail")}}};
}

// Both are virtual tables over the log (event_table.hpp), which counts their rows itself.
std::vector<Column> event_columns() {
  return {stored("seq", Integer, "e.seq"),
          {"time", Text, time_of("e.time")},
          stored("tenant", Text, "e.tenant"),
          stored("actor", Text, "e.actor"),
          stored("dialect", Text, "e.dialect"),
          stored("request_id", Text, "e.request_id"),
          stored("correlation", Text, "e.correlation"),
          stored("causation", Integer, "e.causation"),
          stored("stream", Text, "e.stream"),
          stored("version", Integer, "e.version"),
          stored("type", Text, "e.type"),
          stored("data", Text, "e.data")};
}

Table events() {
  return {"events", "sw_events AS e", "1", std::string(kOwnEvents), "e.seq", event_columns()};
}

Table task_events() {
  std::vector<Column> columns = event_columns();
  columns.insert(columns.begin(), stored("task_id", Text, "e.task_id"));
  return {"task_events", "sw_task_events AS e", "1", std::string(kOwnEvents),
          "e.seq",       std::move(columns)};
}

// An hour in which no VM was made or deleted has no row.
Table stats_hourly() {
  return {"stats_hourly",
          "stats_hourly AS s",
          "1",
          "s.tenant={t}",
          "s.hour",
          {stored("tenant", Text, "s.tenant"),
           {"hour", Text, time_of("s.hour*3600000000")},
           stored("vms_existing", Integer, "s.vms_existing"),
           stored("vms_created", Integer, "s.vms_created"),
           stored("vms_deleted", Integer, "s.vms_deleted"),
           {"vm_hours", Real, "s.vm_us/3600000000.0"}}};
}

}  // namespace

void add_work_tables(std::vector<Table>& tables) {
  for (Table (*make)() : {instances, instance_metadata, instance_networks, keypairs, tasks,
                          batch_items, events, task_events, stats_hourly}) {
    tables.push_back(make());
  }
}

}  // namespace slipway::eventstore::sql
