/// Two tenants with the same ids: whatever one does through any method of any store, the other neither sees it nor is
/// touched by it. On PostgreSQL the policies alone must hold too, when a statement forgets its tenant.

#include <set>

#include "data/access_store.hpp"
#include "data/api_key_store.hpp"
#include "data/audit_store.hpp"
#include "data/data_key_store.hpp"
#include "data/idempotency_store.hpp"
#include "data/login_store.hpp"
#include "data/metric_store.hpp"
#include "data/password_reset_store.hpp"
#include "data/provider_store.hpp"
#include "data/role_store.hpp"
#include "data/store_fixture.hpp"
#include "data/transaction.hpp"
#include "data/user_identity_store.hpp"
#include "data/user_store.hpp"
#include "data/workflow_store.hpp"
#include "events/channel.hpp"

namespace al::data {
namespace {

using storage::Scope;
using storage::Statement;

Statement const add_tenant{"test.tenant", "INSERT INTO tenants (id) VALUES ($1)"};

constexpr std::array tenant_tables{
    "agents",          "tasks",         "task_steps",       "knowledge",       "knowledge_uses",
    "events",          "api_keys",      "idempotency_keys", "imported_items",  "providers",
    "data_keys",       "chat_sessions", "chat_messages",    "model_usage",     "metrics",
    "dead_letters",    "event_streams", "fences",           "event_snapshots", "workflows",
    "users",           "roles",         "logins",           "recovery_codes",  "password_resets",
    "user_identities", "audit_entries", "audit_pending",    "audit_chain",     "audit_checkpoints"};

/// Of tables that no store fills yet.
Statement const add_chat_session{
    "test.chat_session",
    "INSERT INTO chat_sessions (tenant_id, id, created_by, message_count, version, created_at, updated_at)"
    " VALUES ($1, $2, 't', 1, 1, al_now(), al_now())"};
Statement const add_chat_message{
    "test.chat_message",
    "INSERT INTO chat_messages (tenant_id, session_id, seq, role, content, metadata, created_at)"
    " VALUES ($1, $2, 1, 'user', 'hello', '{}', al_now())"};
Statement const add_model_usage{
    "test.model_usage",
    "INSERT INTO model_usage (tenant_id, day, principal, provider, model, requests, input_tokens, output_tokens)"
    " VALUES ($1, '2026-01-31', 't', 'p', 'm', 1, 1, 1)"};

Statement const add_dead_letter{
    "test.dead_letter",
    "INSERT INTO dead_letters (tenant_id, id, consumer, slot, state, channel, kind, aggregate_id, aggregate_version,"
    " event_id, event, attempts, error, is_out_of_order, failed_at, version)"
    " VALUES ($1, $2, 'c', 0, 'parked', 'agent:created', 'agent', 'a', 1, $2, '{}', 5, 'e', false, al_now(), 0)"};

class Isolation : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    use_time_of_database();
    ASSERT_TRUE(wait(database->apply({Scope::system(), {{&add_tenant, {std::string("other")}}}}, soon())));
    for (auto const* tenant : {"default", "other"})
      fill(tenant);
  }

