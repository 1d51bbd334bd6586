// Servers come and go. Nova knows no client token, so the port goes first: it is named by the
// correlation key, and admits one server. See docs/GUARANTEES.md 4.3.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/clock.hpp"
#include "core/base/crypto.hpp"
#include "workers/backends/openstack/operations.hpp"
#include "workers/backends/openstack/tags.hpp"

namespace slipway::workers::openstack {

using base::Errc;

namespace {

constexpr std::uint32_t kTagsFrom = 52;  // microversion: tags in the body of a create
constexpr std::uint32_t kHostFrom = 74;
constexpr std::string_view kPortRef = "port:";
constexpr std::size_t kMaxMade = 10'000;

std::string port_body(const Job& job, const std::string& network) {
  const domain::VmSpec& spec = job.order().spec;
  base::JsonWriter w;
  w.begin_object().key("port").begin_object();
  w.member("network_id", network).member("name", job.call.correlation_key());
  w.member("description", port_description(job.order()));
  if (spec.ipv4 != 0) {
    w.key("fixed_ips").begin_array().begin_object();
    w.member("ip_address", domain::ipv4_text(spec.ipv4)).end_object().end_array();
  }
  if (spec.guest && !spec.guest->mac.empty()) w.member("mac_address", spec.guest->mac);
  return w.end_object().end_object().text();
}

void write_secrets(base::JsonWriter& w, const Job& job) {
  const domain::VmSpec& spec = job.order().spec;
  const Secrets& secrets = job.call.work->secrets;
  if (const base::Secret* password = secrets.find(spec.admin_secret)) {
    w.member("adminPass", password->reveal());
  }
  if (const base::Secret* user_data = secrets.find(spec.user_data)) {
    std::string text = base64(user_data->reveal());
    w.member("user_data", text);
    base::wipe(text);
  }
}

struct Parts {
  std::string flavor;
  std::string image;
  std::string network;
  std::string port;
};

std::string server_body(const Job& job, const Parts& parts) {
  const domain::WorkOrder& order = job.order();
  const std::uint32_t version = job.cloud.api.compute_version();
  base::JsonWriter w;
  w.begin_object().key("server").begin_object();
  w.member("name", order.spec.name).member("imageRef", parts.image);
  w.member("flavorRef", parts.flavor);
  w.key("networks").begin_array().begin_object().member("port", parts.port);
  w.end_object().end_array();
  w.key("metadata").begin_object();
  write_tag(w, order, job.call.correlation_key());
  w.end_object();
  if (version >= kTagsFrom) {
    w.key("tags").begin_array().value("slipway").value(job.call.correlation_key()).end_array();
  }
  if (!job.cloud.options.availability_zone.empty()) {
    w.member("availability_zone", job.cloud.options.availability_zone);
  }
  if (!order.spec.host.empty() && version >= kHostFrom) w.member("host", order.spec.host);
  if (!order.spec.keypair.empty()) w.member("key_name", order.spec.keypair);
  write_secrets(w, job);
  return w.end_object().end_object().text();
}

struct Port {
  std::string id;
  std::string created;  // RFC 3339, UTC: its order is that of time
  std::string device;   // the server that has it; empty: none
};

// All ports of that name, oldest first.
Async<Outcome<std::vector<Port>>> ports_named(Job& job, std::string key) {
  const Reply reply =
      co_await job.request(Service::Network, "GET", "/v2.0/ports?name=" + encoded(key));
  if (!reply.ok()) co_return tl::unexpected<BackendError>(*reply.error);
  std::vector<Port> out;
  for (base::JsonArrayIterator it(reply["ports"]); it; ++it) {
    Port port;
    port.id = text_of(it.value(), "id");
    port.created = text_of(it.value(), "created_at");
    port.device = text_of(it.value(), "device_id");
    out.push_back(std::move(port));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Port& a, const Port& b) { return a.created < b.created; });
  co_return out;
}

// "Not found" is success.
Async<std::optional<BackendError>> delete_port(Job& job, std::string id) {
  const Reply reply = co_await job.request(Service::Network, "DELETE", "/v2.0/ports/" + id);
  if (reply.ok() || reply.is(404)) co_return std::nullopt;
  co_return reply.error;
}

bool is_first(const Job& job) {
  return job.order().token <= 1 && job.call.root() == job.order().task;
}

void remember(Job& job, const std::string& server) {
  std::map<std::string, std::string>& made = job.cloud.made;
  if (made.size() >= kMaxMade) made.clear();
  if (is_first(job)) made[job.call.correlation_key()] = server;
}

// A port left by an earlier attempt is used: it may already have its server, which the caller sees.
Async<Outcome<Port>> own_port(Job& job, std::string network) {
  const bool first = is_first(job);
  if (!first) {
    const auto left = co_await ports_named(job, job.call.correlation_key());
    if (!left) co_return tl::unexpected<BackendError>(left.error());
    if (!left->empty()) co_return left->front();
  }
  const Reply made =
      co_await job.request(Service::Network, "POST", "/v2.0/ports", port_body(job, network));
  if (!made.ok()) co_return tl::unexpected<BackendError>(*made.error);
  Port port;
  port.id = text_of(made["port"], "id");
  co_return port;
}

Async<Outcome<Parts>> resolve(Job& job) {
  const domain::WorkOrder& order = job.order();
  Catalog& catalog = job.cloud.catalog;
  Parts parts;
  auto flavor = co_await catalog.flavor(order.spec.size, job.deadline);
  if (!flavor) co_return tl::unexpected<BackendError>(flavor.error());
  auto image = co_await catalog.image(order.image_ref, order.image_name, job.deadline);
  if (!image) co_return tl::unexpected<BackendError>(image.error());
  auto network = co_await catalog.network(order.network_ref, order.network_name, job.deadline);
  if (!network) co_return tl::unexpected<BackendError>(network.error());
  parts.flavor = std::move(*flavor);
  parts.image = std::move(*image);
  parts.network = std::move(*network);
  co_return parts;
}

}  // namespace

