#include "services/ai_model/providers.hpp"

#include <algorithm>

#include "http/request_id.hpp"
#include "services/ai_model/probe.hpp"
#include "services/common/reply.hpp"

namespace al::services::ai_model {

struct ProviderTest {
  bool ok = false;
  std::int64_t latency_ms = 0;
  std::vector<std::string> models;
  std::optional<std::string> reason;
};
BOOST_DESCRIBE_STRUCT(ProviderTest, (), (ok, latency_ms, models, reason))

constexpr auto describe(std::type_identity<ProviderTest>) {
  using namespace entity;
  using T = ProviderTest;
  return about("ProviderTest", "", "How it went to ask a provider for its models.", field<&T::ok>("It answered."),
               field<&T::latency_ms>("How long it took, in milliseconds."), field<&T::models>("The models it named."),
               field<&T::reason>("Why it did not; left out when it did.", {.left_out = true}));
}

namespace {

using http::Call;
using http::Method;
using http::Response;
using model::Provider;
using model::ProviderId;
using model::ProviderInput;

constexpr std::chrono::seconds test_timeout{10};
constexpr std::size_t key_bytes_max = 4096;

ProviderId provider_id(Call const& call) { return ProviderId{call.path("provider_id")}; }

std::string location_of(ProviderId const& id) { return "/api/v1/providers/" + id.value; }

providers::Account const* operators_account(ProviderServices const& services, ProviderId const& id) {
  auto const found = std::ranges::find(services.operators, id.value, &providers::Account::id);
  return found == services.operators.end() ? nullptr : &*found;
}

/// Errors: conflict, for a provider that only the operator changes.
Result<void> require_own(ProviderServices const& services, ProviderId const& id) {
  if (operators_account(services, id) == nullptr)
    return {};
  return fail(Code::conflict, "provider '" + id.value + "' is configured in the server's settings and changed there");
}

/// What `base_url` may be, and as it is kept. Appends to `faults`.
void approve(ProviderServices const& services, Provider& provider, entity::Faults& faults) {
  auto approved = services.hosts.check(provider.base_url);
  if (approved)
    provider.base_url = std::move(approved->url);
  else
    faults.push_back({"base_url", approved.error().message});
}

/// Keys travel in a header.
void check_key(ProviderInput const& input, entity::Faults& faults) {
  if (input.key && !http::is_visible_ascii(*input.key, key_bytes_max))
    faults.push_back({"key", "must be visible ASCII characters without spaces"});
}

/// The key of a request, sealed. `sent` says whether the request had one, or null.
Task<Result<data::KeyChange>> seal(ProviderServices const& services, Call const& call, ProviderId const& id,
                                   ProviderInput& input, bool sent) {
  data::KeyChange change{.keeps = !sent};
  if (!input.key)
    co_return change;
  auto sealed = co_await services.sealing.seal(call.context.principal.tenant, place_of_key(id), *input.key,
                                               call.context.deadline);
  security::wipe(*input.key);
  if (!sealed)
    co_return fail(std::move(sealed.error()));
  change.sealed = std::move(*sealed);
  co_return change;
}

// ---- handlers ----

/// Those of the settings stand among the others, in the order of ids.
Task<Result<Response>> list(ProviderServices const& services, Call& call) {
  auto const request = page_request(call);
  if (!request)
    co_return fail(request.error());
  auto page = co_await services.store.list(call.context.principal.tenant, *request, call.context.deadline);
  if (!page)
    co_return fail(std::move(page.error()));
  for (auto const& account : services.operators) {
    if (account.id > request->cursor)
      page->items.push_back(shown(account));
  }
  std::ranges::sort(page->items, {}, [](Provider const& provider) { return provider.id.value; });
  if (std::ssize(page->items) > request->limit) {
    page->items.resize(static_cast<std::size_t>(request->limit));
    page->next_cursor = page->items.back().id.value;
  }
  if (page->total)
    *page->total += std::ssize(services.operators);
  co_return list_response("providers", *page);
}

Task<Result<Response>> get(ProviderServices const& services, Call& call) {
  auto const id = provider_id(call);
  if (auto const* account = operators_account(services, id))
    co_return http::json_response(200, entity::to_json(shown(*account)));
  auto stored = co_await services.store.get(call.context.principal.tenant, id, call.context.deadline);
  if (!stored)
    co_return fail(std::move(stored.error()));
  co_return http::entity_response(200, entity::to_json(stored->provider), stored->provider.version);
}

Task<Result<Response>> create(ProviderServices const& services, Call& call) {
  ProviderInput input;
  entity::Faults faults;
  entity::decode_json(model::provider_input(), call.body(), &input, entity::Mode::create, {}, faults);
  if (faults.empty()) {
    approve(services, input.provider, faults);
    check_key(input, faults);
  }
  if (!faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  auto key = co_await seal(services, call, input.provider.id, input, true);
  if (!key)
    co_return fail(std::move(key.error()));
  auto created = co_await services.store.create(call.context.actor(), std::move(input.provider), std::move(key->sealed),
                                                call.context.deadline);
  if (!created)
    co_return fail(std::move(created.error()));
  co_return http::entity_response(201, entity::to_json(*created), created->version, location_of(created->id));
}

/// A key was given for one origin; sent to another it would be told to a stranger.
void guard_key(Provider const& before, Provider const& after, data::KeyChange const& key, entity::Faults& faults) {
  bool const is_taken_along = key.keeps && before.has_key;
  if (is_taken_along && security::origin_of(before.base_url) != security::origin_of(after.base_url)) {
    faults.push_back({"key", "must be given anew, or null, when base_url goes to another host"});
  }
}

Task<Result<Response>> update(ProviderServices const& services, Call& call) {
  auto const id = provider_id(call);
  if (auto ok = require_own(services, id); !ok)
    co_return fail(std::move(ok.error()));
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  ProviderInput input;
  entity::Faults faults;
  auto const sent = entity::decode_json(model::provider_input(), call.body(), &input, entity::Mode::patch, {}, faults);
  check_key(input, faults);
  if (!faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  if (std::ranges::count(sent, true) == 0)
    co_return fail(Code::bad_request, "the body names nothing to change; give at least one field");
  auto const key = co_await seal(services, call, id, input, sent.back());
  if (!key)
    co_return fail(key.error());
  auto const edit = [&](Provider& provider) -> Result<void> {
    ProviderInput next{.provider = provider, .key = {}};
    entity::Faults wrong;
    entity::decode_json(model::provider_input(), call.body(), &next, entity::Mode::patch, {}, wrong);
    if (next.key)
      security::wipe(*next.key);
    approve(services, next.provider, wrong);
    guard_key(provider, next.provider, *key, wrong);
    if (!wrong.empty())
      return fail(entity::invalid(std::move(wrong)));
    provider = std::move(next.provider);
    return {};
  };
  auto updated = co_await services.store.update(call.context.actor(), id, edit, *key, *expected, call.context.deadline);
  if (!updated)
    co_return fail(std::move(updated.error()));
  co_return http::entity_response(200, entity::to_json(*updated), updated->version);
}

Task<Result<Response>> remove(ProviderServices const& services, Call& call) {
  auto const id = provider_id(call);
  if (auto ok = require_own(services, id); !ok)
    co_return fail(std::move(ok.error()));
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  auto done = co_await services.store.remove(call.context.actor(), id, *expected, call.context.deadline);
  if (!done)
    co_return fail(std::move(done.error()));
  co_return message_response("provider '" + id.value + "' is deleted");
}

// ---- test ----

Response report(Probe const& probe) {
  ProviderTest out{.ok = probe.models.has_value(),
                   .latency_ms = probe.latency.count(),
                   .models = probe.models.value_or(std::vector<std::string>{}),
                   .reason = {}};
  if (!probe.models)
    out.reason = probe.models.error().message;
  return described_response(200, out);
}

Task<Result<providers::Account>> find_account(ProviderServices const& services, Call const& call) {
  auto const id = provider_id(call);
  if (auto const* account = operators_account(services, id))
    co_return *account;
  auto const& tenant = call.context.principal.tenant;
  auto stored = co_await services.store.get(tenant, id, call.context.deadline);
  if (!stored)
    co_return fail(std::move(stored.error()));
  co_return co_await account_of({services.store, services.sealing, services.hosts}, tenant, std::move(*stored),
                                call.context.deadline);
}

/// What stands in the way is the answer, not an error: the test was made.
Task<Result<Response>> test(ProviderServices const& services, Call& call) {
  auto account = co_await find_account(services, call);
  if (!account && account.error().code == Code::not_found)
    co_return fail(std::move(account.error()));
  if (!account)
    co_return report({.latency = {}, .models = fail(std::move(account.error()))});
  auto const limit = std::min(call.context.deadline.at, Deadline::after(test_timeout).at);
  auto& client = services.clients.client_for(*account, co_await asio::this_coro::executor);
  auto const made = co_await probe(client, std::move(*account), Deadline{limit});
  co_return report(made);
}

using HandlerOf = Task<Result<Response>> (*)(ProviderServices const&, Call&);

// The services live in the handler, and the handler in the router, as long as any call.
http::Handler bind(ProviderServices const& services, HandlerOf handler) {
  return [services = std::make_shared<ProviderServices const>(services), handler](Call& call) {
    return handler(*services, call);
  };
}

}  // namespace

void add_provider_routes(http::Router& router, ProviderServices const& services) {
  auto const* provider = &entity::entity<Provider>();
  router.add({.method = Method::get,
              .path = "/providers",
              .permission = "providers:read",
              .summary = "List model providers, those of the settings among them",
              .query = list_parameters(),
              .response = provider,
              .list = "providers",
              .handler = bind(services, list)});
  router.add({.method = Method::post,
              .path = "/providers",
              .permission = "providers:write",
              .summary = "Register a model provider; its key is kept sealed",
              .takes = http::Body::json,
              .request = &model::provider_input(),
              .response = provider,
              .success = 201,
              .errors = {Code::conflict},
              .idempotent_key = false,
              .handler = bind(services, create)});
  router.add({.method = Method::get,
              .path = "/providers/{provider_id}",
              .permission = "providers:read",
              .summary = "Read one model provider, without its key",
              .response = provider,
              .errors = {Code::not_found},
              .handler = bind(services, get)});
  router.add({.method = Method::put,
              .path = "/providers/{provider_id}",
              .permission = "providers:write",
              .summary = "Change what is given of a model provider; a key of null is taken away",
              .takes = http::Body::json,
              .request = &model::provider_input(),
              .response = provider,
              .errors = {Code::not_found, Code::version_mismatch, Code::conflict},
              .handler = bind(services, update)});
  router.add({.method = Method::del,
              .path = "/providers/{provider_id}",
              .permission = "providers:write",
              .summary = "Delete a model provider, and its key for good",
              .response = &entity::entity<Message>(),
              .errors = {Code::not_found, Code::version_mismatch, Code::conflict},
              .handler = bind(services, remove)});
  router.add({.method = Method::post,
              .path = "/providers/{provider_id}/test",
              .permission = "providers:write",
              .summary = "Ask a model provider for its models, and say how that went",
              .response = &entity::entity<ProviderTest>(),
              .errors = {Code::not_found},
              .idempotent_key = false,
              .handler = bind(services, test)});
}

}  // namespace al::services::ai_model
