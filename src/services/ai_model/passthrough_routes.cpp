#include "core/log.hpp"
#include "services/ai_model/passthrough.hpp"
#include "services/ai_model/protocol.hpp"
#include "services/ai_model/relay.hpp"
#include "services/ai_model/routes.hpp"

namespace al::services::ai_model {
namespace {

using http::Call;
using http::Method;
using http::Response;
using providers::Kind;

/// What the Messages API takes; OpenAI's chat takes less.
constexpr std::size_t body_bytes_max = 32 << 20;
/// What the official clients wait for an answer that is no stream.
constexpr std::chrono::seconds answer_time_max{600};

struct Endpoint {
  Kind kind;
  std::string_view path;  ///< behind the account's base URL
  bool is_billed = true;
};

Task<Result<Response>> pass_through(Models models, Endpoint endpoint, Call& call) {
  auto& request = call.request;
  auto const coding = request.headers.find("Content-Encoding").value_or("identity");
  if (!http::equal_without_case(coding, "identity"))
    co_return fail(Code::unsupported_media_type, "The body must be sent without Content-Encoding.");
  auto const name = ModelName::in(request.body);
  if (!name)
    co_return fail(name.error());
  auto const& principal = call.context.principal;
  auto const accounts = co_await models.directory.accounts(principal.tenant, call.context.deadline);
  auto target = find_target(*accounts, endpoint.kind, name->text());
  if (!target)
    co_return fail(target.error());
  auto const& account = *target->account;
  if (target->model != name->text())
    name->replace(request.body, target->model);

  auto const relay = std::make_shared<Relay>(models.usage, endpoint.kind,
                                             UsedCall{.tenant = principal.tenant,
                                                      .principal = principal.id,
                                                      .provider = account.id,
                                                      .model = std::move(target->model),
                                                      .is_billed = endpoint.is_billed});
  auto& client = models.clients.client_for(account, co_await asio::this_coro::executor);
  auto url = account.base_url;
  url.append(endpoint.path).append(query_of(request.target));
  auto const sent = co_await relay->send(client, Method::post, std::move(url), headers_for(account, request.headers),
                                         std::move(request.body));
  auto answered = sent ? Result<Response>() : Result<Response>(std::unexpected(sent.error()));
  if (sent)
    answered = co_await Relay::answer(relay);
  if (answered) {
    hide_key(*answered, account);
    co_return answered;
  }
  auto const& error = answered.error();
  log::warning("a model provider gave no answer", {{"provider", std::string_view(account.id)},
                                                   {"request_id", std::string_view(call.context.request_id)},
                                                   {"error", std::string_view(error.message)}});
  co_return gateway_error(endpoint.kind, error, call.context.request_id);
}

}  // namespace

void add_passthrough_routes(http::Router& router, Models const& models) {
  auto const add = [&](std::string_view path, std::string_view summary, Endpoint endpoint) {
    router.add({.method = Method::post,
                .path = path,
                .permission = "models:use",
                .summary = summary,
                .takes = http::Body::any,
                .errors = {Code::timed_out, Code::unavailable},
                .body_max = body_bytes_max,
                .passes_through = true,
                .error_format = error_format(endpoint.kind),
                .time_max = answer_time_max,
                .ends_with_client = true,
                .handler = [models, endpoint](Call& call) { return pass_through(models, endpoint, call); }});
  };
  add("/v1/chat/completions", "OpenAI's chat completions, passed through to the provider of the model",
      {Kind::openai, "/chat/completions"});
  add("/v1/embeddings", "OpenAI's embeddings, passed through to the provider of the model",
      {Kind::openai, "/embeddings"});
  add("/v1/messages", "Anthropic's Messages, passed through to the provider of the model",
      {Kind::anthropic, "/v1/messages"});
  add("/v1/messages/count_tokens", "Anthropic's count of tokens, passed through to the provider of the model",
      {Kind::anthropic, "/v1/messages/count_tokens", false});
}

}  // namespace al::services::ai_model
