// Creates a second through the backend, against a bare loop of the same API calls with as many in
// flight, in one run: bare, backend, backend, bare, so that a cloud that tires favours neither. The
// cloud is the limit; what is measured is that the client takes nothing from it: its share of the
// bare loop's rate is to be 0.9 at least.
//   openstack_throughput [creates of each part, 20] [in flight, 20]
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "core/base/clock.hpp"
#include "tests/backends/openstack/bed/bed_cloud.hpp"
#include "tests/backends/openstack/bed/calls.hpp"
#include "workers/backends/openstack/openstack_backend.hpp"
#include "workers/backends/openstack/reply.hpp"

namespace slipway::workers::openstack::test {
namespace {

using Service = BedCloud::Service;
using Clock = std::chrono::steady_clock;

const std::string kPrefix = fmt::format("slipway-rate-{}-", getpid());

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

// What is listed as ACTIVE or in ERROR, as the README of a bed recommends: brief lists by status.
class BareList {
 public:
  explicit BareList(BedCloud& cloud) : cloud_(cloud) {}

  void run(const std::atomic<bool>& stop) {
    while (!stop) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
      for (const char* status : {"ACTIVE", "ERROR"}) {
        const BedCloud::Answer answer =
            cloud_.call(Service::Compute, "GET", std::string("/servers?status=") + status);
        const std::lock_guard lock(mutex_);
        for (base::JsonArrayIterator it(member_of(answer.json, "servers")); it; ++it) {
          settled_.emplace(text_of(it.value(), "id"));
        }
      }
    }
  }
  bool has(const std::string& id) {
    const std::lock_guard lock(mutex_);
    return settled_.contains(id);
  }

