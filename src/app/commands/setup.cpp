#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <cerrno>
#include <system_error>

#include "app/answer.hpp"
#include "app/command.hpp"
#include "app/descriptor.hpp"
#include "app/installation.hpp"
#include "app/option_values.hpp"
#include "app/with_database.hpp"
#include "core/fault.hpp"
#include "data/access_store.hpp"
#include "security/bootstrap_token.hpp"
#include "security/token_file.hpp"

namespace al::app {
namespace {

constexpr std::chrono::seconds database_timeout{30};

// ---- init ----

/// Whether the file was written; an existing one is left alone. For its owner only, since passwords will go there.
bool write_dotenv() {
  Descriptor const file(::open(".env", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  auto const error = errno;
  if (file.number() < 0 && error == EEXIST)
    return false;
  if (file.number() < 0)
    throw Fault("cannot write .env: " + std::generic_category().message(error));
  auto const text = dotenv_example();
  if (::write(file.number(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw Fault("cannot write .env: " + std::generic_category().message(errno));
  return true;
}

Result<security::BootstrapToken::Outcome> ensure_token(Config const& config) {
  return with_database(config, [&](storage::Database& database) -> Task<Result<security::BootstrapToken::Outcome>> {
    SystemRandom random;
    SystemClock const clock;
    events::Bus bus;
    data::Writer writer(database, bus, clock, random, "auth");
    data::ApiKeyStore keys(writer);
    data::AccessStore access(database);
    security::BootstrapToken bootstrap(keys, access, random, data_directory(config));
    co_return co_await bootstrap.ensure(config.text("token"), Deadline::after(database_timeout));
  });
}

struct TokenState {
  std::string_view name;  ///< for programs
  std::string_view text;  ///< for people
};

TokenState state_of(security::BootstrapToken::Outcome outcome) {
  using enum security::BootstrapToken::Outcome;
  switch (outcome) {
    case created:
      return {"made", "made"};
    case known:
      return {"known", "there already"};
    case foreign:
      return {"foreign", "of another database; set AGENT_LIGHTNING_TOKEN to a token of this one"};
    case missing:
      return {
          "missing",
          "not here; set AGENT_LIGHTNING_TOKEN to it, and see 'A lost token' in docs/SECURITY.md when nobody has it"};
  }
  return {};
}

int init(Workplace& workplace) {
  auto& console = workplace.console;
  auto const& config = workplace.config;
  make_data_directory(config);
  auto const lock = lock_data_directory(config);
  if (!lock)
    return report(console, lock.error());
  bool const wrote_dotenv = write_dotenv();
  migrate(config);
  auto const outcome = ensure_token(config);
  if (!outcome)
    return report(console, outcome.error(), exit_of_setup(outcome.error()));
  auto const directory = data_directory(config).string();
  auto const file = security::token_file(data_directory(config)).string();
  auto const token = state_of(*outcome);
  if (console.json()) {
    console.print(json::serialize(json::object{{"data", directory},
                                               {"database", uses_postgres(config) ? "postgresql" : "sqlite"},
                                               {"token", token.name},
                                               {"token_file", file},
                                               {"dotenv_written", wrote_dotenv}}));
    return exit_ok;
  }
  console.print("data directory  " + directory);
  console.print("database        " + std::string(uses_postgres(config) ? "PostgreSQL" : "SQLite") + ", migrated");
  console.print("token           " + file + ", " + std::string(token.text));
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

/// What `migrate up` and `migrate down` differ in.
struct Direction {
  std::string_view done;  ///< in the answer
  int number_min;
  std::vector<int> (*run)(storage::MigrationTarget const&, std::optional<int> to);
};

constexpr int migration_number_max = 9999;

Direction const upward{"applied", 1, [](storage::MigrationTarget const& target, std::optional<int> to) {
                         return storage::migrate_up(target, to);
                       }};
Direction const downward{"taken_back", 0, [](storage::MigrationTarget const& target, std::optional<int> to) {
                           return storage::migrate_down(target, to.value());
                         }};

/// Errors: invalid, when no migration has the number. 0 stands before all of them.
Result<void> check_number(storage::MigrationTarget const& target, int number) {
  auto const states = storage::migration_status(target);
  bool const is_known =
      number == 0 || std::ranges::find(states, number, &storage::MigrationState::number) != states.end();
  if (is_known)
    return {};
  return fail(Code::invalid, "there is no migration " + std::to_string(number) + "; the last one is " +
                                 std::to_string(states.empty() ? 0 : states.back().number));
}

int migrate_with_lock(Workplace& workplace, Direction const& direction, std::optional<int> to) {
  auto& console = workplace.console;
  auto const target = migration_target(workplace.config);
  if (to) {
    if (auto const checked = check_number(target, *to); !checked)
      return report(console, checked.error(), exit_usage);
  }
  make_data_directory(workplace.config);
  auto const lock = lock_data_directory(workplace.config);
  if (!lock)
    return report(console, lock.error());
  auto const numbers = direction.run(target, to);
  std::string list;
  for (int const number : numbers)
    list += (list.empty() ? "" : ",") + std::to_string(number);
  if (console.json()) {
    console.print("{\"" + std::string(direction.done) + "\":[" + list + "]}");
  } else {
    auto done = std::string(direction.done);
    std::ranges::replace(done, '_', ' ');
    console.print(numbers.empty() ? "Nothing to do." : done + ": " + list);
  }
  return exit_ok;
}

CLI::Option* add_direction(CLI::App& command, Invocation& invocation, Direction const& direction,
                           std::string const& what_to_is) {
  auto to = std::make_shared<std::optional<int>>();
  command.callback([=, &invocation, &direction] {
    invocation.action = [=, &direction](Workplace& workplace) { return migrate_with_lock(workplace, direction, *to); };
  });
  return take_number(command.add_option("--to", *to, what_to_is), direction.number_min, migration_number_max);
}

void add_migrate(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("migrate", "Bring the database's schema forward or back");
  command->require_subcommand(1);
  command->footer("`serve` migrates forward by itself; this is for doing it ahead, or going back.");

  auto* up = command->add_subcommand("up", "Apply what is missing");
  add_direction(*up, invocation, upward, "Up to this number");

  auto* down = command->add_subcommand("down", "Take back everything above a number; the data in it are lost");
  add_direction(*down, invocation, downward, "The last number that stays; 0 takes back all")->required();

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
