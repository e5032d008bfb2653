#include "model/provider.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "app/listing.hpp"
#include "app/option_values.hpp"

namespace al::app {
namespace {

constexpr std::size_t key_bytes_max = 4096;

/// Where a key is read from. Arguments are seen by every user of the machine, so it is never one of them.
struct KeySource {
  std::string file;
  std::string variable;
  bool is_removed = false;
};

struct ProviderChange {
  std::string id;
  std::string kind;
  std::string base_url;
  std::optional<std::string> default_model;
  std::vector<std::string> models;
  KeySource key;
};

// ---- the key ----

Result<std::string> read_stream(std::istream& in, std::string const& name) {
  std::string text(key_bytes_max + 2, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  if (in.bad() || text.empty() || text.size() > key_bytes_max)
    return fail(Code::invalid, name + " holds no key: it needs one line of at most 4096 characters");
  return text;
}

/// Empty: none was asked for.
Result<std::string> read_key(KeySource const& source) {
  if (!source.file.empty() && source.file != "-") {
    std::ifstream in(source.file, std::ios::binary);
    if (!in)
      return fail(Code::not_found, "cannot read the key file " + source.file);
    return read_stream(in, source.file);
  }
  if (source.file == "-")
    return read_stream(std::cin, "standard input");
  if (source.variable.empty())
    return std::string();
  auto const environment = Config::process_environment();
  auto const found = environment.find(source.variable);
  if (found == environment.end() || found->second.empty())
    return fail(Code::not_found, "the environment variable " + source.variable + " is not set");
  return found->second;
}

/// Errors: invalid (a --map without both names), and those of the key.
Result<json::object> body_of(ProviderChange const& change) {
  json::object body;
  if (!change.kind.empty())
    body["kind"] = change.kind;
  if (!change.base_url.empty())
    body["base_url"] = change.base_url;
  if (change.default_model)
    body["default_model"] = *change.default_model;
  json::object models;
  for (auto const& pair : change.models) {
    auto const equals = pair.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == pair.size())
      return fail(Code::invalid, "--map needs NAME=MODEL, not '" + pair + "'");
    models[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  if (!models.empty())
    body["models"] = std::move(models);
  auto const key = read_key(change.key);
  if (!key)
    return fail(key.error());
  if (!key->empty())
    body["key"] = *key;
  if (change.key.is_removed)
    body["key"] = nullptr;
  return body;
}

// ---- what is shown ----

std::string key_text(json::value const& provider) {
  auto const& has_key = member_of(provider, "has_key");
  return has_key.is_bool() && has_key.get_bool() ? "yes" : "no";
}

std::string details(Console const& console, json::value const& provider) {
  Details out(console);
  out.add("id", text_of(provider, "id"), Tone::strong).add("kind", text_of(provider, "kind"));
  out.add("base url", text_of(provider, "base_url")).add("key", key_text(provider));
  out.add("default model", text_of(provider, "default_model"));
  if (auto const models = text_of(provider, "models"); models != "{}")
    out.add("models", models);
  bool const is_operators = text_of(provider, "origin") == "settings";
  out.add("origin", is_operators ? "the server's settings, and changed there" : "");
  if (!is_operators)
    out.add("version", text_of(provider, "version")).add("changed", text_of(provider, "updated_at"));
  return out.text();
}

std::string test_text(Console const& console, json::value const& result) {
  auto const& ok = member_of(result, "ok");
  bool const is_fine = ok.is_bool() && ok.get_bool();
  auto const& models = list_of(result, "models");
  Details out(console);
  out.add("answer", is_fine ? "ok" : "failed", is_fine ? Tone::good : Tone::bad);
  out.add("reason", text_of(result, "reason")).add("latency", text_of(result, "latency_ms") + " ms");
  if (is_fine)
    out.add("models", models.empty() ? "none" : text_of(result, "models"));
  return out.text();
}

// ---- commands ----

std::string path_of(std::string const& id) { return "/providers/" + escaped(id); }

int list_providers(Workplace& workplace, PageOptions const& page) {
  Listing const listing{.path = "/providers",
                        .key = "providers",
                        .channels = "provider:*",
                        .heading = {"ID", "KIND", "BASE URL", "KEY", "ORIGIN"},
                        .row =
                            [](json::value const& provider) {
                              return std::vector<Cell>{{text_of(provider, "id"), Tone::strong},
                                                       {text_of(provider, "kind")},
                                                       {text_of(provider, "base_url")},
                                                       {key_text(provider)},
                                                       {text_of(provider, "origin")}};
                            },
                        .none = "No providers."};
  return list(workplace, listing, page);
}

int show_one(Workplace& workplace, std::string const& id) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.get(path_of(id)),
              [&](json::value const& provider) { return details(workplace.console, provider); });
}

int add(Workplace& workplace, ProviderChange const& change) {
  auto body = body_of(change);
  if (!body)
    return report(workplace.console, body.error(), exit_usage);
  (*body)["id"] = change.id;
  ApiClient client(workplace.config);
  return show(workplace.console, client.post("/providers", json::serialize(*body)),
              [&](json::value const& provider) { return details(workplace.console, provider); });
}

int set(Workplace& workplace, ProviderChange const& change) {
  auto const body = body_of(change);
  if (!body)
    return report(workplace.console, body.error(), exit_usage);
  if (body->empty())
    return report(workplace.console, {Code::bad_request, "name what to change; see --help"}, exit_usage);
  ApiClient client(workplace.config);
  return show(workplace.console, client.put(path_of(change.id), json::serialize(*body)),
              [&](json::value const& provider) { return details(workplace.console, provider); });
}

int remove(Workplace& workplace, std::string const& id) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.remove(path_of(id)),
              [](json::value const& reply) { return text_of(reply, "message"); });
}

