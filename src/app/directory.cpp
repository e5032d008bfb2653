#include "app/directory.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include "core/fault.hpp"
#include "core/log.hpp"

namespace al::app {
namespace {

constexpr std::size_t warned_max = 1000;

}  // namespace

/// The right to load; however it ends, the others go on.
class Directory::Turn {
 public:
  Turn(Directory& directory, std::string tenant) : directory_(directory), tenant_(std::move(tenant)) {}
  ~Turn() { directory_.leave(tenant_); }
  Turn(Turn const&) = delete;
  Turn& operator=(Turn const&) = delete;

 private:
  Directory& directory_;
  std::string tenant_;
};

std::shared_ptr<asio::steady_timer> Directory::join(std::string const& tenant, asio::any_io_executor executor,
                                                    Deadline deadline) {
  std::scoped_lock const lock(mutex_);
  auto const [at, is_first] = loading_.try_emplace(tenant);
  if (is_first)
    return nullptr;
  auto timer = std::make_shared<asio::steady_timer>(std::move(executor), deadline.at);
  at->second.push_back(timer);
  return timer;
}

void Directory::leave(std::string const& tenant) {
  std::vector<std::weak_ptr<asio::steady_timer>> waiting;
  {
    std::scoped_lock const lock(mutex_);
    auto node = loading_.extract(tenant);
    waiting = std::move(node.mapped());
  }
  // Each on its own thread, which has begun to wait before it comes to this.
  for (auto const& one : waiting) {
    if (auto const timer = one.lock())
      asio::post(timer->get_executor(), [timer] { timer->cancel(); });
  }
}

Task<std::shared_ptr<providers::Accounts const>> Directory::accounts(TenantId const& tenant, Deadline deadline) {
  for (;;) {
    std::uint64_t ticket = 0;
    if (auto hit = known_.find(tenant.value, ticket))
      co_return hit;
    if (deadline.left() <= std::chrono::steady_clock::duration::zero())
      throw Unavailable("the model providers could not be read in time");
    auto const timer = join(tenant.value, co_await asio::this_coro::executor, deadline);
    if (!timer) {
      Turn const turn(*this, tenant.value);
      auto loaded = co_await load(tenant, deadline);
      known_.put(tenant.value, loaded, ticket);
      co_return loaded;
    }
    boost::system::error_code ignored;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

Task<std::shared_ptr<providers::Accounts const>> Directory::load(TenantId const& tenant, Deadline deadline) {
  auto out = std::make_shared<providers::Accounts>();
  for (auto const& stored : co_await registered_.store.all(tenant, deadline)) {
    auto account = co_await services::ai_model::account_of(registered_, tenant, stored, deadline);
    if (account) {
      out->push_back(std::move(*account));
    } else {
      warn_once(tenant, stored, account.error());
    }
  }
  out->insert(out->end(), operators_.begin(), operators_.end());
  co_return out;
}

void Directory::warn_once(TenantId const& tenant, data::StoredProvider const& stored, Error const& error) {
  auto const& provider = stored.provider;
  {
    std::scoped_lock const lock(mutex_);
    if (warned_.size() >= warned_max)
      warned_.clear();
    if (!warned_.insert(tenant.value + ":" + provider.id.value + "@" + std::to_string(provider.version)).second)
      return;
  }
  log::warning("a model provider is left out", {{"tenant", std::string_view(tenant.value)},
                                                {"provider", std::string_view(provider.id.value)},
                                                {"reason", std::string_view(error.message)}});
}

}  // namespace al::app
