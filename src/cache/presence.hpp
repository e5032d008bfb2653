#pragma once
/// Who is there: processes, workers, connections of a room. Members that are silent for too long have left.

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "cache/redis_calls.hpp"

namespace al::cache {

struct Member {
  std::string id;
  std::string note;
  bool operator==(Member const&) const = default;
};

/// Any thread. Groups are named by keys.hpp. What is forgotten (Redis starts anew) is there again with the next beats.
class Presence {
 public:
  static constexpr std::size_t members_max = 10'000;  ///< of a group
  static constexpr std::size_t bytes_max = 4096;      ///< of a member's id and note together

  Presence() = default;
  virtual ~Presence() = default;
  Presence(Presence const&) = delete;
  Presence& operator=(Presence const&) = delete;

  /// The member is there, with this note, for `ttl` from now on. Errors: invalid (no id, `ttl` not above zero),
  /// payload_too_large, too_many_requests (the group is full), unavailable, timed_out.
  [[nodiscard]] virtual Task<Result<void>> beat(std::string group, Member member, std::chrono::milliseconds ttl,
                                                Deadline deadline) = 0;
  /// Also when it is not there. Errors: unavailable, timed_out; then it leaves when its time is over.
  [[nodiscard]] virtual Task<Result<void>> leave(std::string group, std::string member, Deadline deadline) = 0;
  /// By id. Errors: unavailable, timed_out.
  [[nodiscard]] virtual Task<Result<std::vector<Member>>> members(std::string group, Deadline deadline) = 0;
};

/// In this process.
class LocalPresence final : public Presence {
 public:
  static constexpr std::size_t groups_max = 100'000;

  explicit LocalPresence(Clock const& clock) : clock_(clock) {}
  [[nodiscard]] Task<Result<void>> beat(std::string group, Member member, std::chrono::milliseconds ttl,
                                        Deadline) override;
  [[nodiscard]] Task<Result<void>> leave(std::string group, std::string member, Deadline) override;
  [[nodiscard]] Task<Result<std::vector<Member>>> members(std::string group, Deadline) override;

 private:
  struct Known {
    std::string note;
    SteadyTime until;
  };
  using Group = std::map<std::string, Known>;
  void sweep(SteadyTime now);

  Clock const& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Group> groups_;
};

/// In Redis, by its clock, for all processes.
class RedisPresence final : public Presence {
 public:
  explicit RedisPresence(redis::Connections& connections, CallOptions options = {}) : calls_(connections, options) {}
  [[nodiscard]] Task<Result<void>> beat(std::string group, Member member, std::chrono::milliseconds ttl,
                                        Deadline deadline) override;
  [[nodiscard]] Task<Result<void>> leave(std::string group, std::string member, Deadline deadline) override;
  [[nodiscard]] Task<Result<std::vector<Member>>> members(std::string group, Deadline deadline) override;

 private:
  RedisCalls calls_;
};

}  // namespace al::cache
