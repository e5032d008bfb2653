#pragma once
/// The connections of one I/O thread, found by what they want. Everything here belongs to that thread, so that handing
/// an event to thousands of them takes no lock.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/waiter.hpp"
#include "http/context.hpp"
#include "services/websocket/protocol.hpp"

namespace al::services::websocket {

/// An event as it goes out, made once for all who get it.
struct Item {
  TenantId tenant;
  std::string channel;
  std::string aggregate_id;
  std::int64_t seq = 0;  ///< its number in the log
  std::string resume;
  std::shared_ptr<std::string const> text;
  std::optional<Target> target{};  ///< of a message: whom it is for
};
using ItemPointer = std::shared_ptr<Item const>;

[[nodiscard]] ItemPointer make_item(events::Positioned const&);

/// What the feed hands to every shard: a stretch of the log.
struct Batch {
  std::vector<ItemPointer> items;
  std::string resume;          ///< stands behind them
  std::uint64_t answered = 0;  ///< who asked up to here joins behind this batch
};

/// A connection, for the shard.
class Follower {
 public:
  Follower() = default;
  virtual ~Follower() = default;
  Follower(Follower const&) = delete;
  Follower& operator=(Follower const&) = delete;

  /// Something that it wants, or that is for it. It must not change the shard.
  virtual void deliver(ItemPointer const&) = 0;
  /// What it hears of its room: somebody came or went. As deliver().
  virtual void notify(std::shared_ptr<std::string const> const& text) = 0;
  /// Its credential may not be what it was: the thread's sweep looks at it.
  [[nodiscard]] virtual Task<void> recheck() = 0;
  /// The credential is gone for good.
  virtual void revoke() = 0;

  http::Principal principal;
  std::string user;                   ///< on whose behalf it is
  std::vector<std::string> patterns;  ///< sorted
  std::set<std::string> rooms;

  /// Whether it may see what it asks for.
  [[nodiscard]] bool wants(Item const&) const;
  /// The feed hands it what is for it, from a join on.
  [[nodiscard]] bool is_live() const { return is_live_; }

 private:
  friend class Shard;
  bool is_live_ = false;
  bool is_gone_ = false;
  void* group_ = nullptr;
};

class Shard {
 public:
  /// `ask` tells the feed that somebody wants to join, and answers the number of the request.
  explicit Shard(std::function<std::uint64_t()> ask) : ask_(std::move(ask)) {}
  Shard(Shard const&) = delete;
  Shard& operator=(Shard const&) = delete;
  ~Shard() = default;

  void add(std::shared_ptr<Follower> const&);
  void remove(std::shared_ptr<Follower> const&);
  /// Waits for the feed to stand at a point of the log that is later than the call. From there on the follower gets
  /// what is for it; the answer is the token of that point. Cancelled: it does not join.
  [[nodiscard]] Task<Result<std::string>> join(std::shared_ptr<Follower>);
  /// Nobody who waits to join will.
  void give_up() { (void)std::exchange(joining_, {}); }
  /// It gets nothing more until it joins again.
  void leave(Follower&);
  /// Changes patterns, rooms or principal of a follower, live or not.
  template <class F>
  void change(Follower& follower, F change) {
    bool const was_live = follower.is_live_;
    leave(follower);
    change();
    if (was_live)
      place(follower);
  }

  void deliver(Batch const&);
  /// For the members of a room here but those of `except`.
  void notify_room(TenantId const&, std::string const& room, std::string const& except,
                   std::shared_ptr<std::string const> const& text);
  /// The token of what was delivered last.
  [[nodiscard]] std::string const& resume() const { return resume_; }
  [[nodiscard]] std::vector<std::shared_ptr<Follower>> followers() const { return {all_.begin(), all_.end()}; }
  [[nodiscard]] bool is_empty() const { return all_.empty(); }

 private:
  static constexpr std::size_t known_channels_max = 1000;

  /// Those who want and may see the same.
  struct Group {
    std::string key;
    std::vector<std::string> patterns;
    http::Principal principal;  ///< of one of them; its permissions are everyone's
    std::unordered_map<std::string, bool> takes;
    std::unordered_set<Follower*> members;
    [[nodiscard]] bool wants(std::string const& channel);
  };
  struct Tenant {
    std::map<std::string, std::unique_ptr<Group>> groups;
    std::unordered_set<Follower*> everyone;
    std::unordered_map<std::string, std::unordered_set<Follower*>> users;
    std::unordered_map<std::string, std::unordered_set<Follower*>> rooms;
  };
  struct Joining {
    std::uint64_t number;
    std::shared_ptr<Follower> follower;
    std::shared_ptr<Waiter<std::string>> waiter;
  };
  void place(Follower&);
  void place_in_group(Tenant&, Follower&);
  void deliver(Item const&, ItemPointer const&);
  void deliver_message(Tenant&, Target const&, ItemPointer const&);
  void admit(std::uint64_t answered);
  void check_identity(Item const&);

  std::function<std::uint64_t()> const ask_;
  std::unordered_set<std::shared_ptr<Follower>> all_;
  std::unordered_map<std::string, Tenant> tenants_;
  std::vector<Joining> joining_;
  std::string resume_;
};

}  // namespace al::services::websocket
