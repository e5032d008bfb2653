#pragma once
#include "core/config.hpp"
#include "http/router.hpp"

namespace al::services::operations {

/// The settings that this process runs with, and where each comes from. Secrets are masked. `config` outlives the
/// router.
void add_configuration_routes(http::Router& router, Config const& config);

}  // namespace al::services::operations
