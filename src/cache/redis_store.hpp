#pragma once
/// The second level in Redis, shared by the processes of an installation.
///
/// "A cache that is down makes things slower, never wrong": what can go wrong, and why it does not.
///
/// - An old row is put after a newer one, or after its removal: one script compares versions and writes, as one step.
/// - Redis loses what it knew (FLUSHALL, a crash, a replica with less takes over), and with it a tombstone: all entries
///   belong to a generation, the random text in the key `al:_:generation:1`. A server that starts or takes over has
///   another run_id than the one noted there; each connection, once it is made, looks at that before anything is read
///   through it, and begins a new generation. Entries and tickets of another generation count for nothing.
/// - A removal cannot be sent: the writer's row is committed, so the removal is noted here, and sent again until it is
///   done (first after 50 ms, then every 250 ms). Until then this process neither reads nor puts, so that it never
///   shows its own client an old row. Notes of over `unsent_max` keys are dropped for one: begin a new generation. To
///   do so at once would be simpler, but would empty the cache of all processes when Redis hiccups under load.
/// - Redis is full: a removal deletes first, which Redis always allows. Its policy should be one of the `…-lru` or
///   `…-lfu` ones, or `noeviction`: `volatile-ttl` evicts tombstones first.
/// - A process dies between its commit and the removal, or Redis is away from this process and not from others: these
///   others see the old row until somebody else removes it. So removals are to be sent twice: by the writer, and by
///   whoever follows the event log (which polls every 500 ms when the doorbell is broken). They may repeat each other.
/// - Redis hangs: no call takes longer than CallOptions::timeout, and then none is made for CallOptions::rest.
///
/// What remains: a master that is cut off and does not know it (Redis replicates without waiting) shows old rows to
/// those who are cut off with it; entries end with their time to live at the latest.

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include "cache/redis_calls.hpp"
#include "cache/store.hpp"

namespace al::cache {

/// For metrics.
struct RedisStoreView {
  std::size_t unsent = 0;        ///< keys whose removal Redis has not heard of
  bool must_begin_anew = false;  ///< there were too many of them
  std::uint64_t failures = 0;    ///< calls that Redis did not answer
  std::uint64_t resent = 0;      ///< removals that were sent again, and done
};

/// See above. Any thread that has a connection. No coroutine uses it any more when it is destroyed.
class RedisStore final : public Store {
 public:
  static constexpr std::size_t unsent_max = 1024;

  /// All three outlive this.
  RedisStore(redis::Connections& connections, Clock const& clock, Random& random, CallOptions options = {});

  [[nodiscard]] Task<Found> find(std::string key, Deadline deadline) override;
  [[nodiscard]] Ticket ticket() const override;
  [[nodiscard]] Task<Result<bool>> put(std::string key, Entry entry, std::chrono::milliseconds ttl, Ticket ticket,
                                       Deadline deadline) override;
  [[nodiscard]] Task<Result<void>> remove(std::string key, std::int64_t version, Deadline deadline) override;

  /// Ends what it does in the background, within 250 ms.
  void close() { closed_ = true; }

  [[nodiscard]] RedisStoreView view() const;

 private:
  /// What is to be sent again, as it stood when it was read.
  struct Unsent {
    std::map<std::string, std::int64_t> removals;
    bool must_begin_anew = false;
    std::uint64_t notes = 0;
  };

  [[nodiscard]] Task<bool> make_ready(Deadline deadline);
  [[nodiscard]] Task<bool> look_at_generation(redis::Connection& connection, Deadline deadline);
  [[nodiscard]] Task<Result<void>> send(std::map<std::string, std::int64_t> removals, Deadline deadline);
  [[nodiscard]] Task<void> send_again();
  [[nodiscard]] Task<void> catch_up();
  void start_catching_up(asio::any_io_executor const&);

  [[nodiscard]] bool is_verified(redis::Connection const&) const;
  void note_generation(std::string_view generation);
  void forget_generation(redis::Connection const&);
  void note_unsent(std::string key, std::int64_t version);
  void note_sent(Unsent const&);
  [[nodiscard]] bool has_caught_up();
  [[nodiscard]] bool is_behind() const;

  RedisCalls calls_;
  Clock const& clock_;
  Random& random_;
  std::atomic<bool> closed_ = false;
  std::atomic<std::uint64_t> failures_ = 0;

  mutable std::mutex mutex_;
  std::string generation_;  ///< as it was seen last; empty: not known
  /// Which connect of each connection has looked at the generation.
  std::unordered_map<redis::Connection const*, std::uint64_t> verified_;
  Unsent unsent_;
  bool is_catching_up_ = false;
  std::uint64_t resent_ = 0;
};

}  // namespace al::cache
