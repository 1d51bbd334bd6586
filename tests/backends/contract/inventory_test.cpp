// What a backend says its cloud has agrees with what the witness counts.
#include "tests/backends/contract/suite.hpp"

namespace slipway::workers::contract {
namespace {

using domain::CommandKind;
using domain::VmState;

class InventoryOf : public OnEachCloud {
 protected:
  static std::vector<domain::SeenVm> ours(const domain::Inventory& inventory,
                                          const std::string& installation) {
    std::vector<domain::SeenVm> out;
    for (const domain::SeenVm& vm : inventory.vms) {
      if (vm.tag.installation == installation) out.push_back(vm);
    }
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, InventoryOf, each_cloud(any_cloud), name_of_cloud);

TEST_P(InventoryOf, AgreesWithTheWitness) {
  cloud->add_foreign_vm();
  for (const VmState from :
       {VmState::Running, VmState::Stopped, VmState::Paused, VmState::Suspended}) {
    Scenario s(*cloud, CommandKind::VmRename, from);
    ASSERT_FALSE(HasFatalFailure());
    BackendError error;
    const auto seen = s.rig().inventory(&error);
    ASSERT_NE(seen, nullptr) << error.detail;
    const Census census = s.census();
    const auto vms = ours(*seen, cloud->installation());
    ASSERT_EQ(vms.size(), census.vms.size());
    for (const CountedVm& counted : census.vms) {
      const auto vm =
          std::find_if(vms.begin(), vms.end(), [&](const auto& v) { return v.ref == counted.ref; });
      ASSERT_NE(vm, vms.end()) << counted.ref;
      EXPECT_EQ(vm->tag.key, counted.key);
      EXPECT_EQ(vm->name, counted.name);
      EXPECT_EQ(vm->host, counted.host);
      EXPECT_EQ(vm->size.vcpus, counted.vcpus);
      EXPECT_EQ(vm->size.memory_mb, counted.memory_mb);
      EXPECT_GE(vm->age, base::Duration::zero());
      EXPECT_FALSE(vm->vm.is_nil());
    }
    const auto newest =
        std::find_if(vms.begin(), vms.end(), [&](const auto& v) { return v.vm == s.order().vm; });
    ASSERT_NE(newest, vms.end());
    EXPECT_EQ(newest->state, from);
    EXPECT_GE(seen->vms.size() - vms.size(), census.foreign);
    EXPECT_TRUE(seen->silent_hosts.empty());
  }
}

TEST_P(InventoryOf, ShowsAnImageThatWasCaptured) {
  Scenario s(*cloud, CommandKind::ImageCapture);
  ASSERT_FALSE(HasFatalFailure());
  ASSERT_EQ(s.run().kind, domain::OutcomeKind::Succeeded);
  const auto seen = s.rig().inventory();
  ASSERT_NE(seen, nullptr);
  const Census census = s.census();
  ASSERT_EQ(census.images.size(), 1U);
  const auto image = std::find_if(seen->images.begin(), seen->images.end(),
                                  [&](const auto& i) { return i.ref == census.images[0].ref; });
  ASSERT_NE(image, seen->images.end());
  EXPECT_EQ(image->tag.installation, cloud->installation());
  EXPECT_EQ(image->tag.key, census.images[0].key);
}

TEST_P(InventoryOf, SaysOfAVmThatIsGoneNothing) {
  Scenario s(*cloud, CommandKind::VmStop);
  ASSERT_FALSE(HasFatalFailure());
  cloud->lose_vm(s.before().vms.at(0).ref);
  const auto seen = s.rig().inventory();
  ASSERT_NE(seen, nullptr);
  EXPECT_TRUE(ours(*seen, cloud->installation()).empty());
}

}  // namespace
}  // namespace slipway::workers::contract
