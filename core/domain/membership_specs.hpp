#pragma once
// Groups of people, as plain values. A group is a project: its name is the tenant of its members.
#include "core/domain/specs.hpp"

namespace slipway::domain {

using LoginId = base::Id<struct LoginTag>;

// What the members of a group find in their client. Who has "user" may administer people.
struct MenuRole {
  std::string name;
  std::vector<std::string> menus;
  bool operator==(const MenuRole&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("name", s.name);
    v("menus", s.menus);
  }
};
inline constexpr std::string_view kPeopleMenu = "user";

// Which of a group's things its members see of each other.
struct Visibility {
  bool instance = true;
  bool disk_image = true;
  bool media_image = true;
  bool operator==(const Visibility&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("instance", s.instance);
    v("disk_image", s.disk_image);
    v("media_image", s.media_image);
  }
};

struct Group {
  std::string name;
  std::string display;
  std::vector<std::string> roles;
  Visibility visibility;
  bool operator==(const Group&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("name", s.name);
    v("display", s.display);
    v("roles", s.roles);
    v("visibility", s.visibility);
  }
};

// A session of a person. Its token is known to the client alone.
struct Login {
  LoginId id;
  std::string user;
  std::string group;
  std::string sha256_hex;  // of the token; 256 random bits need no salt
  bool operator==(const Login&) const = default;
  template <class S, class V>
  static void fields(S& s, V& v) {
    v("id", s.id);
    v("user", s.user);
    v("group", s.group);
    v("sha256_hex", s.sha256_hex);
  }
};

// What it means for a user to enter a group and to leave it, for the live state and the read models
// alike.
inline void join(User& user, std::string_view group) {
  user.sealed_for = user.secret_tenant();
  user.tenant = group;
  user.role = Role::Operator;
}
inline void leave(User& user) {
  user.sealed_for = user.secret_tenant();
  user.tenant.clear();
  user.role = Role::None;
}

}  // namespace slipway::domain
