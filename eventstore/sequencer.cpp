#include "eventstore/sequencer.hpp"

#include <algorithm>

namespace slipway::eventstore {
namespace {

// Wall clocks jump: look again at least this often.
constexpr base::Duration kLongestWait = std::chrono::seconds(10);
constexpr base::Duration kPublishEvery = std::chrono::milliseconds(200);

}  // namespace

Sequencer::Sequencer(SequencerCore& core, const base::Clock& clock, std::size_t queue_capacity,
                     std::function<void(const base::Error&)> on_fatal)
    : core_(core), clock_(clock), queue_(queue_capacity), on_fatal_(std::move(on_fatal)) {}

Sequencer::~Sequencer() { stop(); }

void Sequencer::start() {
  thread_ = std::jthread([this] { run(); });
}

void Sequencer::stop() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

bool Sequencer::submit(std::unique_ptr<Submission>&& submission) {
  Input input(std::move(submission));
  if (queue_.try_push(std::move(input))) return true;
  submission = std::move(std::get<std::unique_ptr<Submission>>(input));
  return false;
}

void Sequencer::push(domain::WorkerInput&& input) {
  (void)queue_.push_always(Input(std::move(input)));
}

void Sequencer::push(DrainRequest&& request) {
  (void)queue_.push_always(Input(std::move(request)));
}

void Sequencer::push(InspectRequest&& request) {
  (void)queue_.push_always(Input(std::move(request)));
}

void Sequencer::push(const domain::Policy& policy) { (void)queue_.push_always(Input(policy)); }

std::vector<WorkerStatus> Sequencer::workers() {
  base::Lock lock(workers_mu_);
  return workers_;
}

void Sequencer::run() {
  std::vector<Input> inputs;
  while (queue_.take_all(inputs, until_next_timer())) {
    if (auto status = core_.process(inputs); !status) {
      on_fatal_(status.error());
      return;
    }
    publish_workers();
    if (on_turn_) on_turn_();
  }
}

base::Duration Sequencer::until_next_timer() const {
  base::Duration wait = kLongestWait;
  if (const auto due = core_.next_timer()) wait = std::min(wait, *due - clock_.now());
  if (const auto due = core_.next_lease_expiry()) wait = std::min(wait, *due - clock_.steady());
  return std::max(wait, base::Duration(0));
}

void Sequencer::publish_workers() {
  const base::SteadyTime steady = clock_.steady();
  if (core_.workers_version() == published_version_ && steady - published_at_ < kPublishEvery)
    return;
  published_version_ = core_.workers_version();
  published_at_ = steady;
  std::vector<WorkerStatus> fresh = core_.workers();
  base::Lock lock(workers_mu_);
  workers_.swap(fresh);
}

}  // namespace slipway::eventstore
