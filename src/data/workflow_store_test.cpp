#include "data/workflow_store.hpp"

#include <gmock/gmock.h>

#include <map>

#include "data/cache_fixture.hpp"

namespace al::data {
namespace {

using model::Workflow;
using model::WorkflowId;
using model::WorkflowStatus;
using storage::Scope;
using storage::Statement;
using testing::ElementsAre;
using testing::HasSubstr;
using enum WorkflowStatus;

Statement const add_tenant{"test.tenant", "INSERT INTO tenants (id) VALUES ('other')"};
Statement const rename_behind{"test.rename", "UPDATE workflows SET name = $2 WHERE CAST(id AS text) = $1"};
Statement const set_status{"test.status", "UPDATE workflows SET status = $2 WHERE CAST(id AS text) = $1"};

constexpr std::array all_statuses{draft, pending, running, paused, completed, failed, cancelled};

std::string name_of(WorkflowStatus status) { return boost::describe::enum_to_string(status, "?"); }

class WorkflowStoreTest : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    workflows = std::make_unique<WorkflowStore>(*writer);
  }

  Workflow new_workflow() {
    clock.advance(std::chrono::milliseconds{1});  // ids are in the order of time
    Workflow out;
    out.id = workflows->new_id();
    out.name = "Report";
    out.steps = {{R"({"type":"task","description":"gather"})"}, {R"({"description":"write"})"}};
    return out;
  }
  Result<Workflow> create(Workflow workflow, std::string tenant = "default") {
    return wait(workflows->create(actor(std::move(tenant)), std::move(workflow), soon()));
  }
  Result<Workflow> move(WorkflowId const& id, WorkflowMove wanted, std::optional<std::int64_t> expected = {}) {
    return wait(workflows->move(actor(), id, std::move(wanted), expected, soon()));
  }
  Result<Workflow> patch(WorkflowId const& id, std::string text, std::optional<std::int64_t> expected = {}) {
    auto const source = json::Source::from(std::move(text));
    return wait(workflows->update(actor(), id, source->root(), expected, soon()));
  }
  Result<void> remove(WorkflowId const& id, std::optional<std::int64_t> expected = {}) {
    return wait(workflows->remove(actor(), id, expected, soon()));
  }
  Workflow stored(WorkflowId const& id) {
    auto found = wait(workflows->get(default_tenant, id, soon()));
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or(Workflow{});
  }
  /// One that came to `status` on the shortest way.
  Workflow have(WorkflowStatus status) {
    static std::map<WorkflowStatus, std::vector<WorkflowStatus>> const ways{
        {draft, {}},
        {pending, {}},
        {running, {running}},
        {paused, {running, paused}},
        {completed, {running, completed}},
        {failed, {running, failed}},
        {cancelled, {cancelled}},
    };
    auto workflow = new_workflow();
    if (status == draft)
      workflow.status = draft;
    auto made = create(std::move(workflow));
    for (auto const next : ways.at(status))
      made = move(made->id, {.to = next});
    EXPECT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->status, status);
    return *made;
  }
  /// "newest second …"
  std::string listed(std::optional<WorkflowStatus> status, PageRequest request = {}) {
    std::string out;
    for (auto const& one : wait(workflows->list(default_tenant, status, std::move(request), soon()))->items)
      out += (out.empty() ? "" : " ") + one.name;
    return out;
  }
  std::string last_event(WorkflowId const& id) {
    return wait(log->replay(default_tenant, "workflow", id.value, 1, 100, soon())).back().channel;
  }

  std::unique_ptr<WorkflowStore> workflows;
};
AL_ON_EVERY_DATABASE(WorkflowStoreTest);

