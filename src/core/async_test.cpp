#include "core/async.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <functional>

namespace al {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

/// How a coroutine ended, as text: "value v", "error v" or "threw v".
template <class T>
std::string outcome(std::exception_ptr const& thrown, Result<T> const& result) {
  if (!thrown) {
    if (!result)
      return "error " + result.error().message;
    if constexpr (std::is_void_v<T>) {
      return "value";
    } else {
      return "value " + *result;
    }
  }
  try {
    std::rethrow_exception(thrown);
  } catch (boost::system::system_error const& fault) {
    return fault.code() == asio::error::operation_aborted ? "threw operation_aborted"
                                                          : "threw " + fault.code().message();
  } catch (std::exception const& fault) {
    return std::string("threw ") + fault.what();
  }
}

constexpr std::string_view long_text = "a value long enough to live on the heap";

Task<Result<std::string>> fine() { co_return std::string(long_text); }

Task<Result<std::string>> refused() { co_return fail(Code::not_found, "no such agent"); }

Task<Result<std::string>> throws() {
  throw std::runtime_error("the database is gone");
  co_return std::string();
}

Task<Result<std::string>> throws_later() {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  throw std::runtime_error("the database is gone");
}

/// Waits for an hour, and says in `ended` how that ended.
Task<Result<std::string>> slow(std::string& ended) {
  try {
    co_await sleep_until(std::chrono::steady_clock::now() + hours(1));
    ended = "slept";
  } catch (boost::system::system_error const& fault) {
    ended = fault.code() == asio::error::operation_aborted ? "cancelled" : fault.what();
    throw;
  }
  co_return std::string("late");
}

/// Does not stop at once when it is cancelled: it has something to put back first.
Task<Result<std::string>> slow_to_stop(bool& put_back) {
  std::string ended;
  bool stopped = false;
  try {
    co_await slow(ended);
  } catch (boost::system::system_error const&) {
    stopped = true;
  }
  if (!stopped)
    co_return std::string("never cancelled");
  co_await asio::this_coro::reset_cancellation_state();
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  put_back = true;
  co_return std::string("too late");
}

Task<Result<void>> nothing() { co_return Result<void>{}; }

template <class T>
std::string run(Task<Result<T>> task) {
  asio::io_context io(1);
  std::string out = "never ended";
  asio::co_spawn(io, std::move(task),
                 [&](std::exception_ptr thrown, Result<T> result) { out = outcome<T>(thrown, result); });
  io.run();
  return out;
}

constexpr std::string_view timed_out = "error the deadline passed before an answer came";

TEST(Within, HandsOnTheValue) {
  EXPECT_EQ(run(within(Deadline::after(hours(1)), fine())), "value " + std::string(long_text));
}

TEST(Within, HandsOnAnExpectedError) {
  EXPECT_EQ(run(within(Deadline::after(hours(1)), refused())), "error no such agent");
}

TEST(Within, RethrowsWhatTheWorkThrew) {
  EXPECT_EQ(run(within(Deadline::after(hours(1)), throws())), "threw the database is gone");
  EXPECT_EQ(run(within(Deadline::after(hours(1)), throws_later())), "threw the database is gone");
}

TEST(Within, WorksForWorkWithoutAValue) { EXPECT_EQ(run(within(Deadline::after(hours(1)), nothing())), "value"); }

TEST(Within, CancelsSlowWorkAndAnswersTimedOut) {
  std::string ended = "nothing";
  EXPECT_EQ(run(within(Deadline::after(milliseconds(1)), slow(ended))), timed_out);
  EXPECT_EQ(ended, "cancelled");
}

TEST(Within, ADeadlineInThePastIsNoDifferent) {
  std::string ended = "nothing";
  EXPECT_EQ(run(within(Deadline::after(-hours(1)), slow(ended))), timed_out);
  EXPECT_EQ(ended, "cancelled");
}

TEST(Within, WaitsForTheEndOfTheWorkThatItCancelled) {
  bool put_back = false;
  EXPECT_EQ(run(within(Deadline::after(milliseconds(1)), slow_to_stop(put_back))), timed_out);
  EXPECT_TRUE(put_back);
}

TEST(Within, TheTimedOutErrorHasItsCode) {
  asio::io_context io(1);
  std::string ended;
  std::optional<Result<std::string>> answer;
  asio::co_spawn(io, within(Deadline::after(milliseconds(1)), slow(ended)),
                 [&](std::exception_ptr, Result<std::string> result) { answer = std::move(result); });
  io.run();
  ASSERT_TRUE(answer && !*answer);
  EXPECT_EQ(answer->error().code, Code::timed_out);
}

TEST(Within, CancellationFromOutsideReachesTheWork) {
  asio::io_context io(1);
  asio::cancellation_signal stop;
  std::string ended = "nothing";
  std::string out = "never ended";
  asio::co_spawn(io, within(Deadline::after(hours(1)), slow(ended)),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr thrown, Result<std::string> result) {
                   out = outcome<std::string>(thrown, result);
                 }));
  io.poll();
  EXPECT_EQ(out, "never ended");
  stop.emit(asio::cancellation_type::terminal);
  io.run();
  EXPECT_EQ(out, "threw operation_aborted");
  EXPECT_EQ(ended, "cancelled");
}

