#pragma once
// The mail of perspective: a letter for each bulk call that has come to its end, over a WebSocket,
// kept while nobody of its tenant listens. What it knows of calls under way and of letters kept is
// bounded and in memory: after a restart, ask /query.
//
//   {"id":"<task>","type":"info","title":"batch.vm.delete","text":"2 of 2 done",
//    "timestamp":"2016-12-20T16:58:56+00:00[UTC]","state":"SUCCEEDED"}
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "api/edge/websocket.hpp"
#include "core/base/mutex.hpp"
#include "eventstore/committed.hpp"

namespace slipway::api::perspective {

class Mail final : public eventstore::CommitListener {
 public:
  struct Options {
    std::size_t max_calls = 10000;    // under way; of older ones nothing is heard
    std::size_t max_letters = 1000;   // kept for one tenant; the oldest go
    std::size_t max_tenants = 1000;   // with letters kept
    std::size_t max_listeners = 100;  // in all
  };
  Mail() : Mail(Options()) {}
  explicit Mail(Options options) : options_(options) {}

  // The projector's batch listener: looks at the ends of batches, and only queues.
  void on_committed(const eventstore::CommittedBatchPtr& batch) override;

  // A listener of that tenant; what was kept is sent to it at once. 429 when there are too many.
  void listen(const std::string& tenant, const Request& request, const Responder& reply);
  // Closes every listener's connection. Idempotent.
  void stop();

  std::uint64_t dropped() const;  // letters and calls that did not fit, since the start

 private:
  struct Call {
    std::string tenant;
    domain::CommandKind kind = domain::CommandKind::BatchCommands;
    std::uint32_t total = 0;
    std::uint32_t succeeded = 0;
    std::string failures;
  };
  using Calls = std::map<domain::TaskId, Call>;  // ids are in order of time

  struct Letter {
    std::string tenant;
    std::string text;
  };
  void look(const domain::RecordBody& record, std::vector<Letter>& letters) REQUIRES(mu_);
  Letter close_call(const domain::RecordBody& record, Calls::iterator call, domain::TaskState state)
      REQUIRES(mu_);
  void deliver(Letter letter);
  void keep(Letter letter) REQUIRES(mu_);
  void forget(const WebSocket* socket);

  const Options options_;
  mutable base::Mutex mu_;
  Calls calls_ GUARDED_BY(mu_);
  std::map<std::string, std::deque<std::string>> kept_ GUARDED_BY(mu_);
  // Shared: the connection's own callbacks hold a socket too.
  std::multimap<std::string, std::shared_ptr<WebSocket>> listeners_ GUARDED_BY(mu_);
  std::uint64_t dropped_ GUARDED_BY(mu_) = 0;
  bool stopped_ GUARDED_BY(mu_) = false;
};

}  // namespace slipway::api::perspective
