#include "workers/backends/libvirt/long_jobs.hpp"

#include <algorithm>
#include <map>
#include <thread>

#include "core/base/mutex.hpp"

namespace slipway::workers::libvirt {

namespace {

constexpr std::size_t kMostUnderWay = 64;
constexpr std::size_t kMostRemembered = 1000;

}  // namespace

struct LongJobs::Shared {
  mutable base::Mutex mu;
  std::map<std::string, State> jobs GUARDED_BY(mu);

  std::size_t count() const REQUIRES(mu) {
    return static_cast<std::size_t>(
        std::count_if(jobs.begin(), jobs.end(), [](const auto& job) { return !job.second.over; }));
  }
};

LongJobs::LongJobs() : shared_(std::make_shared<Shared>()) {}
LongJobs::~LongJobs() = default;

bool LongJobs::start(const std::string& key, std::function<void()> job) {
  {
    base::Lock lock(shared_->mu);
    const auto known = shared_->jobs.find(key);
    if (known != shared_->jobs.end() && !known->second.over) return false;
    if (shared_->count() >= kMostUnderWay) return false;
    if (shared_->jobs.size() >= kMostRemembered) {
      std::erase_if(shared_->jobs, [](const auto& item) { return item.second.over; });
    }
    shared_->jobs[key] = {};
  }
  // Not joined: a migration whose network was cut has been seen to hang for minutes.
  std::thread([shared = shared_, key, job = std::move(job)] {
    State end{.over = true};
    try {
      job();
    } catch (const CallFailed& failed) {
      end.error = failed.error;
    }
    base::Lock lock(shared->mu);
    shared->jobs[key] = std::move(end);
  }).detach();
  return true;
}

std::optional<LongJobs::State> LongJobs::state(const std::string& key) const {
  base::Lock lock(shared_->mu);
  const auto found = shared_->jobs.find(key);
  if (found == shared_->jobs.end()) return std::nullopt;
  return found->second;
}

void LongJobs::forget(const std::string& key) {
  base::Lock lock(shared_->mu);
  const auto found = shared_->jobs.find(key);
  if (found != shared_->jobs.end() && found->second.over) shared_->jobs.erase(found);
}

std::size_t LongJobs::under_way() const {
  base::Lock lock(shared_->mu);
  return shared_->count();
}

}  // namespace slipway::workers::libvirt
