#pragma once
/// The role websocket (8007): events and messages to clients as they happen.

#include "core/random.hpp"
#include "http/origin.hpp"
#include "http/router.hpp"
#include "services/websocket/session.hpp"

namespace al::services::websocket {

/// What the handlers work with. All outlive the router.
struct Sockets {
  SessionTies ties;
  http::AllowedOrigins const& origins;
};

void add_routes(http::Router&, Sockets const&);

}  // namespace al::services::websocket
