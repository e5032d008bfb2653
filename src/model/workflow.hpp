#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

struct WorkflowTag {
  static constexpr IdKind kind = IdKind::uuid;
};
using WorkflowId = Id<WorkflowTag>;

enum class WorkflowStatus { draft, pending, running, paused, completed, failed, cancelled };
BOOST_DESCRIBE_ENUM(WorkflowStatus, draft, pending, running, paused, completed, failed, cancelled)

/// Of all steps together, as JSON.
inline constexpr std::int64_t workflow_steps_bytes_max = 262'144;
inline constexpr std::int64_t workflow_context_bytes_max = 262'144;

struct Workflow {
  WorkflowId id;
  std::string name;
  std::string description;
  std::vector<Document> steps;
  WorkflowStatus status = WorkflowStatus::pending;
  Document context;
  std::optional<std::int64_t> current_step;
  std::optional<std::string> error_message;
  std::string created_by;
  std::int64_t version = 1;
  Timestamp created_at{};
  Timestamp updated_at{};
  std::optional<Timestamp> started_at;
  std::optional<Timestamp> completed_at;
};
BOOST_DESCRIBE_STRUCT(Workflow, (),
                      (id, name, description, steps, status, context, current_step, error_message, created_by, version,
                       created_at, updated_at, started_at, completed_at))

constexpr auto describe(std::type_identity<Workflow>) {
  using namespace entity;
  using W = Workflow;
  constexpr auto server = Access::read_only;
  return about(
      "Workflow", "workflows", "Steps that are taken one after another.", field<&W::id>("UUIDv7.", {.access = server}),
      field<&W::name>("Name shown to people.", {.min = 1, .max = 100}),
      field<&W::description>("What it is for.", {.max = 10000, .defaulted = true}),
      field<&W::steps>("What is done, in this order; each step is kept as written. Only a draft may have none.",
                       {.max = 500}),
      field<&W::status>("draft or pending when it is created; then it follows from what becomes of it.",
                        {.access = Access::create_only, .defaulted = true}),
      field<&W::context>("What its steps know and find out, kept as written.",
                         {.max = workflow_context_bytes_max, .defaulted = true}),
      field<&W::current_step>("The step that it is at, from 0; null: none was begun.", {.access = server}),
      field<&W::error_message>("Why it failed.", {.access = server}),
      field<&W::created_by>("Who created it.", {.access = server}),
      field<&W::version>("Counts its changes; the ETag.", {.access = server}),
      field<&W::created_at>("When it was created, UTC.", {.access = server}),
      field<&W::updated_at>("When it was last changed, UTC.", {.access = server}),
      field<&W::started_at>("When it was last started, UTC.", {.access = server}),
      field<&W::completed_at>("When it reached its end, UTC.", {.access = server}));
}

}  // namespace al::model
