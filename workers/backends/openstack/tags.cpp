#include "workers/backends/openstack/tags.hpp"

#include <fmt/format.h>

#include <utility>

namespace slipway::workers::openstack {

namespace {

constexpr std::string_view kPortDescription = "slipway installation=";

}  // namespace

void write_tag(base::JsonWriter& w, const domain::WorkOrder& order, std::string_view key) {
  w.member("task", base::to_string(order.task)).member("slipway_key", key);
  w.member("slipway_installation", order.installation);
  if (!order.vm.is_nil()) w.member("slipway_vm", base::to_string(order.vm));
}

std::string port_description(const domain::WorkOrder& order) {
  return fmt::format("{}{} vm={}", kPortDescription, order.installation, base::to_string(order.vm));
}

std::string installation_of(std::string_view description) {
  if (!description.starts_with(kPortDescription)) return {};
  description.remove_prefix(kPortDescription.size());
  return std::string(description.substr(0, description.find(' ')));
}

TaggedImage parse_tagged(base::JsonValue image) {
  TaggedImage out;
  out.id = text_of(image, "id");
  out.name = text_of(image, "name");
  out.status = text_of(image, "status");
  out.key = text_of(image, "slipway_key");
  out.task = text_of(image, "task");
  out.installation = text_of(image, "slipway_installation");
  out.vm = text_of(image, "slipway_vm");
  out.snapshot = text_of(image, "slipway_snapshot");
  out.size_bytes = number_of(image, "size");
  out.created = base::parse_rfc3339(text_of(image, "created_at"));
  out.is_ours = !out.key.empty() && text_of(image, "slipway_image") == out.name;
  return out;
}

Async<Outcome<std::vector<TaggedImage>>> images_with(Job& job, std::string property,
                                                     std::string value) {
  const Reply reply = co_await job.request(
      Service::Image, "GET",
      fmt::format("/v2/images?sort=created_at:asc&{}={}", property, encoded(value)));
  if (!reply.ok()) co_return tl::unexpected<BackendError>(*reply.error);
  std::vector<TaggedImage> out;
  for (base::JsonArrayIterator it(reply["images"]); it; ++it) {
    out.push_back(parse_tagged(it.value()));
  }
  co_return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = (group << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += i + k <= bytes.size() ? kDigits[(group >> (18 - 6 * k)) & 63U] : '=';
    }
  }
  return out;
}

}  // namespace slipway::workers::openstack
