#include "workers/backends/openstack/openstack_backend.hpp"

#include <atomic>
#include <utility>

#include "workers/backends/completion_queue.hpp"
#include "workers/backends/openstack/inventory.hpp"
#include "workers/backends/openstack/operations.hpp"

namespace slipway::workers::openstack {

using base::Errc;

namespace {

// Answered so long before the worker gives up.
constexpr base::Duration kAnswerMargin = std::chrono::seconds(2);
constexpr std::size_t kMaxOperations = 100'000;  // the worker's leases bound them far below

class Connected final : public OpenstackBackend {
 public:
  explicit Connected(Options options)
      : options_(std::move(options)),
        loop_(
            {.max_in_flight = options_.max_in_flight, .kept_connections = options_.max_in_flight}),
        cloud_(options_, loop_, nursery_),
        nursery_(loop_) {}
  // No callback comes any more; then the coroutines go, wherever they stand.
  ~Connected() override { loop_.stop(); }

  std::string_view name() const override { return options_.name; }
  base::Duration call_timeout() const override { return options_.call_timeout; }
  base::Duration settle_time() const override { return options_.settle_time; }
  void attach(CompletionQueue& queue) override { completions_ = &queue; }

  void perform(const BackendCall& call, Answer answer) override {
    const Operation operation = find_operation(call.operation);
    if (operation == nullptr) {
      return answer(refused(Errc::UnknownCommand, "this cloud has no such operation"));
    }
    start(call, operation, std::move(answer));
  }
  void lookup(const BackendCall& call, Answer answer) override {
    start(call, look_up, std::move(answer));
  }
  void inventory(const InventoryCall& call, Answer answer) override {
    const base::SteadyTime deadline = time_for(call.deadline);
    loop_.post([this, deadline, answer = std::move(answer)] {
      nursery_.spawn(list(deadline, answer));
      publish();
    });
  }
  Counters counters() const override;

 private:
  base::SteadyTime time_for(base::SteadyTime deadline) const {
    const base::SteadyTime latest = steady_now() + options_.call_timeout;
    if (deadline == base::SteadyTime{} || deadline > latest) deadline = latest;
    return deadline - std::min(kAnswerMargin, options_.call_timeout / 10);
  }
  void start(const BackendCall& call, Operation operation, Answer answer);
  void tell(const Answer& answer, BackendAnswer&& with) const;
  Async<void> run(BackendCall call, Operation operation, Answer answer);
  Async<void> list(base::SteadyTime deadline, Answer answer);
  void publish();

  const Options options_;
  CompletionQueue* completions_ = nullptr;
  base::HttpLoop loop_;
  Cloud cloud_;      // the loop's thread
  Nursery nursery_;  // the same; goes first: what it holds refers to the cloud
  struct {           // for counters(): written by the loop's thread, read by any
    std::atomic<std::uint64_t> tokens{0}, token_failures{0}, tokens_shared{0}, rounds{0},
        poll_failures{0}, singles{0}, operations{0};
  } published_;
};

void Connected::start(const BackendCall& call, Operation operation, Answer answer) {
  loop_.post([this, call, operation, answer = std::move(answer)] {
    if (nursery_.size() >= kMaxOperations) {
      return tell(answer, BackendAnswer::failed({.code = Errc::RateLimited,
                                                 .detail = "too many operations are under way",
                                                 .retryable = true,
                                                 .throttled = true,
                                                 .without_effect = true}));
    }
    nursery_.spawn(run(call, operation, answer));
    publish();
  });
}

void Connected::tell(const Answer& answer, BackendAnswer&& with) const {
  std::vector<Completion> one;
  one.push_back({answer, std::move(with)});
  completions_->push(std::move(one));
}

Async<void> Connected::run(BackendCall call, Operation operation, Answer answer) {
  Job job{cloud_, std::move(call)};
  job.deadline = time_for(job.call.deadline);
  job.progress = [&](std::uint32_t percent, std::string message) {
    BackendAnswer progress;
    progress.kind = BackendAnswer::Kind::Progress;
    progress.percent = percent;
    progress.message = std::move(message);
    tell(answer, std::move(progress));
  };
  BackendAnswer end = co_await operation(job);
  publish();
  tell(answer, std::move(end));
}

Async<void> Connected::list(base::SteadyTime deadline, Answer answer) {
  auto found = co_await take_inventory(cloud_, deadline);
  BackendAnswer end;
  if (found) {
    end.inventory = std::move(*found);
  } else {
    end = BackendAnswer::failed(found.error());
  }
  publish();
  tell(answer, std::move(end));
}

void Connected::publish() {
  const auto& keystone = cloud_.api.keystone().counters();
  const auto& poller = cloud_.poller.counters();
  published_.tokens = keystone.tokens;
  published_.token_failures = keystone.failures;
  published_.tokens_shared = keystone.shared;
  published_.rounds = poller.rounds;
  published_.poll_failures = poller.failures;
  published_.singles = poller.singles;
  published_.operations = nursery_.size();
}

Counters Connected::counters() const {
  const base::HttpLoop::Counters http = loop_.counters();
  return {.requests = http.requests,
          .connections = http.connections,
          .timeouts = http.timeouts,
          .broken = http.broken,
          .too_large = http.too_large,
          .rejected = http.rejected,
          .in_flight = http.in_flight,
          .waiting = http.waiting,
          .tokens = published_.tokens,
          .token_failures = published_.token_failures,
          .tokens_shared = published_.tokens_shared,
          .poll_rounds = published_.rounds,
          .poll_failures = published_.poll_failures,
          .polled_singly = published_.singles,
          .operations = published_.operations};
}

}  // namespace

base::Result<std::unique_ptr<OpenstackBackend>> OpenstackBackend::open(Options options) {
  const auto refuse = [](std::string why) {
    return base::fail(Errc::InvalidArgument, std::move(why));
  };
  if (!options.auth_url.starts_with("http://") && !options.auth_url.starts_with("https://")) {
    return refuse("openstack: auth_url is not an http or https URL");
  }
  const bool by_credential = !options.credential_id.empty();
  if (by_credential && options.credential_secret.empty()) {
    return refuse("openstack: the application credential has no secret");
  }
  if (!by_credential &&
      (options.user_name.empty() || options.password.empty() || options.project_name.empty())) {
    return refuse(
        "openstack: user, password and project, or an application credential, are needed");
  }
  if (options.call_timeout <= base::Duration::zero() ||
      options.poll_interval <= base::Duration::zero() || options.max_in_flight == 0 ||
      options.page_size == 0) {
    return refuse("openstack: times and limits must be above zero");
  }
  return std::make_unique<Connected>(std::move(options));
}

}  // namespace slipway::workers::openstack