  /// One row at least in every table.
  void fill(std::string tenant) {
    have_agent("a", tenant);
    model::Knowledge item;
    item.agent_id = AgentId{"a"};
    item.id = KnowledgeId{"k"};
    item.content = "Volcanoes\n\nMagma rises through a vent of the volcano of " + tenant;
    ASSERT_TRUE(wait(knowledge->add(actor(tenant), {.item = item, .import_hashes = R"(["h"])"}, soon())));
    task[tenant] = have_task("a", tenant).id;
    WorkerId const worker{tasks->new_id().value};
    wait(tasks->renew_lease(worker, "w", std::chrono::seconds{60}, soon()));
    auto const claims = claim(worker, 1);
    ASSERT_EQ(claims.size(), 1U);
    EXPECT_EQ(claims[0].tenant.value, tenant);
    TaskStep const step{.attempt = 1, .step = 1, .kind = "answer", .duration_us = 1, .detail = {}};
    ASSERT_TRUE(wait(tasks->complete(
        claims[0], {.result_json = "{}", .error_message = {}, .steps = {step}, .used_knowledge = {KnowledgeId{"k"}}},
        soon())));
    fill_identity(tenant);
    IdempotencyStore keys(*database, clock, random);
    ASSERT_TRUE(wait(keys.begin(actor(tenant), {"route", "key", "hash"}, soon())));
    fill_models(tenant);
    WorkflowStore workflows(*writer);
    model::Workflow draft;
    draft.id = workflow;
    draft.name = tenant;
    draft.status = model::WorkflowStatus::draft;
    ASSERT_TRUE(wait(workflows.create(actor(tenant), draft, soon())));
    EventStore streams(*writer);
    ASSERT_TRUE(wait(streams.append(actor(tenant), {"saga", "s"}, 0, {{"saga:begun", {}}}, soon())));
    ASSERT_TRUE(wait(streams.snapshot(TenantId{tenant}, {"saga", "s"}, 1, {R"({"of":")" + tenant + "\"}"}, soon())));
    ASSERT_TRUE(wait(distributed_transaction<void>(
        streams, actor(tenant), {"s"}, soon(), [](Transaction&) -> Task<Result<void>> { co_return Result<void>{}; })));
  }

  void fill_identity(std::string tenant) {
    RoleStore roles(*writer);
    model::Role role;
    role.id = model::RoleId{"r"};
    role.permissions = {"agents:" + std::string(tenant == "other" ? "read" : "write")};
    ASSERT_TRUE(wait(roles.create(actor(tenant), role, soon())));
    UserStore users(*writer);
    model::User person;
    person.id = users.new_id();
    person.email = tenant + "@example.org";
    person.full_name = tenant;
    person.roles = {"r"};
    user[tenant] = person.id;
    ASSERT_TRUE(wait(users.create(actor(tenant), person, "hash", soon())));
    ASSERT_TRUE(wait(users.begin_mfa(actor(tenant), person.id, "sealed", soon())));
    ASSERT_TRUE(wait(users.enable_mfa(actor(tenant), person.id, 1, {"code"}, "", soon())));
    LoginStore logins(*writer);
    model::Login begun;
    begun.id = login[tenant] = logins.new_id();
    begun.user_id = person.id;
    ASSERT_TRUE(wait(logins.begin(actor(tenant), begun, soon())));
    UserIdentityStore identities(*writer);
    identity[tenant] =
        wait(identities.link(actor(tenant), person.id, "https://id.example.org", tenant, soon())).value().id;
    ApiKeyStore keys(*writer);
    model::ApiKey key;
    key.id = keys.new_id();
    key.name = "t";
    key.permissions = {"*:*"};
    ASSERT_TRUE(wait(keys.create(actor(tenant), key, {.hash = "hash of " + tenant, .prefix = ""}, soon())));
    PasswordResetStore resets(*database);
    ASSERT_TRUE(wait(resets.add(TenantId{tenant}, person.id, "reset of " + tenant, soon())));
    AuditStore audit(*database, clock, random);
    auto const entries = wait(audit.pending(TenantId{tenant}, 1, soon()));
    ASSERT_EQ(entries.size(), 1U);
    ASSERT_TRUE(wait(audit.append(TenantId{tenant}, {{1, entries[0].id.value, "hash"}}, soon())));
    wait(audit.add_checkpoint(TenantId{tenant},
                              {.seq = 1, .hash = "h", .at = clock.now(), .key_id = "k", .signature = "s"}, soon()));
  }

  void fill_models(std::string tenant) {
    model::Provider provider;
    provider.id = model::ProviderId{"p"};
    provider.base_url = "https://api.openai.com/v1";
    ProviderStore providers(*writer);
    ASSERT_TRUE(wait(providers.create(actor(tenant), provider, "sealed for " + tenant, soon())));
    DataKeyStore data_keys(*database);
    ASSERT_TRUE(wait(data_keys.add(TenantId{tenant}, "wrapped for " + tenant, soon())));
    auto const session = writer->new_uuid();
    storage::Batch batch{Scope::of(TenantId{tenant}), {}};
    batch.steps.push_back({&add_chat_session, {tenant, session}});
    batch.steps.push_back({&add_chat_message, {tenant, session}});
    batch.steps.push_back({&add_model_usage, {tenant}});
    batch.steps.push_back({&add_dead_letter, {tenant, session}});
    auto const done = wait(database->apply(std::move(batch), soon()));
    ASSERT_TRUE(done) << done.error().message;
    MetricStore metrics(*database, clock);
    model::Metric const metric{.service = tenant, .name = "load", .value = 1, .tags = {}, .timestamp = {}};
    ASSERT_TRUE(wait(metrics.record(TenantId{tenant}, {metric}, soon())));
  }

  std::string fingerprint(std::string tenant) {
    std::string out;
    for (auto const& event :
         wait(log->read_after(Scope::of(TenantId{tenant}), log->beginning(), {}, 500, soon()))->events) {
      out += event.event.event_id.value + " ";
    }
    auto const agent = wait(agents->get(TenantId{tenant}, AgentId{"a"}, soon()));
    auto const item = wait(knowledge->get(TenantId{tenant}, std::nullopt, KnowledgeId{"k"}, soon()));
    auto const one = wait(tasks->get(TenantId{tenant}, task[tenant], soon()));
    ProviderStore providers(*writer);
    auto const provider = wait(providers.get(TenantId{tenant}, model::ProviderId{"p"}, soon()));
    out += provider ? entity::to_json(provider->provider) + provider->sealed_key : "-";
    auto const flow = wait(WorkflowStore(*writer).get(TenantId{tenant}, workflow, soon()));
    out += flow ? entity::to_json(*flow) : "-";
    return out + (agent ? entity::to_json(*agent) : "-") + (item ? entity::to_json(*item) : "-") +
           (one ? entity::to_json(*one) : "-");
  }

  std::map<std::string, TaskId> task;
  std::map<std::string, model::UserId> user;
  std::map<std::string, model::LoginId> login;
  std::map<std::string, model::UserIdentityId> identity;
  model::WorkflowId const workflow{"0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f10"};
};
AL_ON_EVERY_DATABASE(Isolation);

