#include "services/common/reply.hpp"

#include "core/utf8.hpp"
#include "http/sse.hpp"

namespace al::services {

std::vector<http::Parameter> list_parameters(std::vector<http::Parameter> more) {
  std::vector<http::Parameter> out{
      {.name = "limit", .doc = "How many at most, 1 to 500; 50 when left out.", .type = "integer"},
      {.name = "cursor", .doc = "`next_cursor` of the page before."},
      {.name = "count", .doc = "`total` counts all that match, too.", .choices = {"total"}}};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

data::Freshness freshness(http::Call const& call) {
  auto const control = call.request.headers.find("Cache-Control");
  bool const is_fresh = control && control->find("no-cache") != std::string_view::npos;
  return is_fresh ? data::Freshness::fresh : data::Freshness::cached;
}

Result<data::PageRequest> page_request(http::Call const& call) {
  auto const limit = call.query_int("limit", data::page_limit_default, 1, data::page_limit_max);
  if (!limit)
    return std::unexpected(limit.error());
  return data::PageRequest{.limit = *limit,
                           .cursor = std::string(call.query("cursor").value_or("")),
                           .count_total = call.query("count").has_value()};
}

ObjectText& ObjectText::raw(std::string_view key, std::string_view json) {
  if (out_.size() > 1)
    out_ += ',';
  json::append_string(out_, key);
  out_ += ':';
  out_ += json;
  return *this;
}

ObjectText& ObjectText::text(std::string_view key, std::string_view value) {
  std::string quoted;
  json::append_string(quoted, value);
  return raw(key, quoted);
}

ObjectText& ObjectText::number(std::string_view key, std::int64_t value) { return raw(key, std::to_string(value)); }

http::Response message_response(std::string_view message) {
  return described_response(200, Message{std::string(message)});
}

std::string error_event(std::string_view id, std::string_view name, std::string_view code, std::string_view message) {
  return http::sse_event(id, name, ObjectText().text("type", "error").text("code", code).text("error", message).done());
}

std::string ended_event(Error const& error) {
  return error_event({}, "ended", boost::describe::enum_to_string(error.code, "internal"), error.message);
}

Result<std::string> query_text(http::Call const& call, std::string_view name) {
  constexpr std::size_t characters_max = 200;
  auto const text = call.query(name);
  if (!text)
    return std::string();
  if (text->empty() || utf8::length(*text) > characters_max)
    return fail(entity::invalid({{std::string(name), "must have 1 to 200 characters"}}));
  return std::string(*text);
}

Result<std::optional<AgentId>> query_agent(http::Call const& call, std::string_view name) {
  auto const text = call.query(name);
  if (!text)
    return std::nullopt;
  if (!is_slug(*text)) {
    return fail(entity::invalid({{std::string(name), "must be a slug: a-z, 0-9, _ and -, at most 50"}}));
  }
  return AgentId{*text};
}

}  // namespace al::services
