#pragma once
// The clouds of a simulation as each worker process sees them: real simulated backends of several
// names over one store that all share, behind a network that delays, loses and repeats calls.
#include <memory>
#include <optional>
#include <set>

#include "tests/simulation/base.hpp"
#include "workers/backends/simulated/simulated_backend.hpp"

namespace slipway::simulation {

struct CloudFaults {
  bool on = true;
  double error = 0.03;
  double refusal = 0.01;
  double lost_answer = 0.02;
  double hang = 0.01;
  double slow = 0.05;
  double throttled = 0.02;
  double late = 0.02;  // arrives so late that the worker has given the call up
  double no_list = 0.1;
};

// What was done to the cloud behind the service's back.
struct Meddling {
  std::set<domain::VmId> lost;       // were deleted
  std::set<std::int64_t> orphans;    // carry the tag, and no task has made them
  std::set<std::int64_t> strangers;  // carry another's tag
  std::int64_t added = 0;            // of both, ever
};

class SharedCloud {
 public:
  SharedCloud(Timeline& timeline, Random& random, Plant plant);
  // A process's own client of the cloud.
  std::unique_ptr<workers::simulated::InlineBackend> connect(std::uint64_t seed, std::string name);
  workers::simulated::Store& store() { return *store_; }
  base::Time now() const { return kStart + timeline_.now(); }

  // A VM at rest vanishes; or there is one more, a copy of one with or without our tag.
  void meddle();

  Timeline& timeline_;
  Random& random_;
  const Plant plant_;
  CloudFaults faults;
  Meddling meddling;

 private:
  workers::simulated::Fault draw();
  std::unique_ptr<workers::simulated::Store> store_;
};

// One worker process's backend. Kept after the process has died: a call under way goes on.
class NetworkBackend final : public workers::Backend {
 public:
  NetworkBackend(SharedCloud& cloud, std::uint64_t seed, std::string name);
  // Called to let an answer into the process; drops it if that is gone.
  std::function<void(const std::function<void()>&)> in_process;

  std::string_view name() const override { return inner_->name(); }
  Duration call_timeout() const override { return inner_->call_timeout(); }
  Duration settle_time() const override { return inner_->settle_time(); }
  void perform(const workers::BackendCall& call, workers::Answer answer) override;
  void lookup(const workers::BackendCall& call, workers::Answer answer) override;
  void inventory(const workers::InventoryCall& call, workers::Answer answer) override;
  void on_timer(base::Time) override { inner_->on_timer(cloud_.now()); }
  // In the cloud's time.
  std::optional<base::Time> next_timer() const override { return inner_->next_timer(); }

 private:
  workers::BackendCall planted(const workers::BackendCall& call, bool late) const;
  void hide_planted(std::vector<domain::SeenVm>& vms) const;
  void arrive_late(const workers::BackendCall& call);

  SharedCloud& cloud_;
  std::unique_ptr<workers::simulated::InlineBackend> inner_;
};

}  // namespace slipway::simulation
