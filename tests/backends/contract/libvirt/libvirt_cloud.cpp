#include "tests/backends/contract/libvirt/libvirt_cloud.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include "core/base/json_read.hpp"
#include "core/base/uuid.hpp"
#include "tests/backends/contract/libvirt/witness.hpp"
#include "tests/backends/contract/tcp_proxy.hpp"
#include "tests/workers/support.hpp"
#include "workers/backends/libvirt/libvirt_backend.hpp"

namespace slipway::workers::contract {

using namespace std::chrono_literals;  // NOLINT: tests
using domain::CommandKind;

namespace {

constexpr const char* kBed = "SLIPWAY_TEST_LIBVIRT_CELLS";
constexpr const char* kSocket = "socket=";

std::string new_installation() {
  base::SystemIdSource ids;
  return base::to_string(ids.next());
}

class LibvirtCloud : public CloudUnderTest {
 public:
  explicit LibvirtCloud(libvirt::Options options) : options_(std::move(options)) {
    for (const libvirt::CellOptions& cell : options_.cells) {
      witnesses_.push_back(
          std::make_unique<LibvirtWitness>(CellAddress{cell.name, cell.uri, cell.storage_pool}));
    }
  }
  ~LibvirtCloud() override {
    for (auto& witness : witnesses_) witness->remove_all(installation_);
    for (const std::string& uuid : foreign_) first().remove_vm(uuid);
  }

  const std::string& installation() const override { return installation_; }
  std::unique_ptr<Backend> connect() override {
    auto backend = libvirt::LibvirtBackend::open(options_);
    if (!backend) throw std::runtime_error(backend.error().message);
    return std::move(*backend);
  }
  Census census() override;
  void lose_vm(const std::string& ref) override {
    for (auto& witness : witnesses_) witness->remove_vm(ref);
  }
  void add_foreign_vm() override {
    const std::string name = fmt::format("somebodys-{}", foreign_.size());
    foreign_.push_back(first().define_foreign_vm(name, options_.domain_type));
  }

 protected:
  LibvirtWitness& first() { return *witnesses_.front(); }
  libvirt::Options options_;

