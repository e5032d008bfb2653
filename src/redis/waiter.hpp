#pragma once
/// How a caller's coroutine sleeps until its command is answered. One executor's.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "core/async.hpp"
#include "redis/reply.hpp"

namespace al::redis {

/// A caller that sleeps. It is woken by resume(), or leaves when it is cancelled.
class Waiter {
 public:
  Waiter() = default;
  virtual ~Waiter() = default;
  Waiter(Waiter const&) = delete;
  Waiter& operator=(Waiter const&) = delete;

  void set(Result<Reply> answer) { answer_ = std::move(answer); }
  /// Goes on with the caller, from within this call.
  virtual void resume() = 0;
  [[nodiscard]] bool has_left() const { return done_; }

 protected:
  Result<Reply> answer_;
  bool done_ = false;
};

template <class Handler>
class HandlerWaiter final : public Waiter, public std::enable_shared_from_this<HandlerWaiter<Handler>> {
 public:
  explicit HandlerWaiter(Handler handler)
      : executor_(asio::get_associated_executor(handler)),
        work_(asio::prefer(executor_, asio::execution::outstanding_work.tracked)),
        slot_(asio::get_associated_cancellation_slot(handler)),
        handler_(std::move(handler)) {}

  void watch_cancellation() {
    if (!slot_.is_connected())
      return;
    slot_.assign([weak = this->weak_from_this()](asio::cancellation_type) {
      if (auto const self = weak.lock())
        self->leave();
    });
  }

  void resume() override {
    if (std::exchange(this->done_, true))
      return;
    if (slot_.is_connected())
      slot_.clear();
    finish(nullptr, std::move(this->answer_));
  }

 private:
  void leave() {
    if (std::exchange(this->done_, true))
      return;
    // Not from within the cancellation: its slot is still in use.
    asio::post(executor_, [self = this->shared_from_this()] {
      self->finish(std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)), Reply());
    });
  }
  void finish(std::exception_ptr thrown, Result<Reply> answer) {
    work_ = {};
    auto handler = std::move(handler_);
    std::move(handler)(std::move(thrown), std::move(answer));
  }

  asio::any_io_executor executor_;
  asio::any_io_executor work_;  ///< keeps the caller's io_context running while we have its handler
  asio::cancellation_slot slot_;
  Handler handler_;
};

/// Sleeps until the waiter that `start` was given is resumed.
template <class Start>
[[nodiscard]] Task<Result<Reply>> sleep_for_reply(Start start) {
  co_return co_await asio::async_initiate<asio::use_awaitable_t<> const, void(std::exception_ptr, Result<Reply>)>(
      [&start](auto handler) {
        auto waiter = std::make_shared<HandlerWaiter<decltype(handler)>>(std::move(handler));
        waiter->watch_cancellation();
        start(std::shared_ptr<Waiter>(std::move(waiter)));
      },
      asio::use_awaitable);
}

}  // namespace al::redis
