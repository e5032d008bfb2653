#pragma once
#include <boost/describe.hpp>
#include <type_traits>

#include "core/entity.hpp"

namespace al::model {

struct ProviderTag {
  static constexpr IdKind kind = IdKind::slug;
};
using ProviderId = Id<ProviderTag>;

/// The protocol that a provider speaks.
enum class ProviderKind { openai, anthropic };
BOOST_DESCRIBE_ENUM(ProviderKind, openai, anthropic)

/// Who named it: a client through the API, or the operator in the settings.
enum class ProviderOrigin { api, settings };
BOOST_DESCRIBE_ENUM(ProviderOrigin, api, settings)

struct Provider {
  ProviderId id;
  ProviderKind kind = ProviderKind::openai;
  std::string base_url;
  std::string default_model;
  Document models;
  bool has_key = false;
  ProviderOrigin origin = ProviderOrigin::api;
  std::int64_t version = 1;
  Timestamp created_at{};
  Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(Provider, (),
                      (id, kind, base_url, default_model, models, has_key, origin, version, created_at, updated_at))

constexpr auto describe(std::type_identity<Provider>) {
  using namespace entity;
  return about(
      "Provider", "providers", "Where models are to be had.",
      field<&Provider::id>("Slug, chosen by the client.", {.access = Access::create_only}),
      field<&Provider::kind>("The protocol it speaks."),
      field<&Provider::base_url>(
          "Where its protocol's paths begin: with the version for openai, without for anthropic. "
          "The host must be one of PROVIDERS_ALLOWED_HOSTS.",
          {.min = 1, .max = 500}),
      field<&Provider::default_model>("For agents whose model name `models` does not map; empty: the name as it is.",
                                      {.max = 200, .defaulted = true}),
      field<&Provider::models>("What agents' model names mean there: {name: model}.",
                               {.max = 16384, .defaulted = true}),
      field<&Provider::has_key>("It holds a key, which nobody reads back.",
                                {.access = Access::read_only, .stored = false}),
      field<&Provider::origin>("`settings`: the operator configured it, and it is not changed here.",
                               {.access = Access::read_only, .stored = false}),
      field<&Provider::version>("Counts its changes; the ETag.", {.access = Access::read_only}),
      field<&Provider::created_at>("When it was registered, UTC.", {.access = Access::read_only}),
      field<&Provider::updated_at>("When it was last changed, UTC.", {.access = Access::read_only}));
}

/// What a client sends: the provider and, beside it, the key, which is no part of what it gets back.
struct ProviderInput {
  Provider provider;
  std::optional<std::string> key;
};
BOOST_DESCRIBE_STRUCT(ProviderInput, (), (provider, key))

/// The fields of Provider and `key`, side by side. Decodes into a ProviderInput.
[[nodiscard]] entity::Entity const& provider_input();

}  // namespace al::model
