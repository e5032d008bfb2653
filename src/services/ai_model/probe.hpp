#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "http/client.hpp"
#include "providers/account.hpp"

namespace al::services::ai_model {

/// What came of asking a provider for its models, the smallest call that needs the key.
struct Probe {
  std::chrono::milliseconds latency{};
  Result<std::vector<std::string>> models;  ///< at most a thousand names; the error's message has no key in it
};

/// `client` is the one for accounts of this kind: of the operator, or of tenants.
[[nodiscard]] Task<Probe> probe(http::Client& client, providers::Account, Deadline);

/// The names in a provider's list of models: `{"data": [{"id": …}]}` for both protocols. Errors: unavailable, when it
/// is none.
[[nodiscard]] Result<std::vector<std::string>> read_model_list(std::string_view body);

}  // namespace al::services::ai_model