Async<BackendAnswer> create(Job& job) {
  const auto twice = job.cloud.made.find(job.call.correlation_key());
  if (is_first(job) && twice != job.cloud.made.end()) co_return done(twice->second);
  auto parts = co_await resolve(job);
  if (!parts) co_return BackendAnswer::failed(parts.error());
  const auto port = co_await own_port(job, parts->network);
  if (!port) co_return BackendAnswer::failed(port.error());
  if (!port->device.empty()) co_return done(port->device);
  parts->port = port->id;
  const Reply made = co_await job.nova("POST", "/servers", server_body(job, *parts));
  if (made.ok()) {
    std::string id(text_of(made["server"], "id"));
    remember(job, id);
    co_return done(std::move(id));
  }
  BackendError error = *made.error;
  if (made.status < 400 || made.status >= 500) {  // it may have been begun
    error.without_effect = false;
    co_return BackendAnswer::failed(std::move(error));
  }
  job.cloud.catalog.forget();  // what it refuses may be a flavor or an image that is no more
  if (made.is(409)) {          // the port is in use: by the server of an attempt thought lost
    const auto now = co_await ports_named(job, job.call.correlation_key());
    if (now && !now->empty() && !now->front().device.empty()) co_return done(now->front().device);
  }
  const auto left = co_await delete_port(job, port->id);
  error.without_effect = !left;
  co_return BackendAnswer::failed(std::move(error));
}

Async<BackendAnswer> await_running(Job& job) {
  if (job.call.ref.empty()) co_return refused(Errc::NotFound, "it is not known which server");
  const auto found = co_await job.at_rest(job.call.ref);
  if (!found) {
    if (is_unfinished(found.error())) co_return not_yet();
    co_return BackendAnswer::failed(found.error());
  }
  if (found->gone) {
    co_return BackendAnswer::failed({.code = Errc::NotFound, .detail = "the server is gone"});
  }
  if (found->is("ERROR")) {
    BackendError error = co_await job.fault(*found);
    co_return BackendAnswer::failed(std::move(error));
  }
  // A rebuilt server is as it was; ours runs.
  if (found->is("SHUTOFF") && job.order().command == domain::CommandKind::VmRebuild) {
    const auto started =
        co_await job.act(found->id, action_without_arguments("os-start"), "ACTIVE");
    if (!started) co_return BackendAnswer::failed(started.error());
    co_return done(*started);
  }
  co_return done(*found);
}

