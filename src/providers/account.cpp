#include "providers/account.hpp"

#include <algorithm>

namespace al::providers {
namespace {

bool belongs_to(Kind kind, std::string_view model) { return model.starts_with("claude") == (kind == Kind::anthropic); }

Choice by_name(Account const& account, std::string_view model, std::string_view otherwise) {
  auto const mapped = account.models.find(std::string(model));
  if (mapped != account.models.end())
    return {&account, mapped->second};
  return {&account, std::string(otherwise.empty() ? model : otherwise)};
}

}  // namespace

Result<Choice> choose_account(Accounts const& accounts, std::string_view wanted, std::string_view model) {
  if (wanted == extractive)
    return Choice{};
  if (!wanted.empty()) {
    auto const named = std::ranges::find(accounts, wanted, &Account::id);
    if (named == accounts.end())
      return fail(Code::not_found, "there is no model provider '" + std::string(wanted) + "'");
    return by_name(*named, model, model.empty() ? std::string_view(named->default_model) : model);
  }
  if (accounts.empty())
    return Choice{};
  auto found = std::ranges::find_if(
      accounts, [&](Account const& account) { return account.models.contains(std::string(model)); });
  if (found == accounts.end())
    found = std::ranges::find_if(accounts, [&](Account const& account) { return belongs_to(account.kind, model); });
  if (found == accounts.end())
    found = accounts.begin();
  return by_name(*found, model, found->default_model);
}

}  // namespace al::providers
