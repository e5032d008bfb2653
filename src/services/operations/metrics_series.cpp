#include "services/operations/metrics_series.hpp"

#include <ranges>

#include "services/common/reply.hpp"

namespace al::services::operations {

struct Recorded {
  std::int64_t recorded = 0;
};
BOOST_DESCRIBE_STRUCT(Recorded, (), (recorded))

constexpr auto describe(std::type_identity<Recorded>) {
  return entity::about("Recorded", "", "Values that are durable.", entity::field<&Recorded::recorded>("How many."));
}

/// Before the buckets.
struct SeriesHead {
  std::string name;
  Timestamp from{};
  Timestamp to{};
  std::int64_t step = 0;
};
BOOST_DESCRIBE_STRUCT(SeriesHead, (), (name, from, to, step))

constexpr auto describe(std::type_identity<SeriesHead>) {
  using namespace entity;
  return about("MetricSeries", "", "The values of a metric over time.", field<&SeriesHead::name>("The metric."),
               field<&SeriesHead::from>("The first moment, UTC."),
               field<&SeriesHead::to>("The first moment that does not count, UTC."),
               field<&SeriesHead::step>("Seconds of a bucket."));
}

namespace {

using data::MetricStore;
using http::Call;
using http::Method;
using http::Response;

constexpr std::size_t batch_bytes_max = 4 << 20;
constexpr std::chrono::hours range_default{1};
constexpr std::int64_t buckets_default = 60;
constexpr std::int64_t step_max = std::chrono::seconds(MetricStore::range_max).count();

Task<Result<Response>> record(MetricsSeries series, Call& call) {
  auto batch = entity::from_json<model::MetricBatch>(call.body());
  if (!batch)
    co_return fail(std::move(batch.error()));
  auto const count = std::ssize(batch->metrics);
  auto const done =
      co_await series.metrics.record(call.context.principal.tenant, std::move(batch->metrics), call.context.deadline);
  if (!done)
    co_return fail(done.error());
  co_return described_response(201, Recorded{count});
}

/// The time of a parameter, or `fallback`.
Timestamp time_of(Call const& call, std::string_view name, Timestamp fallback, entity::Faults& faults) {
  auto const text = call.query(name);
  if (!text)
    return fallback;
  auto const time = parse_time(*text);
  if (!time)
    faults.push_back({std::string(name), "must be a time, as 2026-01-31T12:00:00Z"});
  return time.value_or(fallback);
}

/// "host:a,zone:b" as a JSON object.
std::string tags_of(Call const& call, entity::Faults& faults) {
  ObjectText tags;
  for (auto part : std::views::split(call.query("tags").value_or(""), ',')) {
    std::string_view const tag{part.begin(), part.end()};
    auto const colon = tag.find(':');
    if (tag.empty())
      continue;
    if (colon == 0 || colon == std::string_view::npos) {
      faults.push_back({"tags", "must be name:value, several with commas"});
      return "{}";
    }
    tags.text(tag.substr(0, colon), tag.substr(colon + 1));
  }
  return tags.done();
}

/// Errors: invalid, with every wrong parameter.
Result<MetricStore::Query> query_of(Call const& call, Timestamp now) {
  entity::Faults faults;
  MetricStore::Query query{.name = std::string(call.query("name").value_or("")),
                           .service = std::string(call.query("service").value_or("")),
                           .tags = tags_of(call, faults)};
  query.to = time_of(call, "to", now, faults);
  query.from = time_of(call, "from", query.to - range_default, faults);
  auto const range = std::chrono::floor<std::chrono::seconds>(query.to - query.from).count();
  auto const step = call.query_int("step", std::clamp(range / buckets_default, std::int64_t{1}, step_max), 1, step_max);
  if (step)
    query.step = std::chrono::seconds{*step};
  else
    faults.insert(faults.end(), step.error().faults.begin(), step.error().faults.end());
  if (!faults.empty())
    return fail(entity::invalid(std::move(faults)));
  return query;
}

Task<Result<Response>> show(MetricsSeries series, Call& call) {
  auto query = query_of(call, series.clock.now());
  if (!query)
    co_return fail(std::move(query.error()));
  ObjectText head(SeriesHead{.name = query->name, .from = query->from, .to = query->to, .step = query->step.count()});
  auto buckets = co_await series.metrics.query(call.context.principal.tenant, std::move(*query), call.context.deadline);
  if (!buckets)
    co_return fail(std::move(buckets.error()));
  co_return list_response("buckets", data::Page<model::MetricBucket>{std::move(*buckets), {}, {}}, std::move(head));
}

Task<Result<Response>> names(MetricsSeries series, Call& call) {
  auto const limit = call.query_int("limit", data::page_limit_default, 1, data::page_limit_max);
  if (!limit)
    co_return fail(limit.error());
  data::PageRequest request{.limit = *limit, .cursor = std::string(call.query("cursor").value_or(""))};
  auto const page =
      co_await series.metrics.names(call.context.principal.tenant, std::move(request), call.context.deadline);
  co_return list_response("metrics", page);
}

template <class F>
http::Handler bind(MetricsSeries const& series, F handler) {
  return [series, handler](Call& call) { return handler(series, call); };
}

}  // namespace

void add_metrics_series_routes(http::Router& router, MetricsSeries const& series) {
  router.add({.method = Method::post,
              .path = "/metrics/series",
              .permission = "metrics:write",
              .summary = "Record measured values, all or none; durable when it answers",
              .takes = http::Body::json,
              .request = &entity::entity<model::MetricBatch>(),
              .response = &entity::entity<Recorded>(),
              .success = 201,
              .body_max = batch_bytes_max,
              .repeatable = false,
              .handler = bind(series, record)});
  router.add({.method = Method::get,
              .path = "/metrics/series",
              .permission = "metrics:read",
              .summary = "The values of a metric over time, in buckets of equal length",
              .query = {{.name = "name", .doc = "Which metric.", .required = true},
                        {.name = "service", .doc = "Only what this service measured."},
                        {.name = "tags", .doc = "Only values with these tags: host:a,zone:b"},
                        {.name = "from", .doc = "The first moment; an hour before `to` when left out."},
                        {.name = "to", .doc = "The first moment that does not count; now when left out."},
                        {.name = "step",
                         .doc = "Seconds of a bucket; a sixtieth of the time when left out. 1000 buckets at most.",
                         .type = "integer"}},
              .response = &entity::entity<model::MetricBucket>(),
              .list = "buckets",
              .head = &entity::entity<SeriesHead>(),
              .handler = bind(series, show)});
  router.add({.method = Method::get,
              .path = "/metrics/names",
              .permission = "metrics:read",
              .summary = "The metrics that have values, each with its latest",
              .query = {{.name = "limit", .doc = "How many at most, 1 to 500; 50 when left out.", .type = "integer"},
                        {.name = "cursor", .doc = "`next_cursor` of the page before."}},
              .response = &entity::entity<model::MetricName>(),
              .list = "metrics",
              .handler = bind(series, names)});
}

}  // namespace al::services::operations
