#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

/// The open tasks of an agent.
struct AgentQueue {
  AgentId agent_id;
  std::int64_t pending = 0;
  std::int64_t started = 0;
};
BOOST_DESCRIBE_STRUCT(AgentQueue, (), (agent_id, pending, started))

constexpr auto describe(std::type_identity<AgentQueue>) {
  using namespace entity;
  return about("AgentQueue", "", "The open tasks of an agent.", field<&AgentQueue::agent_id>("The agent."),
               field<&AgentQueue::pending>("Its tasks whose time has come."),
               field<&AgentQueue::started>("Its tasks that run."));
}

/// The open tasks of a tenant.
struct TaskQueue {
  std::int64_t pending = 0;
  std::int64_t scheduled = 0;
  std::int64_t started = 0;
  std::optional<Timestamp> oldest_pending_at;
  std::vector<AgentQueue> agents;
};
BOOST_DESCRIBE_STRUCT(TaskQueue, (), (pending, scheduled, started, oldest_pending_at, agents))

constexpr auto describe(std::type_identity<TaskQueue>) {
  using namespace entity;
  using Q = TaskQueue;
  return about(
      "TaskQueue", "", "The tasks that have not ended.",
      field<&Q::pending>("Tasks that wait for a worker: their time has come."),
      field<&Q::scheduled>("Tasks whose time has not come: scheduled, or waiting for their next attempt."),
      field<&Q::started>("Tasks that run."),
      field<&Q::oldest_pending_at>("When the oldest of the pending ones was created, UTC; null: there is none."),
      field<&Q::agents>("The 500 agents with most tasks pending or started, these first."));
}

}  // namespace al::model
