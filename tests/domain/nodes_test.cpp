#include <set>

#include "core/domain/cloud_face.hpp"
#include "tests/domain/story.hpp"

// Several clouds in one log, the numbers that one of them gives to its nodes, and to whom VMs are
// given.
namespace slipway::domain::testing {
namespace {

const std::string kCloud = "fake_driver";

Command registered(const std::string& name, const std::string& face, std::uint64_t n = 900) {
  Command c = create(n);
  c.caller.tenant = name;
  c.body =
      RegisterBackend{{.name = name, .type = "simulated", .places_hosts = false, .face = face}};
  return c;
}

Story with_fake_driver() {
  Story s;
  s.given(registered(kCloud, "dummy"));
  return s;
}

CreateVm node_body(std::uint64_t vm_number) {
  CreateVm body = create_body(vm_number);
  body.backend = kCloud;
  body.flavor = "1";
  body.image = "1";
  return body;
}
Command node(std::uint64_t n) {
  Command c = create(n);
  c.body = node_body(n);
  return c;
}

Command assign(std::uint64_t n, const VmId& id, const std::string& user = "ada") {
  Command c = create(n);
  c.body = AssignVm{id, user, "app_name"};
  return c;
}
Command release(std::uint64_t n, const VmId& id) {
  Command c = create(n);
  c.body = ReleaseVm{id};
  return c;
}

std::uint64_t number_of(const Story& s, std::uint64_t n) {
  return s.world.vm(vm(n))->spec.number.value_or(0);
}

// ---- clouds ----

TEST(RegisterBackend, BringsTheNodesOfItsFace) {
  Story s;
  s.given(registered(kCloud, "dummy"));
  EXPECT_EQ(s.last.size(), 5U);  // the cloud, and two nodes that are requested and launched
  for (const std::uint64_t number : {1U, 2U}) {
    const Vm* found = s.world.vm(first_node_id(kCloud, number));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->tenant, kCloud);
    EXPECT_EQ(found->state, VmState::Running);
    EXPECT_EQ(found->spec.name, "dummy-" + std::to_string(number));
    EXPECT_EQ(found->spec.number, number);
    EXPECT_EQ(ipv4_text(found->spec.ipv4), "127.0.0.1");
    EXPECT_EQ(found->backend_ref, "sim-" + std::to_string(number));
  }
}

TEST(RegisterBackend, RefusesInThisOrder) {
  Story s = with_fake_driver();
  s.when(registered("", "dummy")).refused(Errc::UnprocessableArgument);
  s.when(registered(kCloud, "dummy")).refused(Errc::NameTaken);
  Command foreign = registered("other", "none");
  foreign.caller.tenant = "demo";
  s.when(foreign).refused(Errc::Forbidden);
  s.when(registered("other", "none")).refused(Errc::UnprocessableArgument);
}

TEST(RegisterBackend, OneWithoutAFaceHasNoNodes) {
  Story s;
  s.when(registered("second", "")).then({"backend-second BackendRegistered"});
}

TEST(RegisterBackend, TheFirstCloudStaysTheOneOfWhoeverNamesNone) {
  Story s;
  s.given(registered("aaa", ""));
  s.given(create(1));
  EXPECT_EQ(s.world.vm(vm(1))->spec.backend, "sim");
}

TEST(RegisterBackend, AFirstNodeIsDeletedLikeAnyOther) {
  Story s = with_fake_driver();
  const VmId first = first_node_id(kCloud, 1);
  Command c = act(1, CommandKind::VmDelete, 0);
  std::get<ActOnVm>(c.body).vm = first;
  s.when(c).refused(Errc::NotFound);
  c.caller.tenant = kCloud;
  s.given(c).when_leased(1).when(ends(1, 1, OutcomeKind::Succeeded));
  EXPECT_EQ(s.world.vm(first), nullptr);
}

// ---- numbers ----

TEST(NodeNumbers, GoOnFromTheFirstNodesAndNameTheVm) {
  Story s = with_fake_driver();
  s.given(node(3)).given(node(4));
  EXPECT_EQ(number_of(s, 3), 3U);
  EXPECT_EQ(number_of(s, 4), 4U);
  const VmSpec& spec = s.world.vm(vm(3))->spec;
  EXPECT_EQ(spec.name, "dummy-3");
  EXPECT_EQ(ipv4_text(spec.ipv4), "127.0.0.3");
  EXPECT_TRUE(spec.network.is_nil());
  EXPECT_TRUE(spec.host.empty());
  EXPECT_EQ(spec.size, (Size{"", 0, 128, 4}));
  EXPECT_EQ(s.live(3).resources.at(0).name, "dummy-3");
}

TEST(NodeNumbers, AreNeverUsedTwice) {
  Story s = with_fake_driver();
  std::set<std::uint64_t> seen{1, 2};
  for (std::uint64_t n = 10; n < 20; ++n) {
    s.given(node(n));
    EXPECT_TRUE(seen.insert(number_of(s, n)).second);
    // Half of them are gone at once: cancelled before a worker came.
    if (n % 2 == 0) s.given(cancel(n));
  }
  EXPECT_EQ(s.world.nodes().last_number(kCloud), 12U);
  EXPECT_EQ(s.restored().nodes().last_number(kCloud), 12U);
}

TEST(NodeNumbers, OfOneBatchAreAllDifferent) {
  Story s = with_fake_driver();
  std::vector<BatchItem> items;
  for (std::uint64_t n = 1; n <= 5; ++n) items.push_back({task(n), node_body(n)});
  items[2].body = [] {
    CreateVm bad = node_body(3);
    bad.flavor = "none";
    return bad;
  }();
  s.given(batch(100, items, true));
  std::set<std::uint64_t> seen;
  for (const std::uint64_t n : {1U, 2U, 4U, 5U}) seen.insert(number_of(s, n));
  EXPECT_EQ(seen.size(), 4U);
}

TEST(NodeNumbers, APlainCloudGivesNone) {
  Story s = with_fake_driver();
  s.given(create(1));
  EXPECT_FALSE(s.world.vm(vm(1))->spec.number.has_value());
  EXPECT_NE(s.world.vm(vm(1))->spec.name, "dummy-3");
}

TEST(CloudFace, HasItsOwnImagesAndSizesAndNoOthers) {
  struct Row {
    std::string flavor;
    std::string image;
    bool good;
  };
  for (const Row& row :
       {Row{"1", "1", true}, Row{"XXL Big", "Slackware 4", true}, Row{"small", "1", false},
        Row{"1", "debian", false}, Row{"5", "1", false}, Row{"1", "4", false}}) {
    Story s = with_fake_driver();
    Command c = node(1);
    auto& body = std::get<CreateVm>(c.body);
    body.flavor = row.flavor;
    body.image = row.image;
    s.when(c);
    EXPECT_EQ(s.ok, row.good) << row.flavor << " " << row.image;
    if (!row.good) {
      EXPECT_EQ(s.error.code, Errc::UnprocessableArgument);
    }
  }
}

TEST(CloudFace, ItsSizesAreNotThoseOfOtherClouds) {
  Story s = with_fake_driver();
  Command c = create(1);
  std::get<CreateVm>(c.body).flavor = "XXL Big";
  s.when(c).refused(Errc::UnprocessableArgument);
}

TEST(CloudFace, ResizesToItsOwnSizes) {
  Story s = with_fake_driver();
  s.given(node(1)).when_leased(1).when(step_done(1, 1, "vm.create"));
  s.when(ends(1, 1, OutcomeKind::Succeeded)).accepted();
  ActOnVm resize;
  resize.kind = CommandKind::VmResize;
  resize.vm = vm(1);
  resize.flavor = "small";
  s.when(act(2, resize)).refused(Errc::UnprocessableArgument);
  resize.flavor = "Medium";
  s.when(act(3, resize)).accepted();
}

// ---- assignments ----

TEST(AssignVm, GivesItToAUserAndIsDoneAtOnce) {
  Story s;
  s.running_vm(1);
  s.when(assign(2, vm(1)))
      .then({"command-2 CommandAccepted", "task-2 TaskQueued", "task-2 TaskLeased",
             "task-2 TaskSucceeded", "vm-1 VmAssigned"});
  const Assignment* given = s.world.nodes().assignment(vm(1));
  ASSERT_NE(given, nullptr);
  EXPECT_EQ(*given, (Assignment{vm(1), 1, "ada", "app_name"}));
}

TEST(AssignVm, RefusesInThisOrder) {
  Story s;
  s.running_vm(1).given(assign(2, vm(1)));
  s.when(assign(3, vm(9))).refused(Errc::NotFound);
  Command foreign = assign(3, vm(1));
  foreign.caller.tenant = "other";
  s.when(foreign).refused(Errc::NotFound);
  Command late = assign(3, vm(1));
  late.if_match = 1;
  s.when(late).refused(Errc::VersionMismatch);
  s.when(assign(3, vm(1), "")).refused(Errc::UnprocessableArgument);
  s.when(assign(3, vm(1), "bob")).refused(Errc::ResourceBusy);
  s.given(act(4, CommandKind::VmDelete, 1));
  s.when(assign(5, vm(1), "bob")).refused(Errc::IllegalTransition);
}

TEST(AssignVm, MayComeWhileATaskIsAtWork) {
  Story s;
  s.running_vm(1).given(act(2, CommandKind::VmStop, 1)).given(assign(3, vm(1)));
  EXPECT_EQ(s.vm_state(1), VmState::Stopping);
}

TEST(ReleaseVm, EndsTheAssignment) {
  Story s;
  s.running_vm(1).given(assign(2, vm(1)));
  s.when(release(3, vm(1)))
      .then({"command-3 CommandAccepted", "task-3 TaskQueued", "task-3 TaskLeased",
             "task-3 TaskSucceeded", "vm-1 VmReleased"});
  EXPECT_EQ(s.world.nodes().assignment(vm(1)), nullptr);
  s.when(release(4, vm(1))).refused(Errc::IllegalTransition);
  Command foreign = release(4, vm(1));
  foreign.caller.tenant = "other";
  s.when(foreign).refused(Errc::NotFound);
}

TEST(ReleaseVm, ANewAssignmentHasANewNumber) {
  Story s;
  s.running_vm(1).given(assign(2, vm(1))).given(release(3, vm(1))).given(assign(4, vm(1), "bob"));
  EXPECT_EQ(s.world.nodes().assignment(vm(1))->number, 2U);
}

TEST(Assignment, EndsWithItsVm) {
  Story s;
  s.running_vm(1).given(assign(2, vm(1)));
  s.given(act(3, CommandKind::VmDelete, 1)).when_leased(3).when(ends(3, 1, OutcomeKind::Succeeded));
  EXPECT_EQ(s.world.nodes().assignment(vm(1)), nullptr);
}

TEST(NodeBook, IsTheSameAfterASnapshot) {
  Story s = with_fake_driver();
  s.running_vm(1).given(assign(2, vm(1))).given(node(3)).given(assign(4, vm(3), "bob"));
  EXPECT_EQ(s.restored().dump_for_test(), s.world.dump_for_test());
  EXPECT_EQ(s.restored().nodes().default_backend(), "sim");
}

}  // namespace
}  // namespace slipway::domain::testing
