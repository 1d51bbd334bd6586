#include "api/dialects/perspective/wire.hpp"

#include <fmt/format.h>

#include "eventstore/sql/catalog.hpp"

namespace slipway::api::perspective {

using base::JsonWriter;

// ---- errors

Response render_error(const ErrorInfo& info) {
  const bool ours = info.error.code == base::Errc::Internal;
  Response response(info.status, ours ? "internal error" : info.error.message, kText);
  if (info.retry_after) response.add("Retry-After", std::to_string(*info.retry_after));
  return response;
}

Response not_found(std::string_view what, std::string_view id) {
  return Response(404, fmt::format("{} with id = {} not found", what, id), kText);
}

void make_empty(Response& response) {
  response.body.clear();
  response.type = kNoContentType;
  response.add("Content-Type", kType.text());
}

Response empty_answer() {
  Response response(200);
  make_empty(response);
  return response;
}

std::string time(base::Time t) {
  return base::rfc3339(t).substr(0, 19) + std::string(eventstore::sql::kTimeSuffix);
}

namespace {

void write_metadata(JsonWriter& w, const domain::Labels& labels) {
  w.key("metadata").begin_object().key("entry").begin_array();
  for (const auto& [key, value] : labels) {
    w.begin_object().member("key", key).member("value", value).end_object();
  }
  w.end_array().end_object();
}

void write_times(JsonWriter& w, base::Time updated, base::Time created) {
  w.member("timestamp", time(updated)).member("created", time(created));
}

void write_flavor(JsonWriter& w, const eventstore::VmRow& vm, const eventstore::FlavorRow* row) {
  const domain::Size& size = vm.spec.size;
  const domain::Flavor* flavor = row == nullptr ? nullptr : &row->flavor;
  // A VM that was sized by numbers alone has a flavor of its own to show.
  const std::string own = fmt::format("c{}m{}d{}", size.vcpus, size.memory_mb, size.disk_gb);
  const std::string id = size.flavor.empty() ? own : size.flavor;
  w.key("flavor").begin_object().member("id", id);
  w.member("name", flavor == nullptr ? id : flavor->name);
  w.member("ram", size.memory_mb).member("vcpus", size.vcpus).member("rootDisk", size.disk_gb);
  w.member("ephemeralDisk", flavor == nullptr ? 0U : flavor->ephemeral_gb);
  w.member("hasSwap", flavor != nullptr && flavor->swap_mb > 0);
  w.member("isPublic", flavor != nullptr && flavor->is_public).end_object();
}

void write_network(JsonWriter& w, const domain::Network& network) {
  w.begin_object().member("id", base::to_string(network.id)).member("name", network.name);
  w.member("state", "ACTIVE").member("isShared", network.shared).key("subnets").begin_array();
  for (const base::Uuid& subnet : network.subnets) {
    w.begin_object().member("id", base::to_string(subnet)).end_object();
  }
  w.end_array().end_object();
}

}  // namespace

void write_instance(JsonWriter& w, const eventstore::VmRow& vm, const eventstore::FlavorRow* flavor,
                    const eventstore::ImageRow* image, const eventstore::NetworkRow* network,
                    const Context& context) {
  w.begin_object().member("id", base::to_string(vm.id)).member("realId", vm.backend_ref);
  write_times(w, vm.updated_at, vm.created_at);
  w.member("cloudId", vm.spec.backend).member("cloudType", context.cloud_type);
  w.member("projectId", context.project_id).member("name", vm.spec.name);
  write_flavor(w, vm, flavor);
  w.key("image");
  if (image != nullptr) {
    write_image(w, *image, context);
  } else {
    w.begin_object();
    if (!vm.spec.image.is_nil()) w.member("id", base::to_string(vm.spec.image));
    w.end_object();
  }
  w.key("keypair").begin_object();
  if (!vm.spec.keypair.empty()) w.member("name", vm.spec.keypair);
  w.end_object();
  w.member("state", eventstore::sql::instance_state(vm.state)).member("isLocked", false);
  write_metadata(w, vm.spec.labels);
  w.key("address").begin_array();
  if (vm.spec.ipv4 != 0 && vm.launched_at) w.value(domain::ipv4_text(vm.spec.ipv4));
  w.end_array().key("networks").begin_array();
  if (network != nullptr) write_network(w, network->network);
  w.end_array().end_object();
}

void write_image(JsonWriter& w, const eventstore::ImageRow& row, const Context& context) {
  const domain::Image& image = row.image;
  w.begin_object().member("id", base::to_string(image.id)).member("realId", image.backend_ref);
  write_times(w, row.updated_at, row.created_at);
  w.member("cloudId", image.backend).member("cloudType", context.cloud_type);
  w.member("name", image.name).member("state", eventstore::sql::image_state(row.state));
  if (!image.checksum_md5.empty()) w.member("checksum", image.checksum_md5);
  write_metadata(w, image.properties);
  w.key("projectId").begin_array();
  for (const eventstore::ProjectRow& p : context.projects) {
    if (image.is_public || image.tenant == p.project.name) w.value(base::to_string(p.project.id));
  }
  w.end_array().end_object();
}

}  // namespace slipway::api::perspective
