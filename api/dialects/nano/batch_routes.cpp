// Many guests with one request: made, stopped, deleted. A batch is a task like any other, kept in
// the log with its items: nothing about it is forgotten when the server restarts.
#include <fmt/format.h>

#include "api/dialects/nano/forms.hpp"
#include "api/dialects/nano/guest_body.hpp"
#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;
using domain::CommandKind;
using eventstore::TaskRow;

constexpr std::uint64_t kMaxItems = 1000;

void submit(Context& context, CommandRequest request, domain::OpenBatch batch) {
  // An item that cannot be is one that failed; the others go on.
  batch.lenient = true;
  const base::Uuid id = request.command.task;
  request.command.body = std::move(batch);
  command_with_id(context, std::move(request), id, 202);
}

// ---- making

struct Naming {
  std::string rule;
  std::string prefix;
  std::uint64_t count = 0;
};

Naming read_naming(FieldReader& body) {
  Naming out;
  out.rule = body.text("name_rule");
  if (out.rule.empty()) out.rule = "order";
  if (out.rule != "order" && out.rule != "MAC" && out.rule != "address") {
    body.errors().add("/name_rule", "bad-value", fmt::format("invalid name rule '{}'", out.rule));
  }
  out.prefix = body.text("name_prefix");
  if (!out.prefix.empty() && !is_guest_name(out.prefix)) {
    body.errors().add("/name_prefix", "bad-value", "only '0~9a~Z_-' allowed in prefix");
  }
  out.count = body.number("count", 0, kMaxItems).value_or(0);
  if (out.count == 0) body.errors().add("/count", "required", "guest count required");
  return out;
}

void name(domain::CreateVm& vm, const Naming& naming, std::uint64_t n) {
  if (naming.rule != "order") {
    vm.name = naming.prefix;
    vm.name_rule = naming.rule;
    return;
  }
  vm.name = naming.prefix.empty() ? fmt::to_string(n) : fmt::format("{}_{}", naming.prefix, n);
}

void create_guests(Context& context, const Call& call) {
  const Client client = client_of(call);
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  const Naming naming = read_naming(body);
  const GuestOrder order = read_guest(body, false);
  if (!errors.empty()) return client.fail(errors.error());
  auto request = begin(context, call);
  if (!request) return client.fail(request.error());
  domain::OpenBatch batch;
  batch.kind = CommandKind::BatchVmCreate;
  batch.items.reserve(naming.count);
  for (std::uint64_t n = 0; n < naming.count; ++n) {
    domain::CreateVm vm = make_guest(context, order, *request);
    name(vm, naming, n);
    batch.items.push_back({domain::TaskId(new_id()), std::move(vm)});
  }
  submit(context, std::move(*request), std::move(batch));
}

// ---- on what exists

// What is no id is named all the same: it becomes an item that failed.
domain::ActOnVm act_on(const std::string& guest, CommandKind kind, bool force) {
  domain::ActOnVm act;
  act.kind = kind;
  if (const auto id = base::parse_uuid(guest)) {
    act.vm = domain::VmId(*id);
  } else {
    act.args.name = guest;
  }
  if (kind == CommandKind::VmDelete) act.force = force;
  if (kind == CommandKind::VmStop) act.args.hard = force;
  return act;
}

Handler act_on_guests(CommandKind kind, CommandKind each) {
  return [kind, each](Context& context, const Call& call) {
    const Client client = client_of(call);
    FieldErrors errors;
    FieldReader body = read_body(call.request, errors);
    const auto guests = texts(body, "guest", kMaxItems);
    const bool force = body.flag("force");
    if (errors.empty() && guests.empty()) errors.add("/guest", "required", "guest id required");
    if (!errors.empty()) return client.fail(errors.error());
    auto request = begin(context, call);
    if (!request) return client.fail(request.error());
    domain::OpenBatch batch;
    batch.kind = kind;
    for (const std::string& guest : guests) {
      batch.items.push_back({domain::TaskId(new_id()), act_on(guest, each, force)});
    }
    submit(context, std::move(*request), std::move(batch));
  };
}

// ---- how far it is

struct Words {
  CommandKind kind;
  std::string_view running;
  std::string_view done;
};

void write_error(base::JsonWriter& w, const TaskRow& item) {
  const bool unknown = item.doc.error && item.doc.error->code == base::errc_name(Errc::NotFound);
  w.member("status", "fail").member("error", unknown ? "invalid guest" : error_of(item));
}

void write_item(base::JsonWriter& w, const TaskRow& item, const Words& words,
                const Context& context) {
  const domain::ResourceRef guest =
      item.doc.resources.empty() ? domain::ResourceRef{} : item.doc.resources.front();
  w.begin_object();
  const bool by_name = guest.id.is_nil();
  if (!by_name && !guest.name.empty()) w.member("name", guest.name);
  w.member("id", by_name ? guest.name : base::to_string(guest.id));
  const bool done = item.state == domain::TaskState::Succeeded;
  if (words.kind == CommandKind::BatchVmCreate) {
    const auto live = context.services.progress.get(item.id);
    const std::uint32_t percent = live ? live->percent : item.doc.percent.value_or(0);
    w.member("progress", done ? 100 : percent);
  }
  if (!item.terminal()) {
    w.member("status", words.running);
  } else if (done) {
    w.member("status", words.done);
  } else {
    write_error(w, item);
  }
  w.end_object();
}

void answer_batch(const Context& context, const Call& call, eventstore::Reader& reader,
                  const Client& client, const Words& words) {
  const auto scope = identity_of(call).own_scope();
  const auto id = base::parse_uuid(call.params["id"]);
  const auto batch = reader.get_task(scope, domain::TaskId(id.value_or(base::Uuid())));
  if (!batch) return client.fail(batch.error());
  if (!id || !batch->value || batch->value->command != words.kind) {
    return client.fail(Errc::NotFound, fmt::format("invalid batch task '{}'", call.params["id"]));
  }
  const auto items = reader.batch_items(scope, domain::TaskId(*id), {.limit = kMaxItems});
  if (!items) return client.fail(items.error());
  base::JsonWriter w;
  w.begin_array();
  for (const TaskRow& item : items->items) write_item(w, item, words, context);
  const int status = batch->value->terminal() ? 200 : 202;
  Response response = success(w.end_array().view(), status);
  if (status == 202) {
    response.add("Location", fmt::format("/core/v1/tasks/{}", call.params["id"]));
    response.add("Retry-After", "1");
  }
  client.send(std::move(response));
}

Handler show_batch(Words words) {
  return [words](Context& context, Call call) {
    ask(context, std::move(call),
        [&context, words](const Call& asked, auto& reader, const Client& client) {
          answer_batch(context, asked, reader, client, words);
        });
  };
}

}  // namespace

void batch_routes(Area& area) {
  area.on(Method::Post, "/batch/create_guest/", Right::Operate, create_guests);
  area.get("/batch/create_guest/{id}",
           show_batch({CommandKind::BatchVmCreate, "creating", "created"}));
  area.on(Method::Post, "/batch/delete_guest/", Right::Operate,
          act_on_guests(CommandKind::BatchVmDelete, CommandKind::VmDelete));
  area.get("/batch/delete_guest/{id}",
           show_batch({CommandKind::BatchVmDelete, "deleting", "deleted"}));
  area.on(Method::Post, "/batch/stop_guest/", Right::Operate,
          act_on_guests(CommandKind::BatchVmStop, CommandKind::VmStop));
  area.get("/batch/stop_guest/{id}", show_batch({CommandKind::BatchVmStop, "stopping", "stopped"}));
}

}  // namespace slipway::api::nano
