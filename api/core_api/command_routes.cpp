// POST /core/v1/commands, /vms, /batches and the actions on a VM: everything that asks for work.
#include <fmt/format.h>

#include "api/core_api/context.hpp"
#include "api/core_api/send_command.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using domain::CommandKind;

void post_command(CoreContext& ctx, Call call) {
  const Client client{call.reply};
  const auto body = json_body(ctx.services, call.request);
  if (!body) return client.fail(body.error());
  if (!*body) {
    return client.fail(Errc::MalformedJson, R"(send {"command": "vm.create", "args": {...}})");
  }
  auto parsed = parse_command(**body);
  if (!parsed) return client.fail(parsed.error());
  send_command(ctx, std::move(call), std::move(*parsed), false);
}

// A route that names the command: the body holds the arguments.
void post_arguments(CoreContext& ctx, Call call, CommandKind kind, const base::Uuid& subject) {
  const Client client{call.reply};
  const auto body = json_body(ctx.services, call.request);
  if (!body) return client.fail(body.error());
  auto parsed = parse_arguments(kind, *body, subject);
  if (!parsed) return client.fail(parsed.error());
  send_command(ctx, std::move(call), std::move(*parsed), true);
}

RouteHandler arguments(CoreContext& ctx, CommandKind kind) {
  return [&ctx, kind](Call call) { post_arguments(ctx, std::move(call), kind, base::Uuid()); };
}

RouteHandler on_one(CoreContext& ctx, CommandKind kind, std::string_view what) {
  return [&ctx, kind, what](Call call) {
    const auto id = path_id(call, "id", what);
    if (!id) return Client{call.reply}.fail(id.error());
    post_arguments(ctx, std::move(call), kind, *id);
  };
}

// "resume" serves a paused VM too: the read model says which of the two commands it takes.
void resume_vm(CoreContext& ctx, Call call) {
  const auto id = path_id(call, "id", "VM");
  if (!id) return Client{call.reply}.fail(id.error());
  const SharedCall shared = share(std::move(call));
  const domain::VmId vm(*id);
  query_when_current(ctx, shared, [&ctx, shared, vm](eventstore::Reader& reader) {
    const auto row = reader.get_vm(identity_of(*shared).scope(), vm);
    const bool paused = row && row->value && row->value->state == domain::VmState::Paused;
    post_arguments(ctx, std::move(*shared), paused ? CommandKind::VmUnpause : CommandKind::VmResume,
                   vm);
  });
}

// The snapshot's name is in the path: it stands for the body's.
void on_snapshot(CoreContext& ctx, Call call, CommandKind kind) {
  const Client client{call.reply};
  const auto id = path_id(call, "id", "VM");
  if (!id) return client.fail(id.error());
  ParsedCommand parsed;
  parsed.kind = kind;
  domain::ActOnVm act;
  act.kind = kind;
  act.vm = domain::VmId(*id);
  act.args.snapshot = std::string(call.params["name"]);
  parsed.body = std::move(act);
  send_command(ctx, std::move(call), std::move(parsed), true);
}

RouteHandler snapshot(CoreContext& ctx, CommandKind kind) {
  return [&ctx, kind](Call call) { on_snapshot(ctx, std::move(call), kind); };
}

}  // namespace

RouteTable command_routes(CoreContext& ctx) {
  static constexpr Permission kOperate = allow(Right::Operate);
  const auto vm = [&ctx](CommandKind kind) { return on_one(ctx, kind, "VM"); };
  const auto post = [](std::string pattern, RouteHandler handler) {
    return Route{Method::Post, std::move(pattern), kOperate, std::move(handler), nullptr};
  };
  return {
      post("/commands", [&ctx](Call call) { post_command(ctx, std::move(call)); }),
      post("/vms", arguments(ctx, CommandKind::VmCreate)),
      post("/batches", arguments(ctx, CommandKind::BatchCommands)),
      {Method::Delete, "/vms/{id}", kOperate, vm(CommandKind::VmDelete), nullptr},
      post("/vms/{id}/start", vm(CommandKind::VmStart)),
      post("/vms/{id}/stop", vm(CommandKind::VmStop)),
      post("/vms/{id}/reboot", vm(CommandKind::VmReboot)),
      post("/vms/{id}/pause", vm(CommandKind::VmPause)),
      post("/vms/{id}/unpause", vm(CommandKind::VmUnpause)),
      post("/vms/{id}/suspend", vm(CommandKind::VmSuspend)),
      post("/vms/{id}/resume", [&ctx](Call call) { resume_vm(ctx, std::move(call)); }),
      post("/vms/{id}/resize", vm(CommandKind::VmResize)),
      post("/vms/{id}/rebuild", vm(CommandKind::VmRebuild)),
      post("/vms/{id}/rename", vm(CommandKind::VmRename)),
      post("/vms/{id}/migrate", vm(CommandKind::VmMigrate)),
      post("/vms/{id}/snapshot", vm(CommandKind::VmSnapshotCreate)),
      post("/vms/{id}/capture", vm(CommandKind::ImageCapture)),
      post("/vms/{id}/snapshots/{name}/restore", snapshot(ctx, CommandKind::VmSnapshotRestore)),
      {Method::Delete, "/vms/{id}/snapshots/{name}", kOperate,
       snapshot(ctx, CommandKind::VmSnapshotDelete), nullptr},
      {Method::Delete, "/images/{id}", kOperate, on_one(ctx, CommandKind::ImageDelete, "image"),
       nullptr},
  };
}

}  // namespace slipway::api
