#include <boost/json/object.hpp>
#include <iostream>
#include <iterator>

#include "app/listing.hpp"
#include "app/option_values.hpp"

namespace al::app {
namespace {

constexpr std::size_t passage_columns_max = 100;
constexpr std::size_t excerpt_columns_max = 60;
constexpr std::int64_t found_max = 50;

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

int list_items(Workplace& workplace, std::string const& agent, std::string const& category, PageOptions const& page) {
  Listing const listing{.path = "/agents/" + escaped(agent) + "/knowledge",
                        .key = "knowledge",
                        .filters = {{"category", category}},
                        .channels = "knowledge:*",
                        .heading = {"ID", "CATEGORY", "SOURCE", "TEXT"},
                        .row =
                            [](json::value const& item) {
                              auto const text = printable(text_of(item, "content"));
                              return std::vector<Cell>{{text_of(item, "id"), Tone::strong},
                                                       {text_of(item, "category")},
                                                       {text_of(item, "source"), Tone::faint},
                                                       {cut(text, excerpt_columns_max)}};
                            },
                        .none = "It knows nothing yet."};
  return list(workplace, listing, page);
}

int remove(Workplace& workplace, std::string const& agent, std::string const& id) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.remove("/knowledge/" + escaped(id) + query_text({{"agent_id", agent}})),
              [](json::value const& reply) { return text_of(reply, "message"); });
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

// ---- options ----

void add_list(CLI::App& knowledge, Invocation& invocation) {
  auto* lists = knowledge.add_subcommand("list", "What an agent knows");
  auto agent = std::make_shared<std::string>();
  auto category = std::make_shared<std::string>();
  lists->add_option("AGENT", *agent, "Whose knowledge")->required();
  lists->add_option("--category", *category, "Only of this kind");
  auto page = add_page_options(*lists);
  lists->callback([=, &invocation] {
    invocation.action = [=](Workplace& workplace) { return list_items(workplace, *agent, *category, *page); };
  });
}

void add_remove(CLI::App& knowledge, Invocation& invocation) {
  auto* removes = knowledge.add_subcommand("remove", "Delete something that an agent knows");
  auto agent = std::make_shared<std::string>();
  auto id = std::make_shared<std::string>();
  removes->add_option("AGENT", *agent, "Whose knowledge")->required();
  removes->add_option("ITEM", *id, "Its id")->required();
  removes->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return remove(workplace, *agent, *id); }; });
}

void add_add(CLI::App& knowledge, Invocation& invocation) {
  auto* adds = knowledge.add_subcommand("add", "Teach an agent something");
  auto item = std::make_shared<NewItem>();
  adds->add_option("AGENT", item->agent, "Whose knowledge it becomes")->required();
  adds->add_option("TEXT", item->content, "The text; - reads it from standard input")->required();
  adds->add_option("--id", item->id, "Its id; made by the server when left out");
  adds->add_option("--category", item->category, "Kind of knowledge");
  adds->add_option("--source", item->source, "Where it comes from");
  adds->footer("Example:\n  agent-lightning knowledge add writer - --id style-guide --source style.md < style.md");
  adds->callback([=, &invocation] { invocation.action = [=](Workplace& workplace) { return add(workplace, *item); }; });
}

void add_search(CLI::App& knowledge, Invocation& invocation) {
  auto* searches = knowledge.add_subcommand("search", "Find what answers a question");
  auto wanted = std::make_shared<Search>();
  searches->add_option("QUESTION", wanted->words, "What is looked for")->required();
  searches->add_option("--agent", wanted->agent, "Only in this agent's knowledge")->type_name("AGENT");
  searches->add_option("--category", wanted->category, "Only of this kind");
  take_number(searches->add_option("--limit", wanted->limit, "How many at most (1 to 50)"), 1, found_max)
      ->capture_default_str();
  searches->footer("Example:\n  agent-lightning knowledge search \"rolling update\" --agent devops_engineer");
  searches->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return search(workplace, *wanted); }; });
}

}  // namespace

void add_knowledge_commands(CLI::App& app, Invocation& invocation) {
  auto* knowledge = app.add_subcommand("knowledge", "What agents know: list it, add to it, search it");
  knowledge->require_subcommand(1);
  add_list(*knowledge, invocation);
  add_add(*knowledge, invocation);
  add_search(*knowledge, invocation);
  add_remove(*knowledge, invocation);
}

}  // namespace al::app
