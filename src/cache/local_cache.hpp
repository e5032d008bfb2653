#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/failpoint.hpp"
#include "core/time.hpp"

namespace al::cache {

/// The first level of the cache, in the process. An entry lives at most one second and there are no negative entries;
/// whoever writes forgets the key. A load that was under way while its key was forgotten is not kept, so that a reader
/// never brings back what a writer has just replaced. Thread-safe; split into shards, each with its own lock.
template <class T>
class LocalCache {
 public:
  static constexpr std::chrono::milliseconds lifetime{1000};
  static constexpr std::size_t entries_max_per_shard = 512;

  explicit LocalCache(Clock const& clock) : clock_(clock) {}

  /// Before a load: what `put` compares to find that the key was forgotten meanwhile.
  using Ticket = std::uint64_t;

  [[nodiscard]] std::shared_ptr<T const> find(std::string_view key, Ticket& ticket) {
    auto& shard = shard_of(key);
    std::scoped_lock lock(shard.mutex);
    ticket = shard.forgotten;
    auto const it = shard.entries.find(key);
    bool const lives = it != shard.entries.end() && it->second.until > clock_.steady();
    if (lives || (it != shard.entries.end() && AL_PLANTED_BUG("cache_never_expires"))) {
      ++shard.hits;
      return it->second.value;
    }
    ++shard.misses;
    if (it != shard.entries.end())
      shard.entries.erase(it);
    return nullptr;
  }

  /// Of all finds since the start, those that found; nothing when there was none.
  [[nodiscard]] std::optional<double> hit_ratio() {
    std::uint64_t hits = 0;
    std::uint64_t finds = 0;
    for (auto& shard : shards_) {
      std::scoped_lock lock(shard.mutex);
      hits += shard.hits;
      finds += shard.hits + shard.misses;
    }
    if (finds == 0)
      return std::nullopt;
    return static_cast<double>(hits) / static_cast<double>(finds);
  }

  void put(std::string_view key, std::shared_ptr<T const> value, Ticket ticket) {
    auto& shard = shard_of(key);
    std::scoped_lock lock(shard.mutex);
    if (shard.forgotten != ticket)
      return;
    if (shard.entries.size() >= entries_max_per_shard)
      shard.entries.clear();
    shard.entries.insert_or_assign(std::string(key), Entry{std::move(value), clock_.steady() + lifetime});
  }

  void forget(std::string_view key) {
    if (AL_PLANTED_BUG("cache_never_expires"))
      return;
    auto& shard = shard_of(key);
    std::scoped_lock lock(shard.mutex);
    ++shard.forgotten;
    if (auto const it = shard.entries.find(key); it != shard.entries.end())
      shard.entries.erase(it);
  }

 private:
  struct Entry {
    std::shared_ptr<T const> value;
    SteadyTime until;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries;
    std::uint64_t forgotten = 0;  // counts forgets of any key here: a needless miss is cheap, a stale entry is not
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
  };
  Shard& shard_of(std::string_view key) { return shards_[Hash{}(key) % shards_.size()]; }

  Clock const& clock_;
  std::array<Shard, 16> shards_;
};

}  // namespace al::cache
