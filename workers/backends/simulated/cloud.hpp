#pragma once
// What the simulated cloud does with a call: a plain object over its store, without thread or
// clock. Launching, rebuilding, migrating and saving take their time by a `ready_at` in the store,
// so no thread is needed to end them and every process sees the same.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "workers/backends/backend.hpp"
#include "workers/backends/simulated/store.hpp"

namespace slipway::workers::simulated {

struct Latency {
  base::Duration mean{};
  double jitter = 0.2;  // of the mean, either way
};

// What is done to a call, for tests and demos.
struct Fault {
  enum class Kind : std::uint8_t {
    None,
    Error,       // may succeed later; no effect
    Refusal,     // for good; no effect
    LostAnswer,  // takes effect, and nobody hears of it
    Hang,        // no effect, no answer
  };
  Kind kind = Kind::None;
  base::Duration slower{};  // the answer comes so much later
};

// A VM that the cloud has before anybody asks for one.
struct FirstVm {
  domain::VmId id;
  domain::VmSpec spec;
};

struct Options {
  std::string name = "simulated";
  std::vector<FirstVm> first_vms;  // made when its store is empty, with the refs sim-1, ...
  Latency create{std::chrono::seconds(1)};  // also rebuild
  Latency change{std::chrono::milliseconds(200)};
  Latency remove{std::chrono::milliseconds(200)};
  Latency migrate{std::chrono::seconds(2)};
  Latency image{std::chrono::seconds(2)};
  double failure_rate = 0;  // of the calls that change something: an error before any effect
  // Zero for no limit. Over the quota is refused for good, over the capacity too.
  std::uint64_t quota_vms = 0;
  std::uint64_t capacity_vms = 2'000'000;
  std::uint32_t hosts = 8;  // "sim-1", ...: for a VM that comes without a host
  base::Duration call_timeout = std::chrono::seconds(10);
  base::Duration settle_time = std::chrono::milliseconds(100);
  base::Duration progress_interval = std::chrono::milliseconds(500);
  std::uint64_t seed = 1;  // of jitter and failures, which follow from it and the call alone
  bool ledger = true;
  bool forgetful = false;  // keeps no correlation keys and takes any token, as some clouds do
  std::function<Fault(const BackendCall&)> fault;  // asked before each call

  static Options without_latency();
};

struct Reply {
  BackendAnswer answer;
  bool silent = false;        // nothing is answered, ever
  base::Duration after{};     // how long the answer takes
  base::Time ask_again_at{};  // not the end: perform() it again then, as `again`
  base::Time since{};         // of what is waited for, for the progress
};

// All it has, as far as it has been read.
struct Listing {
  domain::Inventory seen;
  std::int64_t last = 0;  // the number of the last VM read
};

class Cloud {
 public:
  Cloud(Options options, std::unique_ptr<Store> store);

  // Between begin() and commit(): many calls make one transaction.
  void begin() { store_->begin(); }
  void commit();
  Reply perform(const BackendCall& call, base::Time now, bool again = false);
  Reply lookup(const BackendCall& call, base::Time now);

  // Reads on, a piece at a time, outside of any transaction; true when all is read. Numbers only
  // grow: what is there throughout is seen once, what comes or goes meanwhile at most once.
  bool list(Listing& listing, base::Time now);

  const Options& options() const { return options_; }
  Store& store() { return *store_; }

 private:
  struct Request;

  void make_first_vms();  // a call with its task's keys and the time

  Reply carry_out(const Request& r);
  Reply change_power(const Request& r, VmRow& vm);
  Reply create(const Request& r);
  Reply remove(const Request& r);
  Reply await_vm(const Request& r, const VmRow& vm);
  Reply reboot(const Request& r, VmRow& vm);
  Reply resize(const Request& r, VmRow& vm);
  Reply end_resize(const Request& r, VmRow& vm);
  Reply rebuild(const Request& r, VmRow& vm);
  Reply reset_system(const Request& r, VmRow& vm);
  Reply configure(const Request& r, const VmRow& vm);
  void boot(const Request& r, const VmRow& vm);
  void set_secret(const Request& r, VmConfig& config) const;
  Reply rename(const Request& r, VmRow& vm);
  Reply migrate(const Request& r, VmRow& vm);
  Reply abort_migration(const Request& r, VmRow& vm);
  Reply snapshot(const Request& r, VmRow& vm);
  Reply make_snapshot(const Request& r, const VmRow& vm);
  Reply make_image(const Request& r, const VmRow& vm);
  Reply await_image(const Request& r);
  Reply remove_image(const Request& r);

  std::string subject(const BackendCall& call);
  bool exists(Operation step, const KeyRow& key, const domain::WorkOrder& order);
  bool fails_by_chance(const Request& r) const;
  std::uint64_t chance(const Request& r, std::uint64_t salt) const;
  base::Duration duration(const Request& r, const Latency& latency) const;
  void remember(const Request& r, const std::string& ref);
  void record(const Request& r, Outcome outcome);
  Totals& totals();

  Options options_;
  std::unique_ptr<Store> store_;
  std::vector<KeyRow> keys_;  // of the call in hand
  std::optional<Totals> totals_;
  Outcome outcome_ = Outcome::Done;  // of the call in hand
};

}  // namespace slipway::workers::simulated
