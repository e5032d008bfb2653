#include <boost/json/object.hpp>

#include "app/listing.hpp"
#include "app/option_values.hpp"

namespace al::app {
namespace {

std::string message_of(json::value const& answer) { return printable(text_of(answer, "message")); }

json::array texts(std::vector<std::string> const& items) {
  json::array out;
  for (auto const& item : items)
    out.emplace_back(std::string_view(item));
  return out;
}

// ---- users ----

struct NewUser {
  std::string email;
  std::string name;
  std::vector<std::string> roles;
};

struct UserChange {
  std::string id;
  std::string name;
  std::string status;
  std::vector<std::string> roles;
};

int list_users(Workplace& workplace, PageOptions const& page) {
  Listing const listing{.path = "/users",
                        .key = "users",
                        .heading = {"ID", "E-MAIL", "NAME", "STATUS", "MFA", "ROLES"},
                        .row =
                            [](json::value const& user) {
                              return std::vector<Cell>{{text_of(user, "id"), Tone::strong}, {text_of(user, "email")},
                                                       {text_of(user, "full_name")},        {text_of(user, "status")},
                                                       {text_of(user, "mfa_enabled")},      {text_of(user, "roles")}};
                            },
                        .none = "No users."};
  return list(workplace, listing, page);
}

std::string link_text(json::value const& reset) {
  return "token " + printable(text_of(reset, "token")) + "  (shown once; good once, until " +
         printable(text_of(reset, "expires_at")) + ")";
}

/// He gets a token for his password at once: without it nobody could sign in.
int create_user(Workplace& workplace, NewUser const& wanted) {
  ApiClient client(workplace.config);
  json::object const body{{"email", wanted.email}, {"full_name", wanted.name}, {"roles", texts(wanted.roles)}};
  auto const made = client.post("/users", json::serialize(body));
  if (!made)
    return report(workplace.console, made.error());
  auto const id = text_of(*made->body.root().parsed, "id");
  return show(workplace.console, client.post("/users/" + escaped(id) + "/password-reset", "{}"),
              [&](json::value const& reset) {
                return "Created user " + printable(id) + ". To set a password: " + link_text(reset);
              });
}

int change_user(Workplace& workplace, UserChange const& wanted) {
  json::object body;
  if (!wanted.name.empty())
    body["full_name"] = wanted.name;
  if (!wanted.status.empty())
    body["status"] = wanted.status;
  if (!wanted.roles.empty())
    body["roles"] = texts(wanted.roles);
  ApiClient client(workplace.config);
  return show(workplace.console, client.put("/users/" + escaped(wanted.id), json::serialize(body)),
              [](json::value const& user) { return "Changed user " + printable(text_of(user, "email")) + "."; });
}

int remove_user(Workplace& workplace, std::string const& id) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.remove("/users/" + escaped(id)), message_of);
}

int reset_password(Workplace& workplace, std::string const& id) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.post("/users/" + escaped(id) + "/password-reset", "{}"), link_text);
}

