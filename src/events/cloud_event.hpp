#pragma once
#include <string>

#include "model/event.hpp"

namespace al::events {

/// Appends the event as a CloudEvents 1.0 object in the JSON format, without a line feed. `type` is the channel,
/// `source` the service and `subject` the aggregate; what CloudEvents has no name for stands in extension attributes:
/// `seq`, `version`, `tenantid`, `correlationid`, `causationid`, `userid` and `traceparent`, empty ones left out.
void append_cloud_event(std::string& out, model::Event const&);

}  // namespace al::events
