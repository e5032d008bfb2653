#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

struct DeadLetterTag {
  static constexpr IdKind kind = IdKind::uuid;
};
using DeadLetterId = Id<DeadLetterTag>;

enum class DeadLetterState {
  waiting,   ///< is tried again when its time comes, or waits behind an earlier event of its aggregate that is
  retrying,  ///< was given up; a person wants it handled once more
  parked,    ///< was given up
  dropped,   ///< a person does not want it; nobody sees it any more
};
BOOST_DESCRIBE_ENUM(DeadLetterState, waiting, retrying, parked, dropped)

/// An event that a consumer could not handle.
struct DeadLetter {
  DeadLetterId id;
  std::string consumer;
  DeadLetterState state = DeadLetterState::waiting;
  std::string channel;
  std::string aggregate_id;
  std::int64_t aggregate_version = 0;
  EventId event_id;
  Document event;
  std::int64_t attempts = 0;
  std::string error;
  bool is_out_of_order = false;
  Timestamp failed_at{};
  std::optional<Timestamp> next_try_at;
  std::int64_t version = 0;
};
BOOST_DESCRIBE_STRUCT(DeadLetter, (),
                      (id, consumer, state, channel, aggregate_id, aggregate_version, event_id, event, attempts, error,
                       is_out_of_order, failed_at, next_try_at, version))

constexpr auto describe(std::type_identity<DeadLetter>) {
  using namespace entity;
  return about("DeadLetter", "dead_letters", "An event that a consumer could not handle.",
               field<&DeadLetter::id>("UUIDv7."), field<&DeadLetter::consumer>("Which consumer could not."),
               field<&DeadLetter::state>("waiting: will be tried again; parked: given up; retrying: once more, because "
                                         "someone asked for it."),
               field<&DeadLetter::channel>("Of the event."), field<&DeadLetter::aggregate_id>("Of the event."),
               field<&DeadLetter::aggregate_version>("Of the event."), field<&DeadLetter::event_id>("Of the event."),
               field<&DeadLetter::event>("The event itself, whole."),
               field<&DeadLetter::attempts>("How often it was tried; 0: it waits behind an earlier event."),
               field<&DeadLetter::error>("Why the last attempt failed."),
               field<&DeadLetter::is_out_of_order>("Later events of its aggregate went before it."),
               field<&DeadLetter::failed_at>("When the last attempt failed, UTC."),
               field<&DeadLetter::next_try_at>("When it is tried again, UTC."),
               field<&DeadLetter::version>("Counts what people did with it."));
}

}  // namespace al::model
