#include "http/client_pool.hpp"

#include <algorithm>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <cassert>

#include "core/fault.hpp"

namespace al::http {

ClientPool::ClientPool(std::vector<asio::io_context*> const& contexts, ClientOptions const& options) {
  for (auto* const context : contexts)
    clients_.emplace_back(context, std::make_unique<Client>(context->get_executor(), options));
}

Client& ClientPool::here(asio::any_io_executor const& executor) {
  auto* const context = &asio::query(executor, asio::execution::context);
  // A handful of contexts: looking at each is faster than hashing.
  auto const found = std::ranges::find(clients_, context, [](auto const& entry) { return entry.first; });
  if (found == clients_.end())
    throw Fault("an HTTP call was made on a thread that has no client");
  return *found->second;
}

}  // namespace al::http
