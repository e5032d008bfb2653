/// What only the PostgreSQL driver promises; what both promise is in conformance_test.cpp.

#include <gtest/gtest.h>

#include "storage/database.hpp"
#include "testing/event_loop.hpp"
#include "testing/postgres_server.hpp"

namespace al::storage {
namespace {

Deadline soon() { return Deadline::after(std::chrono::seconds(20)); }

constexpr auto schema = R"(
CREATE SCHEMA agent_lightning;
CREATE FUNCTION agent_lightning.al_guard(n bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN IF n = 0 THEN RAISE EXCEPTION 'no row matched' USING ERRCODE = 'AL001'; END IF; RETURN true; END $$;
CREATE TABLE agent_lightning.t (tenant_id text, id text, n bigint NOT NULL CHECK (n >= 0), PRIMARY KEY (tenant_id, id));
ALTER TABLE agent_lightning.t ENABLE ROW LEVEL SECURITY;
ALTER TABLE agent_lightning.t FORCE ROW LEVEL SECURITY;
CREATE POLICY tenants ON agent_lightning.t
  USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), ''))
  WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), ''));
)";

Statement const insert{.name = "t.insert", .text = "INSERT INTO t VALUES ($1, $2, $3) RETURNING id, n"};
Statement const bump{.name = "t.bump", .text = "UPDATE t SET n = n + 1 WHERE tenant_id = $1 AND id = $2"};
Statement const list{.name = "t.list", .text = "SELECT id, n FROM t ORDER BY id"};
Statement const settings{.name = "settings",
                         .text =
                             "SELECT concat_ws(' ', current_setting('TimeZone'), current_setting('DateStyle'), "
                             "'jit', current_setting('jit'))"};
RowStatement const add{.name = "t.add",
                       .postgres =
                           "INSERT INTO t SELECT tenant, id, n FROM unnest($1::text[], $2::text[], $3::bigint[]) "
                           "WITH ORDINALITY AS r(tenant, id, n, o) RETURNING (SELECT 1), id",
                       .sqlite = {}};

class PostgresTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    static bool const made = [] {
      auto& server = PostgresServer::shared();
      server.create_database("driver");
      server.execute_as_owner("driver", schema);
      return true;
    }();
    static_cast<void>(made);
  }
  void SetUp() override { PostgresServer::shared().execute("driver", "TRUNCATE agent_lightning.t"); }

  EventLoop loop;
  std::unique_ptr<Database> db = open_postgres({.url = PostgresServer::shared().url("driver")});
  Scope const a = Scope::of(TenantId("a"));
};

TEST_F(PostgresTest, AppliesAndReadsWithinTheTenant) {
  auto result = loop.wait(db->apply({a, {{&insert, {std::string("a"), std::string("x"), std::int64_t{1}}}}}, soon()));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->at(0), (Rows{{std::string("x"), std::int64_t{1}}}));
  EXPECT_EQ(loop.wait(db->read(a, list, {}, soon())).size(), 1u);
  EXPECT_EQ(loop.wait(db->read(Scope::of(TenantId("b")), list, {}, soon())).size(), 0u);
}

TEST_F(PostgresTest, AFailedGuardRollsTheBatchBack) {
  auto const x = std::string("x");
  auto result = loop.wait(db->apply({a,
                                     {{&insert, {std::string("a"), x, std::int64_t{1}}},
                                      {&bump, {std::string("a"), std::string("y")}, Guard::must_match}}},
                                    soon()));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::conflict);
  EXPECT_EQ(result.error().where, "t.bump");
  EXPECT_TRUE(loop.wait(db->read(a, list, {}, soon())).empty());
}

TEST_F(PostgresTest, ItsTransactionsHaveTheirSettingsWithStartUpOptionsAndWithout) {
  for (bool const prepared : {true, false}) {
    auto const url = PostgresServer::shared().url("driver");
    auto const one = open_postgres({.url = url, .prepared = prepared});
    Rows const expected{{std::string("UTC ISO, MDY jit off")}};
    EXPECT_EQ(loop.wait(one->read(a, settings, {}, soon())), expected) << prepared;
    EXPECT_EQ(loop.wait(one->apply({a, {{&settings, {}}}}, soon()))->at(0), expected) << prepared;
    one->close();
  }
}

}  // namespace
}  // namespace al::storage