namespace {

// Its snapshots are images of their own, and of no use without it.
Async<std::optional<BackendError>> delete_snapshots(Job& job) {
  const domain::WorkOrder& order = job.order();
  if (order.command != domain::CommandKind::VmDelete || order.vm.is_nil()) co_return std::nullopt;
  const auto images = co_await images_with(job, "slipway_vm", base::to_string(order.vm));
  if (!images) co_return images.error();
  for (const TaggedImage& image : *images) {
    if (!image.is_ours || image.snapshot.empty()) continue;
    const Reply reply = co_await job.request(Service::Image, "DELETE", "/v2/images/" + image.id);
    if (!reply.ok() && !reply.is(404)) co_return reply.error;
  }
  co_return std::nullopt;
}

Async<std::optional<BackendError>> delete_server(Job& job, std::string id) {
  const Reply reply = co_await job.nova("DELETE", "/servers/" + id);
  if (reply.is(404)) co_return std::nullopt;
  if (!reply.ok()) co_return reply.error;
  Poller::Watch watch(job.cloud.poller, id);
  while (true) {
    const auto seen = co_await watch.next(job.deadline);
    if (!seen) {
      co_return BackendError{.code = Errc::BackendUnavailable,
                             .detail = "the server is not gone yet",
                             .retryable = true,
                             .backend_request_id = reply.request_id};
    }
    if (seen->gone) co_return std::nullopt;
    if (seen->in_error()) co_return co_await job.fault(*seen);
  }
}

// Not those of another server: doubles of one creation share its key.
Async<std::optional<BackendError>> delete_ports(Job& job, std::string server) {
  const std::string key = job.vm_key();
  if (key.empty()) co_return std::nullopt;
  const auto ports = co_await ports_named(job, key);
  if (!ports) co_return ports.error();
  for (const Port& port : *ports) {
    if (!port.device.empty() && port.device != server) continue;
    const auto error = co_await delete_port(job, port.id);
    if (error) co_return error;
  }
  co_return std::nullopt;
}

}  // namespace

Async<BackendAnswer> remove(Job& job) {
  std::string id = job.call.ref;
  std::optional<BackendError> error;
  if (id.starts_with(kPortRef)) {  // all that a creation came to
    error = co_await delete_port(job, id.substr(kPortRef.size()));
    if (error) co_return BackendAnswer::failed(after_effect(*error));
    co_return done(id);
  }
  if (id.empty()) {
    const auto found = co_await job.subject();
    if (!found) co_return BackendAnswer::failed(found.error());
    id = found->id;
  }
  if (!id.empty()) error = co_await delete_server(job, id);
  if (!error) error = co_await delete_ports(job, id);
  if (!error) error = co_await delete_snapshots(job);
  if (error) co_return BackendAnswer::failed(after_effect(*error));
  co_return done(id);
}

namespace {

// From the tag that a create gives where the cloud has tags; else from all there are.
Async<Outcome<std::vector<Server>>> servers_with_key(Job& job, std::string key) {
  const Reply versions = co_await job.nova("GET", "/servers?limit=1");  // negotiates, if need be
  if (!versions.ok()) co_return tl::unexpected<BackendError>(*versions.error);
  const bool tags = job.cloud.api.compute_version() >= kTagsFrom;
  std::string path = fmt::format("/servers/detail?limit={}", job.cloud.options.page_size);
  if (tags) path += "&tags=" + encoded(key);
  std::vector<Server> out;
  std::string marker;
  while (true) {
    const Reply reply = co_await job.nova("GET", path + marker);
    if (!reply.ok()) co_return tl::unexpected<BackendError>(*reply.error);
    for (base::JsonArrayIterator it(reply["servers"]); it; ++it) {
      Server server = parse_server(it.value());
      marker = "&marker=" + encoded(server.id);
      if (server.key == key && !server.gone) out.push_back(std::move(server));
    }
    if (reply["servers_links"].size() == 0 || marker.empty()) co_return out;
  }
}

}  // namespace

Async<BackendAnswer> find_created(Job& job) {
  const std::string key = job.call.correlation_key();
  const auto servers = co_await servers_with_key(job, key);
  if (!servers) co_return BackendAnswer::failed(servers.error());
  const auto ports = co_await ports_named(job, key);
  if (!ports) co_return BackendAnswer::failed(ports.error());
  BackendAnswer answer;
  const base::Time now = base::SystemClock().now();
  const auto add = [&](std::string ref, base::Duration age) {
    const auto same = [&](const FoundResource& f) { return f.ref == ref; };
    if (std::none_of(answer.found.begin(), answer.found.end(), same)) {
      answer.found.push_back({std::move(ref), age});
    }
  };
  for (const Server& server : *servers) {
    add(server.id, server.created ? now - *server.created : base::Duration{});
  }
  for (const Port& port : *ports) {
    if (port.device.empty()) {
      if (job.call.undo) add(std::string(kPortRef) + port.id, {});
      continue;
    }
    const auto owner = co_await job.read(port.device);
    if (!owner) co_return BackendAnswer::failed(owner.error());
    if (!owner->gone) add(port.device, owner->created ? now - *owner->created : base::Duration{});
  }
  std::stable_sort(answer.found.begin(), answer.found.end(),
                   [](const auto& a, const auto& b) { return a.age > b.age; });
  co_return answer;
}

}  // namespace slipway::workers::openstack
