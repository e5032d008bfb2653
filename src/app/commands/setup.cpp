#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "app/command.hpp"
#include "app/installation.hpp"
#include "app/io_threads.hpp"
#include "core/fault.hpp"
#include "core/json.hpp"
#include "data/access_store.hpp"
#include "security/bootstrap_token.hpp"
#include "security/token_file.hpp"
#include "storage/lock.hpp"

namespace al::app {
namespace {

constexpr std::chrono::seconds database_timeout{30};

/// Migrations and the first token of a SQLite directory need it for themselves.
Result<std::optional<storage::DirectoryLock>> own_directory(Config const& config) {
  if (uses_postgres(config))
    return std::nullopt;
  auto lock = storage::DirectoryLock::acquire(data_directory(config));
  if (!lock)
    return fail(std::move(lock.error()));
  return std::move(*lock);
}

// ---- init ----

/// Whether the file was written; an existing one is left alone. For its owner only, since passwords will go there.
bool write_dotenv() {
  int const descriptor = ::open(".env", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0 && errno == EEXIST)
    return false;
  auto const text = dotenv_example();
  bool const written =
      descriptor >= 0 && ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  auto const error = errno;
  if (descriptor >= 0)
    ::close(descriptor);
  if (!written)
    throw Fault("cannot write .env: " + std::generic_category().message(error));
  return true;
}

Result<security::BootstrapToken::Outcome> ensure_token(Config const& config) {
  SystemClock clock;
  SystemRandom random;
  auto const database = open_database(config, clock);
  data::AccessStore access(*database, clock, random);
  security::BootstrapToken bootstrap(access, random, data_directory(config));
  IoThreads threads(1);
  threads.start();
  auto outcome = threads.wait(0, bootstrap.ensure(config.text("token"), Deadline::after(database_timeout)));
  threads.stop();
  database->close();
  return outcome;
}

std::string_view says(security::BootstrapToken::Outcome outcome) {
  using enum security::BootstrapToken::Outcome;
  switch (outcome) {
    case created:
      return "made";
    case known:
      return "there already";
    case foreign:
      return "of another database; set AGENT_LIGHTNING_TOKEN to a token of this one";
    case missing:
      return "on another machine; set AGENT_LIGHTNING_TOKEN to it";
  }
  return "";
}

int init(Workplace& workplace) {
  auto& console = workplace.console;
  auto const& config = workplace.config;
  make_data_directory(config);
  auto const lock = own_directory(config);
  if (!lock) {
    console.error(lock.error().message);
    return exit_failure;
  }
  bool const wrote_dotenv = write_dotenv();
  migrate(config);
  auto const outcome = ensure_token(config);
  if (!outcome) {
    console.error(outcome.error().message);
    return exit_failure;
  }
  auto const directory = data_directory(config).string();
  auto const token = security::token_file(data_directory(config)).string();
  if (console.json()) {
    std::string out = "{\"data\":";
    json::append_string(out, directory);
    out += ",\"token_file\":";
    json::append_string(out, token);
    console.print(out + ",\"dotenv_written\":" + (wrote_dotenv ? "true}" : "false}"));
    return exit_ok;
  }
  console.print("data directory  " + directory);
  console.print("database        " + std::string(uses_postgres(config) ? "PostgreSQL" : "SQLite") + ", migrated");
  console.print("token           " + token + ", " + std::string(says(*outcome)));
  console.print(std::string("settings        .env, ") + (wrote_dotenv ? "written" : "there already"));
  console.print("Next: agent-lightning serve");
  return exit_ok;
}

// ---- migrate ----

int show_status(Workplace& workplace) {
  auto& console = workplace.console;
  auto const states = storage::migration_status(migration_target(workplace.config));
  std::string json = "{\"migrations\":[";
  Table table({"NUMBER", "NAME", "STATE"});
  for (auto const& state : states) {
    json += std::string(json.ends_with('[') ? "" : ",") + "{\"number\":" + std::to_string(state.number) + ",\"name\":";
    json::append_string(json, state.name);
    json += std::string(",\"applied\":") + (state.applied ? "true" : "false") +
            ",\"known\":" + (state.known ? "true}" : "false}");
    auto const* shown = !state.known ? "applied by a newer version" : state.applied ? "applied" : "to be applied";
    table.add({{std::to_string(state.number)}, {state.name}, {shown, state.applied ? Tone::good : Tone::caution}});
  }
  console.print(console.json() ? json + "]}" : table.text(console));
  return exit_ok;
}

int print_numbers(Console& console, std::string_view what, std::vector<int> const& numbers) {
  std::string list;
  for (int const number : numbers)
    list += (list.empty() ? "" : ",") + std::to_string(number);
  if (console.json()) {
    console.print("{\"" + std::string(what) + "\":[" + list + "]}");
  } else {
    console.print(numbers.empty() ? "Nothing to do." : std::string(what) + ": " + list);
  }
  return exit_ok;
}

int migrate_with_lock(Workplace& workplace, std::string_view what,
                      std::function<std::vector<int>(storage::MigrationTarget const&)> const& act) {
  make_data_directory(workplace.config);
  auto const lock = own_directory(workplace.config);
  if (!lock) {
    workplace.console.error(lock.error().message);
    return exit_failure;
  }
  return print_numbers(workplace.console, what, act(migration_target(workplace.config)));
}

void add_migrate(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("migrate", "Bring the database's schema forward or back");
  command->require_subcommand(1);
  command->footer("`serve` migrates forward by itself; this is for doing it ahead, or going back.");

  auto* up = command->add_subcommand("up", "Apply what is missing");
  auto to_up = std::make_shared<int>(0);
  up->add_option("--to", *to_up, "Up to this number")->type_name("N");
  up->callback([=, &invocation] {
    invocation.action = [=](Workplace& workplace) {
      return migrate_with_lock(workplace, "applied",
                               [=](auto const& target) { return storage::migrate_up(target, *to_up); });
    };
  });

  auto* down = command->add_subcommand("down", "Take back everything above a number; the data in it are lost");
  auto to_down = std::make_shared<int>(0);
  down->add_option("--to", *to_down, "The last number that stays")->required()->type_name("N");
  down->callback([=, &invocation] {
    invocation.action = [=](Workplace& workplace) {
      return migrate_with_lock(workplace, "taken back",
                               [=](auto const& target) { return storage::migrate_down(target, *to_down); });
    };
  });

  auto* status = command->add_subcommand("status", "What is applied and what is not");
  status->callback([&invocation] { invocation.action = show_status; });
}

}  // namespace

void add_setup_commands(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("init", "Prepare this directory: data directory, database, token, .env");
  command->callback([&invocation] { invocation.action = init; });
  add_migrate(app, invocation);
}

}  // namespace al::app
