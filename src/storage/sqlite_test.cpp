/// What only the SQLite driver promises; what every driver promises is in conformance_test.cpp, and what happens when
/// the disk fails in sqlite_disk_test.cpp.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <limits>

#include "core/failpoint.hpp"
#include "storage/database.hpp"
#include "testing/event_loop.hpp"
#include "testing/manual_clock.hpp"
#include "testing/temporary_directory.hpp"

namespace al::storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Statement const create{.name = "create", .text = "CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER) STRICT"};
Statement const insert{.name = "insert", .text = "INSERT INTO t VALUES ($1, $2)"};
Statement const list{.name = "list", .text = "SELECT id FROM t ORDER BY id"};

Value text(std::string value) { return value; }
Value whole(std::int64_t value) { return value; }
Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

/// Another program's connection that holds SQLite's write lock.
class Intruder {
 public:
  explicit Intruder(std::string const& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &db_), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  }
  ~Intruder() { sqlite3_close(db_); }
  Intruder(Intruder const&) = delete;
  Intruder& operator=(Intruder const&) = delete;
  void leave() { EXPECT_EQ(sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK); }

 private:
  sqlite3* db_ = nullptr;
};

class Sqlite : public testing::Test {
 protected:
  void SetUp() override {
    open();
    ASSERT_TRUE(apply({{&create, {}}}));
  }
  void TearDown() override {
#ifdef AL_FAILPOINTS
    failpoint::arm("");
#endif
    if (db_)
      db_->close();
  }
  void open() {
    db_.reset();
    db_ = open_sqlite({.path = path()}, clock_);
  }
  [[nodiscard]] std::string path() const { return directory_.file("test.db"); }

  Rows read(Statement const& statement, Values params = {}) {
    return loop_.wait(db_->read(Scope::system(), statement, std::move(params), soon()));
  }
  Rows read(std::string const& sql, Values params = {}) {
    Statement const statement{.name = "query", .text = sql};
    return read(statement, std::move(params));
  }
  Task<Result<std::vector<Rows>>> applying(std::vector<Step> steps) {
    return db_->apply({Scope::system(), std::move(steps)}, soon());
  }
  Result<std::vector<Rows>> apply(std::vector<Step> steps) { return loop_.wait(applying(std::move(steps))); }
  Task<Result<std::vector<Rows>>> inserting(std::string id) { return applying({{&insert, {text(std::move(id)), {}}}}); }
  Result<std::vector<Rows>> run(std::string const& sql, Values params = {}) {
    Statement const statement{.name = "change", .text = sql};
    return apply({{&statement, std::move(params)}});
  }
  std::vector<std::string> ids() {
    std::vector<std::string> out;
    for (auto const& row : read(list))
      out.push_back(std::get<std::string>(row.at(0)));
    return out;
  }

  TemporaryDirectory directory_;
  EventLoop loop_;
  ManualClock clock_;
  std::unique_ptr<Database> db_;
};

TEST_F(Sqlite, WriterIsDurableAndStrict) {
  auto const setting = [this](std::string const& name) {
    auto const answer = run("SELECT * FROM pragma_" + name);
    return answer.value().at(0).at(0).at(0);
  };
  EXPECT_EQ(setting("journal_mode"), text("wal"));
  EXPECT_EQ(setting("synchronous"), whole(2));
  EXPECT_EQ(setting("foreign_keys"), whole(1));
  EXPECT_EQ(setting("trusted_schema"), whole(0));
  EXPECT_EQ(setting("temp_store"), whole(2));
  EXPECT_EQ(read("SELECT * FROM pragma_query_only").at(0).at(0), whole(1));
}

TEST_F(Sqlite, FilesAreTheOwnersAlone) {
  using std::filesystem::perms;
  for (auto const* suffix : {"", "-wal", "-shm"}) {
    EXPECT_EQ(std::filesystem::status(path() + suffix).permissions(), perms::owner_read | perms::owner_write) << suffix;
  }
}

TEST_F(Sqlite, TimeIsTheClocks) {
  auto const now = clock_.now().time_since_epoch().count();
  EXPECT_THAT(read("SELECT al_now(), al_after(-5), al_after($1)", {whole(7)}),
              ElementsAre(ElementsAre(whole(now), whole(now - 5), whole(now + 7))));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(read("SELECT al_now()").at(0).at(0), whole(now + 1'000'000));
  EXPECT_THROW(read("SELECT al_after(9223372036854775807)"), Fault);
  EXPECT_THROW(read("SELECT al_after('soon')"), Fault);
  EXPECT_THROW(read("SELECT al_after(0.5)"), Fault);
}

