// GET /core/v1/vms and one of them.
#include "api/core_api/context.hpp"
#include "api/core_api/list_query.hpp"
#include "api/core_api/vm_body.hpp"

namespace slipway::api {
namespace {

using base::Errc;

void list_vms(CoreContext& ctx, Call call) {
  const SharedCall shared = share(std::move(call));
  query_when_current(ctx, shared, [&ctx, shared](eventstore::Reader& reader) {
    const Client client{shared->reply};
    const base::Key& key = ctx.services.options.signing_key;
    QueryReader query(shared->request);
    const ListQuery list = read_list_query(query, "vms", key, true);
    const eventstore::VmFilter filter = read_vm_filter(query);
    if (auto status = query.finish(); !status) return client.fail(status.error());
    const auto page = reader.list_vms(identity_of(*shared).scope(), filter, list.page);
    if (!page) return client.fail(page.error());
    client.send(list_response(shared->request, list, *page, key,
                              [](auto& w, const auto& row) { write_vm(w, row, nullptr); }));
  });
}

void get_vm(CoreContext& ctx, Call call) {
  const auto id = path_id(call, "id", "VM");
  if (!id) return Client{call.reply}.fail(id.error());
  const SharedCall shared = share(std::move(call));
  query_when_current(ctx, shared, [shared, vm = domain::VmId(*id)](eventstore::Reader& reader) {
    const Client client{shared->reply};
    QueryReader query(shared->request);
    if (auto status = query.finish(); !status) return client.fail(status.error());
    const auto scope = identity_of(*shared).scope();
    const auto row = reader.get_vm(scope, vm);
    if (!row) return client.fail(row.error());
    if (!row->value) return client.fail(Errc::NotFound, "no VM " + base::to_string(vm));
    const auto snapshots = reader.snapshots(scope, vm);
    if (!snapshots) return client.fail(snapshots.error());
    Response response(none_match_has(shared->request, row->value->version) ? 304 : 200);
    response.add("ETag", etag(row->value->version)).add("Cache-Control", "no-cache");
    response.add("Slipway-Seq", std::to_string(row->seq));
    base::JsonWriter w;
    write_vm(w, *row->value, &snapshots->value);
    if (response.status == 200) response.body = w.text();
    client.send(std::move(response));
  });
}

// What the VM's backend says of it now. The read models say whether the client may ask at all.
void inspect_vm(CoreContext& ctx, Call call, std::string operation) {
  const auto id = path_id(call, "id", "VM");
  if (!id) return Client{call.reply}.fail(id.error());
  const SharedCall shared = share(std::move(call));
  query_when_current(ctx, shared, [&ctx, shared, operation, vm = domain::VmId(*id)](auto& reader) {
    const Client client{shared->reply};
    const auto row = reader.get_vm(identity_of(*shared).scope(), vm);
    if (!row) return client.fail(row.error());
    if (!row->value) return client.fail(Errc::NotFound, "no VM " + base::to_string(vm));
    const auto answer = [client](base::Result<std::string> inspected) {
      if (!inspected) return client.fail(inspected.error());
      Response response(200, std::move(*inspected));
      response.add("Cache-Control", "no-store");
      client.send(std::move(response));
    };
    ctx.services.inspect_vm({vm, operation, answer});
  });
}

}  // namespace

RouteTable vm_routes(CoreContext& ctx) {
  static constexpr Permission kView = allow(Right::View);
  static constexpr Permission kOperate = allow(Right::Operate);
  return {
      {Method::Get, "/vms", kView, [&ctx](Call call) { list_vms(ctx, std::move(call)); }, nullptr},
      {Method::Get, "/vms/{id}", kView, [&ctx](Call call) { get_vm(ctx, std::move(call)); },
       nullptr},
      {Method::Get, "/vms/{id}/stats", kView,
       [&ctx](Call call) { inspect_vm(ctx, std::move(call), "vm.stats"); }, nullptr},
      {Method::Post, "/vms/{id}/console", kOperate,
       [&ctx](Call call) { inspect_vm(ctx, std::move(call), "vm.console_open"); }, nullptr},
  };
}

}  // namespace slipway::api
