#pragma once
// The read models as they were at a moment of the past: the projector's own folds over the log,
// from its beginning up to that moment, into files of their own beside those that serve. A few
// moments are kept; what was not asked for longest goes first. Nothing of this is needed after a
// restart.
//
// Folding takes as long as it takes (some 200 000 events a second) and is done by whoever asks,
// within his time. What he does not get done stays for the next who asks for the same moment: he
// goes on.
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "core/base/mutex.hpp"
#include "eventstore/event_log.hpp"
#include "eventstore/log_follower.hpp"
#include "eventstore/moment.hpp"
#include "eventstore/projector_core.hpp"
#include "eventstore/read_models.hpp"

namespace slipway::eventstore {

class PastModels {
 public:
  struct Options {
    std::size_t kept = 4;             // moments, those that are being folded included
    std::size_t events_a_lot = 5000;  // folded between two looks at the clock
  };
  // What is left in the directory of an earlier run is removed when the first moment is asked for.
  PastModels(const ReadModels& present, const EventLog& log)
      : PastModels(present, log, Options()) {}
  PastModels(const ReadModels& present, const EventLog& log, Options options)
      : present_(present), log_(log), options_(options) {}
  ~PastModels();

  // ---- any thread ----
  // Lives, files included, as long as somebody holds it. Errors: InvalidArgument (it lies in the
  // future), DeadlineExceeded (ask again: it is folded in part), RateLimited (a moment is being
  // folded for somebody else), HistoryTruncated (the log does not go back to its beginning),
  // ProjectionBehind, Internal. `now`: of the wall clock.
  base::Result<std::shared_ptr<const ReadModels>> at(const Moment& moment, base::Time now,
                                                     base::SteadyTime deadline);

 private:
  struct Entry;
  struct Claim {
    std::shared_ptr<Entry> entry;
    bool done = false;  // else the caller folds it, and releases it
  };
  base::Result<Claim> claim(const Moment& moment, const std::string& folder);
  void release(const std::shared_ptr<Entry>& entry, const base::Status& folded);
  base::Status fold(Entry& entry, base::SteadyTime deadline) const;
  base::Result<bool> fold_lot(Entry& entry, LogFollower& follower) const;

  const ReadModels& present_;
  const EventLog& log_;
  const Options options_;
  std::once_flag cleared_;
  base::Mutex mu_;
  std::list<std::shared_ptr<Entry>> entries_ GUARDED_BY(mu_);  // the last asked for first
  std::uint64_t made_ GUARDED_BY(mu_) = 0;
};

}  // namespace slipway::eventstore
