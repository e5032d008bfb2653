#pragma once
/// The second level of the cache: rows as text, kept by version. In the process (local_store.hpp) or in Redis, shared
/// by all processes (redis_store.hpp); conformance_test.cpp holds both to what is said here.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/async.hpp"
#include "core/random.hpp"

namespace al::cache {

struct Entry {
  std::string value;
  std::int64_t version = 0;  ///< the row's; 0 or more
  bool operator==(Entry const&) const = default;
};

/// What the store knew before the database was asked. Versions alone are not enough: a tombstone that was lost together
/// with all else, or dropped for want of room, no longer stops a row that was read before it was written. A put whose
/// ticket is older than such a loss is refused.
struct Ticket {
  std::string generation;  ///< empty: nothing may be put
  SteadyTime taken{};
};

struct Found {
  std::optional<Entry> entry;
  Ticket ticket;
};

/// Any thread. What fails here makes readers go to the database, and never lets them see an old row for longer than
/// each implementation says.
class Store {
 public:
  /// From the ticket to the put; a load that takes longer is not kept.
  static constexpr std::chrono::seconds ticket_life{10};
  /// Entries and tombstones outlive any ticket that was taken before them, by far: a put may also be held up on its
  /// way.
  static constexpr std::chrono::minutes ttl_min{1};
  static constexpr std::chrono::minutes tombstone_ttl{10};
  static constexpr std::size_t value_bytes_max = 1 << 20;

  Store() = default;
  virtual ~Store() = default;
  Store(Store const&) = delete;
  Store& operator=(Store const&) = delete;

  /// No entry when there is none, when it is a tombstone, and when the store cannot say.
  [[nodiscard]] virtual Task<Found> find(std::string key, Deadline deadline) = 0;

  /// A ticket without a look-up, for who writes: taken before the commit.
  [[nodiscard]] virtual Ticket ticket() const = 0;

  /// Keeps a row that was read, or committed, after `ticket` was taken. False: it was not kept, because a newer version
  /// or a newer tombstone is there, or because the ticket is too old; an equal version is replaced. It lives for `ttl`
  /// less up to a tenth, by chance, so that what was filled together does not go together.
  /// Nobody needs to look at the answer: a writer calls remove() first.
  /// Errors: invalid (version below 0, ttl below ttl_min), payload_too_large, unavailable, timed_out.
  [[nodiscard]] virtual Task<Result<bool>> put(std::string key, Entry entry, std::chrono::milliseconds ttl,
                                               Ticket ticket, Deadline deadline) = 0;

  /// The row was written or deleted and has `version` now: what is older goes, and does not come back. A newer entry
  /// stays. To be called after the commit, in any order and as often as one likes.
  /// Errors: invalid, unavailable, timed_out. With the last two the store has taken note: it answers no find and keeps
  /// no put in this process until the removal is done, and tries by itself. The caller may go on.
  [[nodiscard]] virtual Task<Result<void>> remove(std::string key, std::int64_t version, Deadline deadline) = 0;
};

/// Errors: as Store::put, of its arguments alone.
[[nodiscard]] Result<void> check_put(Entry const&, std::chrono::milliseconds ttl);
/// `ttl` less up to a tenth.
[[nodiscard]] std::chrono::milliseconds jittered(std::chrono::milliseconds ttl, Random&);

}  // namespace al::cache