TEST_P(WorkflowStoreTest, KeepsWhatItIsGivenAsWritten) {
  auto const source = json::Source::from(
      R"({"name": "Żółw", "steps": [{"b": 1.50,  "a": []}, {"agent_id" : "poet"}], "context": {"n":  1e2}})");
  auto given = entity::from_json<Workflow>(source->root());
  ASSERT_TRUE(given) << given.error().message;
  given->id = workflows->new_id();
  auto const made = create(*given);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->status, pending);
  EXPECT_EQ(made->created_by, "tester");
  EXPECT_EQ(made->version, 1);
  EXPECT_EQ(made->created_at, clock.now());
  EXPECT_EQ(made->current_step, std::nullopt);
  auto const found = stored(given->id);
  EXPECT_EQ(entity::to_json(found), entity::to_json(*made));
  EXPECT_THAT(found.steps, ElementsAre(Document{R"({"b": 1.50,  "a": []})"}, Document{R"({"agent_id" : "poet"})"}));
  EXPECT_EQ(found.context.text, R"({"n":  1e2})");
  EXPECT_EQ(create(*given).error().code, Code::conflict);
  auto const events = wait(log->replay(default_tenant, "workflow", given->id.value, 1, 100, soon()));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].channel, "workflow:created");
  EXPECT_THAT(events[0].data.text, HasSubstr("poet"));
}

TEST_P(WorkflowStoreTest, GoesItsWay) {
  auto const id = have(draft).id;
  ASSERT_TRUE(move(id, {.to = pending}));
  auto const started = move(id, {.to = running, .current_step = 0});
  ASSERT_TRUE(started);
  EXPECT_TRUE(started->started_at);
  ASSERT_TRUE(move(id, {.to = running, .current_step = 1, .context = Document{R"({"found":  [1]})"}}));
  ASSERT_TRUE(move(id, {.to = paused}));
  auto const resumed = move(id, {.to = running});
  EXPECT_EQ(resumed->current_step, 1) << "it stays where it is";
  EXPECT_EQ(resumed->context.text, R"({"found":  [1]})");
  EXPECT_EQ(resumed->started_at, started->started_at);
  auto const broken = move(id, {.to = failed, .error_message = "the agent is gone"});
  EXPECT_EQ(broken->error_message, "the agent is gone");
  EXPECT_TRUE(broken->completed_at);
  auto const retried = move(id, {.to = pending});
  EXPECT_EQ(retried->current_step, 1) << "it goes on where it failed";
  EXPECT_EQ(retried->error_message, std::nullopt);
  EXPECT_EQ(retried->started_at, std::nullopt);
  EXPECT_EQ(retried->completed_at, std::nullopt);
  ASSERT_TRUE(move(id, {.to = running, .current_step = 0}));
  auto const done = move(id, {.to = completed, .current_step = 1});
  EXPECT_TRUE(done->completed_at);
  EXPECT_EQ(done->version, 10);
  EXPECT_EQ(entity::to_json(stored(id)), entity::to_json(*done));
  ASSERT_TRUE(remove(id));
  EXPECT_EQ(history("workflow", id.value),
            "workflow:created workflow:updated workflow:started workflow:step workflow:step workflow:step"
            " workflow:failed workflow:retried workflow:started workflow:completed workflow:deleted");
}

TEST_P(WorkflowStoreTest, TakesTheseWaysAndNoOthers) {
  std::map<std::pair<WorkflowStatus, WorkflowStatus>, std::string> const allowed{
      {{draft, pending}, "workflow:updated"},       {{draft, cancelled}, "workflow:cancelled"},
      {{pending, running}, "workflow:started"},     {{pending, cancelled}, "workflow:cancelled"},
      {{running, running}, "workflow:step"},        {{running, paused}, "workflow:step"},
      {{running, completed}, "workflow:completed"}, {{running, failed}, "workflow:failed"},
      {{running, cancelled}, "workflow:cancelled"}, {{paused, running}, "workflow:step"},
      {{paused, cancelled}, "workflow:cancelled"},  {{failed, pending}, "workflow:retried"},
      {{cancelled, pending}, "workflow:retried"},
  };
  for (auto const from : all_statuses) {
    for (auto const to : all_statuses) {
      SCOPED_TRACE(name_of(from) + " to " + name_of(to));
      auto const before = have(from);
      auto const moved = move(before.id, {.to = to, .current_step = 0}, before.version);
      auto const way = allowed.find({from, to});
      if (way != allowed.end()) {
        ASSERT_TRUE(moved) << moved.error().message;
        EXPECT_EQ(moved->status, to);
        EXPECT_EQ(moved->version, before.version + 1);
        EXPECT_EQ(last_event(before.id), way->second);
      } else {
        ASSERT_FALSE(moved);
        EXPECT_EQ(moved.error().code, Code::conflict);
        EXPECT_THAT(moved.error().message, HasSubstr("is " + name_of(from) + "; it cannot become " + name_of(to)));
        EXPECT_EQ(entity::to_json(stored(before.id)), entity::to_json(before));
      }
      history("workflow", before.id.value);  // without a gap
    }
  }
}

