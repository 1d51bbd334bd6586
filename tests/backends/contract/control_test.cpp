// That the suite can fail: with one protection switched off at a time, it says what is wrong.
#include "tests/backends/contract/simulated_cloud.hpp"
#include "tests/backends/contract/suite.hpp"

namespace slipway::workers::contract {
namespace {

using domain::CommandKind;
using domain::Outcome;
using domain::OutcomeKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using Face = SimulatedCloud::Face;

// Calls of a cloud that answers to each undo that it is done, and does nothing.
class NeverUndoes final : public Backend {
 public:
  explicit NeverUndoes(std::unique_ptr<Backend> inner) : inner_(std::move(inner)) {}
  std::string_view name() const override { return inner_->name(); }
  base::Duration call_timeout() const override { return inner_->call_timeout(); }
  base::Duration settle_time() const override { return inner_->settle_time(); }
  void attach(CompletionQueue& queue) override { inner_->attach(queue); }
  void perform(const BackendCall& call, Answer answer) override {
    if (call.undo) return answer({});
    inner_->perform(call, std::move(answer));
  }
  void lookup(const BackendCall& call, Answer answer) override {
    inner_->lookup(call, std::move(answer));
  }
  void on_timer(base::Time now) override { inner_->on_timer(now); }
  std::optional<base::Time> next_timer() const override { return inner_->next_timer(); }

 private:
  std::unique_ptr<Backend> inner_;
};

class CarelessCloud final : public CloudUnderTest {
 public:
  Offer offer() const override { return inner_.offer(); }
  bool offers(CommandKind command) const override { return inner_.offers(command); }
  const std::string& installation() const override { return inner_.installation(); }
  std::unique_ptr<Backend> connect() override {
    return std::make_unique<NeverUndoes>(inner_.connect());
  }
  Census census() override { return inner_.census(); }
  bool virtual_time() const override { return true; }
  void lose_vm(const std::string& ref) override { inner_.lose_vm(ref); }
  void add_foreign_vm() override { inner_.add_foreign_vm(); }

 private:
  SimulatedCloud inner_{Face::Inline};
};

TEST(Control, ACloudThatForgetsItsKeysIsSeenToHaveDoubles) {
  for (const Trouble trouble : {Trouble::LostAnswer, Trouble::Broken, Trouble::KilledAfter}) {
    SimulatedCloud cloud(Face::Inline, true);
    Scenario s(cloud, CommandKind::VmCreate);
    s.rig().disturb(trouble, 0);
    EXPECT_EQ(s.run().kind, OutcomeKind::Succeeded);
    EXPECT_THAT(faults_of(s.census()), ElementsAre(StartsWith("two VMs of slipway-")));
    EXPECT_THAT(s.faults_of_effect(), Not(IsEmpty()));
  }
}

TEST(Control, ACloudThatForgetsItsKeysIsSeenToDoublesACallThatArrivesTwice) {
  SimulatedCloud cloud(Face::Inline, true);
  Scenario s(cloud, CommandKind::VmCreate);
  s.rig().disturb(Trouble::Twice, 0);
  s.run();
  EXPECT_THAT(faults_of(s.census()), ElementsAre(StartsWith("two VMs of slipway-")));
}

TEST(Control, ALateCallToACloudThatForgetsIsSeen) {
  SimulatedCloud cloud(Face::Inline, true);
  Scenario s(cloud, CommandKind::VmCreate);
  s.rig().disturb(Trouble::Frozen, 0);
  s.run();
  EXPECT_THAT(faults_of(s.census()), IsEmpty());
  s.rig().thaw();
  EXPECT_THAT(faults_of(s.census()), Not(IsEmpty()));
}

TEST(Control, AnUndoThatDoesNothingIsSeenToLeaveSomethingBehind) {
  for (const CommandKind command :
       {CommandKind::VmCreate, CommandKind::VmResize, CommandKind::VmMigrate,
        CommandKind::VmSnapshotCreate, CommandKind::ImageCapture}) {
    CarelessCloud cloud;
    Scenario s(cloud, command);
    s.rig().disturb(Trouble::BadEnd, 0);
    EXPECT_EQ(s.run().kind, OutcomeKind::Failed);
    EXPECT_NE(s.text(), s.text_before()) << base::enum_name(command);
  }
}

// The ledger of the simulated cloud keeps what was made and deleted again.
TEST(Control, OneVmWasEverMadeForATaskWhoseWorkerWasKilled) {
  for (const bool forgetful : {false, true}) {
    SimulatedCloud cloud(Face::Inline, forgetful);
    Scenario s(cloud, CommandKind::VmCreate);
    const domain::WorkOrder order = s.order();
    s.rig().disturb(Trouble::KilledAfter, 0);
    s.rig().run(order);
    EXPECT_EQ(cloud.made_by(order.task), forgetful ? 2U : 1U);
  }
}

}  // namespace
}  // namespace slipway::workers::contract
