#pragma once
// A VM in a state from which a command can start, the command, and what it is to bring about.
#include <memory>
#include <string>
#include <vector>

#include "core/domain/vm_rules.hpp"
#include "tests/backends/contract/rig.hpp"

namespace slipway::workers::contract {

// All that a worker carries out for a client: the deletion of orphans starts from no VM of the log.
std::vector<domain::CommandKind> worker_commands();
// The states of rest of its VM from which vm_rule() allows it, and that cloud offers it. One for a
// command that has no rule.
std::vector<domain::VmState> states_for(domain::CommandKind command, const CloudUnderTest& cloud);
std::string name_of(domain::CommandKind command);  // "vm_create"

class Scenario {
 public:
  // Brings the VM about, undisturbed. A command without a VM to start from gets none.
  Scenario(CloudUnderTest& cloud, domain::CommandKind command,
           std::optional<domain::VmState> from = std::nullopt);

  // The command as a task of its own; each call makes another task.
  domain::WorkOrder order();
  domain::Outcome run() { return rig_.run(order()); }

  Census census() { return cloud_.census(); }
  std::string text() { return describe(census(), before_); }
  // As it was when the command had not begun.
  const std::string& text_before() const { return text_before_; }
  const Census& before() const { return before_; }
  // What is wrong with the cloud after the command has succeeded; a line each.
  std::vector<std::string> faults_of_effect();

  Rig& rig() { return rig_; }
  domain::VmState from() const { return from_; }

 private:
  domain::WorkOrder make(domain::CommandKind command);
  void add_subject(domain::WorkOrder& order);
  void prepare();
  void must(domain::CommandKind command);
  const CountedVm* subject(const Census& census) const;

  CloudUnderTest& cloud_;
  const domain::CommandKind command_;
  const domain::VmState from_;
  const Offer offer_;
  Rig rig_;
  domain::VmId vm_;
  domain::ImageId image_;
  std::string vm_ref_;
  std::string vm_key_;
  std::string image_ref_;
  std::string image_key_;
  domain::VmSpec spec_;
  Census before_;
  std::string text_before_;
};

}  // namespace slipway::workers::contract
