#pragma once
#include <memory>
#include <vector>

#include "core/waiter.hpp"

namespace al::storage::postgres {

/// Answers that are ready, sent out together: one post for all callers of the same executor.
class Wakeups {
 public:
  void add(std::shared_ptr<Sleeper> sleeper) { ready_.push_back(std::move(sleeper)); }
  void send();

 private:
  std::vector<std::shared_ptr<Sleeper>> ready_;
};

}  // namespace al::storage::postgres
