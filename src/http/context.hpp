#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/actor.hpp"
#include "core/time.hpp"

namespace al::http {

/// Who is calling, as the authenticator found it.
struct Principal {
  TenantId tenant = default_tenant;
  std::string id;                        ///< empty: nobody is signed in
  std::vector<std::string> permissions;  ///< "agents:read"; "agents:*" and "*:*" are wildcards
  std::string user_id{};                 ///< whose behalf it is on: of a user's API key the user; empty: a service's
  std::string login_id{};                ///< of a user who is signed in; empty: an API key
  [[nodiscard]] bool may(std::string_view permission) const;
};

/// What travels with one request from the socket (or the gateway) to the stores.
struct Context {
  Principal principal;
  std::string request_id;
  std::string traceparent;
  std::string address{};  ///< where the request came from
  Deadline deadline = Deadline::after(std::chrono::seconds{30});

  [[nodiscard]] Actor actor() const {
    return {.tenant = principal.tenant,
            .user_id = principal.id,
            .correlation_id = request_id,
            .causation_id = {},
            .traceparent = traceparent,
            .address = address};
  }
};

}  // namespace al::http
