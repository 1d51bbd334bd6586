// Guests: search, make, look, change, delete.
#include <fmt/format.h>

#include "api/dialects/nano/guest_body.hpp"
#include "api/dialects/nano/guest_commands.hpp"
#include "api/dialects/nano/guest_list.hpp"
#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;
using domain::ActOnVm;
using domain::CommandKind;

constexpr std::uint64_t kMost = std::uint64_t{1} << 50U;

// ---- looking

void search(Context& context, Call call) {
  const Client client = client_of(call);
  const auto text = [&](std::string_view name) {
    return std::string(call.request.query_value(name).value_or(""));
  };
  GuestQuestion question{.pool = text("pool"), .cell = text("cell")};
  if (question.pool.empty()) return client.fail(Errc::InvalidArgument, "pool required");
  question.wish.owner = text("owner");
  question.wish.group = text("group");
  const auto running = flag_of(call.request, "status");
  const auto created = flag_of(call.request, "created");
  if (!running) return client.fail(running.error());
  if (!created) return client.fail(created.error());
  question.wish.running = *running;
  question.wish.created = *created;
  question.parts.monitor_secret = false;
  list_guests(context, std::move(call), std::move(question));
}

void list_status(Context& context, Call call) {
  GuestQuestion question{.pool = std::string(call.params["pool"]),
                         .cell = std::string(call.params["cell"])};
  list_guests(context, std::move(call), std::move(question));
}

// 201 while it is being made; a failure where that failed.
void show_guest(const Call& call, eventstore::Reader& reader, const Client& client,
                Context& context, GuestParts parts) {
  const auto vm = find_guest(call, reader, client);
  if (!vm) return;
  const auto scene = read_scene(context, reader, identity_of(call).tenant);
  if (!scene) return client.fail(scene.error());
  base::JsonWriter w;
  if (is_created(*vm)) {
    write_guest(w, *scene, *vm, parts);
    client.send(success(w.view()));
  } else if (vm->state == domain::VmState::Error) {
    client.send(failure(fmt::format("guest '{}' was not created: {}", vm->spec.name, vm->error)));
  } else {
    write_unfinished(w, *scene, *vm);
    client.send(success(w.view(), 201));
  }
}

Handler show(GuestParts parts) {
  return [parts](Context& context, Call call) {
    ask(context, std::move(call),
        [&context, parts](const Call& asked, auto& reader, const Client& client) {
          show_guest(asked, reader, client, context, parts);
        });
  };
}

// ---- a search with pages

struct PagedSearch {
  GuestQuestion question;
  std::uint64_t offset = 0;
  std::uint64_t limit = 20;
};

void answer_search(Context& context, const Call& call, eventstore::Reader& reader,
                   const Client& client, const PagedSearch& search) {
  const auto scene = read_scene(context, reader, identity_of(call).tenant);
  if (!scene) return client.fail(scene.error());
  eventstore::VmFilter filter;
  if (!search.question.pool.empty()) {
    auto cells = cells_asked_for(*scene, search.question);
    if (!cells) return client.fail(cells.error());
    filter.hosts = std::move(*cells);
  }
  std::uint64_t total = 0;
  base::JsonWriter w;
  w.begin_object().key("result").begin_array();
  eventstore::ListScan scan;
  // No cell, no guest; an empty list of hosts would be no filter.
  scan.done = !search.question.pool.empty() && filter.hosts.empty();
  while (!scan.done) {
    const auto status = reader.scan_vms(
        identity_of(call).own_scope(), filter, scan, 500, [&](const eventstore::VmRow& vm) {
          if (!search.question.wish.fits(vm)) return;
          const std::uint64_t place = total++;
          if (place < search.offset || place - search.offset >= search.limit) return;
          write_guest(w, *scene, vm, {.monitor_secret = false});
        });
    if (!status) return client.fail(status.error());
  }
  w.end_array().member("total", total).member("offset", search.offset);
  w.member("limit", search.limit).end_object();
  client.send(success(w.view()));
}

void search_paged(Context& context, Call call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  PagedSearch search;
  search.offset = body.number("offset", 0, kMost).value_or(0);
  search.limit = body.number("limit", 1, 500).value_or(20);
  search.question.pool = body.text("pool");
  search.question.cell = body.text("cell");
  search.question.wish.owner = body.text("owner");
  search.question.wish.group = body.text("group");
  search.question.wish.keyword = body.text("keyword");
  search.question.wish.created = maybe_flag(body, "created");
  search.question.wish.running = maybe_flag(body, "running");
  if (!errors.empty()) return client_of(call).fail(errors.error());
  ask(context, std::move(call),
      [&context, search](const Call& asked, auto& reader, const Client& client) {
        answer_search(context, asked, reader, client, search);
      });
}

// ---- making and deleting

void create(Context& context, const Call& call) {
  const Client client = client_of(call);
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  const GuestOrder order = read_guest(body, true);
  if (!errors.empty()) return client.fail(errors.error());
  auto request = begin(context, call);
  if (!request) return client.fail(request.error());
  domain::CreateVm vm = make_guest(context, order, *request);
  const base::Uuid id = vm.vm;
  request->command.body = std::move(vm);
  command_with_id(context, std::move(*request), id, 202);
}

// ---- changing

