#include "app/answer.hpp"

#include <boost/describe/enum_to_string.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include "app/command.hpp"

namespace al::app {
namespace {

constexpr std::size_t detail_name_columns = 16;

json::value const null_value;
json::array const no_elements;

/// "2026-01-01T12:00:03.123456Z" as "2026-01-01 12:00:03"; anything else stays.
std::string shown_string(std::string text) {
  constexpr std::string_view shape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < shape.size() || !text.ends_with('Z'))
    return text;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    bool const is_digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == 'd' ? !is_digit : text[i] != shape[i])
      return text;
  }
  text.resize(shape.size());
  text[10] = ' ';
  return text;
}

std::string shown(json::value const& value) {
  if (value.is_null())
    return {};
  if (value.is_string())
    return shown_string(std::string(value.get_string()));
  if (!value.is_array())
    return json::serialize(value);
  std::string out;
  for (auto const& element : value.get_array())
    out.append(out.empty() ? "" : ", ").append(shown(element));
  return out;
}

}  // namespace

int report(Console& console, Error const& error, int code) {
  if (console.json()) {
    json::object body{{"code", boost::describe::enum_to_string(error.code, "internal")},
                      {"message", printable(error.message)}};
    json::array faults;
    for (auto const& fault : error.faults)
      faults.push_back(json::object{{"path", printable(fault.path)}, {"message", printable(fault.message)}});
    if (!faults.empty())
      body["faults"] = std::move(faults);
    console.note(json::serialize(json::object{{"error", std::move(body)}}));
    return code;
  }
  console.error(error.message);
  for (auto const& fault : error.faults) {
    auto const line = fault.path + ": " + fault.message;
    if (!error.message.contains(line))
      console.note("  " + printable(line));
  }
  return code;
}

int report(Console& console, Error const& error) { return report(console, error, exit_failure); }

int exit_of_setup(Error const& error) { return error.code == Code::invalid ? exit_usage : exit_failure; }

int show(Console& console, Result<ApiClient::Reply> const& reply,
         std::function<std::string(json::value const&)> const& render) {
  if (!reply)
    return report(console, reply.error());
  if (console.json()) {
    console.print(reply->text);
  } else {
    console.page(render(*reply->body.root().parsed));
  }
  return exit_ok;
}

json::value const& member_of(json::value const& object, std::string_view key) {
  auto const* found = object.is_object() ? object.get_object().if_contains({key.data(), key.size()}) : nullptr;
  return found ? *found : null_value;
}

std::string text_of(json::value const& object, std::string_view key) { return shown(member_of(object, key)); }

json::array const& list_of(json::value const& object, std::string_view key) {
  auto const& found = member_of(object, key);
  return found.is_array() ? found.get_array() : no_elements;
}

Details& Details::add(std::string_view name, std::string_view value, Tone tone) {
  if (value.empty())
    return *this;
  auto const width = console_.options().is_terminal ? console_.options().width : std::string::npos;
  auto const shown = wrapped(printable(value, true), width, detail_name_columns);
  auto padded = std::string(name);
  padded.resize(std::max(detail_name_columns, padded.size() + 1), ' ');
  if (!out_.empty())
    out_ += '\n';
  out_ += console_.paint(padded, Tone::faint) + console_.paint(shown.substr(detail_name_columns), tone);
  return *this;
}

Tone tone_of_status(std::string_view status) {
  if (status == "idle" || status == "completed")
    return Tone::good;
  if (status == "busy" || status == "started")
    return Tone::accent;
  if (status == "error" || status == "failed")
    return Tone::bad;
  return status == "pending" ? Tone::caution : Tone::faint;
}

std::string query_text(Parameters const& parameters) {
  std::string out;
  for (auto const& [name, value] : parameters) {
    if (!value.empty())
      out.append(out.empty() ? "?" : "&").append(name).append("=").append(escaped(value));
  }
  return out;
}

}  // namespace al::app
