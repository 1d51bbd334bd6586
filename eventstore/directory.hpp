#pragma once
// Who is who, for authentication: users, groups, sessions, tokens and projects as the log says, in
// one immutable value. The projector makes a new one when an event of theirs was committed; a
// request takes the pointer once and looks at one consistent state. Secrets are references only.
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/mutex.hpp"
#include "eventstore/rows.hpp"

namespace slipway::eventstore {

struct Directory {
  domain::Seq seq = 0;                                  // of the last event folded when it was made
  std::map<std::string, UserRow, std::less<>> users;    // by name
  std::map<std::string, TokenRow, std::less<>> tokens;  // by sha256_hex
  std::map<std::string, ProjectRow, std::less<>> projects;  // by name; `used` is not kept here

  std::map<std::string, RoleRow, std::less<>> roles;    // by name
  std::map<std::string, GroupRow, std::less<>> groups;  // by name
  std::map<std::string, LoginRow, std::less<>> logins;  // by sha256_hex of the token

  // nullptr: none. Pointers live as long as the directory.
  const UserRow* user(std::string_view name) const;
  // Says nothing about expires_at: the caller has the clock.
  const TokenRow* token(std::string_view sha256_hex) const;
  const ProjectRow* project(std::string_view name) const;
  const ProjectRow* project(const base::Uuid& id) const;
  const RoleRow* role(std::string_view name) const;
  const GroupRow* group(std::string_view name) const;
  // Says nothing about how long it has been unused.
  const LoginRow* login(std::string_view sha256_hex) const;
};
// Shared: each request under way keeps the one it began with.
using DirectoryPtr = std::shared_ptr<const Directory>;

// Any thread loads; the projector's thread stores.
class DirectoryBoard {
 public:
  DirectoryPtr load() const;
  void store(DirectoryPtr directory);

 private:
  mutable base::Mutex mu_;
  DirectoryPtr current_ GUARDED_BY(mu_) = std::make_shared<const Directory>();
};

}  // namespace slipway::eventstore
