#include "storage/transfer_session.hpp"

#include <gtest/gtest.h>

#include "storage/test_backend.hpp"
#include "testing/manual_clock.hpp"

namespace al::storage {
namespace {

Scope const here = Scope::of(TenantId{"default"});

RowStatement const add_agents{
    .name = "test.agents",
    .postgres =
        "INSERT INTO agents (tenant_id, id, name, model, specialization, status, capabilities, config,"
        " max_concurrency, imported, version, created_at, updated_at)"
        " SELECT t, i, n, 'm', 's', 'idle', '[]', '{}', 1, false, 1, now(), now()"
        " FROM unnest($1::text[], $2::text[], $3::text[]) AS r(t, i, n)",
    .sqlite = {{"test.agents",
                "INSERT INTO agents (tenant_id, id, name, model, specialization, status, capabilities, config,"
                " max_concurrency, imported, version, created_at, updated_at)"
                " VALUES ($1, $2, $3, 'm', 's', 'idle', '[]', '{}', 1, 0, 1, 0, 0)"}}};
Statement const list_agents{"test.list", "SELECT id, name, deleted_at FROM agents WHERE tenant_id = $1 ORDER BY id"};
Statement const count_agents{"test.count", "SELECT COUNT(*) FROM agents"};

Values agent(std::string id, std::string name = "n", std::string tenant = "default") {
  return {std::move(tenant), std::move(id), std::move(name)};
}

class TransferSession : public testing::TestWithParam<BackendKind> {
 protected:
  void SetUp() override {
    backend = GetParam().make();
    migrate_up(backend->target());
  }

  Rows agents_of(SnapshotSession& session, std::string const& tenant = "default") {
    Rows rows;
    session.for_each(Scope::of(TenantId{tenant}), list_agents, {tenant}, [&](Row const& row) { rows.push_back(row); });
    return rows;
  }

  void have(std::vector<Values> const& rows) {
    auto const load = open_load(backend->target());
    ASSERT_TRUE(load->add(here, add_agents, rows));
    load->commit();
  }

  std::unique_ptr<TestBackend> backend;
};

TEST_P(TransferSession, WhatIsCommittedIsThere) {
  have({agent("b", "\"{},\\ ü"), agent("a", "")});
  auto const session = open_snapshot(backend->target());
  EXPECT_EQ(session->dialect(), GetParam().dialect);
  Rows const expected{{std::string("a"), std::string(), {}}, {std::string("b"), std::string("\"{},\\ ü"), {}}};
  EXPECT_EQ(agents_of(*session), expected);
}

TEST_P(TransferSession, WhatIsNotCommittedIsNot) {
  {
    auto const load = open_load(backend->target());
    ASSERT_TRUE(load->add(here, add_agents, {agent("a")}));
    EXPECT_EQ(load->run(Scope::system(), count_agents).at(0).at(0), Value{std::int64_t{1}});
  }
  EXPECT_TRUE(agents_of(*open_snapshot(backend->target())).empty());
}

TEST_P(TransferSession, ASnapshotDoesNotMove) {
  have({agent("a")});
  auto const session = open_snapshot(backend->target());
  have({agent("b")});
  EXPECT_EQ(agents_of(*session).size(), 1U);
  EXPECT_EQ(agents_of(*open_snapshot(backend->target())).size(), 2U);
}

TEST_P(TransferSession, ConstraintsAreErrors) {
  have({agent("a")});
  {
    auto const load = open_load(backend->target());
    auto const twice = load->add(here, add_agents, {agent("b"), agent("a")});
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().code, Code::conflict);
  }
  EXPECT_EQ(agents_of(*open_snapshot(backend->target())).size(), 1U);
}

TEST_P(TransferSession, AWrongStatementIsAFault) {
  Statement const wrong{"test.wrong", "SELECT nothing FROM nowhere"};
  auto const session = open_snapshot(backend->target());
  EXPECT_THROW(session->for_each(here, wrong, {}, [](Row const&) {}), Fault);
  auto const load = open_load(backend->target());
  EXPECT_THROW(load->run(here, wrong), Fault);
}

/// Row-level security holds, also for a login that it does not bind by itself.
TEST_P(TransferSession, ATenantSeesItsOwnOnly) {
  if (GetParam().dialect == Dialect::sqlite)
    GTEST_SKIP() << "only PostgreSQL enforces it";
  have({agent("a")});
  Statement const all{"test.all", "SELECT id FROM agents"};
  std::size_t seen = 0;
  auto const session = open_snapshot(backend->target());
  session->for_each(Scope::of(TenantId{"other"}), all, {}, [&](Row const&) { ++seen; });
  EXPECT_EQ(seen, 0U);
  session->for_each(here, all, {}, [&](Row const&) { ++seen; });
  EXPECT_EQ(seen, 1U);
  auto const load = open_load(backend->target());
  EXPECT_THROW(static_cast<void>(load->add(here, add_agents, {agent("b", "n", "other")})), Fault);
}

TEST_P(TransferSession, AnExportDoesNotStopWhoWrites) {
  have({agent("a"), agent("b")});
  auto const session = open_snapshot(backend->target());
  std::size_t seen = 0;
  session->for_each(here, list_agents, {std::string("default")}, [&](Row const&) {
    if (seen++ == 0)
      have({agent("c")});
  });
  EXPECT_EQ(seen, 2U);
}

INSTANTIATE_TEST_SUITE_P(On, TransferSession, testing::ValuesIn(backend_kinds()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST(TransferSession, CannotOpenWhatIsNotThere) {
  EXPECT_THROW(static_cast<void>(open_snapshot({.sqlite_path = "/nowhere/at/all.db"})), Unavailable);
  EXPECT_THROW(static_cast<void>(open_snapshot({.postgres_url = "postgresql:///x?host=/nowhere"})), Unavailable);
}

}  // namespace
}  // namespace al::storage
