#include "workers/backends/blocking_backend.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "tests/workers/harness.hpp"

namespace slipway::workers {
namespace {

using namespace test;  // NOLINT

// Lets nobody through before `n` calls are in it together.
class Together final : public BlockingClient {
 public:
  explicit Together(std::ptrdiff_t n) : all_(n) {}
  BackendAnswer perform(const BackendCall& call, const Progress&) override {
    all_.arrive_and_wait();
    return made("on-" + base::to_string(call.order().task).substr(35));
  }
  BackendAnswer lookup(const BackendCall&) override { return found({{"vm-7", 1s}}); }
  BackendAnswer inventory(const InventoryCall&, std::string_view) override { return {}; }

 private:
  std::latch all_;
};

BackendCall call(std::uint64_t n) {
  auto work = std::make_shared<LeasedWork>();
  work->order = order_for(CommandKind::VmStart, n);
  return {.work = work, .step = "vm.start", .operation = "vm.start"};
}

TEST(BlockingBackend, CallsRunAtOnceAndTheirAnswersComeOnTheWorkersThread) {
  base::Mutex mu;
  std::condition_variable woken;
  int wakes = 0;
  CompletionQueue queue([&] {
    base::Lock lock(mu);
    ++wakes;
    woken.notify_all();
  });
  BlockingBackend backend({.name = "libvirt", .lanes = {{"", 3}}}, std::make_shared<Together>(3));
  backend.attach(queue);
  const auto here = std::this_thread::get_id();
  std::vector<std::string> refs;
  const Answer keep = [&](BackendAnswer&& answer) {
    EXPECT_EQ(std::this_thread::get_id(), here);
    refs.push_back(answer.ref);
  };
  for (std::uint64_t n = 1; n <= 3; ++n) backend.perform(call(n), keep);
  while (refs.size() < 3) {
    {
      base::Lock lock(mu);
      ASSERT_TRUE(woken.wait_for(lock.native(), 20s, [&] { return wakes > 0; }));
      wakes = 0;
    }
    queue.run();
  }
  std::sort(refs.begin(), refs.end());
  EXPECT_EQ(refs, (std::vector<std::string>{"on-1", "on-2", "on-3"}));
}

// A call on "hangs" does not come back before the test lets it.
class Hanging final : public BlockingClient {
 public:
  std::string_view lane(const BackendCall& call) const override { return call.order().spec.host; }
  BackendAnswer perform(const BackendCall& call, const Progress&) override {
    if (call.order().spec.host == "hangs") released.wait();
    return made(call.order().spec.host);
  }
  BackendAnswer lookup(const BackendCall&) override { return {}; }
  BackendAnswer inventory(const InventoryCall&, std::string_view) override { return {}; }
  std::latch released{1};
};

TEST(BlockingBackend, ACallThatHangsIsCutOffAndItsLaneAndTheOthersGoOn) {
  CompletionQueue queue([] {});
  auto client = std::make_shared<Hanging>();
  BlockingBackend backend({.name = "libvirt", .lanes = {{"hangs", 1}, {"works", 1}}}, client);
  backend.attach(queue);
  std::vector<BackendAnswer> hung;
  std::vector<BackendAnswer> worked;
  const auto ask = [&](const std::string& host, std::vector<BackendAnswer>& answers) {
    auto work = std::make_shared<LeasedWork>();
    work->order = order_for(CommandKind::VmStart, 1);
    work->order.spec.host = host;
    const auto now = std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
    backend.perform(
        {.work = work, .step = "vm.start", .operation = "vm.start", .deadline = now + 600ms},
        [&answers](BackendAnswer&& answer) { answers.push_back(std::move(answer)); });
  };
  const auto until = [&](const auto& holds) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!holds() && std::chrono::steady_clock::now() < end) {
      queue.run();
      std::this_thread::yield();
    }
    return holds();
  };
  ask("hangs", hung);
  ask("works", worked);
  ASSERT_TRUE(until([&] { return !worked.empty(); }));
  EXPECT_TRUE(hung.empty()) << "the other lane did not wait for it";
  ASSERT_TRUE(until([&] { return !hung.empty(); }));
  EXPECT_EQ(hung[0].error.code, base::Errc::BackendUnavailable);
  EXPECT_TRUE(hung[0].error.retryable);
  EXPECT_TRUE(hung[0].error.one_host);
  EXPECT_FALSE(hung[0].error.without_effect);
  EXPECT_EQ(backend.left_behind(), 1U);
  // Another thread has taken its place, and hangs likewise.
  ask("hangs", hung);
  ASSERT_TRUE(until([&] { return hung.size() == 2; }));
  EXPECT_EQ(backend.left_behind(), 2U);
  client->released.count_down();
  EXPECT_TRUE(until([&] { return backend.left_behind() == 0; }));
  EXPECT_EQ(hung.size(), 2U) << "an answer that comes late is not heard";
}

}  // namespace
}  // namespace slipway::workers
