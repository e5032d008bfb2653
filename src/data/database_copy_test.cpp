#include "data/database_copy.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "core/failpoint.hpp"
#include "data/access_store.hpp"
#include "data/api_key_store.hpp"
#include "data/audit_store.hpp"
#include "data/copy_rows.hpp"
#include "data/data_key_store.hpp"
#include "data/export.hpp"
#include "data/filled_fixture.hpp"
#include "data/idempotency_store.hpp"
#include "data/login_store.hpp"
#include "data/service_store.hpp"
#include "data/user_identity_store.hpp"
#include "data/user_store.hpp"

namespace al::data {
namespace {

using storage::PostgresBackend;
using storage::Scope;
using storage::Statement;
using testing::AllOf;
using testing::HasSubstr;
using Login = PostgresBackend::Login;

std::string exported_from(storage::MigrationTarget const& target) {
  auto const session = storage::open_snapshot(target);
  std::string out;
  static_cast<void>(write_export(*session, [&](std::string_view line) { out += line; }));
  return out;
}

/// Small batches, so that there are many boundaries to be interrupted at.
constexpr CopyOptions small{.batch_rows_max = 3};

/// The fixture's database is the source.
class DatabaseCopy : public FilledFixture {
 protected:
  void TearDown() override {
    failpoint::arm("");
    FilledFixture::TearDown();
  }

  void fill_identity() {
    UserStore users(*writer);
    model::User user;
    user.id = users.new_id();
    user.email = "ada@example.org";
    user.full_name = "Ada";
    user.roles = {"viewer"};
    ASSERT_TRUE(wait(users.create(actor(), user, "hash", soon())));
    LoginStore logins(*writer);
    model::Login login;
    login.id = logins.new_id();
    login.user_id = user.id;
    ASSERT_TRUE(wait(logins.begin(actor(), login, soon())));
    UserIdentityStore identities(*writer);
    ASSERT_TRUE(wait(identities.link(actor(), user.id, "https://id.example.org", "ada", soon())));
    ApiKeyStore keys(*writer);
    model::ApiKey key;
    key.id = keys.new_id();
    key.name = "ci";
    key.user_id = user.id;
    key.permissions = {"tasks:read"};
    ASSERT_TRUE(wait(keys.create(actor(), key, {.hash = sha256_hex("token"), .prefix = ""}, soon())));
    AuditStore audit(*database, clock, random);
    auto const entries = wait(audit.pending(default_tenant, 1, soon()));
    ASSERT_FALSE(entries.empty());
    ASSERT_TRUE(wait(audit.append(default_tenant, {{1, entries[0].id.value, "hash"}}, soon())));
  }

  /// What belongs to an installation: an export leaves it out, a copy must not.
  void fill_all() {
    fill();
    fill_identity();
    ASSERT_TRUE(wait(DataKeyStore(*database).add(default_tenant, "v1:wrapped", soon())));
    ASSERT_TRUE(wait(DataKeyStore(*database).add(TenantId{"other"}, "v1:other", soon())));
    ASSERT_TRUE(wait(
        IdempotencyStore(*database, clock, random).begin(actor("other"), {"POST /tasks", "key-1", "hash"}, soon())));
    ServiceStore services(*writer);
    model::ServiceInstance instance;
    instance.id = services.new_id();
    instance.name = model::ServiceName{"search"};
    instance.host = "10.0.0.7";
    instance.port = 9200;
    ASSERT_TRUE(wait(services.add(actor(), instance, {}, soon())));
  }

  static std::unique_ptr<PostgresBackend> have_target(Login login = Login::owner) {
    auto target = std::make_unique<PostgresBackend>(login);
    storage::migrate_up(target->target());
    return target;
  }

  Result<CopySummary> copy_to(PostgresBackend const& target, CopyOptions const& options = {}) {
    return copy_database(backend->target(), target.target(), options);
  }