TEST_P(WorkflowStoreTest, SaysWhereItCanGo) {
  auto const message = [&](WorkflowStatus from, WorkflowStatus to) {
    return move(have(from).id, {.to = to}).error().message;
  };
  EXPECT_THAT(message(draft, running), HasSubstr("it cannot become running, only pending or cancelled"));
  EXPECT_THAT(message(completed, pending), HasSubstr("it cannot become pending, it stays so"));
  EXPECT_EQ(move(WorkflowId{workflows->new_id()}, {.to = running}).error().code, Code::not_found);
}

/// The database itself, should anything write past the store.
TEST_P(WorkflowStoreTest, TakesNoStatusOfItsOwnMaking) {
  auto const id = have(pending).id.value;
  auto const write = [&](std::string status) {
    return wait(database->apply({Scope::of(default_tenant), {{&set_status, {id, std::move(status)}}}}, soon()));
  };
  EXPECT_TRUE(write("paused"));
  auto const refused = write("done");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_EQ(stored(WorkflowId{id}).status, paused);
}

TEST_P(WorkflowStoreTest, RefusesWhoKnowsAnOlderVersion) {
  auto const before = have(pending);
  ASSERT_TRUE(patch(before.id, R"({"name": "Edited"})"));
  for (auto const& refused :
       {move(before.id, {.to = running}, before.version).error(),
        patch(before.id, R"({"name": "Mine"})", before.version).error(), remove(before.id, before.version).error()}) {
    EXPECT_EQ(refused.code, Code::version_mismatch);
    EXPECT_THAT(refused.message, HasSubstr("at version 2, not 1"));
  }
  EXPECT_EQ(history("workflow", before.id.value), "workflow:created workflow:updated");
  EXPECT_TRUE(move(before.id, {.to = running}, 2));
}

