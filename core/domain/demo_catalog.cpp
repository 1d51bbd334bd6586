#include "core/domain/demo_catalog.hpp"

#include <fmt/format.h>

#include "core/base/check.hpp"

namespace slipway::domain {
namespace {

base::Uuid uuid(std::string_view text) {
  const auto id = base::parse_uuid(text);
  CHECK(id.has_value(), "not a UUID: {}", text);
  return *id;
}

constexpr std::string_view kBackend = "simulated";
// The specification shows three tenants; "demo" owns what it does not share.
constexpr std::string_view kAdminProject = "admin";
constexpr std::string_view kDemoProjectId = "dd692832dba14016853a5e7582387a1d";
constexpr std::string_view kAdminProjectId = "1ff034b8d6da4d86add2963df3d217fc";
constexpr std::string_view kDemoUserId = "83e000e6bd204329a6156b77fbf5a9db";

std::vector<Flavor> flavors() {
  const auto flavor = [](const char* id, const char* name, std::uint32_t memory_mb,
                         std::uint32_t disk_gb, std::uint32_t vcpus) {
    return Flavor{id, name, vcpus, memory_mb, disk_gb, 0, 0, true};
  };
  return {flavor("1", "m1.tiny", 512, 1, 1),     flavor("2", "m1.small", 2048, 20, 1),
          flavor("3", "m1.medium", 4096, 40, 2), flavor("4", "m1.large", 8192, 80, 4),
          flavor("42", "m1.nano", 128, 1, 1),    flavor("5", "m1.xlarge", 16384, 160, 8),
          flavor("84", "m1.micro", 192, 1, 1),   flavor("c1", "cirros256", 256, 1, 1),
          flavor("d1", "ds512M", 512, 5, 1),     flavor("d2", "ds1G", 1024, 10, 1),
          flavor("d3", "ds2G", 2048, 10, 2),     flavor("d4", "ds4G", 4096, 20, 4)};
}

Image cirros() {
  Image image;
  image.id = ImageId(uuid("e892c826-c836-48bf-bb28-bdb0c2e382cf"));
  image.name = "cirros-0.5.1-x86_64-disk";
  image.tenant = kAdminProject;
  image.disk_format = "qcow2";
  image.size_bytes = 16338944;
  image.virtual_size_bytes = 117440512;
  image.checksum_md5 = "1d3062cd89af34e419f7100277f38b2b";
  image.checksum_sha512 =
      "553d220ed58cfee7dafe003c446a9f197ab5edf8ffc09396c74187cf83873c87"
      "7e7ae041cb80f3b91489acf687183adcd689b53b38e3ddd22e627e7f98a09c46";
  image.is_public = true;
  image.backend = kBackend;
  image.backend_ref = "cirros-0.5.1-x86_64-disk";
  image.properties = {{"hw_rng_model", "virtio"},
                      {"owner_specified.openstack.md5", ""},
                      {"owner_specified.openstack.object", "images/cirros-0.5.1-x86_64-disk"},
                      {"owner_specified.openstack.sha256", ""}};
  return image;
}

Network network(std::string_view id, std::string_view name, std::string_view owner,
                std::uint32_t mtu, std::vector<base::Uuid> subnets, std::uint32_t revision) {
  Network n;
  n.id = NetworkId(uuid(id));
  n.name = name;
  n.tenant = owner;
  n.mtu = mtu;
  n.subnets = std::move(subnets);
  n.revision = revision;
  return n;
}

// 4 million addresses each in "shared" (10.0.0.0/10) and "private" (10.64.0.0/10).
void give_range(Network& network, std::uint32_t base) {
  constexpr std::uint32_t kAddresses = 1U << 22U;
  network.first_ipv4 = base + 10;
  network.last_ipv4 = base + kAddresses - 2;
}

std::vector<Network> networks() {
  Network shared = network("1edf997e-dcde-485b-ae55-c16588c1e4f6", "shared", kAdminProject, 1450,
                           {uuid("e625d567-edd3-4489-ac6d-29c74a4fb289")}, 2);
  shared.shared = true;
  give_range(shared, 0x0A000000U);
  Network own = network(
      "828603ef-f784-423b-a5c5-2f19a2cd8eba", "private", kDemoProject, 1450,
      {uuid("ade18bfa-6b75-4390-8df3-c3e42bfa6eed"), uuid("c14c83b7-67b6-4dbc-b8f6-59a5aaeeddb9")},
      3);
  give_range(own, 0x0A400000U);
  Network outside = network(
      "f88b9acb-ced3-49f1-8522-604be33d8863", "public", kAdminProject, 1500,
      {uuid("12bbd36e-5848-472d-ba98-2f4396e11905"), uuid("91ba8495-71fa-4d62-b228-81b8441d4e9f")},
      3);
  outside.external = true;  // gives no addresses to VMs
  return {std::move(shared), std::move(own), std::move(outside)};
}

// Together room for two million VMs of the smallest flavor, with some to spare.
std::vector<Host> hosts() {
  std::vector<Host> all;
  for (std::uint64_t n = 1; n <= 4; ++n) {
    Host host;
    host.name = fmt::format("sim-host-{}", n);
    host.number = n;
    host.backend = kBackend;
    host.pool = kDefaultPool;
    host.address = fmt::format("192.0.2.{}", 10 + n);
    host.vcpus = 4'000'000;
    host.memory_mb = 4'000'000'000;
    host.disk_gb = 40'000'000;
    all.push_back(std::move(host));
  }
  return all;
}

// As the web client of dialect nano names its pages.
std::vector<std::string> every_menu() {
  return {"dashboard",   "compute_pool", "storage_pool", "address_pool", "instance", "disk_image",
          "media_image", "template",     "policy_group", "user",         "log",      "visibility"};
}

}  // namespace

InitializeSystem demo_catalog(std::string version, bool demo, bool simulated) {
  InitializeSystem all;
  all.version = std::move(version);
  all.demo = demo;
  all.flavors = flavors();
  if (simulated) {
    all.backends = {{std::string(kBackend), "simulated", "default", true, ""}};
    all.hosts = hosts();
    all.images = {cirros()};
    all.networks = networks();
  }
  all.pools = {{std::string(kDefaultPool)}};
  all.projects = {{ProjectId(uuid(kAdminProjectId)), std::string(kAdminProject), "default", {}},
                  {ProjectId(uuid(kDemoProjectId)), std::string(kDemoProject), "default", {}}};
  if (demo) {
    all.users = {{uuid(kDemoUserId), std::string(kDemoUser), std::string(kDemoProject), Role::Admin,
                  std::string(kDemoPasswordRef)}};
    all.roles = {{"super", every_menu()}};
    all.groups = {{std::string(kDemoProject), "Demo", {"super"}, {}}};
  }
  return all;
}

Command initialize_command(std::string version, bool demo, const TaskId& task, bool simulated) {
  Command command;
  command.caller.tenant = kDemoProject;
  command.caller.actor = "system";
  command.caller.role = Role::Admin;
  command.caller.dialect = Dialect::System;
  command.task = task;
  command.body = demo_catalog(std::move(version), demo, simulated);
  return command;
}

Command register_command(Backend backend, const TaskId& task) {
  Command command;
  command.caller.tenant = backend.name;
  command.caller.actor = "system";
  command.caller.role = Role::Admin;
  command.caller.dialect = Dialect::System;
  command.task = task;
  command.body = RegisterBackend{std::move(backend)};
  return command;
}

}  // namespace slipway::domain
