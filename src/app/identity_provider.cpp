#include "app/identity_provider.hpp"

namespace al::app {

Result<std::optional<security::oidc::Provider>> identity_provider_of(Config const& config) {
  if (!config.is_set("oidc.issuer"))
    return std::nullopt;
  security::oidc::Provider provider{.id = "oidc",
                                    .issuer = config.text("oidc.issuer"),
                                    .client_id = config.text("oidc.client_id"),
                                    .client_secret = config.text("oidc.client_secret"),
                                    .scopes = config.text("oidc.scopes"),
                                    .redirect_uri = config.text("oidc.redirect_uri"),
                                    .is_operators = true};
  auto const ok = security::oidc::check(provider);
  if (ok)
    return provider;
  std::string message = "the identity provider cannot be used:";
  for (auto const& fault : ok.error().faults)
    message += " oidc." + fault.path + " " + fault.message + ";";
  message.pop_back();
  return fail(Code::invalid, std::move(message));
}

}  // namespace al::app