  /// Runs again after each interruption, until it is through. Answers how often it was interrupted.
  int copy_with_interruptions(PostgresBackend const& target, std::string const& where) {
    for (int interruptions = 0; interruptions < 1'000; ++interruptions) {
      failpoint::arm(where);
      try {
        auto const done = copy_to(target, small);
        EXPECT_TRUE(done) << done.error().message;
        return interruptions;
      } catch (Unavailable const&) {
        EXPECT_TRUE(is_marked(target));
      }
    }
    ADD_FAILURE() << "it does not get on";
    return 0;
  }

  /// Everything is there, but was not compared yet.
  void copy_up_to_the_comparison(PostgresBackend const& target) {
    failpoint::arm("copy.compare=error@1");
    EXPECT_THROW(static_cast<void>(copy_to(target, small)), Unavailable);
    failpoint::arm("");
  }

  Rows query(PostgresBackend const& target, std::string const& sql, Scope scope = Scope::system()) {
    Rows rows;
    storage::open_postgres_snapshot(target.target())->for_each(scope, {"test.query", sql}, {}, [&](Row const& row) {
      rows.push_back(row);
    });
    return rows;
  }

  bool is_marked(PostgresBackend const& target) {
    return std::get<bool>(query(target, "SELECT to_regclass('agent_lightning.database_copy') IS NOT NULL")[0][0]);
  }

  std::vector<std::string> source_events() {
    Statement const list{"test.events", "SELECT seq || ' ' || event_id FROM events ORDER BY seq"};
    std::vector<std::string> events;
    for (auto const& row : wait(database->read(Scope::system(), list, {}, soon())))
      events.push_back(std::get<std::string>(row[0]));
    return events;
  }

  /// All that a reader of the log is given from `token` on, page by page; `token` is where it stands then.
  std::vector<std::string> events_after(events::EventLog& log, std::string& token) {
    std::vector<std::string> events;
    bool more = true;
    for (int pages = 0; more && pages < 1'000; ++pages) {
      auto const page = wait(log.read_after(Scope::system(), token, {}, 3, soon()));
      EXPECT_TRUE(page) << token;
      for (auto const& [event, position] : page->events)
        events.push_back(std::to_string(event.seq) + " " + event.event_id.value);
      token = page->token;
      more = page->more;
    }
    EXPECT_FALSE(more);
    return events;
  }

  /// The stores of the fixture go on with the copy.
  void go_on_with(std::unique_ptr<PostgresBackend> target) {
    database->close();
    backend = std::move(target);
    database = backend->open(clock);
    writer = std::make_unique<Writer>(*database, bus, clock, random, "test");
    agents = std::make_unique<AgentStore>(*writer, nullptr);
    tasks = std::make_unique<TaskStore>(*writer);
    knowledge = std::make_unique<KnowledgeStore>(*writer);
    log = std::make_unique<events::EventLog>(*database);
  }

  void demand_difference(std::string const& planted, std::vector<std::string> const& said) {
    SCOPED_TRACE(planted);
    auto const target = have_target();
    copy_up_to_the_comparison(*target);
    PostgresServer::shared().execute(target->name(), "SET search_path = agent_lightning; " + planted);
    auto const done = copy_to(*target, small);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::internal);
    for (auto const& words : said)
      EXPECT_THAT(done.error().message, HasSubstr(words));
    EXPECT_TRUE(is_marked(*target));
    EXPECT_FALSE(copy_to(*target)) << "nor is it taken for sound later";
  }
};

TEST_P(DatabaseCopy, TakesEverythingAlong) {
  fill_all();
  auto const before = exported_from(backend->target());
  auto const numbered = source_events();
  for (auto const login : {Login::owner, Login::superuser}) {
    auto const target = have_target(login);
    std::int64_t shown = 0;
    std::int64_t total = 0;
    auto const done = copy_database(backend->target(), target->target(), {},
                                    [&](std::int64_t rows, std::int64_t all, std::string_view) {
                                      EXPECT_GE(rows, shown);
                                      shown = rows;
                                      total = all;
                                    });
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(shown, total);
    EXPECT_EQ(done->rows_before, 0);
    EXPECT_FALSE(is_marked(*target));
    EXPECT_EQ(exported_from(target->target()), before);
    EXPECT_EQ(exported_from(backend->target()), before);
    auto const copy = target->open(clock);
    AccessStore access(*copy);
    auto const found = wait(access.find_key(sha256_hex("token"), soon()));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->roles, std::vector<std::string>{"viewer"});
    EXPECT_EQ(wait(DataKeyStore(*copy).find(TenantId{"other"}, soon())), "v1:other");
    auto const other = Scope::of(TenantId{"other"});
    EXPECT_EQ(query(*target, "SELECT key FROM idempotency_keys", other), Rows{{std::string("key-1")}});
    events::EventLog events(*copy);
    auto token = events.beginning();
    EXPECT_EQ(events_after(events, token), numbered);
    copy->close();
  }
}

