#pragma once
// The clients: they ask for anything, of VMs and tasks that they know, and repeat what they get no
// answer to under the same key, with fresh ids, as an edge would.
#include <map>
#include <string>
#include <vector>

#include "core/domain/command.hpp"
#include "tests/simulation/base.hpp"
#include "tests/simulation/lease_workload.hpp"

namespace slipway::simulation {

class Simulator;

class Workload {
 public:
  explicit Workload(Simulator& sim) : sim_(sim) {}
  void begin();
  void told(const std::string& request, const domain::TaskId& task);
  void refused(const std::string& request);
  static domain::InitializeSystem cloud();
  static constexpr const char* kNumbered = "numbered";  // the cloud with a face

 private:
  struct Request {
    domain::Command command;
    bool keyed = false;
    bool done = false;
    int tries = 0;
  };
  void ask_again();
  void ask();
  void send(const std::string& name);
  domain::Command make();
  domain::CommandBody make_body();
  domain::CreateVm make_create();
  domain::ActOnVm make_act();
  domain::ItemBody make_item();
  domain::CommandBody make_assignment();
  domain::CommandBody make_redrive();
  void fresh_ids(domain::Command& command);
  void add_options(domain::Command& command);
  void remember(const domain::Command& command);
  domain::VmId any_vm();
  domain::TaskId any_task();
  base::Time now() const;

  Simulator& sim_;
  std::uint64_t count_ = 0;
  std::map<std::string, Request> requests_;
  std::vector<domain::TaskId> tasks_;
  std::vector<domain::VmId> vms_;
  std::vector<domain::ImageId> images_;
  std::map<domain::TaskId, domain::WorkBody> bodies_;
  LeaseWorkload leases_;
};

}  // namespace slipway::simulation
