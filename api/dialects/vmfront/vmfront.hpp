#pragma once
// Dialect 000, "vmfront": an OpenStack-shaped front for VMs with a statistic of VMs per hour.
// Mounted at /api and at /d/vmfront of the main listener.
//
// Who asks is in the headers `user`, `password`, `project_name`, `domain_id` of every request.
// Errors are {"error": "..."}; shapes, key order, times and status codes are those of its
// specification (tests/contract/vmfront.txt). VMs made by any other door are seen here too.
#include "api/access_guard.hpp"
#include "api/submit.hpp"

namespace slipway::api {

class VmFront {
 public:
  VmFront(const ApiServices& services, Authenticator& authenticator, Submitter& submitter)
      : services_(services), authenticator_(authenticator), submitter_(submitter) {}

  // Below the mount's prefix: "/virtual_machines", ... This object must outlive the router.
  RouteTable routes();
  static MountOptions mount_options();
  // For AccessGuard::open(Door::VmFront, ...).
  AccessGuard::DoorKeeper door();

 private:
  void identify(const Call& call, AccessGuard::Enter enter) const;
  void list_servers(Call call) const;
  void create_server(Call call) const;
  void list_networks(Call call) const;
  void list_images(Call call) const;
  void list_flavors(Call call) const;
  void vms_per_hour(Call call) const;
  void token(Call call) const;
  // On the query pool, once the read models have caught up with what was acknowledged.
  void query(Call call, std::function<void(const Call&, eventstore::Reader&)> run) const;
  // A project's id as OpenStack writes it: 32 hex digits; the name where no project is known.
  std::string tenant_id(const eventstore::Directory& people, const std::string& project) const;

  const ApiServices& services_;
  Authenticator& authenticator_;
  Submitter& submitter_;
};

}  // namespace slipway::api
