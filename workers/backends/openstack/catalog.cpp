#include "workers/backends/openstack/catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "workers/backends/openstack/faults.hpp"

namespace slipway::workers::openstack {

using base::Errc;
using domain::Flavor;
using domain::Size;

namespace {

constexpr base::Duration kFlavorsHold = std::chrono::minutes(1);
constexpr base::Duration kNamesHold = std::chrono::seconds(30);
constexpr std::size_t kMaxNames = 1000;
constexpr std::size_t kMaxPages = 100;

bool fits(const Flavor& flavor, const Size& size) {
  return flavor.vcpus == size.vcpus && flavor.memory_mb == size.memory_mb &&
         flavor.disk_gb == size.disk_gb;
}

std::string text_of(const Size& size) {
  return fmt::format("{} vCPU, {} MB, {} GB", size.vcpus, size.memory_mb, size.disk_gb);
}

tl::unexpected<BackendError> unable(BackendError error) {
  return tl::unexpected<BackendError>(std::move(error));
}

// Nothing that the task wants was begun by a question.
tl::unexpected<BackendError> unable(const Reply& reply) {
  BackendError error = *reply.error;
  error.without_effect = true;
  return unable(std::move(error));
}

Flavor parse_flavor(base::JsonValue json) {
  Flavor out;
  out.id = openstack::text_of(json, "id");
  out.name = openstack::text_of(json, "name");
  out.vcpus = small_number_of(json, "vcpus");
  out.memory_mb = small_number_of(json, "ram");
  out.disk_gb = small_number_of(json, "disk");
  out.ephemeral_gb = small_number_of(json, "OS-FLV-EXT-DATA:ephemeral");
  out.swap_mb = small_number_of(json, "swap");
  out.is_public = flag_of(json, "os-flavor-access:is_public");
  return out;
}

bool is_usable(base::JsonValue network) {
  return flag_of(network, "admin_state_up") && !flag_of(network, "router:external") &&
         member_of(network, "subnets").size() > 0;
}

}  // namespace

Async<Outcome<std::vector<Flavor>>> Catalog::flavors(base::SteadyTime deadline) {
  const Turns::Turn turn = co_await flavor_turns_.take();
  if (steady_now() >= flavors_until_) {
    const auto error = co_await list_flavors(deadline);
    if (error) co_return unable(*error);
  }
  co_return flavors_;
}

Async<std::optional<BackendError>> Catalog::list_flavors(base::SteadyTime deadline) {
  std::vector<Flavor> found;
  const std::string path = fmt::format("/flavors/detail?limit={}", options_.page_size);
  std::string marker;
  for (std::size_t page = 0; page < kMaxPages; ++page) {
    Call list{.path = path + marker, .deadline = deadline};
    const Reply reply = co_await api_.call(std::move(list));
    if (!reply.ok()) co_return unable(reply).value();
    for (base::JsonArrayIterator it(reply["flavors"]); it; ++it) {
      found.push_back(parse_flavor(it.value()));
    }
    if (reply["flavors_links"].size() == 0 || found.empty()) break;
    marker = "&marker=" + encoded(found.back().id);
  }
  flavors_ = std::move(found);
  flavors_until_ = steady_now() + kFlavorsHold;
  co_return std::nullopt;
}

std::string Catalog::flavor_id(std::string_view name_or_id) const {
  for (const Flavor& flavor : flavors_) {
    if (flavor.id == name_or_id || flavor.name == name_or_id) return flavor.id;
  }
  return {};
}

const Flavor* Catalog::fitting(const Size& size) const {
  const Flavor* best = nullptr;
  for (const Flavor& flavor : flavors_) {
    if (!fits(flavor, size)) continue;
    if (flavor.id == size.flavor || flavor.name == size.flavor) return &flavor;
    // More than was asked for only where nothing else is.
    const auto extras = [](const Flavor& f) { return f.ephemeral_gb + f.swap_mb; };
    if (best == nullptr || extras(flavor) < extras(*best)) best = &flavor;
  }
  return best;
}

Async<Outcome<std::string>> Catalog::flavor(Size size, base::SteadyTime deadline) {
  for (int look = 0; look < 2; ++look) {
    const auto listed = co_await flavors(deadline);
    if (!listed) co_return unable(listed.error());
    if (const Flavor* flavor = fitting(size)) co_return flavor->id;
    flavors_until_ = {};  // it may be a new one
  }
  if (options_.create_flavors) co_return co_await make_flavor(size, deadline);
  co_return unable(refusal(Errc::CapacityExhausted, "no flavor has " + text_of(size)));
}

// Its name follows from its numbers, so two workers that make it at once make one.
Async<Outcome<std::string>> Catalog::make_flavor(Size size, base::SteadyTime deadline) {
  const std::string name =
      fmt::format("slipway-{}c-{}m-{}g", size.vcpus, size.memory_mb, size.disk_gb);
  base::JsonWriter w;
  w.begin_object().key("flavor").begin_object().member("name", name).member("id", name);
  w.member("vcpus", size.vcpus).member("ram", size.memory_mb).member("disk", size.disk_gb);
  w.member("os-flavor-access:is_public", false).end_object().end_object();
  Call make{.method = "POST", .path = "/flavors", .body = w.text(), .deadline = deadline};
  const Reply made = co_await api_.call(std::move(make));
  if (!made.ok() && !made.is(409)) co_return unable(made);
  const Access access = co_await api_.keystone().access();
  if (access.error) co_return unable(*access.error);
  base::JsonWriter grant;
  grant.begin_object().key("addTenantAccess").begin_object();
  grant.member("tenant", access.session->project_id).end_object().end_object();
  Call open{.method = "POST",
            .path = fmt::format("/flavors/{}/action", name),
            .body = grant.text(),
            .deadline = deadline};
  const Reply opened = co_await api_.call(std::move(open));
  if (!opened.ok() && !opened.is(409)) co_return unable(opened);
  flavors_until_ = {};
  co_return name;
}

Async<Outcome<std::string>> Catalog::image(std::string ref, std::string name,
                                           base::SteadyTime deadline) {
  if (!ref.empty()) co_return ref;
  if (name.empty()) co_return unable(refusal(Errc::UnprocessableArgument, "no image is named"));
  const std::string key = "image " + name;
  const Turns::Turn turn = co_await name_turns_.take();
  if (const std::string* id = known(key)) co_return *id;
  Call list{.service = Service::Image,
            .path = "/v2/images?status=active&limit=1&sort=created_at:desc&name=" + encoded(name),
            .deadline = deadline};
  const Reply reply = co_await api_.call(std::move(list));
  if (!reply.ok()) co_return unable(reply);
  for (base::JsonArrayIterator it(reply["images"]); it; ++it) {
    std::string id(openstack::text_of(it.value(), "id"));
    remember(key, id);
    co_return id;
  }
  co_return unable(
      refusal(Errc::UnprocessableArgument, "the cloud has no image named " + one_line(name)));
}

Async<Outcome<std::string>> Catalog::network(std::string ref, std::string name,
                                             base::SteadyTime deadline) {
  if (!ref.empty()) co_return ref;
  const std::string key = "network " + name;
  const Turns::Turn turn = co_await name_turns_.take();
  if (const std::string* id = known(key)) co_return *id;
  auto found = co_await find_network(name.empty() ? options_.network : name, deadline);
  if (!found) co_return found;
  if (found->empty() && !name.empty() && !options_.network.empty()) {
    found = co_await find_network(options_.network, deadline);
    if (!found) co_return found;
  }
  if (found->empty()) {
    const std::string& wanted = name.empty() ? options_.network : name;
    co_return unable(refusal(Errc::UnprocessableArgument,
                             wanted.empty() ? "the cloud has no network that a VM can use"
                                            : "the cloud has no network " + one_line(wanted)));
  }
  remember(key, *found);
  co_return found;
}

// By name, else by id; with no name the first usable. Empty: there is none.
Async<Outcome<std::string>> Catalog::find_network(std::string name, base::SteadyTime deadline) {
  Call list{.service = Service::Network,
            .path = "/v2.0/networks" + (name.empty() ? "" : "?name=" + encoded(name)),
            .deadline = deadline};
  const Reply reply = co_await api_.call(std::move(list));
  if (!reply.ok()) co_return unable(reply);
  for (base::JsonArrayIterator it(reply["networks"]); it; ++it) {
    if (name.empty() && !is_usable(it.value())) continue;
    co_return std::string(openstack::text_of(it.value(), "id"));
  }
  if (!base::parse_uuid(name)) co_return std::string();
  Call one{.service = Service::Network, .path = "/v2.0/networks?id=" + name, .deadline = deadline};
  const Reply by_id = co_await api_.call(std::move(one));
  if (!by_id.ok()) co_return unable(by_id);
  co_return by_id["networks"].size() == 0 ? std::string() : name;
}

const std::string* Catalog::known(const std::string& key) const {
  const auto at = named_.find(key);
  return at != named_.end() && steady_now() < at->second.until ? &at->second.id : nullptr;
}

void Catalog::remember(std::string key, std::string id) {
  if (named_.size() >= kMaxNames) named_.clear();
  named_[std::move(key)] = {std::move(id), steady_now() + kNamesHold};
}

}  // namespace slipway::workers::openstack
