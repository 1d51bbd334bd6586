// What reconciliation found to be nobody's. The tag is read again before anything goes: what has
// another by now, or a server, is not touched.
#include <algorithm>
#include <iterator>

#include "workers/backends/openstack/operations.hpp"
#include "workers/backends/openstack/tags.hpp"

namespace slipway::workers::openstack {

using base::Errc;

namespace {

bool port_is_ours(const Job& job, const domain::OrphanRef& orphan, const Reply& reply) {
  const auto port = reply["port"];
  return installation_of(text_of(port, "description")) == job.order().installation &&
         text_of(port, "name") == orphan.key && text_of(port, "device_id").empty();
}

bool image_is_ours(const Job& job, const domain::OrphanRef& orphan, const Reply& reply) {
  const TaggedImage image = parse_tagged(reply.json);
  return image.is_ours && image.key == orphan.key && image.installation == job.order().installation;
}

struct PartKind {
  std::string_view name;
  Service service;
  std::string_view path;
  bool (*is_ours)(const Job& job, const domain::OrphanRef& orphan, const Reply& reply);
};
constexpr PartKind kPartKinds[] = {{"port", Service::Network, "/v2.0/ports/", port_is_ours},
                                   {"image", Service::Image, "/v2/images/", image_is_ours}};

}  // namespace

Async<BackendAnswer> delete_part(Job& job) {
  const auto& args = job.order().args;
  if (!args.orphan) co_return refused(Errc::BackendRefused, "no part is named");
  const domain::OrphanRef orphan = *args.orphan;
  const PartKind* kind = std::find_if(std::begin(kPartKinds), std::end(kPartKinds),
                                      [&](const PartKind& k) { return k.name == orphan.kind; });
  if (kind == std::end(kPartKinds)) {
    co_return refused(Errc::BackendRefused, "this cloud has no parts of that kind");
  }
  const std::string path = std::string(kind->path) + encoded(orphan.ref);
  const Reply found = co_await job.request(kind->service, "GET", path);
  if (found.is(404)) co_return done(orphan.ref);
  if (!found.ok()) co_return BackendAnswer::failed(*found.error);
  if (!kind->is_ours(job, orphan, found)) {
    co_return refused(Errc::BackendRefused,
                      "it does not carry this installation's tag, or is in use");
  }
  const Reply reply = co_await job.request(kind->service, "DELETE", path);
  if (reply.ok() || reply.is(404)) co_return done(orphan.ref);
  co_return BackendAnswer::failed(after_effect(*reply.error));
}

}  // namespace slipway::workers::openstack
