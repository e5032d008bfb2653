#pragma once
/// Where models are to be had, and which of these places an agent's model name stands for.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/async.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace al::providers {

enum class Kind { openai, anthropic };

/// One account at one provider. `base_url` ends where the protocol's own paths begin, without a slash, as the official
/// clients have it: OpenAI's includes the version ("…/v1"), Anthropic's does not.
struct Account {
  std::string id;  ///< a slug; `openai` and `anthropic` are those of the settings
  Kind kind = Kind::openai;
  std::string base_url;
  std::string key{};                            ///< may be empty: servers of one's own often need none
  std::string default_model{};                  ///< for names that are not mapped; empty: the name as it is
  std::map<std::string, std::string> models{};  ///< an agent's name for a model → the provider's
  bool is_operators = true;                     ///< from the settings: its address may be a private one
};

/// In the order in which they are asked.
using Accounts = std::vector<Account>;

/// The accounts that a tenant may use. Thread-safe.
class Directory {
 public:
  virtual ~Directory() = default;
  [[nodiscard]] virtual Task<std::shared_ptr<Accounts const>> accounts(TenantId const&, Deadline) = 0;
};

/// The name of the provider that is no model: it quotes what the agent knows.
inline constexpr std::string_view extractive = "extractive";

/// The first account that maps `model`, else the first whose own name of a model it is: its default, or what it maps
/// to. Null: none knows it. Of `kind` only, when that is given. Pure.
[[nodiscard]] Account const* account_with(Accounts const&, std::string_view model, std::optional<Kind> kind = {});

/// The provider's name for `model`: what the account maps it to, else itself.
[[nodiscard]] std::string name_at(Account const&, std::string_view model);

struct Choice {
  Account const* account = nullptr;  ///< none: extractive
  std::string model{};               ///< as the provider names it
};

/// Who answers an agent that thinks with `model` and names the provider `wanted` (may be empty). Pure.
/// A named provider takes the model's name as it is unless it maps it. Otherwise the account that account_with() finds
/// is taken, then the first whose kind it belongs to ("claude-…" to Anthropic, others to OpenAI), then the first; these
/// use their default model for a name that they do not know. Errors: not_found (no such provider).
[[nodiscard]] Result<Choice> choose_account(Accounts const&, std::string_view wanted, std::string_view model);

}  // namespace al::providers
