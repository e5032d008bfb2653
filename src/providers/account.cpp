#include "providers/account.hpp"

#include <algorithm>

namespace al::providers {
namespace {

bool belongs_to(Kind kind, std::string_view model) { return model.starts_with("claude") == (kind == Kind::anthropic); }

bool maps(Account const& account, std::string_view model) { return account.models.contains(std::string(model)); }

bool owns(Account const& account, std::string_view model) {
  return account.default_model == model ||
         std::ranges::any_of(account.models, [&](auto const& pair) { return pair.second == model; });
}

}  // namespace

Account const* account_with(Accounts const& accounts, std::string_view model, std::optional<Kind> kind) {
  for (auto const knows : {maps, owns}) {
    auto const found = std::ranges::find_if(
        accounts, [&](Account const& account) { return (!kind || account.kind == *kind) && knows(account, model); });
    if (found != accounts.end())
      return &*found;
  }
  return nullptr;
}

std::string name_at(Account const& account, std::string_view model) {
  auto const mapped = account.models.find(std::string(model));
  return mapped == account.models.end() ? std::string(model) : mapped->second;
}

Result<Choice> choose_account(Accounts const& accounts, std::string_view wanted, std::string_view model) {
  if (wanted == extractive)
    return Choice{};
  if (!wanted.empty()) {
    auto const named = std::ranges::find(accounts, wanted, &Account::id);
    if (named == accounts.end())
      return fail(Code::not_found, "there is no model provider '" + std::string(wanted) + "'");
    return Choice{&*named, name_at(*named, model.empty() ? std::string_view(named->default_model) : model)};
  }
  if (accounts.empty())
    return Choice{};
  if (auto const* known = model.empty() ? nullptr : account_with(accounts, model))
    return Choice{known, name_at(*known, model)};
  auto found = std::ranges::find_if(accounts, [&](Account const& account) { return belongs_to(account.kind, model); });
  if (found == accounts.end())
    found = accounts.begin();
  return Choice{&*found, found->default_model.empty() ? std::string(model) : found->default_model};
}

}  // namespace al::providers
