/// What the interface promises, on every database. A driver that passes may be put in place of another.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <limits>
#include <numeric>

#include "embedded/migrations.hpp"
#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "storage/test_backend.hpp"
#include "testing/event_loop.hpp"
#include "testing/manual_clock.hpp"
#include "testing/pgbouncer_server.hpp"

namespace al::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr EmbeddedFile suite_tables[] = {
    {"9001_suite.postgres.sql", R"(-- up
CREATE TABLE suite_owners (id text PRIMARY KEY, version bigint NOT NULL, nickname text UNIQUE);
CREATE TABLE suite_rows (
  id text PRIMARY KEY, owner_id text NOT NULL REFERENCES suite_owners (id),
  amount bigint NOT NULL CHECK (amount >= 0), remark text);
CREATE TABLE suite_values (
  id text PRIMARY KEY, flag boolean, whole bigint, number double precision, words text, moment timestamptz);
-- down
DROP TABLE suite_values, suite_rows, suite_owners;
)"},
    {"9001_suite.sqlite.sql", R"(-- up
CREATE TABLE suite_owners (id TEXT PRIMARY KEY, version INTEGER NOT NULL, nickname TEXT UNIQUE) STRICT;
CREATE TABLE suite_rows (
  id TEXT PRIMARY KEY, owner_id TEXT NOT NULL REFERENCES suite_owners (id),
  amount INTEGER NOT NULL CHECK (amount >= 0), remark TEXT) STRICT;
CREATE TABLE suite_values (
  id TEXT PRIMARY KEY, flag INTEGER, whole INTEGER, number REAL, words TEXT, moment INTEGER) STRICT;
-- down
DROP TABLE suite_values; DROP TABLE suite_rows; DROP TABLE suite_owners;
)"},
};

// Statements live as long as a driver may hold them.
Statement const put_owner{.name = "put_owner", .text = "INSERT INTO suite_owners (id, version) VALUES ($1, $2)"};
Statement const put_nickname{.name = "put_nickname",
                             .text = "INSERT INTO suite_owners (id, version, nickname) VALUES ($1, 1, $2)"};
Statement const bump_owner{
    .name = "bump_owner",
    .text = "UPDATE suite_owners SET version = version + 1 WHERE id = $1 AND version = $2 RETURNING version"};
Statement const count_up{.name = "count_up", .text = "UPDATE suite_owners SET version = version + 1 WHERE id = $1"};
Statement const drop_owner{.name = "drop_owner", .text = "DELETE FROM suite_owners WHERE id = $1"};
Statement const owner_version{.name = "owner_version", .text = "SELECT version FROM suite_owners WHERE id = $1"};
Statement const put_row{
    .name = "put_row",
    .text = "INSERT INTO suite_rows (id, owner_id, amount) VALUES ($1, $2, $3) RETURNING id, amount"};
Statement const list_rows{.name = "list_rows", .text = "SELECT id FROM suite_rows ORDER BY id"};
Statement const get_row{.name = "get_row", .text = "SELECT owner_id, amount, remark FROM suite_rows WHERE id = $1"};
Statement const put_value{.name = "put_value",
                          .text =
                              "INSERT INTO suite_values (id, flag, whole, number, words, moment)"
                              " VALUES ($1, $2, $3, $4, $5, $6)"};
Statement const get_value{.name = "get_value",
                          .text = "SELECT flag, whole, number, words, moment FROM suite_values WHERE id = $1"};

RowStatement const add_row{
    .name = "add_row",
    .postgres = R"(
WITH asked AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) WITH ORDINALITY
    AS r(id, owner_id, amount, remark, n)),
first AS (SELECT DISTINCT ON (id) * FROM asked ORDER BY id, n),
added AS (
  INSERT INTO suite_rows (id, owner_id, amount, remark)
  SELECT f.id, f.owner_id, f.amount, f.remark FROM first f JOIN suite_owners o ON o.id = f.owner_id ORDER BY f.n
  ON CONFLICT (id) DO NOTHING RETURNING id, amount)
