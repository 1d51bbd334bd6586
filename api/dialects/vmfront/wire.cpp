#include "api/dialects/vmfront/wire.hpp"

#include <fmt/format.h>

#include "core/base/crypto.hpp"

namespace slipway::api::vmfront {
namespace {

using base::Errc;

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out.push_back(c);
        }
    }
  }
}

// The sample shows a salted hash of project and host; any stable 56 digits serve.
std::string host_id(const eventstore::VmRow& vm) {
  if (vm.spec.host.empty()) return {};
  return base::hex(base::sha256(vm.spec.project + vm.spec.host)).substr(0, 56);
}

bool was_launched(const eventstore::VmRow& vm) { return vm.launched_at.has_value(); }

}  // namespace

// ---- errors

Response error(int status, std::string_view text) {
  std::string body;
  Writer(body).open('{').member("error", text).close('}');
  return Response(status, std::move(body), kType);
}

namespace {

// "no flavor 'm1.hug'" of an unknown flavor, image or network: the resource that was meant.
std::optional<std::string_view> unknown_resource(const base::Error& e) {
  if (e.code != Errc::UnprocessableArgument) return std::nullopt;
  for (const base::FieldError& field : e.fields) {
    if (!field.code.starts_with("unknown-")) continue;
    const std::string_view text = field.detail;
    const std::size_t begin = text.find('\'');
    const std::size_t end = text.find('\'', begin + 1);
    if (begin == std::string_view::npos || end == std::string_view::npos) continue;
    return text.substr(begin + 1, end - begin - 1);
  }
  return std::nullopt;
}

}  // namespace

Response render_error(const ErrorInfo& info) {
  if (const auto resource = unknown_resource(info.error)) {
    return error(404, fmt::format("resource {} not found", *resource));
  }
  int status = info.status;
  if (info.error.code == Errc::UnprocessableArgument) status = 400;
  Response response =
      error(status, info.error.code == Errc::Internal ? "internal error" : info.error.message);
  if (info.retry_after) response.add("Retry-After", std::to_string(*info.retry_after));
  return response;
}

// ---- JSON

Writer& Writer::raw(std::string_view text) {
  out_.append(text);
  return *this;
}
Writer& Writer::text(std::string_view value) {
  out_.push_back('"');
  append_escaped(out_, value);
  out_.push_back('"');
  return *this;
}
Writer& Writer::next() {
  if (!first_) out_ += ", ";
  first_ = false;
  return *this;
}
Writer& Writer::key(std::string_view name) {
  next().text(name);
  out_ += ": ";
  return *this;
}
Writer& Writer::open(char bracket) {
  out_.push_back(bracket);
  first_ = true;
  return *this;
}
Writer& Writer::close(char bracket) {
  out_.push_back(bracket);
  first_ = false;
  return *this;
}
Writer& Writer::member_number(std::string_view name, std::uint64_t value) {
  return key(name).raw(fmt::to_string(value));
}

// ---- times and ids

std::string seconds(base::Time t) { return base::rfc3339(t).substr(0, 19) + "Z"; }
std::string micros(base::Time t) {
  std::string text = base::rfc3339(t);
  text.pop_back();
  return text;
}
std::string hour(base::Time t) {
  std::string text = base::rfc3339(t).substr(0, 13);
  text[10] = ' ';
  return text + ":00:00";
}
std::string hex_id(const base::Uuid& id) { return base::hex(id.bytes); }

// ---- servers

ServerStatus status_of_vm(domain::VmState state) {
  using enum domain::VmState;
  switch (state) {
    case Queued:
      return {"BUILD", "building", "scheduling", 0};
    case Launching:
      return {"BUILD", "building", "spawning", 0};
    case Running:
      return {"ACTIVE", "active", "", 1};
    case Stopping:
      return {"ACTIVE", "active", "powering-off", 1};
    case Stopped:
      return {"SHUTOFF", "stopped", "", 4};
    case Starting:
      return {"SHUTOFF", "stopped", "powering-on", 4};
    case Rebooting:
      return {"REBOOT", "active", "rebooting", 1};
    case HardRebooting:
      return {"HARD_REBOOT", "active", "rebooting_hard", 1};
    case Pausing:
      return {"ACTIVE", "active", "pausing", 1};
    case Paused:
      return {"PAUSED", "paused", "", 3};
    case Suspending:
      return {"ACTIVE", "active", "suspending", 1};
    case Suspended:
      return {"SUSPENDED", "suspended", "", 4};
    case Resuming:
      return {"SUSPENDED", "suspended", "resuming", 4};
    case Resizing:
      return {"RESIZE", "active", "resize_prep", 1};
    case Rebuilding:
      return {"REBUILD", "active", "rebuilding", 1};
    case Snapshotting:
      return {"ACTIVE", "active", "image_snapshot", 1};
    case Migrating:
      return {"MIGRATING", "active", "migrating", 1};
    case Error:
      return {"ERROR", "error", "", 0};
    case Deleting:
      return {"ACTIVE", "active", "deleting", 1};
    case Deleted:
      return {"DELETED", "deleted", "", 0};
  }
  return {"UNKNOWN", "error", "", 0};
}

