// Images, and what is made of them: rebuilds and snapshots. Nova has no snapshots inside a server:
// a snapshot is an image with a mark, and going back to it is a rebuild from it.
#include <fmt/format.h>

#include <utility>

#include "workers/backends/openstack/operations.hpp"
#include "workers/backends/openstack/tags.hpp"

namespace slipway::workers::openstack {

using base::Errc;

namespace {

constexpr base::Duration kImageInterval = std::chrono::milliseconds(1500);

std::string rebuild_body(const Job& job, const std::string& image) {
  base::JsonWriter w;
  w.begin_object().key("rebuild").begin_object().member("imageRef", image);
  const domain::SecretRef& ref = job.order().spec.admin_secret;
  if (const base::Secret* password = job.call.work->secrets.find(ref)) {
    w.member("adminPass", password->reveal());
  }
  return w.end_object().end_object().text();
}

// `snapshot` is empty for an image of its own.
std::string create_image_body(const Job& job, const std::string& name,
                              const std::string& snapshot) {
  base::JsonWriter w;
  w.begin_object().key("createImage").begin_object().member("name", name);
  w.key("metadata").begin_object();
  write_tag(w, job.order(), job.call.correlation_key());
  w.member("slipway_image", name).member("slipway_snapshot", snapshot);
  return w.end_object().end_object().end_object().text();
}

// From the body (2.45), or from the header's URL.
std::string image_id_of(const Reply& reply) {
  const std::string_view id = text_of(reply.json, "image_id");
  if (!id.empty()) return std::string(id);
  const std::size_t slash = reply.location.rfind('/');
  return slash == std::string::npos ? "" : reply.location.substr(slash + 1);
}

Async<Outcome<std::string>> make_image(Job& job, std::string name, std::string snapshot) {
  auto server = co_await job.rested_subject();
  if (!server) co_return tl::unexpected<BackendError>(server.error());
  if (server->gone) {
    co_return tl::unexpected<BackendError>(refusal(Errc::NotFound, "the server is not there"));
  }
  const Reply reply = co_await job.nova("POST", fmt::format("/servers/{}/action", server->id),
                                        create_image_body(job, name, snapshot));
  if (!reply.ok()) co_return tl::unexpected<BackendError>(*reply.error);
  co_return image_id_of(reply);
}

// Until it can be used; unfinished at the deadline.
Async<Outcome<TaggedImage>> saved(Job& job, std::string id) {
  while (true) {
    const Reply reply = co_await job.request(Service::Image, "GET", "/v2/images/" + id);
    if (reply.is(404)) {
      co_return tl::unexpected<BackendError>(
          BackendError{.code = Errc::NotFound, .detail = "the image is not there"});
    }
    if (!reply.ok()) co_return tl::unexpected<BackendError>(*reply.error);
    TaggedImage image = parse_tagged(reply.json);
    if (image.status == "active") co_return image;
    if (image.status != "queued" && image.status != "saving" && image.status != "importing") {
      co_return tl::unexpected<BackendError>(
          BackendError{.code = Errc::BackendRefused,
                       .detail = fmt::format("the image is {}", one_line(image.status)),
                       .backend_request_id = reply.request_id});
    }
    if (steady_now() + kImageInterval > job.deadline) {
      co_return tl::unexpected<BackendError>(unfinished());
    }
    Pause pause{job.cloud.loop, kImageInterval};
    co_await pause;
  }
}

// Ours, of this VM and name.
Async<Outcome<std::vector<TaggedImage>>> snapshots_named(Job& job, std::string name) {
  auto images = co_await images_with(job, "slipway_vm", base::to_string(job.order().vm));
  if (!images) co_return images;
  std::erase_if(*images, [&](const TaggedImage& i) { return !i.is_ours || i.snapshot != name; });
  co_return images;
}

Async<std::optional<BackendError>> delete_one(Job& job, std::string id) {
  const Reply reply = co_await job.request(Service::Image, "DELETE", "/v2/images/" + id);
  if (reply.ok() || reply.is(404)) co_return std::nullopt;
  co_return after_effect(*reply.error);
}

Async<BackendAnswer> rebuild_from(Job& job, std::string image, bool wait) {
  auto server = co_await job.rested_subject();
  if (!server) co_return BackendAnswer::failed(server.error());
  if (server->gone) co_return refused(Errc::NotFound, "the server is not there");
  const std::string id = server->id;
  if (!wait) {
    const Reply reply =
        co_await job.nova("POST", fmt::format("/servers/{}/action", id), rebuild_body(job, image));
    if (!reply.ok()) co_return BackendAnswer::failed(*reply.error);
    co_return done(id);
  }
  server = co_await job.act(id, rebuild_body(job, image), "ACTIVE SHUTOFF");
  if (!server) co_return BackendAnswer::failed(server.error());
  co_return done(*server);
}

}  // namespace

// Also of reset_system: another system on the first disk.
Async<BackendAnswer> rebuild(Job& job) {
  const domain::WorkOrder& order = job.order();
  const auto image =
      co_await job.cloud.catalog.image(order.image_ref, order.image_name, job.deadline);
  if (!image) co_return BackendAnswer::failed(image.error());
  co_return co_await rebuild_from(job, *image, false);
}

Async<BackendAnswer> create_snapshot(Job& job) {
  const std::string& name = job.order().args.snapshot;
  const auto there = co_await snapshots_named(job, name);
  if (!there) co_return BackendAnswer::failed(there.error());
  std::string id;
  for (const TaggedImage& image : *there) {
    if (image.key != job.call.correlation_key()) {
      co_return refused(Errc::NameTaken, "the VM has a snapshot of that name");
    }
    id = image.id;
  }
  if (id.empty()) {
    // Beside the key, as the name of an image says little to who looks at the cloud itself.
    auto made = co_await make_image(job, fmt::format("{} {}", job.order().spec.name, name), name);
    if (!made) co_return BackendAnswer::failed(made.error());
    id = std::move(*made);
  }
  const auto image = co_await saved(job, id);
  if (!image && is_unfinished(image.error())) co_return not_yet();
  if (!image) co_return BackendAnswer::failed(after_effect(image.error()));
  const auto rested = co_await job.rested_subject();
  if (!rested) co_return BackendAnswer::failed(after_effect(rested.error()));
  co_return done(id);
}

Async<BackendAnswer> restore_snapshot(Job& job) {
  const auto there = co_await snapshots_named(job, job.order().args.snapshot);
  if (!there) co_return BackendAnswer::failed(there.error());
  if (there->empty()) co_return refused(Errc::NotFound, "no such snapshot");
  co_return co_await rebuild_from(job, there->front().id, true);
}

Async<BackendAnswer> delete_snapshot(Job& job) {
  if (job.call.undo && !job.call.ref.empty()) {
    const auto error = co_await delete_one(job, job.call.ref);
    if (error) co_return BackendAnswer::failed(*error);
    co_return done(job.call.ref);
  }
  const auto there = co_await snapshots_named(job, job.order().args.snapshot);
  if (!there) co_return BackendAnswer::failed(there.error());
  for (const TaggedImage& image : *there) {
    const auto error = co_await delete_one(job, image.id);
    if (error) co_return BackendAnswer::failed(*error);
  }
  co_return done(job.call.ref);
}

Async<BackendAnswer> create_image(Job& job) {
  auto made = co_await make_image(job, job.order().args.name, {});
  if (!made) co_return BackendAnswer::failed(made.error());
  co_return done(std::move(*made));
}

Async<BackendAnswer> await_saved(Job& job) {
  if (job.call.ref.empty()) co_return refused(Errc::NotFound, "it is not known which image");
  const auto image = co_await saved(job, job.call.ref);
  if (!image && is_unfinished(image.error())) co_return not_yet();
  if (!image) co_return BackendAnswer::failed(image.error());
  co_return done(image->id, {fmt::format(R"({{"size_bytes":{}}})", image->size_bytes)});
}

Async<BackendAnswer> delete_image(Job& job) {
  if (!job.call.ref.empty()) {
    const auto error = co_await delete_one(job, job.call.ref);
    if (error) co_return BackendAnswer::failed(*error);
    co_return done(job.call.ref);
  }
  const std::string key = job.call.undo ? job.call.correlation_key() : job.order().image_key;
  if (key.empty()) co_return done(std::string());
  const auto images = co_await images_with(job, "slipway_key", key);
  if (!images) co_return BackendAnswer::failed(images.error());
  for (const TaggedImage& image : *images) {
    if (!image.is_ours) continue;
    const auto error = co_await delete_one(job, image.id);
    if (error) co_return BackendAnswer::failed(*error);
  }
  co_return done(std::string());
}

Async<BackendAnswer> find_images(Job& job) {
  const auto images = co_await images_with(job, "slipway_key", job.call.correlation_key());
  if (!images) co_return BackendAnswer::failed(images.error());
  BackendAnswer answer;
  base::Duration age = std::chrono::seconds(static_cast<std::int64_t>(images->size()));
  for (const TaggedImage& image : *images) {  // oldest first: only the order counts
    if (!image.is_ours) continue;
    answer.found.push_back({image.id, age});
    age -= std::chrono::seconds(1);
  }
  co_return answer;
}

}  // namespace slipway::workers::openstack
