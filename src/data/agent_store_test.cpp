#include <set>

#include "data/store_fixture.hpp"

namespace al::data {
namespace {

class AgentStoreTest : public StoreFixture {
 protected:
  Result<model::Agent> patch(std::string id, std::string body, std::optional<std::int64_t> expected = std::nullopt) {
    auto const source = json::Source::from(std::move(body));
    EXPECT_TRUE(source);
    return wait(agents->update(actor(), AgentId{std::move(id)}, source->root(), expected, soon()));
  }
  Result<model::Agent> get(std::string id) { return wait(agents->get(default_tenant, AgentId{std::move(id)}, soon())); }
};
AL_ON_EVERY_DATABASE(AgentStoreTest);

TEST_P(AgentStoreTest, KeepsEveryFieldAsItWasGiven) {
  auto wanted = agent_named("historian");
  wanted.name = "Ünïcode \"quoted\" \\ name";
  wanted.capabilities = {"dates", "sources, with commas", "{braces}"};
  wanted.config.text = "{ \"b\": 1.50, \"a\": [1,  2] }";
  wanted.max_concurrency = 7;
  ASSERT_TRUE(wait(agents->create(actor(), wanted, soon())));
  auto const got = get("historian");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->name, wanted.name);
  EXPECT_EQ(got->capabilities, wanted.capabilities);
  EXPECT_EQ(got->config.text, wanted.config.text) << "opaque documents keep their text";
  EXPECT_EQ(got->max_concurrency, 7);
  EXPECT_EQ(got->created_at, clock.now());
  EXPECT_EQ(got->version, 1);
}

TEST_P(AgentStoreTest, RefusesASecondOneOfTheSameId) {
  have_agent("a");
  auto const again = wait(agents->create(actor(), agent_named("a"), soon()));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_EQ(history("agent", "a"), "agent:created");
}

TEST_P(AgentStoreTest, OfManyAtOnceOneIsCreated) {
  std::vector<Task<Result<model::Agent>>> creates;
  auto const who = actor();
  for (int i = 0; i < 16; ++i)
    creates.push_back(agents->create(who, agent_named("same"), soon()));
  int created = 0;
  for (auto const& one : wait(settle(std::move(creates)))) {
    ASSERT_FALSE(one.fault);
    created += one.value.has_value();
  }
  EXPECT_EQ(created, 1);
  EXPECT_EQ(history("agent", "same"), "agent:created");
}

TEST_P(AgentStoreTest, AnUpdateChangesWhatIsGivenAndCounts) {
  have_agent("a");
  auto const changed = patch("a", R"({"name":"New","status":"offline"})");
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_EQ(changed->name, "New");
  EXPECT_EQ(changed->status, model::AgentStatus::offline);
  EXPECT_EQ(changed->specialization, "testing");
  EXPECT_EQ(changed->version, 2);
  EXPECT_EQ(history("agent", "a"), "agent:created agent:updated");
}

TEST_P(AgentStoreTest, AnUpdateOfAnotherVersionIsRefused) {
  have_agent("a");
  ASSERT_TRUE(patch("a", R"({"name":"B"})", 1));
  auto const late = patch("a", R"({"name":"C"})", 1);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::version_mismatch);
  EXPECT_EQ(get("a")->name, "B");
}

TEST_P(AgentStoreTest, BadUpdatesAreRefusedWithTheirField) {
  have_agent("a");
  struct Case {
    std::string body, path;
  };
  for (auto const& [body, path] :
       {Case{R"({"name":""})", "name"}, Case{R"({"id":"b"})", "id"}, Case{R"({"status":"busy"})", "status"},
        Case{R"({"version":9})", "version"}, Case{R"({"nope":1})", "nope"}}) {
    auto const refused = patch("a", body);
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error().code, Code::invalid) << body;
    ASSERT_EQ(refused.error().faults.size(), 1U) << body;
    EXPECT_EQ(refused.error().faults[0].path, path);
  }
  EXPECT_EQ(get("a")->version, 1);
}

