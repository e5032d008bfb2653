#pragma once
#include <optional>

#include "core/config.hpp"
#include "core/result.hpp"
#include "security/oidc.hpp"

namespace al::app {

/// The identity provider that the settings name; none without an issuer. Errors: invalid, naming the settings.
[[nodiscard]] Result<std::optional<security::oidc::Provider>> identity_provider_of(Config const&);

}  // namespace al::app
