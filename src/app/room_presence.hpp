#pragma once
#include "cache/presence.hpp"
#include "services/websocket/hub.hpp"

namespace al::app {

/// Rooms of WebSockets in the Redis of all processes. Each process is there on its own account, so that a user who
/// leaves here stays where he is connected elsewhere. Any thread.
class RoomPresence final : public services::websocket::Presence {
 public:
  /// `process` tells this process from all others.
  RoomPresence(redis::Connections& connections, std::string process)
      : presence_(connections), process_(std::move(process)) {}

  [[nodiscard]] Task<Result<void>> beat(TenantId tenant, std::string room, std::string member,
                                        std::chrono::milliseconds ttl, Deadline) override;
  [[nodiscard]] Task<Result<void>> leave(TenantId tenant, std::string room, std::string member, Deadline) override;
  [[nodiscard]] Task<Result<std::vector<std::string>>> members(TenantId tenant, std::string room, Deadline) override;

 private:
  [[nodiscard]] std::string id_of(std::string const& member) const { return process_ + "/" + member; }

  cache::RedisPresence presence_;
  std::string const process_;
};

}  // namespace al::app
