#include "app/option_values.hpp"

#include <charconv>
#include <functional>

#include "core/json.hpp"
#include "core/time.hpp"

namespace al::app {
namespace {

/// Without a description of the check: CLI11 would show it behind the value's name.
CLI::Option* take(CLI::Option* option, std::string name, std::string const& wanted,
                  std::function<bool(std::string const&)> const& is_fit) {
  auto const check = [=](std::string const& text) {
    return is_fit(text) ? std::string() : "must be " + wanted + ", not '" + text + "'";
  };
  return option->type_name(std::move(name))->check(check);
}

}  // namespace

CLI::Option* take_choice(CLI::Option* option, std::string const& choices) {
  auto list = choices;
  for (auto at = list.find('|'); at != std::string::npos; at = list.find('|'))
    list.replace(at, 1, ", ");
  return take(option, choices, "one of " + list, [choices](std::string const& text) {
    return !text.contains('|') && ("|" + choices + "|").contains("|" + text + "|");
  });
}

CLI::Option* take_number(CLI::Option* option, std::int64_t min, std::int64_t max) {
  auto const wanted = "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  return take(option, "N", wanted, [=](std::string const& text) {
    std::int64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && number >= min && number <= max;
  });
}

// It may be long, so the message repeats only where it is wrong.
CLI::Option* take_object(CLI::Option* option) {
  auto const check = [](std::string const& text) -> std::string {
    auto const parsed = json::parse(text);
    if (!parsed)
      return "must be a JSON object: " + parsed.error().message;
    return parsed->is_object() ? "" : "must be a JSON object";
  };
  return option->type_name("JSON")->check(check);
}

CLI::Option* take_day(CLI::Option* option) {
  return take(option, "YYYY-MM-DD", "a day, as 2026-01-31", [](std::string const& text) {
    return text.size() == std::string_view("2026-01-31").size() && parse_time(text + "T00:00:00Z").has_value();
  });
}

}  // namespace al::app
