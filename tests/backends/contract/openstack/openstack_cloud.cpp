#include "tests/backends/contract/openstack/openstack_cloud.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <stdexcept>

#include "core/base/uuid.hpp"
#include "tests/backends/contract/openstack/witness.hpp"
#include "tests/backends/contract/tcp_proxy.hpp"
#include "tests/workers/support.hpp"
#include "workers/backends/openstack/openstack_backend.hpp"

namespace slipway::workers::contract {

using namespace std::chrono_literals;  // NOLINT: tests
using domain::CommandKind;

namespace {

constexpr const char* kBed = "SLIPWAY_TEST_OPENSTACK";
constexpr const char* kImage = "cirros-0.5.1-x86_64-disk";
constexpr const char* kOtherImage = "contract-other";
constexpr const char* kNetwork = "private";

// All of the cloud's services through one pair of scissors.
class OpenstackCloud final : public CloudUnderTest {
 public:
  OpenstackCloud() : bed_(read_openstack_bed(std::getenv(kBed))), witness_(bed_) {
    image_ = witness_.image_named(kImage);
    other_image_ = witness_.image_named(kOtherImage);
    if (other_image_.empty()) other_image_ = witness_.make_image(kOtherImage);
    network_ = witness_.network_named(kNetwork);
    for (std::string* url : {&identity_, &compute_, &glance_, &neutron_}) *url = proxied(*url);
  }
  ~OpenstackCloud() override {
    for (const std::string& id : foreign_) witness_.remove_server(id);
    witness_.remove_all(installation_);
  }

  static bool offers_it(CommandKind command) {
    return command != CommandKind::VmDiskShrink && command != CommandKind::VmMediaInsert &&
           command != CommandKind::VmMediaEject && command != CommandKind::VmConsoleResetSecret;
  }
  bool offers(CommandKind command) const override { return offers_it(command); }
  bool offers_from(CommandKind command, domain::VmState from) const override {
    return command != CommandKind::VmSetCredential || from == domain::VmState::Running;
  }
  Offer offer() const override;
  const std::string& installation() const override { return installation_; }
  base::Duration real_pause() const override { return 500ms; }
  Wire* wire() override { return &proxy_; }
  std::unique_ptr<Backend> connect() override;
  Census census() override;
  void lose_vm(const std::string& ref) override { witness_.remove_server(ref); }
  void add_foreign_vm() override {
    foreign_.push_back(witness_.make_server("somebodys", image_, network_));
  }

 private:
  // "http://127.0.0.1:8774/v2.1": the same path at the proxy's address.
  std::string proxied(const std::string& url) {
    constexpr std::string_view kScheme = "http://";
    const std::size_t slash = std::min(url.find('/', kScheme.size()), url.size());
    const std::string target = url.substr(kScheme.size(), slash - kScheme.size());
    return std::string(kScheme) + proxy_.forward_to(target) + url.substr(slash);
  }

  const std::string installation_ = base::to_string(base::SystemIdSource().next());
  const OpenstackBed bed_;
  OpenstackWitness witness_;
  TcpProxy proxy_{TcpProxy::Protocol::Http};
  std::string identity_ = bed_.identity;
  std::string compute_ = bed_.compute;
  std::string glance_ = bed_.image;
  std::string neutron_ = bed_.network;
  std::string image_;
  std::string other_image_;
  std::string network_;
  std::vector<std::string> foreign_;
};

Offer OpenstackCloud::offer() const {
  Offer offer;
  offer.small = {"1", 1, 512, 1};
  offer.large = {"3", 2, 4096, 40};
  offer.image = test::id<domain::ImageId>(1);
  offer.image_ref = image_;
  offer.image_name = kImage;
  offer.other_image = test::id<domain::ImageId>(2);
  offer.other_image_ref = other_image_;
  offer.other_image_name = kOtherImage;
  offer.network_ref = network_;
  offer.network_name = kNetwork;
  offer.host = "compute1";
  offer.other_host = "compute2";
  offer.resize_moves = true;
  return offer;
}

std::unique_ptr<Backend> OpenstackCloud::connect() {
  openstack::Options options;
  options.name = "openstack-bed";
  options.auth_url = identity_;
  options.region = bed_.region;
  options.project_name = bed_.project;
  options.project_domain = bed_.domain;
  options.user_name = bed_.user;
  options.user_domain = bed_.domain;
  options.password = base::Secret(bed_.password);
  options.endpoints = {{"compute", compute_}, {"image", glance_}, {"network", neutron_}};
  options.network = kNetwork;
  options.create_flavors = true;
  options.settle_time = 1s;
  auto backend = openstack::OpenstackBackend::open(std::move(options));
  if (!backend) throw std::runtime_error(backend.error().message);
  return std::move(*backend);
}

Census OpenstackCloud::census() {
  Census census;
  census.vms = witness_.vms(installation_);
  census.images = witness_.images(installation_);
  for (const std::string& port : witness_.loose_ports(installation_)) {
    census.parts.push_back("port " + port);
  }
  for (const std::string& id : foreign_) census.foreign += witness_.has_server(id) ? 1U : 0U;
  return census;
}

std::unique_ptr<CloudUnderTest> open_bed() { return std::make_unique<OpenstackCloud>(); }

}  // namespace

void add_openstack_clouds(std::vector<CloudKind>& all) {
  if (std::getenv(kBed) == nullptr) return;
  all.push_back({.name = "OpenstackBed",
                 .open = open_bed,
                 .offers = OpenstackCloud::offers_it,
                 .fences = false,
                 .wire = true});
}

}  // namespace slipway::workers::contract
