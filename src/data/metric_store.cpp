#include "data/metric_store.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/json.hpp"
#include "core/log.hpp"
#include "data/row_values.hpp"

namespace al::data {

namespace {

using storage::Scope;
using storage::Statement;

constexpr std::chrono::seconds flush_interval{1};
constexpr std::chrono::seconds flush_timeout{30};

/// Sums of as many values as a table can hold stay finite.
constexpr double value_max = 1e290;
constexpr std::size_t tags_max = 20;

/// $2 is an array of objects, times as microseconds: a list of parameters for each value would be long.
Statement const add_metrics{
    "metrics.record",
    "INSERT INTO metrics (tenant_id, service, name, value, tags, timestamp)"
    " SELECT $1, r.service, r.name, r.value, r.tags, timestamptz 'epoch' + r.at * interval '1 microsecond'"
    " FROM json_to_recordset(CAST($2 AS json))"
    " AS r(service text, name text, value double precision, tags json, at bigint)",
    "INSERT INTO metrics (tenant_id, service, name, value, tags, timestamp)"
    " SELECT $1, value ->> 'service', value ->> 'name', value ->> 'value', value -> 'tags', value ->> 'at'"
    " FROM json_each($2)"};

/// The least value that so many in a hundred of the stretch do not exceed.
std::string nearest_rank(int percent) {
  return ", MAX(CASE WHEN b.rank = (b.size * " + std::to_string(percent) + " + 99) / 100 THEN b.value END)";
}

/// `bucket` is the dialect's begin of a value's stretch, `tagged` its condition that the value has all tags of $7.
/// $4 from, $5 to, $6 microseconds of a stretch. The mean is made of the sum: PostgreSQL's avg() overflows earlier.
std::string select_buckets(std::string const& bucket, std::string const& tagged) {
  return "SELECT b.start, COUNT(*), MIN(b.value), MAX(b.value), SUM(b.value),"
         " MAX(CASE WHEN b.place = 1 THEN b.value END)" +
         nearest_rank(50) + nearest_rank(95) + nearest_rank(99) + " FROM (SELECT " + bucket +
         " AS start, m.value, ROW_NUMBER() OVER (PARTITION BY " + bucket +
         " ORDER BY m.timestamp DESC, m.seq DESC) AS place, ROW_NUMBER() OVER (PARTITION BY " + bucket +
         " ORDER BY m.value) AS rank, COUNT(*) OVER (PARTITION BY " + bucket +
         ") AS size FROM metrics m"
         " WHERE m.tenant_id = $1 AND m.name = $2 AND (CAST($3 AS text) = '' OR m.service = CAST($3 AS text))"
         " AND m.timestamp >= $4 AND m.timestamp < $5 AND (CAST($7 AS text) = '{}' OR " +
         tagged + ")) b GROUP BY b.start ORDER BY b.start";
}
Statement const query_buckets{
    "metrics.query",
    select_buckets("date_bin(CAST($6 AS bigint) * interval '1 microsecond', m.timestamp, $4)",
                   "CAST(m.tags AS jsonb) @> CAST(CAST($7 AS text) AS jsonb)"),
    select_buckets("$4 + (m.timestamp - $4) / $6 * $6",
                   "NOT EXISTS (SELECT 1 FROM json_each($7) w WHERE NOT EXISTS"
                   " (SELECT 1 FROM json_each(m.tags) t WHERE t.key = w.key AND t.value = w.value))")};

/// Goes from name to name along the index: a DISTINCT would read every value.
Statement const list_names{
    "metrics.names",
    "WITH RECURSIVE n(name, place) AS ("
    "SELECT (SELECT m.name FROM metrics m WHERE m.tenant_id = $1 AND m.name > $2 ORDER BY m.name LIMIT 1), 1"
    " UNION ALL SELECT (SELECT m.name FROM metrics m WHERE m.tenant_id = $1 AND m.name > n.name"
    " ORDER BY m.name LIMIT 1), n.place + 1 FROM n WHERE n.name IS NOT NULL AND n.place < $3)"
    " SELECT n.name, v.service, v.value, v.timestamp FROM n JOIN metrics v ON v.tenant_id = $1 AND v.seq ="
    " (SELECT m.seq FROM metrics m WHERE m.tenant_id = $1 AND m.name = n.name"
    " ORDER BY m.timestamp DESC, m.seq DESC LIMIT 1) ORDER BY n.place"};

bool is_name(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == ':' || c == '-';
  });
}

