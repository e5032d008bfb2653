#include "storage/postgres_wakeups.hpp"

namespace al::storage::postgres {

void Wakeups::send() {
  while (!ready_.empty()) {
    auto const executor = ready_.front()->executor();
    std::vector<std::shared_ptr<Sleeper>> together;
    std::vector<std::shared_ptr<Sleeper>> rest;
    for (auto& sleeper : ready_) {
      auto& side = sleeper->executor() == executor ? together : rest;
      side.push_back(std::move(sleeper));
    }
    ready_ = std::move(rest);
    asio::post(executor, [together = std::move(together)] {
      for (auto const& sleeper : together)
        sleeper->resume();
    });
  }
}

}  // namespace al::storage::postgres
