#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/async.hpp"
#include "core/random.hpp"
#include "redis/settings.hpp"

namespace al::redis {

struct Announcement {
  std::string channel;
  std::string text;     ///< any bytes
  std::string pattern;  ///< through which subscription it came; empty: the channel's own
};

/// What a subscriber tells its owner, on its executor. They must not block; an exception is logged and goes no further.
/// They may subscribe, unsubscribe, and destroy the subscriber.
struct SubscriberHandlers {
  std::function<void(Announcement const&)> on_announcement;
  /// Redis has confirmed all subscriptions: from here on nothing is missed. Called after each connect and after new
  /// subscriptions. What was announced before is lost for good, so the owner reads on from where it stands, now.
  std::function<void()> on_ready;
  /// The connection is lost, or cannot be made: announcements may be missing from here on, until on_ready. Once an
  /// outage. Empty: nobody wants to know.
  std::function<void()> on_broken{};
};

struct SubscriberTimes {
  /// A ping goes out this often. When nothing at all came from one ping to the next, the connection counts as dead:
  /// so a server that vanished without a word is noticed after two of these at most.
  std::chrono::milliseconds ping_interval{1000};
};

/// For metrics.
struct SubscriberView {
  bool is_ready = false;
  std::uint64_t connects = 0;
  std::uint64_t announcements = 0;
};

/// A connection of its own for publish and subscribe. It connects at the first subscription, again whenever the
/// connection is lost (with back-off), and subscribes again. One executor's; not thread-safe. No handler is called
/// after its destructor.
class Subscriber {
 public:
  /// `random` outlives this. Throws Fault when a TLS file cannot be read.
  Subscriber(asio::any_io_executor executor, Options options, Random& random, SubscriberHandlers handlers,
             SubscriberTimes times = {});
  ~Subscriber();
  Subscriber(Subscriber const&) = delete;
  Subscriber& operator=(Subscriber const&) = delete;

  /// Each takes effect at once or with the next connect; what is there already stays as it is.
  void subscribe(std::string_view channel);
  void subscribe_pattern(std::string_view pattern);  ///< as Redis matches them: `*`, `?`, `[abc]`, `\` before those
  void unsubscribe(std::string_view channel);
  void unsubscribe_pattern(std::string_view pattern);

  [[nodiscard]] SubscriberView view() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace al::redis
