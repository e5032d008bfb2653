#include "events/bus.hpp"

#include <algorithm>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <iterator>

namespace al::events {

struct Bus::Subscription::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor executor, std::vector<std::string> patterns)
      : timer(executor), patterns(std::move(patterns)) {}

  asio::steady_timer timer;  // only touched on its executor
  std::vector<std::string> const patterns;
  std::atomic<bool> rung{false};

  bool takes(std::string_view channel) const {
    return std::ranges::any_of(patterns, [&](auto const& p) { return channel_matches(p, channel); });
  }

  /// From any thread. Only the first ring since the last wait posts, so that a burst costs one wake-up.
  void ring() {
    if (rung.exchange(true))
      return;
    asio::post(timer.get_executor(), [self = shared_from_this()] { self->timer.cancel(); });
  }
};

Bus::Bus() = default;
Bus::~Bus() = default;

Bus::Subscription::Subscription(Bus& bus, std::shared_ptr<State> state) : bus_(bus), state_(std::move(state)) {}

Bus::Subscription::~Subscription() {
  std::scoped_lock lock(bus_.mutex_);
  std::erase(bus_.subscribers_, state_);
  bus_.count_.store(bus_.subscribers_.size(), std::memory_order_relaxed);
}

Task<bool> Bus::Subscription::wait(SteadyTime until) {
  auto const state = state_;
  if (!state->rung.load()) {
    state->timer.expires_at(until);
    // A ring between the check and here has posted a cancel to this executor, which runs after the wait has begun.
    boost::system::error_code ec;
    co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    // The late cancel of a ring that was already taken wakes too: that is a spurious return, not a cancellation.
    auto const cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
    if (ec && cancelled != asio::cancellation_type::none)
      throw boost::system::system_error(ec);
  }
  co_return state->rung.exchange(false);
}

void Bus::Subscription::ring() { state_->ring(); }

void Bus::announce(Announcement const& announcement) {
  {
    std::scoped_lock const lock(mutex_);
    ++announced_[announcement.channel];
  }
  hear(announcement);
  if (forward_)
    forward_(announcement);
}

void Bus::hear(Announcement const& announcement) {
  for (auto const& [pattern, listener] : listeners_) {
    if (channel_matches(pattern, announcement.channel))
      listener(announcement);
  }
  ring(announcement.channel);
}

template <class Takes>
void Bus::ring_those(Takes takes) {
  if (count_.load(std::memory_order_relaxed) == 0)
    return;
  std::vector<std::shared_ptr<Subscription::State>> takers;
  {
    std::scoped_lock lock(mutex_);
    std::ranges::copy_if(subscribers_, std::back_inserter(takers), takes);
  }
  for (auto const& taker : takers)
    taker->ring();
}

void Bus::ring(std::string_view channel) {
  ring_those([&](auto const& state) { return state->takes(channel); });
}

void Bus::ring_all() {
  ring_those([](auto const&) { return true; });
}

std::map<std::string, std::uint64_t> Bus::announced() const {
  std::scoped_lock const lock(mutex_);
  return announced_;
}

void Bus::on(std::string pattern, Listener listener) {
  listeners_.emplace_back(std::move(pattern), std::move(listener));
}

std::unique_ptr<Bus::Subscription> Bus::subscribe(asio::any_io_executor executor, std::vector<std::string> patterns) {
  auto state = std::make_shared<Subscription::State>(std::move(executor), std::move(patterns));
  std::scoped_lock lock(mutex_);
  subscribers_.push_back(state);
  count_.store(subscribers_.size(), std::memory_order_relaxed);
  return std::unique_ptr<Subscription>(new Subscription(*this, std::move(state)));
}

bool channel_matches(std::string_view pattern, std::string_view channel) {
  auto const separator = channel.find(':');
  if (pattern == "*" || pattern == channel)
    return true;
  if (separator == std::string_view::npos || pattern.size() <= separator + 1)
    return false;
  if (pattern.substr(0, separator) != channel.substr(0, separator))
    return false;
  if (pattern[separator] != ':' && pattern[separator] != '_')
    return false;
  auto const change = pattern.substr(separator + 1);
  return change == "*" || change == channel.substr(separator + 1);
}

}  // namespace al::events
