#pragma once
#include <string>

#include "core/ids.hpp"

namespace al {

/// Who does something, for whom, and as part of what. Travels from the request to the event it causes.
struct Actor {
  TenantId tenant = default_tenant;
  std::string user_id;         ///< principal; "system" for background work
  std::string correlation_id;  ///< the request id, or the one a task was created under
  std::string causation_id;    ///< the event that led to this, when one did
  std::string traceparent;     ///< W3C trace context, empty when none came in
  std::string address{};       ///< where the request came from; empty for background work
};

}  // namespace al
