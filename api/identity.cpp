#include "api/identity.hpp"

namespace slipway::api {

bool Identity::may(Right right) const {
  switch (right) {
    case Right::Public:
      return true;
    case Right::View:
      return role >= domain::Role::Viewer;
    case Right::Operate:
      return role >= domain::Role::Operator;
    case Right::Administer:
      return role >= domain::Role::Admin;
  }
  return false;
}

const Identity& identity_of(const Call& call) {
  static const Identity kNobody;
  const auto* identity = static_cast<const Identity*>(call.identity.get());
  return identity == nullptr ? kNobody : *identity;
}

}  // namespace slipway::api
