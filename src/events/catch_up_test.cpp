/// What nobody announced is found on PostgreSQL, also behind transactions that stay open.

#include "events/catch_up.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <set>
#include <thread>

#include "events/io_fixture.hpp"
#include "storage/migrations.hpp"
#include "storage/test_backend.hpp"
#include "testing/manual_clock.hpp"
#include "testing/seeded_random.hpp"

namespace al::events {
namespace {

using namespace std::chrono_literals;

class CatchUpTest : public IoFixture {
 protected:
  void SetUp() override {
    storage::migrate_up(backend.target());
    database = backend.open(clock);
    bus.on("*", [this](Announcement const& it) { heard.insert(it.channel + " " + it.aggregate_id); });
    bus.forward_to([this](Announcement const& it) { forwarded.insert(it.channel + " " + it.aggregate_id); });
  }
  void TearDown() override {
    stop.emit(asio::cancellation_type::terminal);
    EXPECT_TRUE(until([&] { return ended; }));
    database->close();
  }

  void run(CatchUp::For whom) {
    catch_up.emplace(*database, bus, [this] { return hearing; }, whom, CatchUp::Times{.poll = 5ms, .mark = 10ms});
    asio::co_spawn(io, catch_up->run(),
                   asio::bind_cancellation_slot(stop.slot(), [this](std::exception_ptr) { ended = true; }));
    // What commits before its first look is none of its business.
    auto const begun = std::chrono::steady_clock::now() + 200ms;
    until([&] { return std::chrono::steady_clock::now() > begun; });
  }
  static std::string insert(std::string const& channel, std::string const& id) {
    return "INSERT INTO events (event_id, tenant_id, timestamp, channel, service, aggregate_id, version, data, "
           "correlation_id, causation_id, user_id, traceparent) VALUES (gen_random_uuid(), 'default', al_now(), '" +
           channel + "', 'test', '" + id + "', 1, '{}', '', '', '', '')";
  }
  /// As another process does, which dies before it announces anything.
  void commit(std::string const& channel, std::string const& id) { execute(insert(channel, id)); }
  /// One transaction.
  void execute(std::string const& sql) {
    PostgresServer::shared().execute(backend.name(), "SET search_path = agent_lightning; " + sql);
  }

  ManualClock clock;
  SeededRandom random;
  storage::PostgresBackend backend{storage::PostgresBackend::Login::owner};
  std::unique_ptr<storage::Database> database;
  asio::cancellation_signal stop;
  Bus bus;
  std::set<std::string> heard;
  std::set<std::string> forwarded;
  RemoteBell::Hearing hearing;
  std::optional<CatchUp> catch_up;
  bool ended = false;
};

TEST_F(CatchUpTest, WithoutABellItFindsWhatOthersCommit) {
  run(CatchUp::For::this_process);
  commit("task:created", "t1");
  commit("agent:updated", "a1");
  ASSERT_TRUE(until([&] { return heard.size() == 2; }));
  EXPECT_EQ(heard, (std::set<std::string>{"task:created ", "agent:updated a1"})) << "only agents are named";
  EXPECT_TRUE(forwarded.empty()) << "each process looks for itself";
}

TEST_F(CatchUpTest, TheRelayTellsAll) {
  hearing = {.is_whole = true, .gaps = 1};
  run(CatchUp::For::all_processes);
  commit("agent:updated", "a1");
  ASSERT_TRUE(until([&] { return !heard.empty(); }));
  EXPECT_EQ(forwarded, (std::set<std::string>{"agent:updated a1"}));
}

TEST_F(CatchUpTest, WhoHearsAllDoesNotLookButFindsWhatABreakHid) {
  hearing = {.is_whole = true, .gaps = 1};
  run(CatchUp::For::this_process);
  commit("agent:updated", "heard");
  auto const soon = std::chrono::steady_clock::now() + 100ms;
  until([&] { return std::chrono::steady_clock::now() > soon; });
  EXPECT_TRUE(heard.empty()) << "its announcement came, or the relay will bring it";
  commit("agent:updated", "hidden");
  hearing.gaps = 2;  // broken and whole again between two looks
  ASSERT_TRUE(until([&] { return heard.contains("agent:updated hidden"); }));
}

TEST_F(CatchUpTest, AnOpenTransactionDelaysNothing) {
  run(CatchUp::For::this_process);
  auto writer = std::thread([&] {
    // Holds a transaction id, and an event of its own, while the others commit.
    execute(insert("agent:created", "slow") + "; SELECT pg_sleep(2)");
  });
  std::set<std::string> const quick{"agent:created quick"};
  commit("agent:created", "quick");
  EXPECT_TRUE(until([&] { return !heard.empty(); }));
  EXPECT_EQ(heard, quick);
  writer.join();
  EXPECT_TRUE(until([&] { return heard.contains("agent:created slow"); })) << "its id is older than what was read";
}

TEST_F(CatchUpTest, ManyAtOnceRingForAll) {
  run(CatchUp::For::this_process);
  execute(
      "INSERT INTO events (event_id, tenant_id, timestamp, channel, service, aggregate_id, version, data,"
      " correlation_id, causation_id, user_id, traceparent) SELECT gen_random_uuid(), 'default', al_now(),"
      " 'agent:created', 'test', 'a' || i, 1, '{}', '', '', '', '' FROM generate_series(1, 3000) i");
  auto const all = bus.subscribe(io.get_executor(), {"workflow:*"});
  bool is_rung = false;
  asio::co_spawn(io, all->wait(std::chrono::steady_clock::now() + patience),
                 [&](std::exception_ptr, bool rung) { is_rung = rung; });
  EXPECT_TRUE(until([&] { return is_rung; }));
}

}  // namespace
}  // namespace al::events
