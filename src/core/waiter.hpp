#pragma once
/// How a caller's coroutine sleeps until somebody else has its answer, and is woken on its own executor.

#include <atomic>
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

namespace al {

/// Something that sleeps. Whoever works for it sets its answer once, on any thread; then resume() runs on `executor()`.
class Sleeper {
 public:
  Sleeper() = default;
  virtual ~Sleeper() = default;
  Sleeper(Sleeper const&) = delete;
  Sleeper& operator=(Sleeper const&) = delete;

  [[nodiscard]] virtual asio::any_io_executor const& executor() const = 0;
  virtual void resume() = 0;
};

/// A sleeper that waits for a T.
template <class T>
class Waiter : public Sleeper {
 public:
  void set(T value) { value_ = std::move(value); }
  void set_exception(std::exception_ptr error) { error_ = std::move(error); }
  /// It was woken, or its caller was cancelled: the answer is of no interest any more.
  [[nodiscard]] bool has_left() const { return has_left_; }

 protected:
  std::atomic<bool> has_left_ = false;
  T value_{};
  std::exception_ptr error_;
};

template <class T, class Handler>
class HandlerWaiter final : public Waiter<T>, public std::enable_shared_from_this<HandlerWaiter<T, Handler>> {
 public:
  explicit HandlerWaiter(Handler handler)
      : executor_(asio::get_associated_executor(handler)),
        work_(asio::prefer(executor_, asio::execution::outstanding_work.tracked)),
        slot_(asio::get_associated_cancellation_slot(handler)),
        handler_(std::move(handler)) {}

  /// Cancelling the caller only detaches it: what was asked for happens, nobody hears of it.
  void watch_cancellation() {
    if (!slot_.is_connected())
      return;
    slot_.assign([weak = this->weak_from_this()](asio::cancellation_type) {
      if (auto const self = weak.lock())
        self->detach();
    });
  }

  [[nodiscard]] asio::any_io_executor const& executor() const override { return executor_; }

  void resume() override {
    if (this->has_left_.exchange(true))
      return;
    if (slot_.is_connected())
      slot_.clear();
    work_ = {};
    auto handler = std::move(handler_);
    std::move(handler)(std::move(this->error_), std::move(this->value_));
  }

 private:
  void detach() {
    if (this->has_left_.exchange(true))
      return;
    asio::post(executor_, [self = this->shared_from_this()] {
      self->work_ = {};
      auto handler = std::move(self->handler_);
      auto aborted = boost::system::system_error(asio::error::operation_aborted);
      std::move(handler)(std::make_exception_ptr(aborted), T{});
    });
  }

  asio::any_io_executor executor_;
  asio::any_io_executor work_;  ///< keeps the caller's io_context running while we have its handler
  asio::cancellation_slot slot_;
  Handler handler_;
};

/// Sleeps until the waiter that `start` was given is woken.
template <class T, class Start>
[[nodiscard]] Task<T> sleep_for_answer(Start start) {
  co_return co_await asio::async_initiate<asio::use_awaitable_t<> const, void(std::exception_ptr, T)>(
      [&start](auto handler) {
        auto waiter = std::make_shared<HandlerWaiter<T, decltype(handler)>>(std::move(handler));
        waiter->watch_cancellation();
        start(std::shared_ptr<Waiter<T>>(std::move(waiter)));
      },
      asio::use_awaitable);
}

}  // namespace al
