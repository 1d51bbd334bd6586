// Migrations: a batch of moves, from a cell to another of the same pool or of another one.
#include <fmt/format.h>

#include <algorithm>

#include "api/dialects/nano/forms.hpp"
#include "api/dialects/nano/guest_view.hpp"
#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;
using base::fail;
using domain::CommandKind;
using eventstore::TaskRow;

constexpr std::size_t kMaxItems = 1000;

struct Wish {
  std::string source_pool;
  std::string source_cell;
  std::string target_pool;
  std::string target_cell;
  std::vector<std::string> instances;  // empty: all of the cell
};

Wish read_wish(FieldReader& body) {
  Wish out;
  out.source_pool = body.text("source_pool", {.required = true});
  out.source_cell = body.text("source_cell", {.required = true});
  out.target_pool = body.text("target_pool");
  out.target_cell = body.text("target_cell");
  out.instances = texts(body, "instances", kMaxItems);
  return out;
}

base::Status check_cell(const GuestScene& scene, const std::string& pool, const std::string& cell) {
  const auto cells = scene.cells_of(pool);
  if (cells.empty()) return fail(Errc::NotFound, fmt::format("invalid pool '{}'", pool));
  if (!cell.empty() && std::find(cells.begin(), cells.end(), cell) == cells.end()) {
    return fail(Errc::NotFound, fmt::format("no cell '{}' in pool '{}'", cell, pool));
  }
  return {};
}

// Those of the cell that were named, or all of them.
base::Result<std::vector<domain::VmId>> guests_to_move(eventstore::Reader& reader,
                                                       const eventstore::Scope& scope,
                                                       const Wish& wish) {
  eventstore::VmFilter filter;
  filter.host = wish.source_cell;
  const auto there = reader.list_vms(scope, filter, {.limit = kMaxItems, .ascending = true});
  if (!there) return fail(there.error());
  std::vector<domain::VmId> out;
  if (wish.instances.empty()) {
    for (const auto& vm : there->items) out.push_back(vm.id);
    if (there->next) {
      return fail(Errc::UnprocessableArgument,
                  fmt::format("more than {} instances: name those to move", kMaxItems));
    }
  }
  for (const std::string& text : wish.instances) {
    const auto is = [&](const auto& vm) { return base::to_string(vm.id) == text; };
    const auto vm = std::find_if(there->items.begin(), there->items.end(), is);
    if (vm == there->items.end()) {
      return fail(Errc::NotFound,
                  fmt::format("no instance '{}' in cell '{}'", text, wish.source_cell));
    }
    out.push_back(vm->id);
  }
  if (out.empty()) {
    return fail(Errc::UnprocessableArgument,
                fmt::format("no instance in cell '{}'", wish.source_cell));
  }
  return out;
}

domain::OpenBatch batch_of(const std::vector<domain::VmId>& guests, const Wish& wish) {
  domain::OpenBatch batch;
  batch.kind = CommandKind::MigrationStart;
  batch.lenient = true;
  for (const domain::VmId& vm : guests) {
    domain::ActOnVm act;
    act.kind = CommandKind::VmMigrate;
    act.vm = vm;
    act.args.host = wish.target_cell;
    act.args.pool = wish.target_pool;
    batch.items.push_back({domain::TaskId(new_id()), std::move(act)});
  }
  return batch;
}

void start_migration(Context& context, const Call& call, eventstore::Reader& reader,
                     const Client& client, Wish wish) {
  const auto scene = read_scene(context, reader, identity_of(call).tenant);
  if (!scene) return client.fail(scene.error());
  if (wish.target_pool.empty()) wish.target_pool = wish.source_pool;
  for (const auto& [pool, cell] : {std::pair(wish.source_pool, wish.source_cell),
                                   std::pair(wish.target_pool, wish.target_cell)}) {
    if (auto status = check_cell(*scene, pool, cell); !status) return client.fail(status.error());
  }
  if (wish.target_cell == wish.source_cell) {
    return client.fail(Errc::UnprocessableArgument, "the target is the source");
  }
  auto guests = guests_to_move(reader, identity_of(call).own_scope(), wish);
  if (!guests) return client.fail(guests.error());
  auto request = begin(context, call);
  if (!request) return client.fail(request.error());
  const base::Uuid id = request->command.task;
  request->command.body = batch_of(*guests, wish);
  command_with_id(context, std::move(*request), id, 202);
}

