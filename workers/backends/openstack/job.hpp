#pragma once
// One operation under way, and what all operations are made of. Operations are coroutines on the
// loop's thread; each reads the state first, so that a repeat finds what is done.
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "workers/backends/openstack/catalog.hpp"
#include "workers/backends/openstack/faults.hpp"
#include "workers/backends/openstack/poller.hpp"
#include "workers/backends/openstack/server.hpp"

namespace slipway::workers::openstack {

// All of one cloud, shared by its operations.
struct Cloud {
  Cloud(const Options& o, base::HttpLoop& l, Nursery& nursery)
      : options(o), loop(l), api(o, l), poller(o, api, nursery), catalog(o, api) {}
  const Options& options;
  base::HttpLoop& loop;
  Api api;
  Poller poller;
  Catalog catalog;
  // Servers that first attempts of this process have made, by key: a call may arrive twice, and the
  // port says only later whose it is.
  std::map<std::string, std::string> made;
};

struct Job {
  Cloud& cloud;
  BackendCall call;
  base::SteadyTime deadline{};  // a little before the worker's, so that an answer is still heard
  std::function<void(std::uint32_t percent, std::string message)> progress;

  const domain::WorkOrder& order() const { return call.order(); }
  // The key under which the VM was made, which names its port.
  std::string vm_key() const {
    return call.step == "vm.create" ? call.correlation_key() : order().vm_key;
  }

  Async<Reply> request(Service service, std::string method, std::string path,
                       std::string body = {});
  Async<Reply> nova(std::string method, std::string path, std::string body = {}) {
    return request(Service::Compute, std::move(method), std::move(path), std::move(body));
  }

  // As Nova says now; `gone` if it does not know it.
  Async<Outcome<Server>> read(std::string id);
  // The server that the call is about: of its ref or the VM's, else the one made under the VM's
  // key.
  Async<Outcome<Server>> subject();
  // Once the cloud has done with what it was at.
  Async<Outcome<Server>> rested_subject();
  // Until it is at rest (also in ERROR) or gone. After the deadline: retryable.
  Async<Outcome<Server>> at_rest(std::string id, std::string_view leaves = {});
  // POST of an action, then at_rest(); fails unless the server is then in one of the states
  // `wanted` ("ACTIVE SHUTOFF": g++ 12 takes no list in a co_await). A refusal because it is busy
  // is waited out once. `leaves`: Nova shows no task for that action, so it is waited for until the
  // server is not in that state any more.
  Async<Outcome<Server>> act(std::string id, std::string action, std::string_view wanted,
                             std::string_view leaves = {});
  // What put it into ERROR, with Nova's own request id.
  Async<BackendError> fault(Server server);
  // Whether Nova has begun such an action on it since this step was begun; for steps that change
  // nothing by which a repeat could be told.
  Async<Outcome<bool>> has_begun(std::string id, std::string_view action);
};

inline BackendAnswer done(std::string ref, base::RawJson result = {}) {
  BackendAnswer answer;
  answer.ref = std::move(ref);
  answer.result = std::move(result);
  return answer;
}
inline BackendAnswer done(const Server& server) { return done(server.id, facts_of(server)); }
inline BackendAnswer refused(base::Errc code, std::string detail) {
  return BackendAnswer::failed(refusal(code, std::move(detail)));
}
inline BackendAnswer not_yet(base::Duration again = std::chrono::seconds(1)) {
  BackendAnswer answer;
  answer.kind = BackendAnswer::Kind::NotYet;
  answer.ask_again_after = again;
  return answer;
}
// For a call that ran into its deadline while the cloud is still at work.
BackendError unfinished();
bool is_unfinished(const BackendError& error);
// {"os-start":null}
std::string action_without_arguments(std::string_view name);

}  // namespace slipway::workers::openstack