void write_links(Writer& w, std::string_view host, std::string_view kind, std::string_view id) {
  w.key("links").open('[');
  w.next().open('{').member("rel", "self");
  w.member("href", fmt::format("http://{}/compute/v2.1/{}/{}", host, kind, id)).close('}');
  w.next().open('{').member("rel", "bookmark");
  w.member("href", fmt::format("http://{}/compute/{}/{}", host, kind, id)).close('}');
  w.close(']');
}

namespace {

void write_bookmark(Writer& w, std::string_view name, std::string_view host, std::string_view kind,
                    std::string_view id) {
  w.key(name).open('{').member("id", id).key("links").open('[').next().open('{');
  w.member("rel", "bookmark")
      .member("href", fmt::format("http://{}/compute/{}/{}", host, kind, id));
  w.close('}').close(']').close('}');
}

void write_addresses(Writer& w, const eventstore::VmRow& vm, const ServerContext& context) {
  w.key("addresses").open('{');
  const auto network = context.networks.find(vm.spec.network);
  if (vm.spec.ipv4 != 0 && was_launched(vm)) {
    w.key(network == context.networks.end() ? "private" : network->second).open('[').next();
    w.open('{').member_number("version", 4).member("addr", domain::ipv4_text(vm.spec.ipv4));
    w.member("OS-EXT-IPS:type", "fixed");
    w.member("OS-EXT-IPS-MAC:mac_addr", domain::mac_of(vm.spec.ipv4)).close('}').close(']');
  }
  w.close('}');
}

void write_metadata(Writer& w, const domain::Labels& labels) {
  w.key("metadata").open('{');
  for (const auto& [name, value] : labels) w.member(name, value);
  w.close('}');
}

}  // namespace

void write_server(Writer& w, const eventstore::VmRow& vm, const ServerContext& context) {
  const std::string id = base::to_string(vm.id);
  const ServerStatus status = status_of_vm(vm.state);
  w.next().open('{').member("id", id).member("name", vm.spec.name).member("status", status.status);
  w.member("tenant_id", context.tenant_id).member("user_id", context.user_id);
  write_metadata(w, vm.spec.labels);
  w.member("hostId", host_id(vm));
  if (vm.spec.image.is_nil()) {  // made from what only its cloud knows
    w.member("image", "");
  } else {
    write_bookmark(w, "image", context.host, "images", base::to_string(vm.spec.image));
  }
  write_bookmark(w, "flavor", context.host, "flavors", vm.spec.size.flavor);
  w.member("created", seconds(vm.created_at)).member("updated", seconds(vm.updated_at));
  write_addresses(w, vm, context);
  w.member("accessIPv4", "").member("accessIPv6", "");
  write_links(w, context.host, "servers", id);
  w.member("OS-DCF:diskConfig", "MANUAL");
  // OpenStack shows it for these states only; a client of the sample reads 0 when ACTIVE.
  w.member_number("progress", 0);
  w.member("OS-EXT-AZ:availability_zone", was_launched(vm) ? "nova" : "")
      .member("config_drive", "");
  w.key("key_name");
  vm.spec.keypair.empty() ? w.raw("null") : w.text(vm.spec.keypair);
  w.key("OS-SRV-USG:launched_at");
  vm.launched_at ? w.text(micros(*vm.launched_at)) : w.raw("null");
  w.key("OS-SRV-USG:terminated_at");
  vm.deleted_at ? w.text(micros(*vm.deleted_at)) : w.raw("null");
  w.key("OS-EXT-STS:task_state");
  status.task_state.empty() ? w.raw("null") : w.text(status.task_state);
  w.member("OS-EXT-STS:vm_state", status.vm_state);
  w.key("OS-EXT-STS:power_state").raw(std::to_string(status.power_state));
  w.key("os-extended-volumes:volumes_attached").open('[').close(']');
  w.member_raw("security_groups", R"([{"name": "default"}])");
  w.close('}');
}

// ---- the catalogue

