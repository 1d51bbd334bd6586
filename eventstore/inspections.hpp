#pragma once
// Questions about VMs that are under way to workers. Volatile, the sequencer's alone. Each is
// answered once: by the worker, or by an error when its time is up.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/domain/work.hpp"

namespace slipway::eventstore {

// JSON of the backend's, or why there is none. It may hold a secret: to the client, and nowhere
// else.
using Inspected = std::function<void(base::Result<std::string>)>;

class Inspections {
 public:
  static constexpr std::size_t kMost = 1000;  // more are refused
  static constexpr base::Duration kPatience = std::chrono::seconds(20);

  bool is_full() const { return waiting_.size() >= kMost; }
  // The number to ask the worker by.
  std::uint64_t add(const domain::SessionId& session, base::SteadyTime now, Inspected done);
  // A late one, or one of another session's question, is dropped.
  void take(const domain::VmInspection& answer);
  void expire(base::SteadyTime now);
  std::optional<base::SteadyTime> next_expiry() const;

 private:
  struct Waiting {
    domain::SessionId session;
    base::SteadyTime until{};
    Inspected done;
  };
  std::map<std::uint64_t, Waiting> waiting_;  // by number, and so by time
  std::uint64_t last_ = 0;
};

}  // namespace slipway::eventstore
