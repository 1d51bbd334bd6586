// What reconciliation found to be nobody's. The tag is read again before anything goes: what has
// another by now, or a server, is not touched.
#include "workers/backends/openstack/operations.hpp"
#include "workers/backends/openstack/tags.hpp"

namespace slipway::workers::openstack {

using base::Errc;

namespace {

struct Found {
  bool gone = false;
  bool is_ours = false;
};

Async<Outcome<Found>> find_port(Job& job, domain::OrphanRef orphan) {
  const Reply reply =
      co_await job.request(Service::Network, "GET", "/v2.0/ports/" + encoded(orphan.ref));
  Found found;
  found.gone = reply.is(404);
  if (found.gone) co_return found;
  if (!reply.ok()) co_return tl::unexpected<BackendError>(*reply.error);
  const auto port = reply["port"];
  found.is_ours = installation_of(text_of(port, "description")) == job.order().installation &&
                  text_of(port, "name") == orphan.key && text_of(port, "device_id").empty();
  co_return found;
}

Async<Outcome<Found>> find_image(Job& job, domain::OrphanRef orphan) {
  const Reply reply =
      co_await job.request(Service::Image, "GET", "/v2/images/" + encoded(orphan.ref));
  Found found;
  found.gone = reply.is(404);
  if (found.gone) co_return found;
  if (!reply.ok()) co_return tl::unexpected<BackendError>(*reply.error);
  const TaggedImage image = parse_tagged(reply.json);
  found.is_ours =
      image.is_ours && image.key == orphan.key && image.installation == job.order().installation;
  co_return found;
}

}  // namespace

Async<BackendAnswer> delete_part(Job& job) {
  const auto& args = job.order().args;
  if (!args.orphan) co_return refused(Errc::BackendRefused, "no part is named");
  const domain::OrphanRef orphan = *args.orphan;
  const bool port = orphan.kind == "port";
  if (!port && orphan.kind != "image") {
    co_return refused(Errc::BackendRefused, "this cloud has no parts of that kind");
  }
  Outcome<Found> found = Found{};
  if (port) {
    found = co_await find_port(job, orphan);
  } else {
    found = co_await find_image(job, orphan);
  }
  if (!found) co_return BackendAnswer::failed(found.error());
  if (found->gone) co_return done(orphan.ref);
  if (!found->is_ours) {
    co_return refused(Errc::BackendRefused,
                      "it does not carry this installation's tag, or is in use");
  }
  const Service service = port ? Service::Network : Service::Image;
  const std::string path = (port ? "/v2.0/ports/" : "/v2/images/") + encoded(orphan.ref);
  const Reply reply = co_await job.request(service, "DELETE", path);
  if (reply.ok() || reply.is(404)) co_return done(orphan.ref);
  co_return BackendAnswer::failed(after_effect(*reply.error));
}

}  // namespace slipway::workers::openstack
