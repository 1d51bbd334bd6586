#pragma once
// What the store keeps for a time and then forgets: remembered answers (idempotency records) and
// the secrets of what has been deleted. The sequencer's alone; what it forgets goes into the open
// batch, so it is gone together with whatever else that batch makes durable.
//
// Each of the two columns holds, beside its entries, a queue of what will be forgotten:
//
//   offset size
//        0    1  0x00: no entry's own key begins so
//        1    8  seq, big-endian: the event that it is counted from
//        9    n  key of the entry
//
// An answer's element is put with the answer and holds the name of the secret that goes with it;
// a secret's is put with the event that deletes its owner, and is empty. A secret that a re-drive
// has given to a second VM is marked, under 0x01 and its name: it stays while a VM names it.
//
// Age is counted in the hourly samples of the log and not on a clock: a clock may jump by any
// amount, and a key that is forgotten too early makes two tasks. Hours in which no server ran are
// not counted: what is kept is then kept for longer.
#include <deque>
#include <functional>
#include <string>

#include "core/domain/specs.hpp"
#include "eventstore/event_log.hpp"

namespace slipway::eventstore {

struct RetentionOptions {
  base::Duration answers = std::chrono::hours(48);
  base::Duration secrets = std::chrono::hours(24);  // after their owner's deletion
  std::size_t sweep_max = 256;                      // elements that one batch forgets
};

class Retention {
 public:
  Retention(const EventLog& log, RetentionOptions options) : log_(log), options_(options) {}

  // ---- into a batch ----
  // `once`: the secret that the answer shows, if it is for nothing else; empty: none.
  static void remember(LogBatch& batch, const std::string& key, std::string answer, Seq seq,
                       const domain::SecretRef& once);
  // Its owner is gone with the event `seq`.
  static void condemn(LogBatch& batch, const domain::SecretRef& ref, Seq seq);
  // More than one VM may name it from now on.
  static void share(LogBatch& batch, const domain::SecretRef& ref);

  // The log has seen another hour.
  void on_sample(Seq seq);
  // Whether there may be something to forget: after a start, after each hour, and while a sweep
  // has ended at `sweep_max`.
  bool due() const { return due_; }
  // Forgets what is old enough. What was put before must be durable. `in_use`: whether a VM names
  // the secret; asked only of marked ones, it may be slow. An Error is the log's.
  base::Status sweep(LogBatch& batch, const std::function<bool(const domain::SecretRef&)>& in_use);

 private:
  using Forget = std::function<base::Status(const LogBatch::Put& element, std::string key)>;
  base::Status load_samples();
  // What was counted from an event before this has the age; 0: nothing has.
  Seq horizon(base::Duration age) const;
  base::Status take(LogColumn column, base::Duration age, Seq& from, std::size_t& room,
                    const Forget& forget);

  const EventLog& log_;
  const RetentionOptions options_;
  bool loaded_ = false;
  bool due_ = true;
  std::deque<Seq> samples_;  // the newest last, no more than the longer age needs
  // Nothing is queued before these: a walk need not pass over what it has deleted.
  Seq answers_from_ = 0;
  Seq secrets_from_ = 0;
};

}  // namespace slipway::eventstore
