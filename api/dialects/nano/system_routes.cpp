// What a client asks before anybody can log in, and the first user of a fresh system: /system/.
#include <fmt/format.h>

#include <algorithm>

#include "api/dialects/nano/passwords.hpp"
#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;

constexpr std::uint64_t kMbPerGb = 1024;

// The largest guest that there is room for at all: that of the largest host.
void show_system(Context& context, Call call) {
  ask(context, std::move(call),
      [&context](const Call&, eventstore::Reader& reader, const Client& client) {
        const auto hosts =
            reader.list_hosts(eventstore::Scope::admin(), {.limit = 500, .ascending = true});
        if (!hosts) return client.fail(hosts.error());
        domain::Host most;
        for (const eventstore::HostRow& row : hosts->items) {
          most.vcpus = std::max(most.vcpus, row.host.vcpus);
          most.memory_mb = std::max(most.memory_mb, row.host.memory_mb);
          most.disk_gb = std::max(most.disk_gb, row.host.disk_gb);
        }
        base::JsonWriter w;
        w.begin_object().member("ready", !context.services.people()->groups.empty());
        w.member("max_cores", most.vcpus).member("max_memory", most.memory_mb / kMbPerGb);
        w.member("max_disk", most.disk_gb).end_object();
        client.send(success(w.view()));
      });
}

// Once, in a system that knows nobody: its first user comes with a role and a group of his own.
void found(Context& context, Call call) {
  const Client client = client_of(call);
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  domain::FoundPeople people;
  people.user.name = body.text("user", {.required = true});
  base::Secret password(body.text("password", {.required = true}));
  people.role.menus = texts(body, "menu");
  people.role.name = maybe_text(body, "role").value_or("super");
  people.group.name = maybe_text(body, "group").value_or("admin");
  people.group.display = maybe_text(body, "display").value_or("Administrators");
  if (!errors.empty()) return client.fail(errors.error());
  if (people.role.menus.empty()) return client.send(failure("require at least one menu item"));
  for (const std::string& name : {people.user.name, people.role.name, people.group.name}) {
    if (!is_plain_name(name)) return client.send(failure(fmt::format("invalid name '{}'", name)));
  }
  if (const auto why = why_refused(context.options, password.reveal()); !why.empty()) {
    return client.send(failure(why));
  }
  people.group.roles = {people.role.name};
  people.project = domain::ProjectId(new_id());
  people.user.id = new_id();
  people.user.tenant = people.group.name;
  people.user.role = domain::Role::Admin;
  auto request = begin(context, call);
  if (!request) return client.fail(request.error());
  domain::Caller& caller = request->command.caller;
  caller.tenant = people.group.name;
  caller.actor = people.user.name;
  caller.role = domain::Role::Admin;
  const std::string tenant = people.user.tenant;
  with_password(context, std::move(*request), std::move(password), tenant,
                [&context, people](CommandRequest&& ready, const domain::SecretRef& ref) {
                  domain::FoundPeople complete = people;
                  complete.user.password = ref;
                  ready.command.body = std::move(complete);
                  command(context, std::move(ready));
                });
}

}  // namespace

void system_routes(Area& area) {
  area.on(Method::Get, "/system/", Right::Public, show_system);
  area.on(Method::Post, "/system/", Right::Public, found);
}

}  // namespace slipway::api::nano
