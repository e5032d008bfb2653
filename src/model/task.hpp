#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

enum class TaskStatus { pending, started, completed, failed, cancelled };
BOOST_DESCRIBE_ENUM(TaskStatus, pending, started, completed, failed, cancelled)

enum class Priority { low, normal, high, urgent };
BOOST_DESCRIBE_ENUM(Priority, low, normal, high, urgent)

struct Task {
  TaskId id;
  AgentId agent_id;
  std::optional<TaskId> parent_id;
  std::string description;
  TaskStatus status = TaskStatus::pending;
  Priority priority = Priority::normal;
  Document context;
  std::optional<Document> result;
  std::optional<Document> progress;
  std::optional<std::string> error_message;
  std::int64_t attempt = 0;
  std::int64_t max_attempts = 3;
  std::int64_t timeout_seconds = 60;
  std::optional<Timestamp> scheduled_at;
  std::optional<Timestamp> deadline_at;
  std::optional<std::string> chosen_because;
  std::string created_by;
  std::int64_t version = 1;
  Timestamp created_at{};
  std::optional<Timestamp> started_at;
  std::optional<Timestamp> completed_at;
};
BOOST_DESCRIBE_STRUCT(Task, (),
                      (id, agent_id, parent_id, description, status, priority, context, result, progress, error_message,
                       attempt, max_attempts, timeout_seconds, scheduled_at, deadline_at, chosen_because, created_by,
                       version, created_at, started_at, completed_at))

constexpr auto describe(std::type_identity<Task>) {
  using namespace entity;
  constexpr auto server = Access::read_only;
  constexpr auto once = Access::create_only;
  return about("Task", "tasks", "Work given to an agent.", field<&Task::id>("UUIDv7.", {.access = server}),
               field<&Task::agent_id>("The agent it is given to.", {.access = server}),
               field<&Task::parent_id>("The task whose agent delegated this one.", {.access = server}),
               field<&Task::description>("What is to be done or answered.", {.min = 1, .max = 10000, .access = once}),
               field<&Task::status>("pending, started, then one of completed, failed, cancelled.", {.access = server}),
               field<&Task::priority>("Higher ones are claimed first.", {.defaulted = true}),
               field<&Task::context>("Whatever the client wants to travel along, kept as written.",
                                     {.max = 262144, .access = once, .defaulted = true}),
               field<&Task::result>("The answer, with its sources and how it was made.", {.access = server}),
               field<&Task::progress>("What there is so far while it runs.", {.access = server}),
               field<&Task::error_message>("Why it failed.", {.access = server}),
               field<&Task::attempt>("How often it was started.", {.access = server}),
               field<&Task::max_attempts>("After so many attempts it fails for good.",
                                          {.min = 1, .max = 20, .access = once, .defaulted = true}),
               field<&Task::timeout_seconds>("How long one attempt may take.",
                                             {.min = 1, .max = 86400, .access = once, .defaulted = true}),
               field<&Task::scheduled_at>("Not before this time.", {.access = once}),
               field<&Task::deadline_at>("Fails when not done by this time.", {.access = once}),
               field<&Task::chosen_because>("Why `auto` chose this agent.", {.access = server}),
               field<&Task::created_by>("Who created it.", {.access = server}),
               field<&Task::version>("Counts its changes; the ETag.", {.access = server}),
               field<&Task::created_at>("When it was created, UTC.", {.access = server}),
               field<&Task::started_at>("When its last attempt began, UTC.", {.access = server}),
               field<&Task::completed_at>("When it reached its end, UTC.", {.access = server}));
}

}  // namespace al::model
