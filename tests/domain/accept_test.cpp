#include <gtest/gtest.h>

#include <functional>

#include "tests/domain/story.hpp"

// What is checked before a command is accepted, and what its acceptance says.
namespace slipway::domain::testing {
namespace {

TEST(CreateVm, IsAcceptedAndReady) {
  Story s;
  s.when(create(1)).then({"command-1 CommandAccepted", "vm-1 VmRequested", "task-1 TaskQueued"});
  EXPECT_EQ(s.state(1), TaskState::Ready);
  EXPECT_EQ(s.vm_state(1), VmState::Queued);
  EXPECT_EQ(s.live(1).deadline, kStart + 24h);
}

// One row a refusal, in the order in which they are checked: each row breaks its own rule and all
// those below it as well.
TEST(CreateVm, RefusesInThisOrder) {
  struct Row {
    const char* what;
    Errc code;
    std::function<void(Command&, CreateVm&, Story&)> break_it;
  };
  const std::vector<Row> rows = {
      {"tasks in flight", Errc::RateLimited,
       [](auto&, auto&, Story& s) { s.policy.tasks_in_flight_per_tenant = 1; }},
      {"unknown dependency", Errc::UnprocessableArgument,
       [](Command& c, auto&, auto&) { c.depends_on = {task(77)}; }},
      {"a VM of this id", Errc::ResourceBusy, [](auto&, CreateVm& b, auto&) { b.vm = vm(50); }},
      {"unknown flavor", Errc::UnprocessableArgument,
       [](auto&, CreateVm& b, auto&) { b.flavor = "none"; }},
      {"the pool's queue", Errc::QueueFull,
       [](auto&, auto&, Story& s) { s.policy.tasks_per_pool = 1; }},
      {"quota", Errc::QuotaExceeded,
       [](auto&, auto&, Story& s) {
         Command q = create(3000);
         q.body = SetQuota{"demo", {1, 0, 0, 0}};
         s.given(q);
       }},
      {"no such host", Errc::CapacityExhausted, [](auto&, CreateVm& b, auto&) { b.host = "h9"; }},
  };
  for (std::size_t first = 0; first < rows.size(); ++first) {
    Story s;
    s.given(create(50));
    Command c = create(1);
    CreateVm body = create_body(1);
    for (std::size_t i = first; i < rows.size(); ++i) rows[i].break_it(c, body, s);
    c.body = body;
    SCOPED_TRACE(rows[first].what);
    s.when(c).refused(rows[first].code);
  }
}

TEST(CreateVm, NamesEveryUnknownFieldAtOnce) {
  Story s;
  Command c = create(1);
  CreateVm body = create_body(1);
  body.flavor = "f";
  body.image = "i";
  body.network = "n";
  body.backend = "b";
  c.body = body;
  s.when(c).refused(Errc::UnprocessableArgument);
  ASSERT_EQ(s.error.fields.size(), 4U);
  EXPECT_EQ(s.error.fields[0].pointer, "/args/flavor");
  EXPECT_EQ(s.error.fields[3].code, "unknown-backend");
}

TEST(ActOnVm, RefusesInThisOrder) {
  Story s;
  s.running_vm(1);
  Command c = act(2, CommandKind::VmUnpause, 1);
  c.if_match = 99;
  Command foreign = c;
  foreign.caller = caller("other");
  s.when(foreign).refused(Errc::NotFound);
  s.when(act(2, CommandKind::VmStop, 7)).refused(Errc::NotFound);
  s.when(c).refused(Errc::VersionMismatch);
  c.if_match.reset();
  Command not_on_vm = act(2, CommandKind::ImageDelete, 1);
  s.when(not_on_vm).refused(Errc::UnknownCommand);
  s.when(c).refused(Errc::IllegalTransition);
  s.given(act(3, CommandKind::VmStop, 1));
  s.when(act(4, CommandKind::VmStart, 1)).refused(Errc::ResourceBusy);
}

TEST(ActOnVm, IfMatchOfThePresentVersionIsAccepted) {
  Story s;
  s.running_vm(1);
  Command c = act(2, CommandKind::VmStop, 1);
  c.if_match = s.world.vm(vm(1))->version;
  s.when(c).then({"command-2 CommandAccepted", "vm-1 VmStateChanged", "task-2 TaskQueued"});
  EXPECT_EQ(s.vm_state(1), VmState::Stopping);
}

TEST(ActOnVm, AHardRebootShowsAsOne) {
  Story s;
  s.running_vm(1);
  ActOnVm reboot;
  reboot.kind = CommandKind::VmReboot;
  reboot.vm = vm(1);
  reboot.args.hard = true;
  s.given(act(2, reboot));
  EXPECT_EQ(s.vm_state(1), VmState::HardRebooting);
}

TEST(ActOnVm, ChecksItsArguments) {
  Story s;
  s.running_vm(1);
  const auto refused = [&](CommandKind kind, Errc code, auto&& set) {
    ActOnVm a;
    a.kind = kind;
    a.vm = vm(1);
    set(a);
    SCOPED_TRACE(base::enum_name(kind));
    s.when(act(2, a)).refused(code);
  };
  const auto none = [](ActOnVm&) {};
  refused(CommandKind::VmResize, Errc::UnprocessableArgument, none);
  refused(CommandKind::VmResize, Errc::UnprocessableArgument,
          [](ActOnVm& a) { a.flavor = "smal"; });
  EXPECT_NE(s.error.fields[0].detail.find("did you mean 'small'"), std::string::npos);
  refused(CommandKind::VmResize, Errc::UnprocessableArgument, [](ActOnVm& a) {
    a.args.size = Size{"", 1, 1, 1};
  });
  refused(CommandKind::VmRebuild, Errc::UnprocessableArgument, [](ActOnVm& a) { a.image = "x"; });
  refused(CommandKind::VmRename, Errc::UnprocessableArgument, none);
  refused(CommandKind::VmSnapshotCreate, Errc::UnprocessableArgument, none);
  refused(CommandKind::VmSnapshotDelete, Errc::NotFound, [](ActOnVm& a) { a.args.snapshot = "s"; });
  refused(CommandKind::ImageCapture, Errc::UnprocessableArgument, none);
  refused(CommandKind::VmMigrate, Errc::UnprocessableArgument,
          [](ActOnVm& a) { a.args.host = "h1"; });
  refused(CommandKind::VmMigrate, Errc::UnprocessableArgument,
          [](ActOnVm& a) { a.args.host = "h7"; });
}

TEST(Room, TheLeastLoadedHostIsChosenAndATieGoesToTheFirst) {
  Story s;
  s.given(create(1)).given(create(2)).given(create(3));
  EXPECT_EQ(s.world.vm(vm(1))->spec.host, "h1");
  EXPECT_EQ(s.world.vm(vm(2))->spec.host, "h2");
  EXPECT_EQ(s.world.vm(vm(3))->spec.host, "h1");
}

TEST(Room, AddressesAreGivenUpwardsAndAFreedOneLast) {
  Story s;
  for (std::uint64_t n = 1; n <= 3; ++n) s.given(create(n));
  EXPECT_EQ(ipv4_text(s.world.vm(vm(3))->spec.ipv4), "10.0.0.12");
  s.given(cancel(2));
  for (std::uint64_t n = 4; n <= 10; ++n) s.given(create(n));
  EXPECT_EQ(ipv4_text(s.world.vm(vm(10))->spec.ipv4), "10.0.0.19");
  s.given(create(11));
  EXPECT_EQ(ipv4_text(s.world.vm(vm(11))->spec.ipv4), "10.0.0.11");
  s.when(create(12)).refused(Errc::CapacityExhausted);
}

TEST(Room, QuotaIsExactWithinABatch) {
  Story s;
  Command q = create(3000);
  q.body = SetQuota{"demo", {0, 3, 0, 0}};
  s.given(q);
  std::vector<BatchItem> items;
  for (std::uint64_t n = 1; n <= 4; ++n) items.push_back({task(n), create_body(n)});
  s.when(batch(100, items)).refused(Errc::QuotaExceeded);
  EXPECT_EQ(s.error.fields.at(0).pointer, "/commands/3");
  EXPECT_EQ(s.world.vm_count(), 0U);
  s.when(batch(100, items, true)).accepted();
  EXPECT_EQ(s.world.vm_count(), 3U);
  EXPECT_EQ(s.world.usage("demo").vcpus, 3U);
}

TEST(Room, AMigrationUnderWayHoldsItsTarget) {
  Story s;
  s.running_vm(1);
  ActOnVm move;
  move.kind = CommandKind::VmMigrate;
  move.vm = vm(1);
  s.given(act(2, move));
  EXPECT_EQ(s.world.hosts().at("h2").used.vcpus, 1U);
  EXPECT_EQ(s.world.hosts().at("h1").used.vcpus, 1U);
  s.given(cancel(2));
  EXPECT_EQ(s.world.hosts().at("h2").used.vcpus, 0U);
}

TEST(Room, AResizeIsHeldToQuotaAndHost) {
  Story s;
  s.running_vm(1);
  ActOnVm grow;
  grow.kind = CommandKind::VmResize;
  grow.vm = vm(1);
  grow.args.size = Size{"", 9, 1024, 10};
  s.when(act(2, grow)).refused(Errc::CapacityExhausted);
  grow.args.size.reset();
  grow.flavor = "large";
  s.given(act(3, grow));
  EXPECT_EQ(s.world.usage("demo").vcpus, 4U);
  EXPECT_EQ(s.restored().usage("demo").vcpus, 4U);
  s.given(cancel(3));
  EXPECT_EQ(s.world.usage("demo").vcpus, 1U);
  Command q = create(3000);
  q.body = SetQuota{"demo", {0, 3, 0, 0}};
  s.given(q);
  s.when(act(4, grow)).refused(Errc::QuotaExceeded);
}

TEST(Images, OneDeletionAtATime) {
  InitializeSystem cloud = small_cloud();
  cloud.images[0].tenant = "demo";
  Story s(cloud);
  s.when(batch(100, {{task(1), DeleteImage{image(900)}}, {task(2), DeleteImage{image(900)}}}))
      .refused(Errc::IllegalTransition);
  Command c = create(1);
  c.body = DeleteImage{image(900)};
  s.when(c).then({"command-1 CommandAccepted", "image-900 ImageDeleting", "task-1 TaskQueued"});
  s.when(cancel(1)).then({"task-1 TaskCancelled", "image-900 ImageSaved"});
  EXPECT_EQ(s.world.image(image(900))->image.backend_ref, "img-debian");
}

TEST(Images, OfOneNameTheTenantsNewestSavedOneIsMeant) {
  InitializeSystem cloud = small_cloud();
  Image mine = cloud.images[0];
  mine.id = image(901);
  mine.is_public = false;
  mine.tenant = "demo";
  cloud.images.push_back(mine);
  Story s(cloud);
  EXPECT_EQ(s.world.image_by_name("debian", "demo")->image.id, image(901));
  EXPECT_EQ(s.world.image_by_name("debian", "other")->image.id, image(900));
}

TEST(Priority, IsTheOrderOfTheQueueThenArrival) {
  Story s;
  s.given(create(1)).given(create(2));
  Command c = create(3);
  c.body = SetPriority{task(2), 9};
  s.given(c);
  ASSERT_EQ(s.world.ready("default")->size(), 2U);
  EXPECT_EQ(s.world.ready("default")->begin()->task, task(2));
  c.if_match = 1;
  s.when(c).refused(Errc::VersionMismatch);
}

TEST(System, IsInitializedOnce) {
  Story s;
  Command c = create(1);
  c.body = small_cloud();
  s.when(c).refused(Errc::IllegalTransition);
}

}  // namespace
}  // namespace slipway::domain::testing