/// A table that a migration adds is copied too.
TEST_P(DatabaseCopy, ForgetsNoTable) {
  fill_all();
  auto const target = have_target();
  auto const done = copy_to(*target);
  ASSERT_TRUE(done) << done.error().message;
  auto wanted = tables_of_tenants();
  std::erase(wanted, "knowledge_text");
  std::erase(wanted, "service_instances");  // processes of the source
  std::map<std::string, std::int64_t> copied;
  for (auto const& table : done->tables)
    copied[table.name] = table.rows;
  for (auto const& table : wanted) {
    Statement const count{"test.count", "SELECT COUNT(*) FROM " + table};
    auto const rows = wait(database->read(Scope::system(), count, {}, soon()));
    ASSERT_TRUE(copied.contains(table)) << table;
    EXPECT_EQ(copied[table], std::get<std::int64_t>(rows[0][0])) << table;
  }
  EXPECT_TRUE(copied.contains("tenants"));
  EXPECT_FALSE(copied.contains("workers"));
  EXPECT_FALSE(copied.contains("service_instances"));
  EXPECT_GT(copied["api_keys"] + copied["data_keys"] + copied["idempotency_keys"], 0);
}

TEST_P(DatabaseCopy, TheInstallationGoesOn) {
  fill_all();
  auto const last = source_events().back();
  auto target = have_target();
  ASSERT_TRUE(copy_to(*target));
  go_on_with(std::move(target));
  auto const matches = wait(knowledge->search(default_tenant, {}, "volcanoes", 20, soon()));
  EXPECT_FALSE(matches.empty());
  EXPECT_EQ(wait(tasks->sweep(soon())).requeued, 1U) << "the worker of the started task is not there";
  have_item("writer", "new", "Fresh words.");
  EXPECT_EQ(history("knowledge", "writer/new"), "knowledge:added");
  auto const newest = wait(log->replay(default_tenant, "knowledge", "writer/new", 1, 1, soon())).at(0).seq;
  EXPECT_GT(newest, std::stoll(last));
}

TEST_P(DatabaseCopy, OfAnEmptyDatabase) {
  auto const target = have_target();
  auto const done = copy_to(*target);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_FALSE(is_marked(*target));
  EXPECT_TRUE(copy_to(*target)) << "and what came of it is empty still";
}

// ---- interruptions ----

TEST_P(DatabaseCopy, GoesOnAfterEveryBatch) {
  fill_all();
  auto const before = exported_from(backend->target());
  for (auto const login : {Login::owner, Login::superuser}) {
    auto const target = have_target(login);
    EXPECT_GT(copy_with_interruptions(*target, "copy.commit.after=error@1"), 20);
    EXPECT_FALSE(is_marked(*target));
    EXPECT_EQ(exported_from(target->target()), before);
  }
}

TEST_P(DatabaseCopy, GoesOnBeforeEveryCommit) {
  fill_all();
  auto const before = exported_from(backend->target());
  auto const target = have_target();
  EXPECT_GT(copy_with_interruptions(*target, "copy.commit.before=error@2"), 20);
  EXPECT_EQ(exported_from(target->target()), before);
}

