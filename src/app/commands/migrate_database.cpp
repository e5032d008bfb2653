#include <algorithm>
#include <boost/json/object.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "app/answer.hpp"
#include "app/command.hpp"
#include "app/installation.hpp"
#include "app/progress.hpp"
#include "data/database_copy.hpp"
#include "data/export_restore.hpp"

namespace al::app {
namespace {

/// Errors: not_found, conflict.
Result<void> demand_source(Config const& config) {
  auto const source = sqlite_target(config);
  if (!std::filesystem::exists(source.sqlite_path))
    return fail(Code::not_found, "there is no SQLite database in " + data_directory(config).string() +
                                     "; AGENT_LIGHTNING_DATA says where it is");
  auto const states = storage::migration_status(source);
  if (std::ranges::any_of(states, [](auto const& state) { return state.known && !state.applied; })) {
    return fail(Code::conflict,
                "the SQLite database is of an older version; run 'DATABASE_URL= DB_HOST= agent-lightning "
                "migrate up' first");
  }
  return demand_migrated(source);
}

/// Brings the schema forward, but not under what somebody has there. Errors: conflict.
Result<void> prepare_target(storage::MigrationTarget const& target) {
  auto const states = storage::migration_status(target);
  bool const is_begun = std::ranges::any_of(states, &storage::MigrationState::applied);
  bool const is_current = std::ranges::all_of(states, &storage::MigrationState::applied);
  if (is_begun && !is_current) {
    if (auto unused = data::demand_empty(*storage::open_load(target)); !unused)
      return fail(Code::conflict,
                  "the PostgreSQL database is of an older version and has content; a copy needs an "
                  "empty one");
  }
  storage::migrate_up(target);
  return demand_migrated(target);
}

Result<data::CopySummary> copy(Workplace& workplace) {
  auto const& config = workplace.config;
  if (auto ready = demand_source(config); !ready)
    return fail(std::move(ready.error()));
  auto const lock = storage::DirectoryLock::acquire(data_directory(config));
  if (!lock)
    return fail(lock.error());
  auto const target = migration_target(config);
  if (auto ready = prepare_target(target); !ready)
    return fail(std::move(ready.error()));
  std::optional<Progress> progress;
  return data::copy_database(
      sqlite_target(config), target, {}, [&](std::int64_t done, std::int64_t total, std::string_view what) {
        if (!progress)
          progress.emplace(std::cerr, progress_options(workplace.console), static_cast<std::uintmax_t>(total));
        progress->show(static_cast<std::uintmax_t>(done), what);
      });
}

void print_summary(Workplace& workplace, data::CopySummary const& summary) {
  auto& console = workplace.console;
  std::int64_t rows = 0;
  json::object counts;
  Table table({"TABLE", "ROWS"});
  for (auto const& copied : summary.tables) {
    rows += copied.rows;
    counts[copied.name] = copied.rows;
    table.add({{copied.name}, {std::to_string(copied.rows)}});
  }
  if (console.json()) {
    console.print(json::serialize(json::object{{"tables", std::move(counts)},
                                               {"rows", rows},
                                               {"rows_before", summary.rows_before},
                                               {"sha256", summary.sha256},
                                               {"token_prefix", summary.token_prefix}}));
    return;
  }
  console.print(table.text(console));
  console.print(
      "\nCopied " + std::to_string(rows) + " rows" +
      (summary.rows_before > 0 ? ", " + std::to_string(summary.rows_before) + " of them in a run before" : "") +
      "; counts and checksums are equal on both sides.");
  console.print("A subscriber who kept a resume token s.N goes on with " + summary.token_prefix + "N");
  console.print("Next: set DATABASE_URL to the PostgreSQL database and start 'agent-lightning serve'. " +
                data_directory(workplace.config).string() +
                " stays the data directory, for token and master key; the SQLite database in it is as it was.");
}

int migrate_database(Workplace& workplace) {
  auto& console = workplace.console;
  if (!uses_postgres(workplace.config)) {
    return report(console,
                  {Code::bad_request, "which PostgreSQL database? Set DATABASE_URL to postgresql://…, or give --to"},
                  exit_usage);
  }
  auto const summary = copy(workplace);
  if (!summary)
    return report(console, summary.error());
  print_summary(workplace, *summary);
  return exit_ok;
}

}  // namespace

void add_migrate_database_command(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("migrate-database", "Move everything from SQLite to PostgreSQL");
  auto target = std::make_shared<std::string>();
  command
      ->add_option(
          "--to", *target,
          "Where to, as postgresql://…; DATABASE_URL when left out, which other users of the machine do not see")
      ->type_name("URL");
  command->footer(
      "It copies the database of the data directory as it is, with tokens, sealed keys and the numbers of the event\n"
      "log, and compares the two in the end. No server may run. PostgreSQL must be empty; its schema is made here.\n"
      "What was interrupted goes on when it is run again. The SQLite database is only read.\n"
      "Example:\n"
      "  DATABASE_URL=postgresql://agent_user@db/agent_lightning agent-lightning migrate-database");
  command->callback([=, &invocation] {
    if (!target->empty()) {
      invocation.settings["database.url"] = *target;
      invocation.settings["database.migrate_url"] = *target;
    }
    invocation.action = migrate_database;
  });
}

}  // namespace al::app
