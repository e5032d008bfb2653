#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

/// A message to connected clients, as a caller hands it in.
struct Broadcast {
  std::string type;
  std::optional<std::string> channel;
  std::string target = "all";
  Document data;
};
BOOST_DESCRIBE_STRUCT(Broadcast, (), (type, channel, target, data))

constexpr auto describe(std::type_identity<Broadcast>) {
  using namespace entity;
  using B = Broadcast;
  return about("Broadcast", "", "A message to connected clients.",
               field<&B::type>("What clients tell it by.", {.min = 1, .max = 100}),
               field<&B::channel>("What it belongs to.", {.min = 1, .max = 100}),
               field<&B::target>("all of the organisation, room:ID or user:ID.", {.max = 200, .defaulted = true}),
               field<&B::data>("What it says: an object."));
}

}  // namespace al::model
