#pragma once
// Moves the WAL's pages into the file on a thread of its own, so that the projector never waits
// for it. While it works the projector writes on; what came in meanwhile is little, and the
// projector moves that itself (see next_step), after which SQLite begins the WAL anew.
#include <condition_variable>
#include <string>
#include <thread>

#include "core/base/mutex.hpp"
#include "eventstore/projections/sqlite.hpp"

namespace slipway::eventstore {

class WalMover {
 public:
  explicit WalMover(std::string file);

  enum class Step : std::uint8_t {
    None,     // nothing to do now
    MoveNow,  // the caller's turn: little is left
  };
  // After each commit, with the WAL's length; `threshold` is the length at which moving begins.
  Step next_step(int wal_pages, int threshold);

 private:
  void run(const std::stop_token& stop);

  const std::string file_;
  base::Mutex mu_;
  std::condition_variable_any wake_;
  bool asked_ GUARDED_BY(mu_) = false;
  bool busy_ GUARDED_BY(mu_) = false;
  int moved_ GUARDED_BY(mu_) = 0;
  int not_before_ = 0;  // pages: readers kept the last round from being the end
  std::jthread thread_;
};

}  // namespace slipway::eventstore
