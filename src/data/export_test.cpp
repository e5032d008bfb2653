#include "data/export.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "core/hash.hpp"
#include "data/export_restore.hpp"
#include "data/filled_fixture.hpp"
#include "data/starter.hpp"

namespace al::data {
namespace {

using storage::Scope;
using storage::Statement;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string exported_from(storage::MigrationTarget const& target, ExportSummary* summary = nullptr) {
  auto const session = storage::open_snapshot(target);
  std::string out;
  auto const done = write_export(*session, [&](std::string_view line) { out += line; });
  if (summary != nullptr)
    *summary = done;
  return out;
}

Result<ExportSummary> restore_into(storage::MigrationTarget const& target, std::string const& text) {
  std::istringstream in(text);
  auto const session = storage::open_load(target);
  return restore_export(in, *session);
}

std::string fault_of(std::string const& text) {
  std::istringstream in(text);
  auto const verified = verify_export(in);
  return verified ? "" : verified.error().message;
}

std::vector<std::string> lines_of(std::string const& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line + "\n");
  return lines;
}

std::string joined(std::vector<std::string> const& lines) {
  std::string out;
  for (auto const& line : lines)
    out += line;
  return out;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  auto const at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// The first line that is not the same, or nothing: whole exports are too much to read.
std::string difference(std::string const& a, std::string const& b) {
  auto const left = lines_of(a);
  auto const right = lines_of(b);
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    auto const one = i < left.size() ? left[i] : "nothing";
    auto const other = i < right.size() ? right[i] : "nothing";
    auto const at = static_cast<std::size_t>(std::ranges::mismatch(one, other).in1 - one.begin());
    auto const from = at < 40 ? 0 : at - 40;
    if (one != other)
      return "line " + std::to_string(i + 1) + ": " + one.substr(from, 100) + " | " + other.substr(from, 100);
  }
  return {};
}

class Export : public FilledFixture {
 protected:
  std::string exported() { return exported_from(backend->target()); }
};

TEST_P(Export, ComesBackFromEveryDatabase) {
  fill();
  ExportSummary summary;
  auto const text = exported_from(backend->target(), &summary);
  EXPECT_EQ(summary.tenants, 2);
  EXPECT_EQ(fault_of(text), "");
  EXPECT_EQ(difference(text, exported()), "");
  for (auto const& kind : storage::backend_kinds()) {
    SCOPED_TRACE(kind.name);
    auto const other = kind.make();
    storage::migrate_up(other->target());
    auto const restored = restore_into(other->target(), text);
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_EQ(*restored, summary);
    EXPECT_EQ(difference(exported_from(other->target()), text), "");
  }
}

TEST_P(Export, OfAnEmptyDatabaseRestores) {
  auto const text = exported();
  EXPECT_EQ(lines_of(text).size(), 2 + export_sections().size() + 1);
  auto const other = GetParam().make();
  storage::migrate_up(other->target());
  ASSERT_TRUE(restore_into(other->target(), text));
  EXPECT_EQ(difference(exported_from(other->target()), text), "");
}

TEST_P(Export, KeepsTheOrderOfBytes) {
  fill();
  std::vector<std::string> agents_seen;
  std::vector<std::string> items_seen;
  for (auto const& line : lines_of(exported())) {
    auto const parsed = parse_line(line);
    ASSERT_TRUE(parsed) << line;
    auto const members = json::members({&*parsed, line});
    auto const id = json::member(members.at(0).value, "id");
    if (members.at(0).key == "agents")
      agents_seen.emplace_back(id.raw);
    if (members.at(0).key == "knowledge")
      items_seen.emplace_back(id.raw);
    if (members.at(0).key == "tenant" && id.raw == "\"other\"")
      break;
  }
  EXPECT_THAT(agents_seen,
              testing::ElementsAre("\"a-b\"", "\"a_b\"", "\"ab\"", "\"deep\"", "\"gone\"", "\"spaced\"", "\"writer\""));
  EXPECT_THAT(items_seen, testing::ElementsAre("\"k\"", "\"B\"", "\"a\"", "\"a b\"", "\"a/b\"", "\"~\"", "\"Ä\""));
}

/// What is left out, is so on purpose: a column or table that is added must find its way into the export.
TEST_P(Export, ForgetsNoColumn) {
  std::map<std::string, std::set<std::string>> const without{{"tasks", {"queue_rank"}},
                                                             {"knowledge", {"num"}},
                                                             {"events", {"seq", "kind", "xid"}},
                                                             {"providers", {"sealed_key"}}};
  bool const sqlite = database->dialect() == storage::Dialect::sqlite;
  auto sections = export_sections();
  sections.push_back(tenant_section());
  sections.back().name = "tenants";
  for (auto const& section : sections) {
    SCOPED_TRACE(section.name);
    auto const name = std::string(section.name);
    Statement const list{"test.columns",
                         "SELECT column_name::text FROM information_schema.columns WHERE table_name = '" + name + "'",
                         "SELECT name FROM pragma_table_xinfo('" + name + "')"};
    std::set<std::string> columns;
    for (auto const& row : wait(database->read(Scope::system(), list, {}, soon())))
      columns.insert(std::get<std::string>(row.at(0)));
    std::set<std::string> known;
    if (name != "tenants")
      known.insert("tenant_id");
    for (auto const& column : section.columns)
      known.insert(std::string(column.name));
    if (auto const found = without.find(name); found != without.end()) {
      for (auto const& column : found->second) {
        if (columns.contains(column))
          known.insert(column);
      }
    }
    EXPECT_EQ(columns, known) << (sqlite ? "SQLite" : "PostgreSQL");
  }
}

/// Every table of a tenant is a section, or is left out on purpose: `metrics` are what one installation measured, and
/// soon past; dead letters go with the cursors of their consumers, which no export holds.
TEST_P(Export, ForgetsNoTable) {
  // Nobody holds a fence of an empty database: tokens are compared with those of the same one only. Who may come in is
  // decided where the data go to, and the trail of it belongs to where it was written. Service instances are processes.
  std::set<std::string> const left_out{"api_keys",       "audit_chain",     "audit_checkpoints",
                                       "audit_entries",  "audit_pending",   "data_keys",
                                       "dead_letters",   "fences",          "idempotency_keys",
                                       "knowledge_text", "logins",          "metrics",
                                       "organisations",  "roles",           "users",
                                       "recovery_codes", "password_resets", "service_instances",
                                       "user_identities"};
  std::set<std::string> known;
  for (auto const& section : export_sections())
    known.insert(std::string(section.name));
  for (auto const& table : tables_of_tenants()) {
    EXPECT_TRUE(known.contains(table) || left_out.contains(table)) << table;
  }
}

TEST_P(Export, HoldsNoSecrets) {
  fill();
  auto const text = exported();
  for (auto const* word : {"api_keys", "password", "idempotency", "workers", "\"xid\"", "sealed", "leased_until"})
    EXPECT_THAT(text, Not(HasSubstr(word)));
}

/// A database can hold what no export may: then it says so, instead of writing a backup that nobody can restore.
TEST_P(Export, RefusesARowThatCannotBeReadBack) {
  for (std::string const bytes : {"62ff", "6100"}) {
    std::string const insert =
        "INSERT INTO model_usage (tenant_id, day, principal, provider, model, requests, input_tokens, output_tokens)"
        " VALUES ('default', '2026-01-31', 't', 'p', ";
    auto const adding = [&](std::string_view before, std::string_view after) {
      return std::string(insert).append(before).append(bytes).append(after).append(", 1, 1, 1)");
    };
    Statement const add{"test.usage", adding("convert_from(decode('", "', 'hex'), 'UTF8')"),
                        adding("CAST(x'", "' AS TEXT)")};
    Statement const clear{"test.clear", "DELETE FROM model_usage WHERE tenant_id = 'default'"};
    auto const added =
        wait(database->apply({Scope::of(default_tenant), {{&clear, {}}, {&add, {}}}}, soon())).has_value();
    // PostgreSQL refuses such text itself.
    ASSERT_EQ(added, database->dialect() == storage::Dialect::sqlite);
    if (!added)
      continue;
    try {
      std::ignore = exported();
      ADD_FAILURE() << bytes << " was exported";
    } catch (Fault const& fault) {
      EXPECT_THAT(fault.what(), HasSubstr("model_usage")) << bytes;
    }
  }
}

class Restored : public Export {
 protected:
  void SetUp() override {
    Export::SetUp();
    fill();
    before = exported();
    auto const source_items = found("volcanoes");
    database->close();
    backend = GetParam().make();
    storage::migrate_up(backend->target());
    auto const done = restore_into(backend->target(), before);
    ASSERT_TRUE(done) << done.error().message;
    database = backend->open(clock);
    writer = std::make_unique<Writer>(*database, bus, clock, random, "test");
    agents = std::make_unique<AgentStore>(*writer, nullptr);
    tasks = std::make_unique<TaskStore>(*writer);
    knowledge = std::make_unique<KnowledgeStore>(*writer);
    log = std::make_unique<events::EventLog>(*database);
    EXPECT_EQ(found("volcanoes"), source_items);
    EXPECT_FALSE(source_items.empty());
  }