TEST_P(DatabaseCopy, GoesOnAfterAKill) {
  fill_all();
  auto const before = exported_from(backend->target());
  auto const target = have_target();
  for (auto const* where : {"copy.commit.before=crash@4", "copy.commit.after=crash@3", "copy.compare=crash"}) {
    auto const child = ::fork();
    if (child == 0) {
      failpoint::arm(where);
      static_cast<void>(copy_to(*target, small));
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << where;
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
  }
  auto const done = copy_to(*target, small);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_GT(done->rows_before, 0);
  EXPECT_EQ(exported_from(target->target()), before);
}

TEST_P(DatabaseCopy, KeepsToItsSource) {
  fill_all();
  auto const target = have_target();
  copy_up_to_the_comparison(*target);
  have_agent("later");
  auto const refused = copy_to(*target);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("before it was changed"), HasSubstr("DROP SCHEMA")));
  EXPECT_TRUE(is_marked(*target));
}

TEST_P(DatabaseCopy, OneAtATime) {
  auto const target = have_target();
  auto const other = storage::open_postgres_load(target->target());
  other->run(Scope::system(), {"test.lock", "SELECT pg_advisory_lock(7018690069353689209)"});
  auto const refused = copy_to(*target, {.lock_wait = std::chrono::milliseconds{1}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("another copy"));
}

// ---- what it refuses ----

TEST_P(DatabaseCopy, NeedsAnEmptyTarget) {
  fill_all();
  for (std::string const content :
       {"INSERT INTO tenants (id) VALUES ('other')", "INSERT INTO data_keys VALUES ('default', 'v1', now())",
        "INSERT INTO model_usage VALUES ('default', '2026-01-01', 'p', 'p', 'm', 1, 1, 1)"}) {
    for (auto const login : {Login::owner, Login::superuser}) {
      auto const target = have_target(login);
      PostgresServer::shared().execute(target->name(), "SET search_path = agent_lightning; " + content);
      auto const refused = copy_to(*target);
      ASSERT_FALSE(refused) << content;
      EXPECT_EQ(refused.error().code, Code::conflict);
      EXPECT_THAT(refused.error().message, AllOf(HasSubstr("not empty"), HasSubstr(content.substr(12, 5))));
      EXPECT_FALSE(is_marked(*target));
    }
  }
}

TEST_P(DatabaseCopy, NamesTheRowThatPostgresCannotKeep) {
  for (std::string const bytes : {"6100", "62ff"}) {
    Statement const add{"test.usage",
                        "INSERT INTO model_usage (tenant_id, day, principal, provider, model, requests, input_tokens,"
                        " output_tokens) VALUES ('default', '2026-01-31', 'me', 'p', CAST(x'" +
                            bytes + "' AS TEXT), 1, 1, 1)"};
    run(add, {});
    auto const target = have_target();
    try {
      static_cast<void>(copy_to(*target));
      ADD_FAILURE() << bytes << " was copied";
    } catch (Fault const& fault) {
      EXPECT_THAT(fault.what(), AllOf(HasSubstr("model_usage"), HasSubstr("principal \"me\""), HasSubstr(": model ")));
    }
    Statement const clear{"test.clear", "DELETE FROM model_usage WHERE tenant_id = 'default'"};
    run(clear, {});
  }
}

TEST_P(DatabaseCopy, FindsWhatIsNotEqual) {
  fill_all();
  demand_difference("UPDATE agents SET name = 'x' WHERE tenant_id = 'other' AND id = 'writer'",
                    {"'agents'", "other values", R"(tenant_id "other", id "writer")"});
  demand_difference("UPDATE tasks SET created_at = created_at + interval '1 microsecond'", {"'tasks'", "other values"});
  demand_difference("UPDATE knowledge SET relevance_score = 0.3 WHERE id = 'B'", {"'knowledge'", R"(id "B")"});
  demand_difference("DELETE FROM agents WHERE id = 'a-b'", {"'agents'", "lacks the row with", R"(id "a-b")"});
  demand_difference("DELETE FROM knowledge_uses", {"'knowledge_uses'", "0 in the copy"});
  demand_difference("INSERT INTO imported_items VALUES ('other', 'h', 'a', 'k', now())",
                    {"'imported_items' has 0 rows", "1 in the copy", "a row more", R"(content_hash "h")"});
  demand_difference("UPDATE events SET data = '{}' WHERE seq = 5", {"'events'", "other values", "seq 5"});
  demand_difference("DELETE FROM events WHERE seq = 5", {"'events'", "lacks the row with seq 5"});
}

// ---- positions in the event log ----

/// Whoever stood at s.N is given what came after N, each once, and then what commits.
TEST_P(DatabaseCopy, PositionsKeepTheirMeaning) {
  fill_all();
  auto const numbered = source_events();
  auto target = have_target();
  auto const done = copy_to(*target, small);
  ASSERT_TRUE(done) << done.error().message;
  go_on_with(std::move(target));
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i <= numbered.size(); ++i) {
    auto token = done->token_prefix + (i == 0 ? "0" : numbered[i - 1].substr(0, numbered[i - 1].find(' ')));
    EXPECT_EQ(events_after(*log, token),
              std::vector(numbered.begin() + static_cast<std::ptrdiff_t>(i), numbered.end()));
    tokens.push_back(token);
  }
  have_agent("after");
  for (auto& token : tokens) {
    auto const fresh = events_after(*log, token);
    ASSERT_EQ(fresh.size(), 1U);
    EXPECT_GT(std::stoll(fresh[0]), std::stoll(numbered.back()));
    EXPECT_TRUE(events_after(*log, token).empty());
  }
  // New events are no part of the page that the copy cut, whatever their numbers.
  auto late = done->token_prefix + "0";
  EXPECT_EQ(events_after(*log, late).size(), numbered.size() + 1);
}

