#include "cache/local_store.hpp"

#include <utility>

namespace al::cache {
namespace {

std::size_t size_of(std::string const& key, std::optional<std::string> const& value) {
  return key.size() + (value ? value->size() : 0);
}

}  // namespace

Ticket LocalStore::ticket() const { return {.generation = "local", .taken = clock_.steady()}; }

Task<Found> LocalStore::find(std::string key, Deadline) {
  Found found{.entry = std::nullopt, .ticket = ticket()};
  std::scoped_lock const lock(mutex_);
  auto const item = look_up(key, found.ticket.taken);
  if (item != items_.end() && item->value) {
    items_.splice(items_.begin(), items_, item);
    found.entry = Entry{.value = *item->value, .version = item->version};
  }
  co_return found;
}

Task<Result<bool>> LocalStore::put(std::string key, Entry entry, std::chrono::milliseconds ttl, Ticket ticket,
                                   Deadline) {
  if (auto sound = check_put(entry, ttl); !sound)
    co_return fail(std::move(sound.error()));
  auto const now = clock_.steady();
  auto const until = now + jittered(ttl, random_);
  std::scoped_lock const lock(mutex_);
  if (ticket.generation.empty() || ticket.taken <= lost_ || now - ticket.taken >= ticket_life)
    co_return false;
  if (auto const item = look_up(key, now); item != items_.end() && item->version > entry.version)
    co_return false;
  set({std::move(key), std::move(entry.value), entry.version, now, until}, now);
  co_return true;
}

Task<Result<void>> LocalStore::remove(std::string key, std::int64_t version, Deadline) {
  if (version < 0)
    co_return fail(Code::invalid, "A removal from the cache needs a version of 0 or more.");
  auto const now = clock_.steady();
  std::scoped_lock const lock(mutex_);
  if (auto const item = look_up(key, now); item == items_.end() || item->version <= version)
    set({std::move(key), std::nullopt, version, now, now + tombstone_ttl}, now);
  co_return Result<void>{};
}

LocalStore::Items::iterator LocalStore::look_up(std::string_view key, SteadyTime now) {
  auto const found = index_.find(key);
  if (found == index_.end())
    return items_.end();
  if (found->second->until > now)
    return found->second;
  erase(found->second);
  return items_.end();
}

void LocalStore::set(Item item, SteadyTime now) {
  if (auto const found = index_.find(item.key); found != index_.end())
    erase(found->second);
  bytes_ += size_of(item.key, item.value);
  items_.push_front(std::move(item));
  index_.emplace(items_.front().key, items_.begin());
  while (items_.size() > options_.entries_max || bytes_ > options_.bytes_max) {
    auto const last = std::prev(items_.end());
    if (now - last->written < ticket_life)
      lost_ = now;
    erase(last);
  }
}

void LocalStore::erase(Items::iterator item) {
  bytes_ -= size_of(item->key, item->value);
  index_.erase(item->key);
  items_.erase(item);
}

std::size_t LocalStore::size() const {
  std::scoped_lock const lock(mutex_);
  return items_.size();
}

std::size_t LocalStore::bytes() const {
  std::scoped_lock const lock(mutex_);
  return bytes_;
}

}  // namespace al::cache
