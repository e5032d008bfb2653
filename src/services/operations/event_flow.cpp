#include <algorithm>

#include "services/common/event_access.hpp"
#include "services/common/reply.hpp"
#include "services/operations/events.hpp"

namespace al::services::operations {

/// A consumer group as the picture of the flow shows it.
struct FlowConsumer {
  std::string name;
  std::vector<std::string> channels;
  std::int64_t lag = 0;
  std::int64_t waiting = 0;
  std::int64_t parked = 0;
};
BOOST_DESCRIBE_STRUCT(FlowConsumer, (), (name, channels, lag, waiting, parked))

constexpr auto describe(std::type_identity<FlowConsumer>) {
  using namespace entity;
  using C = FlowConsumer;
  return about("FlowConsumer", "", "Who takes events out of the log.", field<&C::name>("Of the group."),
               field<&C::channels>("The patterns of channels that it handles."),
               field<&C::lag>("Events of any channel that came after its rearmost position; counted up to 10000."),
               field<&C::waiting>("Dead letters that are tried again by themselves."),
               field<&C::parked>("Dead letters that were given up."));
}

struct FlowReport {
  Timestamp from{};
  Timestamp to{};
  std::vector<model::EventFlow> flows;
  std::vector<FlowConsumer> consumers;
};
BOOST_DESCRIBE_STRUCT(FlowReport, (), (from, to, flows, consumers))

constexpr auto describe(std::type_identity<FlowReport>) {
  using namespace entity;
  using R = FlowReport;
  return about("FlowReport", "", "Who published which events of late, and who takes them.",
               field<&R::from>("The first moment that counts, UTC."), field<&R::to>("Now, UTC."),
               field<&R::flows>("Of channels that the caller may read, most events first; 500 at most."),
               field<&R::consumers>("None for who may not read consumers."));
}

namespace {

using http::Call;
using http::Response;

constexpr std::int64_t seconds_default = 300;
constexpr std::int64_t seconds_min = 10;
constexpr std::int64_t seconds_max = 3600;

/// They are the installation's, as GET /consumers says.
bool may_see_consumers(http::Principal const& principal) {
  return principal.may("consumers:read") && principal.tenant == default_tenant;
}

Task<Result<Response>> flow(Events events, Call& call) {
  auto const seconds = call.query_int("seconds", seconds_default, seconds_min, seconds_max);
  if (!seconds)
    co_return fail(seconds.error());
  auto const& principal = call.context.principal;
  auto const now = events.clock.now();
  FlowReport out{.from = now - std::chrono::seconds{*seconds}, .to = now, .flows = {}, .consumers = {}};
  out.flows = co_await events.log.flow(principal.tenant, out.from, call.context.deadline);
  std::erase_if(out.flows, [&](auto const& one) { return !may_see_event(principal, one.channel); });
  if (may_see_consumers(principal)) {
    for (auto& group : co_await events.groups.list(call.context.deadline)) {
      out.consumers.push_back({.name = std::move(group.name),
                               .channels = std::move(group.channels),
                               .lag = group.lag,
                               .waiting = group.waiting,
                               .parked = group.parked});
    }
  }
  co_return described_response(200, out);
}

}  // namespace

void add_flow_route(http::Router& router, Events const& events) {
  router.add({.method = http::Method::get,
              .path = "/events/flow",
              .permission = "events:read",
              .summary = "How many events of which channel which service published of late, and who takes them",
              .query = {{.name = "seconds", .doc = "How far back, 10 to 3600; 300 when left out.", .type = "integer"}},
              .response = &entity::entity<FlowReport>(),
              .handler = [events](Call& call) { return flow(events, call); }});
}

}  // namespace al::services::operations
