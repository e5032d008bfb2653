#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/async.hpp"
#include "core/time.hpp"
#include "data/usage_store.hpp"
#include "services/ai_model/token_reader.hpp"

namespace al::services::ai_model {

/// One call of a model that came to its end.
struct UsedCall {
  TenantId tenant;
  std::string principal;
  std::string provider;
  std::string model;      ///< as the provider names it
  int status = 0;         ///< the provider's; 0: it gave no answer
  bool is_billed = true;  ///< off for what is free, such as counting tokens
  providers::Usage tokens{};
  std::chrono::duration<double> to_first_byte{};
};

/// Counts what callers use of models: for the bill, gathered in memory and added to the store once a second, and for
/// Prometheus. What a crash loses is the last second. Thread-safe.
class Usage {
 public:
  /// So many different rows wait at most; calls beyond are counted under the model "other".
  static constexpr std::size_t rows_max = 20'000;
  static constexpr std::size_t model_bytes_max = 200;

  Usage(data::UsageStore& store, Clock const& clock) : store_(store), clock_(clock) {}

  void add(UsedCall const&);

  /// Stores what waits, once a second, until it is cancelled.
  [[nodiscard]] Task<void> run();
  /// Stores what waits. Throws Unavailable, and what was not stored waits on; and Fault, with which it is lost. On the
  /// same executor as run().
  [[nodiscard]] Task<void> flush(Deadline);
  /// As flush(), after the one that is under way: for the end of the process.
  [[nodiscard]] Task<void> finish(Deadline);

  /// The Prometheus text format (version 0.0.4), each line ended.
  [[nodiscard]] std::string metrics() const;

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;
  struct Counts {
    std::int64_t requests = 0;
    std::int64_t input = 0;
    std::int64_t output = 0;
  };
  static constexpr std::size_t classes = 6;  ///< 0: no answer; 1xx to 5xx
  static constexpr std::array<double, 12> bounds_s{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 20, 60};
  struct Figures {
    std::array<std::uint64_t, classes> calls{};
    std::uint64_t input = 0;
    std::uint64_t output = 0;
    std::array<std::uint64_t, bounds_s.size() + 1> to_first_byte{};
    double to_first_byte_s = 0;
  };

  void bill(UsedCall const& call);
  void add_back(TenantId const& tenant, std::vector<data::ModelUsage> const& rows);
  [[nodiscard]] std::string const& today();

  data::UsageStore& store_;
  Clock const& clock_;
  mutable std::mutex mutex_;
  std::map<Key, Counts, std::less<>> waiting_;           // under mutex_: tenant, day, principal, provider, model
  std::map<std::string, Figures, std::less<>> figures_;  // under mutex_: by provider
  bool is_storing_ = false;
  std::chrono::sys_days day_{};  // under mutex_
  std::string day_text_;         // under mutex_
};

}  // namespace al::services::ai_model
