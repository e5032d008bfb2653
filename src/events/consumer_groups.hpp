#pragma once
#include <map>
#include <string>
#include <vector>

#include "events/event_log.hpp"
#include "model/consumer.hpp"

namespace al::events {

/// All consumer groups of the installation, for people who watch over them. In the scope of the system: a group handles
/// the events of all tenants. Thread-safe.
class ConsumerGroups {
 public:
  /// By the name of a group, what it handles: only its members know.
  using Channels = std::map<std::string, std::vector<std::string>, std::less<>>;
  ConsumerGroups(storage::Database& database, EventLog& log, Channels channels = {})
      : database_(database), log_(log), channels_(std::move(channels)) {}

  /// By name. A group is there once it has run for the first time.
  [[nodiscard]] Task<std::vector<model::ConsumerGroup>> list(Deadline);
  /// Errors: not_found.
  [[nodiscard]] Task<Result<model::ConsumerGroup>> find(std::string name, Deadline);
  /// Sends the whole group back or forward, so that its handlers get events again or never; answers how it stands then.
  /// A replay without a point goes to the tip. Errors: not_found.
  [[nodiscard]] Task<Result<model::ConsumerGroup>> replay(std::string name, model::ConsumerReplay, Deadline);

 private:
  [[nodiscard]] Task<std::vector<model::ConsumerGroup>> read(Value name, Deadline);
  [[nodiscard]] Task<void> add_lag(model::ConsumerGroup&, Deadline);

  storage::Database& database_;
  EventLog& log_;
  Channels const channels_;
};

}  // namespace al::events
