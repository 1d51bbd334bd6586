#include "api/core_api/send_command.hpp"

#include <fmt/format.h>

#include "api/core_api/people_body.hpp"
#include "api/read_gate.hpp"
#include "core/domain/plan.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using base::fail;
using domain::CommandKind;
using eventstore::TaskRowPtr;

// A request on its way through other threads.
struct Sending {
  Call call;
  CommandRequest request;
  base::Secret password;
};
using SharedSending = std::shared_ptr<Sending>;

void submit(CoreContext& ctx, Sending& sending) {
  ctx.submitter.submit(std::move(sending.request));
}

// ---- about a task that exists

// The caller acts for the tenant of what it acts on: for anybody but an admin that is its own.
void act_for_owner(CommandRequest& request, const eventstore::TaskRow& task) {
  if (request.command.caller.role == domain::Role::Admin) {
    request.command.caller.tenant = task.tenant;
  }
}

void send_about_task(CoreContext& ctx, const SharedSending& sending, const domain::TaskId& task) {
  const Client client = sending->request.client;
  ctx.watch.look(client, identity_of(sending->call).scope(), task,
                 [&ctx, sending, client, task](const TaskRowPtr& row) {
                   CommandRequest& request = sending->request;
                   // Never asked of the live state, which knows no tenant of a task that has ended.
                   if (row == nullptr) {
                     client.fail(Errc::NotFound, fmt::format("no task {}", base::to_string(task)));
                     return;
                   }
                   if (row->terminal() && !request.idempotency) {
                     client.fail(
                         Errc::IllegalTransition,
                         fmt::format("the task has ended: it is {}", base::enum_name(row->state)));
                     return;
                   }
                   act_for_owner(request, *row);
                   request.form = std::make_unique<TaskForm>(task, row);
                   submit(ctx, *sending);
                 });
}

void send_redrive(CoreContext& ctx, const SharedSending& sending, const domain::TaskId& from) {
  const Client client = sending->request.client;
  ctx.watch.look(
      client, identity_of(sending->call).scope(), from,
      [&ctx, sending, client, from](const TaskRowPtr& row) {
        if (row == nullptr) {
          client.fail(Errc::NotFound, fmt::format("no task {}", base::to_string(from)));
          return;
        }
        ctx.services.queries.ask(client, [&ctx, sending, client, row](eventstore::Reader& reader) {
          auto redrive = redrive_of(reader, identity_of(sending->call).scope(), *row);
          if (!redrive) {
            client.fail(redrive.error());
            return;
          }
          act_for_owner(sending->request, *row);
          sending->request.command.body = std::move(*redrive);
          submit(ctx, *sending);
        });
      });
}

// ---- people

void send_with_password(CoreContext& ctx, const SharedSending& sending) {
  const Client client = sending->request.client;
  const bool queued = ctx.services.queries.hash([&ctx, sending] {
    CommandRequest& request = sending->request;
    const base::Secret hash(base::hash_password(sending->password.reveal()));
    const domain::SecretRef ref = "password-" + base::to_string(new_id());
    std::string tenant = request.command.caller.tenant;
    if (auto* create = std::get_if<domain::CreateUser>(&request.command.body)) {
      create->user.password = ref;
      tenant = create->user.tenant;
      request.form = std::make_unique<FixedForm>(201, user_body(create->user));
    } else if (auto* change = std::get_if<domain::SetUserPassword>(&request.command.body)) {
      change->password = ref;
      const auto people = ctx.services.people();
      const eventstore::UserRow* user = people->user(change->user);
      if (user != nullptr) tenant = user->user.secret_tenant();
      request.form = std::make_unique<FixedForm>(204, "");
    }
    request.secrets.push_back({ref, ctx.services.seal(ref, tenant, hash)});
    submit(ctx, *sending);
  });
  if (!queued) client.fail(Errc::RateLimited, "too many passwords at once");
}

void send_token(CoreContext& ctx, Sending& sending) {
  CommandRequest& request = sending.request;
  domain::AccessToken& token = std::get<domain::CreateToken>(request.command.body).token;
  if (token.tenant.empty()) token.tenant = request.command.caller.tenant;
  if (token.actor.empty()) token.actor = token.name;
  std::array<std::uint8_t, 32> random{};
  base::random_bytes(random);
  base::Secret value("slw_" + base::base64url(random));
  token.sha256_hex = base::hex(base::sha256(value.reveal()));
  std::size_t offset = 0;
  std::string body = new_token_body(token, offset);
  const domain::SecretRef ref = "token-" + base::to_string(token.id);
  // Only a repeat under the same key shows it again.
  if (request.idempotency) {
    request.secrets.push_back({ref, ctx.services.seal(ref, request.command.caller.tenant, value)});
  }
  request.form = std::make_unique<FixedForm>(
      201, std::move(body), eventstore::Answer::SecretSlot{offset, ref, true}, std::move(value));
  submit(ctx, sending);
}

