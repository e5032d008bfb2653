#include "events/cloud_event.hpp"

#include "core/json.hpp"

namespace al::events {

namespace {

void add_text(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty())
    return;
  out.append(",\"").append(name).append("\":");
  json::append_string(out, value);
}

}  // namespace

void append_cloud_event(std::string& out, model::Event const& event) {
  out += R"({"specversion":"1.0")";
  add_text(out, "id", event.event_id.value);
  add_text(out, "source", event.service);
  add_text(out, "type", event.channel);
  add_text(out, "subject", event.aggregate_id);
  add_text(out, "time", to_rfc3339(event.timestamp));
  out.append(",\"seq\":").append(std::to_string(event.seq));
  out.append(",\"version\":").append(std::to_string(event.version));
  add_text(out, "tenantid", event.metadata.tenant_id.value);
  add_text(out, "correlationid", event.metadata.correlation_id);
  add_text(out, "causationid", event.metadata.causation_id);
  add_text(out, "userid", event.metadata.user_id);
  add_text(out, "traceparent", event.metadata.traceparent);
  out.append(R"(,"datacontenttype":"application/json","data":)").append(event.data.text).append("}");
}

}  // namespace al::events