bool are_tags(Document const& tags) {
  auto const parsed = json::parse(tags.text);
  return parsed && parsed->is_object() && parsed->get_object().size() <= tags_max &&
         std::ranges::all_of(parsed->get_object(), [](auto const& tag) { return tag.value().is_string(); });
}

void check(model::Metric const& metric, std::string const& path, Timestamp now, entity::Faults& faults) {
  constexpr auto characters = "may hold letters, digits and _ . : - only";
  if (!is_name(metric.service))
    faults.push_back({path + ".service", characters});
  if (!is_name(metric.name))
    faults.push_back({path + ".name", characters});
  if (!(std::abs(metric.value) <= value_max))
    faults.push_back({path + ".value", "must be from -1e290 to 1e290"});
  if (!are_tags(metric.tags))
    faults.push_back({path + ".tags", "must be an object of at most 20 texts"});
  if (metric.timestamp &&
      (*metric.timestamp < now - MetricStore::past_max || *metric.timestamp > now + MetricStore::ahead_max)) {
    faults.push_back({path + ".timestamp", "must be within the last 30 days, and at most an hour ahead"});
  }
}

std::string rows_text(std::vector<model::Metric> const& metrics, Timestamp now) {
  std::string out = "[";
  for (auto const& metric : metrics) {
    out += out.size() > 1 ? R"(,{"service":)" : R"({"service":)";
    json::append_string(out, metric.service);
    out += R"(,"name":)";
    json::append_string(out, metric.name);
    out += R"(,"value":)";
    json::append_number(out, metric.value);
    out.append(R"(,"tags":)").append(metric.tags.text).append(R"(,"at":)");
    out.append(std::to_string(metric.timestamp.value_or(now).time_since_epoch().count())).append("}");
  }
  return out + "]";
}

entity::Faults faults_of(MetricStore::Query const& query) {
  if (query.from >= query.to)
    return {{"from", "must be before `to`"}};
  if (query.to - query.from > MetricStore::range_max)
    return {{"from", "must be at most 400 days before `to`"}};
  if (query.step < std::chrono::seconds{1} || query.step > MetricStore::range_max)
    return {{"step", "must be from a second to 400 days"}};
  if ((query.to - query.from + query.step - std::chrono::microseconds{1}) / query.step > MetricStore::buckets_max)
    return {{"step", "would make more than 1000 buckets; ask for longer ones, or for less time"}};
  return {};
}

model::MetricName read_name(Row const& row) {
  return {.name = value_at<std::string>(row, 0),
          .service = value_at<std::string>(row, 1),
          .value = value_at<double>(row, 2),
          .timestamp = value_at<Timestamp>(row, 3)};
}

}  // namespace

