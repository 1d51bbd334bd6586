#include "eventstore/directory.hpp"

namespace slipway::eventstore {
namespace {

template <class Map>
const typename Map::mapped_type* lookup(const Map& map, std::string_view key) {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : &it->second;
}

}  // namespace

const UserRow* Directory::user(std::string_view name) const { return lookup(users, name); }
const TokenRow* Directory::token(std::string_view sha256_hex) const {
  return lookup(tokens, sha256_hex);
}
const ProjectRow* Directory::project(std::string_view name) const { return lookup(projects, name); }
const ProjectRow* Directory::project(const base::Uuid& id) const {
  for (const auto& [name, row] : projects) {
    if (row.project.id == id) return &row;
  }
  return nullptr;
}

const RoleRow* Directory::role(std::string_view name) const { return lookup(roles, name); }
const GroupRow* Directory::group(std::string_view name) const { return lookup(groups, name); }
const LoginRow* Directory::login(std::string_view sha256_hex) const {
  return lookup(logins, sha256_hex);
}

DirectoryPtr DirectoryBoard::load() const {
  base::Lock lock(mu_);
  return current_;
}
void DirectoryBoard::store(DirectoryPtr directory) {
  base::Lock lock(mu_);
  current_.swap(directory);
}

}  // namespace slipway::eventstore
