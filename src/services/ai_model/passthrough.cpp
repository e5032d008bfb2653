#include "services/ai_model/passthrough.hpp"

#include <algorithm>

#include "core/json.hpp"
#include "core/utf8.hpp"
#include "services/ai_model/member_scan.hpp"

namespace al::services::ai_model {
namespace {

std::string_view variable_of(providers::Kind kind) {
  return kind == providers::Kind::anthropic ? "ANTHROPIC_API_KEY" : "OPENAI_API_KEY (or OPENAI_BASE_URL)";
}

}  // namespace

Result<Target> find_target(providers::Accounts const& accounts, providers::Kind kind, std::string_view model) {
  auto const* account = providers::account_with(accounts, model, kind);
  if (account == nullptr) {
    auto const first = std::ranges::find(accounts, kind, &providers::Account::kind);
    if (first == accounts.end()) {
      return fail(Code::not_found, "No model provider of this protocol is configured here: set " +
                                       std::string(variable_of(kind)) + " for the server, or add a provider.");
    }
    account = &*first;
  }
  return Target{account, providers::name_at(*account, model)};
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
  if (!utf8::is_plain(found.text_))  // it is stored with what is billed, and a database takes no other text
    return fail(Code::bad_request, "The name of the model must be UTF-8 without control characters.");
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
