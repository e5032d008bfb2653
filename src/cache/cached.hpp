#pragma once
/// Rows of one kind, read through both levels of the cache and from the database once a key at a time.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "cache/local_cache.hpp"
#include "cache/single_flight.hpp"
#include "cache/store.hpp"

namespace al::cache {

/// What the database has.
template <class T>
struct Loaded {
  T value;
  std::int64_t version = 0;
  bool is_kept = true;  ///< false: it changes too often to be worth it
};

enum class Freshness {
  cached,
  fresh,  ///< `Cache-Control: no-cache`: from the database, and both levels are brought up to date
};

/// For metrics. The hit ratio is hits / (hits + misses); fresh reads count as loads only.
struct Counters {
  std::atomic<std::uint64_t> hits{0};    ///< answered without a load of its own
  std::atomic<std::uint64_t> misses{0};  ///< asked the database
  std::atomic<std::uint64_t> loads{0};
  std::atomic<std::uint64_t> failures{0};  ///< loads that ended in an error or exception
};

template <class T>
struct CachedOptions {
  std::chrono::milliseconds ttl;  ///< in the second level; Store::ttl_min at least
  std::string (*write)(T const&);
  /// An error counts as a miss: another release wrote it.
  Result<T> (*read)(std::string_view);
};

/// The first level is its own, the second one shared with others. Any thread. Keys are made by keys.hpp.
///
/// A writer calls put() or remove() after its commit and before it answers. From then on readers of this process see
/// the row as it is, and those of other processes within the second that a first level lasts.
template <class T>
class Cached {
 public:
  using Pointer = std::shared_ptr<T const>;
  /// Reads the row; nothing when there is none. Its errors and exceptions go to the caller of get().
  using Load = std::function<Task<Result<std::optional<Loaded<T>>>>()>;

  /// `store` may be null: there is a first level only. `clock`, `store` and `counters` outlive this.
  Cached(Store* store, Clock const& clock, Counters& counters, CachedOptions<T> options)
      : first_(clock), store_(store), counters_(counters), options_(options) {}

  /// Null: there is no such row, of which nothing is kept. `load` is called on the caller's executor, or not at all.
  /// Errors: timed_out, when another caller loads and the deadline passes; those of `load`.
  [[nodiscard]] Task<Result<Pointer>> get(std::string key, Freshness freshness, Deadline deadline, Load load) {
    typename LocalCache<T>::Ticket ticket = 0;
    if (freshness == Freshness::cached) {
      if (auto known = first_.find(key, ticket))
        co_return hit(std::move(known));
    }
    std::optional<Keep> keep;
    auto const kind = freshness == Freshness::fresh ? Flight::own : Flight::shared;
    bool loads = false;
    auto answer = co_await flights_.run(key, kind, deadline, [&]() -> Task<Result<Pointer>> {
      return freshness == Freshness::fresh ? load_fresh(key, load, keep, loads)
                                           : look_up(key, deadline, load, keep, loads);
    });
    // Nobody waits for what follows but who loaded.
    if (keep)
      std::ignore = co_await store_->put(key, std::move(keep->entry), options_.ttl, std::move(keep->ticket), deadline);
    else if (freshness == Freshness::fresh && answer && !*answer)
      co_await drop(key, deadline);
    if (answer && !loads)
      co_return hit(std::move(*answer));
    co_return answer;
  }

  /// For who writes, before the commit.
  [[nodiscard]] Ticket ticket() const { return store_ ? store_->ticket() : Ticket{}; }

  /// A row as it was committed after `ticket` was taken. Errors: as Store::remove.
  [[nodiscard]] Task<Result<void>> put(std::string key, Loaded<T> row, Ticket ticket, Deadline deadline) {
    Entry entry{.value = options_.write(row.value), .version = row.version};
    return write(key, [this, key, entry = std::move(entry), ticket = std::move(ticket), deadline] mutable {
      return remove_and_put(key, std::move(entry), std::move(ticket), deadline);
    });
  }

  /// A row that was written or deleted and has `version` now. Errors: as Store::remove, which says why the caller may
  /// go on.
  [[nodiscard]] Task<Result<void>> remove(std::string key, std::int64_t version, Deadline deadline) {
    return write(key, [this, key, version, deadline] { return store_->remove(key, version, deadline); });
  }

