#include "app/listing.hpp"
#include "app/option_values.hpp"

namespace al::app {
namespace {

struct Filter {
  std::string consumer;
  std::string channel;
  std::string state;
};

int list_letters(Workplace& workplace, Filter const& filter, PageOptions const& page) {
  Listing const listing{
      .path = "/dead-letters",
      .key = "dead_letters",
      .filters = {{"consumer", filter.consumer}, {"channel", filter.channel}, {"state", filter.state}},
      .heading = {"ID", "CONSUMER", "CHANNEL", "AGGREGATE", "STATE", "TRIES", "ERROR"},
      .row =
          [](json::value const& letter) {
            return std::vector<Cell>{{text_of(letter, "id"), Tone::strong},
                                     {text_of(letter, "consumer")},
                                     {text_of(letter, "channel"), Tone::accent},
                                     {text_of(letter, "aggregate_id")},
                                     {text_of(letter, "state")},
                                     {text_of(letter, "attempts")},
                                     {cut(text_of(letter, "error"), 60)}};
          },
      .none = "No dead letters."};
  return list(workplace, listing, page);
}

int retry(Workplace& workplace, std::string const& id, Filter const& filter) {
  ApiClient client(workplace.config);
  if (!id.empty()) {
    return show(workplace.console, client.post("/dead-letters/" + escaped(id) + "/retry", "{}"),
                [&](json::value const&) { return "It is handled once more, out of order."; });
  }
  auto const query = query_text({{"consumer", filter.consumer}, {"channel", filter.channel}});
  return show(workplace.console, client.post("/dead-letters/retry" + query, "{}"), [&](json::value const& answer) {
    return printable(text_of(answer, "retried")) + " are handled once more, out of order.";
  });
}

int drop(Workplace& workplace, std::string const& id) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.remove("/dead-letters/" + escaped(id)),
              [&](json::value const& answer) { return printable(text_of(answer, "message")); });
}

void take_filter(CLI::App& command, Filter& filter) {
  command.add_option("--consumer", filter.consumer, "Only those of this consumer")->type_name("NAME");
  command.add_option("--channel", filter.channel, "Only events of this channel")->type_name("CHANNEL");
}

}  // namespace

void add_dead_letter_commands(CLI::App& app, Invocation& invocation) {
  auto* letters = app.add_subcommand("dead-letter", "Events that a consumer could not handle");
  letters->require_subcommand(1);

  auto* lists = letters->add_subcommand("list", "List them, the newest first");
  auto const wanted = std::make_shared<Filter>();
  take_filter(*lists, *wanted);
  lists->add_option("--state", wanted->state, "waiting, retrying or parked")
      ->check(CLI::IsMember({"waiting", "retrying", "parked"}));
  auto const page = add_page_options(*lists);
  lists->callback([=, &invocation] {
    invocation.action = [=](Workplace& workplace) { return list_letters(workplace, *wanted, *page); };
  });

  auto* retries = letters->add_subcommand("retry", "Have one, or up to 500 that match, handled once more");
  auto const id = std::make_shared<std::string>();
  auto const which = std::make_shared<Filter>();
  retries->add_option("ID", *id, "Which one; all that match when left out");
  take_filter(*retries, *which);
  retries->footer("Example:\n  agent-lightning dead-letter retry --consumer task-metrics");
  retries->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return retry(workplace, *id, *which); }; });

  auto* drops = letters->add_subcommand("drop", "Drop one for good; the event itself stays in the log");
  auto const dropped = std::make_shared<std::string>();
  drops->add_option("ID", *dropped, "Which one")->required();
  drops->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return drop(workplace, *dropped); }; });
}

}  // namespace al::app