void start(Context& context, Call call) {
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  Wish wish = read_wish(body);
  if (!errors.empty()) return client_of(call).fail(errors.error());
  ask(context, std::move(call),
      [&context, wish = std::move(wish)](const Call& asked, auto& reader, const Client& client) {
        start_migration(context, asked, reader, client, wish);
      });
}

// ---- how far it is

// What ended counts whole; what is under way by its own progress.
std::uint32_t progress_of(const Context& context, eventstore::Reader& reader,
                          const eventstore::Scope& scope, const TaskRow& task) {
  const auto items = reader.batch_items(scope, task.id, {.limit = kMaxItems});
  if (!items || items->items.empty()) return 0;
  std::uint64_t sum = 0;
  for (const TaskRow& item : items->items) {
    const auto live = context.services.progress.get(item.id);
    sum += item.terminal() ? 100 : live ? live->percent : item.doc.percent.value_or(0);
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(sum / items->items.size(), 99));
}

std::string first_error(eventstore::Reader& reader, const eventstore::Scope& scope,
                        const TaskRow& task) {
  const auto items = reader.batch_items(scope, task.id, {.limit = kMaxItems});
  if (!items) return {};
  for (const TaskRow& item : items->items) {
    if (item.state != domain::TaskState::Succeeded) return error_of(item);
  }
  return {};
}

void write_state(base::JsonWriter& w, const Context& context, eventstore::Reader& reader,
                 const eventstore::Scope& scope, const TaskRow& task) {
  w.member("finished", task.terminal());
  if (!task.terminal()) {
    w.member("progress", progress_of(context, reader, scope, task));
  } else if (task.state != domain::TaskState::Succeeded) {
    w.member("error", first_error(reader, scope, task));
  }
}

void show_migration(Context& context, const Call& call, eventstore::Reader& reader,
                    const Client& client) {
  const auto scope = identity_of(call).own_scope();
  const auto id = base::parse_uuid(call.params["id"]);
  const auto found = reader.get_task(scope, domain::TaskId(id.value_or(base::Uuid())));
  if (!found) return client.fail(found.error());
  if (!id || !found->value || found->value->command != CommandKind::MigrationStart) {
    return client.fail(Errc::NotFound, fmt::format("invalid migration '{}'", call.params["id"]));
  }
  base::JsonWriter w;
  w.begin_object();
  write_state(w, context, reader, scope, *found->value);
  client.send(success(w.end_object().view(), found->value->terminal() ? 200 : 201));
}

// Of many finished ones the newest are enough; those under way are all among them.
void list_migrations(Context& context, const Call& call, eventstore::Reader& reader,
                     const Client& client) {
  const auto scope = identity_of(call).own_scope();
  const auto found =
      reader.list_tasks(scope, {.commands = {CommandKind::MigrationStart}}, {.limit = 200});
  if (!found) return client.fail(found.error());
  base::JsonWriter w;
  w.begin_array();
  for (const TaskRow& task : found->items) {
    w.begin_object().member("id", task.id);
    write_state(w, context, reader, scope, task);
    w.end_object();
  }
  client.send(success(w.end_array().view()));
}

Handler asking(void (*run)(Context&, const Call&, eventstore::Reader&, const Client&)) {
  return [run](Context& context, Call call) {
    ask(context, std::move(call),
        [&context, run](const Call& asked, auto& reader, const Client& client) {
          run(context, asked, reader, client);
        });
  };
}

}  // namespace

void migration_routes(Area& area) {
  area.on(Method::Post, "/migrations/", Right::Operate, start);
  area.get("/migrations/", asking(list_migrations));
  area.get("/migrations/{id}", asking(show_migration));
}

}  // namespace slipway::api::nano
