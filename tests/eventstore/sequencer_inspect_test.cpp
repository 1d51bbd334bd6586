// Questions about a VM that go to a worker and back, past the log.
#include "tests/eventstore/sequencer_harness.hpp"

namespace slipway::eventstore::testing {
namespace {

struct SequencerInspect : ::testing::Test {
  SequencerInspect() {
    server.make_vm(1);
    server.clear();
  }
  void ask(std::uint64_t n) {
    server.push(InspectRequest{vm(n), "vm.console_open", [this](base::Result<std::string> r) {
                                 answers.push_back(std::move(r));
                               }});
    ASSERT_TRUE(server.turn());
  }
  const domain::InspectVm* asked() {
    const auto all = server.messages<domain::InspectVm>();
    return all.empty() ? nullptr : all.back();
  }
  void say(std::uint64_t session_number, const std::string& result, std::string error = {}) {
    domain::VmInspection told;
    told.session = session(session_number);
    told.inspection = asked()->inspection;
    told.error = std::move(error);
    told.detail = told.error.empty() ? "" : "in its words";
    told.result.text = result;
    server.push(domain::WorkerInput(std::move(told)));
    ASSERT_TRUE(server.turn());
  }

  SequencerHarness server;
  std::vector<base::Result<std::string>> answers;
};

TEST_F(SequencerInspect, TheWorkersAnswerReachesWhoeverAskedAndNotTheLog) {
  const auto before = server.records().size();
  ask(1);
  ASSERT_NE(asked(), nullptr);
  EXPECT_EQ(asked()->order.vm_ref, server.world().vm(vm(1))->backend_ref);
  EXPECT_EQ(asked()->order.backend, "sim");
  EXPECT_TRUE(asked()->order.task.is_nil());
  EXPECT_TRUE(answers.empty());
  say(1, R"({"url":"https://x/?token=t"})");
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].value(), R"({"url":"https://x/?token=t"})");
  EXPECT_EQ(server.records().size(), before);
  say(1, "{}");  // again
  EXPECT_EQ(answers.size(), 1U);
}

TEST_F(SequencerInspect, TheBackendsRefusalComesInItsWords) {
  ask(1);
  say(1, "", "illegal-transition");
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].error().code, base::Errc::IllegalTransition);
  EXPECT_EQ(answers[0].error().message, "in its words");
}

TEST_F(SequencerInspect, AnotherSessionsAnswerIsNotHeard) {
  server.hello(2);
  ASSERT_TRUE(server.turn());
  ask(1);
  say(3, "{}");
  EXPECT_TRUE(answers.empty());
}

TEST_F(SequencerInspect, WithNoAnswerInTimeItIsAnError) {
  ask(1);
  server.passes(19s, {1});
  EXPECT_TRUE(answers.empty());
  server.passes(2s, {1});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].error().code, base::Errc::BackendUnavailable);
}

TEST_F(SequencerInspect, WithNoWorkerOrNoVmItIsAnErrorAtOnce) {
  ask(99);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].error().code, base::Errc::NotFound);
  server.passes(40s);
  ask(1);
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[1].error().code, base::Errc::BackendUnavailable);
}

TEST_F(SequencerInspect, MoreThanAThousandAtOnceAreRefused) {
  for (std::size_t i = 0; i < Inspections::kMost; ++i) {
    server.push(InspectRequest{vm(1), "vm.stats", [](auto&&) {}});
  }
  ask(1);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].error().code, base::Errc::QueueFull);
}

}  // namespace
}  // namespace slipway::eventstore::testing