 private:
  BedCloud& cloud_;
  std::mutex mutex_;
  std::set<std::string> settled_;
};

std::string bare_create(BedCloud& cloud, const std::string& name, const std::string& image,
                        const std::string& network) {
  const BedCloud::Answer port =
      cloud.call(Service::Network, "POST", "/v2.0/ports",
                 fmt::format(R"({{"port":{{"name":"{}","network_id":"{}"}}}})", name, network));
  const std::string id(text_of(member_of(port.json, "port"), "id"));
  const BedCloud::Answer made =
      cloud.call(Service::Compute, "POST", "/servers",
                 fmt::format(R"({{"server":{{"name":"{}","imageRef":"{}","flavorRef":"1",)"
                             R"("networks":[{{"port":"{}"}}]}}}})",
                             name, image, id));
  return std::string(text_of(member_of(made.json, "server"), "id"));
}

double bare_seconds(int creates, int in_flight) {
  BedCloud list_cloud("user");
  const std::string image = list_cloud.image_id("cirros-0.5.1-x86_64-disk");
  const std::string network = list_cloud.network_id("private");
  BareList list(list_cloud);
  std::atomic<bool> stop{false};
  std::atomic<int> next{0};
  const auto worker = [&] {
    BedCloud cloud("user");
    for (int n = next++; n < creates; n = next++) {
      const std::string id =
          bare_create(cloud, fmt::format("{}bare-{}", kPrefix, n), image, network);
      while (!list.has(id)) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  };
  const auto begun = Clock::now();
  std::thread poll([&] { list.run(stop); });
  std::vector<std::thread> threads;
  for (int i = 0; i < in_flight; ++i) threads.emplace_back(worker);
  for (auto& thread : threads) thread.join();
  const double seconds = seconds_since(begun);
  stop = true;
  poll.join();
  return seconds;
}

class Flight {
 public:
  Flight(Backend& backend, int creates) : calls_(backend), creates_(creates) {}

  double seconds(int in_flight) {
    const auto begun = Clock::now();
    for (int i = 0; i < in_flight; ++i) begin_next();
    calls_.wait_for([this] { return ended_ == creates_; }, std::chrono::minutes(20));
    return seconds_since(begun);
  }
  int failed() const { return failed_; }

  void delete_all() {
    for (const auto& [order, ref] : made_) {
      domain::WorkOrder remove = order;
      remove.command = domain::CommandKind::VmDelete;
      remove.vm_ref = ref;
      remove.vm_key = domain::correlation_key(order.task, "vm.create");
      remove.task = fresh_task();
      calls_.run(remove);
    }
  }

 private:
  void begin_next() {
    if (begun_ == creates_) return;
    domain::WorkOrder order;
    order.task = fresh_task();
    order.token = 1;
    order.vm = fresh_vm();
    order.installation = "throughput";
    order.spec.name = fmt::format("{}backend-{}", kPrefix, begun_++);
    order.spec.size = {"1", 1, 512, 1};
    order.image_name = "cirros-0.5.1-x86_64-disk";
    calls_.start(order, "vm.create", {}, [this, order](BackendAnswer&& answer) {
      if (answer.kind != BackendAnswer::Kind::Done) return end(false);
      made_.emplace_back(order, answer.ref);
      await(order, answer.ref);
    });
  }
  void await(const domain::WorkOrder& order, const std::string& ref) {
    calls_.start(order, "vm.await_running", ref, [this, order, ref](BackendAnswer&& answer) {
      if (answer.kind == BackendAnswer::Kind::Progress) return;
      if (answer.kind == BackendAnswer::Kind::NotYet) return await(order, ref);
      end(answer.kind == BackendAnswer::Kind::Done);
    });
  }
  void end(bool good) {
    ++ended_;
    if (!good) ++failed_;
    begin_next();
  }

  Calls calls_;
  const int creates_;
  int begun_ = 0;
  int ended_ = 0;
  int failed_ = 0;
  std::vector<std::pair<domain::WorkOrder, std::string>> made_;
};

// Until nothing of this run is left: a delete that is still under way would slow what comes next.
void clear(BedCloud& cloud) {
  cloud.remove_all(kPrefix);
  for (int look = 0; look < 120 && cloud.count(kPrefix) > 0; ++look) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  const BedCloud::Answer ports = cloud.call(Service::Network, "GET", "/v2.0/ports");
  std::vector<std::string> ids;
  for (base::JsonArrayIterator it(member_of(ports.json, "ports")); it; ++it) {
    if (text_of(it.value(), "name").starts_with(kPrefix)) {
      ids.emplace_back(text_of(it.value(), "id"));
    }
  }
  for (const std::string& id : ids) cloud.call(Service::Network, "DELETE", "/v2.0/ports/" + id);
}

struct Part {
  double seconds = 0;
  int failed = 0;
};

Part through_backend(BedCloud& cloud, int creates, int in_flight) {
  auto opened = OpenstackBackend::open(cloud.options());
  if (!opened) return {1, creates};
  Part part;
  Flight flight(**opened, creates);
  part.seconds = flight.seconds(in_flight);
  part.failed = flight.failed();
  const Counters c = (*opened)->counters();
  fmt::print("backend: {} requests on {} connections, {} rounds, {} asked singly\n", c.requests,
             c.connections, c.poll_rounds, c.polled_singly);
  flight.delete_all();
  opened->reset();
  return part;
}

int run(int creates, int in_flight) {
  BedCloud cloud("user");
  double bare = 0;
  Part backend;
  for (const bool is_bare : {true, false, false, true}) {
    Part part;
    if (is_bare) {
      part.seconds = bare_seconds(creates, in_flight);
    } else {
      part = through_backend(cloud, creates, in_flight);
    }
    fmt::print("{}: {} creates, {} in flight, {:.1f} s, {} failed\n", is_bare ? "bare" : "backend",
               creates, in_flight, part.seconds, part.failed);
    (is_bare ? bare : backend.seconds) += part.seconds;
    backend.failed += part.failed;
    clear(cloud);
  }
  const double ratio = bare / backend.seconds;
  fmt::print("bare {:.3f}/s, backend {:.3f}/s: {:.2f} of it\n", 2 * creates / bare,
             2 * creates / backend.seconds, ratio);
  return backend.failed == 0 && ratio >= 0.9 ? 0 : 1;
}

}  // namespace
}  // namespace slipway::workers::openstack::test

int main(int argc, char** argv) {
  const int creates = argc > 1 ? std::atoi(argv[1]) : 20;
  const int in_flight = argc > 2 ? std::atoi(argv[2]) : 20;
  return slipway::workers::openstack::test::run(std::max(creates, 1), std::max(in_flight, 1));
}