domain::GuestChange& change_of(ActOnVm& act) { return act.args.guest.emplace(); }

void read_cores(FieldReader& body, ActOnVm& act) {
  // "immediate" is taken and needs nothing: a change takes effect when it is done.
  body.flag("immediate");
  change_of(act).cores =
      static_cast<std::uint32_t>(body.number("cores", 1, 4096, true).value_or(0));
}
void read_memory(FieldReader& body, ActOnVm& act) {
  body.flag("immediate");
  change_of(act).memory = body.number("memory", 1, kMost, true).value_or(0);
}
void read_system(FieldReader& body, ActOnVm& act) {
  act.image = body.text("from_image", {.required = true});
}
void read_name(FieldReader& body, ActOnVm& act) {
  act.args.name = body.text("name", {.required = true});
  if (!act.args.name.empty() && !is_guest_name(act.args.name)) {
    body.errors().add("/name", "bad-value", "only '0~9a~Z_-' allowed in name");
  }
}
void read_auto_start(FieldReader& body, ActOnVm& act) {
  // Two spellings are in use.
  const auto enable = maybe_flag(body, "enable");
  const auto start = maybe_flag(body, "auto_start");
  if (!enable && !start) body.require("enable");
  change_of(act).auto_start = enable ? enable : start;
}

void read_cpu_limit(FieldReader& body, ActOnVm& act) {
  domain::GuestChange& change = change_of(act);
  change.qos_part = "cpu";
  std::string priority = body.text("priority", {.required = true});
  if (!priority.empty() && priority != "high" && priority != "medium" && priority != "low") {
    body.errors().add("/priority", "bad-value", "a priority is high, medium or low");
  }
  change.qos.emplace().cpu_priority = std::move(priority);
}
void read_disk_limit(FieldReader& body, ActOnVm& act) {
  domain::GuestChange& change = change_of(act);
  change.qos_part = "disk";
  domain::Qos& qos = change.qos.emplace();
  qos.read_bytes = body.number("read_speed", 0, kMost).value_or(0);
  qos.write_bytes = body.number("write_speed", 0, kMost).value_or(0);
  qos.read_iops = body.number("read_iops", 0, kMost).value_or(0);
  qos.write_iops = body.number("write_iops", 0, kMost).value_or(0);
}
void read_network_limit(FieldReader& body, ActOnVm& act) {
  domain::GuestChange& change = change_of(act);
  change.qos_part = "network";
  domain::Qos& qos = change.qos.emplace();
  qos.receive_bytes = body.number("receive_speed", 0, kMost).value_or(0);
  qos.send_bytes = body.number("send_speed", 0, kMost).value_or(0);
}

// The place of the disk is in the path.
Handler disk_handler(CommandKind kind) {
  return [kind](Context& context, const Call& call) {
    const std::string_view text = call.params["disk"];
    const bool digits = !text.empty() && text.size() < 4 &&
                        text.find_first_not_of("0123456789") == std::string_view::npos;
    act_on_guest(context, call, kind, [&](FieldReader& body, ActOnVm& act) {
      domain::GuestChange& change = change_of(act);
      body.flag("immediate");
      if (kind == CommandKind::VmDiskResize) {
        change.disk_size = body.number("size", 1, kMost, true);
      }
      if (digits) {
        change.disk = static_cast<std::uint32_t>(std::stoul(std::string(text)));
      } else {
        body.errors().add("/disk", "bad-value", fmt::format("invalid disk '{}'", text));
      }
    });
  };
}

void remove(FieldReader& body, ActOnVm& act) {
  act.force = maybe_flag(body, "force").value_or(false);
}

}  // namespace

void guest_routes(Area& area) {
  area.get("/guest_search/", search);
  area.get("/instance_status/{pool}/", list_status);
  area.get("/instance_status/{pool}/{cell}", list_status);
  area.on(Method::Post, "/search/guests/", Right::View, search_paged);
  area.on(Method::Post, "/guests/", Right::Operate, create);
  area.on_guest(Method::Get, "", Right::View, show({}));
  area.get("/instances/{id}", show({.runtime = true}));
  area.on_guest(Method::Delete, "", Right::Operate, guest_handler(CommandKind::VmDelete, remove));
  const auto put = [&](const std::string& rest, CommandKind kind, ReadAct read) {
    area.on_guest(Method::Put, rest, Right::Operate, guest_handler(kind, std::move(read)));
  };
  put("/cores", CommandKind::VmSetCores, read_cores);
  put("/memory", CommandKind::VmSetMemory, read_memory);
  put("/system/", CommandKind::VmResetSystem, read_system);
  put("/name/", CommandKind::VmRename, read_name);
  put("/auto_start", CommandKind::VmSetAutoStart, read_auto_start);
  put("/qos/cpu", CommandKind::VmSetQos, read_cpu_limit);
  put("/qos/disk", CommandKind::VmSetQos, read_disk_limit);
  put("/qos/network", CommandKind::VmSetQos, read_network_limit);
  area.on_guest(Method::Put, "/disks/resize/{disk}", Right::Operate,
                disk_handler(CommandKind::VmDiskResize));
  area.on_guest(Method::Put, "/disks/shrink/{disk}", Right::Operate,
                disk_handler(CommandKind::VmDiskShrink));
}

}  // namespace slipway::api::nano