TEST_P(DatabaseCopy, StoredPositionsAreCarriedOver) {
  fill_all();
  auto const numbered = source_events();
  auto const& half = numbered.at(numbered.size() / 2);
  auto const position = half.substr(0, half.find(' '));
  std::string const columns = " (tenant_id text, name text, cursor text, PRIMARY KEY (name))";
  Statement const drop{"test.drop", "DROP TABLE IF EXISTS consumer_slots"};
  Statement const create{"test.create", "CREATE TABLE consumer_slots" + columns};
  Statement const add{"test.slots",
                      "INSERT INTO consumer_slots VALUES ('default', 'a', 's.' || $1), ('default', 'b', NULL),"
                      " ('default', 'c', ''), ('other', 'd', 's.0'), (NULL, 'e', 's.0')"};
  run(drop, {});
  run(create, {});
  run(add, {position});
  auto target = have_target();
  PostgresServer::shared().execute_as_owner(
      target->name(),
      "SET search_path = agent_lightning; DROP TABLE IF EXISTS consumer_slots CASCADE;"
      "CREATE TABLE consumer_slots" +
          columns);
  EXPECT_GT(copy_with_interruptions(*target, "copy.commit.after=error@1"), 20);
  auto const slots = query(*target, "SELECT name, cursor FROM consumer_slots ORDER BY name");
  ASSERT_EQ(slots.size(), 5U);
  EXPECT_TRUE(is_null(slots[1][1]));
  EXPECT_EQ(slots[2][1], Value{std::string()});
  go_on_with(std::move(target));
  auto token = std::get<std::string>(slots[0][1]);
  EXPECT_EQ(events_after(*log, token),
            std::vector(numbered.begin() + static_cast<std::ptrdiff_t>(numbered.size() / 2) + 1, numbered.end()));
  have_agent("after");
  EXPECT_EQ(events_after(*log, token).size(), 1U);
  for (std::size_t i : {3U, 4U}) {
    token = std::get<std::string>(slots[i][1]);
    EXPECT_EQ(events_after(*log, token).size(), numbered.size() + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(From, DatabaseCopy, testing::Values(storage::backend_kinds().front()),
                         [](auto const& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace al::data
