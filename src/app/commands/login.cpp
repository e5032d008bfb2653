#include <unistd.h>

#include <array>
#include <boost/json/object.hpp>

#include "app/answer.hpp"
#include "app/command.hpp"
#include "app/login_file.hpp"
#include "app/secret_input.hpp"
#include "core/time.hpp"

namespace al::app {
namespace {

constexpr std::chrono::hours key_ttl{24 * 90};

struct Wish {
  std::string email;
  std::string password_file;
  std::string code;
};

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0)
    return "a machine";
  return name.data();
}

/// Errors: those of the server; what was asked for and not given.
Result<ApiClient::Reply> sign_in(ApiClient& client, Wish const& wish, std::string const& password) {
  json::object body{{"email", wish.email}, {"password", password}};
  if (!wish.code.empty())
    body["code"] = wish.code;
  auto answer = client.post("/auth/login", json::serialize(body));
  if (answer || answer.error().code != Code::mfa_required || !wish.code.empty())
    return answer;
  auto code = ask("Code of your authenticator app, or a recovery code: ");
  if (!code)
    return fail(std::move(code.error()));
  body["code"] = *code;
  return client.post("/auth/login", json::serialize(body));
}

/// Of who must: until then he may do nothing else.
Result<void> change_password(ApiClient& client, std::string const& present) {
  auto first = ask_secretly("A new password, which only you know: ");
  if (!first)
    return fail(std::move(first.error()));
  auto const second = ask_secretly("Once more: ");
  if (!second)
    return fail(second.error());
  if (*first != *second)
    return fail(Code::invalid, "these were two different passwords; nothing is changed");
  auto done = client.post("/auth/change-password",
                          json::serialize(json::object{{"current_password", present}, {"new_password", *first}}));
  if (!done)
    return fail(std::move(done.error()));
  return {};
}

/// A key of the user for this machine: unlike a login's tokens it need not be refreshed, and is seen and revoked among
/// the others.
Result<ApiClient::Reply> make_key(ApiClient& client) {
  json::object const body{{"name", "command line on " + host_name()},
                          {"permissions", json::array{"*:*"}},
                          {"expires_at", to_rfc3339(SystemClock().now() + key_ttl)}};
  return client.post("/auth/api-keys", json::serialize(body));
}

Result<std::string> password_of(Wish const& wish) {
  return wish.password_file.empty() ? ask_secretly("Password: ") : read_secret_file(wish.password_file);
}

int login(Workplace& workplace, Wish wish) {
  auto& console = workplace.console;
  auto const url = server_url(workplace.config);
  if (wish.email.empty()) {
    auto email = ask("E-mail address: ");
    if (!email)
      return report(console, email.error());
    wish.email = std::move(*email);
  }
  auto const password = password_of(wish);
  if (!password)
    return report(console, password.error());
  ApiClient nobody(url, "");
  auto const answer = sign_in(nobody, wish, *password);
  if (!answer)
    return report(console, answer.error());
  auto const root = answer->body.root();
  ApiClient user(url, text_of(*root.parsed, "access_token"));
  bool const must_change = text_of(member_of(*root.parsed, "user"), "must_change_password") == "true";
  if (must_change) {
    if (auto const done = change_password(user, *password); !done)
      return report(console, done.error());
  }
  auto const made = make_key(user);
  if (!made)
    return report(console, made.error());
  auto const file = store_login(url, text_of(*made->body.root().parsed, "api_key"));
  std::ignore = user.post("/auth/logout", "{}");
  if (!file)
    return report(console, file.error());
  console.print("Signed in at " + url + " as " + printable(wish.email) + ".");
  return exit_ok;
}

int logout(Workplace& workplace) {
  auto const url = server_url(workplace.config);
  auto const key = stored_login(url);
  if (!key) {
    workplace.console.print("You are not signed in at " + url + ".");
    return exit_ok;
  }
  ApiClient client(url, *key);
  auto const me = client.get("/auth/me");
  auto const revoked = me ? client.remove("/auth/api-keys/" + escaped(text_of(*me->body.root().parsed, "id"))) : me;
  forget_login(url);
  if (!revoked && revoked.error().code != Code::unauthenticated)
    return report(workplace.console, revoked.error());
  workplace.console.print("Signed out at " + url + ".");
  return exit_ok;
}

int whoami(Workplace& workplace) {
  ApiClient client(workplace.config);
  auto& console = workplace.console;
  return show(console, client.get("/auth/me"), [&](json::value const& me) {
    auto const& user = member_of(me, "user");
    return Details(console)
        .add("server", client.url())
        .add("user", text_of(user, "email"), Tone::strong)
        .add("name", text_of(user, "full_name"))
        .add("roles", text_of(user, "roles"))
        .add("organisation", text_of(me, "organisation"))
        .add("permissions", text_of(me, "permissions"))
        .add("id", text_of(me, "id"))
        .text();
  });
}

}  // namespace

void add_login_commands(CLI::App& app, Invocation& invocation) {
  auto* in = app.add_subcommand("login", "Sign in at a server; later commands act as this user");
  auto const wish = std::make_shared<Wish>();
  in->add_option("EMAIL", wish->email, "Who signs in; asked for when left out");
  in->add_option("--password-file", wish->password_file, "Its first line is the password; - is standard input")
      ->type_name("FILE");
  in->add_option("--code", wish->code, "Of the authenticator app, or a recovery code")->type_name("CODE");
  in->footer("Example:\n  agent-lightning login ada@example.org");
  in->callback([=, &invocation] { invocation.action = [=](Workplace& place) { return login(place, *wish); }; });

  auto* out = app.add_subcommand("logout", "Sign out: revokes and forgets what login was given");
  out->callback([&invocation] { invocation.action = logout; });

  auto* who = app.add_subcommand("whoami", "Who you are at the server, and what you may do");
  who->callback([&invocation] { invocation.action = whoami; });
}

}  // namespace al::app
