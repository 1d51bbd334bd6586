#pragma once
// Dialect 003, "nano": pools, cells, guests, images and people of a data centre, as its web client
// and its core service ask for them. Below /d/nano of the main listener, and on two listeners of
// its own: the user side, entered with a session, and the core side, entered with a signature.
//
//   Nano nano(core.services(), core.authenticator(), core.submitter(), core.watch(), options);
//   core.guard().open(Door::Nano, nano.door());
//   nano.mount(*router, "/d/nano");
#include "api/dialects/nano/channels.hpp"
#include "api/dialects/nano/display_relay.hpp"
#include "api/dialects/nano/door.hpp"
#include "api/dialects/nano/sessions.hpp"

namespace slipway::api {

class Nano {
 public:
  Nano(const ApiServices& services, Authenticator& authenticator, Submitter& submitter,
       const TaskWatch& watch, nano::Options options);
  Nano(const Nano&) = delete;
  Nano& operator=(const Nano&) = delete;

  // Every path below `prefix` and below `prefix`/api/v1. This object must outlive the router.
  void mount(Router& router, const std::string& prefix);
  // For AccessGuard::open(Door::Nano, ...).
  AccessGuard::DoorKeeper door() { return nano::door(context_); }

 private:
  RouteTable routes(nano::Base base);

  const nano::Options options_;
  nano::Sessions sessions_;
  nano::Channels channels_;
  nano::DisplayRelay relay_;
  nano::Context context_;
};

}  // namespace slipway::api