SELECT f.n, a.id, a.amount FROM added a JOIN first f ON f.id = a.id)",
    .sqlite = {{.name = "add_row.insert",
                .text = "INSERT INTO suite_rows (id, owner_id, amount, remark)"
                        " SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM suite_owners WHERE id = $2)"
                        " ON CONFLICT (id) DO NOTHING RETURNING id, amount"}},
};

/// A callers' $2 is the version that it expects, or NULL.
RowStatement const raise_owner{
    .name = "raise_owner",
    .postgres = R"(
WITH asked AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS r(id, expected, n))
UPDATE suite_owners AS o SET version = o.version + 1 FROM asked
WHERE o.id = asked.id AND o.version = COALESCE(asked.expected, o.version) RETURNING asked.n, o.version)",
    .sqlite = {{.name = "raise_owner.update",
                .text = "UPDATE suite_owners SET version = version + 1"
                        " WHERE id = $1 AND version = COALESCE($2, version) RETURNING version"}},
};

Value text(std::string value) { return value; }
Value whole(std::int64_t value) { return value; }
Scope scope() { return Scope::of(default_tenant); }
Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }
Deadline past() { return Deadline::after(std::chrono::seconds(-1)); }

Task<std::thread::id> thread_after(Task<Rows> work) {
  co_await std::move(work);
  co_return std::this_thread::get_id();
}

class Conformance : public testing::TestWithParam<BackendKind> {
 protected:
  void SetUp() override {
    backend_ = GetParam().make();
    auto const own = embedded::migrations();
    std::vector<EmbeddedFile> files(own.begin(), own.end());
    files.insert(files.end(), std::begin(suite_tables), std::end(suite_tables));
    migrate_up(backend_->target(), files);
    reopen();
  }
  void TearDown() override {
    if (db_)
      db_->close();
  }
  void reopen() {
    if (db_)
      db_->close();
    db_.reset();
    db_ = backend_->open(clock_);
  }

  Rows read(Statement const& statement, Values params = {}) {
    return loop_.wait(db_->read(scope(), statement, std::move(params), soon()));
  }
  Result<std::vector<Rows>> apply(std::vector<Step> steps) {
    return loop_.wait(db_->apply({scope(), std::move(steps)}, soon()));
  }
  Task<Result<Row>> adding(std::string id, std::string owner, std::int64_t amount, Value remark = {}) {
    return db_->write_row(scope(), add_row, {text(std::move(id)), text(std::move(owner)), whole(amount), remark},
                          soon());
  }
  Task<Result<Row>> raising(std::string id, Value expected = {}) {
    return db_->write_row(scope(), raise_owner, {text(std::move(id)), std::move(expected)}, soon());
  }
  void have_owner(std::string id) { ASSERT_TRUE(apply({{&put_owner, {text(std::move(id)), whole(1)}}})); }
  std::vector<std::string> row_ids() {
    std::vector<std::string> ids;
    for (auto const& row : read(list_rows))
      ids.push_back(std::get<std::string>(row.at(0)));
    return ids;
  }
  std::int64_t version_of(std::string id) {
    return std::get<std::int64_t>(read(owner_version, {text(std::move(id))}).at(0).at(0));
  }

  ManualClock clock_;
  EventLoop loop_;
  std::unique_ptr<TestBackend> backend_;
  std::unique_ptr<Database> db_;
};

class BouncedBackend final : public TestBackend {
 public:
  [[nodiscard]] MigrationTarget target() const override { return direct_.target(); }
  [[nodiscard]] std::unique_ptr<Database> open(Clock const&) const override {
    return open_postgres(
        {.url = PgBouncerServer::shared().url(direct_.name()), .pool_size = 4, .pool_overflow = 4, .prepared = false});
  }

 private:
  PostgresBackend direct_{PostgresBackend::Login::owner};
};

/// SQLite on a file system in memory, as USE_DATABASE=off has it.
class MemoryBackend final : public TestBackend {
 public:
  MemoryBackend() {
    if (::mkdtemp(directory_.data()) == nullptr)
      throw std::runtime_error("no directory in memory: " + directory_);
  }
  ~MemoryBackend() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  MemoryBackend(MemoryBackend const&) = delete;
  MemoryBackend& operator=(MemoryBackend const&) = delete;
  [[nodiscard]] MigrationTarget target() const override { return {.sqlite_path = directory_ + "/test.db"}; }
  [[nodiscard]] std::unique_ptr<Database> open(Clock const& clock) const override {
    return open_sqlite({.path = directory_ + "/test.db"}, clock);
  }

