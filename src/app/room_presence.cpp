#include "app/room_presence.hpp"

#include <algorithm>

#include "cache/keys.hpp"

namespace al::app {
namespace {

std::string group_of(TenantId const& tenant, std::string const& room) { return cache::key(tenant, "room", room); }

}  // namespace

Task<Result<void>> RoomPresence::beat(TenantId tenant, std::string room, std::string member,
                                      std::chrono::milliseconds ttl, Deadline deadline) {
  auto id = id_of(member);
  co_return co_await presence_.beat(group_of(tenant, room), {.id = std::move(id), .note = std::move(member)}, ttl,
                                    deadline);
}

Task<Result<void>> RoomPresence::leave(TenantId tenant, std::string room, std::string member, Deadline deadline) {
  co_return co_await presence_.leave(group_of(tenant, room), id_of(member), deadline);
}

Task<Result<std::vector<std::string>>> RoomPresence::members(TenantId tenant, std::string room, Deadline deadline) {
  auto found = co_await presence_.members(group_of(tenant, room), deadline);
  if (!found)
    co_return fail(std::move(found.error()));
  std::vector<std::string> out;
  for (auto& member : *found)
    out.push_back(std::move(member.note));
  std::ranges::sort(out);
  auto const doubles = std::ranges::unique(out);
  out.erase(doubles.begin(), doubles.end());
  co_return out;
}

}  // namespace al::app
