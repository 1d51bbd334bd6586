#include "api/dialects/orchestrator/orchestrator.hpp"

#include <charconv>

#include "api/read_gate.hpp"

// Who asks, the table of paths, and which cloud and node a request is about. Questions are in
// questions.cpp, commands in commands.cpp.
namespace slipway::api {
namespace {

using base::Errc;
using base::fail;
using namespace orchestrator;  // NOLINT: the dialect's own

const ErrorRenderer kErrors = render_error;

// As a cloud spells its numbers: "3", and neither "03" nor "+3".
std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return text == std::to_string(number) ? std::optional(number) : std::nullopt;
}

}  // namespace

Orchestrator::Orchestrator(const ApiServices& services, Authenticator& authenticator,
                           Submitter& submitter, Options options)
    : services_(services),
      authenticator_(authenticator),
      submitter_(submitter),
      options_(std::move(options)),
      anybody_(std::make_shared<Identity>(
          Identity{options_.tenant, "orchestrator", domain::Role::Operator})) {}

// ---- who asks

AccessGuard::DoorKeeper Orchestrator::door() {
  return {[this](const Call& call, const AccessGuard::Enter& enter) { identify(call, enter); },
          &kErrors};
}

void Orchestrator::identify(const Call& call, const AccessGuard::Enter& enter) const {
  const Client client{call.reply, &kErrors};
  const std::string token = token_of(call.request, services_.options.json);
  if (!token.empty()) {
    auto identity = authenticator_.by_token(token);
    if (!identity) return client.fail(identity.error());
    return enter(std::move(*identity));
  }
  // The main listener lets nobody in without identity but in demo mode; this dialect is no way
  // around that.
  const bool open = services_.options.demo || call.request.listener() == kListener;
  if (!open || options_.require_token) return client.fail(Errc::Unauthenticated, "Forbidden");
  enter(anybody_);
}

// ---- paths

RouteTable Orchestrator::routes() {
  static constexpr Permission kView = allow(Right::View, Door::Orchestrator);
  static constexpr Permission kOperate = allow(Right::Operate, Door::Orchestrator);
  static constexpr Permission kPublic = allow(Right::Public, Door::Orchestrator);
  RouteTable table;
  const auto one = [&](Method method, std::string_view path, Permission permission,
                       RouteHandler run) {
    table.push_back(
        {method, std::string(kBase) + std::string(path), permission, std::move(run), nullptr});
  };
  // With the cloud at the end and without.
  const auto add = [&](Method method, std::string_view path, Permission permission,
                       Handler handler) {
    const auto run = [this, handler](Call call) { (this->*handler)(std::move(call)); };
    one(method, path, permission, run);
    one(method, std::string(path) + "/{cloud}", permission, run);
  };
  add(Method::Get, "/nodes", kView, &Orchestrator::list_nodes);
  add(Method::Get, "/images", kView, &Orchestrator::list_images);
  add(Method::Get, "/sizes", kView, &Orchestrator::list_sizes);
  add(Method::Get, "/flavors", kView, &Orchestrator::list_sizes);
  add(Method::Get, "/tenants", kView, &Orchestrator::list_tenants);
  add(Method::Get, "/vm/status", kView, &Orchestrator::list_assignments);
  add(Method::Post, "/vm/start", kOperate, &Orchestrator::start);
  add(Method::Put, "/vm/stop", kOperate, &Orchestrator::stop);
  add(Method::Put, "/vm/action/assign", kOperate, &Orchestrator::assign);
  add(Method::Put, "/vm/action/release", kOperate, &Orchestrator::release);
  one(Method::Get, "/cloud", kView, [this](Call call) { list_clouds(std::move(call)); });
  one(Method::Put, "/test/start", kView, [this](Call call) { test_token(std::move(call)); });
  one(Method::Post, "/auth", kPublic, [this](const Call& call) { log_in(call); });
  for (const std::string_view root : {"", "/"}) {
    one(Method::Get, root, kPublic,
        [](const Call& call) { call.reply.send(Response(200, R"({"status":"ok"})", kType)); });
  }
  // Else the pattern of any action would take these, which know another verb.
  for (const std::string_view path : {"/auth", "/test/start", "/vm/start", "/vm/stop"}) {
    one(Method::Get, path, kView, [](const Call& call) { call.reply.send(wrong_verb()); });
  }
  const auto unknown = [](const Call& call) { call.reply.send(unknown_action()); };
  for (const std::string_view path : {"/{action}", "/{action}/{cloud}"}) {
    one(Method::Get, path, kView, unknown);
    one(Method::Put, "/vm/action" + std::string(path), kView, unknown);
  }
  return table;
}