Task<Result<void>> MetricStore::record(TenantId tenant, std::vector<model::Metric> metrics, Deadline deadline) {
  assert(metrics.size() <= rows_max);
  if (metrics.empty())
    co_return Result<void>{};
  auto const now = clock_.now();
  entity::Faults faults;
  for (std::size_t i = 0; i < metrics.size() && faults.size() < entity::faults_max; ++i)
    check(metrics[i], "metrics[" + std::to_string(i) + "]", now, faults);
  if (!faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  Values params{tenant.value, rows_text(metrics, now)};
  storage::Batch batch{Scope::of(std::move(tenant)), {}};
  batch.steps.push_back({&add_metrics, std::move(params)});
  auto const done = co_await database_.apply(std::move(batch), deadline);
  if (!done)
    co_return fail(done.error());
  co_return Result<void>{};
}

Task<Result<std::vector<model::MetricBucket>>> MetricStore::query(TenantId tenant, Query query, Deadline deadline) {
  if (auto faults = faults_of(query); !faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  std::int64_t const step_us = std::chrono::microseconds(query.step).count();
  Values params{tenant.value, std::move(query.name), std::move(query.service), query.from, query.to,
                step_us,      std::move(query.tags)};
  auto const rows = co_await database_.read(Scope::of(std::move(tenant)), query_buckets, std::move(params), deadline);
  std::vector<model::MetricBucket> buckets;
  buckets.reserve(rows.size());
  for (auto const& row : rows) {
    auto const number = [&](std::size_t i) { return value_at<double>(row, i); };
    auto const count = value_at<std::int64_t>(row, 1);
    buckets.push_back({.start = value_at<Timestamp>(row, 0),
                       .count = count,
                       .min = number(2),
                       .max = number(3),
                       .mean = number(4) / static_cast<double>(count),
                       .sum = number(4),
                       .last = number(5),
                       .p50 = number(6),
                       .p95 = number(7),
                       .p99 = number(8)});
  }
  co_return buckets;
}

Task<Page<model::MetricName>> MetricStore::names(TenantId tenant, PageRequest request, Deadline deadline) {
  // One more than is shown tells whether there is a next page.
  Values params{tenant.value, std::move(request.cursor), request.limit + 1};
  auto rows = co_await database_.read(Scope::of(std::move(tenant)), list_names, std::move(params), deadline);
  co_return page_of(cut_page(rows, request.limit), read_name, [](auto const& name) { return name.name; });
}

void MetricBuffer::add(TenantId const& tenant, model::Metric metric) {
  if (!metric.timestamp)
    metric.timestamp = clock_.now();
  std::scoped_lock const lock(mutex_);
  if (waiting_.size() >= waiting_max) {
    ++dropped_;
    return;
  }
  waiting_.emplace_back(tenant, std::move(metric));
}

std::uint64_t MetricBuffer::dropped() const {
  std::scoped_lock const lock(mutex_);
  return dropped_;
}

Task<void> MetricBuffer::run() {
  for (;;) {
    co_await sleep_until(std::chrono::steady_clock::now() + flush_interval);
    try {
      co_await flush(Deadline::after(flush_timeout));
    } catch (Fault const& fault) {
      log::warning("measured values could not be stored yet", {{"error", std::string_view(fault.what())}});
    }
  }
}

std::vector<MetricBuffer::Waiting> MetricBuffer::take() {
  std::scoped_lock const lock(mutex_);
  std::vector<Waiting> taken;
  while (!waiting_.empty() && taken.size() < rows_per_write &&
         (taken.empty() || waiting_.front().first == taken.front().first)) {
    taken.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return taken;
}

void MetricBuffer::add_back(std::vector<Waiting> taken) {
  std::scoped_lock const lock(mutex_);
  waiting_.insert(waiting_.begin(), std::make_move_iterator(taken.begin()), std::make_move_iterator(taken.end()));
}

Task<void> MetricBuffer::flush(Deadline deadline) {
  for (auto taken = take(); !taken.empty(); taken = take()) {
    std::vector<model::Metric> metrics;
    metrics.reserve(taken.size());
    for (auto const& [tenant, metric] : taken)
      metrics.push_back(metric);
    Result<void> done;
    try {
      done = co_await store_.record(taken.front().first, std::move(metrics), deadline);
    } catch (Unavailable const&) {
      add_back(std::move(taken));
      throw;
    }
    if (!done)
      log::error("measured values were refused", {{"error", std::string_view(done.error().message)}});
  }
}

}  // namespace al::data
