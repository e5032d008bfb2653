#include <algorithm>
#include <boost/describe.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "core/fault.hpp"
#include "core/log.hpp"
#include "http/target.hpp"
#include "services/ai_model/passthrough.hpp"
#include "services/ai_model/protocol.hpp"
#include "services/ai_model/routes.hpp"
#include "services/common/reply.hpp"

namespace al::services::ai_model {

/// A model as agents and callers name it.
struct KnownModel {
  std::string id;
  std::string provider;
  std::string kind;
  std::string model_id;
  bool is_default = false;
};
BOOST_DESCRIBE_STRUCT(KnownModel, (), (id, provider, kind, model_id, is_default))

constexpr auto describe(std::type_identity<KnownModel>) {
  using namespace entity;
  return about("Model", "models", "A model that can be used here.",
               field<&KnownModel::id>("How agents and callers name it."),
               field<&KnownModel::provider>("The account that has it."),
               field<&KnownModel::kind>("The protocol: openai, anthropic, or extractive."),
               field<&KnownModel::model_id>("How the provider names it."),
               field<&KnownModel::is_default>("The provider takes it for names that it does not map."));
}

namespace {

using http::Call;
using http::Method;
using http::Response;
using providers::Kind;

/// One provider that is silent must not keep the lists of the others back.
constexpr std::chrono::seconds list_time_max{10};

std::string_view name_of(Kind kind) { return kind == Kind::anthropic ? "anthropic" : "openai"; }

std::vector<KnownModel> known_models(providers::Accounts const& accounts) {
  std::vector<KnownModel> out;
  for (auto const& account : accounts) {
    auto const add = [&](std::string const& id, std::string const& model) {
      out.push_back({id, account.id, std::string(name_of(account.kind)), model, model == account.default_model});
    };
    if (!account.default_model.empty() && !account.models.contains(account.default_model))
      add(account.default_model, account.default_model);
    for (auto const& [name, model] : account.models)
      add(name, model);
  }
  std::string const extractive(providers::extractive);
  out.push_back({extractive, extractive, extractive, extractive, accounts.empty()});
  return out;
}

Task<Result<Response>> list_models(Models models, Call& call) {
  auto const accounts = co_await models.directory.accounts(call.context.principal.tenant, call.context.deadline);
  data::Page<KnownModel> page;
  page.items = known_models(*accounts);
  co_return list_response("models", page);
}

Task<Result<Response>> get_model(Models models, Call& call) {
  auto const& id = call.path("id");
  auto const accounts = co_await models.directory.accounts(call.context.principal.tenant, call.context.deadline);
  auto const known = known_models(*accounts);
  auto const found = std::ranges::find(known, id, &KnownModel::id);
  if (found == known.end())
    co_return fail(Code::not_found, "No model is called '" + id + "' here.");
  co_return http::json_response(200, entity::to_json(*found));
}

// ---- as the clients of the protocols ask ----

/// Both protocols have this path; only Anthropic's clients name a version.
Kind kind_of(http::Request const& request) {
  return request.headers.find("anthropic-version") ? Kind::anthropic : Kind::openai;
}

std::string url_of(providers::Account const& account, std::string_view rest) {
  return account.base_url + (account.kind == Kind::anthropic ? "/v1/models" : "/models") + std::string(rest);
}

/// With colons as they are, as the official clients send them: not every server decodes them.
std::string escaped(std::string_view id) {
  auto out = http::percent_encode(id);
  for (auto at = out.find("%3A"); at != std::string::npos; at = out.find("%3A", at + 1))
    out.replace(at, 3, ":");
  return out;
}

Task<Result<Response>> ask_one(Models models, providers::Account account, std::string rest, Call& call) {
  UsedCall counted{.tenant = {}, .principal = {}, .provider = account.id, .model = {}, .is_billed = false};
  auto& client = models.clients.client_for(account, co_await asio::this_coro::executor);
  auto const begun = std::chrono::steady_clock::now();
  auto answered = co_await client.send(Method::get, url_of(account, rest), headers_for(account, call.request.headers),
                                       {}, Deadline::after(list_time_max));
  counted.to_first_byte = std::chrono::steady_clock::now() - begun;
  counted.status = answered ? answered->status : 0;
  models.usage.add(counted);
  if (!answered)
    co_return gateway_error(account.kind, answered.error(), call.context.request_id);
  hide_key(*answered, account);
  answered->headers = headers_from(answered->headers);
  co_return answered;
}

/// The elements of `data`, each as the provider wrote it, the first of each id.
void merge(std::string const& text, std::string& out, std::set<std::string>& ids) {
  auto const source = json::Source::from(text);
  if (!source)
    return;
  for (auto const& model : json::elements(json::member(source->root(), "data"))) {
    auto const id = json::member(model, "id");
    if (id.is_null() || !id.parsed->is_string() || !ids.emplace(id.parsed->get_string()).second)
      continue;
    out.append(out.empty() ? "" : ",").append(model.raw);
  }
}

/// Of several accounts: who answers is in the list.
Task<Result<Response>> ask_all(Models models, providers::Accounts const& accounts, Call& call) {
  std::vector<Task<Result<Response>>> asked;
  for (auto const& account : accounts)
    asked.push_back(ask_one(models, account, {}, call));
  auto settled = co_await settle(std::move(asked));
  std::string data;
  std::set<std::string> ids;
  std::optional<Response> refusal;
  bool any_answer = false;
  for (auto& one : settled) {
    if (one.fault)
      std::rethrow_exception(one.fault);
    auto const* const text = std::get_if<std::string>(&one.value->body);
    if (one.value->status == 200 && text != nullptr) {
      any_answer = true;
      merge(*text, data, ids);
    } else if (!refusal) {
      refusal = std::move(*one.value);
    }
  }
  if (!any_answer && refusal)
    co_return std::move(*refusal);
  co_return http::json_response(200, R"({"object":"list","data":[)" + data + "]}");
}

Task<Result<Response>> list_as_provider(Models models, Call& call) {
  auto const kind = kind_of(call.request);
  auto const known = co_await models.directory.accounts(call.context.principal.tenant, call.context.deadline);
  providers::Accounts accounts;
  std::ranges::copy_if(*known, std::back_inserter(accounts), [&](auto const& one) { return one.kind == kind; });
  // Lists of Anthropic come in pages, which cannot be merged.
  bool const is_one = accounts.size() == 1 || (kind == Kind::anthropic && !accounts.empty());
  if (is_one)
    co_return co_await ask_one(models, accounts.front(), query_of(call.request.target), call);
  if (accounts.empty())
    co_return http::json_response(200, R"({"object":"list","data":[]})");
  co_return co_await ask_all(models, accounts, call);
}

Task<Result<Response>> get_as_provider(Models models, Call& call) {
  auto const kind = kind_of(call.request);
  auto const accounts = co_await models.directory.accounts(call.context.principal.tenant, call.context.deadline);
  auto const target = find_target(*accounts, kind, call.path("id"));
  if (!target)
    co_return fail(target.error());
  co_return co_await ask_one(models, *target->account, "/" + escaped(target->model), call);
}

}  // namespace

void add_model_routes(http::Router& router, Models const& models) {
  auto const* const model = &entity::entity<KnownModel>();
  auto const bind = [&](auto handler) { return [models, handler](Call& call) { return handler(models, call); }; };
  router.add({.method = Method::get,
              .path = "/models",
              .permission = "models:read",
              .summary = "The models that agents and callers can name",
              .response = model,
              .list = "models",
              .handler = bind(list_models)});
  router.add({.method = Method::get,
              .path = "/models/{id}",
              .permission = "models:read",
              .summary = "One of the models",
              .response = model,
              .errors = {Code::not_found},
              .handler = bind(get_model)});
  router.add({.method = Method::get,
              .path = "/v1/models",
              .permission = "models:use",
              .summary = "The models of the providers, as OpenAI's clients ask, and Anthropic's with their version",
              .passes_through = true,
              .error_format = openai_error,
              .handler = bind(list_as_provider)});
  router.add({.method = Method::get,
              .path = "/v1/models/{id}",
              .permission = "models:use",
              .summary = "A model of its provider, as OpenAI's clients ask, and Anthropic's with their version",
              .errors = {Code::not_found},
              .passes_through = true,
              .error_format = openai_error,
              .handler = bind(get_as_provider)});
}

}  // namespace al::services::ai_model
