#pragma once
/// The role operations (8011): the event log, its live stream, its consumers, and what these could not handle.

#include "data/dead_letter_store.hpp"
#include "events/bus.hpp"
#include "events/consumer_groups.hpp"
#include "events/event_log.hpp"
#include "http/router.hpp"

namespace al::services::operations {

/// What the handlers work with. All outlive the router.
struct Events {
  events::EventLog& log;
  events::Bus& bus;
  http::Authenticator& authenticator;  ///< asked again while a stream is open
  events::ConsumerGroups& groups;
  Clock const& clock;
};

void add_event_routes(http::Router&, Events const&);
void add_flow_route(http::Router&, Events const&);
/// The store outlives the router.
void add_dead_letter_routes(http::Router&, data::DeadLetterStore&);
/// The groups outlive the router.
void add_consumer_routes(http::Router&, events::ConsumerGroups&);

}  // namespace al::services::operations
