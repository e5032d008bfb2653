#include <boost/json/object.hpp>

#include "app/listing.hpp"
#include "app/option_values.hpp"

namespace al::app {
namespace {

/// What is given of an agent, as the API takes it.
struct AgentChange {
  std::string id;
  json::object body;
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

std::string path_of(std::string const& id) { return "/agents/" + escaped(id); }

int show_one(Workplace& workplace, std::string const& id, std::string const& watch) {
  View const view{.path = path_of(id), .channels = "agent:*", .render = [&](json::value const& agent) {
                    return details(workplace.console, agent);
                  }};
  return look(workplace, view, watch);
}

int create(Workplace& workplace, AgentChange const& agent) {
  auto body = agent.body;
  body["id"] = agent.id;
  ApiClient client(workplace.config);
  return show(workplace.console, client.post("/agents", json::serialize(body)),
              [&](json::value const& made) { return details(workplace.console, made); });
}

int set(Workplace& workplace, AgentChange const& change) {
  if (change.body.empty())
    return report(workplace.console, {Code::bad_request, "name what to change; see --help"}, exit_usage);
  ApiClient client(workplace.config);
  return show(workplace.console, client.put(path_of(change.id), json::serialize(change.body)),
              [&](json::value const& agent) { return details(workplace.console, agent); });
}

int remove(Workplace& workplace, std::string const& id) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.remove(path_of(id)),
              [](json::value const& reply) { return text_of(reply, "message"); });
}

// ---- options ----

void add_fields(CLI::App& command, std::shared_ptr<AgentChange> const& change) {
  auto const text = [&](std::string const& option, std::string key, std::string const& doc) {
    auto const put = [change, key = std::move(key)](std::string const& value) { change->body[key] = value; };
    return command.add_option_function<std::string>(option, put, doc);
  };
  text("--name", "name", "Name shown to people");
  text("--specialization", "specialization", "Field it works in");
  text("--model", "model", "Model it thinks with")->type_name("MODEL");
  auto const put_capabilities = [change](std::vector<std::string> const& given) {
    change->body["capabilities"] = json::array(given.begin(), given.end());
  };
  command
      .add_option_function<std::vector<std::string>>("--capability", put_capabilities,
                                                     "What it can do; may be repeated")
      ->type_name("TEXT");
  auto const put_config = [change](std::string const& given) { change->body["config"] = json::parse(given).value(); };
  take_object(command.add_option_function<std::string>("--settings", put_config,
                                                       "How it thinks: its config, as docs/agents.md has it"));
}

void add_changes(CLI::App& agent, Invocation& invocation) {
  auto* creates = agent.add_subcommand("create", "Add an agent");
  auto made = std::make_shared<AgentChange>();
  creates->add_option("ID", made->id, "Its id: lower-case letters, digits, _ and -")->required();
  add_fields(*creates, made);
  creates->get_option("--name")->required();
  creates->get_option("--specialization")->required();
  creates->footer(
      "Example:\n  agent-lightning agent create translator --name Translator --specialization translation"
      " --capability german");
  creates->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return create(workplace, *made); }; });

  auto* sets = agent.add_subcommand("set", "Change what is given of an agent");
  auto change = std::make_shared<AgentChange>();
  sets->add_option("AGENT", change->id, "Its id")->required();
  add_fields(*sets, change);
  sets->footer(
      "--settings replaces the whole config, --capability all capabilities.\n"
      "Example:\n  agent-lightning agent set translator --settings '{\"max_steps\": 4}'");
  sets->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return set(workplace, *change); }; });
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

  add_changes(*agent, invocation);

  auto* removes = agent->add_subcommand("remove", "Delete an agent; its pending tasks are cancelled");
  auto removed = std::make_shared<std::string>();
  removes->add_option("AGENT", *removed, "Its id")->required();
  removes->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return remove(workplace, *removed); }; });
}

}  // namespace al::app
