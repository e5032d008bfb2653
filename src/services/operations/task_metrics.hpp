#pragma once
#include "data/metric_store.hpp"
#include "events/consumer.hpp"

namespace al::services::operations {

/// Takes the ends of tasks out of the event log and records how long they took, as the metrics `task.seconds` (from the
/// last start) and `task.wait_seconds` (from creation to the start), with the agent and how the task ended; and the
/// tokens of those whose result tells them, as `task.input_tokens` and `task.output_tokens`, with the model as well. A
/// consumer group: of several relays one handles each event.
[[nodiscard]] events::ConsumerOptions task_metrics_options();
[[nodiscard]] events::Consumer::Handler record_task_metrics(data::MetricBuffer& metrics);

}  // namespace al::services::operations
