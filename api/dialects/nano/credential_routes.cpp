// What opens a guest: its administrator's password and its monitor's secret.
#include <fmt/format.h>

#include "api/dialects/nano/guest_body.hpp"
#include "api/dialects/nano/guest_commands.hpp"
#include "api/dialects/nano/routes.hpp"

namespace slipway::api::nano {
namespace {

using base::Errc;
using domain::CommandKind;

constexpr std::size_t kPasswordLength = 10;
constexpr std::size_t kMonitorSecretLength = 12;

std::string credential(std::string_view password, std::string_view user) {
  base::JsonWriter w;
  w.begin_object().member("password", password).member("user", user).end_object();
  return w.text();
}

std::string admin_of(const eventstore::VmRow& vm) {
  const domain::GuestSpec guest = domain::guest_of(vm.spec);
  return guest.admin_name.empty() ? nano::admin_of(guest.system) : guest.admin_name;
}

struct NewSecret {
  domain::ActOnVm act;
  base::Secret value;
};

// Seals the value and puts its reference into the command.
NewSecret seal(const Context& context, const domain::VmId& vm, CommandKind kind,
               std::string_view prefix, std::string value, CommandRequest& request) {
  NewSecret out;
  out.act.kind = kind;
  out.act.vm = vm;
  out.value = base::Secret(std::move(value));
  domain::SecretRef ref = fmt::format("{}-{}", prefix, base::to_string(new_id()));
  request.secrets.push_back(
      {ref, context.services.seal(ref, request.command.caller.tenant, out.value)});
  out.act.args.guest.emplace().secret = std::move(ref);
  return out;
}

void submit(Context& context, CommandRequest request, NewSecret secret,
            std::function<std::string(std::string_view)> data) {
  request.command.body = std::move(secret.act);
  // A repeated answer could not tell the secret that was set first: each request stands for itself.
  request.idempotency.reset();
  // Shared: a form's last call is const.
  auto value = std::make_shared<base::Secret>(std::move(secret.value));
  request.form = std::make_unique<TellForm>(
      request.command.task, [value, data = std::move(data)] { return data(value->reveal()); });
  command_and_wait(context, std::move(request));
}

// The user is chosen by the guest's system where none is named, so the guest is looked at first.
void set_credential(Context& context, Call call) {
  const Client client = client_of(call);
  FieldErrors errors;
  FieldReader body = read_body(call.request, errors);
  std::string password = body.text("password");
  std::string user = body.text("user");
  if (!errors.empty()) return client.fail(errors.error());
  if (password.empty()) password = base::random_password(kPasswordLength);
  ask(context, std::move(call),
      [&context, password, user](const Call& asked, auto& reader, const Client& asker) {
        const auto vm = find_guest(asked, reader, asker);
        if (!vm) return;
        auto request = begin(context, asked);
        if (!request) return asker.fail(request.error());
        NewSecret secret =
            seal(context, vm->id, CommandKind::VmSetCredential, "admin", password, *request);
        const std::string name = user.empty() ? admin_of(*vm) : user;
        secret.act.args.guest->admin_name = name;
        submit(context, std::move(*request), std::move(secret),
               [name](std::string_view value) { return credential(value, name); });
      });
}

void show_credential(Context& context, Call call) {
  ask(context, std::move(call), [&context](const Call& asked, auto& reader, const Client& client) {
    const auto vm = find_guest(asked, reader, client);
    if (!vm) return;
    if (vm->spec.admin_secret.empty()) {
      return client.fail(Errc::NotFound, "no password was set for this guest");
    }
    const auto value =
        context.services.open_secret(vm->spec.admin_secret, identity_of(asked).tenant);
    if (!value) return client.fail(value.error());
    // Told once it stands in the log that it was asked for.
    auto request = begin(context, asked);
    if (!request) return client.fail(request.error());
    request->idempotency.reset();
    domain::AppendAudit note;
    note.content = fmt::format("{} read the password of guest '{}'", identity_of(asked).actor,
                               base::to_string(vm->id));
    request->command.body = std::move(note);
    command(context, std::move(*request), credential(value->reveal(), admin_of(*vm)));
  });
}

void reset_monitor_secret(Context& context, const Call& call) {
  const Client client = client_of(call);
  const auto id = guest_id(call);
  if (!id) return client.fail(id.error());
  auto request = begin(context, call);
  if (!request) return client.fail(request.error());
  NewSecret secret = seal(context, *id, CommandKind::VmConsoleResetSecret, "monitor",
                          base::random_password(kMonitorSecretLength), *request);
  submit(context, std::move(*request), std::move(secret), [](std::string_view value) {
    base::JsonWriter w;
    w.begin_object().member("secret", value).end_object();
    return w.text();
  });
}

}  // namespace

void credential_routes(Area& area) {
  area.on_guest(Method::Put, "/auth", Right::Operate, set_credential);
  area.on_guest(Method::Get, "/auth", Right::Operate, show_credential);
  area.on_guest(Method::Put, "/monitor/secret", Right::Operate, reset_monitor_secret);
}

}  // namespace slipway::api::nano
