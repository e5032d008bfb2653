#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <deque>
#include <thread>

#include "core/async.hpp"

namespace al::app {

/// I/O contexts with one thread each. What is still suspended on them when they are destroyed ends there, so they go
/// before everything that coroutines refer to.
class IoThreads {
 public:
  explicit IoThreads(std::size_t count);
  ~IoThreads();
  IoThreads(IoThreads const&) = delete;
  IoThreads& operator=(IoThreads const&) = delete;

  void start();
  /// Waits for the handlers that run, not for coroutines that are suspended.
  void stop();
  /// After stop(): runs what is ready by now, on this thread, so that coroutines end whose connections were closed.
  void run_rest();

  [[nodiscard]] std::size_t size() const { return lanes_.size(); }
  [[nodiscard]] asio::io_context& at(std::size_t index) { return lanes_.at(index).context; }

  /// Runs `task` on one of them and blocks until its end; never on one of their own threads. Rethrows what it throws.
  template <class T>
  T wait(std::size_t index, Task<T> task) {
    return asio::co_spawn(at(index), std::move(task), asio::use_future).get();
  }

 private:
  struct Lane {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
    std::thread thread;
  };
  std::deque<Lane> lanes_;
};

}  // namespace al::app
