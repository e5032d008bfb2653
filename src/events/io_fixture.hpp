#pragma once
/// For tests whose objects live on one I/O context that the test itself runs.

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>

#include "core/async.hpp"

namespace al::events {

class IoFixture : public testing::Test {
 protected:
  static constexpr std::chrono::seconds patience{20};

  /// Runs the context until it is so; false when it was in vain.
  bool until(std::function<bool()> const& is_so) {
    io.restart();
    auto const end = std::chrono::steady_clock::now() + patience;
    while (!is_so() && std::chrono::steady_clock::now() < end)
      io.run_one_for(std::chrono::milliseconds{5});
    return is_so();
  }
  /// When the owners are gone nothing may wait any more.
  void expect_nothing_waits() {
    io.restart();
    io.run_for(patience);
    EXPECT_TRUE(io.stopped()) << "something still waits after its owner is gone";
  }

  asio::io_context io;
};

}  // namespace al::events
