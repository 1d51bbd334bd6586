#pragma once
// How many tasks a second come to each worker pool, over the last minute: what desired_workers is
// made from (docs/OPERATIONS.md). Pools beyond kMaxPools are not counted.
#include <array>
#include <map>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/base/mutex.hpp"
#include "eventstore/committed.hpp"

namespace slipway::eventstore {

// Told of each batch on one thread, asked on any.
class ArrivalRates final : public CommitListener {
 public:
  static constexpr std::size_t kWindowSeconds = 60;
  static constexpr std::size_t kMaxPools = 64;

  explicit ArrivalRates(const base::Clock& clock);
  void on_committed(const CommittedBatchPtr& batch) override;

  double per_second(std::string_view worker_pool) const;

 private:
  // The arrivals of the last minute, one number for each of its seconds.
  struct Seconds {
    std::array<std::uint32_t, kWindowSeconds> counts{};
    std::int64_t newest = 0;
    void move_to(std::int64_t second);
  };
  std::int64_t this_second() const;

  const base::Clock& clock_;
  const std::int64_t start_;
  mutable base::Mutex mu_;
  mutable std::map<std::string, Seconds, std::less<>> pools_ GUARDED_BY(mu_);
};

}  // namespace slipway::eventstore
