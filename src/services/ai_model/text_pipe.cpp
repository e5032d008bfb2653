#include "services/ai_model/text_pipe.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

namespace al::services::ai_model {
namespace {
constexpr std::chrono::seconds silence_max{15};
}  // namespace

void TextPipe::push(std::string_view piece) {
  waiting_ += piece;
  more_.cancel();
}

Task<void> TextPipe::finish(Task<void> produce) {
  co_await std::move(produce);
  is_over_ = true;
  more_.cancel();
}

Task<void> TextPipe::drain(http::BodyWriter& writer) {
  while (!is_over_ || !waiting_.empty()) {
    if (!waiting_.empty()) {
      auto const piece = std::exchange(waiting_, {});
      co_await writer.write(piece);
      continue;
    }
    more_.expires_after(silence_max);
    boost::system::error_code error;
    co_await more_.async_wait(asio::redirect_error(asio::use_awaitable, error));
    auto const state = co_await asio::this_coro::cancellation_state;
    if (error && state.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(error);
    if (!error && waiting_.empty() && !is_over_)
      co_await writer.write(silence_);
  }
}

Task<void> TextPipe::run(Task<void> produce, http::BodyWriter& writer) {
  auto const executor = co_await asio::this_coro::executor;
  auto both =
      asio::experimental::make_parallel_group(asio::co_spawn(executor, finish(std::move(produce)), asio::deferred),
                                              asio::co_spawn(executor, drain(writer), asio::deferred));
  auto [order, produced, drained] =
      co_await both.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  // Who failed first is the reason; the other one was only cancelled.
  auto const& first = order[0] == 0 ? produced : drained;
  auto const& second = order[0] == 0 ? drained : produced;
  if (first)
    std::rethrow_exception(first);
  if (second)
    std::rethrow_exception(second);
}

}  // namespace al::services::ai_model
