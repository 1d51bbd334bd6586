#pragma once
// A cloud as the contract suite sees it: something to connect a worker to, and a witness that
// counts what is there by the cloud's own means, never by the backend under test.
//
// A new backend is put under the suite by one file that implements CloudUnderTest and a line in
// clouds.cpp.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/domain/specs.hpp"
#include "core/domain/states.hpp"
#include "workers/backends/backend.hpp"

namespace slipway::workers::contract {

// What a cloud leaves empty is not compared.
struct CountedVm {
  std::string key;  // the correlation key of its creation, as the cloud keeps it
  std::string ref;
  std::string name;
  std::string state;  // running, stopped, paused, suspended, or a word of the cloud's own
  std::string host;
  std::uint32_t vcpus = 0;
  std::uint32_t memory_mb = 0;
  std::string image;  // the ref of what its system was made from
  std::string media;  // likewise of the medium inserted
  std::vector<std::string> snapshots;
  std::string rest;  // whatever else was set of it, in any form that can be compared
};

struct CountedImage {
  std::string key;
  std::string ref;
};

// All that carries the tag of the suite's installation.
struct Census {
  std::vector<CountedVm> vms;
  std::vector<CountedImage> images;
  std::vector<std::string> parts;  // ports, volumes and such that no VM of the list uses
  std::size_t foreign = 0;         // VMs without our tag: never to change
};

// What is there and must not be, a line each: two VMs or images of one key, parts without a VM.
std::vector<std::string> faults_of(const Census& census);
// In words, without what differs from run to run: VMs are named by their place in `before`.
std::string describe(const Census& census, const Census& before);

// What a create may ask for.
struct Offer {
  domain::Size small;
  domain::Size large;  // no smaller in anything
  domain::ImageId image;
  std::string image_ref;
  std::string image_name;
  domain::ImageId other_image;
  std::string other_image_ref;
  std::string other_image_name;
  domain::ImageId media;
  std::string media_ref;
  std::string media_name;
  std::string network_ref;
  std::string network_name;
  std::string host;           // empty: the cloud places by itself
  std::string other_host;     // for migrations
  std::uint32_t ipv4 = 0;     // the first of a few free ones; 0: the cloud gives them
  bool resize_moves = false;  // a resize may place the VM anew
};

// Loses what goes over the wire: the answer to one of the requests that a backend's client sends.
class Wire {
 public:
  virtual ~Wire() = default;
  // Counts from zero again. The n-th answer from now on (from zero) is cut off; -1: none.
  virtual void cut_answer(int n) = 0;
  virtual int answers() const = 0;
};

class CloudUnderTest {
 public:
  virtual ~CloudUnderTest() = default;

  virtual Offer offer() const = 0;
  // A command that it does not offer must be refused for good, and change nothing.
  virtual bool offers(domain::CommandKind command) const = 0;
  // False where vm_rule() allows it and the cloud's own rules do not.
  virtual bool offers_from(domain::CommandKind, domain::VmState) const { return true; }
  // The tag of all that the suite makes: no other run has the same.
  virtual const std::string& installation() const = 0;

  // A client as one worker process has it.
  virtual std::unique_ptr<Backend> connect() = 0;
  virtual Census census() = 0;

  // Whether time passes only as the suite says. Else it is real, but for what is skipped when no
  // call is under way; then at least `real_pause` passes before.
  virtual bool virtual_time() const { return false; }
  virtual base::Duration real_pause() const { return std::chrono::milliseconds(200); }
  // Not null where CloudKind says so.
  virtual Wire* wire() { return nullptr; }

  // Behind the service's back: its VM is gone; somebody else's has come.
  virtual void lose_vm(const std::string& ref) = 0;
  virtual void add_foreign_vm() = 0;
};

// Known before the cloud is opened: it decides which tests there are.
struct CloudKind {
  std::string name;  // of the tests: letters and digits
  std::function<std::unique_ptr<CloudUnderTest>()> open;
  bool (*offers)(domain::CommandKind) = nullptr;  // as CloudUnderTest::offers()
  // Refuses a call of an older attempt than it has heard of, and a creation whose VM was deleted.
  bool fences = false;
  bool wire = false;
};

// Those that this build has and the environment names.
const std::vector<CloudKind>& clouds();

}  // namespace slipway::workers::contract
