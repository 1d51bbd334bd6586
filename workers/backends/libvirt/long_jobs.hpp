#pragma once
// Calls that may take longer than a backend's call: a migration, the copy of a disk. Each runs on a
// thread of its own, a waiting step asks what became of it. Only this process knows of them:
// whoever asks must be able to tell by what libvirt shows, too.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "workers/backends/libvirt/handles.hpp"

namespace slipway::workers::libvirt {

class LongJobs {
 public:
  struct State {
    bool over = false;
    std::optional<BackendError> error;  // over, and it failed
  };

  LongJobs();
  // Those under way go on by themselves: they must hold all that they use.
  ~LongJobs();

  // Under `key`, in place of one that is over. False: one is under way, or too many are.
  bool start(const std::string& key, std::function<void()> job);
  std::optional<State> state(const std::string& key) const;
  void forget(const std::string& key);
  std::size_t under_way() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // with the threads
};

}  // namespace slipway::workers::libvirt
