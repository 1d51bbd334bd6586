#pragma once
// One backend on the bed, and orders for it. Everything made has the prefix of this run in its name
// and is deleted at the end; what is left then is a failure.
#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "tests/backends/openstack/bed/bed_cloud.hpp"
#include "tests/backends/openstack/bed/calls.hpp"
#include "workers/backends/openstack/openstack_backend.hpp"

namespace slipway::workers::openstack::test {

using domain::CommandKind;
using domain::WorkOrder;
using Kind = BackendAnswer::Kind;
using Service = BedCloud::Service;

// "slipway-bed-1234-": of all that this process makes.
const std::string& prefix();

// m1.tiny and m1.small, as the bed has them.
domain::Size tiny();
domain::Size small();

// A VM of ours: what the log would know of it.
struct Vm {
  WorkOrder created;
  std::string ref;
};

class Bed : public testing::Test {
 protected:
  Bed() : Bed("admin") {}
  explicit Bed(const std::string& who);
  ~Bed() override;

  WorkOrder create_order(const std::string& name, domain::Size size = tiny()) const;
  // Of a VM that is there.
  static WorkOrder order(CommandKind command, const Vm& vm);
  Vm create(const std::string& name);
  // Deletes it and checks that neither server nor port is left.
  void remove(const Vm& vm);
  void expect_nothing_left(const WorkOrder& created);

  BedCloud cloud;
  std::unique_ptr<OpenstackBackend> backend;
  std::unique_ptr<Calls> calls;
};

}  // namespace slipway::workers::openstack::test
