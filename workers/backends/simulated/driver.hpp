#pragma once
// Calls of the simulated cloud in time: which are answered now, which later, and the progress until
// then. A heap of due times; no thread, no clock.
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "workers/backends/completion_queue.hpp"
#include "workers/backends/simulated/cloud.hpp"

namespace slipway::workers::simulated {

struct Asked {
  BackendCall call;
  bool lookup = false;
  Answer answer;
  bool inventory = false;  // then there is no call
};

class Driver {
 public:
  Driver(Options options, std::unique_ptr<Store> store);

  // Takes the calls, and all that fell due, through one transaction; what is answered goes to
  // `out`. `asked` is left empty.
  void turn(std::vector<Asked>& asked, base::Time now, std::vector<Completion>& out);
  // When the next one falls due; nullopt for none; long past while something is being listed.
  std::optional<base::Time> next_due() const;

  Cloud& cloud() { return cloud_; }
  const Options& options() const { return cloud_.options(); }

 private:
  struct Waiting {
    base::Time due{};
    std::uint64_t order = 0;  // of arrival: equal times keep it
    Asked asked;
    bool ready = false;  // `with` is the answer; else ask the cloud again
    BackendAnswer with;  // ready
    base::Time since{};  // not ready: what is waited for lasts from `since` to `until`
    base::Time until{};
  };

  void ask(Asked&& asked, base::Time now, bool again, std::vector<Completion>& out);
  void wait(std::unique_ptr<Waiting> waiting);
  void run_due(base::Time now, std::vector<Completion>& out);
  void list(base::Time now, std::vector<Completion>& out);

  Cloud cloud_;
  std::vector<std::unique_ptr<Waiting>> heap_;  // the earliest first, then by arrival
  std::uint64_t arrivals_ = 0;
  // One after the other, a piece a turn: other calls wait for no more than that.
  std::deque<Answer> lists_;
  std::shared_ptr<Listing> listing_;  // of the first
};

}  // namespace slipway::workers::simulated
