#include "services/gateway/upstream.hpp"

#include <boost/describe/enum_to_string.hpp>
#include <utility>

namespace al::services::gateway {
namespace {

/// Names of services and hosts need no escape: their characters are checked where they are read.
std::string labels(std::string_view service, std::string_view name, std::string_view value) {
  std::string out = "{service=\"";
  out.append(service).append("\",").append(name).append("=\"").append(value);
  return out.append("\"}");
}

void append_row(std::string& out, std::string_view name, std::string_view labels, std::uint64_t value) {
  out.append(name).append(labels).append(" ").append(std::to_string(value)).append("\n");
}

void append_head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ");
  out.append(type).append("\n");
}

struct Counter {
  std::string_view name;
  std::string_view help;
  std::atomic<std::uint64_t> ServiceFigures::* value;
};

constexpr std::array<Counter, 4> counters{{
    {"gateway_retries_total", "Attempts after the first.", &ServiceFigures::retries},
    {"gateway_limited_total", "Calls refused because their caller had too many.", &ServiceFigures::limited},
    {"gateway_cache_hits_total", "Answers that were kept.", &ServiceFigures::cache_hits},
    {"gateway_cache_misses_total", "Answers that were not.", &ServiceFigures::cache_misses},
}};

constexpr std::array<std::string_view, ServiceFigures::classes> class_names{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

void append_answers(std::string& out, std::span<std::shared_ptr<Upstream> const> upstreams) {
  constexpr std::string_view name = "gateway_requests_total";
  append_head(out, name, "counter", "Calls by the class of the service's answer; none: the gateway answered itself.");
  for (auto const& upstream : upstreams) {
    for (std::size_t i = 0; i < class_names.size(); ++i) {
      if (auto const value = upstream->figures->answers[i].load(); value > 0)
        append_row(out, name, labels(upstream->service.name, "class", class_names[i]), value);
    }
  }
}

void append_instances(std::string& out, std::span<std::shared_ptr<Upstream> const> upstreams, SteadyTime now) {
  std::string up;
  std::string breakers;
  std::string flights;
  append_head(up, "gateway_instance_up", "gauge", "1: takes calls, as far as its health says.");
  append_head(breakers, "gateway_breaker_state", "gauge", "0: closed, 1: half open, 2: open.");
  append_head(flights, "gateway_in_flight", "gauge", "Calls under way.");
  for (auto const& upstream : upstreams) {
    for (auto const& view : upstream->balancer.view(now)) {
      auto const row = labels(upstream->service.name, "instance", url_of(view.instance));
      auto const breaker = view.breaker == BreakerState::closed      ? 0u
                           : view.breaker == BreakerState::half_open ? 1u
                                                                     : 2u;
      append_row(up, "gateway_instance_up", row, view.availability == Availability::up ? 1 : 0);
      append_row(breakers, "gateway_breaker_state", row, breaker);
      append_row(flights, "gateway_in_flight", row, static_cast<std::uint64_t>(view.in_flight));
    }
  }
  out.append(up).append(breakers).append(flights);
}

}  // namespace

Upstream::Upstream(Service settings, LocalService local, std::shared_ptr<ServiceFigures> counts)
    : service(std::move(settings)),
      local(local),
      balancer(service),
      figures(std::move(counts)),
      has_instances_(!service.instances.empty()) {}

void Upstream::set_instances(std::span<Instance const> instances, SteadyTime now) {
  if (!service.instances.empty())
    return;
  balancer.set_instances(instances, now);
  has_instances_.store(!instances.empty(), std::memory_order_relaxed);
}

std::string metrics_text(std::span<std::shared_ptr<Upstream> const> upstreams, SteadyTime now) {
  std::string out;
  append_answers(out, upstreams);
  for (auto const& counter : counters) {
    append_head(out, counter.name, "counter", counter.help);
    for (auto const& upstream : upstreams) {
      std::string const row = "{service=\"" + upstream->service.name + "\"}";
      if (auto const value = ((*upstream->figures).*(counter.value)).load(); value > 0)
        append_row(out, counter.name, row, value);
    }
  }
  append_instances(out, upstreams, now);
  return out;
}

}  // namespace al::services::gateway
