#include "workers/backends/blocking_backend.hpp"

#include <utility>

namespace slipway::workers {

BlockingBackend::BlockingBackend(Options options, std::unique_ptr<BlockingClient> client)
    : options_(std::move(options)), client_(std::move(client)) {}

BlockingBackend::~BlockingBackend() {
  base::Lock lock(mu_);
  closed_ = true;
  asked_.clear();
  ready_.notify_all();
}

void BlockingBackend::attach(CompletionQueue& queue) {
  completions_ = &queue;
  for (std::size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { run(); });
}

void BlockingBackend::perform(const BackendCall& call, Answer answer) {
  ask({[call](BlockingClient& client) { return client.perform(call); }, std::move(answer)});
}

void BlockingBackend::lookup(const BackendCall& call, Answer answer) {
  ask({[call](BlockingClient& client) { return client.lookup(call); }, std::move(answer)});
}

void BlockingBackend::inventory(const InventoryCall& call, Answer answer) {
  ask({[call](BlockingClient& client) { return client.inventory(call); }, std::move(answer)});
}

void BlockingBackend::ask(Asked&& asked) {
  base::Lock lock(mu_);
  asked_.push_back(std::move(asked));
  ready_.notify_one();
}

void BlockingBackend::run() {
  while (true) {
    Asked asked;
    {
      base::Lock lock(mu_);
      ready_.wait(lock.native(), [this]() SLIPWAY_TS(no_thread_safety_analysis) {
        return closed_ || !asked_.empty();
      });
      if (closed_) return;
      asked = std::move(asked_.front());
      asked_.pop_front();
    }
    std::vector<Completion> done;
    done.push_back({std::move(asked.answer), asked.call(*client_)});
    completions_->push(std::move(done));
  }
}

}  // namespace slipway::workers
