#include "services/operations/events.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <ranges>

#include "http/sse.hpp"
#include "services/common/credential.hpp"
#include "services/common/event_access.hpp"
#include "services/common/reply.hpp"

namespace al::services::operations {

/// Before a page of the log.
struct EventPage {
  bool more = false;
};
BOOST_DESCRIBE_STRUCT(EventPage, (), (more))

constexpr auto describe(std::type_identity<EventPage>) {
  return entity::about("EventPage", "", "A page of the event log.",
                       entity::field<&EventPage::more>("There is more to read at once, at `next_cursor`."));
}

namespace {

using http::Call;
using http::Method;
using http::Response;

constexpr std::int64_t stream_page = 200;
constexpr std::chrono::seconds heartbeat_interval{15};
constexpr std::chrono::seconds read_timeout{30};
constexpr std::string_view stream_permission = "events:read";
constexpr std::string_view resume_lost = "resume_lost";
/// Where a list of events begins, and what is looked for from the end back only: see events::looked_back_max.
constexpr std::string_view newest = "newest";
constexpr std::array<std::string_view, 2> sought{"correlation_id", "agent_id"};

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

/// Whether nothing that came after `token` has left the log. Who stands before the first event has seen nothing that
/// could be missed: his is what there is.
Task<Result<bool>> has_all_after(events::EventLog& log, std::string token, Deadline deadline) {
  if (token == log.beginning())
    co_return true;
  co_return co_await log.has_all_after(std::move(token), deadline);
}

Result<events::Search> search_of(Call const& call) {
  if (call.query("after"))
    return fail(entity::invalid({{"after", "does not go with order=newest; `cursor` takes `next_cursor`"}}));
  auto filter = filter_of(call);
  if (!filter)
    return fail(std::move(filter.error()));
  auto correlation = query_text(call, "correlation_id");
  if (!correlation)
    return fail(std::move(correlation.error()));
  auto agent = query_agent(call);
  if (!agent)
    return fail(std::move(agent.error()));
  events::Search search{.filter = std::move(*filter), .correlation_id = {}, .agent_id = std::move(*agent)};
  if (!correlation->empty())
    search.correlation_id = std::move(*correlation);
  return search;
}

Task<Result<Response>> list_newest(Events events, Call& call) {
  auto const request = page_request(call);
  if (!request)
    co_return fail(request.error());
  auto search = search_of(call);
  if (!search)
    co_return fail(std::move(search.error()));
  auto page = co_await events.log.read_before(call.context.principal.tenant, request->cursor, std::move(*search),
                                              request->limit, call.context.deadline);
  if (!page)
    co_return fail(std::move(page.error()));
  std::erase_if(page->events, [&](auto const& event) { return !may_see_event(call.context.principal, event.channel); });
  EventPage const head{.more = !page->cursor.empty()};
  data::Page<model::Event> const out{
      .items = std::move(page->events), .next_cursor = std::move(page->cursor), .total = {}};
  co_return list_response("events", out, ObjectText(head));
}

Task<Result<Response>> list_oldest(Events events, Call& call) {
  for (auto const name : sought) {
    if (call.query(name))
      co_return fail(entity::invalid({{std::string(name), "is looked for from the end of the log: order=newest"}}));
  }
  auto const filter = filter_of(call);
  if (!filter)
    co_return fail(filter.error());
  auto const limit = call.query_int("limit", data::page_limit_default, 1, data::page_limit_max);
  if (!limit)
    co_return fail(limit.error());
  auto const token = token_of(call, events.log.beginning());
  auto page = co_await events.log.read_after(storage::Scope::of(call.context.principal.tenant), token, *filter, *limit,
                                             call.context.deadline);
  if (!page)
    co_return fail(std::move(page.error()));
  // Only now: what is there after the read was there all the while.
  auto const is_whole = co_await has_all_after(events.log, token, call.context.deadline);
  if (!is_whole)
    co_return fail(is_whole.error());
  if (!*is_whole) {
    co_return fail(Code::invalid,
                   "what came after this token is not known any more; load anew, and begin without a token");
  }
  data::Page<model::Event> out;
  for (auto& positioned : page->events) {
    if (may_see_event(call.context.principal, positioned.event.channel))
      out.items.push_back(std::move(positioned.event));
  }
  out.next_cursor = std::move(page->token);
  co_return list_response("events", out, ObjectText(EventPage{page->more}));
}

Task<Result<Response>> list(Events events, Call& call) {
  if (call.query("order") == newest)
    co_return co_await list_newest(events, call);
  co_return co_await list_oldest(events, call);
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

/// Sends what there is, waits for the doorbell, and sends on. It ends when the client goes, when its credential no
/// longer counts, or when the server drains.
class EventStream {
 public:
  /// After `token`; `is_lost`: it stands for one that the log does not reach back to.
  EventStream(Events const& events, Credential reader, events::Filter filter, std::string token, bool is_lost)
      : events_(events),
        reader_(std::move(reader)),
        filter_(std::move(filter)),
        token_(std::move(token)),
        is_lost_(is_lost) {}

  Task<void> send(http::BodyWriter& writer) {
    auto const channels = filter_.channels.empty() ? std::vector<std::string>{"*"} : filter_.channels;
    auto const doorbell = events_.bus.subscribe(co_await asio::this_coro::executor, channels);
    co_await write(opening(), writer);
    for (;;) {
      auto page = co_await events_.log.read_after(storage::Scope::of(reader_.principal().tenant), token_, filter_,
                                                  stream_page, Deadline::after(read_timeout));
      if (!page)
        co_return;  // the token was checked before the stream began
      // After the read, which can take long: what goes out is what may be seen now.
      if (!co_await may_go_on(reader_, writer))
        co_return;
      auto const out = text_of(page->events);
      token_ = std::move(page->token);
      if (!out.empty())
        co_await write(out, writer);
      if (!page->more && !co_await wait(*doorbell, writer))
        co_return;
    }
  }

 private:
  /// The token goes out at once, so that a client that is cut before the first event loses nothing.
  [[nodiscard]] std::string opening() const {
    if (is_lost_) {
      return error_event(token_, resume_lost, resume_lost,
                         "what came after this token is not known any more; load anew");
    }
    return "id: " + token_ + "\n" + std::string(http::sse_heartbeat);
  }

  [[nodiscard]] std::string text_of(std::vector<events::Positioned> const& events) const {
    std::string out;
    for (auto const& [event, resume] : events) {
      if (may_see_event(reader_.principal(), event.channel))
        out += http::sse_event(resume, event.channel, entity::to_json(event));
    }
    return out;
  }

  Task<void> write(std::string_view piece, http::BodyWriter& writer) {
    co_await writer.write(piece);
    next_heartbeat_ = std::chrono::steady_clock::now() + heartbeat_interval;
  }

  /// Until the log may have grown. False: the stream is over.
  Task<bool> wait(events::Bus::Subscription& doorbell, http::BodyWriter& writer) {
    for (;;) {
      if (std::chrono::steady_clock::now() >= next_heartbeat_)
        co_await write(http::sse_heartbeat, writer);
      auto const look_at = std::chrono::steady_clock::now() + Credential::look_interval;
      if (co_await doorbell.wait(std::min(look_at, next_heartbeat_)))
        co_return true;
      if (!co_await may_go_on(reader_, writer))
        co_return false;
      // A ring can be lost: before each heartbeat the log is read.
      if (std::chrono::steady_clock::now() >= next_heartbeat_)
        co_return true;
    }
  }

  Events const events_;
  Credential reader_;
  events::Filter const filter_;
  std::string token_;
  bool const is_lost_;
  SteadyTime next_heartbeat_{};
};

Task<Result<Response>> stream(Events events, Call& call) {
  auto filter = filter_of(call);
  if (!filter)
    co_return fail(std::move(filter.error()));
  auto token = token_of(call, {});
  bool is_lost = false;
  if (!token.empty()) {
    auto const is_whole = co_await has_all_after(events.log, token, call.context.deadline);
    if (!is_whole)
      co_return fail(is_whole.error());
    is_lost = !*is_whole;
  }
  if (token.empty() || is_lost)
    token = co_await events.log.tip(call.context.deadline);
  Response response;
  response.headers.set("Content-Type", "text/event-stream");
  response.headers.set("Cache-Control", "no-store");
  auto const sent = std::make_shared<EventStream>(events, Credential(events.authenticator, call, stream_permission),
                                                  std::move(*filter), std::move(token), is_lost);
  response.body = http::BodyStream([sent](http::BodyWriter& writer) { return sent->send(writer); });
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
              .summary = "Read the event log from a token on, from the beginning, or from the end back",
              .query = {limit,
                        {.name = "order",
                         .doc = "newest: from the end of the log back; from its beginning on when left out.",
                         .choices = {"oldest", newest}},
                        after,
                        {.name = "cursor", .doc = "`next_cursor` of the page before; another name of `after`."},
                        channel,
                        aggregate,
                        {.name = sought[0],
                         .doc = "Only events of this request or task, 1 to 200 characters; with order=newest."},
                        {.name = sought[1],
                         .doc = "Only events of this agent, and of its tasks, its knowledge and conversations with it; "
                                "with order=newest."}},
              .response = event,
              .list = "events",
              .head = &entity::entity<EventPage>(),
              .handler = bind(events, list)});
  router.add({.method = Method::get,
              .path = "/events/stream",
              .permission = stream_permission,
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
  add_flow_route(router, events);
}

}  // namespace al::services::operations
