#pragma once
/// For tests of what is cached: several processes with one second level.

#include <string>
#include <utility>

#include "cache/local_store.hpp"
#include "data/store_fixture.hpp"

namespace al::data {

/// What each process has of its own. Nobody takes announcements from one to the other.
struct CachingProcess {
  CachingProcess(StoreFixture& test, cache::Store& second, std::string name)
      : rows(&second, test.clock, bus), writer(*test.database, bus, test.clock, test.random, std::move(name), &rows) {}
  events::Bus bus;
  RowCache rows;
  Writer writer;
};

}  // namespace al::data
