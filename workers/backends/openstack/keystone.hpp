#pragma once
// Who we are to the cloud: a token, and where its services are. One token for all calls; it is
// renewed some time before it runs out, and when a service says that it is no good (revoked).
// However many calls want one, one request is on its way, and all wait for it. On the loop's
// thread.
#include <coroutine>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "workers/backends/openstack/async.hpp"
#include "workers/backends/openstack/options.hpp"
#include "workers/backends/openstack/reply.hpp"

namespace slipway::workers::openstack {

// As a token was given: never changed, so who holds one may go on with it while a newer is fetched.
struct Session {
  base::Secret token;
  std::map<std::string, std::string> endpoints;  // by service type, without a slash at the end
  std::string project_id;
  base::SteadyTime renew_at{};  // on our own clock, from the lifetime that Keystone told
  base::SteadyTime expires_at{};
};

struct Access {
  std::shared_ptr<const Session> session;  // shared: calls under way hold the one they began with
  std::optional<BackendError> error;       // if there is none
};

class Keystone {
 public:
  struct Counters {
    std::uint64_t tokens = 0;    // fetched
    std::uint64_t failures = 0;  // not fetched
    std::uint64_t shared = 0;    // calls that waited for a request of another
  };

  // Both outlive it.
  Keystone(const Options& options, base::HttpLoop& loop) : options_(options), loop_(loop) {}

  Async<Access> access();
  // A service refused it: the next access() fetches another, unless that is done already.
  void reject(const std::shared_ptr<const Session>& refused);
  const Counters& counters() const { return counters_; }

 private:
  struct Renewed;  // awaits the request under way

  base::HttpRequest request() const;
  void renew();
  void on_answer(base::HttpResult&& answer);
  std::optional<BackendError> take(const base::HttpResponse& response);
  std::map<std::string, std::string> endpoints_of(base::JsonValue catalog) const;

  const Options& options_;
  base::HttpLoop& loop_;
  std::shared_ptr<const Session> session_;
  bool renewing_ = false;
  std::vector<std::coroutine_handle<>> waiting_;
  std::optional<BackendError> failed_;  // the last request, until `failed_until_`
  base::SteadyTime failed_until_{};
  Counters counters_;
};

base::SteadyTime steady_now();

}  // namespace slipway::workers::openstack
