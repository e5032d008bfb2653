#pragma once
/// For tests of what reads a whole database: one with every awkward value.

#include "core/hash.hpp"
#include "data/chat_store.hpp"
#include "data/event_store.hpp"
#include "data/store_fixture.hpp"
#include "data/usage_store.hpp"
#include "data/workflow_store.hpp"

namespace al::data {

inline storage::Statement const add_tenant{"test.tenant", "INSERT INTO tenants (id) VALUES ($1)"};
inline storage::Statement const add_provider{
    "test.provider",
    "INSERT INTO providers (tenant_id, id, kind, base_url, default_model, models, sealed_key, version, created_at,"
    " updated_at) VALUES ('default', 'mine', 'openai', 'https://a.example/v1', 'm', '{\"a\":  \"b\"}', 'v1:sealed', 3,"
    " al_now(), al_now())"};
inline storage::Statement const set_config{"test.config", "UPDATE agents SET config = CAST($2 AS json) WHERE id = $1",
                                           "UPDATE agents SET config = $2 WHERE id = $1"};
inline storage::Statement const set_result{"test.result",
                                           "UPDATE tasks SET result = CAST($2 AS json) WHERE CAST(id AS text) = $1",
                                           "UPDATE tasks SET result = $2 WHERE id = $1"};

inline std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

class FilledFixture : public StoreFixture {
 protected:
  void run(storage::Statement const& statement, Values params) {
    auto const done =
        wait(database->apply({storage::Scope::of(TenantId{"default"}), {{&statement, std::move(params)}}}, soon()));
    ASSERT_TRUE(done) << done.error().message;
  }

  void fill() {
    have_agents();
    have_knowledge();
    have_tasks();
    have_models();
    have_streams();
    have_workflows();
    ASSERT_TRUE(wait(database->apply({storage::Scope::system(), {{&add_tenant, {std::string("other")}}}}, soon())));
    have_agent("writer", "other");
    have_item("writer", "k", "Of another tenant: volcanoes.", "other");
    have_task("writer", "other");
  }

  void have_agents() {
    auto agent = agent_named("writer");
    agent.name = "Żółw \"☃\" 𝄞 \\ / \u2028 \x7f \t";
    agent.capabilities = {"a\nb", "ü"};
    agent.config.text = "{\"a\" :  1,\n \"b\": 1.10, \"big\": 123456789012345678901234567890, \"e\": 1E5}";
    auto const made = wait(agents->create(actor(), agent, soon()));
    ASSERT_TRUE(made) << made.error().message;
    have_agent("a-b");
    have_agent("a_b");
    have_agent("ab");
    have_agent("spaced");
    run(set_config, {std::string("spaced"), std::string("  {} ")});
    have_agent("deep");
    run(set_config, {std::string("deep"), "{\"deep\":" + nested(100) + "}"});
    have_agent("gone");
    have_item("gone", "k", "What a deleted agent knew.");
    ASSERT_TRUE(wait(agents->remove(actor(), AgentId{"gone"}, std::nullopt, soon())));
  }

  void have_models() {
    ChatStore chats(*writer);
    auto const session = wait(chats.create(actor(), chats.new_id(), AgentId{"writer"}, soon()));
    ASSERT_TRUE(session);
    model::ChatMessage said;
    said.content = "Żółw\n\"☃\"";
    said.metadata.text = "{\"a\" :  1,\n \"b\": 1.10}";
    ASSERT_TRUE(wait(chats.append(actor(), session->id, {said, said}, soon())));
    auto const gone = wait(chats.create(actor(), chats.new_id(), std::nullopt, soon()));
    ASSERT_TRUE(wait(chats.remove(actor(), gone->id, soon())));
    UsageStore usage(*database);
    wait(usage.add(TenantId{"default"}, {{"2026-01-31", "me", "openai", "m", 1, 2, 3}}, soon()));
    run(add_provider, {});
  }

