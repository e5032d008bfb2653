#include "services/websocket/shard.hpp"

#include <algorithm>

#include "events/bus.hpp"
#include "events/channel.hpp"
#include "services/common/event_access.hpp"

namespace al::services::websocket {
namespace {

bool matches(std::vector<std::string> const& patterns, std::string_view channel) {
  return std::ranges::any_of(patterns, [&](auto const& it) { return events::channel_matches(it, channel); });
}

/// Patterns and permissions hold no control characters.
std::string key_of(Follower const& follower) {
  std::string out;
  for (auto const& pattern : follower.patterns)
    out.append(pattern).append("\n");
  out += "\r";
  for (auto const& permission : follower.principal.permissions)
    out.append(permission).append("\n");
  return out;
}

template <class Map>
void erase_from(Map& map, std::string const& key, Follower* follower) {
  auto const found = map.find(key);
  if (found == map.end())
    return;
  found->second.erase(follower);
  if (found->second.empty())
    map.erase(found);
}

}  // namespace

ItemPointer make_item(events::Positioned const& positioned) {
  auto const& event = positioned.event;
  auto out = std::make_shared<Item>(Item{.tenant = event.metadata.tenant_id,
                                         .channel = event.channel,
                                         .aggregate_id = event.aggregate_id,
                                         .seq = event.seq,
                                         .resume = positioned.token,
                                         .text = nullptr});
  std::optional<Message> message;
  if (event.channel == message_channel)
    message = read_message(event.data);
  if (message) {
    out->target = message->target;
    out->text = std::make_shared<std::string const>(message_text(event, *message, positioned.token));
  } else {
    out->text = std::make_shared<std::string const>(event_text(event, positioned.token));
  }
  return out;
}

bool Follower::wants(Item const& item) const {
  if (!item.target)
    return matches(patterns, item.channel) && may_see_event(principal, item.channel);
  switch (item.target->kind) {
    case Target::Kind::all:
      return true;
    case Target::Kind::room:
      return rooms.contains(item.target->id);
    case Target::Kind::user:
      return user == item.target->id;
  }
  return false;
}

void Shard::add(std::shared_ptr<Follower> const& follower) { all_.insert(follower); }

void Shard::remove(std::shared_ptr<Follower> const& follower) {
  leave(*follower);
  follower->is_gone_ = true;
  all_.erase(follower);
}

Task<Result<std::string>> Shard::join(std::shared_ptr<Follower> follower) {
  co_return co_await sleep_for_answer<std::string>([&](std::shared_ptr<Waiter<std::string>> waiter) {
    // Known here before the feed can answer: its batch comes to this thread.
    joining_.push_back({ask_(), follower, std::move(waiter)});
  });
}

void Shard::leave(Follower& follower) {
  if (!follower.is_live_)
    return;
  follower.is_live_ = false;
  auto const found = tenants_.find(follower.principal.tenant.value);
  auto& tenant = found->second;
  tenant.everyone.erase(&follower);
  erase_from(tenant.users, follower.user, &follower);
  for (auto const& room : follower.rooms)
    erase_from(tenant.rooms, room, &follower);
  if (auto* const group = static_cast<Group*>(std::exchange(follower.group_, nullptr))) {
    group->members.erase(&follower);
    if (group->members.empty())
      tenant.groups.erase(tenant.groups.find(group->key));
  }
  if (tenant.everyone.empty())
    tenants_.erase(found);
}

void Shard::place(Follower& follower) {
  follower.is_live_ = true;
  auto& tenant = tenants_[follower.principal.tenant.value];
  tenant.everyone.insert(&follower);
  tenant.users[follower.user].insert(&follower);
  for (auto const& room : follower.rooms)
    tenant.rooms[room].insert(&follower);
  if (!follower.patterns.empty())
    place_in_group(tenant, follower);
}

void Shard::place_in_group(Tenant& tenant, Follower& follower) {
  auto key = key_of(follower);
  auto& group = tenant.groups[key];
  if (!group) {
    group = std::make_unique<Group>();
    group->key = std::move(key);
    group->patterns = follower.patterns;
    group->principal = follower.principal;
  }
  group->members.insert(&follower);
  follower.group_ = group.get();
}

bool Shard::Group::wants(std::string const& channel) {
  if (auto const known = takes.find(channel); known != takes.end())
    return known->second;
  if (takes.size() >= known_channels_max)
    takes.clear();
  bool const out = matches(patterns, channel) && may_see_event(principal, channel);
  takes.emplace(channel, out);
  return out;
}

void Shard::deliver(Batch const& batch) {
  for (auto const& item : batch.items)
    deliver(*item, item);
  resume_ = batch.resume;
  admit(batch.answered);
}

void Shard::deliver(Item const& item, ItemPointer const& pointer) {
  auto const found = tenants_.find(item.tenant.value);
  if (found == tenants_.end())
    return;
  if (item.target) {
    deliver_message(found->second, *item.target, pointer);
    return;
  }
  for (auto const& [key, group] : found->second.groups) {
    if (!group->wants(item.channel))
      continue;
    for (auto* const member : group->members)
      member->deliver(pointer);
  }
  check_identity(item);
}

void Shard::deliver_message(Tenant& tenant, Target const& target, ItemPointer const& item) {
  auto const give = [&](std::unordered_set<Follower*> const& to) {
    for (auto* const follower : to)
      follower->deliver(item);
  };
  if (target.kind == Target::Kind::all) {
    give(tenant.everyone);
    return;
  }
  auto const& map = target.kind == Target::Kind::room ? tenant.rooms : tenant.users;
  if (auto const found = map.find(target.id); found != map.end())
    give(found->second);
}

/// The log says at once what the sweep would find out within a second.
void Shard::check_identity(Item const& item) {
  bool const is_key = item.channel == "api_key:revoked";
  bool const is_login = item.channel == "login:ended" || item.channel == "login:token_reused";
  if (!is_key && !is_login)
    return;
  for (auto const& follower : all_) {
    auto const& principal = follower->principal;
    bool const is_its = is_login ? principal.login_id == item.aggregate_id
                                 : principal.login_id.empty() && principal.id == item.aggregate_id;
    if (is_its && principal.tenant == item.tenant)
      follower->revoke();
  }
}

void Shard::admit(std::uint64_t answered) {
  auto const first = std::ranges::partition(joining_, [&](Joining const& it) { return it.number > answered; });
  std::vector<Joining> admitted(std::make_move_iterator(first.begin()), std::make_move_iterator(first.end()));
  joining_.erase(first.begin(), first.end());
  for (auto const& it : admitted) {
    if (it.waiter->has_left())
      continue;
    if (!it.follower->is_gone_ && !it.follower->is_live_)
      place(*it.follower);
    it.waiter->set(resume_);
  }
  // They go on right here, and may change the shard.
  for (auto const& it : admitted)
    it.waiter->resume();
}

void Shard::notify_room(TenantId const& tenant, std::string const& room, std::string const& except,
                        std::shared_ptr<std::string const> const& text) {
  auto const found = tenants_.find(tenant.value);
  if (found == tenants_.end())
    return;
  auto const members = found->second.rooms.find(room);
  if (members == found->second.rooms.end())
    return;
  for (auto* const member : members->second) {
    if (member->user != except)
      member->notify(text);
  }
}

}  // namespace al::services::websocket
