#include "model/consumer.hpp"

#include <boost/json/object.hpp>

#include "app/listing.hpp"
#include "app/option_values.hpp"

namespace al::app {
namespace {

struct Point {
  std::string since;
  std::string from;
};

std::string lag_text(json::value const& group) {
  auto const* lag = member_of(group, "lag").if_int64();
  return text_of(group, "lag") + (lag != nullptr && *lag >= model::consumer_lag_max ? " or more" : "");
}

int list_groups(Workplace& workplace) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.get("/consumers"), [&](json::value const& answer) {
    Table table({"CONSUMER", "MEMBERS", "LAG", "SINCE", "WAITING", "PARKED"});
    for (auto const& group : list_of(answer, "consumers")) {
      table.add({{text_of(group, "name"), Tone::strong},
                 {std::to_string(list_of(group, "members").size())},
                 {lag_text(group)},
                 {text_of(group, "oldest_unhandled_at")},
                 {text_of(group, "waiting")},
                 {text_of(group, "parked")}});
    }
    return table.empty() ? std::string("No consumer has run yet.") : table.text(workplace.console);
  });
}

std::string group_text(Console const& console, json::value const& group) {
  Details details(console);
  details.add("consumer", text_of(group, "name"), Tone::strong)
      .add("slots", text_of(group, "slots"))
      .add("lag", lag_text(group))
      .add("since", text_of(group, "oldest_unhandled_at"))
      .add("waiting", text_of(group, "waiting"))
      .add("retrying", text_of(group, "retrying"))
      .add("parked", text_of(group, "parked"));
  for (auto const& member : list_of(group, "members"))
    details.add("member", text_of(member, "id") + ", slots: " + text_of(member, "slots"));
  for (auto const& position : list_of(group, "positions"))
    details.add("cursor", text_of(position, "cursor") + ", slots: " + text_of(position, "slots") +
                              ", lag: " + lag_text(position));
  return details.text();
}

int show_group(Workplace& workplace, std::string const& name) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.get("/consumers/" + escaped(name)),
              [&](json::value const& group) { return group_text(workplace.console, group); });
}

int replay(Workplace& workplace, std::string const& name, Point const& point) {
  if (point.since.empty() && point.from.empty())
    return report(workplace.console, {Code::invalid, "--since or --from is needed: where the consumer goes on"},
                  exit_usage);
  json::object body;
  if (point.since.empty())
    body["from"] = point.from;
  else
    body["since"] = point.since;
  ApiClient client(workplace.config);
  return show(workplace.console, client.post("/consumers/" + escaped(name) + "/replay", json::serialize(body)),
              [&](json::value const& group) {
                return printable(text_of(group, "name")) +
                       " goes on from there; its members take it up within seconds. Events before them: " +
                       lag_text(group) + ".";
              });
}

}  // namespace

void add_consumer_commands(CLI::App& app, Invocation& invocation) {
  auto* consumers = app.add_subcommand("consumer", "Who handles the events of the log, and how far they are");
  consumers->require_subcommand(1);

  auto* lists = consumers->add_subcommand("list", "List the consumer groups");
  lists->callback([&invocation] { invocation.action = list_groups; });

  auto const name = std::make_shared<std::string>();
  auto* shows = consumers->add_subcommand("show", "Show one with its members and cursors");
  shows->add_option("CONSUMER", *name, "Which one")->required();
  shows->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return show_group(workplace, *name); }; });

  auto* replays = consumers->add_subcommand("replay", "Have one handle the events from a point of the log on, again");
  auto const replayed = std::make_shared<std::string>();
  auto const point = std::make_shared<Point>();
  replays->add_option("CONSUMER", *replayed, "Which one")->required();
  auto* since = replays->add_option("--since", point->since, "Events of this time and later, as 2026-01-31T12:00:00Z");
  since->type_name("TIME");
  take_choice(replays->add_option("--from", point->from, "All that is in the log, or only what comes from now on"),
              choices_of<model::LogEnd>())
      ->excludes(since);
  replays->footer("Example:\n  agent-lightning consumer replay task-metrics --since 2026-01-31T12:00:00Z");
  replays->callback([=, &invocation] {
    invocation.action = [=](Workplace& workplace) { return replay(workplace, *replayed, *point); };
  });
}

}  // namespace al::app