  void have_streams() {
    EventStore store(*writer);
    for (auto const* id : {"B", "a", "Ä"})
      ASSERT_TRUE(wait(store.append(actor(), {"saga", id}, 0, {{"saga:begun", {}}, {"saga:ended", {}}}, soon())));
    Document const state{"{\"a\" :  1,\n \"b\": 1.10}"};
    ASSERT_TRUE(wait(store.snapshot(TenantId{"default"}, {"saga", "a"}, 1, state, soon())));
  }

  void have_workflows() {
    WorkflowStore workflows(*writer);
    model::Workflow flow;
    flow.id = workflows.new_id();
    flow.name = "Żółw \"☃\"";
    flow.steps = {{"{\"a\" :  1,\n \"b\": 1.10}"}, {"{\"c\":" + nested(20) + "}"}};
    flow.context.text = " {\"big\": 123456789012345678901234567890} ";
    ASSERT_TRUE(wait(workflows.create(actor(), flow, soon())));
    using enum model::WorkflowStatus;
    ASSERT_TRUE(wait(workflows.move(actor(), flow.id, {.to = running, .current_step = 1}, {}, soon())));
    ASSERT_TRUE(wait(workflows.move(actor(), flow.id, {.to = failed, .error_message = "it broke\n"}, {}, soon())));
    flow.id = workflows.new_id();
    flow.status = draft;
    flow.steps.clear();
    ASSERT_TRUE(wait(workflows.create(actor(), flow, soon())));
    ASSERT_TRUE(wait(workflows.remove(actor(), flow.id, {}, soon())));
  }

  void have_knowledge() {
    model::Knowledge item;
    item.agent_id = AgentId{"writer"};
    item.content = "Volcanoes erupt.\r\n\x01\x1f\x7f " + std::string(20'000, 'x') + " ä";
    item.source = "";
    item.relevance_score = 0.1 + 0.2;
    item.metadata.text = R"({"tags": ["x"], "n": -0.0, "d": )" + nested(20) + "}";
    for (auto const* id : {"B", "a", "Ä", "a b", "a/b", "~"}) {
      item.id = KnowledgeId{id};
      ASSERT_TRUE(wait(knowledge->add(
          actor(), {.item = item, .import_hashes = R"([")" + sha256_hex(id) + R"("])", .brings_back = false}, soon())));
      item.relevance_score = item.relevance_score == 0 ? 100 : item.relevance_score < 1 ? -0.0 : 1e-7;
    }
    ASSERT_TRUE(wait(knowledge->remove(actor(), AgentId{"writer"}, KnowledgeId{"B"}, std::nullopt, soon())));
  }

  model::Task have_started() {
    auto const task = have_task("writer");
    wait(tasks->renew_lease(worker, "w", std::chrono::seconds{60}, soon()));
    auto claims = claim(worker, 1);
    EXPECT_EQ(claims.size(), 1U);
    held = claims.at(0);
    return task;
  }

  void have_tasks() {
    worker = WorkerId{tasks->new_id().value};
    auto const finished = have_started();
    TaskStep const step{.attempt = 1, .step = 1, .kind = "answer", .duration_us = 1, .detail = {"{\"a\":\n[]}"}};
    ASSERT_TRUE(wait(tasks->complete(held,
                                     {.result_json = "{\"text\":\"ü\\u0000\"}",
                                      .error_message = {},
                                      .steps = {step},
                                      .used_knowledge = {KnowledgeId{"a"}}},
                                     soon())));
    auto const failed = have_started();
    ASSERT_TRUE(wait(tasks->fail_attempt(
        held, {.result_json = {}, .error_message = "it broke\n", .steps = {}, .used_knowledge = {}}, {false}, soon())));
    run(set_result, {failed.id.value, std::string("null")});
    have_started();  // stays so
    auto const cancelled = have_task("writer");
    ASSERT_TRUE(wait(tasks->cancel(actor(), cancelled.id, soon())));
    have_task("ab");
  }

  WorkerId worker;
  Claim held;
};

}  // namespace al::data
