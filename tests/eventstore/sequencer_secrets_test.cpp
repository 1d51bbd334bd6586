// Secrets of what is deleted go a day later, and not while anything still names them.
#include "tests/eventstore/sequencer_harness.hpp"

namespace slipway::eventstore::testing {
namespace {

domain::Command create_with_secrets(std::uint64_t n) {
  auto command = create(n);
  auto& body = std::get<domain::CreateVm>(command.body);
  body.admin_secret = "admin-" + std::to_string(n);
  body.user_data = "data-" + std::to_string(n);
  return command;
}

Ask secrets_of(std::uint64_t n) {
  return {.secrets = {"admin-" + std::to_string(n), "data-" + std::to_string(n)}};
}

class SequencerSecrets : public ::testing::Test {
 protected:
  bool is_kept(const std::string& ref) { return server.disk.secret(ref)->has_value(); }

  void hours_pass(int hours) {
    for (int i = 0; i < hours; ++i) {
      server.clock.advance(1h);
      ASSERT_TRUE(server.turn());
      while (*server.core->next_timer() <= server.clock.now()) ASSERT_TRUE(server.turn());
    }
  }
  // Made and running.
  void make(std::uint64_t n) {
    server.submit(create_with_secrets(n), secrets_of(n));
    finish(n, "vm.create");
  }
  void finish(std::uint64_t task_number, const std::string& step) {
    server.hello(1);
    ASSERT_TRUE(server.turn());
    ASSERT_NE(server.order(task_number), nullptr);
    auto done = step_done(task_number, server.order(task_number)->token, step, "sim-1");
    done.outcome.emplace();
    server.report(std::move(done));
    ASSERT_TRUE(server.turn());
  }
  void remove(std::uint64_t task_number, std::uint64_t vm_number) {
    server.submit(act(task_number, domain::CommandKind::VmDelete, vm_number));
    finish(task_number, "vm.delete");
    ASSERT_EQ(server.world().vm(vm(vm_number)), nullptr);
  }
  // Its creation is cancelled before anything was made, so the VM is gone again.
  void make_and_cancel(std::uint64_t n) {
    server.submit(create_with_secrets(n), secrets_of(n));
    server.submit(cancel(n));
    ASSERT_TRUE(server.turn());
    ASSERT_EQ(server.world().vm(vm(n)), nullptr);
  }
  // Of task `from`, as the edge would have read it; the new VM has the number of the new task.
  domain::Command again(std::uint64_t n, std::uint64_t from) {
    auto command = redrive(n, from, TaskState::Cancelled);
    std::get<domain::RedriveTask>(command.body).body =
        std::get<domain::CreateVm>(create_with_secrets(from).body);
    return command;
  }

  SequencerHarness server;
};

TEST_F(SequencerSecrets, G6_3_OfADeletedVmGoADayLater) {
  make(1);
  make(2);
  remove(10, 1);
  hours_pass(24);
  EXPECT_TRUE(is_kept("admin-1"));
  EXPECT_TRUE(is_kept("data-1"));
  hours_pass(1);
  EXPECT_FALSE(is_kept("admin-1"));
  EXPECT_FALSE(is_kept("data-1"));
  EXPECT_TRUE(is_kept("admin-2")) << "its VM is there";
  EXPECT_TRUE(is_kept("data-2"));
}

TEST_F(SequencerSecrets, G6_3_NothingIsLeftOfThem) {
  make(1);
  remove(10, 1);
  hours_pass(25);
  EXPECT_TRUE(server.disk.range(LogColumn::Secrets, "", "\xFF", 10)->empty());
}

TEST_F(SequencerSecrets, G6_3_OfAVmThatIsNotDeletedStay) {
  make(1);
  hours_pass(100);
  EXPECT_TRUE(is_kept("admin-1"));
}

TEST_F(SequencerSecrets, G6_3_OfAVmThatCameToNothingGoToo) {
  make_and_cancel(1);
  hours_pass(25);
  EXPECT_FALSE(is_kept("admin-1"));
}

TEST_F(SequencerSecrets, G6_3_GoAlsoWhenTheServerIsStartedAnewMeanwhile) {
  make(1);
  remove(10, 1);
  hours_pass(12);
  server.restart();
  ASSERT_TRUE(server.turn());
  hours_pass(13);
  EXPECT_FALSE(is_kept("admin-1"));
}

TEST_F(SequencerSecrets, TheTimeIsSettable) {
  server.options.retention.secrets = 2h;
  server.restart();
  make(1);
  remove(10, 1);
  hours_pass(2);
  EXPECT_TRUE(is_kept("admin-1"));
  hours_pass(1);
  EXPECT_FALSE(is_kept("admin-1"));
}

// The second VM of a re-driven creation is made with the secrets of the first.
TEST_F(SequencerSecrets, G6_3_StayWhileTheVmOfARedriveHasThem) {
  make_and_cancel(1);
  server.submit(again(2, 1));
  finish(2, "vm.create");
  ASSERT_NE(server.world().vm(vm(2)), nullptr);
  hours_pass(30);
  EXPECT_TRUE(is_kept("admin-1"));
  EXPECT_TRUE(is_kept("data-1"));
  remove(10, 2);
  hours_pass(25);
  EXPECT_FALSE(is_kept("admin-1"));
  EXPECT_TRUE(server.disk.range(LogColumn::Secrets, "", "\xFF", 10)->empty());
}

TEST_F(SequencerSecrets, ARedriveThatWantsForgottenOnesIsRefused) {
  make_and_cancel(1);
  hours_pass(25);
  const auto heard = server.submit(again(2, 1));
  ASSERT_TRUE(server.turn());
  EXPECT_EQ(heard->refusals, 1);
  EXPECT_EQ(heard->code, Errc::IllegalTransition);
  EXPECT_EQ(server.live(2), nullptr);
}

TEST_F(SequencerSecrets, OfAUserGoWhenHeIsDeletedOrChangesIt) {
  const auto people = [&](domain::CommandBody body, const std::string& ref) {
    domain::Command command;
    command.caller = caller();
    command.caller.role = domain::Role::Admin;
    command.task = task(500);
    command.body = std::move(body);
    const auto heard = server.submit(command, {.secrets = {ref}});
    EXPECT_TRUE(server.turn());
    EXPECT_EQ(heard->answers, 1);
  };
  domain::User user;
  user.name = "ann";
  user.tenant = "demo";
  user.role = domain::Role::Operator;
  user.password = "password-1";
  people(domain::CreateUser{user}, "password-1");
  people(domain::SetUserPassword{"ann", "password-2"}, "password-2");
  hours_pass(25);
  EXPECT_FALSE(is_kept("password-1"));
  EXPECT_TRUE(is_kept("password-2"));
  people(domain::DeleteUser{"ann"}, "unused");
  hours_pass(25);
  EXPECT_FALSE(is_kept("password-2"));
}

}  // namespace
}  // namespace slipway::eventstore::testing
