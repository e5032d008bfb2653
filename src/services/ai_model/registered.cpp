#include "services/ai_model/registered.hpp"

#include "core/json.hpp"

namespace al::services::ai_model {

security::Place place_of_key(model::ProviderId const& id) { return {.purpose = "provider.key", .id = id.value}; }

// The list of hosts may have become shorter since the provider was registered.
Task<Result<providers::Account>> account_of(Registered registered, TenantId const& tenant, data::StoredProvider stored,
                                            Deadline deadline) {
  auto const& provider = stored.provider;
  auto const approved = registered.hosts.check(provider.base_url);
  if (!approved)
    co_return fail(Code::forbidden, "base_url " + approved.error().message);
  auto names = data::model_names(provider.models);
  if (!names)
    co_return fail(std::move(names.error()));
  bool const is_anthropic = provider.kind == model::ProviderKind::anthropic;
  providers::Account account{.id = provider.id.value,
                             .kind = is_anthropic ? providers::Kind::anthropic : providers::Kind::openai,
                             .base_url = approved->url,
                             .default_model = provider.default_model,
                             .is_operators = approved->may_be_private};
  account.models.insert(std::make_move_iterator(names->begin()), std::make_move_iterator(names->end()));
  if (!stored.sealed_key.empty()) {
    auto key = co_await registered.sealing.open(tenant, place_of_key(provider.id), stored.sealed_key, deadline);
    if (!key)
      co_return fail(std::move(key.error()));
    account.key = std::move(*key);
  }
  co_return account;
}

model::Provider shown(providers::Account const& account) {
  model::Provider out;
  out.id = model::ProviderId{account.id};
  out.kind = account.kind == providers::Kind::anthropic ? model::ProviderKind::anthropic : model::ProviderKind::openai;
  out.base_url = account.base_url;
  out.default_model = account.default_model;
  out.models.text = "{";
  for (auto const& [name, model] : account.models) {
    if (out.models.text.size() > 1)
      out.models.text += ',';
    json::append_string(out.models.text, name);
    out.models.text += ':';
    json::append_string(out.models.text, model);
  }
  out.models.text += '}';
  out.has_key = !account.key.empty();
  out.origin = model::ProviderOrigin::settings;
  return out;
}

}  // namespace al::services::ai_model