TEST_P(AgentStoreTest, SetsAStatusButNotBusy) {
  have_agent("a");
  auto const set = [&](model::AgentStatus status, std::optional<std::int64_t> expected = std::nullopt) {
    return wait(agents->set_status(actor(), AgentId{"a"}, status, expected, soon()));
  };
  EXPECT_EQ(set(model::AgentStatus::offline)->status, model::AgentStatus::offline);
  EXPECT_EQ(set(model::AgentStatus::error, 2)->version, 3);
  EXPECT_EQ(set(model::AgentStatus::idle, 2).error().code, Code::version_mismatch);
  EXPECT_EQ(set(model::AgentStatus::busy).error().code, Code::invalid);
  EXPECT_EQ(get("a")->status, model::AgentStatus::error);
}

TEST_P(AgentStoreTest, CapabilitiesHaveALength) {
  auto agent = agent_named("a");
  agent.capabilities = {"ok", "", std::string(51, 'x')};
  auto const refused = wait(agents->create(actor(), agent, soon()));
  ASSERT_FALSE(refused);
  ASSERT_EQ(refused.error().faults.size(), 2U);
  EXPECT_EQ(refused.error().faults[0].path, "capabilities[1]");
  EXPECT_EQ(refused.error().faults[1].path, "capabilities[2]");
  std::string umlauts;
  for (int i = 0; i < 50; ++i)
    umlauts += "ü";
  agent.capabilities = {umlauts};
  ASSERT_TRUE(wait(agents->create(actor(), agent, soon()))) << "characters, not bytes";
  EXPECT_EQ(patch("a", R"({"capabilities":[""]})").error().code, Code::invalid);
  EXPECT_EQ(get("a")->capabilities, agent.capabilities);
}

TEST_P(AgentStoreTest, ADeletedOneIsGoneAndComesBackWithItsVersions) {
  have_agent("a");
  ASSERT_TRUE(wait(agents->remove(actor(), AgentId{"a"}, std::nullopt, soon())));
  EXPECT_EQ(get("a").error().code, Code::not_found);
  EXPECT_TRUE(wait(agents->list(default_tenant, {}, {}, soon()))->items.empty());
  EXPECT_EQ(make_task("a").error().code, Code::not_found);
  EXPECT_EQ(have_agent("a").version, 3);
  EXPECT_EQ(history("agent", "a"), "agent:created agent:deleted agent:created");
}

TEST_P(AgentStoreTest, ListsInPagesInOrder) {
  for (auto const* id : {"d", "b", "a", "e", "c"})
    have_agent(id);
  std::string seen;
  PageRequest request{.limit = 2, .cursor = {}, .count_total = true};
  for (;;) {
    auto const page = wait(agents->list(default_tenant, {}, request, soon()));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->total, 5);
    for (auto const& agent : page->items)
      seen += agent.id.value;
    if (page->next_cursor.empty())
      break;
    request.cursor = page->next_cursor;
  }
  EXPECT_EQ(seen, "abcde");
}

TEST_P(AgentStoreTest, IsBusyWhileATaskRuns) {
  have_agent("a");
  have_task("a");
  EXPECT_EQ(get("a")->status, model::AgentStatus::idle);
  WorkerId const worker{tasks->new_id().value};
  wait(tasks->renew_lease(worker, "w", std::chrono::seconds{60}, soon()));
  auto const claims = claim(worker, 1);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(get("a")->status, model::AgentStatus::busy);
  ASSERT_TRUE(wait(tasks->complete(
      claims[0], {.result_json = "{}", .error_message = {}, .steps = {}, .used_knowledge = {}}, soon())));
  EXPECT_EQ(get("a")->status, model::AgentStatus::idle);
  EXPECT_EQ(get("a")->version, 1) << "a task's transition does not write its agent";
  auto const performance = wait(agents->performance(default_tenant, AgentId{"a"}, soon()));
  ASSERT_TRUE(performance);
  EXPECT_EQ(performance->completed_tasks, 1);
  EXPECT_EQ(performance->success_rate, 100.0);
}

