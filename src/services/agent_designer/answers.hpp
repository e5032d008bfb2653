#pragma once
/// What the role agent-designer takes and answers beside entities.

#include <boost/describe.hpp>

#include "core/entity.hpp"
#include "model/agent.hpp"
#include "model/knowledge.hpp"

namespace al::services::agent_designer {

struct AgentStatusSet {
  AgentId agent_id;
  model::AgentStatus status = model::AgentStatus::idle;
};
BOOST_DESCRIBE_STRUCT(AgentStatusSet, (), (agent_id, status))

constexpr auto describe(std::type_identity<AgentStatusSet>) {
  using namespace entity;
  return about("AgentStatusSet", "", "The status that an agent was given.",
               field<&AgentStatusSet::agent_id>("The agent."), field<&AgentStatusSet::status>("As it was asked for."));
}

struct TaskAccepted {
  std::string task_id;
  AgentId agent_id;
  std::string agent_name;
  std::string status = "accepted";
  std::string message;
};
BOOST_DESCRIBE_STRUCT(TaskAccepted, (), (task_id, agent_id, agent_name, status, message))

constexpr auto describe(std::type_identity<TaskAccepted>) {
  using namespace entity;
  using T = TaskAccepted;
  return about("TaskAccepted", "", "A task that waits for its agent.", field<&T::task_id>("The task."),
               field<&T::agent_id>("Who will do it."), field<&T::agent_name>("His name."),
               field<&T::status>("accepted."), field<&T::message>("For people."));
}

/// Before lists of what belongs to an agent.
struct OfAgent {
  AgentId agent_id;
  std::optional<std::string> category;
};
BOOST_DESCRIBE_STRUCT(OfAgent, (), (agent_id, category))

constexpr auto describe(std::type_identity<OfAgent>) {
  using namespace entity;
  return about("OfAgent", "", "Whose knowledge it is.", field<&OfAgent::agent_id>("The agent."),
               field<&OfAgent::category>("The category that was asked for; left out without one.", {.left_out = true}));
}

struct TasksOfAgent {
  AgentId agent_id;
};
BOOST_DESCRIBE_STRUCT(TasksOfAgent, (), (agent_id))

constexpr auto describe(std::type_identity<TasksOfAgent>) {
  return entity::about("TasksOfAgent", "", "Whose tasks they are.",
                       entity::field<&TasksOfAgent::agent_id>("The agent."));
}

struct StepsOfTask {
  TaskId task_id;
};
BOOST_DESCRIBE_STRUCT(StepsOfTask, (), (task_id))

constexpr auto describe(std::type_identity<StepsOfTask>) {
  return entity::about("StepsOfTask", "", "Whose steps they are.", entity::field<&StepsOfTask::task_id>("The task."));
}

// ---- many items of knowledge at once ----

inline constexpr std::int64_t bulk_items_max = 500;

/// For its keys and for OpenAPI: each item is read by itself, since it stands or falls by itself.
struct KnowledgeBulk {
  AgentId agent_id;
  std::vector<model::Knowledge> items;
  bool process_embeddings = false;
};
BOOST_DESCRIBE_STRUCT(KnowledgeBulk, (), (agent_id, items, process_embeddings))

constexpr auto describe(std::type_identity<KnowledgeBulk>) {
  using namespace entity;
  using B = KnowledgeBulk;
  return about(
      "KnowledgeBulk", "", "Items for an agent.", field<&B::agent_id>("Whose they become."),
      field<&B::items>("The items.", {.min = 1, .max = bulk_items_max}),
      field<&B::process_embeddings>("Nothing follows from it; clients of the prototype send it.", {.defaulted = true}));
}

struct BulkResult {
  std::int64_t position = 0;
  std::optional<KnowledgeId> id;
  std::optional<std::string> reason;
  std::string status;
};
BOOST_DESCRIBE_STRUCT(BulkResult, (), (position, id, reason, status))

constexpr auto describe(std::type_identity<BulkResult>) {
  using namespace entity;
  using R = BulkResult;
  return about("BulkResult", "", "What became of an item.", field<&R::position>("Its place among the items, from 0."),
               field<&R::id>("Of one that was added.", {.left_out = true}),
               field<&R::reason>("Why one was not.", {.left_out = true}), field<&R::status>("added or failed."));
}

struct BulkReport {
  std::int64_t total = 0;
  std::int64_t successful = 0;
  std::int64_t failed = 0;
  std::vector<BulkResult> results;
};
BOOST_DESCRIBE_STRUCT(BulkReport, (), (total, successful, failed, results))

constexpr auto describe(std::type_identity<BulkReport>) {
  using namespace entity;
  using R = BulkReport;
  return about("BulkReport", "", "What became of many items.", field<&R::total>("How many there were."),
               field<&R::successful>("How many were added."), field<&R::failed>("How many were not."),
               field<&R::results>("Of each, in their order."));
}

/// For its keys and for OpenAPI: the importer reads the items.
struct KnowledgeImportRequest {
  AgentId agent_id;
  std::vector<Document> items;
  std::optional<std::string> file;
};
BOOST_DESCRIBE_STRUCT(KnowledgeImportRequest, (), (agent_id, items, file))

constexpr auto describe(std::type_identity<KnowledgeImportRequest>) {
  using namespace entity;
  using R = KnowledgeImportRequest;
  return about("KnowledgeImportRequest", "", "A prototype's knowledge file.",
               field<&R::agent_id>("Whose it becomes; made when there is none."),
               field<&R::items>("The items, as the file has them."), field<&R::file>("Its name; for people."));
}

struct ImportRemark {
  std::int64_t position = 0;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(ImportRemark, (), (position, reason))

constexpr auto describe(std::type_identity<ImportRemark>) {
  using namespace entity;
  return about("ImportRemark", "", "Why an item was not taken over.",
               field<&ImportRemark::position>("Its place among the items, from 0."),
               field<&ImportRemark::reason>("Why, for people."));
}

struct ImportAnswer {
  std::int64_t imported = 0;
  std::int64_t merged = 0;
  std::int64_t skipped = 0;
  bool agent_created = false;
  std::vector<ImportRemark> left_out;
  std::vector<ImportRemark> faulty;
};
BOOST_DESCRIBE_STRUCT(ImportAnswer, (), (imported, merged, skipped, agent_created, left_out, faulty))

constexpr auto describe(std::type_identity<ImportAnswer>) {
  using namespace entity;
  using A = ImportAnswer;
  return about("ImportAnswer", "", "What became of a prototype's file.",
               field<&A::imported>("Items that are there now and were not before."),
               field<&A::merged>("Variants that were put beside an item of the same id, or replaced it."),
               field<&A::skipped>("Imported before, or deleted here."),
               field<&A::agent_created>("The agent was made for them."),
               field<&A::left_out>("Of the skipped, those that are new but whose id a user deleted."),
               field<&A::faulty>("Those that do not fit."));
}

}  // namespace al::services::agent_designer
