#include "workers/backends/blocking_backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <thread>
#include <utility>

#include "core/base/mutex.hpp"

namespace slipway::workers {

using base::SteadyTime;

namespace {

// Between two progress answers of one call.
constexpr base::Duration kProgressPause = std::chrono::milliseconds(200);

SteadyTime now() {
  return std::chrono::time_point_cast<base::Duration>(std::chrono::steady_clock::now());
}

BackendAnswer too_late(const std::string& lane, bool begun) {
  return BackendAnswer::failed({.code = base::Errc::BackendUnavailable,
                                .detail = lane.empty()
                                              ? "the backend did not answer in time"
                                              : fmt::format("{} did not answer in time", lane),
                                .retryable = true,
                                .without_effect = !begun,
                                .one_host = !lane.empty()});
}

using End = std::function<void(BackendAnswer&&)>;

// One call, from when it is asked until it is answered.
struct Ask {
  std::function<BackendAnswer(BlockingClient&, const BlockingClient::Progress&)> call;
  End end;          // at most once, without the lock
  Answer progress;  // may be empty
  SteadyTime cut_off{};
  SteadyTime progress_at{};
  bool begun = false;
  bool over = false;     // answered, by its thread or for it
  bool telling = false;  // its thread is giving a progress answer
};
using AskPtr = std::shared_ptr<Ask>;

struct LaneState {
  BlockingBackend::Lane options;
  std::deque<AskPtr> asked;
  std::size_t threads = 0;  // that take calls
  std::condition_variable ready;
};

struct Executor {
  std::thread thread;
  LaneState* lane = nullptr;
  bool left_behind = false;
  bool ended = false;
};

}  // namespace

struct BlockingBackend::Core : std::enable_shared_from_this<Core> {
  Core(const Options& o, std::shared_ptr<BlockingClient> c) : options(o), client(std::move(c)) {
    for (const Lane& lane : options.lanes) lanes.emplace_back().options = lane;
  }

  void start();
  void stop();
  void ask(std::string_view lane_name, AskPtr ask);
  void fill_lanes() REQUIRES(mu);
  void run(LaneState& lane, Executor& self);
  AskPtr take(LaneState& lane, Executor& self);
  bool finish(Ask& ask, Executor& self);
  void tell(Ask& ask, std::uint32_t percent, std::string message);
  void supervise();
  std::vector<std::pair<AskPtr, BackendAnswer>> take_late() REQUIRES(mu);
  SteadyTime next_cut_off() REQUIRES(mu);
  void reap() REQUIRES(mu);

