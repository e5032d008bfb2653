#pragma once
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/change.hpp"
#include "data/page.hpp"
#include "model/provider.hpp"

namespace al::data {

/// Those of the settings, and the one that is no model.
inline constexpr std::array<std::string_view, 3> reserved_provider_ids{"openai", "anthropic", "extractive"};

/// A tenant that has so many gets no more, so that all of them can be looked at for each call to a model.
inline constexpr std::int64_t providers_max = 100;

/// A provider with what only the server sees.
struct StoredProvider {
  model::Provider provider;
  std::string sealed_key;  ///< empty: it has none
};

/// What becomes of the sealed key.
struct KeyChange {
  bool keeps = true;
  std::string sealed{};  ///< when not kept; empty: it is taken away
};

/// Model providers that clients registered. Keys go in and out sealed; events and answers never have them. Thread-safe.
class ProviderStore {
 public:
  explicit ProviderStore(Writer& writer) : writer_(writer) {}

  /// Errors: not_found.
  [[nodiscard]] Task<Result<StoredProvider>> get(TenantId const&, model::ProviderId const&, Deadline);
  /// By id. Errors: invalid (a cursor that is none of ours).
  [[nodiscard]] Task<Result<Page<model::Provider>>> list(TenantId const&, PageRequest, Deadline);
  /// All of a tenant, by id.
  [[nodiscard]] Task<std::vector<StoredProvider>> all(TenantId const&, Deadline);

  /// A provider that was deleted comes back under its id, its version counting on. Errors: invalid, conflict (it
  /// exists, or there are too many).
  [[nodiscard]] Task<Result<model::Provider>> create(Actor const&, model::Provider, std::string sealed_key, Deadline);

  /// Decides on what is stored, and anew when someone else was faster.
  using Edit = std::function<Result<void>(model::Provider&)>;
  /// Errors: not_found, invalid, version_mismatch (`expected` is not its version), conflict (it kept changing under
  /// us), and those of `edit`.
  [[nodiscard]] Task<Result<model::Provider>> update(Actor const&, model::ProviderId const&, Edit edit, KeyChange,
                                                     std::optional<std::int64_t> expected, Deadline);
  /// Soft, but the key is gone for good. Errors: not_found, version_mismatch, conflict.
  [[nodiscard]] Task<Result<void>> remove(Actor const&, model::ProviderId const&, std::optional<std::int64_t> expected,
                                          Deadline);

 private:
  Writer& writer_;
};

/// The pairs of `models`. Errors: invalid, naming the member.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> model_names(Document const& models);

}  // namespace al::data
