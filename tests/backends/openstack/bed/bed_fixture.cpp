#include "tests/backends/openstack/bed/bed_fixture.hpp"

#include <unistd.h>

namespace slipway::workers::openstack::test {

const std::string& prefix() {
  static const std::string text = "slipway-bed-" + std::to_string(getpid()) + "-";
  return text;
}

domain::Size tiny() { return {.flavor = "1", .vcpus = 1, .memory_mb = 512, .disk_gb = 1}; }
domain::Size small() { return {.flavor = "2", .vcpus = 1, .memory_mb = 2048, .disk_gb = 20}; }

Bed::Bed(const std::string& who) : cloud(who) {
  auto opened = OpenstackBackend::open(cloud.options());
  if (!opened) throw std::runtime_error(opened.error().message);
  backend = std::move(*opened);
  calls = std::make_unique<Calls>(*backend);
}

Bed::~Bed() {
  BedCloud::inject("");
  backend.reset();
  cloud.remove_all(prefix());
}

WorkOrder Bed::create_order(const std::string& name, domain::Size size) const {
  WorkOrder order;
  order.task = fresh_task();
  order.token = 1;
  order.command = CommandKind::VmCreate;
  order.backend = "bed";
  order.vm = fresh_vm();
  order.installation = "bed-installation";
  order.spec.name = prefix() + name;
  order.spec.size = size;
  order.image_name = "cirros-0.5.1-x86_64-disk";
  return order;
}

WorkOrder Bed::order(CommandKind command, const Vm& vm) {
  WorkOrder order = vm.created;
  order.task = fresh_task();
  order.command = command;
  order.vm_ref = vm.ref;
  order.vm_key = domain::correlation_key(vm.created.task, "vm.create");
  return order;
}

Vm Bed::create(const std::string& name) {
  Vm vm{create_order(name), {}};
  const BackendAnswer made = calls->run(vm.created);
  EXPECT_EQ(made.kind, Kind::Done) << made.error.detail;
  vm.ref = made.ref;
  return vm;
}

void Bed::remove(const Vm& vm) {
  const BackendAnswer gone = calls->run(order(CommandKind::VmDelete, vm));
  EXPECT_EQ(gone.kind, Kind::Done) << gone.error.detail;
  EXPECT_EQ(cloud.status(vm.ref), "GONE");
  expect_nothing_left(vm.created);
}

void Bed::expect_nothing_left(const WorkOrder& created) {
  const std::string key = domain::correlation_key(created.task, "vm.create");
  EXPECT_EQ(cloud.servers_with_key(key), 0U);
  EXPECT_EQ(cloud.ports_named(key), 0U);
}

}  // namespace slipway::workers::openstack::test