void Orchestrator::mount(Router& router, const std::string& prefix) {
  MountOptions options;
  options.dialect = "orchestrator";
  options.render_error = render_error;
  options.wrong_verb = [](const Request&, std::string_view allow) {
    return std::move(wrong_verb().add("Allow", allow));
  };
  options.not_found = [](const Request&) { return envelope(404, "Page not found"); };
  router.mount(prefix, routes(), std::move(options));
}

// ---- what a request is about

std::optional<base::JsonValue> Orchestrator::body_of(const Call& call) const {
  const auto body = parse_body(call.request.body(), services_.options.json);
  if (body) return *body;
  Client{call.reply, &kErrors}.fail(body.error());
  return std::nullopt;
}

void Orchestrator::on_cloud(Call call, OnCloud run) const {
  // Shared: it goes on on another thread.
  const auto shared = std::make_shared<Call>(std::move(call));
  const Client client{shared->reply, &kErrors};
  auto ask = [this, shared, client, run = std::move(run)](eventstore::Reader& reader) {
    const std::string_view named = shared->params["cloud"];
    const std::string name(named.empty() ? options_.default_cloud : named);
    const auto found = reader.get_backend(identity_of(*shared).own_scope(), name);
    if (!found) return client.fail(found.error());
    if (!found->value) return client.send(no_such_cloud());
    run(*shared, reader, cloud_of(found->value->backend));
  };
  read_when_current(services_, shared->request, client,
                    [this, client, ask = std::move(ask)] { services_.queries.ask(client, ask); });
}

std::vector<std::string> Orchestrator::tenants(const Call& call, const Cloud& cloud) const {
  const std::string& own = identity_of(call).tenant;
  if (cloud.face == nullptr || own != options_.tenant || own == cloud.name) return {own};
  return {cloud.name, own};
}

base::Result<eventstore::VmRow> Orchestrator::find_node(eventstore::Reader& reader,
                                                        const std::string& tenant,
                                                        const Cloud& cloud,
                                                        const NodeName& name) const {
  const auto scope = eventstore::Scope::tenant(tenant);
  const base::Error none{Errc::NotFound, "no useful node id here", {}};
  if (!name.node.empty() && cloud.face == nullptr) {
    const auto id = base::parse_uuid(name.node);
    if (!id) return fail(none);
    auto found = reader.get_vm(scope, domain::VmId(*id));
    if (!found) return fail(found.error());
    if (!found->value || found->value->deleted_at || found->value->spec.backend != cloud.name) {
      return fail(none);
    }
    return std::move(*found->value);
  }
  eventstore::VmFilter filter{.backend = cloud.name};
  filter.numbered = cloud.face != nullptr;
  if (name.node.empty()) {
    filter.name = name.hostname;
  } else if (const auto number = parse_number(name.node)) {
    filter.number = *number;
  } else {
    return fail(none);
  }
  auto page = reader.list_vms(scope, filter, {.limit = 2});
  if (!page) return fail(page.error());
  if (page->items.empty()) return fail(none);
  if (page->items.size() > 1) {
    return fail(Errc::InvalidArgument, "several nodes have this hostname: name one by its id");
  }
  return std::move(page->items.front());
}

void Orchestrator::on_node(Call call, NodeName name, OnNode run) const {
  on_cloud(std::move(call), [this, name = std::move(name), run = std::move(run)](
                                const Call& asked, eventstore::Reader& reader, Cloud cloud) {
    const Client client{asked.reply, &kErrors};
    base::Error error;
    for (const std::string& tenant : tenants(asked, cloud)) {
      auto vm = find_node(reader, tenant, cloud, name);
      if (vm) {
        const std::string id = node_id(vm->id, vm->spec);
        return run(asked, reader, Node{cloud, std::move(*vm), id});
      }
      error = vm.error();
      if (error.code != Errc::NotFound) break;
    }
    client.fail(error);
  });
}

}  // namespace slipway::api
