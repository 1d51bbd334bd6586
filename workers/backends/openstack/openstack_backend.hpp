#pragma once
// An OpenStack cloud as a worker's backend: Keystone v3, Nova, Neutron, Glance. All its calls run
// on one thread of its own (core/base/http_loop.hpp); each operation is a coroutine there
// (operations.hpp). What it needs, what it tags and how it fails: docs/backends/openstack.md.
//
// Beside the steps of plans it has "vm.console_open", whose result is {"url": ..., "type": ...}.
#include <cstdint>
#include <memory>

#include "workers/backends/backend.hpp"
#include "workers/backends/openstack/options.hpp"

namespace slipway::workers::openstack {

struct Counters {
  std::uint64_t requests = 0;     // HTTP, to Keystone too
  std::uint64_t connections = 0;  // opened for them
  std::uint64_t timeouts = 0;
  std::uint64_t broken = 0;
  std::uint64_t too_large = 0;
  std::uint64_t rejected = 0;   // calls, because too many waited
  std::uint64_t in_flight = 0;  // now
  std::uint64_t waiting = 0;
  std::uint64_t tokens = 0;  // fetched from Keystone
  std::uint64_t token_failures = 0;
  std::uint64_t tokens_shared = 0;  // calls that waited for one that was on its way
  std::uint64_t poll_rounds = 0;
  std::uint64_t poll_failures = 0;
  std::uint64_t polled_singly = 0;
  std::uint64_t operations = 0;  // now
};

class OpenstackBackend : public Backend {
 public:
  // Nothing is called yet: a cloud that is down at the start comes later. Errors: InvalidArgument,
  // for options that can never work.
  static base::Result<std::unique_ptr<OpenstackBackend>> open(Options options);

  // Any thread; a moment old.
  virtual Counters counters() const = 0;
};

}  // namespace slipway::workers::openstack