/// A table that is not in the list would be tested by nobody.
TEST_P(Isolation, KnowsEveryTableOfTenants) {
  for (auto const& table : tables_of_tenants()) {
    // All organisations and service instances belong to one tenant.
    EXPECT_TRUE(table == "knowledge_text" || table == "organisations" || table == "service_instances" ||
                std::ranges::find(tenant_tables, table) != tenant_tables.end())
        << table;
  }
}

TEST_P(Isolation, ReadersSeeTheirOwnOnly) {
  TenantId const other{"other"};
  for (std::string const tenant : {"default", "other"}) {
    TenantId const id{tenant};
    auto const foreign = task[tenant == "other" ? "default" : "other"];
    EXPECT_EQ(wait(agents->list(id, {}, {.limit = 50, .cursor = {}, .count_total = true}, soon()))->total, 1);
    EXPECT_EQ(wait(tasks->list(id, {}, {.limit = 50, .cursor = {}, .count_total = true}, soon()))->total, 1);
    EXPECT_EQ(wait(knowledge->list(id, {}, {.limit = 50, .cursor = {}, .count_total = true}, soon()))->total, 1);
    EXPECT_EQ(wait(tasks->get(id, foreign, soon())).error().code, Code::not_found);
    EXPECT_EQ(wait(tasks->steps(id, foreign, soon())).error().code, Code::not_found);
    EXPECT_EQ(wait(agents->performance(id, AgentId{"a"}, soon()))->total_tasks, 1);
    EXPECT_EQ(wait(agents->candidates(id, soon())).size(), 1U);
    auto const matches = wait(knowledge->search(id, {}, "magma of a volcano", 10, soon()));
    ASSERT_EQ(matches.size(), 1U);
    EXPECT_TRUE(matches[0].item.content.ends_with(tenant));
    auto const flows =
        wait(WorkflowStore(*writer).list(id, {}, {.limit = 50, .cursor = {}, .count_total = true}, soon()));
    EXPECT_EQ(flows->total, 1);
    ASSERT_EQ(flows->items.size(), 1U);
    EXPECT_EQ(flows->items[0].name, tenant);
    EXPECT_TRUE(wait(log->replay(id, "task", foreign.value, 1, 10, soon())).empty());
    for (auto const& event : wait(log->read_after(Scope::of(id), log->beginning(), {}, 500, soon()))->events) {
      EXPECT_EQ(event.event.metadata.tenant_id, id);
    }
  }
}

