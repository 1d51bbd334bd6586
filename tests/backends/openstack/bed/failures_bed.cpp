// The cloud refuses, or fails: each time the task must hear what Nova said, and nothing stay
// behind.
#include "tests/backends/openstack/bed/bed_fixture.hpp"

namespace slipway::workers::openstack::test {
namespace {

using base::Errc;
using testing::HasSubstr;
using testing::StartsWith;

class Failures : public Bed {};

TEST_F(Failures, NoValidHostIsACapacityErrorWithNovasWordsAndRequestId) {
  const WorkOrder order = create_order("nohost", {.flavor = "99"});
  WorkOrder sized = order;
  const BackendAnswer all = calls->inventory();
  ASSERT_TRUE(all.inventory);
  for (const domain::Flavor& flavor : all.inventory->flavors) {
    if (flavor.id != "99") continue;
    sized.spec.size = {"99", flavor.vcpus, flavor.memory_mb, flavor.disk_gb};
  }
  const BackendAnswer made = calls->run(sized);
  ASSERT_EQ(made.kind, Kind::Failed);
  EXPECT_EQ(made.error.code, Errc::CapacityExhausted);
  EXPECT_THAT(made.error.detail, HasSubstr("No valid host"));
  EXPECT_THAT(made.error.backend_request_id, StartsWith("req-"));
  EXPECT_FALSE(made.error.retryable);
  // As the worker does then: look up, undo.
  const BackendAnswer found = calls->lookup(sized, "vm.create", true);
  ASSERT_EQ(found.found.size(), 1U);
  const BackendAnswer undone = calls->perform(sized, "vm.create", found.found[0].ref, "vm.delete");
  EXPECT_EQ(undone.kind, Kind::Done) << undone.error.detail;
  expect_nothing_left(sized);
}

}  // namespace
}  // namespace slipway::workers::openstack::test
