// The tables of real clouds, in the words of their backends.
#include <utility>

#include "app/backends_config.hpp"
#include "app/backends_real.hpp"
#include "app/secret_file.hpp"
#include "core/domain/specs.hpp"
#include "workers/backends/libvirt/libvirt_backend.hpp"
#include "workers/backends/openstack/openstack_backend.hpp"

namespace slipway::app {
namespace {

using base::fail;
using workers::libvirt::CellOptions;

// The rules of the configuration hold: each item is a pair.
std::map<std::string, std::string> map_of(const TextList& list) {
  std::map<std::string, std::string> all;
  for (const std::string& text : list) {
    if (auto pair = split_pair(text)) all.insert(std::move(*pair));
  }
  return all;
}

// "10.0.0.100-10.0.0.199"
base::Status read_range(const std::string& text, workers::libvirt::NetworkOptions& network) {
  if (text.empty()) return {};
  const auto dash = text.find('-');
  const auto first = domain::parse_ipv4(text.substr(0, dash));
  const auto last =
      dash == std::string::npos ? std::nullopt : domain::parse_ipv4(text.substr(dash + 1));
  if (!first || !last || *first > *last) {
    return fail(base::Errc::InvalidArgument, "addresses: not FIRST-LAST, two IPv4 addresses");
  }
  network.first_ipv4 = *first;
  network.last_ipv4 = *last;
  return {};
}

CellOptions cell_options(const CellTable& table) {
  return {.name = table.name,
          .uri = table.uri,
          .migrate_uri = table.migrate_uri,
          .address = table.address,
          .storage_pool = table.storage_pool,
          .shared = table.shared,
          .max_calls = table.max_calls};
}

}  // namespace

OpenedBackend open_openstack(const BackendTable& table) {
  const OpenStackTable& t = table.openstack;
  workers::openstack::Options o;
  o.name = table.name;
  o.auth_url = t.auth_url;
  o.region = t.region;
  o.interface = t.interface;
  o.project_name = t.project;
  o.project_domain = t.project_domain;
  o.user_name = t.user;
  o.user_domain = t.user_domain;
  o.credential_id = t.application_credential_id;
  const bool by_password = o.credential_id.empty();
  auto secret = read_secret(by_password ? t.password_file : t.application_credential_secret_file);
  if (!secret) return fail(secret.error());
  (by_password ? o.password : o.credential_secret) = std::move(*secret);
  o.ca_file = t.ca_file;
  o.verify_tls = t.verify;
  o.endpoints = map_of(t.endpoints);
  o.network = t.network;
  o.availability_zone = t.availability_zone;
  o.create_flavors = t.create_flavors;
  o.poll_interval = t.poll_interval;
  if (table.call_timeout.count() != 0) o.call_timeout = table.call_timeout;
  auto backend = workers::openstack::OpenstackBackend::open(std::move(o));
  if (!backend) return fail(backend.error());
  return std::move(*backend);
}

OpenedBackend open_libvirt(const BackendTable& table) {
  const LibvirtTable& t = table.libvirt;
  workers::libvirt::Options o;
  o.name = table.name;
  for (const CellTable& cell : t.cells) o.cells.push_back(cell_options(cell));
  o.network = {.name = t.network,
               .prefix = static_cast<std::uint32_t>(t.network_prefix),
               .gateway = t.gateway,
               .dns = t.dns};
  if (auto status = read_range(t.addresses, o.network); !status) return fail(status.error());
  o.domain_type = t.domain_type;
  o.arch = t.arch;
  o.machine = t.machine;
  o.images = map_of(t.images);
  o.full_clone = t.clone == "full";
  if (!t.kernel.empty()) o.direct_boot = {t.kernel, t.initrd, t.cmdline};
  o.vnc_listen = t.vnc_listen;
  o.serial_directory = t.serial_directory;
  o.cloud_init = t.seed;
  o.hot_vcpus = static_cast<std::uint32_t>(t.hot_vcpus);
  o.hot_memory = static_cast<std::uint32_t>(t.hot_memory);
  o.cpu_allocation_ratio = t.cpu_allocation_ratio;
  o.migrate_mib_per_second = static_cast<std::uint32_t>(t.migrate_mib_per_second);
  if (table.call_timeout.count() != 0) o.call_timeout = table.call_timeout;
  return workers::libvirt::LibvirtBackend::open(std::move(o));
}

}  // namespace slipway::app
