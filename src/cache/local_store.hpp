#pragma once
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "cache/store.hpp"

namespace al::cache {

struct LocalStoreOptions {
  std::size_t entries_max = 100'000;    ///< tombstones among them
  std::size_t bytes_max = 64ULL << 20;  ///< keys and values together
};

/// A store for one process that has the database to itself. What was used longest ago goes first when it is full.
/// It never fails, and is never behind.
class LocalStore final : public Store {
 public:
  /// `clock` and `random` outlive this.
  LocalStore(Clock const& clock, Random& random, LocalStoreOptions options = {})
      : clock_(clock), random_(random), options_(options) {}

  [[nodiscard]] Task<Found> find(std::string key, Deadline) override;
  [[nodiscard]] Ticket ticket() const override;
  [[nodiscard]] Task<Result<bool>> put(std::string key, Entry entry, std::chrono::milliseconds ttl, Ticket ticket,
                                       Deadline) override;
  [[nodiscard]] Task<Result<void>> remove(std::string key, std::int64_t version, Deadline) override;

  /// For metrics.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Item {
    std::string key;
    std::optional<std::string> value;  ///< none: a tombstone
    std::int64_t version = 0;
    SteadyTime written;
    SteadyTime until;
  };
  using Items = std::list<Item>;

  // All with the mutex held.
  [[nodiscard]] Items::iterator look_up(std::string_view key, SteadyTime now);
  void set(Item item, SteadyTime now);
  void erase(Items::iterator);

  Clock const& clock_;
  Random& random_;
  LocalStoreOptions const options_;

  mutable std::mutex mutex_;
  Items items_;  ///< the one used last is in front
  std::unordered_map<std::string_view, Items::iterator> index_;
  std::size_t bytes_ = 0;
  /// When something went for want of room that tickets of that time might have had to yield to.
  SteadyTime lost_ = SteadyTime::min();
};

}  // namespace al::cache