/// Never shows the same time twice.
class RestlessClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return Timestamp(std::chrono::microseconds(++ticks_)); }
  [[nodiscard]] SteadyTime steady() const override { return {}; }

 private:
  mutable std::atomic<std::int64_t> ticks_{0};
};

TEST_F(Sqlite, TimeStandsStillWithinAStatement) {
  static RestlessClock const restless;
  db_.reset();
  db_ = open_sqlite({.path = path()}, restless);
  auto const sql =
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100)"
      " SELECT count(DISTINCT al_now()), max(al_after(1)) - min(al_now()), max(al_now()) FROM c";
  auto const first = read(sql);
  EXPECT_EQ(first.at(0).at(0), whole(1));
  EXPECT_EQ(first.at(0).at(1), whole(1));
  EXPECT_NE(read(sql).at(0).at(2), first.at(0).at(2));
}

TEST_F(Sqlite, TimeMayStandInSchemas) {
  ASSERT_TRUE(run("CREATE TABLE stamped (id TEXT, at INTEGER NOT NULL DEFAULT (al_now())) STRICT"));
  ASSERT_TRUE(run("CREATE VIEW fresh AS SELECT id FROM stamped WHERE at > al_after(-10)"));
  ASSERT_TRUE(run("INSERT INTO stamped (id) VALUES ('a')"));
  EXPECT_EQ(read("SELECT id FROM fresh").size(), 1u);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_THAT(read("SELECT id FROM fresh"), IsEmpty());
}

TEST_F(Sqlite, SecondTextIsForThisDialect) {
  Statement const both{.name = "both", .text = "SELECT 'postgres'", .sqlite = "SELECT 'sqlite'"};
  EXPECT_EQ(read(both).at(0).at(0), text("sqlite"));
}

TEST_F(Sqlite, MistakesInStatementsAreFaults) {
  struct Case {
    char const* sql;
    Values params;
    char const* complaint;
  };
  Case const cases[] = {
      {"SELECT $1, $2", {whole(1)}, "$2 has no value"},
      {"SELECT ?", {whole(1)}, "parameters are written"},
      {"SELECT ?1", {whole(1)}, "parameters are written"},
      {"SELECT :name", {whole(1)}, "parameters are written"},
      {"SELECT $name", {whole(1)}, "parameters are written"},
      {"SELECT $0", {whole(1)}, "parameters are written"},
      {"SELECT 1; SELECT 2", {}, "more than one statement"},
      {"", {}, "empty"},
      {"  -- nothing", {}, "empty"},
      {"SELEKT 1", {}, "syntax error"},
      {"SELECT \"no such column\"", {}, "no such column"},
      {"SELECT $1", {std::numeric_limits<double>::quiet_NaN()}, "not a number"},
  };
  for (auto const& c : cases) {
    SCOPED_TRACE(c.sql);
    try {
      read(c.sql, c.params);
      ADD_FAILURE() << "nothing was thrown";
    } catch (Fault const& fault) {
      EXPECT_THAT(fault.what(), HasSubstr(c.complaint));
      EXPECT_THAT(fault.what(), HasSubstr("query"));
    }
  }
  EXPECT_EQ(read("SELECT $1; ", {whole(1), text("not used")}).size(), 1u);
}

TEST_F(Sqlite, MoreStatementsThanAreKept) {
  for (int i = 0; i < 1'100; ++i) {
    ASSERT_EQ(read("SELECT " + std::to_string(i) + " + $1", {whole(1)}).at(0).at(0), whole(i + 1));
  }
}

TEST_F(Sqlite, RefusedStepTakesBackTheStepsOfItsRow) {
  RowStatement const two_steps{
      .name = "two_steps",
      .postgres = "",
      .sqlite = {{.name = "two_steps.insert", .text = "INSERT INTO t VALUES ($1, $2)"},
                 {.name = "two_steps.check", .text = "SELECT n FROM t WHERE id = $1 AND n > 5"}}};
  auto const write = [&](std::string id, std::int64_t n) {
    return loop_.start(db_->write_row(Scope::system(), two_steps, {text(std::move(id)), whole(n)}, soon()));
  };
  auto small = write("small", 1);
  auto large = write("large", 9);
  auto const refused = small.get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_EQ(refused.error().where, "two_steps");
  EXPECT_THAT(large.get().value(), ElementsAre(whole(9)));
  EXPECT_THAT(ids(), ElementsAre("large"));
}

