#pragma once
// One call to the backend on its way: which VM it is about, whether it may still change anything,
// and how it is answered. Lives on the thread that carries the call out.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/mutex.hpp"
#include "workers/backends/blocking_backend.hpp"
#include "workers/backends/libvirt/connection.hpp"
#include "workers/backends/libvirt/tag.hpp"
#include "workers/backends/libvirt/volumes.hpp"

namespace slipway::workers::libvirt {

class LongJobs;

// What all calls share.
struct Context {
  Options options;
  std::vector<std::unique_ptr<Cell>> cells;
  std::unique_ptr<LongJobs> jobs;
  base::Mutex mu;
  // When a guest was first asked to switch itself off, by task. Of this process: another one
  // starts the guest's time anew.
  std::map<domain::TaskId, base::SteadyTime> asked_to_stop GUARDED_BY(mu);

  Cell* cell(std::string_view name) const;
};

// A VM and where it is. `domain` is null if it is nowhere.
struct Located {
  Cell* cell = nullptr;
  Connection connection;
  Domain domain;
  DomainTag tag;  // empty for a VM that is not ours
  bool is_ours() const { return !tag.tag.key.empty(); }
};

// The VM of that UUID on that cell alone.
Located find_on(Cell& cell, const std::string& uuid);

enum class Power : std::uint8_t { Running, Paused, Stopped, Suspended };
std::string_view power_name(Power power);
Power power_of(virDomainPtr domain);

class Request {
 public:
  Request(Context& context, const BackendCall& call, const BlockingClient::Progress& progress)
      : context_(context), call_(call), progress_(progress) {}

  Context& context() const { return context_; }
  const Options& options() const { return context_.options; }
  const BackendCall& call() const { return call_; }
  const domain::WorkOrder& order() const { return call_.order(); }
  domain::Tag tag() const { return {order().installation, call_.correlation_key()}; }
  // Of the creation, whichever command this is.
  std::string vm_key() const;
  std::string uuid() const;

  // The cell that the core placed the VM on. Refuses a name that is none of ours.
  Cell& home() const;
  // On its home first, then on the others. Fails if it is not found and a cell does not answer.
  Located locate() const;
  // The same; NotFound if it is nowhere, LeaseLost if a newer lease has changed it since. From then
  // on older ones are refused.
  Located take() const;
  // On that cell alone.
  Located locate_on(Cell& cell) const;

  // Before each change: throws if the deadline has passed, for then nobody hears the answer, and
  // the next attempt may be at work.
  void may_change() const;
  // Remembered with the VM, for steps that must not be done twice. No more than that for one that
  // is not ours.
  void mark_done(Located& vm) const;
  bool is_done(const Located& vm) const { return vm.tag.done == call_.correlation_key(); }

  void progress(std::uint32_t percent, std::string message) const {
    progress_(percent, std::move(message));
  }
  BackendAnswer done() const { return done(uuid()); }
  BackendAnswer done(std::string ref) const;
  // With where it is, and where its console is.
  BackendAnswer done(const Located& vm) const;
  static BackendAnswer not_yet(base::Duration pause);

 private:
  void check_fence(Located& vm) const;

  Context& context_;
  const BackendCall& call_;
  const BlockingClient::Progress& progress_;
};

// "10.0.0.11:5900"; empty while there is none.
std::string display_of(Cell& cell, const SeenDomain& seen);
std::string live_xml(virDomainPtr domain);    // as it runs; as it is stored if it does not
std::string stored_xml(virDomainPtr domain);  // with its secrets: never for a log

}  // namespace slipway::workers::libvirt
