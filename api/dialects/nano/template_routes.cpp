// /templates/: what kinds of machine a guest can be.
#include <fmt/format.h>

#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;

constexpr std::string_view kMenu = "template";
constexpr const char* kRequired[] = {"admin",   "operating_system", "disk",
                                     "network", "display",          "control"};
constexpr const char* kOptional[] = {"usb", "tablet"};

std::string_view property(const domain::SystemTemplate& system, std::string_view name) {
  const auto it = system.properties.find(std::string(name));
  return it == system.properties.end() ? std::string_view() : std::string_view(it->second);
}

void list_templates(Context& context, Call call) {
  ask(context, std::move(call), [](const Call&, eventstore::Reader& reader, const Client& client) {
    const auto rows = reader.templates();
    if (!rows) return client.fail(rows.error());
    base::JsonWriter w;
    w.begin_array();
    for (const eventstore::TemplateRow& row : rows->value) {
      w.begin_object().member("id", row.system.id).member("name", row.system.name);
      w.member("operating_system", property(row.system, "operating_system"));
      w.member("created_time", local_time(row.created_at));
      w.member("modified_time", local_time(row.updated_at)).end_object();
    }
    client.send(success(w.end_array().view()));
  });
}

void write_template(base::JsonWriter& w, const eventstore::TemplateRow& row) {
  w.begin_object().member("id", row.system.id).member("name", row.system.name);
  for (const char* name : kRequired) w.member(name, property(row.system, name));
  for (const char* name : kOptional) w.member(name, property(row.system, name));
  w.member("created_time", local_time(row.created_at));
  w.member("modified_time", local_time(row.updated_at)).end_object();
}

void show_template(Context& context, Call call) {
  ask(context, std::move(call),
      [](const Call& asked, eventstore::Reader& reader, const Client& client) {
        const auto rows = reader.templates();
        if (!rows) return client.fail(rows.error());
        const auto id = base::parse_uuid(asked.params["id"]);
        for (const eventstore::TemplateRow& row : rows->value) {
          if (row.system.id != id) continue;
          base::JsonWriter w;
          write_template(w, row);
          return client.send(success(w.view()));
        }
        client.fail(Errc::NotFound,
                    fmt::format("invalid template '{}'", asked.params["id"].substr(0, 64)));
      });
}

void put_template(Context& context, const Call& call, const base::Uuid& id, bool is_new) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::DefineTemplate define{{id, body.text("name", {.required = true}), {}}, is_new};
  for (const char* name : kRequired) {
    define.system.properties[name] = body.text(name, {.required = true});
  }
  for (const char* name : kOptional) define.system.properties[name] = body.text(name);
  if (!errors.empty()) return client_of(call).fail(errors.error());
  base::JsonWriter w;
  w.begin_object().member("id", id).end_object();
  command(context, call, std::move(define), is_new ? w.text() : "\"\"");
}

void create_template(Context& context, const Call& call) {
  put_template(context, call, new_id(), true);
}
void update_template(Context& context, const Call& call) {
  const auto id = base::parse_uuid(call.params["id"]);
  put_template(context, call, id.value_or(base::Uuid()), false);
}
void delete_template(Context& context, const Call& call) {
  const auto id = base::parse_uuid(call.params["id"]);
  command(context, call, domain::DeleteTemplate{id.value_or(base::Uuid())});
}

}  // namespace

void template_routes(Area& area) {
  area.get("/templates/", list_templates);
  area.get("/templates/{id}", show_template);
  area.change(Method::Post, "/templates/", std::string(kMenu), create_template);
  area.change(Method::Put, "/templates/{id}", std::string(kMenu), update_template);
  area.change(Method::Delete, "/templates/{id}", std::string(kMenu), delete_template);
}

}  // namespace slipway::api::nano
