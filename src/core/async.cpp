#include "core/async.hpp"

#include <atomic>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <string>

#include "core/log.hpp"

namespace al {
namespace {

std::atomic<std::uint64_t> failures{0};

void report(std::string_view name, std::string_view reason) {
  auto count = failures.fetch_add(1, std::memory_order_relaxed) + 1;
  log::error("a background task ended in an exception",
             {{"name", name}, {"reason", reason}, {"failures", static_cast<std::int64_t>(count)}});
}

void report_end(std::string_view name, std::exception_ptr const& thrown) {
  if (!thrown)
    return;
  try {
    std::rethrow_exception(thrown);
  } catch (boost::system::system_error const& fault) {
    // This is how Asio tells a coroutine that it was cancelled, which is how a shutdown ends it.
    if (fault.code() != asio::error::operation_aborted)
      report(name, fault.what());
  } catch (std::exception const& fault) {
    report(name, fault.what());
  } catch (...) {
    report(name, "something that is no std::exception");
  }
}

}  // namespace

void spawn(asio::any_io_executor executor,  // NOLINT(performance-unnecessary-value-param): the header's
           std::string_view name, Task<void> task) {
  asio::co_spawn(executor, std::move(task),
                 [name = std::string(name)](std::exception_ptr const& thrown) { report_end(name, thrown); });
}

std::uint64_t spawn_failures() { return failures.load(std::memory_order_relaxed); }

Task<void> sleep_until(SteadyTime at) {
  asio::steady_timer timer(co_await asio::this_coro::executor, at);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace al
