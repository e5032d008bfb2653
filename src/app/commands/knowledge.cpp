#include <boost/json/object.hpp>
#include <iostream>
#include <iterator>

#include "app/answer.hpp"
#include "app/command.hpp"

namespace al::app {
namespace {

constexpr std::size_t passage_columns_max = 100;

struct NewItem {
  std::string agent;
  std::string content;
  std::string id;
  std::string category;
  std::string source;
};

struct Search {
  std::vector<std::string> words;
  std::string agent;
  std::string category;
  std::int64_t limit = 10;
};

int add(Workplace& workplace, NewItem const& item) {
  json::object body{{"content", item.content}};
  if (item.content == "-")
    body["content"] = std::string(std::istreambuf_iterator<char>(std::cin), {});
  if (!item.id.empty())
    body["id"] = item.id;
  if (!item.category.empty())
    body["category"] = item.category;
  if (!item.source.empty())
    body["source"] = item.source;
  ApiClient client(workplace.config);
  return show(workplace.console, client.post("/agents/" + escaped(item.agent) + "/knowledge", json::serialize(body)),
              [&](json::value const& made) {
                return "added " + workplace.console.paint(printable(text_of(made, "id")), Tone::strong) + " to " +
                       printable(text_of(made, "agent_id"));
              });
}

/// One found item: who knows it, where it comes from, and the passages that answer best.
std::string match_text(Console const& console, std::size_t number, json::value const& match) {
  auto const& item = member_of(match, "knowledge");
  auto const id = printable(text_of(item, "agent_id") + "/" + text_of(item, "id"));
  auto out = std::to_string(number) + ". " + console.paint(id, Tone::strong);
  if (auto const source = printable(text_of(item, "source")); !source.empty()) {
    out += "  " + console.paint(source, Tone::faint);
  }
  auto const width = std::min(console.options().width, passage_columns_max);
  for (auto const& passage : list_of(match, "passages")) {
    if (passage.is_string())
      out += "\n" + wrapped(printable(std::string(passage.get_string()), true), width, 3);
  }
  return out;
}

int search(Workplace& workplace, Search const& wanted) {
  auto& console = workplace.console;
  std::string query;
  for (auto const& word : wanted.words)
    query.append(query.empty() ? "" : " ").append(word);
  json::object body{{"query", query}, {"limit", wanted.limit}};
  if (!wanted.agent.empty())
    body["agent_id"] = wanted.agent;
  if (!wanted.category.empty())
    body["category"] = wanted.category;
  ApiClient client(workplace.config);
  return show(console, client.post("/knowledge/search", json::serialize(body)), [&](json::value const& found) {
    std::string out;
    std::size_t number = 0;
    for (auto const& match : list_of(found, "results")) {
      out.append(out.empty() ? "" : "\n\n").append(match_text(console, ++number, match));
    }
    return out.empty() ? std::string("Nothing found.") : out;
  });
}

}  // namespace

void add_knowledge_commands(CLI::App& app, Invocation& invocation) {
  auto* knowledge = app.add_subcommand("knowledge", "What agents know: add to it, search it");
  knowledge->require_subcommand(1);

  auto* adds = knowledge->add_subcommand("add", "Teach an agent something");
  auto item = std::make_shared<NewItem>();
  adds->add_option("AGENT", item->agent, "Whose knowledge it becomes")->required();
  adds->add_option("TEXT", item->content, "The text; - reads it from standard input")->required();
  adds->add_option("--id", item->id, "Its id; made by the server when left out");
  adds->add_option("--category", item->category, "Kind of knowledge");
  adds->add_option("--source", item->source, "Where it comes from");
  adds->callback([=, &invocation] { invocation.action = [=](Workplace& workplace) { return add(workplace, *item); }; });

  auto* searches = knowledge->add_subcommand("search", "Find what answers a question");
  auto wanted = std::make_shared<Search>();
  searches->add_option("QUESTION", wanted->words, "What is looked for")->required();
  searches->add_option("--agent", wanted->agent, "Only in this agent's knowledge")->type_name("AGENT");
  searches->add_option("--category", wanted->category, "Only of this kind");
  searches->add_option("--limit", wanted->limit, "How many at most (1 to 50)")->capture_default_str();
  searches->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return search(workplace, *wanted); }; });
}

}  // namespace al::app