void add_user_commands(CLI::App& app, Invocation& invocation) {
  auto* users = app.add_subcommand("user", "Who may sign in");
  users->require_subcommand(1);

  auto* lists = users->add_subcommand("list", "List users, the newest first");
  auto const page = add_page_options(*lists);
  lists->callback([=, &invocation] { invocation.action = [=](Workplace& place) { return list_users(place, *page); }; });

  auto* creates = users->add_subcommand("create", "Create a user; prints a token with which he sets his password");
  auto const wanted = std::make_shared<NewUser>();
  creates->add_option("EMAIL", wanted->email, "What he signs in with")->required();
  creates->add_option("--name", wanted->name, "Name shown to people")->type_name("NAME")->required();
  creates->add_option("--role", wanted->roles, "A role; may be given more than once")->type_name("ROLE");
  creates->footer("Example:\n  agent-lightning user create ada@example.org --name \"Ada Lovelace\" --role developer");
  creates->callback(
      [=, &invocation] { invocation.action = [=](Workplace& place) { return create_user(place, *wanted); }; });

  auto* sets = users->add_subcommand("set", "Change a user: what is left out stays");
  auto const change = std::make_shared<UserChange>();
  sets->add_option("ID", change->id, "Which one")->required();
  sets->add_option("--name", change->name, "Name shown to people")->type_name("NAME");
  take_choice(sets->add_option("--status", change->status, "Only active ones get in"), "pending|active|disabled");
  sets->add_option("--role", change->roles, "All his roles from now on; may be given more than once")
      ->type_name("ROLE");
  sets->callback(
      [=, &invocation] { invocation.action = [=](Workplace& place) { return change_user(place, *change); }; });

  auto* removes = users->add_subcommand("remove", "Delete a user; what he did stays");
  auto const removed = std::make_shared<std::string>();
  removes->add_option("ID", *removed, "Which one")->required();
  removes->callback(
      [=, &invocation] { invocation.action = [=](Workplace& place) { return remove_user(place, *removed); }; });

  auto* resets = users->add_subcommand("reset-password", "A one-time token with which a user sets his password");
  auto const reset = std::make_shared<std::string>();
  resets->add_option("ID", *reset, "Whose")->required();
  resets->callback(
      [=, &invocation] { invocation.action = [=](Workplace& place) { return reset_password(place, *reset); }; });
}

// ---- roles ----

int list_roles(Workplace& workplace, PageOptions const& page) {
  Listing const listing{.path = "/roles",
                        .key = "roles",
                        .heading = {"ID", "BUILT IN", "PERMISSIONS", "DESCRIPTION"},
                        .row =
                            [](json::value const& role) {
                              return std::vector<Cell>{{text_of(role, "id"), Tone::strong},
                                                       {text_of(role, "built_in")},
                                                       {text_of(role, "permissions")},
                                                       {text_of(role, "description")}};
                            },
                        .none = "No roles."};
  return list(workplace, listing, page);
}

int create_role(Workplace& workplace, std::string const& id, std::vector<std::string> const& permissions) {
  ApiClient client(workplace.config);
  json::object const body{{"id", id}, {"permissions", texts(permissions)}};
  return show(workplace.console, client.post("/roles", json::serialize(body)),
              [](json::value const& role) { return "Created role " + printable(text_of(role, "id")) + "."; });
}

int remove_role(Workplace& workplace, std::string const& id) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.remove("/roles/" + escaped(id)), message_of);
}

void add_role_commands(CLI::App& app, Invocation& invocation) {
  auto* roles = app.add_subcommand("role", "What users may do");
  roles->require_subcommand(1);

  auto* lists = roles->add_subcommand("list", "List roles, the built-in ones first");
  auto const page = add_page_options(*lists);
  lists->callback([=, &invocation] { invocation.action = [=](Workplace& place) { return list_roles(place, *page); }; });

  auto* creates = roles->add_subcommand("create", "Make a role");
  auto const id = std::make_shared<std::string>();
  auto const permissions = std::make_shared<std::vector<std::string>>();
  creates->add_option("ID", *id, "What it is called: a-z, 0-9, _ and -")->required();
  creates->add_option("--permission", *permissions, "Such as agents:read; may be given more than once")
      ->type_name("PERMISSION")
      ->required();
  creates->callback([=, &invocation] {
    invocation.action = [=](Workplace& place) { return create_role(place, *id, *permissions); };
  });

  auto* removes = roles->add_subcommand("remove", "Delete a role: who has it loses what it gave");
  auto const removed = std::make_shared<std::string>();
  removes->add_option("ID", *removed, "Which one")->required();
  removes->callback(
      [=, &invocation] { invocation.action = [=](Workplace& place) { return remove_role(place, *removed); }; });
}

// ---- API keys ----

struct NewKey {
  std::string name;
  std::vector<std::string> permissions;
  std::string expires;
  bool is_service = false;
};

