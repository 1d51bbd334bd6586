#pragma once
// Passwords that were found right a moment ago, so that a client that sends one with every request
// pays for argon2id once a minute. Kept under a keyed hash: the key is made anew by each process
// and never leaves it, so memory holds nothing that could be tried offline elsewhere.
#include <list>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "api/identity.hpp"
#include "core/base/crypto.hpp"
#include "core/base/mutex.hpp"
#include "eventstore/directory.hpp"

namespace slipway::api {

// As a request brings it. The views live as long as the request.
struct Credentials {
  std::string_view user;
  std::string_view password;
  std::string_view project;  // empty: the user's own
  std::string_view domain;   // empty: any
};

class CredentialCache {
 public:
  CredentialCache(std::size_t capacity, base::Duration lifetime);

  using Key = base::Digest;
  Key key_of(const Credentials& credentials) const;

  // Any thread. Nothing if it was never seen, is too old, or the user has changed since.
  IdentityPtr find(const Key& key, const eventstore::Directory& people, base::SteadyTime now);
  void put(const Key& key, const domain::User& user, IdentityPtr identity, base::SteadyTime now);

 private:
  struct Entry {
    Key key;
    domain::User user;
    IdentityPtr identity;
    base::SteadyTime expires;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  using Entries = std::list<Entry>;  // oldest first

  const std::size_t capacity_;
  const base::Duration lifetime_;
  const base::Key process_key_;
  base::Mutex mu_;
  Entries entries_ GUARDED_BY(mu_);
  std::unordered_map<Key, Entries::iterator, KeyHash> index_ GUARDED_BY(mu_);
};

}  // namespace slipway::api
