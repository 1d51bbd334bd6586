#include "tests/backends/openstack/bed/calls.hpp"

#include "core/base/clock.hpp"
#include "core/domain/plan.hpp"
#include "workers/step_runner.hpp"

namespace slipway::workers::openstack::test {

namespace {

base::Uuid fresh() {
  static base::SystemIdSource ids;
  return ids.next();
}

base::SteadyTime now() { return base::SystemClock().steady(); }

}  // namespace

domain::TaskId fresh_task() { return domain::TaskId(fresh()); }
domain::VmId fresh_vm() { return domain::VmId(fresh()); }

Calls::Calls(Backend& backend)
    : backend_(backend), queue_([this] {
        const std::lock_guard lock(mutex_);
        woken_ = true;
        ready_.notify_one();
      }) {
  backend_.attach(queue_);
}

std::shared_ptr<LeasedWork> Calls::lease(const domain::WorkOrder& order) {
  auto work = std::make_shared<LeasedWork>();
  work->order = order;
  work->secrets = std::move(secrets);
  secrets = {};
  return work;
}

bool Calls::wait_for(const std::function<bool()>& done, base::Duration time) {
  const base::SteadyTime until = now() + time;
  while (true) {
    queue_.run();
    if (done()) return true;
    if (now() >= until) return false;
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, std::chrono::milliseconds(100), [this] { return woken_; });
    woken_ = false;
  }
}

void Calls::start(const domain::WorkOrder& order, std::string_view step, std::string ref,
                  Answer answer, base::Duration time) {
  const BackendCall call{.work = lease(order),
                         .step = step,
                         .operation = step,
                         .ref = std::move(ref),
                         .deadline = now() + time};
  backend_.perform(call, std::move(answer));
}

BackendAnswer Calls::wait(const std::function<void(Answer)>& ask) {
  struct Waited {
    BackendAnswer answer;
    bool ended = false;
  };
  const auto waited = std::make_shared<Waited>();  // an answer may come after we gave up
  ask([this, waited](BackendAnswer&& answer) {
    if (answer.kind == BackendAnswer::Kind::Progress) {
      progress.push_back(std::to_string(answer.percent) + " " + answer.message);
      return;
    }
    waited->answer = std::move(answer);
    waited->ended = true;
  });
  if (wait_for([&] { return waited->ended; }, std::chrono::seconds(150))) return waited->answer;
  return BackendAnswer::failed({.code = base::Errc::DeadlineExceeded, .detail = "no answer came"});
}

BackendAnswer Calls::perform(const domain::WorkOrder& order, std::string_view step, std::string ref,
                             std::string_view undo, base::Duration time) {
  const BackendCall call{.work = lease(order),
                         .step = step,
                         .operation = undo.empty() ? step : undo,
                         .undo = !undo.empty(),
                         .ref = std::move(ref),
                         .deadline = now() + time};
  return wait([&](Answer answer) { backend_.perform(call, std::move(answer)); });
}

BackendAnswer Calls::lookup(const domain::WorkOrder& order, std::string_view step, bool undo) {
  const BackendCall call{.work = lease(order),
                         .step = step,
                         .operation = step,
                         .undo = undo,
                         .deadline = now() + std::chrono::seconds(110)};
  return wait([&](Answer answer) { backend_.lookup(call, std::move(answer)); });
}

BackendAnswer Calls::inventory() {
  return wait([&](Answer answer) {
    backend_.inventory({.deadline = now() + std::chrono::seconds(110)}, std::move(answer));
  });
}

BackendAnswer Calls::run(const domain::WorkOrder& order) {
  BackendAnswer last;
  base::RawJson result;
  std::string made;
  for (const domain::Step& step : domain::plan_of(order.command)) {
    const bool image = order.command == domain::CommandKind::ImageDelete;
    std::string ref = image ? order.image_ref : order.vm_ref;
    if (only_waits(step.name) && !made.empty()) ref = made;
    do {
      last = perform(order, step.name, ref);
    } while (last.kind == BackendAnswer::Kind::NotYet);
    if (last.kind == BackendAnswer::Kind::Failed) return last;
    if (!last.ref.empty()) made = last.ref;
    if (!last.result.text.empty()) result = last.result;
  }
  last.ref = made;
  last.result = result;
  return last;
}

}  // namespace slipway::workers::openstack::test
