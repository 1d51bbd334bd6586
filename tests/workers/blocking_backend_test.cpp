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

}  // namespace
}  // namespace slipway::workers
