#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

/// `idle` and `busy` are derived from running tasks when read; only `offline` and `error` are stored.
enum class AgentStatus { idle, busy, error, offline };
BOOST_DESCRIBE_ENUM(AgentStatus, idle, busy, error, offline)

struct Agent {
  AgentId id;
  std::string name;
  std::string model = "claude-3-haiku";
  std::string specialization;
  AgentStatus status = AgentStatus::idle;
  std::vector<std::string> capabilities;
  Document config;
  std::int64_t max_concurrency = 4;
  bool imported = false;
  std::int64_t version = 1;
  Timestamp created_at{};
  Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(Agent, (),
                      (id, name, model, specialization, status, capabilities, config, max_concurrency, imported,
                       version, created_at, updated_at))

constexpr auto describe(std::type_identity<Agent>) {
  using namespace entity;
  return about(
      "Agent", "agents", "Someone who can be given tasks.",
      field<&Agent::id>("Slug, chosen by the client.", {.access = Access::create_only}),
      field<&Agent::name>("Name shown to people.", {.min = 1, .max = 100}),
      field<&Agent::model>("Model it thinks with; providers map the name.", {.min = 1, .max = 50, .defaulted = true}),
      field<&Agent::specialization>("Field it works in.", {.min = 1, .max = 50}),
      field<&Agent::status>("idle and busy follow from its running tasks; offline and error are set.",
                            {.access = Access::writable, .defaulted = true}),
      field<&Agent::capabilities>("What it can do, for choosing among agents.", {.max = 64, .defaulted = true}),
      field<&Agent::config>("Settings of the agent, kept as written.", {.max = 65536, .defaulted = true}),
      field<&Agent::max_concurrency>("How many of its tasks may run at once.",
                                     {.min = 1, .max = 1000, .defaulted = true}),
      field<&Agent::imported>("It was made by an import.", {.access = Access::read_only}),
      field<&Agent::version>("Counts its changes; the ETag.", {.access = Access::read_only}),
      field<&Agent::created_at>("When it was created, UTC.", {.access = Access::read_only}),
      field<&Agent::updated_at>("When it was last changed, UTC.", {.access = Access::read_only}));
}

}  // namespace al::model
