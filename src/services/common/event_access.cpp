#include "services/common/event_access.hpp"

#include <algorithm>
#include <array>

#include "events/channel.hpp"

namespace al::services {
namespace {

struct Reader {
  std::string_view kind;
  std::string_view permission;
};

/// Messages are their addressee's: whoever reads them here reads those of others.
constexpr std::array readers{Reader{"agent", "agents:read"},
                             Reader{"task", "tasks:read"},
                             Reader{"knowledge", "knowledge:read"},
                             Reader{"workflow", "workflows:read"},
                             Reader{"execution", "workflows:read"},
                             Reader{"session", "sessions:read"},
                             Reader{"provider", "providers:read"},
                             Reader{"model", "models:read"},
                             Reader{"integration", "integrations:read"},
                             Reader{"webhook", "integrations:read"},
                             Reader{"service", "services:read"},
                             Reader{"user", "users:read"},
                             Reader{"role", "roles:read"},
                             Reader{"api_key", "api_keys:read"},
                             Reader{"organisation", "organisations:read"},
                             Reader{"login", "audit:read"},
                             Reader{"signing_key", "audit:read"},
                             Reader{"audit", "audit:read"},
                             Reader{"message", "messages:read"}};

}  // namespace

std::string_view permission_for_event(std::string_view channel) {
  auto const found = std::ranges::find(readers, events::kind_of(channel), &Reader::kind);
  return found == readers.end() ? "events:read" : found->permission;
}

bool may_see_event(http::Principal const& principal, std::string_view channel) {
  return principal.may(permission_for_event(channel));
}

}  // namespace al::services