  const Options options;
  const std::shared_ptr<BlockingClient> client;
  CompletionQueue* completions = nullptr;
  base::Mutex mu;
  std::condition_variable changed;            // for the supervisor, and for stop()
  std::list<LaneState> lanes GUARDED_BY(mu);  // fixed after construction but for their contents
  std::list<Executor> executors GUARDED_BY(mu);
  std::vector<std::pair<AskPtr, Executor*>> under_way GUARDED_BY(mu);
  std::size_t left_behind GUARDED_BY(mu) = 0;
  bool closed GUARDED_BY(mu) = false;
  bool supervisor_ends GUARDED_BY(mu) = false;
  std::thread supervisor;
};

void BlockingBackend::Core::start() {
  base::Lock lock(mu);
  fill_lanes();
  supervisor = std::thread([this] { supervise(); });
}

// The executors keep the core: each may be left behind.
void BlockingBackend::Core::fill_lanes() {
  for (LaneState& lane : lanes) {
    while (!closed && lane.threads < lane.options.threads &&
           left_behind <= options.max_left_behind) {
      ++lane.threads;
      Executor& executor = executors.emplace_back();
      executor.lane = &lane;
      executor.thread =
          std::thread([self = shared_from_this(), &lane, &executor] { self->run(lane, executor); });
    }
  }
}

void BlockingBackend::Core::ask(std::string_view lane_name, AskPtr ask) {
  base::Lock lock(mu);
  auto lane = std::find_if(lanes.begin(), lanes.end(),
                           [&](const LaneState& l) { return l.options.name == lane_name; });
  if (lane == lanes.end()) lane = lanes.begin();
  lane->asked.push_back(std::move(ask));
  lane->ready.notify_one();
  changed.notify_all();
}

void BlockingBackend::Core::run(LaneState& lane, Executor& self) {
  while (const AskPtr ask = take(lane, self)) {
    BackendAnswer answer = ask->call(*client, [&](std::uint32_t percent, std::string message) {
      tell(*ask, percent, std::move(message));
    });
    if (!finish(*ask, self)) return;
    ask->end(std::move(answer));
  }
}

// Null when there is nothing more to do.
AskPtr BlockingBackend::Core::take(LaneState& lane, Executor& self) {
  base::Lock lock(mu);
  lane.ready.wait(lock.native(), [&]() SLIPWAY_TS(no_thread_safety_analysis) {
    return closed || !lane.asked.empty();
  });
  if (closed) {
    self.ended = true;
    changed.notify_all();
    return nullptr;
  }
  AskPtr ask = std::move(lane.asked.front());
  lane.asked.pop_front();
  ask->begun = true;
  under_way.emplace_back(ask, &self);
  return ask;
}

// False if it was answered meanwhile: then the thread's place is taken.
bool BlockingBackend::Core::finish(Ask& ask, Executor& self) {
  base::Lock lock(mu);
  if (self.left_behind) {
    --left_behind;
    self.ended = true;
    changed.notify_all();
    return false;
  }
  ask.over = true;
  std::erase_if(under_way, [&](const auto& item) { return item.second == &self; });
  return true;
}

void BlockingBackend::Core::tell(Ask& ask, std::uint32_t percent, std::string message) {
  {
    base::Lock lock(mu);
    const SteadyTime at = now();
    if (ask.over || !ask.progress || at - ask.progress_at < kProgressPause) return;
    ask.progress_at = at;
    ask.telling = true;
  }
  BackendAnswer answer;
  answer.kind = BackendAnswer::Kind::Progress;
  answer.percent = percent;
  answer.message = std::move(message);
  std::vector<Completion> one;
  one.push_back({ask.progress, std::move(answer)});
  completions->push(std::move(one));
  base::Lock lock(mu);
  ask.telling = false;
}

// Cuts off what is late, until stop() says that nothing can be any more.
void BlockingBackend::Core::supervise() {
  while (true) {
    std::vector<std::pair<AskPtr, BackendAnswer>> late;
    {
      base::Lock lock(mu);
      if (supervisor_ends) return;
      late = take_late();
      reap();
      fill_lanes();
      if (late.empty()) changed.wait_until(lock.native(), next_cut_off());
    }
    for (auto& [ask, answer] : late) ask->end(std::move(answer));
  }
}

std::vector<std::pair<AskPtr, BackendAnswer>> BlockingBackend::Core::take_late() {
  std::vector<std::pair<AskPtr, BackendAnswer>> late;
  const SteadyTime at = now();
  const auto is_late = [&](const Ask& ask) {
    return ask.cut_off <= at && !ask.over && !ask.telling;
  };
  for (LaneState& lane : lanes) {
    for (const AskPtr& ask : lane.asked) {
      if (is_late(*ask)) late.emplace_back(ask, too_late(lane.options.name, false));
    }
  }
  for (const auto& [ask, executor] : under_way) {
    if (!is_late(*ask)) continue;
    executor->left_behind = true;
    --executor->lane->threads;
    ++left_behind;
    late.emplace_back(ask, too_late(executor->lane->options.name, true));
  }
  for (const auto& item : late) item.first->over = true;
  for (LaneState& lane : lanes) {
    std::erase_if(lane.asked, [](const AskPtr& ask) { return ask->over; });
  }
  std::erase_if(under_way, [](const auto& item) { return item.first->over; });
  return late;
}

SteadyTime BlockingBackend::Core::next_cut_off() {
  SteadyTime next = now() + std::chrono::seconds(1);
  const auto see = [&](const Ask& ask) {
    if (!ask.over) next = std::min(next, std::max(ask.cut_off, now() + base::Duration(1000)));
  };
  for (const LaneState& lane : lanes) {
    for (const AskPtr& ask : lane.asked) see(*ask);
  }
  for (const auto& item : under_way) see(*item.first);
  return next;
}

void BlockingBackend::Core::reap() {
  executors.remove_if([](Executor& executor) {
    if (!executor.ended) return false;
    executor.thread.join();
    return true;
  });
}

void BlockingBackend::Core::stop() {
  {
    base::Lock lock(mu);
    closed = true;
    for (LaneState& lane : lanes) {
      lane.asked.clear();
      lane.ready.notify_all();
    }
    changed.notify_all();
    const auto over = [this]() SLIPWAY_TS(no_thread_safety_analysis) {
      return std::all_of(executors.begin(), executors.end(), [](const Executor& executor) {
        return executor.ended || executor.left_behind;
      });
    };
    changed.wait(lock.native(), over);
    supervisor_ends = true;
    changed.notify_all();
  }
  if (supervisor.joinable()) supervisor.join();
  base::Lock lock(mu);
  reap();
  // What hangs in a library cannot be joined, and touches nothing but the core any more.
  for (Executor& executor : executors) executor.thread.detach();
}

BlockingBackend::BlockingBackend(Options options, std::shared_ptr<BlockingClient> client)
    : options_(std::move(options)), core_(std::make_shared<Core>(options_, std::move(client))) {}

BlockingBackend::~BlockingBackend() { core_->stop(); }

void BlockingBackend::attach(CompletionQueue& queue) {
  core_->completions = &queue;
  core_->start();
}

base::SteadyTime BlockingBackend::cut_off(SteadyTime deadline) const {
  if (deadline == SteadyTime{}) deadline = now() + options_.call_timeout;
  return deadline - options_.margin;
}

namespace {

void push(CompletionQueue& queue, const Answer& answer, BackendAnswer&& with) {
  std::vector<Completion> one;
  one.push_back({answer, std::move(with)});
  queue.push(std::move(one));
}

}  // namespace

void BlockingBackend::perform(const BackendCall& call, Answer answer) {
  auto ask = std::make_shared<Ask>();
  ask->call = [call](BlockingClient& client, const BlockingClient::Progress& progress) {
    return client.perform(call, progress);
  };
  ask->progress = answer;
  ask->end = [queue = core_->completions, answer = std::move(answer)](BackendAnswer&& with) {
    push(*queue, answer, std::move(with));
  };
  ask->cut_off = cut_off(call.deadline);
  core_->ask(core_->client->lane(call), std::move(ask));
}

void BlockingBackend::lookup(const BackendCall& call, Answer answer) {
  auto ask = std::make_shared<Ask>();
  ask->call = [call](BlockingClient& client, const BlockingClient::Progress&) {
    return client.lookup(call);
  };
  ask->end = [queue = core_->completions, answer = std::move(answer)](BackendAnswer&& with) {
    push(*queue, answer, std::move(with));
  };
  ask->cut_off = cut_off(call.deadline);
  core_->ask(core_->client->lane(call), std::move(ask));
}

namespace {

// The answers of all lanes, as they come in; each is written once, the last one ends it.
struct Parts {
  std::vector<BackendAnswer> answers;
  std::atomic<std::size_t> missing{0};
};

}  // namespace

void BlockingBackend::inventory(const InventoryCall& call, Answer answer) {
  auto parts = std::make_shared<Parts>();
  parts->answers.resize(options_.lanes.size());
  parts->missing = options_.lanes.size();
  for (std::size_t i = 0; i < options_.lanes.size(); ++i) {
    auto ask = std::make_shared<Ask>();
    const std::string& lane = options_.lanes[i].name;
    ask->call = [call, lane](BlockingClient& client, const BlockingClient::Progress&) {
      return client.inventory(call, lane);
    };
    ask->end = [parts, i, answer, queue = core_->completions,
                client = core_->client](BackendAnswer&& with) {
      parts->answers[i] = std::move(with);
      if (--parts->missing == 0) push(*queue, answer, client->join(std::move(parts->answers)));
    };
    ask->cut_off = cut_off(call.deadline);
    core_->ask(lane, std::move(ask));
  }
}

std::size_t BlockingBackend::left_behind() const {
  base::Lock lock(core_->mu);
  return core_->left_behind;
}

}  // namespace slipway::workers