  std::vector<std::string> found(std::string const& question) {
    std::vector<std::string> ids;
    for (auto const& match : wait(knowledge->search(TenantId{"default"}, {}, question, 20, soon())))
      ids.push_back(match.item.id.value);
    return ids;
  }

  std::string before;
};

TEST_P(Restored, GoesOn) {
  EXPECT_EQ(history("agent", "gone"), "agent:created agent:deleted");
  EXPECT_FALSE(wait(agents->get(TenantId{"default"}, AgentId{"gone"}, soon())));
  EXPECT_FALSE(wait(knowledge->get(TenantId{"default"}, AgentId{"writer"}, KnowledgeId{"B"}, soon())));
  EXPECT_EQ(wait(knowledge->known_imports(TenantId{"default"}, {sha256_hex("B"), "new"}, soon())).size(), 1U);
  EXPECT_EQ(wait(tasks->fold_knowledge_uses(soon())), 1U);
  // The worker of the started task is not there.
  auto const swept = wait(tasks->sweep(soon()));
  EXPECT_EQ(swept.requeued, 1U);
  have_item("writer", "new", "Fresh words.");
  EXPECT_EQ(history("knowledge", "writer/new"), "knowledge:added");
  have_task("writer");
}

TEST_P(Restored, ListensFromItsBeginning) {
  auto const page = wait(log->read_after(Scope::of(TenantId{"default"}), log->beginning(), {}, 500, soon()));
  ASSERT_TRUE(page);
  std::size_t lines = 0;
  for (auto const& line : lines_of(before)) {
    if (line.starts_with("{\"tenant\":{\"id\":\"other\""))
      break;
    if (!line.starts_with("{\"events\""))
      continue;
    EXPECT_THAT(line, HasSubstr(page->events.at(lines).event.event_id.value));
    ++lines;
  }
  EXPECT_EQ(lines, page->events.size());
}

/// What a user deleted is deleted there too; what the first database never had comes as it would have come there.
TEST_P(Restored, TheStarterChangesNothing) {
  Starter starter(*writer, *agents, *knowledge);
  wait(starter.run(TenantId{"default"}, soon()));
  ASSERT_TRUE(wait(agents->remove(actor(), AgentId{"reviewer"}, std::nullopt, soon())));
  auto const text = exported();
  database->close();
  backend = GetParam().make();
  storage::migrate_up(backend->target());
  ASSERT_TRUE(restore_into(backend->target(), text));
  database = backend->open(clock);
  Writer other(*database, bus, clock, random, "test");
  AgentStore other_agents(other, nullptr);
  KnowledgeStore other_knowledge(other);
  auto const added = wait(Starter(other, other_agents, other_knowledge).run(TenantId{"default"}, soon()));
  EXPECT_EQ(added.agents + added.items, 0U);
  EXPECT_EQ(difference(exported(), text), "");
}

TEST_P(Restored, NeedsAnEmptyDatabase) {
  auto const again = restore_into(backend->target(), before);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_THAT(again.error().message, HasSubstr("not empty: it has agents"));
  EXPECT_EQ(difference(exported(), before), "");
}

TEST_P(Export, ABadFileLeavesTheDatabaseEmpty) {
  fill();
  auto const text = exported();
  auto const other = GetParam().make();
  storage::migrate_up(other->target());
  auto const empty = exported_from(other->target());
  auto lines = lines_of(text);
  lines.pop_back();
  EXPECT_FALSE(restore_into(other->target(), joined(lines)));
  EXPECT_EQ(difference(exported_from(other->target()), empty), "");
  // Sound as a file, but the database refuses a task without its agent.
  lines = lines_of(text);
  auto const agent =
      std::ranges::find_if(lines, [](auto const& line) { return line.starts_with("{\"agents\":{\"id\":\"ab\""); });
  auto const orphans = joined({lines.begin(), agent}) + joined({agent + 1, lines.end()});
  auto const refused = restore_into(other->target(), orphans);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("line "));
  EXPECT_EQ(difference(exported_from(other->target()), empty), "");
  EXPECT_TRUE(restore_into(other->target(), text));
}

