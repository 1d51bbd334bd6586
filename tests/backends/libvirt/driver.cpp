#include "tests/backends/libvirt/driver.hpp"

#include "core/base/json_read.hpp"

namespace slipway::workers::libvirt::test {

namespace {

base::SteadyTime now() {
  return std::chrono::time_point_cast<base::Duration>(std::chrono::steady_clock::now());
}

}  // namespace

Driver::Driver(std::unique_ptr<Backend> backend)
    : queue_([this] {
        base::Lock lock(mu_);
        awake_ = true;
        woken_.notify_all();
      }),
      backend_(std::move(backend)) {
  backend_->attach(queue_);
}

Driver::~Driver() { backend_.reset(); }

bool Driver::wait_for(const std::function<bool()>& until, base::Duration limit) {
  const base::SteadyTime end = now() + limit;
  while (!until()) {
    {
      base::Lock lock(mu_);
      woken_.wait_for(lock.native(), 20ms,
                      [this]() SLIPWAY_TS(no_thread_safety_analysis) { return awake_; });
      awake_ = false;
    }
    queue_.run();
    if (now() > end) return until();
  }
  return true;
}

BackendAnswer Driver::call(const BackendCall& call, bool look_up) {
  const base::SteadyTime end = now() + 180s;
  progress.clear();
  messages.clear();
  while (true) {
    std::optional<BackendAnswer> got;
    BackendCall asked = call;
    asked.deadline = now() + backend_->call_timeout();
    const Answer keep = [&](BackendAnswer&& answer) {
      if (answer.kind == BackendAnswer::Kind::Progress) {
        progress.push_back(answer.percent);
        messages.push_back(answer.message);
      } else {
        got = std::move(answer);
      }
    };
    look_up ? backend_->lookup(asked, keep) : backend_->perform(asked, keep);
    if (!wait_for([&] { return got.has_value(); })) {
      return BackendAnswer::failed({.detail = "the backend never answered"});
    }
    if (got->kind != BackendAnswer::Kind::NotYet || now() > end) return std::move(*got);
    const base::SteadyTime again = now() + got->ask_again_after;
    wait_for([&] { return now() >= again; });
  }
}

BackendAnswer Driver::run(const domain::WorkOrder& order, Secrets secrets) {
  auto work = work_of(order);
  work->secrets = std::move(secrets);
  BackendAnswer last;
  const bool image = order.command == CommandKind::ImageDelete;
  const std::string subject = image ? order.image_ref : order.vm_ref;
  std::string ref = subject;
  bool settled = false;
  for (const domain::Step& s : domain::plan_of(order.command)) {
    const bool waits = s.name.find(".await_") != std::string_view::npos;
    if (waits && settled) continue;
    BackendAnswer answer = step(work, s.name, waits ? ref : subject);
    if (answer.kind == BackendAnswer::Kind::Failed) return answer;
    if (!answer.ref.empty()) ref = answer.ref;
    settled = answer.settled;
    if (answer.result.text.empty()) answer.result = last.result;
    last = std::move(answer);
  }
  return last;
}

BackendAnswer Driver::step(std::shared_ptr<const LeasedWork> work, std::string_view step,
                           std::string ref) {
  return call({.work = std::move(work), .step = step, .operation = step, .ref = std::move(ref)},
              false);
}

BackendAnswer Driver::undo(std::shared_ptr<const LeasedWork> work, std::string_view step,
                           std::string ref) {
  const domain::Step* known = domain::find_step(work->order.command, step);
  return call({.work = std::move(work),
               .step = step,
               .operation = known->undo,
               .undo = true,
               .ref = std::move(ref)},
              false);
}

BackendAnswer Driver::lookup(std::shared_ptr<const LeasedWork> work, std::string_view step,
                             bool undo) {
  return call({.work = std::move(work), .step = step, .operation = step, .undo = undo}, true);
}

void Driver::ask(std::shared_ptr<const LeasedWork> work, std::string_view step, Answer answer,
                 std::string ref) {
  backend_->perform({.work = std::move(work),
                     .step = step,
                     .operation = step,
                     .ref = std::move(ref),
                     .deadline = now() + backend_->call_timeout()},
                    std::move(answer));
}

BackendAnswer Driver::inventory() {
  std::optional<BackendAnswer> got;
  backend_->inventory({.installation = "inst", .deadline = now() + backend_->call_timeout()},
                      [&](BackendAnswer&& answer) { got = std::move(answer); });
  if (!wait_for([&] { return got.has_value(); })) return BackendAnswer::failed({});
  return std::move(*got);
}

std::shared_ptr<LeasedWork> work_of(domain::WorkOrder order) {
  auto work = std::make_shared<LeasedWork>();
  work->order = std::move(order);
  return work;
}

domain::VmFacts facts_of(const BackendAnswer& answer) {
  domain::VmFacts facts;
  base::JsonParser parser;
  if (answer.result.text.empty()) return facts;
  const auto json = parser.parse_trusted(answer.result.text);
  if (json) base::read_json(*json, facts);
  return facts;
}

}  // namespace slipway::workers::libvirt::test