 private:
  std::string directory_ = "/dev/shm/agent-lightning-test-XXXXXX";
};

std::vector<BackendKind> conformance_kinds() {
  auto kinds = backend_kinds();
  kinds.push_back({"pgbouncer", Dialect::postgres,
                   []() -> std::unique_ptr<TestBackend> { return std::make_unique<BouncedBackend>(); }});
  kinds.push_back({"sqlite_in_memory", Dialect::sqlite,
                   []() -> std::unique_ptr<TestBackend> { return std::make_unique<MemoryBackend>(); }});
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(On, Conformance, testing::ValuesIn(conformance_kinds()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(Conformance, SaysWhatItIs) {
  EXPECT_EQ(db_->dialect(), GetParam().dialect);
  loop_.wait(db_->ping(soon()));
  auto const state = db_->pool();
  EXPECT_GE(state.size, 1);
  EXPECT_GE(state.size_max, state.size);
  EXPECT_EQ(state.waiting, 0);
}

TEST_P(Conformance, ParametersGoByNumberAndMayRepeat) {
  Statement const calculate{.name = "calculate",
                            .text = "SELECT CAST($2 AS bigint) - CAST($1 AS bigint), CAST($2 AS bigint) * 2"};
  EXPECT_THAT(read(calculate, {whole(3), whole(10)}), ElementsAre(ElementsAre(whole(7), whole(20))));
}

TEST_P(Conformance, ReadAnswersEveryRowInOrder) {
  have_owner("o");
  EXPECT_THAT(row_ids(), IsEmpty());
  ASSERT_TRUE(apply({{&put_row, {text("b"), text("o"), whole(1)}}, {&put_row, {text("a"), text("o"), whole(2)}}}));
  EXPECT_THAT(row_ids(), ElementsAre("a", "b"));
}

/// The same moment or truth, whatever a driver makes of it.
std::int64_t as_micros(Value const& value) {
  if (auto const* time = std::get_if<Timestamp>(&value))
    return time->time_since_epoch().count();
  return std::get<std::int64_t>(value);
}
bool as_bool(Value const& value) {
  if (auto const* flag = std::get_if<bool>(&value))
    return *flag;
  return std::get<std::int64_t>(value) != 0;
}

TEST_P(Conformance, ValuesComeBackAsTheyWere) {
  using Limits = std::numeric_limits<std::int64_t>;
  struct Case {
    char const* name;
    bool flag;
    std::int64_t whole;
    double number;
    std::string words;
    std::int64_t micros;
  };
  Case const cases[] = {
      {"plain", true, 1, 0.5, "word", 1'767'225'600'000'000},
      {"zero", false, 0, 0.0, "", 0},
      {"least", false, Limits::min(), std::numeric_limits<double>::lowest(), " ", -1},
      {"greatest", true, Limits::max(), std::numeric_limits<double>::max(), "\n\t", 253'402'300'799'999'999},
      {"tiny", true, -1, std::numeric_limits<double>::denorm_min(), "'; DROP TABLE suite_rows; --", 1},
      {"precise", true, (std::int64_t{1} << 53) + 1, 0.1, "$1 ? :a \\ \"quoted\" {1,2} NULL", -62'135'596'800'000'000},
      {"infinite", true, 0, std::numeric_limits<double>::infinity(), "Grüße, 世界, 🦾, e\u0301", 1'767'225'600'123'456},
      {"large", true, 0, -0.25, std::string(1'000'000, 'x') + "ü", 999'999},
  };
  for (auto const& c : cases) {
    SCOPED_TRACE(c.name);
    Timestamp const moment{std::chrono::microseconds(c.micros)};
    ASSERT_TRUE(apply({{&put_value, {text(c.name), c.flag, c.whole, c.number, c.words, moment}}}));
    auto const rows = read(get_value, {text(c.name)});
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(as_bool(rows[0].at(0)), c.flag);
    EXPECT_EQ(rows[0].at(1), Value(c.whole));
    EXPECT_EQ(rows[0].at(2), Value(c.number));
    EXPECT_TRUE(rows[0].at(3) == Value(c.words));
    EXPECT_EQ(as_micros(rows[0].at(4)), c.micros);
  }
}

TEST_P(Conformance, NullsStayNullAndDifferFromEmptyText) {
  ASSERT_TRUE(apply({{&put_value, {text("nulls"), {}, {}, {}, {}, {}}}}));
  auto const rows = read(get_value, {text("nulls")});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_TRUE(std::ranges::all_of(rows[0], is_null));
  have_owner("o");
  ASSERT_TRUE(loop_.wait(adding("null", "o", 1)));
  ASSERT_TRUE(loop_.wait(adding("empty", "o", 1, text(""))));
  EXPECT_TRUE(is_null(read(get_row, {text("null")}).at(0).at(2)));
  EXPECT_EQ(read(get_row, {text("empty")}).at(0).at(2), text(""));
}

TEST_P(Conformance, ApplyAnswersTheRowsOfEachStep) {
  auto const answers = apply({{&put_owner, {text("o"), whole(1)}},
                              {&put_row, {text("r"), text("o"), whole(5)}},
                              {&owner_version, {text("o")}},
                              {&bump_owner, {text("o"), whole(1)}, Guard::must_match},
                              {&bump_owner, {text("o"), whole(1)}}});
  ASSERT_TRUE(answers);
  EXPECT_THAT(*answers, ElementsAre(IsEmpty(), ElementsAre(ElementsAre(text("r"), whole(5))),
                                    ElementsAre(ElementsAre(whole(1))), ElementsAre(ElementsAre(whole(2))), IsEmpty()));
}

TEST_P(Conformance, GuardThatFailsTakesTheWholeBatchBack) {
  auto const batch = [this](std::int64_t expected) {
    return apply({{&put_owner, {text("new"), whole(1)}},
                  {&bump_owner, {text("o"), whole(expected)}, Guard::must_match},
                  {&put_row, {text("r"), text("o"), whole(1)}}});
  };
  auto const missing = batch(1);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::conflict);
  EXPECT_EQ(missing.error().where, "bump_owner");
  EXPECT_THAT(read(owner_version, {text("new")}), IsEmpty());

  have_owner("o");
  auto const stale = batch(7);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, Code::conflict);
  EXPECT_EQ(version_of("o"), 1);
  EXPECT_THAT(row_ids(), IsEmpty());

  ASSERT_TRUE(batch(1));
  EXPECT_EQ(version_of("o"), 2);
  EXPECT_THAT(row_ids(), ElementsAre("r"));
}

TEST_P(Conformance, GuardAlsoCountsRowsThatAReadReturns) {
  auto const batch = [this] {
    return apply({{&owner_version, {text("o")}, Guard::must_match}, {&put_owner, {text("other"), whole(1)}}});
  };
  auto const refused = batch();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "owner_version");
  EXPECT_THAT(read(owner_version, {text("other")}), IsEmpty());
  have_owner("o");
  EXPECT_TRUE(batch());
}

TEST_P(Conformance, ConstraintsAnswerWithTheirStatement) {
  ASSERT_TRUE(apply({{&put_nickname, {text("o"), text("nick")}}, {&put_row, {text("r"), text("o"), whole(1)}}}));
  struct Case {
    char const* name;
    Statement const* statement;
    Values params;
    Code code;
  };
  Case const cases[] = {
      {"primary key", &put_owner, {text("o"), whole(1)}, Code::conflict},
      {"unique", &put_nickname, {text("p"), text("nick")}, Code::conflict},
      {"foreign key", &put_row, {text("s"), text("nobody"), whole(1)}, Code::invalid},
      {"foreign key of another", &drop_owner, {text("o")}, Code::invalid},
      {"check", &put_row, {text("s"), text("o"), whole(-1)}, Code::invalid},
      {"not null", &put_row, {text("s"), text("o"), {}}, Code::invalid},
  };
  for (auto const& c : cases) {
    SCOPED_TRACE(c.name);
    auto const answer = apply({{&put_owner, {text("before"), whole(1)}}, {c.statement, c.params}});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, c.code);
    EXPECT_EQ(answer.error().where, c.statement->name);
    EXPECT_FALSE(answer.error().message.empty());
    EXPECT_THAT(read(owner_version, {text("before")}), IsEmpty());
  }
  EXPECT_TRUE(apply({{&put_row, {text("s"), text("o"), whole(0)}}}));
}

TEST_P(Conformance, AnEmptyBatchIsDone) {
  auto const answer = apply({});
  ASSERT_TRUE(answer);
  EXPECT_THAT(*answer, IsEmpty());
}

TEST_P(Conformance, RowIsTakenRefusedOrInvalid) {
  auto const unknown = loop_.wait(adding("a", "o", 1));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::conflict);
  EXPECT_EQ(unknown.error().where, "add_row");

  have_owner("o");
  auto const taken = loop_.wait(adding("a", "o", 1));
  ASSERT_TRUE(taken);
  EXPECT_THAT(*taken, ElementsAre(text("a"), whole(1)));

  auto const doubled = loop_.wait(adding("a", "o", 2));
  ASSERT_FALSE(doubled);
  EXPECT_EQ(doubled.error().code, Code::conflict);

  auto const negative = loop_.wait(adding("b", "o", -1));
  ASSERT_FALSE(negative);
  EXPECT_EQ(negative.error().code, Code::invalid);
  EXPECT_EQ(negative.error().where, "add_row");
  EXPECT_THAT(row_ids(), ElementsAre("a"));
}

TEST_P(Conformance, ManyWritersGetTheirOwnAnswers) {
  have_owner("o");
  ASSERT_TRUE(loop_.wait(adding("taken", "o", 0)));
  std::vector<std::future<Result<Row>>> good;
  std::vector<std::future<Result<Row>>> unknown;
  std::vector<std::future<Result<Row>>> doubled;
  std::vector<std::future<Result<Row>>> negative;
  EventLoop other;
  for (int i = 0; i < 60; ++i) {
    auto& loop = i % 2 == 0 ? loop_ : other;
    good.push_back(loop.start(adding("good" + std::to_string(i), "o", i)));
    if (i % 3 == 0)
      unknown.push_back(loop.start(adding("unknown" + std::to_string(i), "nobody", i)));
    if (i % 5 == 0)
      doubled.push_back(loop.start(adding("taken", "o", i)));
    if (i % 20 == 0)
      negative.push_back(loop.start(adding("negative" + std::to_string(i), "o", -1)));
  }
  for (int i = 0; auto& answer : good) {
    auto const row = answer.get();
    ASSERT_TRUE(row) << row.error().message;
    EXPECT_THAT(*row, ElementsAre(text("good" + std::to_string(i)), whole(i)));
    ++i;
  }
  auto const expect_all = [](auto& answers, Code code) {
    for (auto& answer : answers) {
      auto const row = answer.get();
      ASSERT_FALSE(row);
      EXPECT_EQ(row.error().code, code);
    }
  };
  expect_all(unknown, Code::conflict);
  expect_all(doubled, Code::conflict);
  expect_all(negative, Code::invalid);
  EXPECT_EQ(row_ids().size(), good.size() + 1);
}

TEST_P(Conformance, OneOfManyEqualRowsIsTaken) {
  have_owner("o");
  std::vector<std::future<Result<Row>>> answers;
  for (int i = 0; i < 40; ++i)
    answers.push_back(loop_.start(adding("same", "o", i)));
  std::vector<std::int64_t> amounts;
  for (auto& answer : answers) {
    if (auto const row = answer.get()) {
      amounts.push_back(std::get<std::int64_t>(row->at(1)));
    } else {
      EXPECT_EQ(row.error().code, Code::conflict);
    }
  }
  ASSERT_EQ(amounts.size(), 1u);
  EXPECT_EQ(read(get_row, {text("same")}).at(0).at(1), whole(amounts[0]));
}

TEST_P(Conformance, NoUpdateIsLostAndOneOfManyGuardsWins) {
  have_owner("counted");
  have_owner("guarded");
  std::vector<std::future<Result<std::vector<Rows>>>> counts;
  std::vector<std::future<Result<std::vector<Rows>>>> guards;
  for (int i = 0; i < 40; ++i) {
    counts.push_back(loop_.start(db_->apply({scope(), {{&count_up, {text("counted")}}}}, soon())));
    Step const guarded{&bump_owner, {text("guarded"), whole(1)}, Guard::must_match};
    guards.push_back(loop_.start(db_->apply({scope(), {guarded}}, soon())));
  }
  for (auto& count : counts)
    EXPECT_TRUE(count.get());
  auto const won = std::ranges::count_if(guards, [](auto& guard) { return guard.get().has_value(); });
  EXPECT_EQ(won, 1);
  EXPECT_EQ(version_of("counted"), 41);
  EXPECT_EQ(version_of("guarded"), 2);
}

/// A PostgreSQL statement changes a row once, and refused all other callers of its group.
TEST_P(Conformance, EveryoneWhoWritesTheSameRowAtOnceIsAnswered) {
  have_owner("shared");
  have_owner("own");
  std::vector<Task<Result<Row>>> writes;
  for (int i = 0; i < 100; ++i)
    writes.push_back(raising(i == 50 ? "own" : i % 20 == 0 ? "nobody" : "shared"));
  auto const settled = loop_.wait(settle(std::move(writes)));
  std::vector<std::int64_t> versions;
  for (int i = 0; i < 100; ++i) {
    auto const& [fault, row] = settled[static_cast<std::size_t>(i)];
    ASSERT_FALSE(fault);
    if (i % 20 == 0) {
      ASSERT_FALSE(row);
      EXPECT_EQ(row.error().code, Code::conflict);
    } else {
      ASSERT_TRUE(row) << row.error().message;
      if (i != 50)
        versions.push_back(std::get<std::int64_t>(row->at(0)));
    }
  }
  std::ranges::sort(versions);
  std::vector<std::int64_t> each_once(94);
  std::iota(each_once.begin(), each_once.end(), 2);
  EXPECT_EQ(versions, each_once) << "one change for each caller";
  EXPECT_EQ(version_of("shared"), 95);
  EXPECT_EQ(version_of("own"), 2);
}

TEST_P(Conformance, OneOfManyWhoExpectTheSameVersionWins) {
  have_owner("o");
  std::vector<Task<Result<Row>>> writes;
  for (int i = 0; i < 40; ++i)
    writes.push_back(raising("o", whole(1)));
  auto const settled = loop_.wait(settle(std::move(writes)));
  EXPECT_EQ(std::ranges::count_if(settled, [](auto const& one) { return one.value.has_value(); }), 1);
  EXPECT_EQ(version_of("o"), 2);
}

TEST_P(Conformance, WhatWasWrittenIsThereAfterReopening) {
  have_owner("o");
  ASSERT_TRUE(loop_.wait(adding("a", "o", 1)));
  reopen();
  EXPECT_THAT(row_ids(), ElementsAre("a"));
}

TEST_P(Conformance, PassedDeadlineSendsNothing) {
  have_owner("o");
  EXPECT_THROW(std::ignore = loop_.wait(db_->read(scope(), list_rows, {}, past())), Unavailable);
  EXPECT_THROW(std::ignore = loop_.wait(db_->apply({scope(), {{&put_owner, {text("late"), whole(1)}}}}, past())),
               Unavailable);
  Values const row{text("late"), text("o"), whole(1), {}};
  EXPECT_THROW(std::ignore = loop_.wait(db_->write_row(scope(), add_row, row, past())), Unavailable);
  EXPECT_THROW(loop_.wait(db_->ping(past())), Unavailable);
  EXPECT_THAT(read(owner_version, {text("late")}), IsEmpty());
  EXPECT_THAT(row_ids(), IsEmpty());
}

TEST_P(Conformance, CloseAnswersEveryCaller) {
  have_owner("o");
  std::vector<std::future<Result<Row>>> writes;
  for (int i = 0; i < 100; ++i)
    writes.push_back(loop_.start(adding("r" + std::to_string(i), "o", i)));
  // The queue may have none or all of them by now; both must end well.
  db_->close();
  std::vector<std::string> written;
  std::ptrdiff_t late = 0;
  for (int i = 0; auto& write : writes) {
    try {
      if (write.get())
        written.push_back("r" + std::to_string(i));
    } catch (Unavailable const&) {
      ++late;
    }
    ++i;
  }
  EXPECT_EQ(std::ssize(written) + late, std::ssize(writes));
  EXPECT_THROW(std::ignore = loop_.wait(db_->read(scope(), list_rows, {}, soon())), Unavailable);
  EXPECT_THROW(std::ignore = loop_.wait(adding("after", "o", 1)), Unavailable);
  EXPECT_THROW(loop_.wait(db_->ping(soon())), Unavailable);
  reopen();
  std::ranges::sort(written);
  EXPECT_EQ(row_ids(), written);
}

TEST_P(Conformance, CancelledCallerLeavesItsWriteRunning) {
  for (int i = 0; i < 20; ++i) {
    auto const id = "c" + std::to_string(i);
    auto write = db_->apply({scope(), {{&put_owner, {text(id), whole(1)}}}}, soon());
    // The result and the cancellation race; the write is sent before either.
    auto const answer = loop_.wait(within(Deadline::after(std::chrono::microseconds(i * 20)), std::move(write)));
    if (!answer) {
      EXPECT_EQ(answer.error().code, Code::timed_out);
    }
  }
  reopen();
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(version_of("c" + std::to_string(i)), 1);
}

TEST_P(Conformance, CallerGoesOnOnItsOwnThread) {
  EventLoop other;
  EXPECT_EQ(loop_.wait(thread_after(db_->read(scope(), list_rows, {}, soon()))), loop_.thread_id());
  EXPECT_EQ(other.wait(thread_after(db_->read(scope(), list_rows, {}, soon()))), other.thread_id());
  db_->close();  // before the loop that its threads post to
}

TEST_P(Conformance, WrongStatementIsAFaultAndHarmsNoOne) {
  have_owner("o");
  Statement const wrong{.name = "wrong", .text = "SELECT nothing FROM nowhere"};
  EXPECT_THROW(std::ignore = loop_.wait(db_->read(scope(), wrong, {}, soon())), Fault);
  auto good = loop_.start(adding("a", "o", 1));
  EXPECT_THROW(std::ignore = apply({{&put_owner, {text("undone"), whole(1)}}, {&wrong, {}}}), Fault);
  EXPECT_TRUE(good.get());
  EXPECT_THAT(read(owner_version, {text("undone")}), IsEmpty());
  EXPECT_THAT(row_ids(), ElementsAre("a"));
}

TEST_P(Conformance, ReadCannotWrite) {
  EXPECT_THROW(std::ignore = loop_.wait(db_->read(scope(), put_owner, {text("sneaky"), whole(1)}, soon())), Fault);
  EXPECT_THAT(read(owner_version, {text("sneaky")}), IsEmpty());
}

TEST_P(Conformance, DatabaseKnowsTheTime) {
  Statement const compare{.name = "compare",
                          .text =
                              "SELECT CASE WHEN al_after(-1000000) < al_now() THEN 1 ELSE 0 END,"
                              " CASE WHEN al_now() < al_after(3600000000) THEN 1 ELSE 0 END, al_after(NULL)"};
  auto const rows = read(compare);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at(0), whole(1));
  EXPECT_EQ(rows[0].at(1), whole(1));
  EXPECT_TRUE(is_null(rows[0].at(2)));
  Statement const put_now{.name = "put_now",
                          .text = "INSERT INTO suite_values (id, moment) VALUES ('now', al_after(-1))"};
  Statement const due{.name = "due", .text = "SELECT id FROM suite_values WHERE moment < al_now()"};
  ASSERT_TRUE(apply({{&put_now, {}}}));
  EXPECT_EQ(read(due).size(), 1u);
}

}  // namespace
}  // namespace al::storage
