#include "app/listing.hpp"
#include "app/option_values.hpp"

namespace al::app {
namespace {

struct UsageWish {
  std::string principal;
  std::string from;
  std::string to;
  std::shared_ptr<PageOptions> page;
};

std::string default_text(json::value const& model) {
  auto const& is_default = member_of(model, "is_default");
  return is_default.is_bool() && is_default.get_bool() ? "yes" : "no";
}

std::string table_text(Console const& console, json::value const& models) {
  Table table({"ID", "PROVIDER", "KIND", "MODEL", "DEFAULT"});
  for (auto const& model : list_of(models, "models")) {
    table.add({{text_of(model, "id"), Tone::strong},
               {text_of(model, "provider")},
               {text_of(model, "kind")},
               {text_of(model, "model_id")},
               {default_text(model)}});
  }
  return table.empty() ? std::string("No models.") : table.text(console);
}

std::string details(Console const& console, json::value const& model) {
  Details out(console);
  out.add("id", text_of(model, "id"), Tone::strong).add("provider", text_of(model, "provider"));
  out.add("kind", text_of(model, "kind")).add("model", text_of(model, "model_id"));
  out.add("default", default_text(model));
  return out.text();
}

int list_models(Workplace& workplace) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.get("/models"),
              [&](json::value const& models) { return table_text(workplace.console, models); });
}

int show_one(Workplace& workplace, std::string const& id) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.get("/models/" + escaped(id)),
              [&](json::value const& model) { return details(workplace.console, model); });
}

int list_usage(Workplace& workplace, UsageWish const& wish) {
  Listing const listing{.path = "/models/usage",
                        .key = "usage",
                        .filters = {{"principal", wish.principal}, {"from", wish.from}, {"to", wish.to}},
                        .heading = {"DAY", "CALLER", "PROVIDER", "MODEL", "REQUESTS", "TOKENS READ", "TOKENS WRITTEN"},
                        .row =
                            [](json::value const& used) {
                              return std::vector<Cell>{
                                  {text_of(used, "day"), Tone::strong}, {text_of(used, "principal")},
                                  {text_of(used, "provider")},          {text_of(used, "model")},
                                  {text_of(used, "requests")},          {text_of(used, "input_tokens")},
                                  {text_of(used, "output_tokens")}};
                            },
                        .none = "No model was used."};
  return list(workplace, listing, *wish.page);
}

void add_usage(CLI::App& model, Invocation& invocation) {
  auto* usage = model.add_subcommand("usage", "What was used of models, by day, the latest first");
  auto wish = std::make_shared<UsageWish>();
  usage->add_option("--principal", wish->principal, "Only of this caller")->type_name("ID");
  take_day(usage->add_option("--from", wish->from, "The first day"));
  take_day(usage->add_option("--to", wish->to, "The last day"));
  wish->page = add_page_options(*usage);
  usage->footer("Example:\n  agent-lightning model usage --from 2026-01-01 --all");
  usage->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return list_usage(workplace, *wish); }; });
}

}  // namespace

void add_model_commands(CLI::App& app, Invocation& invocation) {
  auto* model = app.add_subcommand("model", "Which models there are, and what was used of them");
  model->require_subcommand(1);

  auto* lists = model->add_subcommand("list", "The models that agents and callers can name");
  lists->callback([&invocation] { invocation.action = list_models; });

  auto* shows = model->add_subcommand("show", "One model");
  auto id = std::make_shared<std::string>();
  shows->add_option("MODEL", *id, "Its id")->required();
  shows->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return show_one(workplace, *id); }; });
  add_usage(*model, invocation);
}

}  // namespace al::app
