#include "redis/keeper.hpp"

#include <boost/asio/redirect_error.hpp>
#include <chrono>
#include <limits>
#include <utility>

#include "core/log.hpp"

namespace al::redis {

LinkKeeper::LinkKeeper(asio::any_io_executor executor, std::string name, Options options, ReplyLimits limits,
                       Random& random)
    : executor_(std::move(executor)),
      name_(std::move(name)),
      opener_(executor_, std::move(options), limits),
      random_(random),
      timer_(executor_) {}

void LinkKeeper::start(std::shared_ptr<LinkUser> user) {
  if (stopped_ || std::exchange(started_, true))
    return;
  spawn(executor_, name_, run(std::move(user)));
}

void LinkKeeper::stop() {
  stopped_ = true;
  opener_.stop();
  timer_.cancel();
  if (link_)
    link_->close("closed");
}

Task<void> LinkKeeper::run(std::shared_ptr<LinkUser> user) {
  while (!stopped_) {
    auto opened = co_await opener_.open();
    if (stopped_)
      break;
    if (!opened) {
      note_failure(opened.error().message);
      user->on_failure(opened.error());
      co_await pause();
      continue;
    }
    link_ = std::move(*opened);
    note_open();
    auto const since = std::chrono::steady_clock::now();
    user->on_open(link_);
    auto const reason = co_await serve(*user);
    link_ = nullptr;
    if (stopped_)
      break;
    bool const is_away = backoff_.lost_after(std::chrono::steady_clock::now() - since);
    note_failure(reason);
    user->on_lost(reason, is_away);
    if (is_away)
      co_await pause();
  }
}

/// Until the link is lost; says why.
Task<std::string> LinkKeeper::serve(LinkUser& user) {
  auto const link = link_;
  for (;;) {
    auto reply = link->next();
    if (!reply) {
      link->close(reply.error().message);
    } else if (*reply) {
      user.on_reply(std::move(**reply));
      if (stopped_)
        co_return "closed";
      continue;
    }
    auto const filled = co_await link->fill();
    if (!filled || stopped_)
      co_return filled ? "closed" : filled.error().message;
  }
}

Task<void> LinkKeeper::pause() {
  timer_.expires_after(backoff_.next(random_.below(std::numeric_limits<std::uint64_t>::max())));
  boost::system::error_code ignored;
  if (!stopped_)
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// An outage of hours is one line, not one for each attempt.
void LinkKeeper::note_failure(std::string const& reason) {
  if (logged_ == reason)
    return;
  logged_ = reason;
  log::warning("Redis is away", {{"what", name_}, {"server", describe(options())}, {"reason", reason}});
}

void LinkKeeper::note_open() {
  if (!std::exchange(logged_, {}).empty())
    log::info("Redis is back", {{"what", name_}, {"server", describe(options())}});
}

}  // namespace al::redis
