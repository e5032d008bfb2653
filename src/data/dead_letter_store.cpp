#include "data/dead_letter_store.hpp"

#include "data/row_values.hpp"

namespace al::data {

namespace {

using model::DeadLetter;
using model::DeadLetterId;
using model::DeadLetterState;
using storage::Scope;
using storage::Statement;

entity::Entity const& letter_entity = entity::entity<DeadLetter>();
std::string const letter_columns = entity::columns(letter_entity, "d.");

Aggregate const letter_aggregate{.entity = letter_entity, .key = {{"id", "uuid"}}, .id = "u.id"};

Statement const get_letter{"dead_letter.get", "SELECT " + letter_columns +
                                                  " FROM dead_letters d WHERE d.tenant_id = $1 AND d.id = $2"
                                                  " AND d.state <> 'dropped'"};

std::string const letter_filter =
    " FROM dead_letters d WHERE d.tenant_id = $1 AND d.state <> 'dropped'"
    " AND (CAST($2 AS text) IS NULL OR d.consumer = CAST($2 AS text))"
    " AND (CAST($3 AS text) IS NULL OR d.channel = CAST($3 AS text))"
    " AND (CAST($4 AS text) IS NULL OR d.state = CAST($4 AS text))";

Statement const list_letters{"dead_letter.list",
                             "SELECT " + letter_columns + letter_filter + " AND d.id < $5 ORDER BY d.id DESC LIMIT $6"};

Statement const count_letters{"dead_letter.count", "SELECT COUNT(*)" + letter_filter};

Statement const list_ids{"dead_letter.ids", "SELECT d.id" + letter_filter + " ORDER BY d.id LIMIT $5"};

/// Its consumer hears the channel, and finds it by its time.
Change const retry_letter =
    make_update(letter_aggregate, {.name = "dead_letter.retry",
                                   .channel = "dead_letter:retried",
                                   .set = "state = 'retrying', next_try_at = al_now(), is_out_of_order = true",
                                   .where = "t.state = 'parked'"});

/// The event that says so needs the row; so that is deleted afterwards, and nobody sees it in between.
Change const drop_letter = make_update(letter_aggregate, {.name = "dead_letter.drop",
                                                          .channel = "dead_letter:dropped",
                                                          .set = "state = 'dropped', next_try_at = NULL",
                                                          .where = "t.state = 'parked'"});

/// Also those that an earlier drop could not delete any more.
Statement const delete_dropped{"dead_letter.delete",
                               "DELETE FROM dead_letters WHERE tenant_id = $1 AND state = 'dropped'"};

Error no_such_letter(DeadLetterId const& id) {
  return {.code = Code::not_found, .message = "there is no dead letter '" + id.value + "'"};
}

Values filter_values(TenantId const& tenant, DeadLetterFilter const& filter) {
  return {tenant.value, filter.consumer ? Value{*filter.consumer} : Value{},
          filter.channel ? Value{*filter.channel} : Value{},
          filter.state ? entity::type_of<DeadLetterState>().bind(&*filter.state) : Value{}};
}

}  // namespace

Task<Result<DeadLetter>> DeadLetterStore::get(TenantId const& tenant, DeadLetterId const& id, Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::of(tenant), get_letter, {tenant.value, id.value}, deadline);
  if (rows.empty())
    co_return fail(no_such_letter(id));
  co_return entity::from_row<DeadLetter>(rows[0]);
}

Task<Result<Page<DeadLetter>>> DeadLetterStore::list(TenantId const& tenant, DeadLetterFilter filter,
                                                     PageRequest request, Deadline deadline) {
  if (!request.cursor.empty() && !is_uuid(request.cursor))
    co_return fail(wrong_cursor());
  auto params = filter_values(tenant, filter);
  auto const count_params = params;
  params.emplace_back(request.cursor.empty() ? std::string(last_uuid) : normal_uuid(request.cursor));
  params.emplace_back(request.limit + 1);
  auto rows = co_await writer_.database().read(Scope::of(tenant), list_letters, std::move(params), deadline);
  auto page = page_of<DeadLetter>(cut_page(rows, request.limit));
  if (request.count_total) {
    auto const counted = co_await writer_.database().read(Scope::of(tenant), count_letters, count_params, deadline);
    page.total = integer_at(counted.at(0), 0);
  }
  co_return page;
}

/// Why a change was refused.
Task<Error> DeadLetterStore::explain(TenantId const& tenant, DeadLetterId const& id, Deadline deadline) {
  auto const letter = co_await get(tenant, id, deadline);
  if (!letter)
    co_return letter.error();
  auto const state = std::string(boost::describe::enum_to_string(letter->state, "?"));
  co_return Error{
      .code = Code::conflict,
      .message = "dead letter '" + id.value + "' is " + state + "; only a parked one can be retried or " + "dropped"};
}

Task<Result<DeadLetter>> DeadLetterStore::retry(Actor const& actor, DeadLetterId const& id, Deadline deadline) {
  auto row = co_await writer_.write(retry_letter, actor, {id.value}, deadline);
  if (row)
    co_return entity::from_row<DeadLetter>(*row);
  if (row.error().code != Code::conflict)
    co_return fail(std::move(row.error()));
  co_return fail(co_await explain(actor.tenant, id, deadline));
}

Task<std::int64_t> DeadLetterStore::retry_all(Actor const& actor, DeadLetterFilter filter, Deadline deadline) {
  filter.state = DeadLetterState::parked;
  auto params = filter_values(actor.tenant, filter);
  params.emplace_back(page_limit_max);
  auto const rows = co_await writer_.database().read(Scope::of(actor.tenant), list_ids, std::move(params), deadline);
  // All at once, so that they share a round trip; one that changed meanwhile is left out.
  std::vector<Task<Result<Row>>> writes;
  for (auto const& row : rows)
    writes.push_back(writer_.write(retry_letter, actor, {row.at(0)}, deadline));
  std::int64_t retried = 0;
  for (auto const& one : co_await settle(std::move(writes))) {
    if (one.fault)
      std::rethrow_exception(one.fault);
    retried += one.value ? 1 : 0;
  }
  co_return retried;
}

Task<Result<void>> DeadLetterStore::drop(Actor const& actor, DeadLetterId const& id, Deadline deadline) {
  auto row = co_await writer_.write(drop_letter, actor, {id.value}, deadline);
  if (!row && row.error().code != Code::conflict)
    co_return fail(std::move(row.error()));
  if (!row)
    co_return fail(co_await explain(actor.tenant, id, deadline));
  auto done =
      co_await writer_.database().apply({Scope::of(actor.tenant), {{&delete_dropped, {actor.tenant.value}}}}, deadline);
  if (!done)
    co_return fail(std::move(done.error()));
  co_return Result<void>{};
}

}  // namespace al::data
