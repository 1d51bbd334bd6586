#pragma once
// What the sequencer and the broker hand each other: every message of work.hpp, in its direction.
// The broker pushes each WorkerInput to the sequencer; the sequencer posts WorkerEffects, in
// batches, once what they say is durable.
#include <string>
#include <variant>

#include "core/domain/work.hpp"

namespace slipway::domain {

// From a worker. `worker` and `pools` of a hello are already those of the worker's key, where it
// has one; a message whose session belongs to another worker never gets here.
using WorkerInput = std::variant<WorkerHello, WorkerReport, WorkerHeartbeat, WorkerGoodbye,
                                 InventoryPage, VmInspection>;

// To a worker.
using ServerMessage = std::variant<Welcome, WorkOrder, ReportAck, HeartbeatAck, CancelLease,
                                   DrainWorker, TakeInventory, InspectVm>;

struct WorkerEffect {
  SessionId session;
  std::uint64_t epoch = 1;  // goes into every frame: a worker drops what is older than it has seen
  ServerMessage message;
  std::string tenant;  // whose secrets a WorkOrder's spec names; not sent
};

}  // namespace slipway::domain