TEST_F(Sqlite, DeferredKeyFailsItsOwnBatchOnly) {
  ASSERT_TRUE(
      run("CREATE TABLE child (id TEXT PRIMARY KEY, parent TEXT REFERENCES t (id)"
          " DEFERRABLE INITIALLY DEFERRED) STRICT"));
  Statement const child{.name = "child", .text = "INSERT INTO child VALUES ($1, $2)"};
  Intruder intruder(path());
  auto orphan = loop_.start(applying({{&child, {text("a"), text("nobody")}}}));
  auto family = loop_.start(applying({{&child, {text("b"), text("p")}}, {&insert, {text("p"), {}}}}));
  auto other = loop_.start(inserting("other"));
  intruder.leave();
  auto const refused = orphan.get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_EQ(refused.error().where, "child");
  EXPECT_TRUE(family.get());
  EXPECT_TRUE(other.get());
  EXPECT_THAT(ids(), ElementsAre("other", "p"));
}

TEST_F(Sqlite, ReadersDoNotWaitForTheWriter) {
  Intruder intruder(path());
  auto write = loop_.start(inserting("a"));
  EXPECT_THAT(ids(), IsEmpty());
  loop_.wait(db_->ping(soon()));
  intruder.leave();
  EXPECT_TRUE(write.get());
  EXPECT_THAT(ids(), ElementsAre("a"));
}

TEST_F(Sqlite, FullQueueIsUnavailable) {
  db_.reset();
  db_ = open_sqlite({.path = path(), .queue_max = 2, .group_max = 1}, clock_);
  Intruder intruder(path());
  std::vector<std::future<Result<std::vector<Rows>>>> writes;
  for (int i = 0; i < 10; ++i)
    writes.push_back(loop_.start(inserting(std::to_string(i))));
  // The loop has handed all of them over once it has run this.
  EXPECT_THAT(ids(), IsEmpty());
  intruder.leave();
  std::size_t taken = 0;
  for (auto& write : writes) {
    try {
      taken += write.get() ? 1 : 0;
    } catch (Unavailable const& fault) {
      EXPECT_THAT(fault.what(), HasSubstr("too many"));
    }
  }
  // Two in the queue, and one if the writer was quick enough to take it before the others came.
  EXPECT_GE(taken, 2u);
  EXPECT_LE(taken, 3u);
  EXPECT_EQ(ids().size(), taken);
  EXPECT_TRUE(loop_.wait(inserting("later")));
}

TEST_F(Sqlite, CancelledCallerGoesOnAtOnce) {
  Intruder intruder(path());
  // The writer cannot get on before the intruder leaves, which is after this answer.
  auto const answer = loop_.wait(within(Deadline::after(std::chrono::milliseconds(1)), inserting("a")));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::timed_out);
  intruder.leave();
  EXPECT_TRUE(loop_.wait(inserting("b")));
  EXPECT_THAT(ids(), ElementsAre("a", "b"));
}

TEST_F(Sqlite, CloseFinishesWhatWaits) {
  Intruder intruder(path());
  std::vector<std::future<Result<std::vector<Rows>>>> writes;
  for (int i = 0; i < 20; ++i)
    writes.push_back(loop_.start(inserting(std::to_string(i))));
  EXPECT_THAT(ids(), IsEmpty());
  auto closed = std::async(std::launch::async, [this] { db_->close(); });
  intruder.leave();
  for (auto& write : writes)
    EXPECT_TRUE(write.get());
  closed.get();
  EXPECT_EQ(db_->pool().waiting, 0);
  open();
  EXPECT_EQ(ids().size(), 20u);
}

TEST_F(Sqlite, CloseTwiceIsOnce) {
  db_->close();
  db_->close();
}