int list_keys(Workplace& workplace, bool all_owners, PageOptions const& page) {
  Listing const listing{.path = "/auth/api-keys",
                        .key = "api_keys",
                        .filters = {{"owner", all_owners ? "all" : ""}},
                        .heading = {"ID", "NAME", "BEGINS WITH", "EXPIRES", "LAST USED", "PERMISSIONS"},
                        .row =
                            [](json::value const& key) {
                              return std::vector<Cell>{
                                  {text_of(key, "id"), Tone::strong}, {text_of(key, "name")},
                                  {text_of(key, "prefix")},           {text_of(key, "expires_at")},
                                  {text_of(key, "last_used_at")},     {text_of(key, "permissions")}};
                            },
                        .none = "No API keys."};
  return list(workplace, listing, page);
}

/// The key alone on the last line, for scripts.
std::string key_text(json::value const& answer) {
  return "API key " + printable(text_of(member_of(answer, "key"), "id")) + ", shown this once:\n" +
         printable(text_of(answer, "api_key"));
}

int create_key(Workplace& workplace, NewKey const& wanted) {
  json::object body{{"name", wanted.name}, {"permissions", texts(wanted.permissions)}};
  if (!wanted.expires.empty())
    body["expires_at"] = wanted.expires;
  ApiClient client(workplace.config);
  auto const* owner = wanted.is_service ? "?owner=service" : "";
  return show(workplace.console, client.post(std::string("/auth/api-keys") + owner, json::serialize(body)), key_text);
}

int rotate_key(Workplace& workplace, std::string const& id, std::int64_t grace) {
  ApiClient client(workplace.config);
  json::object const body{{"grace_seconds", grace}};
  return show(workplace.console, client.post("/auth/api-keys/" + escaped(id) + "/rotate", json::serialize(body)),
              key_text);
}

int revoke_key(Workplace& workplace, std::string const& id) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.remove("/auth/api-keys/" + escaped(id)), message_of);
}

