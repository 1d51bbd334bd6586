// Failure by enumeration: each call of each command fails in each way that a cloud and the way to
// it have. Then nothing is there twice and nothing is left behind, counted in the cloud itself.
#include "core/domain/plan.hpp"
#include "tests/backends/contract/suite.hpp"

namespace slipway::workers::contract {
namespace {

using domain::Outcome;
using domain::OutcomeKind;
using testing::IsEmpty;

class EachCall : public EachCommand {
 protected:
  struct Wanted {
    std::string text;
    std::size_t calls = 0;
  };
  const Wanted& wanted() {
    if (wanted_.calls != 0) return wanted_;
    auto cloud = open();
    Scenario s(*cloud, command());
    EXPECT_EQ(s.run().kind, OutcomeKind::Succeeded);
    wanted_ = {s.text(), s.rig().calls()};
    EXPECT_GT(wanted_.calls, 0U);
    return wanted_;
  }

  // The trouble at each call in turn, on a fresh cloud; `check` judges.
  template <class Check>
  void at_each_call(Trouble trouble, const Check& check) {
    for (std::size_t call = 0; call < wanted().calls; ++call) {
      auto fresh = open();
      Scenario s(*fresh, command());
      if (HasFatalFailure()) return;
      s.rig().disturb(trouble, call);
      const Outcome outcome = s.run();
      SCOPED_TRACE("call " + std::to_string(call) + " of " +
                   testing::PrintToString(s.rig().asked()) + "; " + said(outcome));
      EXPECT_THAT(faults_of(s.census()), IsEmpty());
      check(s, outcome, call);
    }
  }
  // It ends as if nothing had been.
  void ends_as_if_nothing_had_been(Trouble trouble) {
    at_each_call(trouble, [this](Scenario& s, const Outcome& outcome, std::size_t) {
      EXPECT_EQ(outcome.kind, OutcomeKind::Succeeded);
      EXPECT_EQ(s.text(), wanted().text);
    });
  }
  // What replaces the disk cannot be undone.
  static bool can_be_undone(std::size_t call) {
    return call == 0 || !domain::plan_of(command())[0].undo.empty();
  }

 private:
  Wanted wanted_;
};

INSTANTIATE_TEST_SUITE_P(Backends, EachCall, each_command(offered), name_of_test);

TEST_P(EachCall, AnErrorIsRetried) { ends_as_if_nothing_had_been(Trouble::Error); }

TEST_P(EachCall, G1_5_AnErrorThatCameAfterTheEffectIsRetried) {
  ends_as_if_nothing_had_been(Trouble::Broken);
}

TEST_P(EachCall, ALostAnswerDoublesNothing) { ends_as_if_nothing_had_been(Trouble::LostAnswer); }

TEST_P(EachCall, ACallThatArrivesTwiceHasTheEffectOfOne) {
  ends_as_if_nothing_had_been(Trouble::Twice);
}

TEST_P(EachCall, AWorkerKilledBeforeItIsFollowedByAnother) {
  ends_as_if_nothing_had_been(Trouble::KilledBefore);
}

TEST_P(EachCall, AWorkerKilledAfterItIsFollowedByAnother) {
  ends_as_if_nothing_had_been(Trouble::KilledAfter);
}

TEST_P(EachCall, ARefusalLeavesNothingBehind) {
  at_each_call(Trouble::Refusal, [](Scenario& s, const Outcome& outcome, std::size_t call) {
    EXPECT_EQ(outcome.kind, OutcomeKind::Failed);
    if (can_be_undone(call)) {
      EXPECT_EQ(s.text(), s.text_before());
    }
  });
}

class EachMaking : public EachCall {};
INSTANTIATE_TEST_SUITE_P(Backends, EachMaking,
                         each_command([](const CloudKind& kind, domain::CommandKind command) {
                           return kind.offers(command) && !domain::plan_of(command)[0].undo.empty();
                         }),
                         name_of_test);

// The cloud has made what can be undone, and then says that it failed.
TEST_P(EachMaking, AFailureThatCameAfterTheEffectLeavesNothingBehind) {
  at_each_call(Trouble::BadEnd, [](Scenario& s, const Outcome& outcome, std::size_t call) {
    if (call > 0) return;
    EXPECT_EQ(outcome.kind, OutcomeKind::Failed);
    EXPECT_EQ(s.text(), s.text_before());
  });
}

TEST_P(EachCall, ACancelEndsInAllOrNothing) {
  at_each_call(Trouble::Cancelled, [this](Scenario& s, const Outcome& outcome, std::size_t) {
    if (outcome.kind == OutcomeKind::Cancelled) {
      EXPECT_EQ(s.text(), s.text_before());
    } else {
      EXPECT_EQ(outcome.kind, OutcomeKind::Succeeded);
      EXPECT_EQ(s.text(), wanted().text);
    }
  });
}

// A worker that was frozen just before its call wakes up when another has done the task.
TEST_P(EachCall, ALateCallOfAnOlderAttemptChangesNothing) {
  at_each_call(Trouble::Frozen, [this](Scenario& s, const Outcome& outcome, std::size_t) {
    EXPECT_EQ(outcome.kind, OutcomeKind::Succeeded);
    s.rig().thaw();
    EXPECT_THAT(faults_of(s.census()), IsEmpty());
    EXPECT_EQ(s.text(), wanted().text);
  });
}

class EachAnswer : public EachCall {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EachAnswer);
INSTANTIATE_TEST_SUITE_P(Backends, EachAnswer,
                         each_command([](const CloudKind& kind, domain::CommandKind command) {
                           return kind.offers(command) && kind.wire;
                         }),
                         name_of_test);

// The backend's own client has to cope with it.
TEST_P(EachAnswer, CutOffOnTheWireDoublesNothing) {
  constexpr int kMost = 60;
  for (int n = 0; n < kMost; ++n) {
    auto fresh = open();
    Scenario s(*fresh, command());
    ASSERT_FALSE(HasFatalFailure());
    fresh->wire()->cut_answer(n);
    const Outcome outcome = s.run();
    const bool was_cut = fresh->wire()->answers() > n;
    fresh->wire()->cut_answer(-1);
    if (!was_cut) break;
    SCOPED_TRACE("answer " + std::to_string(n) + "; " + said(outcome));
    EXPECT_THAT(faults_of(s.census()), IsEmpty());
    EXPECT_EQ(outcome.kind, OutcomeKind::Succeeded);
    EXPECT_EQ(s.text(), wanted().text);
  }
}

}  // namespace
}  // namespace slipway::workers::contract