TEST_P(WorkflowStoreTest, OneOfManyTakesAStep) {
  auto const before = have(running);
  auto const who = actor();
  std::vector<Task<Result<Workflow>>> steps;
  for (int i = 0; i < 20; ++i)
    steps.push_back(workflows->move(who, before.id, {.to = running, .current_step = 1}, before.version, soon()));
  int won = 0;
  for (auto const& one : wait(settle(std::move(steps)))) {
    ASSERT_FALSE(one.fault);
    won += one.value ? 1 : 0;
    if (!one.value) {
      EXPECT_EQ(one.value.error().code, Code::version_mismatch) << one.value.error().message;
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(history("workflow", before.id.value), "workflow:created workflow:started workflow:step");
}

TEST_P(WorkflowStoreTest, IsEditedWhileNobodyWorksByIt) {
  for (auto const status : all_statuses) {
    SCOPED_TRACE(name_of(status));
    auto const before = have(status);
    auto const edited = patch(before.id, R"({"name": "Edited", "steps": [{"x":  1}], "context": {"y": 2}})");
    if (status == running || status == paused || status == completed) {
      ASSERT_FALSE(edited);
      EXPECT_EQ(edited.error().code, Code::conflict);
      EXPECT_THAT(edited.error().message, HasSubstr("is " + name_of(status) + "; its definition can be changed while"));
      EXPECT_EQ(entity::to_json(stored(before.id)), entity::to_json(before));
      continue;
    }
    ASSERT_TRUE(edited) << edited.error().message;
    EXPECT_EQ(edited->name, "Edited");
    EXPECT_EQ(edited->description, before.description);
    EXPECT_THAT(edited->steps, ElementsAre(Document{R"({"x":  1})"}));
    EXPECT_EQ(edited->context.text, R"({"y": 2})");
    EXPECT_EQ(edited->status, status);
    EXPECT_EQ(edited->version, before.version + 1);
    EXPECT_EQ(last_event(before.id), "workflow:updated");
  }
}

TEST_P(WorkflowStoreTest, AShorterListBeginsAnew) {
  auto const id = have(running).id;
  ASSERT_TRUE(move(id, {.to = failed, .current_step = 1}));
  EXPECT_EQ(patch(id, R"({"steps": [{}, {}, {}]})")->current_step, 1);
  EXPECT_EQ(patch(id, R"({"steps": [{}]})")->current_step, std::nullopt);
  EXPECT_EQ(move(id, {.to = pending})->current_step, std::nullopt);
}

TEST_P(WorkflowStoreTest, RefusesBadDefinitions) {
  auto const fault_of = [](std::string text) {
    auto const source = json::Source::from(std::move(text));
    auto const read = entity::from_json<Workflow>(source->root());
    return read ? "" : read.error().message;
  };
  EXPECT_EQ(fault_of(R"({"name": "a", "steps": []})"), "");
  EXPECT_EQ(fault_of(R"({"name": "a"})"), "steps is required");
  EXPECT_EQ(fault_of(R"({"steps": []})"), "name is required");
  EXPECT_EQ(fault_of(R"({"name": "a", "steps": [{}, 5]})"), "steps[1] must be an object, not a number");
  EXPECT_THAT(fault_of(R"({"name": "a", "steps": [], "status": "done"})"), HasSubstr("status must be one of draft"));
  EXPECT_THAT(fault_of(R"({"name": "a", "steps": [], "current_step": 1})"), HasSubstr("set by the server"));
  EXPECT_THAT(fault_of("{\"name\": \"" + std::string(101, 'n') + "\", \"steps\": []}"), HasSubstr("1 to 100"));

  auto workflow = new_workflow();
  workflow.status = running;
  EXPECT_THAT(create(workflow).error().message, HasSubstr("status must be draft or pending"));
  workflow.status = pending;
  workflow.steps.clear();
  EXPECT_THAT(create(workflow).error().message, HasSubstr("steps must have at least 1 element"));
  workflow.status = draft;
  EXPECT_TRUE(create(workflow));
  EXPECT_THAT(move(workflow.id, {.to = pending}).error().message, HasSubstr("steps must have at least 1 element"));
  workflow.id = WorkflowId{"first"};
  EXPECT_EQ(create(workflow).error().message, "id must be a UUID");
}

TEST_P(WorkflowStoreTest, BoundsWhatItKeeps) {
  auto workflow = new_workflow();
  std::string const tenth(model::workflow_steps_bytes_max / 10, 'x');
  workflow.steps = std::vector<Document>(10, {R"({"x":")" + tenth + "\"}"});
  auto const refused = create(workflow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_THAT(refused.error().message, HasSubstr("steps must have at most 262144 bytes of JSON, has 262"));
  workflow.steps.pop_back();
  ASSERT_TRUE(create(workflow));
  EXPECT_EQ(stored(workflow.id).steps, workflow.steps);
  auto const event = wait(log->replay(default_tenant, "workflow", workflow.id.value, 1, 1, soon())).at(0);
  EXPECT_THAT(event.data.text, HasSubstr("omitted_bytes")) << "an event has the size only";
  EXPECT_EQ(patch(workflow.id, R"({"status": "running"})").error().code, Code::invalid);
}

TEST_P(WorkflowStoreTest, RefusesMovesThatMakeNoSense) {
  auto const id = have(running).id;
  auto const refusal = [&](WorkflowMove wanted) {
    auto const moved = move(id, std::move(wanted));
    EXPECT_EQ(moved ? Code::internal : moved.error().code, Code::invalid);
    return moved ? "" : moved.error().message;
  };
  EXPECT_EQ(refusal({.to = running}), "current_step is required, or a context: the workflow is running already");
  EXPECT_EQ(refusal({.to = running, .current_step = 2}),
            "current_step must be the place of one of its 2 steps, from 0, is 2");
  EXPECT_THAT(refusal({.to = paused, .current_step = -1}), HasSubstr("from 0, is -1"));
  EXPECT_EQ(refusal({.to = paused, .context = Document{"[1]"}}), "context must be an object");
  EXPECT_THAT(refusal({.to = paused, .context = Document{"{"}}), HasSubstr("context"));
  EXPECT_EQ(refusal({.to = paused, .error_message = "tired"}),
            "error_message is for a workflow that fails; leave it out");
  std::string const large = R"({"x":")" + std::string(model::workflow_context_bytes_max, 'x') + "\"}";
  EXPECT_THAT(refusal({.to = paused, .context = Document{large}}), HasSubstr("context must have at most 262144"));
  EXPECT_EQ(history("workflow", id.value), "workflow:created workflow:started");
}

TEST_P(WorkflowStoreTest, ListsNewestFirst) {
  for (std::string const name : {"one", "two", "three", "gone"}) {
    auto workflow = new_workflow();
    workflow.name = name;
    workflow.status = name == "two" ? pending : draft;
    auto const made = create(workflow);
    if (name == "gone") {
      ASSERT_TRUE(remove(made->id));
    }
  }
  EXPECT_EQ(listed({}), "three two one");
  EXPECT_EQ(listed(draft), "three one");
  EXPECT_EQ(listed(running), "");
  auto page = wait(workflows->list(default_tenant, draft, {.limit = 1, .cursor = {}, .count_total = true}, soon()));
  EXPECT_EQ(page->total, 2);
  EXPECT_EQ(page->items.at(0).name, "three");
  EXPECT_EQ(listed(draft, {.limit = 1, .cursor = page->next_cursor}), "one");
  page = wait(workflows->list(default_tenant, {}, {.limit = 2, .cursor = {}, .count_total = true}, soon()));
  EXPECT_EQ(page->total, 3);
  EXPECT_EQ(listed({}, {.limit = 2, .cursor = page->next_cursor}), "one");
  EXPECT_EQ(wait(workflows->list(default_tenant, {}, {.limit = 2, .cursor = "x"}, soon())).error().code, Code::invalid);
}

TEST_P(WorkflowStoreTest, IsDeletedWhenNothingOfItRuns) {
  for (auto const status : all_statuses) {
    SCOPED_TRACE(name_of(status));
    auto const before = have(status);
    auto const removed = remove(before.id);
    if (status == pending || status == running || status == paused) {
      ASSERT_FALSE(removed);
      EXPECT_EQ(removed.error().code, Code::conflict);
      EXPECT_THAT(removed.error().message, HasSubstr("cancel it before you delete it"));
      EXPECT_EQ(stored(before.id).version, before.version);
      continue;
    }
    ASSERT_TRUE(removed) << removed.error().message;
    EXPECT_EQ(wait(workflows->get(default_tenant, before.id, soon())).error().code, Code::not_found);
    EXPECT_EQ(remove(before.id).error().code, Code::not_found);
    EXPECT_EQ(move(before.id, {.to = pending}).error().code, Code::not_found);
    EXPECT_EQ(patch(before.id, R"({"name": "Back"})").error().code, Code::not_found);
    EXPECT_EQ(last_event(before.id), "workflow:deleted");
  }
}

TEST_P(WorkflowStoreTest, TenantsHaveTheirOwn) {
  ASSERT_TRUE(wait(database->apply({Scope::system(), {{&add_tenant, {}}}}, soon())));
  auto workflow = have(draft);
  TenantId const other{"other"};
  EXPECT_EQ(wait(workflows->get(other, workflow.id, soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(workflows->move(actor("other"), workflow.id, {.to = pending}, {}, soon())).error().code,
            Code::not_found);
  EXPECT_EQ(wait(workflows->remove(actor("other"), workflow.id, {}, soon())).error().code, Code::not_found);
  EXPECT_TRUE(wait(workflows->list(other, {}, {}, soon()))->items.empty());
  workflow.name = "Theirs";
  ASSERT_TRUE(create(workflow, "other")) << "ids are a tenant's own";
  EXPECT_EQ(stored(workflow.id).name, "Report");
  EXPECT_EQ(history("workflow", workflow.id.value, "other"), "workflow:created");
}

/// Two processes with one second level. What is changed in the database behind them shows who was asked.
class WorkflowCacheTest : public WorkflowStoreTest {
 protected:
  struct Process : CachingProcess {
    Process(WorkflowCacheTest& test, std::string name)
        : CachingProcess(test, test.second, std::move(name)), workflows(writer) {}
    WorkflowStore workflows;
  };

  void SetUp() override {
    WorkflowStoreTest::SetUp();
    here.emplace(*this, "here");
    there.emplace(*this, "there");
    id = new_workflow().id;
    auto workflow = new_workflow();
    workflow.id = id;
    ASSERT_TRUE(wait(here->workflows.create(actor(), workflow, soon())));
  }
  void rename_behind_them() {
    auto const done = wait(database->apply(
        {Scope::of(default_tenant), {{&rename_behind, {id.value, std::string("nobody heard of it")}}}}, soon()));
    ASSERT_TRUE(done) << done.error().message;
  }
  std::string seen_by(Process& process) {
    clock.advance(std::chrono::milliseconds{1001});  // what the first level keeps is over
    auto const found = wait(process.workflows.get(default_tenant, id, soon()));
    return found ? found->name + " " + name_of(found->status) : found.error().message;
  }

  cache::LocalStore second{clock, random};
  WorkflowId id;
  std::optional<Process> here;
  std::optional<Process> there;
};
AL_ON_EVERY_DATABASE(WorkflowCacheTest);

TEST_P(WorkflowCacheTest, WhatOneWritesTheOtherReadsWithoutTheDatabase) {
  rename_behind_them();
  EXPECT_EQ(seen_by(*there), "Report pending");
  auto const text = json::Source::from(R"({"name":"Edited"})");
  ASSERT_TRUE(wait(here->workflows.update(actor(), id, text->root(), {}, soon())));
  rename_behind_them();
  EXPECT_EQ(seen_by(*there), "Edited pending");
  ASSERT_TRUE(wait(here->workflows.move(actor(), id, {.to = running}, {}, soon())));
  EXPECT_EQ(seen_by(*there), "nobody heard of it running") << "a change is decided on what is stored";
  EXPECT_EQ(there->rows.hit_ratios().at("workflow"), 1.0);
}

TEST_P(WorkflowCacheTest, EveryMoveIsSeenByAll) {
  for (auto const to : {running, paused, running, failed, pending, cancelled, pending, running, completed}) {
    ASSERT_TRUE(wait(here->workflows.move(actor(), id, {.to = to}, {}, soon())));
    EXPECT_EQ(seen_by(*there), "Report " + name_of(to));
    EXPECT_EQ(seen_by(*here), "Report " + name_of(to));
  }
  ASSERT_TRUE(wait(here->workflows.remove(actor(), id, {}, soon())));
  EXPECT_THAT(seen_by(*there), HasSubstr("there is no workflow"));
  EXPECT_THAT(seen_by(*here), HasSubstr("there is no workflow"));
}

/// A copy that nobody replaced misleads readers for a while, but no change.
TEST_P(WorkflowCacheTest, AnOutdatedCopyDecidesNothing) {
  EXPECT_EQ(seen_by(*there), "Report pending");
  ASSERT_TRUE(wait(workflows->move(actor(), id, {.to = running}, {}, soon()))) << "by one without a cache";
  EXPECT_EQ(seen_by(*there), "Report pending");
  EXPECT_TRUE(wait(there->workflows.move(actor(), id, {.to = completed}, {}, soon())));
  EXPECT_EQ(seen_by(*here), "Report completed");
}

TEST_P(WorkflowCacheTest, TenantsDoNotShareCopies) {
  ASSERT_TRUE(wait(database->apply({Scope::system(), {{&add_tenant, {}}}}, soon())));
  EXPECT_EQ(wait(here->workflows.get(TenantId{"other"}, id, soon())).error().code, Code::not_found);
}

}  // namespace
}  // namespace al::data
