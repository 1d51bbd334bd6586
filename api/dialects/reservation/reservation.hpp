#pragma once
// Dialect 002, "reservation": leases of hosts. Mounted below /d/reservation of the main listener,
// and at the root of a listener of its own.
//
// Who asks is in X-Auth-Token: an access token, or a short one of /api/token. In demo mode a
// request without one, or with the word that clients send for "no authentication", is the demo
// user's. Errors are {"error_code","error_message","error_name"}. Paths may end in ".json"; every
// path below /v1 is also below /reservation/v1.
#include "api/access_guard.hpp"
#include "api/dialects/reservation/wire.hpp"
#include "api/submit.hpp"
#include "core/base/live.hpp"

namespace slipway::api {

class Reservation {
 public:
  struct Options {                             // all may change while this serves
    base::Live<bool> modern{false};            // 201 and 200 where the specification has 202
    base::Live<bool> accept_any_token{false};  // for the demo tenant
    base::Live<base::Duration> before_end_lead{std::chrono::minutes(2880)};
  };
  Reservation(const ApiServices& services, Authenticator& authenticator, Submitter& submitter,
              Options options)
      : services_(services),
        authenticator_(authenticator),
        submitter_(submitter),
        options_(options) {}
  void set(const Options& options) { options_ = options; }

  // Adds everything below `prefix`, which is empty for a listener of its own. This object must
  // outlive the router.
  void mount(Router& router, const std::string& prefix);
  // For AccessGuard::open(Door::Reservation, ...).
  AccessGuard::DoorKeeper door();

 private:
  using Handler = void (Reservation::*)(Call) const;
  using Question = std::function<void(const Call&, eventstore::Reader&)>;

  void identify(const Call& call, const AccessGuard::Enter& enter) const;
  RouteTable routes();
  reservation::View view_of(const Call& call) const;

  // ---- commands ----
  void create_lease(Call call) const;
  void update_lease(Call call) const;
  void delete_lease(Call call) const;
  void enroll_host(Call call) const;
  void update_host(Call call) const;
  void withdraw_host(Call call) const;
  void set_property(Call call) const;
  void create_floating_ip(Call call) const;
  void delete_floating_ip(Call call) const;
  // nullopt: it was answered. The value lives until this thread parses the next.
  std::optional<base::JsonValue> body_of(const Call& call) const;
  template <class MakeForm>
  void submit(const Call& call, domain::CommandBody body, MakeForm make_form) const;

  // ---- questions, on the query pool ----
  void query(Call call, Question run) const;
  void list_leases(Call call) const;
  void get_lease(Call call) const;
  void list_hosts(Call call) const;
  void get_host(Call call) const;
  void list_allocations(Call call) const;
  void get_allocation(Call call) const;
  void list_properties(Call call) const;
  void list_floating_ips(Call call) const;
  void get_floating_ip(Call call) const;
  void list_hypervisors(Call call) const;

  const ApiServices& services_;
  Authenticator& authenticator_;
  Submitter& submitter_;
  Options options_;
};

}  // namespace slipway::api
