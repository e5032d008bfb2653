#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>
#include <utility>

#include "core/async.hpp"

namespace al {

/// One I/O thread, as the program has them, for tests that are ordinary functions.
class EventLoop {
 public:
  EventLoop() : thread_([this] { context_.run(); }) {}
  ~EventLoop() {
    work_.reset();
    thread_.join();
  }
  EventLoop(EventLoop const&) = delete;
  EventLoop& operator=(EventLoop const&) = delete;

  [[nodiscard]] asio::any_io_executor executor() { return context_.get_executor(); }
  [[nodiscard]] std::thread::id thread_id() const { return thread_.get_id(); }

  template <class T>
  [[nodiscard]] std::future<T> start(Task<T> task) {
    return asio::co_spawn(context_, std::move(task), asio::use_future);
  }
  /// Blocks until the task is done; rethrows what it throws. Never on the loop's own thread.
  template <class T>
  T wait(Task<T> task) {
    return start(std::move(task)).get();
  }

 private:
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(context_);
  std::thread thread_;
};

}  // namespace al
