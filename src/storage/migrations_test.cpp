#include "storage/migrations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <boost/asio/ip/tcp.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "core/fault.hpp"
#include "embedded/migrations.hpp"
#include "storage/database.hpp"
#include "storage/migration_session.hpp"
#include "storage/test_backend.hpp"
#include "testing/event_loop.hpp"
#include "testing/manual_clock.hpp"

namespace al::storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Files that own their text. The same SQL serves both databases unless it is given twice.
class Files {
 public:
  Files& add(std::string const& stem, std::string const& up, std::string const& down) {
    return add(stem, up, up, down);
  }
  Files& add(std::string const& stem, std::string const& sqlite, std::string const& postgres, std::string const& down) {
    put(stem + ".sqlite.sql", "-- up\n" + sqlite + "\n-- down\n" + down + "\n");
    put(stem + ".postgres.sql", "-- up\n" + postgres + "\n-- down\n" + down + "\n");
    return *this;
  }
  Files& put(std::string name, std::string text) {
    texts_.emplace_back(std::move(name), std::move(text));
    return *this;
  }
  [[nodiscard]] std::vector<EmbeddedFile> list() const {
    std::vector<EmbeddedFile> out;
    for (auto const& [name, text] : texts_)
      out.push_back({name, text});
    return out;
  }

 private:
  std::vector<std::pair<std::string, std::string>> texts_;
};

Files three() {
  Files files;
  files.add("0001_fruit", "CREATE TABLE fruit (name text PRIMARY KEY); INSERT INTO fruit VALUES ('apple');",
            "DROP TABLE fruit;");
  files.add("0002_color", "ALTER TABLE fruit ADD COLUMN color text;", "ALTER TABLE fruit DROP COLUMN color;");
  files.add("0003_tree", "CREATE TABLE tree (id integer PRIMARY KEY);", "DROP TABLE tree;");
  return files;
}

std::string message_of(std::function<void()> const& call) {
  try {
    call();
  } catch (Fault const& fault) {
    return fault.what();
  }
  return "nothing was thrown";
}

/// "1+ 2- 4?": number, then applied, missing, or applied but not known.
std::string states(std::vector<MigrationState> const& list) {
  std::string out;
  for (auto const& state : list) {
    if (!out.empty())
      out += ' ';
    out += std::to_string(state.number) + (!state.known ? "?" : state.applied ? "+" : "-");
  }
  return out;
}

class MigrationsOn : public testing::TestWithParam<BackendKind> {
 protected:
  void SetUp() override { backend_ = GetParam().make(); }

  std::vector<int> up(Files const& files, std::optional<int> to = std::nullopt) {
    return migrate_up(backend_->target(), files.list(), to);
  }
  std::vector<int> down(Files const& files, int to) { return migrate_down(backend_->target(), files.list(), to); }
  std::string status(Files const& files) { return states(migration_status(backend_->target(), files.list())); }
  Rows query(std::string const& sql) {
    Statement const statement{.name = "query", .text = sql};
    auto const db = backend_->open(clock_);
    EventLoop loop;
    auto const limit = Deadline::after(std::chrono::seconds(60));
    auto close = [&] { db->close(); };
    try {
      auto rows = loop.wait(db->read(Scope::system(), statement, {}, limit));
      close();
      return rows;
    } catch (...) {
      close();
      throw;
    }
  }

  ManualClock clock_;
  std::unique_ptr<TestBackend> backend_;
};