TEST_F(Sqlite, LongReadEndsAtItsDeadline) {
  Statement const endless{
      .name = "endless",
      .text = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT sum(i * 0) FROM c"};
  EXPECT_THROW(
      std::ignore = loop_.wait(db_->read(Scope::system(), endless, {}, Deadline::after(std::chrono::milliseconds(50)))),
      Unavailable);
  for (int i = 0; i < 4; ++i)
    EXPECT_THAT(ids(), IsEmpty());
}

TEST_F(Sqlite, LogIsMovedIntoTheDatabase) {
  Value const page = std::string(100'000, 'x');
  Statement const put{.name = "put", .text = "INSERT INTO big VALUES ($1, $2)"};
  ASSERT_TRUE(run("CREATE TABLE big (id INTEGER PRIMARY KEY, page TEXT) STRICT"));
  for (int i = 0; i < 640; ++i)
    ASSERT_TRUE(apply({{&put, {whole(i), page}}}));
  EXPECT_GT(std::filesystem::file_size(path()), 40'000'000u);
  EXPECT_LT(std::filesystem::file_size(path() + "-wal"), 24'000'000u);
}

TEST_F(Sqlite, CannotBeOpened) {
  SystemClock const clock;
  EXPECT_THROW((void)open_sqlite({.path = directory_.file("no/such/directory/a.db")}, clock), Fault);
  EXPECT_THROW((void)open_sqlite({.path = directory_.path().string()}, clock), Fault);
  EXPECT_THROW((void)open_sqlite({.path = ":memory:"}, clock), Fault);
  EXPECT_THROW((void)open_sqlite({.path = ""}, clock), Fault);
  std::ofstream(directory_.file("text.db")) << std::string(4'096, 'x');
  EXPECT_THROW((void)open_sqlite({.path = directory_.file("text.db")}, clock), Fault);
}

#ifdef AL_FAILPOINTS

TEST_F(Sqlite, ErrorBeforeTheCommitFailsTheGroupAndPasses) {
  ASSERT_TRUE(loop_.wait(inserting("before")));
  Intruder intruder(path());
  failpoint::arm("storage.commit.before=error@1");
  std::vector<std::future<Result<std::vector<Rows>>>> writes;
  for (int i = 0; i < 10; ++i)
    writes.push_back(loop_.start(inserting(std::to_string(i))));
  EXPECT_THAT(ids(), ElementsAre("before"));
  intruder.leave();
  std::size_t failed = 0;
  for (auto& write : writes) {
    try {
      EXPECT_TRUE(write.get());
    } catch (Unavailable const&) {
      ++failed;
    }
  }
  EXPECT_GE(failed, 1u);
  EXPECT_EQ(ids().size(), 1 + writes.size() - failed);
  EXPECT_TRUE(loop_.wait(inserting("after")));
}

TEST_F(Sqlite, RefusalByARowThatWasNotCommittedDoesNotStand) {
  failpoint::arm("storage.commit.before=error@1");
  Intruder intruder(path());
  auto blocker = loop_.start(inserting("blocker"));
  EXPECT_THAT(ids(), IsEmpty());
  auto first = loop_.start(inserting("same"));
  auto second = loop_.start(inserting("same"));
  EXPECT_THAT(ids(), IsEmpty());
  intruder.leave();
  int conflicts = 0;
  int lost = 0;
  for (auto* write : {&blocker, &first, &second}) {
    try {
      conflicts += write->get() ? 0 : 1;
    } catch (Unavailable const&) {
      ++lost;
    }
  }
  EXPECT_GE(lost, 1);
  // A conflict is true only where the row is.
  if (conflicts > 0) {
    EXPECT_THAT(ids(), testing::Contains("same"));
  }
}

TEST_F(Sqlite, ErrorAfterTheCommitLeavesTheOutcomeOpen) {
  failpoint::arm("storage.commit.after=error@1");
  EXPECT_THROW(std::ignore = loop_.wait(inserting("a")), OutcomeUnknown);
  EXPECT_THAT(ids(), ElementsAre("a"));
  EXPECT_TRUE(loop_.wait(inserting("b")));
}

/// What a killed process leaves: nothing of a write before its commit, all of it after.
class SqliteCrash : public testing::TestWithParam<char const*> {};
INSTANTIATE_TEST_SUITE_P(At, SqliteCrash, testing::Values("storage.commit.before", "storage.commit.after"),
                         [](auto const& info) { return std::string(info.param).substr(15); });

TEST_P(SqliteCrash, KeepsWhatWasCommitted) {
  TemporaryDirectory directory;
  auto const path = directory.file("a.db");
  auto const child = ::fork();
  if (child == 0) {
    SystemClock const clock;
    auto const db = open_sqlite({.path = path}, clock);
    EventLoop loop;
    (void)loop.wait(db->apply({Scope::system(), {{&create, {}}, {&insert, {text("first"), {}}}}}, soon()));
    failpoint::arm(std::string(GetParam()) + "=crash");
    (void)loop.wait(db->apply({Scope::system(), {{&insert, {text("second"), {}}}}}, soon()));
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  SystemClock const clock;
  auto const db = open_sqlite({.path = path}, clock);
  EventLoop loop;
  auto const rows = loop.wait(db->read(Scope::system(), list, {}, soon()));
  EXPECT_EQ(rows.size(), std::string(GetParam()) == "storage.commit.after" ? 2u : 1u);
  db->close();
}

#endif

}  // namespace
}  // namespace al::storage
