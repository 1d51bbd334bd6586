#pragma once
// What was found in a cloud that the log did not know, or knew otherwise. See events.hpp.
#include "core/domain/event.hpp"

namespace slipway::domain {

// Where the cloud put it, and what it gave it: for clouds that place by themselves.
struct VmPlaced {
  std::string host;
  std::uint32_t ipv4 = 0;
  std::string mac;
  SLIPWAY_EVENT(VmPlaced, v("host", s.host); v("ipv4", s.ipv4); v("mac", s.mac);)
};
// The cloud does not know it any more. Its state stays: it is a flag beside it.
struct VmLost {
  SLIPWAY_EVENT(VmLost, )
};
// A lost one is there again; or, `foreign`, one that nobody made through this service.
struct VmFound {
  bool foreign = false;
  SLIPWAY_EVENT(VmFound, v("foreign", s.foreign);)
};
// Something of it is not as the log has it: `what` is state, name, size or host.
struct VmDrifted {
  std::string what;
  std::string expected;
  std::string found;
  SLIPWAY_EVENT(VmDrifted, v("what", s.what); v("expected", s.expected); v("found", s.found);)
};
// The drift is over. `how`: adopted (the log follows the cloud), repaired (the cloud is changed
// back), ended (by itself, or by somebody at the cloud).
struct VmReconciled {
  std::string what;
  std::string how;
  SLIPWAY_EVENT(VmReconciled, v("what", s.what); v("how", s.how);)
};
// On the backend's stream: a thing with our tag that neither a task nor a VM owns. `task` deletes
// it.
struct OrphanFound {
  std::string kind;  // vm, port, volume, image
  std::string ref;
  std::string key;  // correlation key of the step that made it
  TaskId task;
  SLIPWAY_EVENT(OrphanFound, v("kind", s.kind); v("ref", s.ref); v("key", s.key);
                v("task", s.task);)
};

}  // namespace slipway::domain
