#include "services/operations/cache_upkeep.hpp"

#include "events/channel.hpp"

namespace al::services::operations {

events::ConsumerOptions cache_upkeep_options() {
  return {.name = "cache-upkeep", .channels = {"agent:*", "session:*", "task:retried", "workflow:*"}};
}

events::Consumer::Handler forget_what_changed(data::RowCache& rows) {
  return [&rows](events::Delivery const& delivery) -> Task<Result<void>> {
    auto const& event = delivery.event;
    std::string_view const channel = event.channel;
    // What the writer itself put there has this version and may stay, unless there is no row any more.
    auto const version = channel.ends_with(":deleted") ? event.version : event.version - 1;
    co_await rows.remove(event.metadata.tenant_id, events::kind_of(channel), event.aggregate_id, version,
                         delivery.deadline);
    co_return Result<void>{};
  };
}

}  // namespace al::services::operations
