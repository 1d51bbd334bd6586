#pragma once
// What it means that a cloud has something, has it otherwise, or has it no more: the decisions of
// reconciliation. Pure, as all of decide. The order of things (who is asked when, which pages have
// come) is eventstore/reconciler.hpp's.
//
//   ours, in the log     state, name, size or host otherwise: VmDrifted, and what the policy says
//                        lost before: VmFound
//   ours, in no log      an orphan, once it is old enough and no unfinished task may claim it:
//                        OrphanFound, and a task that deletes it
//   not ours             shown to the backend's tenant (VmFound, foreign), never touched
//   in the log alone     VmLost; one that was not ours is VmDeleted
//
// "Ours" is what carries this installation's tag. A VM with a command under way is left alone.
#include <string>
#include <vector>

#include "core/domain/decide.hpp"
#include "core/domain/inventory.hpp"

namespace slipway::domain {

struct ReconcileContext {
  const World& world;
  const Policy& policy;
  const Backend& backend;
  std::string installation;     // the log's id
  base::Duration orphan_age{};  // younger ones may be in the making
  base::Time now{};
};

// A decision's events, and in whose name their record is.
struct Finding {
  std::string tenant;
  std::string_view kind;  // for the metrics: drifted, found, lost, orphan, placed, repaired, ...
  Events events;
};

// The log's VM that `seen` is; nil if it is none of them.
VmId known_as(const ReconcileContext& context, const SeenVm& seen);

// `events` is empty where all is as it should be.
Finding decide_seen(const ReconcileContext& context, const SeenVm& seen);
// After decide_seen has been folded: begins the command that changes the cloud back, if the policy
// is to repair.
Finding decide_repair(const ReconcileContext& context, const SeenVm& seen);
// Those with our tag whose VM the log does not have. All VMs are looked at once for a whole page.
std::vector<const SeenPart*> parts_of_no_vm(const ReconcileContext& context,
                                            const std::vector<SeenPart>& seen);
Finding decide_part(const ReconcileContext& context, const SeenPart& seen);  // one of those
// One that carries our tag and that no task made into an image of the log.
Finding decide_image(const ReconcileContext& context, const SeenImage& seen);

// A host has been lost in two lists in a row: its VMs that start with their host go to another,
// where its pool says `failover` and has storage that all its hosts see. Off by default, since a
// host that cannot be seen may still run them: whoever turns it on sees to it that it does not
// (fencing).
std::vector<Finding> decide_failover(const ReconcileContext& context, const std::string& host);

// A VM that was not in the whole list.
Finding decide_missing(const ReconcileContext& context, const Vm& vm);

// What of the catalogue is new or has changed: images, flavors, networks, hosts.
Finding decide_catalogue(const ReconcileContext& context, const Inventory& seen);
// Images of the cloud that were not in the whole list. `seen`: the refs that were.
Finding decide_missing_images(const ReconcileContext& context,
                              const std::vector<std::string>& seen);

}  // namespace slipway::domain
