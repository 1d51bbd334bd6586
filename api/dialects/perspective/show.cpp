// One instance, one image, and what each kind of cloud can do.
#include <set>

#include "api/dialects/perspective/perspective.hpp"
#include "api/dialects/perspective/wire.hpp"
#include "api/whole_list.hpp"

namespace slipway::api {
namespace {

using eventstore::Reader;
using eventstore::Scope;

const ErrorRenderer kErrors = perspective::render_error;

base::Result<perspective::Context> context_of(Reader& reader, const Scope& scope,
                                              std::string_view backend, std::string_view tenant) {
  perspective::Context context;
  auto projects = all_rows<eventstore::ProjectRow>(
      [&](const auto& page) { return reader.list_projects(scope, page); });
  if (!projects) return base::fail(projects.error());
  context.projects = std::move(*projects);
  context.project_id = tenant;
  for (const auto& p : context.projects) {
    if (p.project.name == tenant) context.project_id = base::to_string(p.project.id);
  }
  const auto found = reader.get_backend(scope, backend);
  if (!found) return base::fail(found.error());
  if (found->value) context.cloud_type = found->value->backend.type;
  return context;
}

template <class Row>
const Row* pointer(const base::Result<eventstore::Read<std::optional<Row>>>& row) {
  return row && row->value ? &*row->value : nullptr;
}

base::Result<std::string> instance_body(Reader& reader, const Scope& scope,
                                        const eventstore::VmRow& vm) {
  const auto context = context_of(reader, scope, vm.spec.backend, vm.tenant());
  if (!context) return base::fail(context.error());
  const auto flavor = reader.get_flavor(scope, vm.spec.size.flavor);
  const auto image = reader.get_image(scope, vm.spec.image);
  const auto network = reader.get_network(scope, vm.spec.network);
  base::JsonWriter w;
  perspective::write_instance(w, vm, pointer(flavor), pointer(image), pointer(network), *context);
  return w.text();
}

// What the core can be asked to do, in the words of this dialect. Addresses of their own are not
// among them: a VM has the one of its network.
constexpr std::string_view kOperations[] = {
    "listProjects",    "addInstance",    "deleteInstance", "hardRebootInstance", "listInstances",
    "migrateInstance", "pauseInstance",  "rebootInstance", "rebuildInstance",    "renameInstance",
    "resizeInstance",  "resumeInstance", "startInstance",  "shutdownInstance",   "suspendInstance",
    "unpauseInstance", "addImage",       "deleteImage",    "listImages"};

}  // namespace

void Perspective::show_instance(Call call) const {
  query(std::move(call), [](const Call& asked, Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const std::string_view text = asked.params["id"];
    const auto scope = identity_of(asked).own_scope();
    const auto id = base::parse_uuid(text);
    if (!id) return client.send(perspective::not_found("Instance", text));
    const auto vm = reader.get_vm(scope, domain::VmId(*id));
    if (!vm) return client.fail(vm.error());
    if (!vm->value || vm->value->state == domain::VmState::Deleted) {
      return client.send(perspective::not_found("Instance", text));
    }
    auto body = instance_body(reader, scope, *vm->value);
    if (!body) return client.fail(body.error());
    client.send(Response(200, std::move(*body), perspective::kType));
  });
}

void Perspective::show_image(Call call) const {
  query(std::move(call), [](const Call& asked, Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const std::string_view text = asked.params["id"];
    const auto scope = identity_of(asked).own_scope();
    const auto id = base::parse_uuid(text);
    if (!id) return client.send(perspective::not_found("Image", text));
    const auto image = reader.get_image(scope, domain::ImageId(*id));
    if (!image) return client.fail(image.error());
    if (!image->value) return client.send(perspective::not_found("Image", text));
    const domain::Image& found = image->value->image;
    const auto context = context_of(reader, scope, found.backend, found.tenant);
    if (!context) return client.fail(context.error());
    base::JsonWriter w;
    perspective::write_image(w, *image->value, *context);
    client.send(Response(200, w.text(), perspective::kType));
  });
}

void Perspective::operations(Call call) const {
  query(std::move(call), [](const Call& asked, Reader& reader) {
    const Client client{asked.reply, &kErrors};
    const auto scope = identity_of(asked).own_scope();
    const auto backends = all_rows<eventstore::BackendRow>(
        [&](const auto& page) { return reader.list_backends(scope, page); });
    if (!backends) return client.fail(backends.error());
    std::set<std::string> types;
    for (const auto& row : *backends) types.insert(row.backend.type);
    base::JsonWriter w;
    w.begin_object();
    for (const std::string& type : types) {
      w.key(type).begin_array();
      for (const std::string_view name : kOperations) w.value(name);
      w.end_array();
    }
    client.send(Response(200, w.end_object().text(), perspective::kType));
  });
}

}  // namespace slipway::api
