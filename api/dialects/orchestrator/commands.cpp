#include <fmt/format.h>

#include "api/dialects/orchestrator/forms.hpp"
#include "api/dialects/orchestrator/orchestrator.hpp"
#include "core/domain/plan.hpp"

// What changes something: parsed, handed over, and, where a worker has to do with it, waited for.
namespace slipway::api {
namespace {

using base::Errc;
using namespace orchestrator;  // NOLINT: the dialect's own

const ErrorRenderer kErrors = render_error;

// The specification's fixed answer, word for word: also to a release.
void send_sample(const Call& call) {
  call.reply.send(
      Response(200, assignment_body(42, "-fake_id-", "Node -fake_id- assigned"), kType));
}

}  // namespace

template <class MakeForm>
void Orchestrator::submit(const Call& call, const std::string& tenant, domain::CommandBody body,
                          MakeForm make_form) const {
  const Client client{call.reply, &kErrors};
  auto request = submitter_.begin(call, domain::Dialect::Orchestrator);
  if (!request) return client.fail(request.error());
  request->client = client;
  // A cloud's own nodes are in its tenant, and acted on in its name.
  request->command.caller.tenant = tenant;
  const domain::CommandKind kind = domain::kind_of(body);
  const bool waits = domain::needs_worker(kind);
  request->wait = waits ? services_.options.max_wait.get() : base::Duration(0);
  request->command.body = std::move(body);
  request->form = make_form(request->command.task);
  submitter_.submit(std::move(*request));
}

void Orchestrator::start(Call call) const {
  const auto json = body_of(call);
  if (!json) return;
  auto vm = parse_start(*json);
  if (!vm) return Client{call.reply, &kErrors}.fail(vm.error());
  on_cloud(std::move(call), [this, vm = std::move(*vm)](const Call& asked, eventstore::Reader&,
                                                        const Cloud& cloud) {
    domain::CreateVm create = vm;
    create.backend = cloud.name;
    submit(asked, identity_of(asked).tenant, std::move(create), [&](const domain::TaskId& task) {
      return std::make_unique<StartForm>(task, vm.vm, cloud);
    });
  });
}

void Orchestrator::destroy(const Call& call, const Node& node, std::string body) const {
  domain::ActOnVm act;
  act.kind = domain::CommandKind::VmDelete;
  act.vm = node.vm.id;
  submit(call, node.vm.tenant(), std::move(act), [&](const domain::TaskId& task) {
    return std::make_unique<StopForm>(task, std::move(body));
  });
}

void Orchestrator::stop(Call call) const {
  const auto json = body_of(call);
  if (!json) return;
  auto name = parse_node(*json);
  if (!name) return Client{call.reply, &kErrors}.fail(name.error());
  on_node(std::move(call), std::move(*name),
          [this](const Call& asked, eventstore::Reader&, const Node& node) {
            destroy(asked, node, result_body(fmt::format("Node {} deleted", node.id)));
          });
}

void Orchestrator::assign(Call call) const {
  const auto json = body_of(call);
  if (!json) return;
  if (asks_to_emulate(*json)) return send_sample(call);
  auto body = parse_assign(*json);
  if (!body) return Client{call.reply, &kErrors}.fail(body.error());
  NodeName name = body->node;
  on_node(
      std::move(call), std::move(name),
      [this, body = std::move(*body)](const Call& asked, eventstore::Reader&, const Node& node) {
        submit(asked, node.vm.tenant(), domain::AssignVm{node.vm.id, body.user, body.vm_type},
               [&](const domain::TaskId& task) {
                 return std::make_unique<AssignmentForm>(task, 0, node.id,
                                                         fmt::format("Node {} assigned", node.id));
               });
      });
}

void Orchestrator::release(Call call) const {
  const auto json = body_of(call);
  if (!json) return;
  if (asks_to_emulate(*json)) return send_sample(call);
  auto name = parse_release(*json);
  if (!name) return Client{call.reply, &kErrors}.fail(name.error());
  on_node(std::move(call), std::move(*name),
          [this](const Call& asked, eventstore::Reader& reader, const Node& node) {
            const Client client{asked.reply, &kErrors};
            const std::string& tenant = node.vm.tenant();
            const auto row = reader.get_assignment(eventstore::Scope::tenant(tenant), node.vm.id);
            if (!row) return client.fail(row.error());
            if (!row->value) {
              return client.fail(Errc::IllegalTransition, "the node is assigned to nobody");
            }
            const std::uint64_t number = row->value->assignment.number;
            const std::string released = fmt::format("Node {} released", node.id);
            if (options_.release_destroys) {
              // Its deletion ends the assignment.
              return destroy(asked, node,
                             assignment_body(number, node.id, released + " and deleted"));
            }
            submit(asked, tenant, domain::ReleaseVm{node.vm.id}, [&](const domain::TaskId& task) {
              return std::make_unique<AssignmentForm>(task, number, node.id, released);
            });
          });
}

// As slow as every other check of a password, and delayed like one after failures.
void Orchestrator::log_in(const Call& call) const {
  const auto json = body_of(call);
  if (!json) return;
  const Client client{call.reply, &kErrors};
  const auto login = parse_login(*json);
  if (!login) return client.fail(login.error());
  const Credentials credentials{login->username, login->password, {}, {}};
  authenticator_.by_password(
      credentials, call.request.peer().address,
      [client, &authenticator = authenticator_](base::Result<IdentityPtr> identity) {
        if (!identity) return client.fail(identity.error());
        base::JsonWriter w;
        w.begin_object().member("status", "ok").member("status_code", 200);
        w.member("token", authenticator.short_token(**identity)).end_object();
        client.send(Response(200, w.text(), kType));
      });
}

}  // namespace slipway::api
