#include "api/dialects/perspective/perspective.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/dialects/perspective/wire.hpp"
#include "api/read_gate.hpp"
#include "api/sql_query.hpp"

namespace slipway::api {
namespace {

using base::Errc;
using domain::CommandKind;

const ErrorRenderer kErrors = perspective::render_error;

// 200 without a body; the task's id goes into a header (SubmitReply).
class BulkForm final : public AnswerForm {
 public:
  explicit BulkForm(domain::TaskId task) : task_(task) {}
  eventstore::Answer render(const eventstore::Accepted&) override {
    eventstore::Answer answer;
    answer.status = 200;
    answer.task = task_;
    return answer;
  }
  void finish(Response& response, const eventstore::Answer&) const override {
    perspective::make_empty(response);
  }

 private:
  const domain::TaskId task_;
};

// "Unknown flavor: 404" and its like, out of a plan.
base::Error missing(std::string_view what, std::string_view id) {
  return {Errc::NotFound, fmt::format("{} with id = {} not found", what, id), {}};
}

}  // namespace

Perspective::Perspective(const ApiServices& services, Authenticator& authenticator,
                         Submitter& submitter, SqlPool& sql, perspective::Mail& mail,
                         Options options)
    : services_(services),
      authenticator_(authenticator),
      submitter_(submitter),
      sql_(sql),
      mail_(mail),
      options_(std::move(options)),
      anybody_(std::make_shared<Identity>(
          Identity{options_.tenant, "perspective", domain::Role::Operator})) {}

// ---- who asks

AccessGuard::DoorKeeper Perspective::door() {
  return {[this](const Call& call, const AccessGuard::Enter& enter) { identify(call, enter); },
          &kErrors};
}

void Perspective::identify(const Call& call, const AccessGuard::Enter& enter) const {
  const bool brings_token = call.request.find_header("authorization").has_value();
  // The main listener lets nobody in without identity but in demo mode; this dialect is no way
  // around that.
  const bool open = services_.options.demo || call.request.listener() == kListener;
  if (!brings_token && open && !options_.require_token) return enter(anybody_);
  const Client client{call.reply, &kErrors};
  if (!brings_token) return client.fail(Errc::Unauthenticated, "a bearer token is needed here");
  auto identity = authenticator_.by_bearer(call.request);
  if (!identity) return client.fail(identity.error());
  enter(std::move(*identity));
}

// ---- requests

void Perspective::query(Call call,
                        std::function<void(const Call&, eventstore::Reader&)> run) const {
  // Shared: it goes on on another thread.
  const SharedCall shared = std::make_shared<Call>(std::move(call));
  const Client client{shared->reply, &kErrors};
  read_when_current(
      services_, shared->request, client, [this, shared, client, run = std::move(run)] {
        services_.queries.ask(client,
                              [shared, run](eventstore::Reader& reader) { run(*shared, reader); });
      });
}

void Perspective::bulk(Call call, Plan plan) const {
  query(std::move(call),
        [this, plan = std::move(plan)](const Call& asked, eventstore::Reader& reader) {
          auto batch = plan(reader, identity_of(asked).own_scope());
          if (!batch) return Client{asked.reply, &kErrors}.fail(batch.error());
          submit(asked, std::move(*batch));
        });
}

void Perspective::submit(const Call& call, domain::OpenBatch batch) const {
  const Client client{call.reply, &kErrors};
  if (batch.items.empty()) return client.send(perspective::empty_answer());
  auto request = submitter_.begin(call, domain::Dialect::Perspective);
  if (!request) return client.fail(request.error());
  request->client = client;
  request->wait = base::Duration(0);
  request->command.if_match.reset();  // there are many resources
  request->form = std::make_unique<BulkForm>(request->command.task);
  request->command.body = std::move(batch);
  submitter_.submit(std::move(*request));
}

void Perspective::create(Call call) const {
  auto vms = perspective::parse_instances(call.request.body());
  if (!vms) return Client{call.reply, &kErrors}.fail(vms.error());
  submit(call, perspective::create_instances(std::move(*vms)));
}

void Perspective::act(Call call, CommandKind kind, bool hard) const {
  auto ids = perspective::parse_ids(call.request.body());
  if (!ids) return Client{call.reply, &kErrors}.fail(ids.error());
  domain::ActOnVm act;
  act.kind = kind;
  act.args.hard = hard;
  bulk(std::move(call), [ids = std::move(*ids), act](auto& reader, const auto& scope) {
    return perspective::on_instances(reader, scope, ids, act);
  });
}

void Perspective::resize(Call call) const {
  auto ids = perspective::parse_ids(call.request.body());
  if (!ids) return Client{call.reply, &kErrors}.fail(ids.error());
  std::string flavor(call.params["newFlavorID"]);
  bulk(std::move(call),
       [ids = std::move(*ids), flavor](auto& reader,
                                       const auto& scope) -> base::Result<domain::OpenBatch> {
         const auto row = reader.get_flavor(scope, flavor);
         if (!row) return base::fail(row.error());
         if (!row->value) return base::fail(missing("Flavor", flavor));
         domain::ActOnVm act;
         act.kind = CommandKind::VmResize;
         act.flavor = row->value->flavor.id;
         return perspective::on_instances(reader, scope, ids, act);
       });
}

void Perspective::rebuild(Call call) const {
  auto ids = perspective::parse_ids(call.request.body());
  if (!ids) return Client{call.reply, &kErrors}.fail(ids.error());
  std::string image(call.params["newImageID"]);
  bulk(std::move(call),
       [ids = std::move(*ids), image](auto& reader,
                                      const auto& scope) -> base::Result<domain::OpenBatch> {
         const auto id = base::parse_uuid(image);
         if (!id) return base::fail(missing("Image", image));
         const auto row = reader.get_image(scope, domain::ImageId(*id));
         if (!row) return base::fail(row.error());
         if (!row->value) return base::fail(missing("Image", image));
         domain::ActOnVm act;
         act.kind = CommandKind::VmRebuild;
         act.image = base::to_string(*id);
         return perspective::on_instances(reader, scope, ids, act);
       });
}

void Perspective::rename(Call call) const {
  auto names = perspective::parse_names(call.request.body());
  if (!names) return Client{call.reply, &kErrors}.fail(names.error());
  bulk(std::move(call), [names = std::move(*names)](auto& reader, const auto& scope) {
    return perspective::rename_instances(reader, scope, names);
  });
}

void Perspective::capture(Call call) const {
  auto images = perspective::parse_images(call.request.body());
  if (!images) return Client{call.reply, &kErrors}.fail(images.error());
  bulk(std::move(call), [images = std::move(*images)](auto& reader, const auto& scope) {
    return perspective::capture_images(reader, scope, images);
  });
}

void Perspective::delete_images(Call call) const {
  auto ids = perspective::parse_ids(call.request.body());
  if (!ids) return Client{call.reply, &kErrors}.fail(ids.error());
  bulk(std::move(call), [ids = std::move(*ids)](auto& reader, const auto& scope) {
    return perspective::delete_images(reader, scope, ids);
  });
}

void Perspective::sql(const Call& call) const {
  answer_sql(services_, sql_, call.request, {call.reply, &kErrors}, identity_of(call).own_scope(),
             perspective::kType);
}

void Perspective::ping(const Call& call) const {
  const auto checks = services_.ready ? services_.ready() : std::vector<ReadyCheck>();
  const bool ready = std::all_of(checks.begin(), checks.end(), [](const auto& c) { return c.ok; });
  Response response = perspective::empty_answer();
  response.status = ready ? 200 : 503;
  if (!ready) response.add("Retry-After", "1");
  call.reply.send(std::move(response));
}

MountOptions Perspective::mount_options() {
  MountOptions options;
  options.dialect = "perspective";
  options.any_last_slash = true;
  options.render_error = perspective::render_error;
  return options;
}

RouteTable Perspective::routes() {
  static constexpr Permission kView = allow(Right::View, Door::Perspective);
  static constexpr Permission kOperate = allow(Right::Operate, Door::Perspective);
  static constexpr Permission kPublic = allow(Right::Public);
  const auto to = [this](void (Perspective::*handler)(Call) const) {
    return [this, handler](Call call) { (this->*handler)(std::move(call)); };
  };
  const auto action = [this](CommandKind kind, bool hard = false) {
    return [this, kind, hard](Call call) { act(std::move(call), kind, hard); };
  };
  using enum Method;
  return {
      {Post, "/query", kView, [this](const Call& call) { sql(call); }},
      {Post, "/instances", kOperate, to(&Perspective::create)},
      {Post, "/instances/delete", kOperate, action(CommandKind::VmDelete)},
      {Put, "/instances/reboot", kOperate, action(CommandKind::VmReboot)},
      {Put, "/instances/hard-reboot", kOperate, action(CommandKind::VmReboot, true)},
      {Put, "/instances/start", kOperate, action(CommandKind::VmStart)},
      {Put, "/instances/shutdown", kOperate, action(CommandKind::VmStop)},
      {Put, "/instances/pause", kOperate, action(CommandKind::VmPause)},
      {Put, "/instances/resume", kOperate, action(CommandKind::VmResume)},
      {Put, "/instances/suspend", kOperate, action(CommandKind::VmSuspend)},
      {Put, "/instances/resize/{newFlavorID}", kOperate, to(&Perspective::resize)},
      {Put, "/instances/rename", kOperate, to(&Perspective::rename)},
      {Put, "/instances/rebuild/{newImageID}", kOperate, to(&Perspective::rebuild)},
      // The title of the specification's section has the one, its sample the other.
      {Get, "/instances/{id}", kView, to(&Perspective::show_instance)},
      {Get, "/instance/{id}", kView, to(&Perspective::show_instance)},
      {Post, "/images", kOperate, to(&Perspective::capture)},
      {Post, "/images/delete", kOperate, to(&Perspective::delete_images)},
      {Get, "/images/{id}", kView, to(&Perspective::show_image)},
      {Get, "/ping", kPublic, [this](const Call& call) { ping(call); }},
      {Get, "/version", kPublic,
       [this](const Call& call) {
         const std::string& version = services_.options.version;
         call.reply.send(Response(200, version.empty() ? "unknown" : version, kText));
       }},
      {Get, "/operations", kView, to(&Perspective::operations)},
      {Get, "/mail", kView,
       [this](const Call& call) {
         mail_.listen(identity_of(call).tenant, call.request, call.reply);
       }},
  };
}

}  // namespace slipway::api