 private:
  const std::string installation_ = new_installation();
  std::vector<std::unique_ptr<LibvirtWitness>> witnesses_;
  std::vector<std::string> foreign_;
};

// A volume without its VM is left behind: on this cell, or anywhere where all see the same files.
Census LibvirtCloud::census() {
  Census census;
  std::set<std::string> shared_seen;
  std::set<std::string> all_keys;
  for (std::size_t i = 0; i < witnesses_.size(); ++i) {
    const auto vms = witnesses_[i]->vms(installation_);
    for (const CountedVm& vm : vms) all_keys.insert(vm.key);
    census.vms.insert(census.vms.end(), vms.begin(), vms.end());
  }
  for (const std::string& uuid : foreign_) census.foreign += first().has_vm(uuid) ? 1U : 0U;
  for (std::size_t i = 0; i < witnesses_.size(); ++i) {
    const bool shared = options_.cells[i].shared;
    std::set<std::string> keys = all_keys;
    if (!shared) {
      keys.clear();
      for (const CountedVm& vm : census.vms) {
        if (vm.host == options_.cells[i].name) keys.insert(vm.key);
      }
    }
    for (const OwnVolume& volume : witnesses_[i]->volumes(installation_)) {
      if (shared && !shared_seen.insert(volume.name).second) continue;
      if (volume.part == "image.qcow2") {
        census.images.push_back({volume.key, volume.name});
      } else if (!keys.contains(volume.key)) {
        census.parts.push_back("volume " + volume.part);
      }
    }
  }
  return census;
}

// ---- libvirt's own driver for tests: no daemon, no guests, all within this process ----

libvirt::Options test_driver() {
  libvirt::Options options;
  options.name = "libvirt-test";
  options.domain_type = "test";
  options.machine.clear();
  options.arch = "i686";
  options.cloud_init = false;  // it cannot take the bytes of a seed
  options.cells.push_back(
      {.name = "cell-a", .uri = "test:///default", .storage_pool = "default-pool"});
  options.settle_time = 100ms;
  options.call_timeout = 5s;
  return options;
}

class TestDriverCloud final : public LibvirtCloud {
 public:
  TestDriverCloud() : LibvirtCloud(test_driver()) {
    first().make_volume("base.qcow2", 64, "qcow2");
    first().make_volume("other.qcow2", 64, "qcow2");
  }
  // What the driver has no function for: changes of devices, migration.
  static bool offers_it(CommandKind command) {
    switch (command) {
      case CommandKind::VmMigrate:
      case CommandKind::VmMediaInsert:
      case CommandKind::VmSetQos:
      case CommandKind::VmConsoleResetSecret:
        return false;
      default:
        return true;
    }
  }
  bool offers(CommandKind command) const override { return offers_it(command); }
  // It can copy no disk of a VM that runs, and resize none of one that does not. What the guest
  // does itself needs a guest that runs, though vm_rule() lets these start from STOPPED too.
  bool offers_from(CommandKind command, domain::VmState state) const override {
    const bool runs = state == domain::VmState::Running;
    switch (command) {
      case CommandKind::ImageCapture:
        return !runs && state != domain::VmState::Paused;
      case CommandKind::VmResize:
      case CommandKind::VmDiskResize:
      case CommandKind::VmDiskShrink:
      case CommandKind::VmSetCredential:
        return runs;
      default:
        return true;
    }
  }
  base::Duration real_pause() const override { return 2ms; }
  Offer offer() const override {
    Offer offer;
    offer.small = {"small", 1, 64, 1};
    offer.large = {"large", 2, 128, 2};
    offer.image_ref = offer.image_name = "base.qcow2";
    offer.other_image_ref = offer.other_image_name = "other.qcow2";
    offer.host = "cell-a";
    offer.image = test::id<domain::ImageId>(1);
    offer.other_image = test::id<domain::ImageId>(2);
    return offer;
  }
};

// ---- real cells ----

struct Bed {
  libvirt::Options options;
  std::vector<std::string> media;
};

std::string text_at(base::JsonValue json, std::string_view name) {
  const auto value = json.find(name);
  const auto text = value ? value->string() : std::nullopt;
  return text ? std::string(*text) : std::string();
}

Bed read_bed(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  base::JsonParser parser;
  const auto json = parser.parse(text.str());
  if (!json) throw std::runtime_error("cannot read " + path);
  Bed bed;
  libvirt::Options& options = bed.options;
  options.name = "libvirt-bed";
  options.domain_type = "qemu";
  options.machine = "pc";
  options.network.name = "lan";
  options.call_timeout = 30s;
  options.settle_time = 1s;
  options.stop_grace = 20s;
  options.hot_vcpus = options.hot_memory = 2;
  const auto guest = json->find("guest").value_or(base::JsonValue());
  options.direct_boot = {text_at(guest, "kernel"), text_at(guest, "initrd"),
                         "console=ttyS0 quiet panic=-1 lab.ip={ipv4}/{prefix}"};
  for (base::JsonArrayIterator cell(json->find("cells").value_or(base::JsonValue())); cell;
       ++cell) {
    options.cells.push_back({.name = text_at(cell.value(), "name"),
                             .uri = text_at(cell.value(), "uri"),
                             .migrate_uri = text_at(cell.value(), "tcp_uri"),
                             .address = text_at(cell.value(), "address"),
                             .storage_pool = "shared",
                             .shared = true});
  }
  if (options.cells.size() < 2) throw std::runtime_error("two cells are needed in " + path);
  return bed;
}

// Each cell's socket, through the scissors.
class BedCloud final : public LibvirtCloud {
 public:
  explicit BedCloud(const Bed& bed) : LibvirtCloud(bed.options) {
    for (libvirt::CellOptions& cell : options_.cells) {
      const std::size_t at = cell.uri.find(kSocket);
      if (at == std::string::npos) throw std::runtime_error("no socket in " + cell.uri);
      const std::size_t path = at + std::string_view(kSocket).size();
      cell.uri = cell.uri.substr(0, path) + proxy_.forward_to(cell.uri.substr(path));
    }
    first().make_volume("other.qcow2", 64, "qcow2");
  }
  // What the guest's agent does: the bed's guests have none.
  static bool offers_it(CommandKind command) {
    return command != CommandKind::VmDiskShrink && command != CommandKind::VmSetCredential;
  }
  bool offers(CommandKind command) const override { return offers_it(command); }
  Wire* wire() override { return &proxy_; }
  Offer offer() const override {
    static std::uint32_t number = 0;
    Offer offer;
    offer.small = {"small", 1, 128, 1};
    offer.large = {"large", 2, 192, 2};
    offer.image_ref = offer.image_name = "base.qcow2";
    offer.other_image_ref = offer.other_image_name = "other.qcow2";
    offer.media_ref = offer.media_name = "media-1.iso";
    offer.host = options_.cells[0].name;
    offer.other_host = options_.cells[1].name;
    offer.ipv4 = *domain::parse_ipv4("10.77.0.100") + number++ % 100;
    offer.network_ref = offer.network_name = "lan";
    offer.image = test::id<domain::ImageId>(1);
    offer.other_image = test::id<domain::ImageId>(2);
    offer.media = test::id<domain::ImageId>(3);
    return offer;
  }

 private:
  TcpProxy proxy_{TcpProxy::Protocol::Libvirt};
};

std::unique_ptr<CloudUnderTest> open_bed() {
  return std::make_unique<BedCloud>(read_bed(std::getenv(kBed)));
}
std::unique_ptr<CloudUnderTest> open_test_driver() { return std::make_unique<TestDriverCloud>(); }

}  // namespace

void add_libvirt_clouds(std::vector<CloudKind>& all) {
  all.push_back({.name = "LibvirtTest",
                 .open = open_test_driver,
                 .offers = TestDriverCloud::offers_it,
                 .fences = true});
  if (std::getenv(kBed) == nullptr) return;
  all.push_back({.name = "LibvirtBed",
                 .open = open_bed,
                 .offers = BedCloud::offers_it,
                 .fences = true,
                 .wire = true});
}

}  // namespace slipway::workers::contract
