#include "api/dialects/nano/guest_body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/domain/guest_rules.hpp"

namespace slipway::api::nano {
namespace {

constexpr std::uint64_t kMost = std::uint64_t{1} << 50U;  // bytes of memory or of a disk
constexpr std::size_t kMostDisks = 16;
constexpr std::size_t kPasswordLength = 10;
constexpr std::size_t kMonitorSecretLength = 12;

std::vector<std::uint64_t> numbers(FieldReader& body, std::string_view name, std::uint64_t most,
                                   bool required) {
  std::vector<std::uint64_t> out;
  const auto list = body.member(name);
  if (!list) {
    if (required) body.require(name);
    return out;
  }
  const bool fits = list->is_array() && list->size() <= kMostDisks;
  for (base::JsonArrayIterator it(*list); fits && it; ++it) {
    const auto number = it.value().uint64();
    if (number && *number <= most) out.push_back(*number);
  }
  if (!fits || out.size() != list->size()) {
    body.errors().add(body.pointer(name), "wrong-type",
                      fmt::format("'{}' is a list of at most {} numbers", name, kMostDisks));
  }
  return out;
}

bool is_mac(std::string_view text) {
  if (text.size() != 17) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (i % 3 == 2 ? c != ':' : !hex) return false;
  }
  return true;
}

void read_network(FieldReader& body, GuestOrder& order) {
  const std::string address = body.text("network_address");
  if (!address.empty()) {
    order.vm.ipv4 = domain::parse_ipv4(address);
    if (!order.vm.ipv4) {
      body.errors().add(body.pointer("network_address"), "bad-value",
                        fmt::format("invalid network address '{}'", address));
    }
  }
  std::string mac = body.text("ethernet_address");
  if (!mac.empty() && !is_mac(mac)) {
    body.errors().add(body.pointer("ethernet_address"), "bad-value",
                      fmt::format("invalid ethernet address '{}'", mac));
  }
  std::transform(mac.begin(), mac.end(), mac.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  order.vm.guest->mac = std::move(mac);
  for (const std::uint64_t port : numbers(body, "ports", 65535, false)) {
    order.vm.guest->ports.push_back(static_cast<std::uint32_t>(port));
  }
}

void read_limits(FieldReader& body, domain::GuestSpec& guest) {
  constexpr std::array<std::string_view, 3> kPriorities{"high", "medium", "low"};
  const auto priority = body.number("cpu_priority", 0, kPriorities.size() - 1);
  const auto io = body.number("max_io", 0, kMost);
  const auto inbound = body.number("inbound", 0, kMost);
  const auto outbound = body.number("outbound", 0, kMost);
  if (!priority && !io && !inbound && !outbound) return;
  domain::Qos& qos = guest.qos.emplace();
  if (priority) qos.cpu_priority = kPriorities[*priority];
  qos.read_iops = qos.write_iops = io.value_or(0);
  qos.receive_bytes = inbound.value_or(0);
  qos.send_bytes = outbound.value_or(0);
}

void read_cloud_init(FieldReader& body, GuestOrder& order) {
  domain::GuestSpec& guest = *order.vm.guest;
  const auto& modules = guest.modules;
  order.wants_admin = std::find(modules.begin(), modules.end(), "cloud-init") != modules.end();
  const auto json = body.member("cloud_init");
  if (!json) return;
  order.wants_admin = true;
  FieldReader init(json, body.pointer("cloud_init"), body.errors());
  domain::CloudInit& cloud = guest.cloud_init.emplace();
  cloud.root_enabled = maybe_flag(init, "root_enabled").value_or(true);
  cloud.data_path = maybe_text(init, "data_path").value_or("/opt/data");
  guest.admin_name = init.text("admin_name");
  order.admin_secret = init.text("admin_secret");
}

}  // namespace

bool is_guest_name(std::string_view text) {
  return is_plain_name(text) && text.find('.') == std::string_view::npos;
}

std::string admin_of(std::string_view system) {
  return system.starts_with("win") ? "Administrator" : "root";
}

GuestOrder read_guest(FieldReader& body, bool name) {
  GuestOrder order;
  domain::GuestSpec& guest = order.vm.guest.emplace();
  if (name) {
    order.vm.name = body.text("name", {.required = true});
    if (!order.vm.name.empty() && !is_guest_name(order.vm.name)) {
      body.errors().add(body.pointer("name"), "bad-value", "only '0~9a~Z_-' allowed in name");
    }
  }
  guest.owner = body.text("owner", {.required = true});
  guest.group = body.text("group", {.required = true});
  guest.pool = body.text("pool", {.required = true});
  const auto cores = body.number("cores", 1, 4096, true);
  guest.memory = body.number("memory", 1, kMost, true).value_or(0);
  guest.disks = numbers(body, "disks", kMost, true);
  guest.auto_start = body.flag("auto_start");
  guest.system = body.text("system");
  guest.system_version = body.text("system_version");
  guest.modules = texts(body, "modules");
  order.vm.image = body.text("from_image");
  read_network(body, order);
  read_limits(body, guest);
  read_cloud_init(body, order);
  if (guest.admin_name.empty()) guest.admin_name = admin_of(guest.system);
  if (!body.errors().empty()) return order;
  auto size = domain::size_of_guest(*cores, guest.memory, guest.disks);
  if (size) {
    order.vm.size = std::move(*size);
  } else {
    body.errors().add(body.pointer("disks"), "bad-value", size.error().message);
  }
  return order;
}

domain::CreateVm make_guest(const Context& context, const GuestOrder& order,
                            CommandRequest& request) {
  domain::CreateVm vm = order.vm;
  vm.vm = domain::VmId(new_id());
  const std::string id = base::to_string(vm.vm);
  const std::string& tenant = request.command.caller.tenant;
  const auto keep = [&](std::string_view prefix, const std::string& value) {
    domain::SecretRef ref = fmt::format("{}-{}", prefix, id);
    request.secrets.push_back({ref, context.services.seal(ref, tenant, base::Secret(value))});
    return ref;
  };
  vm.guest->monitor_secret = keep("monitor", base::random_password(kMonitorSecretLength));
  if (order.wants_admin) {
    vm.admin_secret =
        keep("admin", order.admin_secret.empty() ? base::random_password(kPasswordLength)
                                                 : order.admin_secret);
  }
  return vm;
}

}  // namespace slipway::api::nano