void write_network(Writer& w, const eventstore::NetworkRow& row, std::string_view tenant_id) {
  const domain::Network& n = row.network;
  w.next().open('{').member("id", base::to_string(n.id)).member("name", n.name);
  w.member("tenant_id", tenant_id).member_raw("admin_state_up", "true");
  w.member_number("mtu", n.mtu).member("status", "ACTIVE").key("subnets").open('[');
  for (const base::Uuid& subnet : n.subnets) w.next().text(base::to_string(subnet));
  w.close(']').member_raw("shared", n.shared ? "true" : "false");
  w.member_raw("availability_zone_hints", "[]").member_raw("availability_zones", R"(["nova"])");
  w.member_raw("ipv4_address_scope", "null").member_raw("ipv6_address_scope", "null");
  w.member_raw("router:external", n.external ? "true" : "false").member("description", "");
  w.member_raw("port_security_enabled", "true");
  if (n.external) w.member_raw("is_default", "true");
  w.member_raw("tags", "[]").member("created_at", seconds(row.created_at));
  w.member("updated_at", seconds(row.updated_at)).member_number("revision_number", n.revision);
  w.member("project_id", tenant_id).close('}');
}

namespace {

std::string_view image_status(domain::ImageState state) {
  using enum domain::ImageState;
  switch (state) {
    case Queued:
      return "queued";
    case Saving:
      return "saving";
    case Saved:
      return "active";
    case Error:
      return "error";
    case Deleting:
    case Deleted:
      return "deleted";
  }
  return "error";
}

void text_or_null(Writer& w, std::string_view name, std::string_view text) {
  w.key(name);
  text.empty() ? w.raw("null") : w.text(text);
}

}  // namespace

void write_image(Writer& w, const eventstore::ImageRow& row, std::string_view owner_id) {
  const domain::Image& image = row.image;
  const std::string id = base::to_string(image.id);
  w.next().open('{');
  // The order of the sample: object, hashes, then the others.
  constexpr std::string_view kFirst[] = {"owner_specified.openstack.object",
                                         "owner_specified.openstack.sha256",
                                         "owner_specified.openstack.md5"};
  for (const std::string_view name : kFirst) {
    const auto found = image.properties.find(std::string(name));
    if (found != image.properties.end()) w.member(name, found->second);
  }
  for (const auto& [name, value] : image.properties) {
    if (std::find(std::begin(kFirst), std::end(kFirst), name) == std::end(kFirst)) {
      w.member(name, value);
    }
  }
  w.member("name", image.name).member("disk_format", image.disk_format);
  w.member("container_format", "bare").member("visibility", image.is_public ? "public" : "private");
  w.member_number("size", image.size_bytes).member_number("virtual_size", image.virtual_size_bytes);
  w.member("status", image_status(row.state));
  text_or_null(w, "checksum", image.checksum_md5);
  w.member_raw("protected", "false").member_number("min_ram", image.min_ram_mb);
  w.member_number("min_disk", image.min_disk_gb).member("owner", owner_id);
  w.member_raw("os_hidden", "false");
  text_or_null(w, "os_hash_algo", image.checksum_sha512.empty() ? "" : "sha512");
  text_or_null(w, "os_hash_value", image.checksum_sha512);
  w.member("id", id).member("created_at", seconds(row.created_at));
  w.member("updated_at", seconds(row.updated_at)).member_raw("tags", "[]");
  w.member("self", "/v2/images/" + id).member("file", "/v2/images/" + id + "/file");
  w.member("schema", "/v2/schemas/image").close('}');
}

void write_flavor(Writer& w, const domain::Flavor& flavor, std::string_view host) {
  w.next().open('{').member("id", flavor.id).member("name", flavor.name);
  w.member_number("ram", flavor.memory_mb).member_number("disk", flavor.disk_gb).key("swap");
  flavor.swap_mb == 0 ? w.text("") : w.raw(fmt::to_string(flavor.swap_mb));
  w.member_number("OS-FLV-EXT-DATA:ephemeral", flavor.ephemeral_gb);
  w.member_raw("OS-FLV-DISABLED:disabled", "false").member_number("vcpus", flavor.vcpus);
  w.member_raw("os-flavor-access:is_public", flavor.is_public ? "true" : "false");
  w.member_raw("rxtx_factor", "1.0");
  write_links(w, host, "flavors", flavor.id);
  w.close('}');
}

std::string write_hours(const std::vector<eventstore::HourCount>& hours, char quote) {
  std::string out = "[";
  for (const eventstore::HourCount& h : hours) {
    if (out.size() > 1) out += ", ";
    out += fmt::format("{{{0}timestamp{0}: {0}{1}{0}, {0}virtual_machines_number{0}: {2}}}", quote,
                       hour(h.hour), h.vms);
  }
  return out + "]";
}

}  // namespace slipway::api::vmfront
