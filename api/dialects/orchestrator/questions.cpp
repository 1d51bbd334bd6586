#include "api/dialects/orchestrator/node_list.hpp"
#include "api/dialects/orchestrator/orchestrator.hpp"
#include "api/read_gate.hpp"
#include "api/whole_list.hpp"

// What only asks: read on the query pool once the read models know what was acknowledged before.
namespace slipway::api {
namespace {

using base::Errc;
using base::JsonWriter;
using eventstore::Reader;
using eventstore::Scope;
using namespace orchestrator;  // NOLINT: the dialect's own

const ErrorRenderer kErrors = render_error;

void send(const Client& client, const base::Status& status, JsonWriter& w) {
  if (!status) return client.fail(status.error());
  client.send(Response(200, w.member("status", "ok").end_object().text(), kType));
}

}  // namespace

void Orchestrator::list_nodes(Call call) const {
  on_cloud(std::move(call), [this](const Call& asked, Reader& reader, Cloud cloud) {
    auto whose = tenants(asked, cloud);
    answer_nodes(services_.queries, {asked.reply, &kErrors}, std::move(whose), std::move(cloud),
                 reader);
  });
}

void Orchestrator::list_images(Call call) const {
  on_cloud(std::move(call), [](const Call& asked, Reader& reader, const Cloud& cloud) {
    JsonWriter w;
    w.begin_object().key("images").begin_array();
    if (cloud.face != nullptr) {
      for (const auto& image : cloud.face->images) write_image(w, cloud, image.id, image.name);
    }
    const Scope scope = identity_of(asked).own_scope();
    const auto status = each_row([&](const auto& page) { return reader.list_images(scope, page); },
                                 [&](const eventstore::ImageRow& row) {
                                   const domain::Image& image = row.image;
                                   const bool usable = row.state == domain::ImageState::Saved;
                                   if (!usable || image.backend != cloud.name) return;
                                   write_image(w, cloud, base::to_string(image.id), image.name);
                                 });
    w.end_array();
    send({asked.reply, &kErrors}, status, w);
  });
}

void Orchestrator::list_sizes(Call call) const {
  on_cloud(std::move(call), [](const Call& asked, Reader& reader, const Cloud& cloud) {
    JsonWriter w;
    w.begin_object().key("flavors").begin_array();
    base::Status status;
    if (cloud.face != nullptr) {
      for (const auto& size : cloud.face->sizes) {
        write_size(w, cloud, size.id, size.name, size.size());
      }
    } else {
      const Scope scope = identity_of(asked).own_scope();
      status =
          each_row([&](const auto& page) { return reader.list_flavors(scope, page); },
                   [&](const eventstore::FlavorRow& row) {
                     const domain::Flavor& f = row.flavor;
                     write_size(w, cloud, f.id, f.name, {f.id, f.vcpus, f.memory_mb, f.disk_gb});
                   });
    }
    w.end_array();
    send({asked.reply, &kErrors}, status, w);
  });
}

void Orchestrator::list_tenants(Call call) const {
  on_cloud(std::move(call), [](const Call& asked, Reader& reader, const Cloud& cloud) {
    JsonWriter w;
    w.begin_object().key("tenants").begin_array();
    const Scope scope = identity_of(asked).own_scope();
    const auto status = each_row(
        [&](const auto& page) { return reader.list_projects(scope, page); },
        [&](const eventstore::ProjectRow& row) {
          std::string id = base::to_string(row.project.id);
          std::erase(id, '-');
          w.begin_object().member("cloud_type", cloud.title).member("id", id);
          w.member("name", row.project.name).member("provider", cloud.provider).end_object();
        });
    w.end_array();
    send({asked.reply, &kErrors}, status, w);
  });
}

void Orchestrator::list_clouds(Call call) const {
  const auto shared = std::make_shared<Call>(std::move(call));
  const Client client{shared->reply, &kErrors};
  read_when_current(services_, shared->request, client, [this, shared, client] {
    services_.queries.ask(client, [shared, client](Reader& reader) {
      JsonWriter w;
      w.begin_object().key("served_cloud").begin_array();
      const Scope scope = identity_of(*shared).own_scope();
      const auto status = each_row(
          [&](const auto& page) { return reader.list_backends(scope, page); },
          [&](const eventstore::BackendRow& row) {
            w.begin_object().member("host", host_of(row.backend)).member("name", row.backend.name);
            w.member("type", cloud_of(row.backend).provider).end_object();
          });
      w.end_array();
      send(client, status, w);
    });
  });
}

void Orchestrator::list_assignments(Call call) const {
  on_cloud(std::move(call), [this](const Call& asked, Reader& reader, const Cloud& cloud) {
    JsonWriter rows;
    std::size_t count = 0;
    rows.begin_array();
    base::Status status;
    for (const std::string& tenant : tenants(asked, cloud)) {
      const Scope scope = Scope::tenant(tenant);
      const auto one = [&](const eventstore::AssignmentRow& row) {
        const auto vm = reader.get_vm(scope, row.assignment.vm);
        if (!vm || !vm->value || vm->value->deleted_at) return;
        if (vm->value->spec.backend != cloud.name) return;
        write_assignment(rows, row.assignment, *vm->value);
        ++count;
      };
      if (status) {
        status =
            each_row([&](const auto& page) { return reader.list_assignments(scope, page); }, one);
      }
    }
    rows.end_array();
    JsonWriter w;
    w.begin_object().key("nodes").value(base::RawJson{count == 0 ? "{}" : rows.text()});
    send({asked.reply, &kErrors}, status, w);
  });
}

// Whoever comes so far with a token was let in by it.
void Orchestrator::test_token(Call call) const {
  if (token_of(call.request, services_.options.json).empty()) {
    return Client{call.reply, &kErrors}.fail(Errc::Unauthenticated, "Forbidden");
  }
  JsonWriter w;
  w.begin_object().member("authenticated", "yes").member("status", "ok").member("test", "passed");
  call.reply.send(Response(200, w.end_object().text(), kType));
}

}  // namespace slipway::api
