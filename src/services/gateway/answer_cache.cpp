#include "services/gateway/answer_cache.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

namespace al::services::gateway {
namespace {

/// Of list and index, about.
constexpr std::size_t entry_bytes = 256;
constexpr char end_of_part = '\0';  // no part can hold one

std::size_t bytes_of(std::string const& key, http::Headers const& headers, std::string const& body) {
  auto bytes = entry_bytes + key.size() + body.size();
  for (auto const& [name, value] : headers)
    bytes += name.size() + value.size() + sizeof(std::string) * 2;
  return bytes;
}

bool varies_by_more_than_accept(http::Headers const& headers) {
  return std::ranges::any_of(headers, [](auto const& field) {
    return http::equal_without_case(field.first, "Vary") && !http::equal_without_case(field.second, "Accept") &&
           !http::equal_without_case(field.second, "Accept-Encoding");
  });
}

}  // namespace

std::string AnswerCache::key(http::Principal const& caller, std::string_view target, std::string_view accept) {
  auto permissions = caller.permissions;
  std::ranges::sort(permissions);
  std::string key;
  if (!caller.id.empty())
    key.append(caller.tenant.value).push_back(end_of_part);
  key.append(caller.id).push_back(end_of_part);
  for (auto const& permission : permissions)
    key.append(permission).append(" ");
  key.push_back(end_of_part);
  key.append(accept).push_back(end_of_part);
  return key.append(target);
}

bool AnswerCache::is_fit(http::Response const& response) {
  return response.status == 200 && std::holds_alternative<std::string>(response.body) &&
         !response.headers.find("Set-Cookie") && !response.headers.find("Content-Range") &&
         !varies_by_more_than_accept(response.headers);
}

std::shared_ptr<AnswerCache::Kept const> AnswerCache::find(std::string_view key, SteadyTime now) {
  std::lock_guard const lock(mutex_);
  auto const found = index_.find(key);
  if (found == index_.end())
    return nullptr;
  auto const entry = found->second;
  if (entry->kept->until <= now) {
    remove(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->kept;
}

void AnswerCache::keep(std::string key, http::Response const& response, SteadyTime now, SteadyTime until) {
  auto const& body = std::get<std::string>(response.body);
  auto const bytes = bytes_of(key, response.headers, body);
  if (bytes > answer_bytes_max)
    return;
  auto kept = std::make_shared<Kept const>(response.headers, body, now, until, bytes);
  std::lock_guard const lock(mutex_);
  if (auto const found = index_.find(key); found != index_.end())
    remove(found->second);
  while (!entries_.empty() && (bytes_ + bytes > bytes_max || entries_.size() >= answers_max))
    remove(std::prev(entries_.end()));
  entries_.push_front({std::move(key), std::move(kept)});
  index_.emplace(entries_.front().key, entries_.begin());
  bytes_ += bytes;
}

void AnswerCache::remove(std::list<Entry>::iterator entry) {
  bytes_ -= entry->kept->bytes;
  index_.erase(entry->key);
  entries_.erase(entry);
}

std::size_t AnswerCache::bytes() const {
  std::lock_guard const lock(mutex_);
  return bytes_;
}

}  // namespace al::services::gateway