TEST_P(Isolation, WritersTouchTheirOwnOnly) {
  auto const before = fingerprint("other");
  auto const foreign = task["other"];
  auto const who = actor();
  auto const patch = json::Source::from(R"({"name":"Mine"})");
  EXPECT_TRUE(wait(agents->update(who, AgentId{"a"}, patch->root(), std::nullopt, soon())));
  auto const text = json::Source::from(R"({"content":"mine"})");
  EXPECT_TRUE(wait(knowledge->update(who, std::nullopt, KnowledgeId{"k"}, text->root(), std::nullopt, soon())));
  EXPECT_EQ(wait(tasks->cancel(who, foreign, soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(tasks->retry(who, foreign, soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(tasks->set_priority(who, foreign, model::Priority::low, std::nullopt, soon())).error().code,
            Code::not_found);
  EXPECT_TRUE(wait(knowledge->remove(who, std::nullopt, KnowledgeId{"k"}, std::nullopt, soon())));
  EXPECT_TRUE(wait(agents->set_status(who, AgentId{"a"}, model::AgentStatus::error, std::nullopt, soon())));
  EXPECT_TRUE(wait(agents->remove(who, AgentId{"a"}, std::nullopt, soon())));
  ProviderStore providers(*writer);
  EXPECT_TRUE(wait(providers.update(
      who, model::ProviderId{"p"}, [](auto&) -> Result<void> { return {}; }, {.keeps = false, .sealed = "mine"},
      std::nullopt, soon())));
  EXPECT_TRUE(wait(providers.remove(who, model::ProviderId{"p"}, std::nullopt, soon())));
  WorkflowStore workflows(*writer);
  EXPECT_TRUE(wait(workflows.update(who, workflow, patch->root(), std::nullopt, soon())));
  EXPECT_TRUE(wait(workflows.move(who, workflow, {.to = model::WorkflowStatus::cancelled}, std::nullopt, soon())));
  EXPECT_TRUE(wait(workflows.remove(who, workflow, std::nullopt, soon())));
  wait(tasks->sweep(soon()));
  EXPECT_EQ(fingerprint("other"), before);
}

TEST_P(Isolation, StreamsAndFencesBelongToTheirTenant) {
  EventStore streams(*writer);
  FoldRule<std::string> const rule{.apply = [](auto& state, auto const& event) { state += event.channel; },
                                   .restore = [](Document const& state) -> Result<std::string> { return state.text; }};
  auto const before = fingerprint("other");
  EXPECT_EQ(wait(streams.append(actor(), {"saga", "s"}, 1, {{"saga:ended", {}}}, soon())), 2);
  EXPECT_TRUE(wait(streams.snapshot(default_tenant, {"saga", "s"}, 2, {"{}"}, soon())));
  EXPECT_EQ(wait(streams.load(default_tenant, {"saga", "s"}, rule, soon()))->state, "{}");
  TenantId const other{"other"};
  EXPECT_EQ(wait(streams.load(other, {"saga", "s"}, rule, soon()))->state, R"({"of":"other"})");
  EXPECT_EQ(wait(streams.replay(other, {"saga", "s"}, 1, 10, soon())).size(), 1U);
  EXPECT_EQ(wait(streams.load(TenantId{"third"}, {"saga", "s"}, rule, soon())).error().code, Code::not_found);
  EXPECT_EQ(fingerprint("other"), before);
  // Both have a turn of the same name at the same time, and neither ends the other's.
  std::function<Task<Result<void>>(Transaction&)> const theirs = [](Transaction& tx) -> Task<Result<void>> {
    auto const said = co_await tx.writer.append(actor("other"), {"saga", "s"}, 1, {{"saga:ended", {}}}, soon());
    EXPECT_TRUE(said);
    co_return Result<void>{};
  };
  auto const mine = [&](Transaction& tx) -> Task<Result<void>> {
    auto const nested = co_await distributed_transaction<void>(streams, actor("other"), {"s"}, soon(), theirs);
    EXPECT_TRUE(nested);
    auto const said = co_await tx.writer.append(actor(), {"saga", "s"}, 2, {{"saga:ended", {}}}, soon());
    EXPECT_TRUE(said);
    co_return Result<void>{};
  };
  EXPECT_TRUE(wait(distributed_transaction<void>(streams, actor(), {"s"}, soon(), mine)));
}

/// A kind is kept in rows or in streams: whoever adds one must add it to the kinds that streams refuse.
TEST_P(Isolation, NoStreamTakesAKindOfRows) {
  EventStore streams(*writer);
  auto const page = wait(log->read_after(Scope::of(default_tenant), log->beginning(), {}, 500, soon()));
  std::set<std::string> kinds;
  for (auto const& one : page->events)
    kinds.emplace(events::kind_of(one.event.channel));
  ASSERT_EQ(kinds.erase("saga"), 1U);
  EXPECT_GE(kinds.size(), 4U);
  for (auto const& kind : kinds) {
    auto const refused = wait(streams.append(actor(), {kind, "new"}, 0, {{kind + ":begun", {}}}, soon()));
    ASSERT_FALSE(refused) << kind;
    EXPECT_EQ(refused.error().code, Code::invalid) << kind;
  }
}

TEST_P(Isolation, KeysAndTokensBelongToTheirTenant) {
  IdempotencyStore keys(*database, clock, random);
  EXPECT_EQ(wait(keys.begin(actor(), {"route", "key", "other hash"}, soon())).error().code, Code::idempotency_mismatch);
  EXPECT_EQ(wait(keys.begin(actor("other"), {"route", "key", "hash"}, soon())).error().code, Code::conflict);
  AccessStore access(*database);
  EXPECT_EQ(wait(access.find_key("hash of other", soon()))->tenant.value, "other");
  EXPECT_FALSE(wait(access.find_key("hash of nobody", soon())));
  EXPECT_EQ(wait(knowledge->known_imports(TenantId{"default"}, {"h"}, soon())).size(), 1U);
  MetricStore metrics(*database, clock);
  auto const names = wait(metrics.names(TenantId{"other"}, {}, soon()));
  ASSERT_EQ(names.items.size(), 1U);
  EXPECT_EQ(names.items[0].service, "other");
  auto const buckets = wait(metrics.query(
      TenantId{"other"}, {.name = "load", .from = clock.now(), .to = clock.now() + std::chrono::seconds{60}}, soon()));
  ASSERT_TRUE(buckets);
  ASSERT_EQ(buckets->size(), 1U);
  EXPECT_EQ(buckets->at(0).count, 1);
  DataKeyStore data_keys(*database);
  EXPECT_EQ(wait(data_keys.find(TenantId{"other"}, soon())), "wrapped for other");
  ProviderStore providers(*writer);
  EXPECT_EQ(wait(providers.all(TenantId{"other"}, soon())).at(0).sealed_key, "sealed for other");
}

TEST_P(Isolation, PeopleBelongToTheirTenant) {
  TenantId const other{"other"};
  auto const who = actor();
  UserStore users(*writer);
  EXPECT_EQ(wait(users.list(other, {}, {}, soon()))->items.size(), 1U);
  EXPECT_EQ(wait(users.get(default_tenant, user["other"], soon())).error().code, Code::not_found);
  auto const keep = [](model::User&) -> Result<void> { return {}; };
  EXPECT_EQ(wait(users.update(who, user["other"], keep, {}, soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(users.set_password(who, user["other"], {.hash = "mine"}, "", soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(users.disable_mfa(who, user["other"], soon())).error().code, Code::not_found);
  EXPECT_FALSE(wait(users.take_totp_step(default_tenant, user["other"], 2, soon())));
  EXPECT_FALSE(wait(users.take_recovery_code(default_tenant, user["other"], "code", soon())));
  EXPECT_EQ(wait(users.remove(who, user["other"], {}, soon())).error().code, Code::not_found);
  LoginStore logins(*writer);
  EXPECT_EQ(wait(logins.list(default_tenant, user["other"], {}, soon()))->items.size(), 0U);
  EXPECT_EQ(wait(logins.end(who, login["other"], soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(logins.refresh(who, login["other"], 1, soon())).outcome, Refreshed::Outcome::unknown);
  UserIdentityStore identities(*writer);
  EXPECT_EQ(wait(identities.list(default_tenant, user["other"], {}, soon()))->items.size(), 0U);
  EXPECT_EQ(wait(identities.unlink(who, user["other"], identity["other"], soon())).error().code, Code::not_found);
  AccessStore access(*database);
  EXPECT_FALSE(wait(access.find_login(default_tenant, login["other"].value, soon())));
  auto const found = wait(access.find_login(other, login["other"].value, soon()));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->role_permissions, std::vector<std::string>{"agents:read"}) << "the role of the same name is theirs";
  PasswordResetStore resets(*database);
  EXPECT_FALSE(wait(resets.take(default_tenant, "reset of other", soon())));
  AuditStore audit(*database, clock, random);
  for (auto const& entry : wait(audit.list(other, {}, {}, soon()))->items)
    EXPECT_NE(entry.target, user["default"].value);
  EXPECT_EQ(wait(audit.chain(other, 0, 10, soon())).size(), 1U);
}

/// What a statement that forgets its tenant would see.
std::vector<std::string> leaks(storage::Database& database, EventLoop& loop, std::string_view tenant) {
  std::vector<std::string> out;
  static std::map<std::string, Statement> const statements = [] {
    std::map<std::string, Statement> all;
    for (std::string const table : tenant_tables) {
      auto const [at, made] = all.emplace(table, Statement{"test.leak", {}});
      at->second.text = "SELECT COUNT(*) FROM " + table + " WHERE tenant_id <> $1";
    }
    return all;
  }();
  for (auto const& [table, statement] : statements) {
    auto const rows = loop.wait(database.read(Scope::of(TenantId{tenant}), statement, {std::string(tenant)},
                                              Deadline::after(std::chrono::seconds{30})));
    if (std::get<std::int64_t>(rows.at(0).at(0)) > 0)
      out.push_back(table);
  }
  return out;
}

TEST_P(Isolation, PoliciesHoldWhenAStatementForgetsItsTenant) {
  if (database->dialect() == storage::Dialect::sqlite) {
    EXPECT_EQ(leaks(*database, loop, "default").size(), tenant_tables.size()) << "the probe sees what is there";
    return;
  }
  EXPECT_EQ(leaks(*database, loop, "default"), std::vector<std::string>{});
}

TEST_P(Isolation, DroppingAnyOnePolicyIsNoticed) {
  if (database->dialect() == storage::Dialect::sqlite)
    return;  // there are none
  auto const& name = dynamic_cast<storage::PostgresBackend const&>(*backend).name();
  for (std::string const table : tenant_tables) {
    auto& server = PostgresServer::shared();
    for (auto const* change : {" NO FORCE ROW LEVEL SECURITY", " DISABLE ROW LEVEL SECURITY"})
      server.execute(name, "ALTER TABLE agent_lightning." + table + change);
    EXPECT_EQ(leaks(*database, loop, "default"), std::vector<std::string>{table});
    for (auto const* change : {" ENABLE ROW LEVEL SECURITY", " FORCE ROW LEVEL SECURITY"})
      server.execute(name, "ALTER TABLE agent_lightning." + table + change);
  }
  EXPECT_EQ(leaks(*database, loop, "default"), std::vector<std::string>{});
}

}  // namespace
}  // namespace al::data
