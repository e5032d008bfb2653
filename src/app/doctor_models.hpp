#pragma once
#include <vector>

#include "app/doctor.hpp"

namespace al::app {

/// Whether keys of providers can be opened here; makes no key. `may_open`: the database is there and migrated, and no
/// server has it for itself, so that what is sealed can be looked at.
[[nodiscard]] Finding check_master_key(Config const&, bool may_open);

/// One finding a provider: the server of AGENT_LIGHTNING_URL asks each for its models. Without a server only the
/// settings are read. Blocks for some seconds for each provider that does not answer.
[[nodiscard]] std::vector<Finding> check_providers(Config const&);

}  // namespace al::app
