#include "data/usage_store.hpp"

#include <cassert>

#include "core/json.hpp"
#include "data/row_values.hpp"

namespace al::data {

namespace {

using storage::Scope;
using storage::Statement;

Statement const add_usage{
    "usage.add",
    "INSERT INTO model_usage AS u (tenant_id, day, principal, provider, model, requests, input_tokens, output_tokens)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_id, day, principal, provider, model)"
    " DO UPDATE SET requests = u.requests + excluded.requests, input_tokens = u.input_tokens + excluded.input_tokens,"
    " output_tokens = u.output_tokens + excluded.output_tokens"};

std::string const columns = "SELECT day, principal, provider, model, requests, input_tokens, output_tokens";
std::string const matching =
    " FROM model_usage WHERE tenant_id = $1 AND ($2 = '' OR principal = $2) AND ($3 = '' OR day >= $3)"
    " AND ($4 = '' OR day <= $4)";

/// The order has days falling and names rising, so the place of a cursor is spelled out.
Statement const list_usage{
    "usage.list", columns + matching +
                      " AND ($5 = '' OR day < $5 OR (day = $5 AND (principal, provider, model) > ($6, $7, $8)))"
                      " ORDER BY day DESC, principal, provider, model LIMIT $9"};
Statement const count_usage{"usage.count", "SELECT COUNT(*)" + matching};

/// A cursor is the key of the last row, as a JSON array.
std::string cursor_after(ModelUsage const& row) {
  std::string out;
  for (auto const* part : {&row.day, &row.principal, &row.provider, &row.model}) {
    out += out.empty() ? '[' : ',';
    json::append_string(out, *part);
  }
  return out + "]";
}

Result<ModelUsage> read_cursor(std::string const& cursor) {
  ModelUsage row;
  if (cursor.empty())
    return row;
  std::vector<std::string> key;
  if (auto const parsed = json::parse(cursor); parsed && parsed->is_array()) {
    for (auto const& part : parsed->get_array())
      key.emplace_back(part.is_string() ? std::string_view(part.get_string()) : std::string_view());
  }
  if (key.size() != 4 || key[0].empty())
    return fail(wrong_cursor());
  row.day = std::move(key[0]);
  row.principal = std::move(key[1]);
  row.provider = std::move(key[2]);
  row.model = std::move(key[3]);
  return row;
}

ModelUsage read_row(Row& row) {
  auto const text = [&](std::size_t i) { return std::move(std::get<std::string>(row.at(i))); };
  auto const number = [&](std::size_t i) { return std::get<std::int64_t>(row.at(i)); };
  return {.day = text(0),
          .principal = text(1),
          .provider = text(2),
          .model = text(3),
          .requests = number(4),
          .input_tokens = number(5),
          .output_tokens = number(6)};
}

}  // namespace

Task<void> UsageStore::add(TenantId const& tenant, std::vector<ModelUsage> const& rows, Deadline deadline) {
  assert(rows.size() <= rows_max);
  if (rows.empty())
    co_return;
  storage::Batch batch{Scope::of(tenant), {}};
  for (auto const& row : rows) {
    Values params{tenant.value, row.day,      row.principal,    row.provider,
                  row.model,    row.requests, row.input_tokens, row.output_tokens};
    batch.steps.push_back({&add_usage, std::move(params)});
  }
  auto const done = co_await database_.apply(std::move(batch), deadline);
  if (!done)
    throw Fault("adding to the usage was refused: " + done.error().message);
}

Task<Result<Page<ModelUsage>>> UsageStore::list(TenantId const& tenant, Filter filter, PageRequest request,
                                                Deadline deadline) {
  auto const after = read_cursor(request.cursor);
  if (!after)
    co_return fail(after.error());
  Values const common{tenant.value, filter.principal, filter.from, filter.to};
  auto params = common;
  // One more than is shown tells whether there is a next page.
  params.insert(params.end(), {Value{after->day}, Value{after->principal}, Value{after->provider}, Value{after->model},
                               Value{request.limit + 1}});
  auto rows = co_await database_.read(Scope::of(tenant), list_usage, std::move(params), deadline);
  auto page = page_of(cut_page(rows, request.limit), read_row, cursor_after);
  if (request.count_total) {
    auto const counted = co_await database_.read(Scope::of(tenant), count_usage, common, deadline);
    page.total = integer_at(counted.at(0), 0);
  }
  co_return page;
}

}  // namespace al::data
