#pragma once
#include "core/config.hpp"
#include "core/result.hpp"
#include "http/client.hpp"
#include "providers/account.hpp"

namespace al::app {

/// The model providers that the settings name: `openai` and `anthropic`, each when its key or its base URL is set.
/// Errors: invalid, naming the setting (no URL, or a map that is none).
[[nodiscard]] Result<providers::Accounts> accounts_of(Config const&);

/// How long model providers may take.
[[nodiscard]] http::ClientOptions model_client_options(Config const&);

}  // namespace al::app