void send_by_kind(CoreContext& ctx, const SharedSending& sending, CommandKind kind) {
  CommandRequest& request = sending->request;
  const domain::CommandBody& body = request.command.body;
  switch (kind) {
    case CommandKind::TaskCancel:
      return send_about_task(ctx, sending, std::get<domain::CancelTask>(body).task);
    case CommandKind::TaskSetPriority:
      return send_about_task(ctx, sending, std::get<domain::SetPriority>(body).task);
    case CommandKind::TaskRedrive:
      // What ended a moment ago, for this client too, has ended.
      return read_when_current(ctx.services, sending->call.request, request.client,
                               [&ctx, sending, from = std::get<domain::RedriveTask>(body).from] {
                                 send_redrive(ctx, sending, from);
                               });
    case CommandKind::UserCreate:
    case CommandKind::UserSetPassword:
      return send_with_password(ctx, sending);
    case CommandKind::TokenCreate:
      return send_token(ctx, *sending);
    case CommandKind::BackendRegister:
      // A cloud's own nodes are in the tenant of its name: an admin acts for it.
      request.command.caller.tenant = std::get<domain::RegisterBackend>(body).backend.name;
      [[fallthrough]];
    case CommandKind::UserDelete:
    case CommandKind::TokenDelete:
    case CommandKind::QuotaSet:
      request.form = std::make_unique<FixedForm>(204, "");
      break;
    default:
      break;
  }
  submit(ctx, *sending);
}

}  // namespace

void send_command(CoreContext& ctx, Call call, ParsedCommand parsed, bool args_at_root) {
  const Client client{call.reply};
  if (needs_admin(parsed.kind) && !identity_of(call).may(Right::Administer)) {
    client.fail(Errc::Forbidden, "this command needs the role admin");
    return;
  }
  auto begun = ctx.submitter.begin(call, domain::Dialect::Core);
  if (!begun) return client.fail(begun.error());
  CommandRequest& request = *begun;
  request.args_at_root = args_at_root;
  request.dry_run = parsed.dry_run;
  request.command.body = std::move(parsed.body);
  request.command.not_before = parsed.not_before;
  request.command.deadline = parsed.deadline;
  request.command.priority = parsed.priority;
  request.command.depends_on = std::move(parsed.depends_on);
  for (const SecretValue& secret : parsed.secrets) {
    request.secrets.push_back(
        {secret.ref, ctx.services.seal(secret.ref, request.command.caller.tenant, secret.value)});
  }
  const auto sending = std::make_shared<Sending>(
      Sending{std::move(call), std::move(request), std::move(parsed.password)});
  send_by_kind(ctx, sending, parsed.kind);
}

std::optional<domain::WorkBody> work_of(const eventstore::TaskRow& task) {
  thread_local base::JsonParser parser({.depth = 64});
  const auto json = parser.parse_trusted(task.doc.args.text);
  if (!json) return std::nullopt;
  const auto read = [&](auto body) -> std::optional<domain::WorkBody> {
    if (!base::read_json(*json, body)) return std::nullopt;
    return domain::WorkBody(std::move(body));
  };
  if (task.command == CommandKind::VmCreate) return read(domain::CreateVm());
  if (task.command == CommandKind::ImageDelete) return read(domain::DeleteImage());
  if (!domain::needs_worker(task.command)) return std::nullopt;
  return read(domain::ActOnVm());
}

base::Result<domain::RedriveTask> redrive_of(eventstore::Reader&, const eventstore::Scope&,
                                             const eventstore::TaskRow& task) {
  if (!task.terminal()) return fail(Errc::IllegalTransition, "the task has not ended");
  auto work = work_of(task);
  if (!work) {
    return fail(Errc::IllegalTransition, "a batch is not retried as a whole; retry its items");
  }
  domain::RedriveTask out;
  out.from = task.id;
  out.from_state = task.state;
  out.from_tenant = task.tenant;
  out.body = std::move(*work);
  out.fresh_vm = domain::VmId(new_id());
  if (auto* act = std::get_if<domain::ActOnVm>(&out.body);
      act != nullptr && !act->new_image.is_nil()) {
    act->new_image = domain::ImageId(new_id());
  }
  // A re-drive with a VM of its own begins a chain of its own: doc.root is nil then.
  out.root = task.doc.root.is_nil() ? task.id : task.doc.root;
  return out;
}

}  // namespace slipway::api
