#include "cache/presence.hpp"

#include <algorithm>
#include <utility>

namespace al::cache {
namespace {

// A hash of member to "UNTIL NOTE", in milliseconds of the server's clock. Who left without a word is taken out when
// the members are read, or room is needed. Parameters: member, time to live in milliseconds, note, members at most.
redis::Script const beat_once(R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local members_max = tonumber(ARGV[4])
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= members_max then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if tonumber(string.match(all[i + 1], '^%d+')) <= now then redis.call('HDEL', KEYS[1], all[i]) end
  end
  if redis.call('HLEN', KEYS[1]) >= members_max then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + ARGV[2]) .. ' ' .. ARGV[3])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
)",
                              redis::Repeat::once);

redis::Script const list_members(R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local all = redis.call('HGETALL', KEYS[1])
local out = {}
for i = 1, #all, 2 do
  local till, note = string.match(all[i + 1], '^(%d+) (.*)$')
  if tonumber(till) <= now then
    redis.call('HDEL', KEYS[1], all[i])
  else
    out[#out + 1] = all[i]
    out[#out + 1] = note
  end
end
return out
)",
                                 redis::Repeat::once);

Result<void> check_beat(Member const& member, std::chrono::milliseconds ttl) {
  if (member.id.empty())
    return fail(Code::invalid, "A member needs an id.");
  if (ttl <= std::chrono::milliseconds::zero())
    return fail(Code::invalid, "A member is there for a time above zero.");
  if (member.id.size() + member.note.size() > Presence::bytes_max)
    return fail(Code::payload_too_large, "A member's id and note are too long.");
  return {};
}

std::unexpected<Error> full() { return fail(Code::too_many_requests, "The group has as many members as it may have."); }

}  // namespace

// ---- in this process ----

void LocalPresence::sweep(SteadyTime now) {
  for (auto& [name, group] : groups_)
    std::erase_if(group, [now](auto const& entry) { return entry.second.until <= now; });
  std::erase_if(groups_, [](auto const& entry) { return entry.second.empty(); });
}

Task<Result<void>> LocalPresence::beat(std::string group, Member member, std::chrono::milliseconds ttl, Deadline) {
  if (auto sound = check_beat(member, ttl); !sound)
    co_return fail(std::move(sound.error()));
  auto const now = clock_.steady();
  std::scoped_lock const lock(mutex_);
  if (groups_.size() >= groups_max && !groups_.contains(group)) {
    sweep(now);
    if (groups_.size() >= groups_max)
      co_return full();
  }
  auto& known = groups_[std::move(group)];
  if (known.size() >= members_max && !known.contains(member.id)) {
    std::erase_if(known, [now](auto const& entry) { return entry.second.until <= now; });
    if (known.size() >= members_max)
      co_return full();
  }
  known.insert_or_assign(std::move(member.id), Known{.note = std::move(member.note), .until = now + ttl});
  co_return Result<void>{};
}

Task<Result<void>> LocalPresence::leave(std::string group, std::string member, Deadline) {
  std::scoped_lock const lock(mutex_);
  auto const found = groups_.find(group);
  if (found == groups_.end())
    co_return Result<void>{};
  found->second.erase(member);
  if (found->second.empty())
    groups_.erase(found);
  co_return Result<void>{};
}

Task<Result<std::vector<Member>>> LocalPresence::members(std::string group, Deadline) {
  auto const now = clock_.steady();
  std::vector<Member> out;
  std::scoped_lock const lock(mutex_);
  auto const found = groups_.find(group);
  if (found == groups_.end())
    co_return out;
  std::erase_if(found->second, [now](auto const& entry) { return entry.second.until <= now; });
  for (auto const& [id, known] : found->second)
    out.push_back({.id = id, .note = known.note});
  if (out.empty())
    groups_.erase(found);
  co_return out;
}

// ---- in Redis ----

Task<Result<void>> RedisPresence::beat(std::string group, Member member, std::chrono::milliseconds ttl,
                                       Deadline deadline) {
  if (auto sound = check_beat(member, ttl); !sound)
    co_return fail(std::move(sound.error()));
  auto const reply = co_await calls_.run(
      beat_once, {std::move(group)},
      {std::move(member.id), std::to_string(ttl.count()), std::move(member.note), std::to_string(members_max)},
      deadline);
  if (!reply)
    co_return fail(reply.error());
  if (!reply->is_integer() || reply->integer() != 1)
    co_return full();
  co_return Result<void>{};
}

Task<Result<void>> RedisPresence::leave(std::string group, std::string member, Deadline deadline) {
  auto const reply = co_await calls_.run(redis::Command{"HDEL", group, member}.repeatable(), deadline);
  if (!reply)
    co_return fail(reply.error());
  co_return Result<void>{};
}

Task<Result<std::vector<Member>>> RedisPresence::members(std::string group, Deadline deadline) {
  auto reply = co_await calls_.run(list_members, {std::move(group)}, {}, deadline);
  if (!reply)
    co_return fail(std::move(reply.error()));
  auto& parts = reply->array();
  std::vector<Member> out;
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2)
    out.push_back({.id = std::move(parts[i]).text(), .note = std::move(parts[i + 1]).text()});
  std::ranges::sort(out, {}, &Member::id);
  co_return out;
}

}  // namespace al::cache
