#pragma once
#include "data/row_cache.hpp"
#include "events/consumer.hpp"

namespace al::services::operations {

/// Takes out of the cache what changed, once more, behind the one who changed it: a process that ends between its
/// commit and its own removal would leave the old row to all others for as long as it is kept. A consumer group.
[[nodiscard]] events::ConsumerOptions cache_upkeep_options();
[[nodiscard]] events::Consumer::Handler forget_what_changed(data::RowCache& rows);

}  // namespace al::services::operations
