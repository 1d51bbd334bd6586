#include "workers/backends/simulated/simulated_backend.hpp"

#include <utility>

namespace slipway::workers::simulated {
namespace {

// Far above the slots of any worker: the worker's leases bound the calls under way.
constexpr std::size_t kMaxAsked = 1'000'000;
constexpr base::Duration kForEver = std::chrono::hours(1);

}  // namespace

base::Result<std::unique_ptr<SimulatedBackend>> SimulatedBackend::open(const std::string& path,
                                                                       Options options,
                                                                       const base::Clock& clock) {
  auto store = open_sqlite_store(path);
  if (!store) return base::fail(store.error());
  return std::make_unique<SimulatedBackend>(std::move(options), std::move(*store), clock);
}

SimulatedBackend::SimulatedBackend(Options options, std::unique_ptr<Store> store,
                                   const base::Clock& clock)
    : name_(options.name),
      clock_(clock),
      driver_(std::move(options), std::move(store)),
      asked_(kMaxAsked) {}

SimulatedBackend::~SimulatedBackend() { asked_.close(); }

void SimulatedBackend::attach(CompletionQueue& queue) {
  completions_ = &queue;
  thread_ = std::jthread([this] { run(); });
}

void SimulatedBackend::perform(const BackendCall& call, Answer answer) {
  asked_.push_always({call, false, std::move(answer)});
}

void SimulatedBackend::lookup(const BackendCall& call, Answer answer) {
  asked_.push_always({call, true, std::move(answer)});
}

void SimulatedBackend::inventory(const InventoryCall&, Answer answer) {
  asked_.push_always({.answer = std::move(answer), .inventory = true});
}

void SimulatedBackend::run() {
  std::vector<Asked> asked;
  std::vector<Completion> answered;
  while (asked_.take_all(asked, until_due())) {
    driver_.turn(asked, clock_.now(), answered);
    completions_->push(std::move(answered));
    answered.clear();
  }
}

base::Duration SimulatedBackend::until_due() const {
  const auto due = driver_.next_due();
  if (!due) return kForEver;
  return std::clamp(*due - clock_.now(), base::Duration(0), kForEver);
}

InlineBackend::InlineBackend(Options options, std::unique_ptr<Store> store)
    : driver_(std::move(options), std::move(store)) {}

void InlineBackend::perform(const BackendCall& call, Answer answer) {
  asked_.push_back({call, false, std::move(answer)});
  turn();
}

void InlineBackend::lookup(const BackendCall& call, Answer answer) {
  asked_.push_back({call, true, std::move(answer)});
  turn();
}

void InlineBackend::inventory(const InventoryCall&, Answer answer) {
  asked_.push_back({.answer = std::move(answer), .inventory = true});
  turn();
}

void InlineBackend::on_timer(base::Time now) {
  now_ = now;
  turn();
}

// An answer may ask the next call before it returns: hence the copies.
void InlineBackend::turn() {
  std::vector<Asked> asked = std::exchange(asked_, {});
  std::vector<Completion> answered;
  driver_.turn(asked, now_, answered);
  for (Completion& item : answered) item.answer(std::move(item.with));
}

}  // namespace slipway::workers::simulated
