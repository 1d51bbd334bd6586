#pragma once
// Users and their tokens. See events.hpp.
#include "core/domain/event.hpp"

namespace slipway::domain {

struct UserCreated {
  User user;
  SLIPWAY_EVENT(UserCreated, v("user", s.user);)
};
struct UserPasswordChanged {
  SecretRef password;
  SLIPWAY_EVENT(UserPasswordChanged, v("password", s.password);)
};
struct UserDeleted {
  SLIPWAY_EVENT(UserDeleted, )
};
struct TokenCreated {
  AccessToken token;
  SLIPWAY_EVENT(TokenCreated, v("token", s.token);)
};
struct TokenDeleted {
  SLIPWAY_EVENT(TokenDeleted, )
};

}  // namespace slipway::domain
