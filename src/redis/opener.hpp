#pragma once
#include <memory>
#include <string>

#include "core/async.hpp"
#include "redis/link.hpp"

namespace al::redis {

/// Finds the server that takes commands, by itself or through Sentinel, and opens a link to it. One executor's; one
/// attempt at a time.
class Opener {
 public:
  /// Throws Fault as make_tls_context does.
  Opener(asio::any_io_executor executor, Options options, ReplyLimits limits);

  /// One attempt, within Options::connect_timeout. The link is authenticated, has its name and its database, and the
  /// server takes commands; with Sentinel it says itself that it is the master, because a sentinel may be behind
  /// (redis.io, "Guidelines for Redis clients with support for Redis Sentinel").
  /// Errors: unavailable, timed_out; the message says what to mend, without addresses and passwords.
  [[nodiscard]] Task<Result<std::shared_ptr<Link>>> open();

  /// Ends the attempt under way and all later ones.
  void stop();

  [[nodiscard]] Options const& options() const { return options_; }

 private:
  [[nodiscard]] Task<Result<std::shared_ptr<Link>>> connect(Address address, SteadyTime until);
  [[nodiscard]] Task<Result<std::shared_ptr<Link>>> open_server(Address address, SteadyTime until);
  [[nodiscard]] Task<Result<Address>> find_master(SteadyTime until);
  [[nodiscard]] Task<Result<Address>> ask_sentinel(Address sentinel, SteadyTime until);

  asio::any_io_executor executor_;
  Options const options_;
  ReplyLimits limits_;
  std::shared_ptr<asio::ssl::context> tls_;
  std::weak_ptr<Link> current_;
  std::size_t first_sentinel_ = 0;  ///< the one that answered last
  bool stopped_ = false;
};

}  // namespace al::redis
