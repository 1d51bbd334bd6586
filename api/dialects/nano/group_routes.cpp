// /roles/, /user_groups/, their members, and /resource_visibilities/.
#include <fmt/format.h>

#include <algorithm>

#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;
using eventstore::Directory;

std::vector<std::string> members_of(const Directory& people, std::string_view group) {
  std::vector<std::string> names;
  for (const auto& [name, row] : people.users) {
    if (row.user.tenant == group) names.push_back(name);
  }
  return names;
}

// ---- roles

void list_roles(Context& context, Call call) {
  ask_people(context, std::move(call),
             [](const Call&, const Directory& people, const Client& client) {
               base::JsonWriter w;
               w.begin_array();
               for (const auto& [name, row] : people.roles) w.value(name);
               client.send(success(w.end_array().view()));
             });
}

void show_role(Context& context, Call call) {
  ask_people(context, std::move(call),
             [](const Call& asked, const Directory& people, const Client& client) {
               const std::string_view name = asked.params["role_name"];
               const eventstore::RoleRow* row = people.role(name);
               if (row == nullptr) {
                 return client.fail(Errc::NotFound, fmt::format("invalid role '{}'", name));
               }
               base::JsonWriter w;
               w.begin_object().key("menu");
               base::write_json(w, row->role.menus);
               w.key("resource").begin_array().end_array().end_object();
               client.send(success(w.view()));
             });
}

template <class C>
void put_role(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::MenuRole role{std::string(call.params["role_name"]), texts(body, "menu")};
  if (!errors.empty()) return client_of(call).fail(errors.error());
  if (!is_plain_name(role.name)) {
    return client_of(call).send(failure("only '0~9a~Z_.-' allowed in a role name"));
  }
  command(context, call, C{std::move(role)});
}

void delete_role(Context& context, const Call& call) {
  command(context, call, domain::DeleteRole{std::string(call.params["role_name"])});
}

// ---- groups

const eventstore::GroupRow* seen_group(const Call& call, const Directory& people,
                                       const Client& client) {
  const std::string_view name = call.params["group_name"];
  const eventstore::GroupRow* row = people.group(name);
  if (row != nullptr && identity_of(call).sees(name)) return row;
  client.fail(Errc::NotFound, fmt::format("invalid group '{}'", name));
  return nullptr;
}

void list_groups(Context& context, Call call) {
  ask_people(context, std::move(call),
             [](const Call& asked, const Directory& people, const Client& client) {
               base::JsonWriter w;
               w.begin_array();
               for (const auto& [name, row] : people.groups) {
                 if (!identity_of(asked).sees(name)) continue;
                 w.begin_object().member("name", name).member("display", row.group.display);
                 w.member("member", members_of(people, name).size()).end_object();
               }
               client.send(success(w.end_array().view()));
             });
}

void show_group(Context& context, Call call) {
  ask_people(context, std::move(call),
             [](const Call& asked, const Directory& people, const Client& client) {
               const auto* row = seen_group(asked, people, client);
               if (row == nullptr) return;
               base::JsonWriter w;
               w.begin_object().member("name", row->group.name);
               w.member("display", row->group.display).key("role");
               base::write_json(w, row->group.roles);
               w.key("member");
               base::write_json(w, members_of(people, row->group.name));
               client.send(success(w.end_object().view()));
             });
}

void create_group(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::CreateGroup create;
  create.group.name = call.params["group_name"];
  create.group.display = body.text("display");
  create.group.roles = texts(body, "role");
  create.project = domain::ProjectId(new_id());
  if (!errors.empty()) return client_of(call).fail(errors.error());
  if (!is_plain_name(create.group.name)) {
    return client_of(call).send(failure("only '0~9a~Z_.-' allowed in a group name"));
  }
  command(context, call, std::move(create));
}

void update_group(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::UpdateGroup update;
  update.name = call.params["group_name"];
  update.display = maybe_text(body, "display");
  update.roles = maybe_texts(body, "role");
  if (!errors.empty()) return client_of(call).fail(errors.error());
  command(context, call, std::move(update));
}

void delete_group(Context& context, const Call& call) {
  command(context, call, domain::DeleteGroup{std::string(call.params["group_name"])});
}

void list_members(Context& context, Call call) {
  ask_people(context, std::move(call),
             [](const Call& asked, const Directory& people, const Client& client) {
               const auto* row = seen_group(asked, people, client);
               if (row == nullptr) return;
               base::JsonWriter w;
               base::write_json(w, members_of(people, row->group.name));
               client.send(success(w.view()));
             });
}

template <class C>
void change_member(Context& context, const Call& call) {
  command(context, call,
          C{std::string(call.params["group_name"]), std::string(call.params["user_name"])});
}

// ---- what members see of each other's

void show_visibility(Context& context, Call call) {
  ask_people(context, std::move(call),
             [](const Call& asked, const Directory& people, const Client& client) {
               const auto* row = people.group(identity_of(asked).tenant);
               const domain::Visibility seen =
                   row == nullptr ? domain::Visibility() : row->group.visibility;
               base::JsonWriter w;
               w.begin_object().member("instance_visible", seen.instance);
               w.member("disk_image_visible", seen.disk_image);
               w.member("media_image_visible", seen.media_image).end_object();
               client.send(success(w.view()));
             });
}

void put_visibility(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::UpdateGroup update;
  update.name = identity_of(call).tenant;
  // All three are said each time; what is left out is not seen.
  update.visibility =
      domain::Visibility{body.flag("instance_visible"), body.flag("disk_image_visible"),
                         body.flag("media_image_visible")};
  if (!errors.empty()) return client_of(call).fail(errors.error());
  command(context, call, std::move(update));
}

}  // namespace

void group_routes(Area& area) {
  const auto admin = [&](Method method, std::string pattern, Handler handler) {
    area.on(method, std::move(pattern), Right::Administer, std::move(handler));
  };
  area.get("/roles/", list_roles);
  area.get("/roles/{role_name}", show_role);
  admin(Method::Post, "/roles/{role_name}", put_role<domain::CreateRole>);
  admin(Method::Put, "/roles/{role_name}", put_role<domain::UpdateRole>);
  admin(Method::Delete, "/roles/{role_name}", delete_role);

  area.get("/user_groups/", list_groups);
  area.get("/user_groups/{group_name}", show_group);
  admin(Method::Post, "/user_groups/{group_name}", create_group);
  admin(Method::Put, "/user_groups/{group_name}", update_group);
  admin(Method::Delete, "/user_groups/{group_name}", delete_group);
  area.get("/user_groups/{group_name}/members/", list_members);
  const std::string member = "/user_groups/{group_name}/members/{user_name}";
  admin(Method::Post, member, change_member<domain::AddGroupMember>);
  admin(Method::Delete, member, change_member<domain::RemoveGroupMember>);

  area.get("/resource_visibilities/", show_visibility);
  area.change(Method::Put, "/resource_visibilities/", "visibility", put_visibility);
}

}  // namespace slipway::api::nano
