#pragma once
/// A piece of work of several writes that one at a time may do: under a lock by name, with a fencing token and a time
/// limit.
///
/// Lock and token are one row of the table `fences`: to take the turn is to set owner and lease and to count the token
/// up, under the guard that the last lease is over by the database's clock. There is no lock in Redis beside it: that
/// one could be held by two, so the row would have to decide all the same; it would be a second thing that can fail,
/// and its tokens would not outlive it. The row works on both databases, and the token is checked in the transaction
/// that writes. (cache/locks.hpp is for work whose effects are not in the database.)
///
/// A holder that was paused past its lease finds its token outdated: its next write is refused. A turn also ends with
/// its token, so that when distributed_transaction() has returned, none of its writes is still to come, not even one
/// whose caller was cancelled. What was written before stays: there is no roll-back, the events tell what is to be
/// undone.
///
/// Names are of things (`agent:writer`), not of runs: each keeps its row for ever, so that tokens never fall.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "data/event_store.hpp"

namespace al::data {

struct TransactionOptions {
  std::string name;  ///< 1 to 255 bytes of text; of the actor's tenant
  /// The time that the work has. The lease is a fifth longer, so a holder that runs stops before it ends.
  std::chrono::milliseconds limit{30'000};

  static constexpr std::chrono::milliseconds limit_max{3'600'000};
};

/// What the work is given.
struct Transaction {
  std::string id;
  Fence fence;        ///< its token may also fence things outside the database
  Deadline deadline;  ///< of the whole work; hand it on to calls
  Writer writer;      ///< refuses once the turn is over; make the stores of the work over it
};

/// Takes the turn; while somebody else has it, tries with back-off until `deadline`.
/// Errors: conflict (held until then), invalid.
[[nodiscard]] Task<Result<Transaction>> begin_transaction(EventStore&, TenantId, TransactionOptions, Deadline);

/// Gives the turn back, and reports the failure, if it was one, as an event `system:alert` of the aggregate `system`
/// whose id is the transaction's:
///   {"type":"transaction_failed","tx_id":…,"name":…,"error":…,"service":…}
/// Never fails: what it cannot do is logged, and the lease ends by itself.
[[nodiscard]] Task<void> end_transaction(EventStore&, Actor, Transaction, std::optional<std::string> failure);

/// What an alert may tell of an exception. Its own words go to the log: they may name hosts and files.
[[nodiscard]] std::string reason_of(Transaction const&, std::exception_ptr const&);

/// Runs `work` as a transaction, once. `deadline` is for the turn to come; the work has `options.limit`.
/// Errors: as begin_transaction, and then nothing is reported; those of the work, among them lease_lost (its writer
/// refused); timed_out, when the limit was reached: the work is then cancelled, and its end waited for. Exceptions of
/// the work are rethrown. `events` outlives the executor's work, since after a cancellation the end runs on its own.
template <class T>
[[nodiscard]] Task<Result<T>> distributed_transaction(EventStore& events, Actor actor, TransactionOptions options,
                                                      Deadline deadline,
                                                      std::function<Task<Result<T>>(Transaction&)> work) {
  auto const executor = co_await asio::this_coro::executor;
  auto begun = co_await begin_transaction(events, actor.tenant, std::move(options), deadline);
  if (!begun)
    co_return fail(std::move(begun.error()));
  Result<T> answer = fail(Code::internal, "the work gave no answer");
  std::exception_ptr thrown;
  std::optional<std::string> failure;
  try {
    answer = co_await within(begun->deadline, work(*begun));
    if (!answer)
      failure = answer.error().message;
  } catch (...) {
    thrown = std::current_exception();
    failure = reason_of(*begun, thrown);
  }
  auto ending = end_transaction(events, std::move(actor), *begun, std::move(failure));
  // A cancelled coroutine can wait for nothing more.
  auto const cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() == asio::cancellation_type::none) {
    co_await std::move(ending);
  } else {
    spawn(executor, "transaction.end", std::move(ending));
  }
  if (thrown)
    std::rethrow_exception(thrown);
  co_return answer;
}

}  // namespace al::data
