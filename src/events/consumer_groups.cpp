#include "events/consumer_groups.hpp"

#include <algorithm>

#include "events/consumer_store.hpp"

namespace al::events {

namespace {

using model::ConsumerGroup;
using model::DeadLetterState;
using storage::Scope;
using storage::Statement;

/// $1 a group, or NULL: all.
Statement const list_positions{"consumers.positions",
                               "SELECT consumer, cursor, COUNT(*) FROM consumer_slots"
                               " WHERE CAST($1 AS text) IS NULL OR consumer = CAST($1 AS text)"
                               " GROUP BY consumer, cursor ORDER BY consumer, cursor"};

Statement const list_members{
    "consumers.members",
    "SELECT m.consumer, m.id, (SELECT COUNT(*) FROM consumer_slots s WHERE s.consumer = m.consumer AND s.owner = m.id)"
    " FROM consumer_members m WHERE m.leased_until > al_now()"
    " AND (CAST($1 AS text) IS NULL OR m.consumer = CAST($1 AS text)) ORDER BY m.consumer, m.id"};

Statement const count_letters{"consumers.letters",
                              "SELECT consumer, state, COUNT(*) FROM dead_letters WHERE state <> 'dropped'"
                              " AND (CAST($1 AS text) IS NULL OR consumer = CAST($1 AS text))"
                              " GROUP BY consumer, state"};

std::string const& text(Row const& row, std::size_t i) { return std::get<std::string>(row.at(i)); }
std::int64_t number(Row const& row, std::size_t i) { return std::get<std::int64_t>(row.at(i)); }

/// Null: letters and members can be those of a group whose slots are gone, or not there yet.
ConsumerGroup* group_of(std::vector<ConsumerGroup>& groups, Row const& row) {
  auto const found = std::ranges::find(groups, text(row, 0), &ConsumerGroup::name);
  return found == groups.end() ? nullptr : &*found;
}

void add_letters(ConsumerGroup& group, Row const& row) {
  DeadLetterState state{};
  entity::type_of<DeadLetterState>().read(row.at(1), &state);
  auto& count = state == DeadLetterState::waiting    ? group.waiting
                : state == DeadLetterState::retrying ? group.retrying
                                                     : group.parked;
  count = number(row, 2);
}

Error no_such_group(std::string const& name) {
  return {.code = Code::not_found, .message = "there is no consumer '" + name + "'; it is made when it first runs"};
}

}  // namespace

Task<std::vector<ConsumerGroup>> ConsumerGroups::list(Deadline deadline) { return read(Value{}, deadline); }

Task<Result<ConsumerGroup>> ConsumerGroups::find(std::string name, Deadline deadline) {
  auto groups = co_await read(Value{name}, deadline);
  if (groups.empty())
    co_return fail(no_such_group(name));
  co_return std::move(groups.front());
}

Task<Result<ConsumerGroup>> ConsumerGroups::replay(std::string name, model::ConsumerReplay wanted, Deadline deadline) {
  std::string cursor;
  if (wanted.since) {
    cursor = co_await log_.since(*wanted.since, deadline);
  } else if (wanted.from == model::LogEnd::beginning) {
    cursor = log_.beginning();
  } else {
    cursor = co_await log_.tip(deadline);
  }
  ConsumerStore store(database_, name);
  if (auto const done = co_await store.reset(std::move(cursor), deadline); !done)
    co_return fail(done.error());
  co_return co_await find(std::move(name), deadline);
}

Task<std::vector<ConsumerGroup>> ConsumerGroups::read(Value name, Deadline deadline) {
  std::vector<ConsumerGroup> groups;
  for (auto const& row : co_await database_.read(Scope::system(), list_positions, {name}, deadline)) {
    if (groups.empty() || groups.back().name != text(row, 0))
      groups.emplace_back().name = text(row, 0);
    groups.back().slots += number(row, 2);
    groups.back().positions.push_back({text(row, 1), number(row, 2), 0, {}});
  }
  for (auto const& row : co_await database_.read(Scope::system(), list_members, {name}, deadline)) {
    if (auto* group = group_of(groups, row))
      group->members.push_back({.id = text(row, 1), .slots = number(row, 2)});
  }
  for (auto const& row : co_await database_.read(Scope::system(), count_letters, {name}, deadline)) {
    if (auto* group = group_of(groups, row))
      add_letters(*group, row);
  }
  for (auto& group : groups) {
    if (auto const known = channels_.find(group.name); known != channels_.end())
      group.channels = known->second;
    co_await add_lag(group, deadline);
  }
  co_return groups;
}

/// A stored cursor of the group is one of ours, or the schema is not.
Task<void> ConsumerGroups::add_lag(ConsumerGroup& group, Deadline deadline) {
  for (auto& position : group.positions) {
    auto const backlog = co_await log_.backlog(position.cursor, model::consumer_lag_max, deadline);
    if (!backlog)
      throw Fault("the cursor of the consumer '" + group.name + "' was refused: " + backlog.error().message);
    position.lag = backlog->events;
    position.oldest_unhandled_at = backlog->oldest;
  }
  std::ranges::sort(group.positions, std::ranges::greater{}, &model::ConsumerPosition::lag);
  group.lag = group.positions.front().lag;
  for (auto const& position : group.positions) {
    auto const& oldest = position.oldest_unhandled_at;
    if (oldest && (!group.oldest_unhandled_at || *oldest < *group.oldest_unhandled_at))
      group.oldest_unhandled_at = oldest;
  }
}

}  // namespace al::events
