#pragma once
#include <atomic>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "data/service_store.hpp"
#include "events/bus.hpp"

namespace al::data {

/// Where services answer, for those who ask often, such as a gateway. One statement reads all of them when somebody
/// asks, at most once a second, and sooner once an event `service:*` was announced; nobody asks: nothing is read. While
/// the database is away, what was read last is told. Thread-safe.
class ServiceDirectory {
 public:
  using Instances = std::vector<model::ServiceInstance>;

  /// Made before the first announcement on the bus, which outlives it.
  ServiceDirectory(ServiceStore& store, events::Bus& bus, Clock const& clock);
  ~ServiceDirectory() = default;
  ServiceDirectory(ServiceDirectory const&) = delete;
  ServiceDirectory& operator=(ServiceDirectory const&) = delete;

  /// The instances of a service that are not gone, by id, whatever their status; null: there are none.
  /// Throws Unavailable when nothing could be read yet.
  [[nodiscard]] Task<std::shared_ptr<Instances const>> of(std::string service, Deadline);

 private:
  struct Snapshot {
    std::map<std::string, std::shared_ptr<Instances const>, std::less<>> services;
  };
  using Pointer = std::shared_ptr<Snapshot const>;

  /// What is known when it is fresh enough, or somebody else reads it anew; null: the caller reads.
  [[nodiscard]] Pointer take_turn();
  void put(Pointer);
  /// Rethrows what is no fault of the database, and what came before anything was read.
  [[nodiscard]] Pointer last_known(std::exception_ptr const& fault);

  ServiceStore& store_;
  Clock const& clock_;
  /// Counts announcements. Shared with the bus, which may tell of one later.
  std::shared_ptr<std::atomic<std::uint64_t>> const changes_;
  std::mutex mutex_;
  Pointer known_;
  SteadyTime known_at_{};
  std::uint64_t known_changes_ = 0;
  bool is_reading_ = false;
};

}  // namespace al::data
