#pragma once
/// For tests of this folder: an empty log, and events that are written plainly, as another process would, without a
/// ring.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "events/bus.hpp"
#include "events/event_log.hpp"
#include "storage/migrations.hpp"
#include "storage/test_backend.hpp"
#include "testing/event_loop.hpp"
#include "testing/manual_clock.hpp"
#include "testing/seeded_random.hpp"

namespace al::events {

/// $2 to $5: tenant, channel, aggregate and version.
inline std::string insert_event(std::string const& id) {
  return "INSERT INTO events (event_id, tenant_id, timestamp, channel, service, aggregate_id, version, data, "
         "correlation_id, causation_id, user_id, traceparent) VALUES (" +
         id + ", $2, al_now(), $3, 'test', $4, $5, '{\"deep\": [1]}', '', '', '', '')";
}
inline storage::Statement const append_event{"test.append", insert_event("CAST($1 AS uuid)"), insert_event("$1")};

class EventFixture : public testing::TestWithParam<storage::BackendKind> {
 protected:
  void SetUp() override {
    backend = GetParam().make();
    storage::migrate_up(backend->target());
    database = backend->open(clock);
    log = std::make_unique<EventLog>(*database);
  }
  void TearDown() override {
    if (database)
      database->close();
  }

  static Deadline soon() { return Deadline::after(std::chrono::seconds{60}); }

  ManualClock clock;
  SeededRandom random;
  Bus bus;
  EventLoop loop;
  std::unique_ptr<storage::TestBackend> backend;
  std::unique_ptr<storage::Database> database;
  std::unique_ptr<EventLog> log;
};

}  // namespace al::events