void add_key_commands(CLI::App& app, Invocation& invocation) {
  auto* keys = app.add_subcommand("apikey", "Credentials for programs");
  keys->require_subcommand(1);

  auto* lists = keys->add_subcommand("list", "List your API keys, the newest first");
  auto const all_owners = std::make_shared<bool>(false);
  lists->add_flag("--everybody", *all_owners, "Those of all users and services");
  auto const page = add_page_options(*lists);
  lists->callback(
      [=, &invocation] { invocation.action = [=](Workplace& place) { return list_keys(place, *all_owners, *page); }; });

  auto* creates = keys->add_subcommand("create", "Make an API key; prints it once");
  auto const wanted = std::make_shared<NewKey>();
  creates->add_option("NAME", wanted->name, "What it is for")->required();
  creates->add_option("--permission", wanted->permissions, "Such as agents:read; may be given more than once")
      ->type_name("PERMISSION")
      ->required();
  creates->add_option("--expires", wanted->expires, "When it ends; never when left out")->type_name("TIME");
  creates->add_flag("--service", wanted->is_service, "It belongs to no user, and goes on when you leave");
  creates->callback(
      [=, &invocation] { invocation.action = [=](Workplace& place) { return create_key(place, *wanted); }; });

  auto* rotates = keys->add_subcommand("rotate", "Replace an API key; prints the new one once");
  auto const rotated = std::make_shared<std::string>();
  auto const grace = std::make_shared<std::int64_t>(86'400);
  rotates->add_option("ID", *rotated, "Which one")->required();
  take_number(rotates->add_option("--grace", *grace, "Seconds for which the present one is still taken; a day"), 0,
              30L * 86'400);
  rotates->callback(
      [=, &invocation] { invocation.action = [=](Workplace& place) { return rotate_key(place, *rotated, *grace); }; });

  auto* revokes = keys->add_subcommand("revoke", "End an API key for good");
  auto const revoked = std::make_shared<std::string>();
  revokes->add_option("ID", *revoked, "Which one")->required();
  revokes->callback(
      [=, &invocation] { invocation.action = [=](Workplace& place) { return revoke_key(place, *revoked); }; });
}

// ---- the audit trail ----

struct AuditQuestion {
  std::string actor;
  std::string action;
  std::string target;
  std::string outcome;
};

int list_audit(Workplace& workplace, AuditQuestion const& question, PageOptions const& page) {
  Listing const listing{.path = "/audit",
                        .key = "entries",
                        .filters = {{"actor", question.actor},
                                    {"action", question.action},
                                    {"target", question.target},
                                    {"outcome", question.outcome}},
                        .heading = {"TIME", "ACTION", "OUTCOME", "ACTOR", "TARGET", "ADDRESS"},
                        .row =
                            [](json::value const& entry) {
                              return std::vector<Cell>{
                                  {text_of(entry, "at")},      {text_of(entry, "action"), Tone::accent},
                                  {text_of(entry, "outcome")}, {text_of(entry, "actor")},
                                  {text_of(entry, "target")},  {text_of(entry, "address")}};
                            },
                        .none = "Nothing in the trail."};
  return list(workplace, listing, page);
}

std::string verdict_text(json::value const& verdict) {
  std::string out;
  for (auto const& fault : list_of(verdict, "faults"))
    out += printable(std::string_view(fault.as_string())) + "\n";
  return out + printable(text_of(verdict, "links")) + " entries are linked and " +
         printable(text_of(verdict, "checkpoints")) + " checkpoints signed; " + printable(text_of(verdict, "pending")) +
         " wait to be linked.\nhead " + printable(text_of(verdict, "links")) + ":" +
         printable(text_of(verdict, "head"));
}

/// `noted` is "SEQ:HASH", as an earlier run or the log has it. Exit code 1 when anything was tampered with.
int verify_audit(Workplace& workplace, std::string const& noted) {
  auto const colon = noted.find(':');
  if (!noted.empty() && colon == std::string::npos)
    return report(workplace.console, {Code::invalid, "--noted needs SEQ:HASH, as this command prints it"}, exit_usage);
  auto const query =
      noted.empty() ? std::string() : query_text({{"seq", noted.substr(0, colon)}, {"hash", noted.substr(colon + 1)}});
  ApiClient client(workplace.config);
  auto const answer = client.get("/audit/verify" + query, std::chrono::seconds{150});
  auto const code = show(workplace.console, answer, verdict_text);
  bool const is_intact = answer && text_of(*answer->body.root().parsed, "intact") == "true";
  return code == exit_ok && !is_intact ? static_cast<int>(exit_failure) : code;
}

void add_audit_commands(CLI::App& app, Invocation& invocation) {
  auto* audit = app.add_subcommand("audit", "Who did what to whose access");
  audit->require_subcommand(1);

  auto* lists = audit->add_subcommand("list", "List the trail, the newest first");
  auto const question = std::make_shared<AuditQuestion>();
  lists->add_option("--actor", question->actor, "Only what this user or API key did")->type_name("ID");
  lists->add_option("--action", question->action, "Only this, such as user:created")->type_name("ACTION");
  lists->add_option("--target", question->target, "Only what was done to this")->type_name("ID");
  take_choice(lists->add_option("--outcome", question->outcome, "Only what was done, or only what was refused"),
              "succeeded|refused");
  auto const page = add_page_options(*lists);
  lists->callback(
      [=, &invocation] { invocation.action = [=](Workplace& place) { return list_audit(place, *question, *page); }; });

  auto* verifies = audit->add_subcommand("verify", "Find out whether the trail is as it was written");
  auto const noted = std::make_shared<std::string>();
  verifies->add_option("--noted", *noted, "A link that you have noted: its number and hash")->type_name("SEQ:HASH");
  verifies->callback(
      [=, &invocation] { invocation.action = [=](Workplace& place) { return verify_audit(place, *noted); }; });
}

}  // namespace

void add_identity_commands(CLI::App& app, Invocation& invocation) {
  add_user_commands(app, invocation);
  add_role_commands(app, invocation);
  add_key_commands(app, invocation);
  add_audit_commands(app, invocation);
}

}  // namespace al::app
