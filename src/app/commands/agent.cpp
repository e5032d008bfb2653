#include <boost/json/object.hpp>

#include "app/listing.hpp"

namespace al::app {
namespace {

struct NewAgent {
  std::string id;
  std::string name;
  std::string specialization;
  std::string model;
  std::vector<std::string> capabilities;
  std::string settings;
};

int list_agents(Workplace& workplace, PageOptions const& page) {
  Listing const listing{.path = "/agents",
                        .key = "agents",
                        .channels = "agent:*",
                        .heading = {"ID", "NAME", "STATUS", "MODEL", "FIELD"},
                        .row =
                            [](json::value const& agent) {
                              auto const status = text_of(agent, "status");
                              return std::vector<Cell>{{text_of(agent, "id"), Tone::strong},
                                                       {text_of(agent, "name")},
                                                       {status, tone_of_status(status)},
                                                       {text_of(agent, "model")},
                                                       {text_of(agent, "specialization")}};
                            },
                        .none = "No agents."};
  return list(workplace, listing, page);
}

std::string details(Console const& console, json::value const& agent) {
  auto const status = text_of(agent, "status");
  Details out(console);
  out.add("id", text_of(agent, "id"), Tone::strong).add("name", text_of(agent, "name"));
  out.add("status", status, tone_of_status(status)).add("model", text_of(agent, "model"));
  out.add("field", text_of(agent, "specialization")).add("capabilities", text_of(agent, "capabilities"));
  out.add("tasks at once", text_of(agent, "max_concurrency")).add("version", text_of(agent, "version"));
  out.add("created", text_of(agent, "created_at")).add("changed", text_of(agent, "updated_at"));
  auto const config = text_of(agent, "config");
  if (config != "{}")
    out.add("config", config);
  return out.text();
}

int show_one(Workplace& workplace, std::string const& id, std::string const& watch) {
  View const view{.path = "/agents/" + escaped(id), .channels = "agent:*", .render = [&](json::value const& agent) {
                    return details(workplace.console, agent);
                  }};
  return look(workplace, view, watch);
}

int create(Workplace& workplace, NewAgent const& agent) {
  json::object body{{"id", agent.id}, {"name", agent.name}, {"specialization", agent.specialization}};
  if (!agent.model.empty())
    body["model"] = agent.model;
  if (!agent.capabilities.empty())
    body["capabilities"] = json::array(agent.capabilities.begin(), agent.capabilities.end());
  if (!agent.settings.empty()) {
    auto settings = json::parse(agent.settings);
    if (!settings)
      return report(workplace.console, {Code::invalid, "--settings is no JSON: " + settings.error().message});
    body["config"] = std::move(*settings);
  }
  ApiClient client(workplace.config);
  return show(workplace.console, client.post("/agents", json::serialize(body)),
              [&](json::value const& made) { return details(workplace.console, made); });
}

}  // namespace

void add_agent_commands(CLI::App& app, Invocation& invocation) {
  auto* agent = app.add_subcommand("agent", "Who there is to work, and whom to add");
  agent->require_subcommand(1);

  auto* lists = agent->add_subcommand("list", "All agents");
  auto page = add_page_options(*lists);
  lists->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return list_agents(workplace, *page); }; });

  auto* shows = agent->add_subcommand("show", "One agent");
  auto id = std::make_shared<std::string>();
  shows->add_option("AGENT", *id, "Its id")->required();
  auto const wish = add_watch_option(*shows);
  shows->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return show_one(workplace, *id, *wish); }; });

  auto* creates = agent->add_subcommand("create", "Add an agent");
  auto made = std::make_shared<NewAgent>();
  creates->add_option("ID", made->id, "Its id: lower-case letters, digits, _ and -")->required();
  creates->add_option("--name", made->name, "Name shown to people")->required();
  creates->add_option("--specialization", made->specialization, "Field it works in")->required();
  creates->add_option("--model", made->model, "Model it thinks with")->type_name("MODEL");
  creates->add_option("--capability", made->capabilities, "What it can do; may be repeated")->type_name("TEXT");
  creates->add_option("--settings", made->settings, "How it thinks: its config, as docs/agents.md has it")
      ->type_name("JSON");
  creates->footer(
      "Example:\n  agent-lightning agent create translator --name Translator --specialization translation"
      " --capability german");
  creates->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return create(workplace, *made); }; });
}

}  // namespace al::app
