#include "services/websocket/hub.hpp"

#include <algorithm>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include "core/fault.hpp"
#include "core/log.hpp"

namespace al::services::websocket {
namespace {

constexpr std::int64_t page_events = 500;
constexpr std::chrono::seconds read_timeout{10};
constexpr std::chrono::seconds idle_look{15};  ///< the doorbell is there for all else
constexpr std::chrono::milliseconds pause_after_failure{500};
constexpr std::chrono::seconds sweep_interval{1};
constexpr std::size_t checks_at_once = 32;

constexpr std::string_view room_joined = "room:joined";
constexpr std::string_view room_left = "room:left";

void add_metric(std::string& out, std::string_view name, std::string_view doc, std::string_view type,
                std::uint64_t value) {
  out.append("# HELP ").append(name).append(" ").append(doc).append("\n# TYPE ").append(name).append(" ");
  out.append(type).append("\n").append(name).append(" ").append(std::to_string(value)).append("\n");
}

}  // namespace

// What happens to rooms is announced, but is no event: nobody needs it who was not there.
Hub::Hub(events::EventLog& log, events::Bus& bus, Clock const& clock) : log_(log), bus_(bus), clock_(clock) {
  bus_.on("room:*", [this](events::Announcement const& it) { hear(it); });
}

Hub::~Hub() = default;

void Hub::open(std::vector<asio::io_context*> const& contexts) {
  for (auto* const context : contexts)
    lanes_.push_back({.context = context, .shard = std::make_unique<Shard>([this] { return ask(); })});
}

void Hub::close() {
  is_over_.store(true);
  for (auto const& lane : lanes_)
    lane.shard->give_up();
}

Hub::Lane& Hub::lane_of(asio::any_io_executor const& executor) {
  auto* const context = &asio::query(executor, asio::execution::context);
  auto const found = std::ranges::find(lanes_, context, &Lane::context);
  if (found == lanes_.end())
    throw Fault("a WebSocket came on a thread that has no shard");
  return *found;
}

Shard& Hub::here(asio::any_io_executor const& executor) { return *lane_of(executor).shard; }

// ---- the feed ----

std::uint64_t Hub::ask() {
  std::scoped_lock const lock(mutex_);
  ++asked_;
  if (bell_ != nullptr)
    bell_->ring();
  if (!std::exchange(is_feeding_, true)) {
    // Not right here: it would begin under the mutex.
    auto& lane = *lanes_.front().context;
    asio::post(lane, [this, &lane] { spawn(lane.get_executor(), "feed of WebSockets", feed()); });
  }
  return asked_;
}

Task<void> Hub::feed() {
  auto const bell = bus_.subscribe(co_await asio::this_coro::executor, {"*"});
  auto const hang = [this](events::Bus::Subscription* one) {
    std::scoped_lock const lock(mutex_);
    bell_ = one;
  };
  hang(bell.get());
  std::shared_ptr<void> const unhang(nullptr, [&](void*) { hang(nullptr); });
  co_await follow(*bell);
}

/// Reads on from one position for all, until nobody is there any more.
Task<void> Hub::follow(events::Bus::Subscription& bell) {
  std::string position;
  bool is_failing = false;
  for (;;) {
    std::string fault;
    try {
      while (co_await read_page(position)) {
      }
      is_failing = false;
    } catch (Fault const& it) {
      fault = it.what();
    }
    if (fault.empty()) {
      if (rest())
        co_return;
      co_await bell.wait(std::chrono::steady_clock::now() + idle_look);
      continue;
    }
    if (!std::exchange(is_failing, true))
      log::warning("WebSockets wait for the event log", {{"error", std::string_view(fault)}});
    co_await sleep_until(std::chrono::steady_clock::now() + pause_after_failure);
  }
}

/// Ends the feed when nobody follows or asks; the next one who asks begins it anew, at the end of the log.
bool Hub::rest() {
  std::scoped_lock const lock(mutex_);
  bool const is_wanted = followers_.load() > 0;
  if (!is_wanted)
    is_feeding_ = false;
  return !is_wanted;
}

/// True: there is more to read.
Task<bool> Hub::read_page(std::string& position) {
  auto const batch = std::make_shared<Batch>();
  std::uint64_t asked = 0;
  {
    std::scoped_lock const lock(mutex_);
    asked = asked_;
  }
  bool more = false;
  if (position.empty()) {
    position = co_await log_.tip(Deadline::after(read_timeout));
  } else {
    auto page =
        co_await log_.read_after(storage::Scope::system(), position, {}, page_events, Deadline::after(read_timeout));
    if (!page)
      throw Fault(page.error().message);
    for (auto const& positioned : page->events)
      batch->items.push_back(make_item(positioned));
    position = std::move(page->token);
    more = page->more;
  }
  batch->resume = position;
  // Only the end of what one look saw is a point that others can be brought to.
  batch->answered = more ? 0 : asked;
  hand_out(batch);
  co_return more;
}

void Hub::hand_out(std::shared_ptr<Batch const> const& batch) {
  for (auto& lane : lanes_)
    asio::post(*lane.context, [shard = lane.shard.get(), batch] { shard->deliver(*batch); });
}

// ---- credentials ----

void Hub::sweep(asio::any_io_executor const& executor) {
  auto& lane = lane_of(executor);
  if (!std::exchange(lane.is_sweeping, true))
    spawn(lane.context->get_executor(), "credentials of WebSockets", sweep_lane(lane));
}

Task<void> Hub::sweep_lane(Lane& lane) {
  auto next = std::chrono::steady_clock::now();
  while (!lane.shard->is_empty()) {
    next += sweep_interval;
    co_await sleep_until(next);
    auto const followers = lane.shard->followers();
    for (std::size_t i = 0; i < followers.size(); i += checks_at_once) {
      std::vector<Task<int>> checks;
      for (auto j = i; j < std::min(i + checks_at_once, followers.size()); ++j) {
        checks.push_back([](std::shared_ptr<Follower> follower) -> Task<int> {
          co_await follower->recheck();
          co_return 0;
        }(followers[j]));
      }
      (void)co_await settle(std::move(checks));
    }
    next = std::max(next, std::chrono::steady_clock::now() - sweep_interval);
  }
  lane.is_sweeping = false;
}

// ---- who is there ----

Result<void> Hub::admit(TenantId const& tenant, std::string const& user) {
  std::scoped_lock const lock(mutex_);
  auto& count = users_[{tenant.value, user}];
  if (count >= connections_of_user_max)
    return fail(Code::too_many_requests, "this user has 100 connections already; close one");
  ++count;
  followers_.fetch_add(1);
  return {};
}

void Hub::dismiss(TenantId const& tenant, std::string const& user) {
  std::scoped_lock const lock(mutex_);
  followers_.fetch_sub(1);
  auto const found = users_.find({tenant.value, user});
  if (found != users_.end() && --found->second == 0)
    users_.erase(found);
  if (followers_.load() == 0 && bell_ != nullptr)
    bell_->ring();  // the feed may rest
}

std::map<std::string, std::size_t> Hub::users(TenantId const& tenant) const {
  std::scoped_lock const lock(mutex_);
  std::map<std::string, std::size_t> out;
  for (auto it = users_.lower_bound({tenant.value, ""}); it != users_.end() && it->first.first == tenant.value; ++it)
    out.emplace(it->first.second, it->second);
  return out;
}

bool Hub::enter(TenantId const& tenant, std::string const& room, std::string const& user) {
  std::scoped_lock const lock(mutex_);
  return ++rooms_[{tenant.value, room}][user] == 1;
}

bool Hub::exit(TenantId const& tenant, std::string const& room, std::string const& user) {
  std::scoped_lock const lock(mutex_);
  auto const found = rooms_.find({tenant.value, room});
  if (found == rooms_.end())
    return false;
  auto const member = found->second.find(user);
  if (member == found->second.end() || --member->second > 0)
    return false;
  found->second.erase(member);
  if (found->second.empty())
    rooms_.erase(found);
  return true;
}

std::vector<std::string> Hub::members(TenantId const& tenant, std::string const& room) const {
  std::scoped_lock const lock(mutex_);
  std::vector<std::string> out;
  if (auto const found = rooms_.find({tenant.value, room}); found != rooms_.end()) {
    for (auto const& [user, connections] : found->second)
      out.push_back(user);
  }
  return out;
}

void Hub::tell_room(TenantId const& tenant, std::string const& room, std::string const& user, bool has_come) {
  if (is_over())
    return;
  // No room has a slash in its name.
  bus_.announce({.channel = std::string(has_come ? room_joined : room_left),
                 .tenant = tenant,
                 .aggregate_id = room + "/" + user});
}

void Hub::hear(events::Announcement const& it) {
  auto const slash = it.aggregate_id.find('/');
  if (slash == std::string::npos)
    return;
  auto const room = it.aggregate_id.substr(0, slash);
  auto const user = it.aggregate_id.substr(slash + 1);
  auto const type = it.channel == room_joined ? "member_joined" : "member_left";
  auto const text = std::make_shared<std::string const>(room_text(type, room, user));
  for (auto& lane : lanes_) {
    asio::post(*lane.context, [shard = lane.shard.get(), tenant = it.tenant, room, user, text] {
      shard->notify_room(tenant, room, user, text);
    });
  }
}

std::string Hub::metrics() const {
  std::string out;
  std::string const name = "agent_lightning_websocket_";
  auto const add = [&](std::string_view what, std::string_view doc, std::string_view type, std::uint64_t value) {
    add_metric(out, name + std::string(what), doc, type, value);
  };
  add("connections", "WebSockets open.", "gauge", counts_.connections.load());
  add("messages_sent_total", "Messages to clients.", "counter", counts_.sent.load());
  add("dropped_total", "Connections that did not take what was sent to them.", "counter", counts_.dropped.load());
  add("origins_refused_total", "Handshakes of pages that may not connect.", "counter", counts_.refused.load());
  add("revoked_total", "Connections whose credential ended.", "counter", counts_.revoked.load());
  add("replayed_total", "Events sent again to clients that resumed.", "counter", counts_.replayed.load());
  return out;
}

}  // namespace al::services::websocket
