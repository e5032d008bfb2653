#pragma once
/// What an agent's `config` says about how it thinks. Other keys are the client's own and are kept as they are.

#include <cstdint>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "core/value.hpp"

namespace al::agents {

struct Settings {
  std::string provider;                     ///< `provider`: its id; empty: found by the name of the model
  std::string system_prompt;                ///< `system_prompt`: who the agent is; empty: its name and field
  std::optional<double> temperature{};      ///< `temperature`: newer models refuse any
  std::int64_t max_tokens = 4096;           ///< `max_tokens`: of one answer of the model
  std::int64_t max_steps = 10;              ///< `max_steps`: calls of the model for one task
  std::int64_t max_total_tokens = 200'000;  ///< `max_total_tokens`: read and written, for one task
  bool may_search = true;                   ///< `tools` has `knowledge_search`, or is not there
  bool may_delegate = false;                ///< `tools` has `delegate`
  std::optional<Document> answer_schema{};  ///< `answer_schema`: the answer is JSON of this schema
};

/// Errors: invalid, naming each wrong key under `config`.
[[nodiscard]] Result<Settings> read_settings(Document const& config);

}  // namespace al::agents
