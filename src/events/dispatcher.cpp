#include "events/dispatcher.hpp"

#include <algorithm>

#include "core/log.hpp"

namespace al::events {

namespace {

constexpr std::int64_t page_size = 200;
constexpr std::chrono::seconds read_timeout{30};

}  // namespace

void Dispatcher::on(std::string pattern, Handler handler) {
  std::scoped_lock lock(mutex_);
  handlers_.push_back({std::move(pattern), std::move(handler)});
}

void Dispatcher::deliver(model::Event const& event) {
  // Copied, so that a handler may register another one.
  std::vector<Handler> takers;
  {
    std::scoped_lock lock(mutex_);
    for (auto const& [pattern, handler] : handlers_) {
      if (channel_matches(pattern, event.channel))
        takers.push_back(handler);
    }
  }
  for (auto const& handler : takers) {
    try {
      handler(event);
    } catch (std::exception const& error) {
      log::error("an event handler failed", {{"channel", event.channel}, {"reason", error.what()}});
    }
  }
}

Task<void> Dispatcher::deliver_new(std::string& token) {
  for (bool more = true; more;) {
    auto page = co_await log_.read_after(storage::Scope::system(), token, {}, page_size, Deadline::after(read_timeout));
    if (!page)
      throw Fault("the dispatcher's own token was refused: " + page.error().message);
    for (auto const& positioned : page->events) {
      deliver(positioned.event);
      bus_.announce(positioned.event.channel);
    }
    token = std::move(page->token);
    more = page->more;
  }
}

Task<void> Dispatcher::run() {
  std::string token;
  for (;;) {
    try {
      if (token.empty())
        token = co_await log_.tip(Deadline::after(read_timeout));
      co_await deliver_new(token);
    } catch (Fault const& fault) {
      log::warning("events could not be read; trying again", {{"reason", fault.what()}});
    }
    co_await sleep_until(std::chrono::steady_clock::now() + poll_interval_);
  }
}

}  // namespace al::events