INSTANTIATE_TEST_SUITE_P(Backends, MigrationsOn, testing::ValuesIn(backend_kinds()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(MigrationsOn, GoUpDownAndUpAgain) {
  auto const files = three();
  EXPECT_EQ(status(files), "1- 2- 3-");
  EXPECT_THAT(up(files), ElementsAre(1, 2, 3));
  EXPECT_EQ(status(files), "1+ 2+ 3+");
  EXPECT_THAT(query("SELECT name, color FROM fruit"), ElementsAre(ElementsAre(Value("apple"), Value())));
  EXPECT_THAT(up(files), IsEmpty());
  EXPECT_THAT(down(files, 1), ElementsAre(3, 2));
  EXPECT_EQ(status(files), "1+ 2- 3-");
  EXPECT_THROW(query("SELECT color FROM fruit"), Fault);
  EXPECT_THAT(down(files, 1), IsEmpty());
  EXPECT_THAT(up(files, 2), ElementsAre(2));
  EXPECT_EQ(status(files), "1+ 2+ 3-");
  EXPECT_THAT(down(files, 0), ElementsAre(2, 1));
  EXPECT_THAT(up(files, 0), IsEmpty()) << "0 is a limit like others, and not all";
  EXPECT_THAT(up(files), ElementsAre(1, 2, 3));
}

TEST_P(MigrationsOn, BinarysOwnGoUpAndDown) {
  auto const target = backend_->target();
  auto const numbers = migrate_up(target);
  ASSERT_FALSE(numbers.empty());
  EXPECT_TRUE(std::ranges::is_sorted(numbers));
  EXPECT_THAT(query("SELECT id FROM tenants"), ElementsAre(ElementsAre(Value("default"))));
  EXPECT_TRUE(std::ranges::all_of(migration_status(target), &MigrationState::applied));
  EXPECT_EQ(migrate_down(target, 0), std::vector<int>(numbers.rbegin(), numbers.rend()));
  EXPECT_TRUE(std::ranges::none_of(migration_status(target), &MigrationState::applied));
  EXPECT_EQ(migrate_up(target), numbers);
}

TEST_P(MigrationsOn, FailureKeepsWhatCameBefore) {
  auto files = three();
  files.add("0004_wrong", "CREATE TABLE half (id integer); INSERT INTO nowhere VALUES (1);", "DROP TABLE half;");
  files.add("0005_after", "CREATE TABLE after_it (id integer);", "DROP TABLE after_it;");
  EXPECT_THAT(message_of([&] { up(files); }), HasSubstr("migration 0004 (wrong)"));
  EXPECT_EQ(status(files), "1+ 2+ 3+ 4- 5-");
  EXPECT_THROW(query("SELECT * FROM half"), Fault);

  auto mended = three();
  mended.add("0004_wrong", "CREATE TABLE half (id integer);", "DROP TABLE half;");
  EXPECT_THAT(up(mended), ElementsAre(4));
  EXPECT_THAT(query("SELECT * FROM half"), IsEmpty());
}

TEST_P(MigrationsOn, FailureOnTheWayDownKeepsTheRest) {
  auto files = three();
  files.add("0004_stuck", "CREATE TABLE stuck (id integer);", "DROP TABLE stuck; DROP TABLE nowhere;");
  up(files);
  EXPECT_THAT(message_of([&] { down(files, 0); }), HasSubstr("migration 0004 (stuck)"));
  EXPECT_EQ(status(files), "1+ 2+ 3+ 4+");
  EXPECT_THAT(query("SELECT * FROM stuck"), IsEmpty());
}

TEST_P(MigrationsOn, MustNotEndTheTransaction) {
  Files files;
  files.add("0001_commits", "CREATE TABLE leaked (id integer); COMMIT;", "DROP TABLE leaked;");
  EXPECT_THAT(message_of([&] { up(files); }), HasSubstr("migration 0001 (commits)"));
  EXPECT_EQ(status(files), "1-");
}

TEST_P(MigrationsOn, ChangedTextIsRefused) {
  up(three());
  Files changed;
  changed.add("0001_fruit", "CREATE TABLE fruit (name text PRIMARY KEY, taste text);", "DROP TABLE fruit;");
  changed.add("0002_color", "ALTER TABLE fruit ADD COLUMN color text;", "ALTER TABLE fruit DROP COLUMN color;");
  changed.add("0003_tree", "CREATE TABLE tree (id integer PRIMARY KEY);", "DROP TABLE tree;");
  changed.add("0004_more", "CREATE TABLE more (id integer);", "DROP TABLE more;");
  EXPECT_THAT(message_of([&] { up(changed); }), HasSubstr("migration 0001 (fruit)"));
  EXPECT_THAT(message_of([&] { down(changed, 0); }), HasSubstr("migration 0001 (fruit)"));
  EXPECT_THAT(message_of([&] { status(changed); }), HasSubstr("migration 0001 (fruit)"));
  EXPECT_EQ(status(three()), "1+ 2+ 3+");
}

TEST_P(MigrationsOn, NewerDatabaseIsLeftAlone) {
  auto newer = three();
  newer.add("0004_future", "CREATE TABLE future (id integer);", "DROP TABLE future;");
  up(newer);
  EXPECT_EQ(status(three()), "1+ 2+ 3+ 4?");
  EXPECT_THAT(up(three()), IsEmpty());
  EXPECT_THAT(message_of([&] { down(three(), 0); }), HasSubstr("migration 0004 (future)"));
  EXPECT_EQ(status(newer), "1+ 2+ 3+ 4+");
  EXPECT_THAT(query("SELECT * FROM future"), IsEmpty());

  // One that is missing here is not put under what a newer program has built.
  auto other = three();
  other.add("0005_other", "CREATE TABLE other (id integer);", "DROP TABLE other;");
  EXPECT_THAT(up(other), IsEmpty());
  EXPECT_THAT(down(newer, 3), ElementsAre(4));
  EXPECT_THAT(up(other), ElementsAre(5));
}

TEST_P(MigrationsOn, LateMissingOneIsFilledIn) {
  auto files = three();
  Files without_second;
  for (auto const& file : files.list()) {
    if (!file.name.starts_with("0002"))
      without_second.put(std::string(file.name), std::string(file.text));
  }
  EXPECT_THAT(up(without_second), ElementsAre(1, 3));
  EXPECT_THAT(up(files), ElementsAre(2));
}

/// A table whose creation fails the second time, so that a runner that does not wait cannot pass unseen.
TEST_P(MigrationsOn, TenThreadsApplyOnce) {
  auto const files = three();
  std::barrier start(10);
  std::vector<std::future<std::vector<int>>> runners;
  for (int i = 0; i < 10; ++i) {
    runners.push_back(std::async(std::launch::async, [&] {
      start.arrive_and_wait();
      return up(files);
    }));
  }
  std::vector<int> applied;
  for (auto& runner : runners) {
    auto const numbers = runner.get();
    EXPECT_TRUE(numbers.empty() || numbers.size() == 3) << "one runner does all";
    applied.insert(applied.end(), numbers.begin(), numbers.end());
  }
  EXPECT_THAT(applied, ElementsAre(1, 2, 3));
  EXPECT_THAT(query("SELECT name FROM fruit"), ElementsAre(ElementsAre(Value("apple"))));
}

TEST_P(MigrationsOn, TenProcessesApplyOnce) {
  auto const target = backend_->target();
  auto const files = three();
  int gate[2];
  ASSERT_EQ(::pipe(gate), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < 10; ++i) {
    auto const child = ::fork();
    if (child == 0) {
      char byte = 0;
      ::close(gate[1]);
      (void)!::read(gate[0], &byte, 1);
      int code = 77;
      try {
        code = static_cast<int>(migrate_up(target, files.list()).size());
      } catch (std::exception const& error) {
        std::fprintf(stderr, "%s\n", error.what());
      }
      ::_exit(code);
    }
    children.push_back(child);
  }
  ::close(gate[0]);
  ::close(gate[1]);
  std::vector<int> codes;
  for (auto const child : children) {
    int code = 0;
    EXPECT_EQ(::waitpid(child, &code, 0), child);
    codes.push_back(WIFEXITED(code) ? WEXITSTATUS(code) : -1);
  }
  std::ranges::sort(codes);
  EXPECT_THAT(codes, ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 0, 3));
  EXPECT_EQ(status(files), "1+ 2+ 3+");
}

struct BadFile {
  char const* name;
  char const* file;
  char const* text;
  char const* complaint;
};
void PrintTo(BadFile const& bad, std::ostream* out) { *out << bad.name; }

class BadMigrations : public testing::TestWithParam<BadFile> {};

constexpr char const* fine = "-- up\nSELECT 1;\n-- down\nSELECT 1;\n";
INSTANTIATE_TEST_SUITE_P(
    Table, BadMigrations,
    testing::Values(BadFile{"NoNumber", "first.sqlite.sql", fine, "NNNN_name"},
                    BadFile{"ShortNumber", "001_a.sqlite.sql", fine, "NNNN_name"},
                    BadFile{"LongNumber", "00001_a.sqlite.sql", fine, "NNNN_name"},
                    BadFile{"Zero", "0000_a.sqlite.sql", fine, "NNNN_name"},
                    BadFile{"Negative", "-001_a.sqlite.sql", fine, "NNNN_name"},
                    BadFile{"NoName", "0002_.sqlite.sql", fine, "NNNN_name"},
                    BadFile{"OtherDatabase", "0002_a.oracle.sql", fine, "NNNN_name"},
                    BadFile{"CapitalLetters", "0002_Ab.sqlite.sql", fine, "NNNN_name"},
                    BadFile{"OneDatabaseOnly", "0002_a.sqlite.sql", fine, "both databases"},
                    BadFile{"OtherNameForTheOther", "0001_b.sqlite.sql", fine, "both databases"},
                    BadFile{"SameNumber", "0001_a.sqlite.sql", fine, "another migration has this number"},
                    BadFile{"NoParts", "0002_a.sqlite.sql", "SELECT 1;\n", "-- up"},
                    BadFile{"NoDown", "0002_a.sqlite.sql", "-- up\nSELECT 1;\n", "-- down"},
                    BadFile{"WrongOrder", "0002_a.sqlite.sql", "-- down\nSELECT 1;\n-- up\nSELECT 1;\n", "-- up"},
                    BadFile{"DoubledPart", "0002_a.sqlite.sql", "-- up\n-- up\n-- down\n", "-- up"},
                    BadFile{"TextBefore", "0002_a.sqlite.sql", "SELECT 1;\n-- up\n-- down\n", "-- up"}),
    [](auto const& info) { return std::string(info.param.name); });

TEST_P(BadMigrations, AreRefusedBeforeAnythingRuns) {
  TemporaryDirectory directory;
  MigrationTarget const target{.sqlite_path = directory.file("a.db")};
  Files files;
  files.put("0001_a.postgres.sql", fine);
  if (std::string(GetParam().name) != "OtherNameForTheOther")
    files.put("0001_a.sqlite.sql", fine);
  ASSERT_TRUE(std::string(GetParam().name) == "OtherNameForTheOther" ||
              migration_status(target, files.list()).size() == 1);
  files.put(GetParam().file, GetParam().text);
  EXPECT_THAT(message_of([&] { migrate_up(target, files.list()); }), HasSubstr(GetParam().complaint));
  EXPECT_FALSE(std::filesystem::exists(target.sqlite_path));
}

TEST(Migrations, PartsMayHaveCommentsBeforeAndLineEndsOfWindows) {
  TemporaryDirectory directory;
  MigrationTarget const target{.sqlite_path = directory.file("a.db")};
  Files files;
  files.put("0001_a.sqlite.sql",
            "-- What this is for.\r\n\r\n-- up\r\nCREATE TABLE a (id);\r\n-- down \r\nDROP TABLE a;");
  files.put("0001_a.postgres.sql", fine);
  EXPECT_THAT(migrate_up(target, files.list()), ElementsAre(1));
  EXPECT_THAT(migrate_down(target, files.list(), 0), ElementsAre(1));
}

TEST(Migrations, NeedOneTarget) {
  EXPECT_THROW(migrate_up({}), Fault);
  EXPECT_THROW(migrate_up({.sqlite_path = "a", .postgres_url = "postgresql://b"}), Fault);
}

TEST(Migrations, StatusMakesNoFile) {
  TemporaryDirectory directory;
  MigrationTarget const target{.sqlite_path = directory.file("a.db")};
  EXPECT_FALSE(migration_status(target).empty());
  EXPECT_FALSE(std::filesystem::exists(target.sqlite_path));
}

TEST(Migrations, NoDatabaseIsAFault) {
  TemporaryDirectory directory;
  std::ofstream(directory.file("text.db")) << std::string(4096, 'x');
  EXPECT_THROW(migrate_up({.sqlite_path = directory.file("text.db")}), Fault);
  EXPECT_THROW(migrate_up({.sqlite_path = directory.file("no/such/directory/a.db")}), Fault);
  EXPECT_THROW(migrate_up({.postgres_url = "postgresql://127.0.0.1:1/none?connect_timeout=2"}), Fault);
  EXPECT_THROW(migrate_up({.postgres_url = "postgresql://["}), Fault);
}

/// The kernel accepts for it, and then nobody reads.
TEST(Migrations, GiveUpOnAPostgresThatDoesNotAnswer) {
  asio::io_context context;
  using asio::ip::tcp;
  tcp::acceptor const silent(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  MigrationTarget const target{
      .postgres_url = "postgresql://127.0.0.1:" + std::to_string(silent.local_endpoint().port()) + "/none",
      .connect_timeout = std::chrono::seconds(2)};
  auto const begun = std::chrono::steady_clock::now();
  EXPECT_THAT(message_of([&] { migrate_up(target); }), HasSubstr("timeout expired"));
  EXPECT_THROW((void)migration_status(target), Fault);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(30));
}

TEST(Migrations, GiveUpOnARunnerThatNeverEndsOnPostgres) {
  PostgresBackend const backend(PostgresBackend::Login::owner);
  auto target = backend.target();
  auto holder = open_postgres_migrations(target);
  target.lock_timeout = std::chrono::seconds(0);
  EXPECT_THAT(message_of([&] { migrate_up(target); }),
              testing::MatchesRegex("another process migrates this database .* process [0-9]+ .*"));
  EXPECT_THAT(migration_status(target), testing::Not(IsEmpty())) << "looking waits for nobody";
  holder.reset();
  EXPECT_FALSE(migrate_up(target).empty());
}

/// The default data directory is relative.
TEST(Migrations, SqliteFileIsForItsOwnerUnderARelativePathToo) {
  TemporaryDirectory directory;
  auto const file = std::filesystem::relative(directory.file("a.db"));
  ASSERT_TRUE(file.is_relative());
  auto const before = ::umask(0);
  migrate_up({.sqlite_path = file.string()});
  ::umask(before);
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(Migrations, TableMadeAnewKeepsItsReferencesOnSqlite) {
  TemporaryDirectory directory;
  MigrationTarget const target{.sqlite_path = directory.file("a.db")};
  constexpr char const* make_anew =
      "CREATE TABLE b2 (id integer PRIMARY KEY, extra text); INSERT INTO b2 (id) SELECT id FROM b;"
      "DROP TABLE b; ALTER TABLE b2 RENAME TO b;";
  constexpr char const* lose_rows = "DELETE FROM b;";
  Files files;
  files.add("0001_a",
            "CREATE TABLE b (id integer PRIMARY KEY); CREATE TABLE c (b integer REFERENCES b (id));"
            "INSERT INTO b VALUES (1); INSERT INTO c VALUES (1);",
            "SELECT 1;");
  files.add("0002_b", make_anew, "SELECT 1;");
  EXPECT_THAT(migrate_up(target, files.list()), ElementsAre(1, 2));
  files.add("0003_c", lose_rows, "SELECT 1;");
  EXPECT_THAT(message_of([&] { migrate_up(target, files.list()); }), HasSubstr("1 rows refer to rows"));
  EXPECT_EQ(states(migration_status(target, files.list())), "1+ 2+ 3-");
}

/// A row that names no index says nothing to the planner, and nobody notices.
TEST(Migrations, StatisticsAreOfIndexesThatAreThere) {
  static Statement const wrong{
      .name = "wrong_statistics",
      .text =
          "SELECT s.idx, s.stat FROM sqlite_stat1 s WHERE NOT EXISTS"
          " (SELECT 1 FROM sqlite_schema x WHERE x.name = s.idx AND x.tbl_name = s.tbl)"
          " OR (SELECT COUNT(*) FROM pragma_index_info(s.idx)) <> length(s.stat) - length(replace(s.stat, ' ', ''))"};
  SqliteBackend const backend;
  migrate_up(backend.target());
  ManualClock const clock;
  EventLoop loop;
  auto const database = backend.open(clock);
  EXPECT_THAT(loop.wait(database->read(Scope::system(), wrong, {}, Deadline::after(std::chrono::seconds(60)))),
              IsEmpty());
  database->close();
}

// ---- PostgreSQL's roles ----

/// Fails, by division, unless the condition holds.
void demand(PostgresBackend const& backend, std::string const& condition) {
  PostgresServer::shared().execute(backend.name(), "SELECT 1 / (CASE WHEN " + condition + " THEN 1 ELSE 0 END)");
}

TEST(MigrationRoles, SuperuserPreparesTheRoleThatRowSecurityBinds) {
  PostgresBackend backend(PostgresBackend::Login::superuser);
  migrate_up(backend.target());
  demand(backend,
         "(SELECT NOT rolcanlogin AND NOT rolsuper AND NOT rolbypassrls FROM pg_roles WHERE rolname = 'al_app')");
  demand(backend, "has_schema_privilege('al_app', 'agent_lightning', 'USAGE')");
  demand(backend, "NOT has_schema_privilege('al_app', 'agent_lightning', 'CREATE')");
  demand(backend, "has_table_privilege('al_app', 'agent_lightning.agents', 'SELECT, INSERT, UPDATE, DELETE')");
  demand(backend, "has_sequence_privilege('al_app', 'agent_lightning.events_seq_seq', 'USAGE')");
  demand(backend, "has_function_privilege('al_app', 'agent_lightning.al_now()', 'EXECUTE')");
  demand(backend, "has_table_privilege('al_app', 'agent_lightning.schema_migrations', 'SELECT')");
  demand(backend, "NOT has_table_privilege('al_app', 'agent_lightning.schema_migrations', 'INSERT')");
  auto& server = PostgresServer::shared();
  server.execute(backend.name(), "CREATE TABLE agent_lightning.later (id integer)");
  demand(backend, "has_table_privilege('al_app', 'agent_lightning.later', 'INSERT')");
}

TEST(MigrationRoles, LostRightsComeBackWithoutAnyMigration) {
  PostgresBackend backend(PostgresBackend::Login::superuser);
  migrate_up(backend.target());
  PostgresServer::shared().execute(backend.name(), "REVOKE USAGE ON SCHEMA agent_lightning FROM al_app");
  EXPECT_THAT(migrate_up(backend.target()), IsEmpty());
  demand(backend, "has_schema_privilege('al_app', 'agent_lightning', 'USAGE')");
}

TEST(MigrationRoles, OrdinaryOwnerNeedsNoOtherRole) {
  PostgresBackend backend(PostgresBackend::Login::owner);
  migrate_up(backend.target());
  demand(backend,
         "(SELECT nspowner::regrole::text = 'agent_user' FROM pg_namespace WHERE nspname = 'agent_lightning')");
  demand(backend,
         "NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'al_app')"
         " OR NOT has_schema_privilege('al_app', 'agent_lightning', 'USAGE')");
}

TEST(MigrationRoles, OwnerOfTheSchemaAloneCanMigrate) {
  PostgresBackend backend(PostgresBackend::Login::owner);
  auto& server = PostgresServer::shared();
  server.execute(backend.name(), "ALTER DATABASE " + backend.name() +
                                     " OWNER TO postgres;"
                                     " CREATE SCHEMA agent_lightning AUTHORIZATION agent_user");
  EXPECT_FALSE(migrate_up(backend.target()).empty());
}

TEST(MigrationRoles, SecondRunnerIgnoresTheServersLimits) {
  PostgresBackend backend(PostgresBackend::Login::owner);
  auto& server = PostgresServer::shared();
  server.execute(backend.name(), "ALTER DATABASE " + backend.name() + " SET statement_timeout = '1ms'");
  EXPECT_FALSE(migrate_up(backend.target()).empty());
}

}  // namespace
}  // namespace al::storage