/// A reader of one moment: what commits while it reads is not in it.
TEST_P(Export, IsOneMomentOfTheDatabase) {
  have_agent("early");
  auto const before = exported();
  auto const session = storage::open_snapshot(backend->target());
  have_agent("late");
  std::string out;
  write_export(*session, [&](std::string_view line) { out += line; });
  EXPECT_EQ(difference(out, before), "");
  EXPECT_NE(exported(), before);
}

AL_ON_EVERY_DATABASE(Export);
AL_ON_EVERY_DATABASE(Restored);

// ---- damaged files ----

/// A small sound export, made by hand from what the format says.
std::string sample() {
  Row const agent{std::string("writer"),
                  std::string("Writer"),
                  std::string("m"),
                  std::string("s"),
                  std::string("idle"),
                  std::string("[]"),
                  std::string("{}"),
                  std::int64_t{4},
                  false,
                  std::int64_t{1},
                  Timestamp{},
                  Timestamp{},
                  Value{}};
  std::string out = manifest_line();
  append_row_line(out, tenant_section(), {std::string("default"), Timestamp{}});
  std::string line;
  append_row_line(line, export_sections()[0], agent);
  out += line + end_line("agents", 1, sha256_hex(line));
  ExportSummary summary{.tenants = 1};
  summary.rows[0] = 1;
  summary.sha256 = sha256_hex(out);
  return out + complete_line(summary);
}

