#include "http/tunnel.hpp"

namespace al::http {
namespace {

Task<void> copy(ByteStream& from, ByteStream& to) {
  for (;;) {
    auto const piece = co_await from.read();
    if (piece.empty())
      co_return;
    co_await to.write(piece);
  }
}

}  // namespace

Task<void> pass_through(ByteStream& one, ByteStream& other) {
  auto const executor = co_await asio::this_coro::executor;
  auto race = asio::experimental::make_parallel_group(asio::co_spawn(executor, copy(one, other), asio::deferred),
                                                      asio::co_spawn(executor, copy(other, one), asio::deferred));
  auto const [order, first, second] = co_await race.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  // The one that came second was cancelled, and has thrown for that.
  if (auto const& thrown = order[0] == 0 ? first : second)
    std::rethrow_exception(thrown);
}

}  // namespace al::http
