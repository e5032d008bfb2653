#include "services/common/reply.hpp"
#include "services/operations/events.hpp"

namespace al::services::operations {

struct Retried {
  std::int64_t retried = 0;
};
BOOST_DESCRIBE_STRUCT(Retried, (), (retried))

constexpr auto describe(std::type_identity<Retried>) {
  return entity::about("Retried", "", "Dead letters that are handled once more.",
                       entity::field<&Retried::retried>("How many."));
}

namespace {

using data::DeadLetterFilter;
using data::DeadLetterStore;
using http::Call;
using http::Method;
using http::Response;
using model::DeadLetterState;

/// `dropped` is nobody's to see.
Result<DeadLetterFilter> filter_of(Call const& call) {
  DeadLetterFilter filter;
  if (auto const consumer = call.query("consumer"))
    filter.consumer = std::string(*consumer);
  if (auto const channel = call.query("channel"))
    filter.channel = std::string(*channel);
  auto const wanted = call.query("state");
  if (!wanted)
    return filter;
  for (auto const state : {DeadLetterState::waiting, DeadLetterState::retrying, DeadLetterState::parked}) {
    if (*wanted == boost::describe::enum_to_string(state, ""))
      filter.state = state;
  }
  if (!filter.state)
    return fail(entity::invalid({{"state", "must be waiting, retrying or parked"}}));
  return filter;
}

Result<model::DeadLetterId> id_of(Call const& call) {
  auto const& id = call.path("dead_letter_id");
  if (!is_uuid(id))
    return fail(Code::not_found, "there is no dead letter '" + id + "'; ids are UUIDs");
  return model::DeadLetterId{normal_uuid(id)};
}

Task<Result<Response>> list(DeadLetterStore& store, Call& call) {
  auto filter = filter_of(call);
  if (!filter)
    co_return fail(std::move(filter.error()));
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto letters = co_await store.list(call.context.principal.tenant, std::move(*filter), *page, call.context.deadline);
  if (!letters)
    co_return fail(std::move(letters.error()));
  co_return list_response("dead_letters", *letters);
}

Task<Result<Response>> get(DeadLetterStore& store, Call& call) {
  auto const id = id_of(call);
  if (!id)
    co_return fail(id.error());
  auto letter = co_await store.get(call.context.principal.tenant, *id, call.context.deadline);
  if (!letter)
    co_return fail(std::move(letter.error()));
  co_return http::json_response(200, entity::to_json(*letter));
}

Task<Result<Response>> retry(DeadLetterStore& store, Call& call) {
  auto const id = id_of(call);
  if (!id)
    co_return fail(id.error());
  auto letter = co_await store.retry(call.context.actor(), *id, call.context.deadline);
  if (!letter)
    co_return fail(std::move(letter.error()));
  co_return http::json_response(200, entity::to_json(*letter));
}

Task<Result<Response>> retry_all(DeadLetterStore& store, Call& call) {
  auto filter = filter_of(call);
  if (!filter)
    co_return fail(std::move(filter.error()));
  auto const retried = co_await store.retry_all(call.context.actor(), std::move(*filter), call.context.deadline);
  co_return described_response(200, Retried{retried});
}

Task<Result<Response>> drop(DeadLetterStore& store, Call& call) {
  auto const id = id_of(call);
  if (!id)
    co_return fail(id.error());
  if (auto done = co_await store.drop(call.context.actor(), *id, call.context.deadline); !done)
    co_return fail(std::move(done.error()));
  co_return message_response("dead letter '" + id->value + "' is dropped");
}

template <class F>
http::Handler bind(DeadLetterStore& store, F handler) {
  return [&store, handler](Call& call) { return handler(store, call); };
}

}  // namespace

void add_dead_letter_routes(http::Router& router, DeadLetterStore& store) {
  auto const* letter = &entity::entity<model::DeadLetter>();
  http::Parameter const consumer{.name = "consumer", .doc = "Only those of this consumer."};
  http::Parameter const channel{.name = "channel", .doc = "Only events of this channel, such as task:completed."};
  router.add({.method = Method::get,
              .path = "/dead-letters",
              .permission = "events:read",
              .summary = "List events that consumers could not handle, newest first",
              .query = list_parameters({consumer, channel, {.name = "state", .doc = "waiting, retrying or parked."}}),
              .response = letter,
              .list = "dead_letters",
              .handler = bind(store, list)});
  router.add({.method = Method::post,
              .path = "/dead-letters/retry",
              .permission = "events:write",
              .summary = "Have up to 500 parked ones handled once more; call again until it answers 0",
              .query = {consumer, channel},
              .response = &entity::entity<Retried>(),
              .handler = bind(store, retry_all)});
  router.add({.method = Method::get,
              .path = "/dead-letters/{dead_letter_id}",
              .permission = "events:read",
              .summary = "Read one dead letter with its event",
              .response = letter,
              .errors = {Code::not_found},
              .handler = bind(store, get)});
  router.add({.method = Method::post,
              .path = "/dead-letters/{dead_letter_id}/retry",
              .permission = "events:write",
              .summary = "Have a parked one handled once more, out of order",
              .response = letter,
              .errors = {Code::not_found, Code::conflict},
              .handler = bind(store, retry)});
  router.add({.method = Method::del,
              .path = "/dead-letters/{dead_letter_id}",
              .permission = "events:write",
              .summary = "Drop a parked one",
              .response = &entity::entity<Message>(),
              .errors = {Code::not_found, Code::conflict},
              .handler = bind(store, drop)});
}

}  // namespace al::services::operations