TEST(ExportReader, TakesASoundFile) { EXPECT_EQ(fault_of(sample()), ""); }

TEST(ExportReader, NoticesEveryCut) {
  auto const text = sample();
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_THAT(fault_of(text.substr(0, size)), StartsWith("line ")) << size;
  auto const lines = lines_of(text);
  EXPECT_THAT(fault_of(joined({lines.begin(), lines.end() - 1})), StartsWith("line 5: the export ends here"));
}

TEST(ExportReader, NoticesEveryChangedByte) {
  auto const text = sample();
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (char const c : {'0', 'x', '\n', '"', '}', '\0', '\xff'}) {
      auto changed = text;
      changed[at] = c;
      if (changed != text) {
        EXPECT_THAT(fault_of(changed), StartsWith("line ")) << at << " " << c;
      }
    }
  }
}

TEST(ExportReader, NoticesReorderedAndRepeatedLines) {
  auto const lines = lines_of(sample());
  for (std::size_t a = 0; a < lines.size(); ++a) {
    auto repeated = lines;
    repeated.insert(repeated.begin() + static_cast<std::ptrdiff_t>(a), lines[a]);
    EXPECT_NE(fault_of(joined(repeated)), "") << a;
    for (std::size_t b = a + 1; b < lines.size(); ++b) {
      auto swapped = lines;
      std::swap(swapped[a], swapped[b]);
      EXPECT_NE(fault_of(joined(swapped)), "") << a << " " << b;
    }
  }
}

TEST(ExportReader, SaysWhatIsWrong) {
  auto const text = sample();
  auto const said = [&](std::string_view from, std::string_view to) { return fault_of(replaced(text, from, to)); };
  EXPECT_THAT(fault_of(""), HasSubstr("line 1: this is no export"));
  EXPECT_THAT(fault_of("[{\"id\": \"a\", \"content\": \"b\"}]\n"), HasSubstr("line 1: this is no export"));
  EXPECT_THAT(fault_of(std::string(100'000, 'x')), HasSubstr("line 1: "));
  EXPECT_THAT(said("\"format_version\":1", "\"format_version\":2"),
              HasSubstr("line 1: it was made by a newer version"));
  EXPECT_THAT(said("{\"agents\":", "{\"chats\":"),
              AllOf(StartsWith("line 3: this program knows no section 'chats'"), HasSubstr("newer version")));
  EXPECT_THAT(said("\"version\":1,", "\"version\":\"1\","), HasSubstr("line 3: agents: version: must be an integer"));
  EXPECT_THAT(said("\"version\":1,", ""), HasSubstr("line 3: agents: version is missing"));
  EXPECT_THAT(said("\"idle\"", "\"lazy\""), HasSubstr("status: \"lazy\" is none of its values"));
  EXPECT_THAT(said("\"Writer\"", "null"), HasSubstr("name: must be a string, not null"));
  EXPECT_THAT(said("\"Writer\"", "\"\\u0000\""), HasSubstr("name: holds the character U+0000"));
  EXPECT_THAT(said("\"config\":{}", "\"config_text\":\"{\""), HasSubstr("config: is no JSON"));
  EXPECT_THAT(said("\"capabilities\":[]", "\"capabilities\":{}"), HasSubstr("capabilities: must be an array"));
  EXPECT_THAT(said("\"deleted_at\":null", "\"deleted_at\":null,\"mood\":1"), HasSubstr("does not know mood"));
  EXPECT_THAT(said("\"Writer\"", "\"Waiter\""), HasSubstr("line 4: the lines of 'agents' before it were changed"));
  EXPECT_THAT(said("\"rows\":1,", "\"rows\":2,"), HasSubstr("there are 1 rows"));
  EXPECT_THAT(said("{\"tenant\":{\"id\":\"default\"", "{\"tenant\":{\"id\":\"\""), HasSubstr("line 2: tenant: id"));
  EXPECT_THAT(fault_of(text + "\n"), HasSubstr("something follows the end mark"));
  EXPECT_THAT(fault_of(text + text), HasSubstr("something follows the end mark"));
}

}  // namespace
}  // namespace al::data