TEST(Within, TheShorterOfTwoNestedDeadlinesCounts) {
  std::string ended = "nothing";
  EXPECT_EQ(run(within(Deadline::after(milliseconds(1)), within(Deadline::after(hours(1)), slow(ended)))), timed_out);
  EXPECT_EQ(ended, "cancelled");
  ended = "nothing";
  EXPECT_EQ(run(within(Deadline::after(hours(1)), within(Deadline::after(milliseconds(1)), slow(ended)))), timed_out);
  EXPECT_EQ(ended, "cancelled");
}

Task<Result<std::string>> sleep_and_measure(SteadyTime until) {
  co_await sleep_until(until);
  co_return std::string(std::chrono::steady_clock::now() >= until ? "in time" : "too early");
}

TEST(SleepUntil, WakesWhenTheTimeHasComeAndNotBefore) {
  auto now = std::chrono::steady_clock::now();
  EXPECT_EQ(run(sleep_and_measure(now + milliseconds(5))), "value in time");
  EXPECT_EQ(run(sleep_and_measure(now - hours(1))), "value in time");
}

// ---- settle ----

std::string settled(std::vector<Task<Result<std::string>>> tasks) {
  asio::io_context io(1);
  std::string out;
  asio::co_spawn(io, settle(std::move(tasks)),
                 [&](std::exception_ptr const& thrown, std::vector<Settled<Result<std::string>>> const& ends) {
                   if (thrown)
                     out = "settle threw";
                   for (auto const& end : ends)
                     out += outcome<std::string>(end.fault, end.value) + "; ";
                 });
  io.run();
  return out;
}

TEST(Settle, WaitsForAllAndKeepsTheirOrder) {
  std::vector<Task<Result<std::string>>> tasks;
  tasks.push_back(throws_later());
  tasks.push_back(sleep_and_measure(std::chrono::steady_clock::now() + milliseconds(2)));
  tasks.push_back(refused());
  tasks.push_back(fine());
  EXPECT_EQ(settled(std::move(tasks)),
            "threw the database is gone; value in time; error no such agent; value " + std::string(long_text) + "; ");
}

TEST(Settle, OfNothingIsNothing) { EXPECT_EQ(settled({}), ""); }

// ---- spawn ----

struct Spawned {
  std::string log;
  std::uint64_t failures;
};

/// What spawning `task` wrote and counted.
Spawned spawned(Task<void> task) {
  auto before = spawn_failures();
  testing::internal::CaptureStderr();
  asio::io_context io(1);
  spawn(io.get_executor(), "relay.poll", std::move(task));
  io.run();
  return {testing::internal::GetCapturedStderr(), spawn_failures() - before};
}

Task<void> throw_it(std::function<void()> thrower) {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  thrower();
}

TEST(Spawn, RunsTheTaskAndIsSilentWhenItEnds) {
  bool ran = false;
  auto [log, failures] = spawned(throw_it([&] { ran = true; }));
  EXPECT_TRUE(ran);
  EXPECT_EQ(log, "");
  EXPECT_EQ(failures, 0U);
}

TEST(Spawn, LogsAndCountsWhatLeavesTheTask) {
  auto [log, failures] = spawned(throw_it([] { throw std::runtime_error("the disk is full"); }));
  EXPECT_TRUE(log.contains(R"("level":"error")")) << log;
  EXPECT_TRUE(log.contains(R"("name":"relay.poll")")) << log;
  EXPECT_TRUE(log.contains("the disk is full")) << log;
  EXPECT_EQ(failures, 1U);
}

TEST(Spawn, LogsAndCountsWhatIsNoStandardException) {
  auto [log, failures] = spawned(throw_it([] { throw 42; }));
  EXPECT_TRUE(log.contains("relay.poll")) << log;
  EXPECT_EQ(failures, 1U);
}

TEST(Spawn, LogsSystemErrorsOtherThanCancellation) {
  auto [log, failures] = spawned(throw_it([] { throw boost::system::system_error(asio::error::connection_reset); }));
  EXPECT_TRUE(log.contains("relay.poll")) << log;
  EXPECT_EQ(failures, 1U);
}

TEST(Spawn, IsSilentAboutCancellation) {
  auto [log, failures] = spawned(throw_it([] { throw boost::system::system_error(asio::error::operation_aborted); }));
  EXPECT_EQ(log, "");
  EXPECT_EQ(failures, 0U);
}

Task<void> sleep_long() { co_await sleep_until(std::chrono::steady_clock::now() + hours(1)); }

TEST(Spawn, ATaskThatNeverEndsDiesWithItsContext) {
  auto before = spawn_failures();
  testing::internal::CaptureStderr();
  {
    asio::io_context io(1);
    spawn(io.get_executor(), "relay.poll", sleep_long());
    io.poll();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(spawn_failures(), before);
}

}  // namespace
}  // namespace al
