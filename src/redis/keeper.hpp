#pragma once
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/async.hpp"
#include "core/backoff.hpp"
#include "core/random.hpp"
#include "redis/opener.hpp"

namespace al::redis {

/// What a link is kept open for. All calls come from the keeper's coroutine.
class LinkUser {
 public:
  LinkUser() = default;
  virtual ~LinkUser() = default;
  LinkUser(LinkUser const&) = delete;
  LinkUser& operator=(LinkUser const&) = delete;

  virtual void on_open(std::shared_ptr<Link> const& link) = 0;
  virtual void on_reply(Reply reply) = 0;
  /// After on_open; `is_away` says that the next attempt waits.
  virtual void on_lost(std::string const& reason, bool is_away) = 0;
  /// An attempt failed; the next one waits.
  virtual void on_failure(Error const& error) = 0;
};

/// Keeps a link open until it is told to stop: opens it, reads its replies, and opens another one when it is lost, at
/// once the first time, then with back-off. Logs the begin and the end of an outage. Part of its user; one executor's.
class LinkKeeper {
 public:
  /// `name` is for the log. Throws Fault as Opener does.
  LinkKeeper(asio::any_io_executor executor, std::string name, Options options, ReplyLimits limits, Random& random);

  /// Begins, unless it has begun already. Keeps `user` until it has stopped.
  void start(std::shared_ptr<LinkUser> user);
  /// Closes the link; it calls the user no more.
  void stop();

  [[nodiscard]] Options const& options() const { return opener_.options(); }
  [[nodiscard]] bool is_stopped() const { return stopped_; }

 private:
  [[nodiscard]] Task<void> run(std::shared_ptr<LinkUser> user);
  [[nodiscard]] Task<std::string> serve(LinkUser& user);
  [[nodiscard]] Task<void> pause();
  void note_failure(std::string const& reason);
  void note_open();

  asio::any_io_executor executor_;
  std::string name_;
  Opener opener_;
  Random& random_;
  /// A second at most, because a cluster is to work again soon after its Redis does.
  Backoff backoff_{std::chrono::milliseconds{20}, std::chrono::milliseconds{1000}};
  asio::steady_timer timer_;
  std::shared_ptr<Link> link_;
  std::string logged_;  ///< the reason of the present outage that the log has; empty: none
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace al::redis