/// The answer was once read again after the change, and could be what another writer had made of the agent.
TEST_P(AgentStoreTest, AnUpdateIsAnsweredWithWhatItWrote) {
  have_agent("a");
  // The tasks refer to their arguments until they run.
  auto const who = actor();
  AgentId const id{"a"};
  std::vector<std::unique_ptr<json::Source>> bodies;
  std::vector<Task<Result<model::Agent>>> updates;
  for (int i = 0; i < 4; ++i) {
    bodies.push_back(
        std::make_unique<json::Source>(json::Source::from(R"({"name":"N)" + std::to_string(i) + R"("})").value()));
    updates.push_back(agents->update(who, id, bodies.back()->root(), std::nullopt, soon()));
  }
  std::set<std::int64_t> versions;
  auto const answers = wait(settle(std::move(updates)));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ASSERT_FALSE(answers[i].fault);
    ASSERT_TRUE(answers[i].value) << answers[i].value.error().message;
    EXPECT_EQ(answers[i].value->name, "N" + std::to_string(i));
    EXPECT_TRUE(versions.insert(answers[i].value->version).second);
  }
}

TEST_P(AgentStoreTest, TheCacheGivesWhatWasWrittenLast) {
  cache::LocalCache<AgentView> cache(clock);
  AgentStore cached(*writer, &cache);
  have_agent("a");
  auto const view = [&] { return *wait(cached.view(default_tenant, AgentId{"a"}, Freshness::cached, soon())); };
  EXPECT_EQ(view()->version, 1);
  auto const source = json::Source::from(R"({"name":"B"})");
  ASSERT_TRUE(wait(cached.update(actor(), AgentId{"a"}, source->root(), std::nullopt, soon())));
  EXPECT_EQ(view()->version, 2);
  have_task("a");
  WorkerId const worker{tasks->new_id().value};
  wait(tasks->renew_lease(worker, "w", std::chrono::seconds{60}, soon()));
  EXPECT_TRUE(view()->json.contains(R"("status":"idle")"));
  ASSERT_EQ(claim(worker, 1).size(), 1U);
  EXPECT_TRUE(view()->json.contains(R"("status":"busy")"));
  events::Bus elsewhere;  // another process, of which nothing is heard
  Writer there(*database, elsewhere, clock, random, "test");
  AgentStore other(there, nullptr);
  auto const again = json::Source::from(R"({"name":"C"})");
  ASSERT_TRUE(wait(other.update(actor(), AgentId{"a"}, again->root(), std::nullopt, soon())));
  EXPECT_EQ(view()->version, 2);
  clock.advance(std::chrono::milliseconds{1001});
  EXPECT_EQ(view()->version, 3) << "an entry lives at most a second";
}

TEST_P(AgentStoreTest, ListsThoseThatAreLookedFor) {
  have_agent("writer_one");
  auto reviewer = agent_named("reviewer");
  reviewer.name = "Code Reviewer";
  reviewer.capabilities = {"Static Analysis", "50%"};
  reviewer.status = model::AgentStatus::offline;
  ASSERT_TRUE(wait(agents->create(actor(), std::move(reviewer), soon())));
  auto const ids = [&](AgentFilter filter) {
    std::string out;
    auto const page =
        wait(agents->list(default_tenant, std::move(filter), {.limit = 50, .cursor = {}, .count_total = true}, soon()));
    for (auto const& agent : page->items)
      out += agent.id.value + " ";
    EXPECT_EQ(page->total, std::ssize(page->items));
    return out;
  };
  EXPECT_EQ(ids({}), "reviewer writer_one ");
  EXPECT_EQ(ids({.text = "code R"}), "reviewer ");
  EXPECT_EQ(ids({.text = "static"}), "reviewer ");
  EXPECT_EQ(ids({.text = "0%"}), "reviewer ");
  EXPECT_EQ(ids({.text = "TESTING"}), "reviewer writer_one ") << "the specialization";
  EXPECT_EQ(ids({.text = "r_o"}), "writer_one ") << "an underscore is one";
  EXPECT_EQ(ids({.text = "\",\""}), "") << "capabilities are looked at one by one";
  EXPECT_EQ(ids({.text = {}, .status = model::AgentStatus::offline}), "reviewer ");
  have_task("writer_one");
  WorkerId const worker{tasks->new_id().value};
  wait(tasks->renew_lease(worker, "worker", std::chrono::seconds{60}, soon()));
  ASSERT_EQ(claim(worker, 1).size(), 1U);
  EXPECT_EQ(ids({.text = {}, .status = model::AgentStatus::busy}), "writer_one ");
  EXPECT_EQ(ids({.text = {}, .status = model::AgentStatus::idle}), "");
}

}  // namespace
}  // namespace al::data
