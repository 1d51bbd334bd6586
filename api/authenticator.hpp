#pragma once
// Tells who somebody is: by an access token, by a short-lived token of /api/token, or by user and
// password. Any thread; no call blocks: a password that was not seen lately is checked on the query
// pool, and the answer comes later, there.
#include <functional>
#include <string>

#include "api/credential_cache.hpp"
#include "api/login_delays.hpp"
#include "api/services.hpp"

namespace slipway::api {

class Authenticator {
 public:
  explicit Authenticator(const ApiServices& services);

  // "Authorization: Bearer ..."; without one the demo user in demo mode. Unauthenticated otherwise.
  base::Result<IdentityPtr> by_bearer(const Request& request) const;

  // The token that the configuration names, for the first admin; empty: none. At the start and at a
  // reload.
  void set_admin_token(const base::Secret& token);
  // The token itself, wherever it stood in the request.
  base::Result<IdentityPtr> by_token(std::string_view token) const;

  // `done` is called once: at once if the credentials were seen lately. Errors: Unauthenticated
  // (unknown user and wrong password alike, after the same time), RateLimited.
  using Done = std::function<void(base::Result<IdentityPtr>)>;
  void by_password(const Credentials& credentials, std::string_view address, Done done);

  // A token that by_bearer takes for an hour, or until the user changes.
  std::string short_token(const Identity& identity) const;

 private:
  struct Attempt;
  bool is_admin_token(std::string_view sha256_hex) const;
  base::Result<IdentityPtr> by_access_token(std::string_view token) const;
  base::Result<IdentityPtr> by_short_token(std::string_view token) const;
  void check(Attempt& attempt);
  void refuse_later(Attempt& attempt);

  const ApiServices& services_;
  const IdentityPtr demo_;
  const IdentityPtr admin_;
  const std::string dummy_hash_;  // verified for a user that is not there: the same time
  CredentialCache cache_;
  LoginDelays delays_;
  mutable base::Mutex mu_;
  std::string admin_token_ GUARDED_BY(mu_);  // SHA-256, in hex; empty: none
};

}  // namespace slipway::api
