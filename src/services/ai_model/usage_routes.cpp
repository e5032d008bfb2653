#include "services/ai_model/routes.hpp"
#include "services/common/reply.hpp"

namespace al::services::ai_model {
namespace {

using http::Call;
using http::Response;

bool is_day(std::string_view text) { return text.size() == 10 && parse_time(std::string(text) + "T00:00:00Z"); }

Task<Result<Response>> list_usage(Models models, Call& call) {
  auto const request = page_request(call);
  if (!request)
    co_return fail(request.error());
  data::UsageStore::Filter filter;
  auto const& principal = call.context.principal;
  auto const wanted = call.query("principal");
  bool const sees_all = principal.may("usage:read");
  if (!sees_all && wanted && *wanted != principal.id)
    co_return fail(Code::forbidden, "The usage of others needs the permission 'usage:read'.");
  filter.principal = sees_all ? std::string(wanted.value_or("")) : principal.id;
  std::vector<FieldFault> faults;
  for (auto const& [name, day] : {std::pair{"from", &filter.from}, std::pair{"to", &filter.to}}) {
    *day = std::string(call.query(name).value_or(""));
    if (!day->empty() && !is_day(*day))
      faults.push_back({name, "must be a day, as 2026-01-31"});
  }
  if (!faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  auto const page =
      co_await models.usage_store.list(principal.tenant, std::move(filter), *request, call.context.deadline);
  if (!page)
    co_return fail(page.error());
  co_return list_response("usage", *page);
}

}  // namespace

void add_usage_routes(http::Router& router, Models const& models) {
  router.add({.method = http::Method::get,
              .path = "/models/usage",
              .permission = "models:use",
              .summary = "What was used of models, by day, caller, provider and model; of others with usage:read",
              .query = list_parameters({{.name = "principal", .doc = "Only of this caller."},
                                        {.name = "from", .doc = "The first day, as 2026-01-31."},
                                        {.name = "to", .doc = "The last day."}}),
              .response = &entity::entity<data::ModelUsage>(),
              .list = "usage",
              .handler = [models](Call& call) { return list_usage(models, call); }});
}

}  // namespace al::services::ai_model
