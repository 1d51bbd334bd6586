#pragma once
// Dialect 004, "perspective": bulk calls on instances and images, a SQL query language, a stream of
// letters. Mounted at /d/perspective of the main listener and at the root of a listener of its own.
//
// Requests bring no identity: they act for the tenant of the options. A bearer token, where one is
// sent, says who asks instead; it is required where the options say so, and on the main listener
// outside of demo mode. Bulk calls answer 200 with an empty body and X-Task-Id once their batch is
// durable; ids that the service does not know are left out. Errors are plain text.
#include "api/access_guard.hpp"
#include "api/dialects/perspective/bulk.hpp"
#include "api/dialects/perspective/mail.hpp"
#include "api/sql_pool.hpp"
#include "api/submit.hpp"

namespace slipway::api {

class Perspective {
 public:
  static constexpr std::string_view kListener = "perspective";

  struct Options {
    std::string tenant = "demo";
    bool require_token = false;
  };
  Perspective(const ApiServices& services, Authenticator& authenticator, Submitter& submitter,
              SqlPool& sql, perspective::Mail& mail, Options options);

  // Below the mount's prefix. This object must outlive the router.
  RouteTable routes();
  static MountOptions mount_options();
  // For AccessGuard::open(Door::Perspective, ...).
  AccessGuard::DoorKeeper door();

 private:
  using SharedCall = std::shared_ptr<Call>;
  using Plan =
      std::function<base::Result<domain::OpenBatch>(eventstore::Reader&, const eventstore::Scope&)>;

  void identify(const Call& call, const AccessGuard::Enter& enter) const;
  // On the query pool, once the read models have caught up with what was acknowledged.
  void query(Call call, std::function<void(const Call&, eventstore::Reader&)> run) const;
  // What `plan` finds there is to do, as one batch; nothing to do is an empty answer at once.
  void bulk(Call call, Plan plan) const;
  void submit(const Call& call, domain::OpenBatch batch) const;

  void sql(const Call& call) const;
  void create(Call call) const;
  void act(Call call, domain::CommandKind kind, bool hard) const;
  void resize(Call call) const;
  void rebuild(Call call) const;
  void rename(Call call) const;
  void capture(Call call) const;
  void delete_images(Call call) const;
  void show_instance(Call call) const;
  void show_image(Call call) const;
  void operations(Call call) const;
  void ping(const Call& call) const;

  const ApiServices& services_;
  Authenticator& authenticator_;
  Submitter& submitter_;
  SqlPool& sql_;
  perspective::Mail& mail_;
  const Options options_;
  const IdentityPtr anybody_;
};

}  // namespace slipway::api
