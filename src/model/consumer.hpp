#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

/// A process that works for a consumer group.
struct ConsumerMember {
  std::string id;
  std::int64_t slots = 0;
};
BOOST_DESCRIBE_STRUCT(ConsumerMember, (), (id, slots))

constexpr auto describe(std::type_identity<ConsumerMember>) {
  using namespace entity;
  return about("ConsumerMember", "", "A process that works for a consumer group.",
               field<&ConsumerMember::id>("UUIDv7; another one after each start."),
               field<&ConsumerMember::slots>("How many of the group's slots it holds."));
}

/// Counting ends here: who is further behind is told so much.
inline constexpr std::int64_t consumer_lag_max = 10'000;

/// Where some slots of a group stand.
struct ConsumerPosition {
  std::string cursor;
  std::int64_t slots = 0;
  std::int64_t lag = 0;
  std::optional<Timestamp> oldest_unhandled_at;
};
BOOST_DESCRIBE_STRUCT(ConsumerPosition, (), (cursor, slots, lag, oldest_unhandled_at))

constexpr auto describe(std::type_identity<ConsumerPosition>) {
  using namespace entity;
  return about("ConsumerPosition", "", "Where some slots of a consumer group stand in the event log.",
               field<&ConsumerPosition::cursor>("A resume token, as /events takes it."),
               field<&ConsumerPosition::slots>("How many slots stand here."),
               field<&ConsumerPosition::lag>("Events of any channel that came later; counted up to 10000."),
               field<&ConsumerPosition::oldest_unhandled_at>("When the first of them was written, UTC."));
}

/// A consumer group as people see it.
struct ConsumerGroup {
  std::string name;
  std::vector<std::string> channels;
  std::int64_t slots = 0;
  std::vector<ConsumerMember> members;
  std::vector<ConsumerPosition> positions;
  std::int64_t lag = 0;
  std::optional<Timestamp> oldest_unhandled_at;
  std::int64_t waiting = 0;
  std::int64_t retrying = 0;
  std::int64_t parked = 0;
};
BOOST_DESCRIBE_STRUCT(ConsumerGroup, (),
                      (name, channels, slots, members, positions, lag, oldest_unhandled_at, waiting, retrying, parked))

constexpr auto describe(std::type_identity<ConsumerGroup>) {
  using namespace entity;
  return about(
      "ConsumerGroup", "", "A group of consumers that shares the events of the log, and how far it is.",
      field<&ConsumerGroup::name>("Of the group, for ever."),
      field<&ConsumerGroup::channels>("The patterns of channels that it handles; none: a group of another version."),
      field<&ConsumerGroup::slots>("In how many parts it reads the log."),
      field<&ConsumerGroup::members>("The processes that work for it now."),
      field<&ConsumerGroup::positions>("Where its slots stand, the rearmost first."),
      field<&ConsumerGroup::lag>("Of the rearmost position."),
      field<&ConsumerGroup::oldest_unhandled_at>("The earliest of its positions, UTC; null: nothing came later."),
      field<&ConsumerGroup::waiting>("Dead letters that are tried again by themselves."),
      field<&ConsumerGroup::retrying>("Dead letters that someone wants handled once more."),
      field<&ConsumerGroup::parked>("Dead letters that were given up."));
}

/// The ends of the log.
enum class LogEnd { beginning, tip };
BOOST_DESCRIBE_ENUM(LogEnd, beginning, tip)

/// Where a client wants a group to go on: one of the two.
struct ConsumerReplay {
  std::optional<Timestamp> since;
  std::optional<LogEnd> from;
};
BOOST_DESCRIBE_STRUCT(ConsumerReplay, (), (since, from))

constexpr auto describe(std::type_identity<ConsumerReplay>) {
  using namespace entity;
  return about("ConsumerReplay", "", "The point of the event log from which a group goes on: one of the two members.",
               field<&ConsumerReplay::since>("What was written at this time or later, as 2026-01-31T12:00:00Z."),
               field<&ConsumerReplay::from>("beginning: all that is in the log; tip: only what comes from now on."));
}

}  // namespace al::model
