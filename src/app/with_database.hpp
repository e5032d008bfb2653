#pragma once
#include <utility>

#include "app/installation.hpp"
#include "app/io_threads.hpp"

namespace al::app {

/// Opens the database, runs the task that `work` makes of it to its end, and closes it: for commands that need no
/// server. Blocks; rethrows what the task throws, and throws Fault when it cannot be opened.
template <class F>
auto with_database(Config const& config, F&& work) {
  SystemClock const clock;
  auto const database = open_database(config, clock);
  IoThreads threads(1);
  threads.start();
  auto const end = [&] {
    threads.stop();
    database->close();
  };
  try {
    auto result = threads.wait(0, std::forward<F>(work)(*database));
    end();
    return result;
  } catch (...) {
    end();
    throw;
  }
}

}  // namespace al::app
