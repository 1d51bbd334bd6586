#include "api/dialects/vmfront/vmfront.hpp"

#include <fmt/format.h>

#include "api/dialects/vmfront/create_server.hpp"
#include "api/dialects/vmfront/server_list.hpp"
#include "api/dialects/vmfront/wire.hpp"
#include "api/read_gate.hpp"
#include "api/whole_list.hpp"

namespace slipway::api {
namespace {

using base::Errc;

const ErrorRenderer kErrors = vmfront::render_error;

constexpr ContentType kPythonPage = "text/html; charset=UTF-8";

std::string host_of(const Request& request) {
  return request.host().empty() ? "localhost" : std::string(request.host());
}

}  // namespace

// ---- who asks

AccessGuard::DoorKeeper VmFront::door() {
  return {[this](const Call& call, AccessGuard::Enter enter) { identify(call, std::move(enter)); },
          &kErrors};
}

void VmFront::identify(const Call& call, AccessGuard::Enter enter) const {
  const Request& request = call.request;
  for (const std::string_view name : {"user", "password"}) {
    if (request.header(name).empty()) {
      call.reply.send(vmfront::error(400, fmt::format("{} was not provided", name)));
      return;
    }
  }
  const Credentials credentials{request.header("user"), request.header("password"),
                                request.header("project_name"), request.header("domain_id")};
  const int refusal = services_.options.wrong_password_is_401 ? 401 : 503;
  authenticator_.by_password(
      credentials, request.peer().address,
      [reply = call.reply, enter = std::move(enter), refusal](base::Result<IdentityPtr> identity) {
        if (identity) return enter(std::move(*identity));
        if (identity.error().code != Errc::Unauthenticated) {
          return Client{reply, &kErrors}.fail(identity.error());
        }
        reply.send(vmfront::error(refusal,
                                  "The request you have made requires authentication. (HTTP 401)"));
      });
}

std::string VmFront::tenant_id(const eventstore::Directory& people,
                               const std::string& project) const {
  const eventstore::ProjectRow* row = people.project(project);
  return row == nullptr ? project : vmfront::hex_id(row->project.id);
}

// ---- requests

void VmFront::query(Call call, std::function<void(const Call&, eventstore::Reader&)> run) const {
  // Shared: it goes on on another thread.
  const auto shared = std::make_shared<Call>(std::move(call));
  const Client client{shared->reply, &kErrors};
  read_when_current(services_, shared->request, client,
                    [&services = services_, shared, client, run = std::move(run)] {
                      services.queries.ask(client, [shared, run](eventstore::Reader& reader) {
                        run(*shared, reader);
                      });
                    });
}

void VmFront::list_servers(Call call) const {
  const Identity& identity = identity_of(call);
  const auto people = services_.people();
  vmfront::ServerContext context;
  context.host = host_of(call.request);
  context.tenant_id = tenant_id(*people, identity.tenant);
  const eventstore::UserRow* user = people->user(identity.actor);
  context.user_id = user == nullptr ? identity.actor : vmfront::hex_id(user->user.id);
  const Client client{call.reply, &kErrors};
  read_when_current(services_, call.request, client,
                    [this, client, scope = identity.own_scope(), context = std::move(context)] {
                      vmfront::answer_servers(services_.queries, client, scope, context);
                    });
}

void VmFront::create_server(Call call) const {
  const Client client{call.reply, &kErrors};
  auto body = vmfront::parse_create(call.request.body(), services_.options.json);
  if (!body) return client.fail(body.error());
  auto request = submitter_.begin(call, domain::Dialect::VmFront);
  if (!request) return client.fail(request.error());
  request->client = client;
  request->wait = base::Duration(0);
  base::Secret password(base::random_password(12));
  const domain::SecretRef ref = "admin-" + base::to_string(body->vm);
  const std::string& tenant = request->command.caller.tenant;
  request->secrets.push_back({ref, services_.seal(ref, tenant, password)});
  body->admin_secret = ref;
  request->form = std::make_unique<vmfront::CreatedServer>(
      body->vm, request->command.task, host_of(call.request), ref, std::move(password));
  request->command.body = std::move(*body);
  submitter_.submit(std::move(*request));
}

void VmFront::list_networks(Call call) const {
  query(std::move(call), [this](const Call& asked, eventstore::Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const auto scope = identity_of(asked).own_scope();
    const auto rows = all_rows<eventstore::NetworkRow>(
        [&](const auto& page) { return reader.list_networks(scope, page); });
    if (!rows) return client.fail(rows.error());
    const auto people = services_.people();
    std::string body;
    vmfront::Writer w(body);
    w.open('{').key("networks").open('[');
    for (const auto& row : *rows) {
      vmfront::write_network(w, row, tenant_id(*people, row.network.tenant));
    }
    w.close(']').close('}');
    client.send(Response(200, std::move(body), vmfront::kType));
  });
}

void VmFront::list_images(Call call) const {
  query(std::move(call), [this](const Call& asked, eventstore::Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const auto scope = identity_of(asked).own_scope();
    const auto rows = all_rows<eventstore::ImageRow>(
        [&](const auto& page) { return reader.list_images(scope, page); });
    if (!rows) return client.fail(rows.error());
    const auto people = services_.people();
    std::string body;
    vmfront::Writer w(body);
    w.open('{').key("images").open('[');
    for (const auto& row : *rows) {
      if (row.state == domain::ImageState::Deleted) continue;
      vmfront::write_image(w, row, tenant_id(*people, row.image.tenant));
    }
    w.close(']').member("first", "/v2/images").member("schema", "/v2/schemas/images").close('}');
    client.send(Response(200, std::move(body), vmfront::kType));
  });
}

void VmFront::list_flavors(Call call) const {
  query(std::move(call), [](const Call& asked, eventstore::Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const auto scope = identity_of(asked).own_scope();
    const auto rows = all_rows<eventstore::FlavorRow>(
        [&](const auto& page) { return reader.list_flavors(scope, page); });
    if (!rows) return client.fail(rows.error());
    const std::string host = host_of(asked.request);
    std::string body;
    vmfront::Writer w(body);
    w.open('{').key("flavors").open('[');
    for (const auto& row : *rows) vmfront::write_flavor(w, row.flavor, host);
    w.close(']').close('}');
    client.send(Response(200, std::move(body), vmfront::kType));
  });
}

void VmFront::vms_per_hour(Call call) const {
  query(std::move(call), [this](const Call& asked, eventstore::Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const auto hours = reader.vms_per_hour(identity_of(asked).own_scope(), services_.clock.now());
    if (!hours) return client.fail(hours.error());
    const bool json =
        asked.request.header("accept").find("application/json") != std::string_view::npos;
    client.send(Response(200, vmfront::write_hours(hours->value, json ? '"' : '\''),
                         json ? vmfront::kType : kPythonPage));
  });
}

void VmFront::token(Call call) const {
  std::string body;
  vmfront::Writer(body)
      .open('{')
      .member("token", authenticator_.short_token(identity_of(call)))
      .close('}');
  call.reply.send(Response(200, std::move(body), vmfront::kType));
}

MountOptions VmFront::mount_options() {
  MountOptions options;
  options.dialect = "vmfront";
  options.any_last_slash = true;
  options.render_error = vmfront::render_error;
  return options;
}

RouteTable VmFront::routes() {
  static constexpr Permission kView = allow(Right::View, Door::VmFront);
  static constexpr Permission kOperate = allow(Right::Operate, Door::VmFront);
  const auto get = [this](std::string pattern, void (VmFront::*handler)(Call) const) {
    return Route{Method::Get, std::move(pattern), kView,
                 [this, handler](Call call) { (this->*handler)(std::move(call)); }, nullptr};
  };
  RouteTable table{get("/virtual_machines", &VmFront::list_servers),
                   get("/networks", &VmFront::list_networks),
                   get("/images", &VmFront::list_images),
                   get("/flavors", &VmFront::list_flavors),
                   get("/statistics/virtual_machines/number/per_day", &VmFront::vms_per_hour),
                   get("/token", &VmFront::token)};
  table.push_back({Method::Post, "/virtual_machines", kOperate,
                   [this](Call call) { create_server(std::move(call)); }, nullptr});
  return table;
}

}  // namespace slipway::api