/// A provider that does not answer is a failure of the command, too.
int test(Workplace& workplace, std::string const& id) {
  ApiClient client(workplace.config);
  bool is_fine = false;
  auto const reply = client.post(path_of(id) + "/test", {});
  if (reply) {
    auto const& ok = member_of(*reply->body.root().parsed, "ok");
    is_fine = ok.is_bool() && ok.get_bool();
  }
  auto const code =
      show(workplace.console, reply, [&](json::value const& result) { return test_text(workplace.console, result); });
  return code == exit_ok && !is_fine ? exit_failure : code;
}

// ---- options ----

void add_key_options(CLI::App& command, std::shared_ptr<ProviderChange> const& change) {
  auto* file = command.add_option("--key-file", change->key.file, "Read the key from FILE; - is standard input");
  file->type_name("FILE");
  command.add_option("--key-env", change->key.variable, "Read the key from the environment variable NAME")
      ->type_name("NAME")
      ->excludes(file);
}

void add_fields(CLI::App& command, std::shared_ptr<ProviderChange> const& change) {
  take_choice(command.add_option("--kind", change->kind, "The protocol it speaks"), choices_of<model::ProviderKind>());
  command.add_option("--base-url", change->base_url, "As https://api.openai.com/v1, or https://api.anthropic.com")
      ->type_name("URL");
  command
      .add_option_function<std::string>(
          "--default-model", [change](std::string const& model) { change->default_model = model; },
          "For model names that are not mapped")
      ->type_name("MODEL");
  command.add_option("--map", change->models, "What an agent's model name means there; may be repeated")
      ->type_name("NAME=MODEL");
  add_key_options(command, change);
}

void add_changes(CLI::App& provider, Invocation& invocation) {
  auto* adds = provider.add_subcommand("add", "Register a provider");
  auto made = std::make_shared<ProviderChange>();
  adds->add_option("PROVIDER", made->id, "Its id: lower-case letters, digits, _ and -")->required();
  add_fields(*adds, made);
  adds->get_option("--kind")->required();
  adds->get_option("--base-url")->required();
  adds->footer(
      "Example:\n  agent-lightning provider add groq --kind openai --base-url https://api.groq.com/openai/v1"
      " --key-env GROQ_API_KEY\nThe host must be one of PROVIDERS_ALLOWED_HOSTS of the server.");
  adds->callback([=, &invocation] { invocation.action = [=](Workplace& workplace) { return add(workplace, *made); }; });

  auto* sets = provider.add_subcommand("set", "Change what is given of a provider");
  auto change = std::make_shared<ProviderChange>();
  sets->add_option("PROVIDER", change->id, "Its id")->required();
  add_fields(*sets, change);
  sets->add_flag("--no-key", change->key.is_removed, "Take its key away")
      ->excludes(sets->get_option("--key-file"))
      ->excludes(sets->get_option("--key-env"));
  sets->footer("--map replaces the whole map.");
  sets->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return set(workplace, *change); }; });
}

void add_one(CLI::App& provider, Invocation& invocation, std::string const& name, std::string const& doc,
             int (*run)(Workplace&, std::string const&)) {
  auto* command = provider.add_subcommand(name, doc);
  auto id = std::make_shared<std::string>();
  command->add_option("PROVIDER", *id, "Its id")->required();
  command->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return run(workplace, *id); }; });
}

}  // namespace

void add_provider_commands(CLI::App& app, Invocation& invocation) {
  auto* provider = app.add_subcommand("provider", "Where models are to be had");
  provider->require_subcommand(1);

  auto* lists = provider->add_subcommand("list", "All providers, those of the server's settings among them");
  auto page = add_page_options(*lists);
  lists->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return list_providers(workplace, *page); }; });

  add_one(*provider, invocation, "show", "One provider, without its key", show_one);
  add_changes(*provider, invocation);
  add_one(*provider, invocation, "remove", "Delete a provider, and its key for good", remove);
  add_one(*provider, invocation, "test", "Ask it for its models", test);
}

}  // namespace al::app
