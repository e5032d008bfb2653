#include "services/operations/task_metrics.hpp"

#include "core/json.hpp"
#include "model/task.hpp"

namespace al::services::operations {

namespace {

std::optional<Timestamp> time_in(json::object const& task, std::string_view name) {
  auto const* found = task.if_contains(name);
  if (found == nullptr || !found->is_string())
    return std::nullopt;
  auto const time = parse_time(found->get_string());
  return time ? std::optional(*time) : std::nullopt;
}

std::string text_in(json::object const& task, std::string_view name) {
  auto const* found = task.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

/// With `model` when it is known.
std::string tags_of(json::object const& task, std::string const& model = {}) {
  std::string tags = "{\"agent_id\":";
  json::append_string(tags, text_in(task, "agent_id"));
  tags += ",\"status\":";
  json::append_string(tags, text_in(task, "status"));
  if (!model.empty()) {
    tags += ",\"model\":";
    json::append_string(tags, model);
  }
  return tags + "}";
}

void add_span(data::MetricBuffer& metrics, TenantId const& tenant, std::string name, json::object const& task,
              std::optional<Timestamp> from, std::optional<Timestamp> to) {
  if (!from || !to)
    return;
  std::chrono::duration<double> const took = *to - *from;
  metrics.add(tenant, {.service = "worker",
                       .name = std::move(name),
                       .value = std::max(0.0, took.count()),
                       .tags = {tags_of(task)},
                       .timestamp = to});
}

/// As the task's result tells them; one that is too large for its event tells nothing.
void add_tokens(data::MetricBuffer& metrics, TenantId const& tenant, json::object const& task) {
  auto const* result = task.if_contains("result");
  if (result == nullptr || !result->is_object())
    return;
  auto const& answer = result->get_object();
  auto const tags = tags_of(task, text_in(answer, "model"));
  auto const ended = time_in(task, "completed_at");
  for (auto const* name : {"input_tokens", "output_tokens"}) {
    auto const* tokens = answer.if_contains(name);
    if (tokens == nullptr || !tokens->is_int64() || tokens->get_int64() < 0)
      continue;
    metrics.add(tenant, {.service = "worker",
                         .name = std::string("task.") + name,
                         .value = static_cast<double>(tokens->get_int64()),
                         .tags = {tags},
                         .timestamp = ended});
  }
}

}  // namespace

events::ConsumerOptions task_metrics_options() {
  return {.name = "task-metrics", .channels = {"task:completed", "task:failed"}};
}

events::Consumer::Handler record_task_metrics(data::MetricBuffer& metrics) {
  return [&metrics](events::Delivery const& delivery) -> Task<Result<void>> {
    auto const parsed = json::parse(delivery.event.data.text);
    if (!parsed || !parsed->is_object())
      co_return fail(Code::invalid, "the event's data is no object");
    auto const& task = parsed->get_object();
    auto const& tenant = delivery.event.metadata.tenant_id;
    auto const started = time_in(task, "started_at");
    add_span(metrics, tenant, "task.seconds", task, started, time_in(task, "completed_at"));
    add_span(metrics, tenant, "task.wait_seconds", task, time_in(task, "created_at"), started);
    add_tokens(metrics, tenant, task);
    co_return Result<void>{};
  };
}

}  // namespace al::services::operations
