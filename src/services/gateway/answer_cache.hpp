#pragma once
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/time.hpp"
#include "http/context.hpp"
#include "http/message.hpp"

namespace al::services::gateway {

/// Keeps whole answers to GET for as long as their route says, in this process. Of more than fits the one asked for
/// longest ago goes. Any thread; the mutex is held for a look-up, never for a copy.
class AnswerCache {
 public:
  static constexpr std::size_t bytes_max = 32 << 20;
  static constexpr std::size_t answers_max = 8192;
  static constexpr std::size_t answer_bytes_max = 256 * 1024;

  struct Kept {
    http::Headers headers;
    std::string body;
    SteadyTime since;
    SteadyTime until;
    std::size_t bytes;  ///< of key, headers and body
  };

  /// What one caller may see is another one's secret, so the caller is part of the key: tenant, principal and what he
  /// may do. Nobody (an empty principal) is a caller as well.
  [[nodiscard]] static std::string key(http::Principal const&, std::string_view target, std::string_view accept);
  /// Whether an answer of a service may be kept: whole, 200, without Set-Cookie, and for all that Accept says.
  [[nodiscard]] static bool is_fit(http::Response const&);

  /// Null: there is none.
  [[nodiscard]] std::shared_ptr<Kept const> find(std::string_view key, SteadyTime now);
  /// Nothing happens with one that is too large. The answer must be fit.
  void keep(std::string key, http::Response const&, SteadyTime now, SteadyTime until);

  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<Kept const> kept;
  };
  void remove(std::list<Entry>::iterator);

  mutable std::mutex mutex_;
  std::list<Entry> entries_;  ///< the one asked for last is in front
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
  std::size_t bytes_ = 0;
};

}  // namespace al::services::gateway
