#include "app/io_threads.hpp"

#include <pthread.h>

#include "core/log.hpp"

namespace al::app {
namespace {

/// An exception that leaves a handler is our own mistake; it must not end the other connections of its thread.
void run_on(asio::io_context& context) {
  for (;;) {
    try {
      context.run();
      return;
    } catch (std::exception const& fault) {
      log::error("an exception left a handler", {{"error", std::string_view(fault.what())}});
    }
  }
}

}  // namespace

IoThreads::IoThreads(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    lanes_.emplace_back();
}

IoThreads::~IoThreads() { stop(); }

void IoThreads::start() {
  for (auto& lane : lanes_) {
    lane.thread = std::thread([&context = lane.context] { run_on(context); });
    pthread_setname_np(lane.thread.native_handle(), "al-io");
  }
}

void IoThreads::stop() {
  for (auto& lane : lanes_)
    lane.context.stop();
  for (auto& lane : lanes_) {
    if (lane.thread.joinable())
      lane.thread.join();
  }
}

void IoThreads::run_rest() {
  for (auto& lane : lanes_) {
    lane.context.restart();
    try {
      lane.context.poll();
    } catch (std::exception const& fault) {
      log::error("an exception left a handler", {{"error", std::string_view(fault.what())}});
    }
    lane.context.stop();
  }
}

}  // namespace al::app
