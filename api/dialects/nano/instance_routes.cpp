// Running guests: start, stop, media, snapshots.
#include <fmt/format.h>

#include "api/dialects/nano/guest_commands.hpp"
#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;
using domain::ActOnVm;
using domain::CommandKind;

// An image's id where one was named.
void read_image(FieldReader& body, std::string_view name, bool required, domain::ImageId& out) {
  const std::string text = body.text(name, {.required = required});
  if (text.empty()) return;
  if (const auto id = base::parse_uuid(text)) {
    out = domain::ImageId(*id);
  } else {
    body.errors().add(body.pointer(name), "bad-value", fmt::format("invalid image '{}'", text));
  }
}

void start(FieldReader& body, ActOnVm& act) {
  const bool media = body.flag("from_media");
  const bool network = body.flag("from_network");
  if (!media && !network) return;
  domain::GuestChange& change = act.args.guest.emplace();
  change.boot = media ? "media" : "network";
  if (media) read_image(body, "source", true, change.media);
}

// {reboot, force}: a forced one does not ask the guest's system.
void stop(Context& context, const Call& call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  const bool reboot = body.flag("reboot");
  const bool force = body.flag("force");
  if (!errors.empty()) return client_of(call).fail(errors.error());
  act_on_guest(context, call, reboot ? CommandKind::VmReboot : CommandKind::VmStop,
               [force](FieldReader&, ActOnVm& act) { act.args.hard = force; });
}

void insert_media(FieldReader& body, ActOnVm& act) {
  body.number("type", 0, 0);  // 0 is an image, and there is nothing else
  read_image(body, "source", true, act.args.guest.emplace().media);
}
void eject_media(FieldReader&, ActOnVm& act) { act.args.guest.emplace(); }

// ---- snapshots

void check_snapshot_name(FieldReader& body, const std::string& name) {
  if (!name.empty() && !is_plain_name(name)) {
    body.errors().add("/name", "bad-value", "only '0~9a~Z_.-' allowed in snapshot name");
  }
}
void make_snapshot(FieldReader& body, ActOnVm& act) {
  act.args.snapshot = body.text("name", {.required = true});
  act.args.description = body.text("description", {.max_bytes = 4096, .one_line = false});
  check_snapshot_name(body, act.args.snapshot);
}
void restore_snapshot(FieldReader& body, ActOnVm& act) {
  act.args.snapshot = body.text("target", {.required = true});
}
void delete_snapshot(Context& context, const Call& call) {
  act_on_guest(context, call, CommandKind::VmSnapshotDelete, [&](FieldReader&, ActOnVm& act) {
    act.args.snapshot = std::string(call.params["name"]);
  });
}

// With the guest's snapshots, if there is such a guest.
using WithSnapshots =
    std::function<void(const Call&, const Client&, const std::vector<eventstore::SnapshotRow>&)>;
Handler on_snapshots(WithSnapshots run) {
  return [run = std::move(run)](Context& context, Call call) {
    ask(context, std::move(call), [run](const Call& asked, auto& reader, const Client& client) {
      const auto vm = find_guest(asked, reader, client);
      if (!vm) return;
      const auto found = reader.snapshots(identity_of(asked).own_scope(), vm->id);
      if (!found) return client.fail(found.error());
      run(asked, client, found->value);
    });
  };
}

// An object keyed by name; the sample writes it without braces inside a list.
void show_tree(const Call&, const Client& client,
               const std::vector<eventstore::SnapshotRow>& rows) {
  base::JsonWriter w;
  w.begin_object();
  for (const eventstore::SnapshotRow& row : rows) {
    w.key(row.snapshot.name).begin_object();
    if (row.snapshot.parent.empty()) {
      w.member("is_root", true);
    } else {
      w.member("backing", row.snapshot.parent);
    }
    if (row.current) w.member("is_current", true);
    w.end_object();
  }
  client.send(success(w.end_object().view()));
}

void show_snapshot(const Call& call, const Client& client,
                   const std::vector<eventstore::SnapshotRow>& rows) {
  for (const eventstore::SnapshotRow& row : rows) {
    if (row.snapshot.name != call.params["name"]) continue;
    base::JsonWriter w;
    w.begin_object().member("running", row.snapshot.running);
    w.member("description", row.snapshot.description);
    w.member("create_time", local_time(row.snapshot.created_at)).end_object();
    return client.send(success(w.view()));
  }
  client.fail(Errc::NotFound, fmt::format("no snapshot '{}'", call.params["name"]));
}

}  // namespace

void instance_routes(Area& area) {
  const auto act = [&](Method method, const std::string& rest, CommandKind kind, ReadAct read) {
    area.on(method, "/instances/{id}" + rest, Right::Operate, guest_handler(kind, std::move(read)));
  };
  act(Method::Post, "", CommandKind::VmStart, start);
  area.on(Method::Delete, "/instances/{id}", Right::Operate, stop);
  act(Method::Post, "/media", CommandKind::VmMediaInsert, insert_media);
  act(Method::Delete, "/media", CommandKind::VmMediaEject, eject_media);
  act(Method::Post, "/snapshots/", CommandKind::VmSnapshotCreate, make_snapshot);
  act(Method::Put, "/snapshots/", CommandKind::VmSnapshotRestore, restore_snapshot);
  area.get("/instances/{id}/snapshots/", on_snapshots(show_tree));
  area.get("/instances/{id}/snapshots/{name}", on_snapshots(show_snapshot));
  area.on(Method::Delete, "/instances/{id}/snapshots/{name}", Right::Operate, delete_snapshot);
}

}  // namespace slipway::api::nano
