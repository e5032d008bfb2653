#include "services/ai_model/passthrough.hpp"

#include <algorithm>

#include "core/json.hpp"
#include "services/ai_model/member_scan.hpp"

namespace al::services::ai_model {
namespace {

bool knows(providers::Account const& account, std::string_view model) {
  return account.default_model == model ||
         std::ranges::any_of(account.models, [&](auto const& pair) { return pair.second == model; });
}

std::string_view variable_of(providers::Kind kind) {
  return kind == providers::Kind::anthropic ? "ANTHROPIC_API_KEY" : "OPENAI_API_KEY (or OPENAI_BASE_URL)";
}

}  // namespace

Result<Target> find_target(providers::Accounts const& accounts, providers::Kind kind, std::string_view model) {
  providers::Account const* first = nullptr;
  providers::Account const* knowing = nullptr;
  std::string const name(model);
  for (auto const& account : accounts) {
    if (account.kind != kind)
      continue;
    auto const mapped = account.models.find(name);
    if (mapped != account.models.end())
      return Target{&account, mapped->second};
    if (first == nullptr)
      first = &account;
    if (knowing == nullptr && knows(account, model))
      knowing = &account;
  }
  if (first == nullptr) {
    return fail(Code::not_found, "No model provider of this protocol is configured here: set " +
                                     std::string(variable_of(kind)) + " for the server, or add a provider.");
  }
  return Target{knowing != nullptr ? knowing : first, name};
}

Result<ModelName> ModelName::in(std::string_view body) {
  static std::vector<std::string_view> const names{"model"};
  MemberScan scan(names);
  scan.feed(body);
  if (!scan.is_complete())
    return fail(Code::bad_request, "The body must be a JSON object.");
  auto const& member = scan[0];
  if (member.times > 1)
    return fail(Code::bad_request, "The body names the model twice.");
  ModelName found;
  if (!member.text.starts_with('"'))
    return found;
  if (member.text.contains('\\')) {
    auto const read = json::parse(member.text);
    if (!read)
      return fail(Code::bad_request, "The name of the model is no valid text.");
    found.text_ = std::string_view(read->get_string());
  } else {
    found.text_ = member.text.substr(1, member.text.size() - 2);
  }
  found.begin_ = member.begin;
  found.size_ = member.end - member.begin;
  return found;
}

void ModelName::replace(std::string& body, std::string_view name) const {
  std::string quoted;
  json::append_string(quoted, name);
  body.replace(begin_, size_, quoted);
}

}  // namespace al::services::ai_model
