#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

/// How many events of a channel a service published.
struct EventFlow {
  std::string service;
  std::string channel;
  std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(EventFlow, (), (service, channel, count))

constexpr auto describe(std::type_identity<EventFlow>) {
  using namespace entity;
  return about("EventFlow", "", "How many events of a channel a service published.",
               field<&EventFlow::service>("The role that made the changes."),
               field<&EventFlow::channel>("kind:change, such as task:completed."),
               field<&EventFlow::count>("How many."));
}

}  // namespace al::model
