#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

struct EventMetadata {
  std::string correlation_id;
  std::string causation_id;
  std::string user_id;
  TenantId tenant_id;
  std::string traceparent;
};
BOOST_DESCRIBE_STRUCT(EventMetadata, (), (correlation_id, causation_id, user_id, tenant_id, traceparent))

constexpr auto describe(std::type_identity<EventMetadata>) {
  using namespace entity;
  return about("EventMetadata", "", "Who caused the event, and as part of what.",
               field<&EventMetadata::correlation_id>("The request that began it."),
               field<&EventMetadata::causation_id>("The event that led to it."),
               field<&EventMetadata::user_id>("The principal."), field<&EventMetadata::tenant_id>("The tenant."),
               field<&EventMetadata::traceparent>("W3C trace context."));
}

/// One change of one aggregate; `version` is the aggregate's version after it.
struct Event {
  EventId event_id;
  std::int64_t seq = 0;
  Timestamp timestamp{};
  std::string channel;
  std::string service;
  std::string aggregate_id;
  std::int64_t version = 0;
  Document data;
  EventMetadata metadata;
};
BOOST_DESCRIBE_STRUCT(Event, (), (event_id, seq, timestamp, channel, service, aggregate_id, version, data, metadata))

constexpr auto describe(std::type_identity<Event>) {
  using namespace entity;
  return about("Event", "events", "A change that was committed.", field<&Event::event_id>("UUIDv7."),
               field<&Event::seq>("Position in the log; for display, not for resuming.", {.access = Access::read_only}),
               field<&Event::timestamp>("When it was committed, UTC."),
               field<&Event::channel>("kind:change, such as task:completed."),
               field<&Event::service>("The role that made the change."), field<&Event::aggregate_id>("What changed."),
               field<&Event::version>("The aggregate's version after the change."),
               field<&Event::data>("The state after the change, without secrets."),
               field<&Event::metadata>("Who, and as part of what."));
}

}  // namespace al::model