  /// The first level alone, as when the doorbell says that somebody else changed the row.
  void forget(std::string const& key) {
    first_.forget(key);
    flights_.forget(key);
  }

 private:
  /// What is to be put into the second level.
  struct Keep {
    Entry entry;
    Ticket ticket;
  };

  [[nodiscard]] Pointer hit(Pointer value) {
    ++counters_.hits;
    return value;
  }

  [[nodiscard]] Task<Result<Pointer>> look_up(std::string const& key, Deadline deadline, Load const& load,
                                              std::optional<Keep>& keep, bool& loads) {
    typename LocalCache<T>::Ticket ticket = 0;
    // Once more: another flight may have ended since.
    if (auto known = first_.find(key, ticket))
      co_return known;
    Found found;
    if (store_)
      found = co_await store_->find(key, deadline);
    if (found.entry) {
      if (auto value = options_.read(found.entry->value)) {
        auto known = std::make_shared<T const>(std::move(*value));
        first_.put(key, known, ticket);
        co_return known;
      }
    }
    ++counters_.misses;
    co_return co_await ask_database(key, ticket, std::move(found.ticket), load, keep, loads);
  }

  [[nodiscard]] Task<Result<Pointer>> load_fresh(std::string const& key, Load const& load, std::optional<Keep>& keep,
                                                 bool& loads) {
    // What is under way may have read an older row than we shall.
    first_.forget(key);
    typename LocalCache<T>::Ticket first_ticket = 0;
    std::ignore = first_.find(key, first_ticket);
    co_return co_await ask_database(key, first_ticket, ticket(), load, keep, loads);
  }

  [[nodiscard]] Task<Result<Pointer>> ask_database(std::string const& key, typename LocalCache<T>::Ticket first_ticket,
                                                   Ticket ticket, Load const& load, std::optional<Keep>& keep,
                                                   bool& loads) {
    loads = true;
    ++counters_.loads;
    Result<std::optional<Loaded<T>>> row;
    try {
      row = co_await load();
    } catch (...) {
      ++counters_.failures;
      throw;
    }
    if (!row) {
      ++counters_.failures;
      co_return fail(std::move(row.error()));
    }
    if (!*row)
      co_return Pointer{};
    auto value = std::make_shared<T const>(std::move((*row)->value));
    if (!(*row)->is_kept)
      co_return value;
    first_.put(key, value, first_ticket);
    if (store_)
      keep = Keep{{.value = options_.write(*value), .version = (*row)->version}, std::move(ticket)};
    co_return value;
  }

  /// The row is gone, so an entry of it was never removed.
  [[nodiscard]] Task<void> drop(std::string key, Deadline deadline) {
    if (!store_)
      co_return;
    if (auto const found = co_await store_->find(key, deadline); found.entry)
      std::ignore = co_await store_->remove(key, found.entry->version, deadline);
  }

  /// In this order: whether the put succeeds or is cut short, nothing older stays.
  [[nodiscard]] Task<Result<void>> remove_and_put(std::string key, Entry entry, Ticket ticket, Deadline deadline) {
    auto removed = co_await store_->remove(key, entry.version, deadline);
    if (removed)
      std::ignore = co_await store_->put(key, std::move(entry), options_.ttl, std::move(ticket), deadline);
    co_return removed;
  }

  /// The first level forgets before, for readers of this moment, and again after: a reader in between may have brought
  /// back what the second level still had.
  template <class Work>
  [[nodiscard]] Task<Result<void>> write(std::string key, Work work) {
    forget(key);
    if (!store_)
      co_return Result<void>{};
    Result<void> done;
    std::exception_ptr thrown;
    try {
      done = co_await work();
    } catch (...) {
      thrown = std::current_exception();
    }
    forget(key);
    if (thrown)
      std::rethrow_exception(thrown);
    co_return done;
  }

  LocalCache<T> first_;
  SingleFlight<Pointer> flights_;
  Store* store_;
  Counters& counters_;
  CachedOptions<T> const options_;
};

}  // namespace al::cache
