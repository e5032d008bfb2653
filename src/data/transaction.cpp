#include "data/transaction.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "core/backoff.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"

namespace al::data {

namespace {

using storage::Guard;
using storage::Scope;
using storage::Statement;

/// An owner who asks again, because its answer was lost, has its turn again.
Statement const take_turn{"fence.take",
                          "INSERT INTO fences AS f (tenant_id, name, token, owner, leased_until)"
                          " VALUES ($1, $2, 1, $3, al_after($4)) ON CONFLICT (tenant_id, name)"
                          " DO UPDATE SET token = f.token + 1, owner = excluded.owner,"
                          " leased_until = excluded.leased_until"
                          " WHERE f.leased_until <= al_now() OR f.owner = excluded.owner RETURNING token"};
/// Counts up too: a write of this turn that is still on its way comes too late.
Statement const end_turn{"fence.end",
                         "UPDATE fences SET token = token + 1, owner = '', leased_until = al_now()"
                         " WHERE tenant_id = $1 AND name = $2 AND token = $3"};

constexpr std::chrono::milliseconds retry_first{10};
constexpr std::chrono::milliseconds retry_longest{250};
constexpr std::chrono::seconds end_limit{5};
constexpr std::size_t reason_bytes_max = 1'000;

Result<void> check_options(TransactionOptions const& options) {
  entity::Faults faults;
  if (!is_text_id(options.name))
    faults.push_back({"name", "must be 1 to 255 bytes of text without control characters"});
  if (options.limit.count() < 1 || options.limit > TransactionOptions::limit_max) {
    faults.push_back({"limit", "must be 1 to " + std::to_string(TransactionOptions::limit_max.count()) +
                                   " milliseconds, is " + std::to_string(options.limit.count())});
  }
  if (!faults.empty())
    return fail(entity::invalid(std::move(faults)));
  return {};
}

/// One try; the answer is the token. Errors: conflict while somebody else has the turn, and when the outcome is not
/// known: the same owner then tries again.
Task<Result<std::int64_t>> try_turn(storage::Database& database, TenantId const& tenant, std::string const& owner,
                                    TransactionOptions const& options, Deadline deadline) {
  std::chrono::microseconds const lease = options.limit + options.limit / 5;
  storage::Batch batch{Scope::of(tenant), {}};
  batch.steps.push_back({&take_turn, {tenant.value, options.name, owner, lease.count()}, Guard::must_match});
  try {
    auto done = co_await database.apply(std::move(batch), deadline);
    if (!done)
      co_return fail(std::move(done.error()));
    co_return std::get<std::int64_t>(done->at(0).at(0).at(0));
  } catch (OutcomeUnknown const&) {
    co_return fail(Code::conflict, "the answer was lost");
  }
}

std::string alert_data(Transaction const& transaction, std::string const& failure, std::string const& service) {
  std::string out = R"({"type":"transaction_failed")";
  auto const add = [&out](std::string_view key, std::string_view text) {
    out.append(",\"").append(key).append("\":");
    json::append_string(out, text);
  };
  add("tx_id", transaction.id);
  add("name", transaction.fence.name);
  // Where the text is no UTF-8 it ends, or it could not be told at all.
  add("error", utf8::shortened(std::string_view(failure).substr(0, utf8::valid_prefix(failure)), reason_bytes_max));
  add("service", service);
  return out + "}";
}

void log_failure(std::string_view what, Transaction const& transaction, std::string_view reason) {
  log::error(what, {{"tx_id", transaction.id}, {"name", transaction.fence.name}, {"reason", reason}});
}

/// What `task` throws or answers as an error is logged under `what`.
template <class T>
Task<void> log_when_it_fails(std::string_view what, Transaction const& transaction, Task<Result<T>> task) {
  try {
    auto const done = co_await std::move(task);
    if (!done)
      log_failure(what, transaction, done.error().message);
  } catch (Fault const& fault) {
    log_failure(what, transaction, fault.what());
  }
}

}  // namespace

Task<Result<Transaction>> begin_transaction(EventStore& events, TenantId tenant, TransactionOptions options,
                                            Deadline deadline) {
  if (auto ok = check_options(options); !ok)
    co_return fail(std::move(ok.error()));
  auto& writer = events.writer();
  auto const id = writer.new_uuid();
  Backoff backoff{retry_first, retry_longest};
  while (true) {
    // Counted from before the lease begins, so that it ends here first.
    auto const end = Deadline::after(options.limit);
    auto const token = co_await try_turn(writer.database(), tenant, id, options, deadline);
    if (token) {
      Fence const fence{options.name, *token};
      co_return Transaction{.id = id, .fence = fence, .deadline = end, .writer = writer.behind(fence)};
    }
    if (token.error().code != Code::conflict)
      co_return fail(token.error());
    auto const pause = backoff.next(writer.random().below(std::uint64_t{1} << 32));
    if (deadline.left() <= pause)
      co_return fail(Code::conflict, "'" + options.name + "' is being worked on by another transaction; try later");
    co_await sleep_until(std::chrono::steady_clock::now() + pause);
  }
}

Task<void> end_transaction(EventStore& events, Actor actor, Transaction transaction,
                           std::optional<std::string> failure) {
  auto const deadline = Deadline::after(end_limit);
  storage::Batch batch{Scope::of(actor.tenant), {}};
  batch.steps.push_back(
      {&end_turn, {actor.tenant.value, transaction.fence.name, transaction.fence.token}, Guard::must_match});
  // Before the alert: whoever reads it finds all that the transaction did.
  co_await log_when_it_fails("a transaction's turn could not be given back", transaction,
                             events.writer().database().apply(std::move(batch), deadline));
  if (!failure)
    co_return;
  log_failure("a transaction failed", transaction, *failure);
  NewEvent alert{"system:alert", {alert_data(transaction, *failure, events.writer().service())}};
  co_await log_when_it_fails(
      "a failed transaction could not be reported", transaction,
      events.append(std::move(actor), {"system", transaction.id}, 0, {std::move(alert)}, deadline));
}

std::string reason_of(Transaction const& transaction, std::exception_ptr const& thrown) {
  constexpr std::string_view what = "a transaction's work threw";
  try {
    std::rethrow_exception(thrown);
  } catch (boost::system::system_error const& error) {
    if (error.code() == asio::error::operation_aborted)
      return "it was cancelled";
    log_failure(what, transaction, error.what());
  } catch (std::exception const& error) {
    log_failure(what, transaction, error.what());
  } catch (...) {
    log_failure(what, transaction, "something that is no std::exception");
  }
  return "a fault ended it; the service's log says which";
}

}  // namespace al::data
