#include "redis/connections.hpp"

#include <algorithm>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <utility>

#include "core/fault.hpp"

namespace al::redis {

Connections::Connections(Options options, Random& random, ConnectionLimits limits)
    : options_(std::move(options)), random_(random), limits_(limits) {}

void Connections::open(std::vector<asio::io_context*> const& contexts) {
  for (auto* const context : contexts)
    connections_.emplace_back(context,
                              std::make_unique<Connection>(context->get_executor(), options_, random_, limits_));
}

void Connections::close() { connections_.clear(); }

Connection& Connections::here(asio::any_io_executor const& executor) {
  auto* const context = &asio::query(executor, asio::execution::context);
  // A handful of contexts: looking at each is faster than hashing.
  auto const found = std::ranges::find(connections_, context, [](auto const& entry) { return entry.first; });
  if (found == connections_.end())
    throw Fault("Redis was called on a thread that has no connection to it");
  return *found->second;
}

}  // namespace al::redis
