#include "services/operations/events.hpp"

#include <ranges>

#include "http/sse.hpp"
#include "services/common/event_access.hpp"
#include "services/common/reply.hpp"

namespace al::services::operations {

namespace {

using http::Call;
using http::Method;
using http::Response;

constexpr std::int64_t stream_page = 200;
constexpr std::chrono::seconds heartbeat_interval{15};
constexpr std::chrono::seconds read_timeout{30};

Result<events::Filter> filter_of(Call const& call) {
  events::Filter filter;
  for (auto part : std::views::split(call.query("channel").value_or(""), ',')) {
    std::string_view const pattern{part.begin(), part.end()};
    if (!pattern.empty())
      filter.channels.emplace_back(pattern);
  }
  if (filter.channels.size() > 64) {
    return fail(entity::invalid({{"channel", "takes at most 64 patterns, separated by commas"}}));
  }
  if (auto const aggregate = call.query("aggregate_id"))
    filter.aggregate_id = std::string(*aggregate);
  return filter;
}

/// Where the client stands: the browser's Last-Event-ID, else `after`, else `cursor`, as other lists call it, else
/// `fallback`.
std::string token_of(Call const& call, std::string fallback) {
  if (auto const last = call.request.headers.find("Last-Event-ID"); last && !last->empty())
    return std::string(*last);
  for (auto const* name : {"after", "cursor"}) {
    if (auto const token = call.query(name))
      return std::string(*token);
  }
  return fallback;
}

Task<Result<Response>> list(Events events, Call& call) {
  auto const filter = filter_of(call);
  if (!filter)
    co_return fail(filter.error());
  auto const limit = call.query_int("limit", data::page_limit_default, 1, data::page_limit_max);
  if (!limit)
    co_return fail(limit.error());
  auto page =
      co_await events.log.read_after(storage::Scope::of(call.context.principal.tenant),
                                     token_of(call, events.log.beginning()), *filter, *limit, call.context.deadline);
  if (!page)
    co_return fail(std::move(page.error()));
  data::Page<model::Event> out;
  for (auto& positioned : page->events) {
    if (may_see_event(call.context.principal, positioned.event.channel))
      out.items.push_back(std::move(positioned.event));
  }
  ObjectText head;
  head.raw("more", page->more ? "true" : "false");
  out.next_cursor = std::move(page->token);
  co_return list_response("events", out, std::move(head));
}

/// The cursor is the next version, as text.
Task<Result<Response>> replay(Events events, Call& call) {
  auto const permission = permission_for_event(*call.query("kind"));
  auto from = call.query_int("from_version", 1, 1, INT64_MAX);
  if (from)
    from = call.query_int("cursor", *from, 1, INT64_MAX);
  if (!from)
    co_return fail(from.error());
  auto const limit = call.query_int("limit", data::page_limit_max, 1, data::page_limit_max);
  if (!limit)
    co_return fail(limit.error());
  if (!call.context.principal.may(permission))
    co_return fail(Code::forbidden, "These events need the permission " + std::string(permission) + ".");
  // One more than is shown tells whether there is a next page.
  data::Page<model::Event> page;
  page.items =
      co_await events.log.replay(call.context.principal.tenant, std::string(*call.query("kind")),
                                 std::string(*call.query("aggregate_id")), *from, *limit + 1, call.context.deadline);
  if (std::ssize(page.items) > *limit) {
    page.next_cursor = std::to_string(page.items.back().version);
    page.items.pop_back();
  }
  co_return list_response("events", page);
}

/// Sends what there is, waits for the doorbell, and sends on. It ends when the client goes or the server drains.
Task<void> send_events(Events events, http::Principal reader, events::Filter filter, std::string token,
                       http::BodyWriter& writer) {
  auto const channels = filter.channels.empty() ? std::vector<std::string>{"*"} : filter.channels;
  auto const subscription = events.bus.subscribe(co_await asio::this_coro::executor, channels);
  auto next_heartbeat = std::chrono::steady_clock::now() + heartbeat_interval;
  // The token of the beginning goes out at once, so that a client that is cut before the first event loses nothing.
  co_await writer.write("id: " + token + "\n" + std::string(http::sse_heartbeat));
  for (;;) {
    auto page = co_await events.log.read_after(storage::Scope::of(reader.tenant), token, filter, stream_page,
                                               Deadline::after(read_timeout));
    if (!page)
      co_return;  // the token was checked before the stream began
    std::string out;
    for (auto const& [event, resume] : page->events) {
      if (may_see_event(reader, event.channel))
        out += http::sse_event(resume, event.channel, entity::to_json(event));
    }
    token = std::move(page->token);
    if (!out.empty()) {
      co_await writer.write(out);
      next_heartbeat = std::chrono::steady_clock::now() + heartbeat_interval;
    }
    if (page->more)
      continue;
    if (std::chrono::steady_clock::now() >= next_heartbeat) {
      co_await writer.write(http::sse_heartbeat);
      next_heartbeat = std::chrono::steady_clock::now() + heartbeat_interval;
    }
    co_await subscription->wait(next_heartbeat);
  }
}

Task<Result<Response>> stream(Events events, Call& call) {
  auto filter = filter_of(call);
  if (!filter)
    co_return fail(std::move(filter.error()));
  auto const reader = call.context.principal;
  auto token = token_of(call, {});
  if (token.empty())
    token = co_await events.log.tip(call.context.deadline);
  auto const checked =
      co_await events.log.read_after(storage::Scope::of(reader.tenant), token, *filter, 1, call.context.deadline);
  if (!checked)
    co_return fail(checked.error());
  Response response;
  response.headers.set("Content-Type", "text/event-stream");
  response.headers.set("Cache-Control", "no-store");
  response.body = http::BodyStream([events, reader, filter = std::move(*filter), token](http::BodyWriter& writer) {
    return send_events(events, reader, filter, token, writer);
  });
  co_return response;
}

template <class F>
http::Handler bind(Events const& events, F handler) {
  return [events, handler](Call& call) { return handler(events, call); };
}

}  // namespace

void add_event_routes(http::Router& router, Events const& events) {
  auto const* event = &entity::entity<model::Event>();
  http::Parameter const channel{.name = "channel", .doc = "Patterns such as task:* or agent:created, with commas."};
  http::Parameter const aggregate{.name = "aggregate_id", .doc = "Only events of this agent, task or agent/item."};
  http::Parameter const after{.name = "after", .doc = "A resume token; Last-Event-ID wins over it."};
  http::Parameter const limit{.name = "limit", .doc = "How many at most, 1 to 500.", .type = "integer"};
  router.add({.method = Method::get,
              .path = "/events",
              .permission = "events:read",
              .summary = "Read the event log from a token on, or from the beginning",
              .query = {limit, after, {.name = "cursor", .doc = "Another name of `after`."}, channel, aggregate},
              .response = event,
              .list = "events",
              .handler = bind(events, list)});
  router.add({.method = Method::get,
              .path = "/events/stream",
              .permission = "events:read",
              .summary = "Server-sent events from a token on, or from now on",
              .query = {after, channel, aggregate},
              .handler = bind(events, stream)});
  router.add({.method = Method::get,
              .path = "/events/replay",
              .permission = "events:read",
              .summary = "All changes of one aggregate, in order of its versions",
              .query = {{.name = "kind", .doc = "agent, task, knowledge, …", .required = true},
                        {.name = "aggregate_id", .doc = "The agent, task or agent/item.", .required = true},
                        {.name = "from_version", .doc = "The first version wanted.", .type = "integer"},
                        {.name = "cursor", .doc = "next_cursor of the page before; wins over from_version."},
                        limit},
              .response = event,
              .list = "events",
              .handler = bind(events, replay)});
}

}  // namespace al::services::operations
