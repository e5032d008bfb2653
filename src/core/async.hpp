#pragma once
/// Coroutine helpers. Rules: STYLE "Coroutines"; g++ 12 miscompiles coroutines, the build insists on clang.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace al {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

/// Runs `task` on its own. An exception that leaves it is logged under `name` and counted, never lost; cancellation at
/// shutdown is not an error.
void spawn(asio::any_io_executor executor, std::string_view name, Task<void> task);

/// How many spawned tasks ended in an exception, for `/metrics`.
[[nodiscard]] std::uint64_t spawn_failures();

/// Waits; wakes early only by cancellation (then it throws `operation_aborted`).
[[nodiscard]] Task<void> sleep_until(SteadyTime);

/// Runs `work` until `deadline`; then cancels it, waits for its end and answers timed_out.
/// An exception of `work` is rethrown. `a || b` of Boost 1.81 loses it and reports false time-outs.
template <class T>
[[nodiscard]] Task<Result<T>> within(Deadline deadline, Task<Result<T>> work) {
  auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, deadline.at);
  auto race = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(work), asio::deferred),
                                                      timer.async_wait(asio::deferred));
  auto [order, thrown, value, timer_error] =
      co_await race.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (order[0] == 1 && !timer_error) {
    co_return fail(Code::timed_out, "the deadline passed before an answer came");
  }
  if (thrown)
    std::rethrow_exception(thrown);
  co_return std::move(value);
}

/// How one of several tasks ended.
template <class T>
struct Settled {
  std::exception_ptr fault;  ///< what it threw, or null
  T value;
};

/// Runs the tasks at the same time on this executor and waits for all; an exception of one does not end the others.
template <class T>
[[nodiscard]] Task<std::vector<Settled<T>>> settle(std::vector<Task<T>> tasks) {
  std::vector<Settled<T>> out;
  if (tasks.empty())
    co_return out;
  auto const executor = co_await asio::this_coro::executor;
  using Running = decltype(asio::co_spawn(executor, std::declval<Task<T>>(), asio::deferred));
  std::vector<Running> running;
  running.reserve(tasks.size());
  for (auto& task : tasks)
    running.push_back(asio::co_spawn(executor, std::move(task), asio::deferred));
  auto [order, faults, values] = co_await asio::experimental::make_parallel_group(std::move(running))
                                     .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
  out.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    out.push_back({faults[i], std::move(values[i])});
  co_return out;
}

}  // namespace al
