#include "app/answer.hpp"
#include "app/command.hpp"
#include "app/option_values.hpp"
#include "app/pager.hpp"

namespace al::app {
namespace {

struct Tail {
  std::vector<std::string> channels;
  std::string aggregate;
  std::string after;
};

std::string joined(std::vector<std::string> const& words) {
  std::string out;
  for (auto const& word : words)
    out.append(out.empty() ? "" : ",").append(word);
  return out;
}

/// One event as a line: when, what happened to what, and the part of the state that says most.
std::string event_line(Console const& console, json::value const& event) {
  auto const& data = member_of(event, "data");
  auto const status = text_of(data, "status");
  // What was missed is told in the place of an event.
  if (auto const lost = text_of(event, "error"); !lost.empty())
    return console.paint(printable(lost), Tone::caution);
  auto out = console.paint(printable(text_of(event, "timestamp")), Tone::faint) + "  " +
             console.paint(printable(text_of(event, "channel")), Tone::accent) + "  " +
             printable(text_of(event, "aggregate_id")) + "  v" + printable(text_of(event, "version"));
  if (!status.empty())
    out += "  " + console.paint(printable(status), tone_of_status(status));
  for (auto const* key : {"description", "name", "source"}) {
    auto const text = printable(text_of(data, key));
    if (text.empty())
      continue;
    return out + "  " + cut(text, 60);
  }
  return out;
}

Task<Result<void>> follow(ApiClient& client, Tail const& tail, Console& console) {
  auto token = tail.after;
  if (token.empty()) {
    auto tip = co_await client.events_tip();
    if (!tip)
      co_return fail(std::move(tip.error()));
    token = std::move(*tip);
  }
  auto const query = query_text({{"channel", joined(tail.channels)}, {"aggregate_id", tail.aggregate}});
  co_return co_await client.events_after(token, query, [&console](json::Input event) {
    console.print(console.json() ? std::string(event.raw) : event_line(console, *event.parsed));
    return true;
  });
}

int tail_events(Workplace& workplace, Tail const& tail) {
  ApiClient client(workplace.config);
  auto const done = client.run(follow(client, tail, workplace.console));
  return done ? exit_ok : report(workplace.console, done.error());
}

/// Every page, one after the other: as text as it comes, with --json as one list.
int replay(Workplace& workplace, std::string const& kind, std::string const& id) {
  auto& console = workplace.console;
  ApiClient client(workplace.config);
  LongOutput out(console);
  std::string all;
  std::size_t count = 0;
  bool is_read = true;
  for (std::string cursor; is_read && (count == 0 || !cursor.empty());) {
    auto const query = query_text({{"kind", kind}, {"aggregate_id", id}, {"cursor", cursor}});
    auto const page = client.get("/events/replay" + query);
    if (!page) {
      out.finish();
      return report(console, page.error());
    }
    auto const root = page->body.root();
    auto const events = json::elements(json::member(root, "events"));
    if (events.empty())
      break;
    count += events.size();
    for (auto const& event : events) {
      if (console.json()) {
        all.append(all.empty() ? "" : ",").append(event.raw);
      } else {
        is_read = is_read && out.print(event_line(console, *event.parsed));
      }
    }
    cursor = text_of(*root.parsed, "next_cursor");
  }
  if (console.json()) {
    console.print(R"({"events":[)" + all + R"(],"count":)" + std::to_string(count) + R"(,"next_cursor":null})");
  } else if (count == 0) {
    console.print("No events of " + printable(kind + " " + id) + ".");
  }
  out.finish();
  return exit_ok;
}

}  // namespace

void add_event_commands(CLI::App& app, Invocation& invocation) {
  auto* events = app.add_subcommand("events", "What happens, live and in the past");
  events->require_subcommand(1);

  auto* tails = events->add_subcommand("tail", "Print events as they happen, until Ctrl-C");
  auto tail = std::make_shared<Tail>();
  tails->add_option("--channel", tail->channels, "Only these, such as task:* or agent:created; may be repeated")
      ->type_name("PATTERN");
  tails->add_option("--aggregate", tail->aggregate, "Only of this agent, task or agent/item")->type_name("ID");
  tails->add_option("--after", tail->after, "From this resume token on")->type_name("TOKEN");
  tails->footer("Example:\n  agent-lightning events tail --channel \"task:*\" --json");
  tails->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return tail_events(workplace, *tail); }; });

  auto* replays = events->add_subcommand("replay", "Every change of one thing, from its beginning");
  auto kind = std::make_shared<std::string>();
  auto id = std::make_shared<std::string>();
  take_choice(replays->add_option("KIND", *kind, "Of what"), "agent|task|knowledge|provider|session")->required();
  replays->add_option("ID", *id, "Its id; of knowledge agent/item")->required();
  replays->footer("Example:\n  agent-lightning events replay agent writer");
  replays->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return replay(workplace, *kind, *id); }; });
}

}  // namespace al::app
