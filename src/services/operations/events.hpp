#pragma once
/// The role operations (8011): the event log and its live stream.

#include "events/bus.hpp"
#include "events/event_log.hpp"
#include "http/router.hpp"

namespace al::services::operations {

/// What the handlers work with. All outlive the router.
struct Events {
  events::EventLog& log;
  events::Bus& bus;
};

void add_event_routes(http::Router&, Events const&);

}  // namespace al::services::operations
