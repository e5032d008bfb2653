#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "app/answer.hpp"
#include "app/backup/installation.hpp"
#include "app/command.hpp"
#include "app/installation.hpp"
#include "app/option_values.hpp"
#include "app/progress.hpp"

namespace al::app {
namespace {

namespace fs = std::filesystem;
using backup::access_of;
using backup::archive_of;
using backup::Catalog;
using backup::catalog_of;
using backup::Kind;
using backup::kind_of;
using backup::Manifest;

constexpr std::int64_t keep_max = 10'000;

/// Errors: conflict, when the backup is of another database than the one that the settings name.
Result<void> demand_our_kind(Config const& config, Manifest const& manifest) {
  if (manifest.kind == kind_of(config))
    return {};
  return fail(Code::conflict, "backup " + manifest.id + " is one of " + std::string(name_of(manifest.kind)) +
                                  ", and the settings name " + std::string(name_of(kind_of(config))));
}

// ---- what is said ----

std::string size_text(std::uintmax_t bytes) {
  constexpr std::uintmax_t kib = 1024;
  if (bytes < 10 * kib * kib)
    return std::to_string((bytes + kib - 1) / kib) + " KiB";
  return std::to_string(bytes / (kib * kib)) + " MiB";
}

json::object rows_json(storage::DatabaseFacts const& facts) {
  json::object rows;
  for (auto const& [table, count] : facts.rows)
    rows[table] = count;
  return rows;
}

json::object summary_json(Manifest const& manifest) {
  return {{"id", manifest.id},
          {"kind", name_of(manifest.kind)},
          {"begun_at", to_rfc3339(manifest.begun_at)},
          {"copied_at", to_rfc3339(manifest.copied_at)},
          {"bytes", manifest.bytes()},
          {"schema_version", manifest.database.schema_version},
          {"program", manifest.program},
          {"rows", rows_json(manifest.database)}};
}

// ---- backup ----

Result<Manifest> make(Workplace& workplace, Catalog const& catalog, Clock const& clock) {
  std::optional<Progress> progress;
  auto const show = [&](int done, int total) {
    if (!progress)
      progress.emplace(std::cerr, progress_options(workplace.console), static_cast<std::uintmax_t>(total));
    progress->show(static_cast<std::uintmax_t>(done), "copying pages");
  };
  return backup::back_up(workplace.config, catalog, clock, {.progress = show});
}

int back_up(Workplace& workplace, std::optional<std::int64_t> keep) {
  auto& console = workplace.console;
  auto const catalog = catalog_of(workplace.config);
  auto const lock = catalog.lock();
  if (!lock)
    return report(console, lock.error());
  catalog.remove_leftovers();
  SystemClock const clock;
  auto const made = make(workplace, catalog, clock);
  if (!made)
    return report(console, made.error());
  auto const kept = static_cast<std::size_t>(keep.value_or(workplace.config.integer("backup.keep")));
  auto const gone = backup::prune(catalog, kept);
  if (console.json()) {
    auto out = summary_json(*made);
    json::array removed;
    for (auto const& id : gone)
      removed.emplace_back(id);
    out["path"] = catalog.path_of(made->id).string();
    out["removed"] = std::move(removed);
    console.print(json::serialize(out));
    return exit_ok;
  }
  console.print("Backed up " + std::to_string(made->rows()) + " rows in " + size_text(made->bytes()) +
                ", and restored them to check: " + catalog.path_of(made->id).string());
  for (auto const& id : gone)
    console.print("Removed " + id);
  return exit_ok;
}

int list(Workplace& workplace) {
  auto& console = workplace.console;
  auto const entries = catalog_of(workplace.config).list();
  json::array all;
  Table table({"ID", "KIND", "SIZE", "ROWS", "SCHEMA", "STATE"});
  for (auto const& [id, manifest] : entries) {
    if (!manifest) {
      all.push_back(json::object{{"id", id}, {"fault", manifest.error().message}});
      table.add({{id, Tone::strong}, {""}, {""}, {""}, {""}, {manifest.error().message, Tone::bad}});
      continue;
    }
    all.emplace_back(summary_json(*manifest));
    table.add({{id, Tone::strong},
               {std::string(name_of(manifest->kind))},
               {size_text(manifest->bytes())},
               {std::to_string(manifest->rows())},
               {std::to_string(manifest->database.schema_version)},
               {"verified when made", Tone::good}});
  }
  if (console.json())
    console.print(json::serialize(json::object{{"backups", std::move(all)}, {"count", entries.size()}}));
  else
    console.page(entries.empty() ? "There are no backups." : table.text(console));
  return exit_ok;
}

int verify(Workplace& workplace, std::string const& id) {
  auto& console = workplace.console;
  auto const catalog = catalog_of(workplace.config);
  auto const manifest = catalog.find(id);
  if (!manifest)
    return report(console, manifest.error());
  if (auto const ours = demand_our_kind(workplace.config, *manifest); !ours)
    return report(console, ours.error());
  auto const lock = catalog.lock();
  if (!lock)
    return report(console, lock.error());
  auto const whole = manifest->kind == Kind::sqlite
                         ? backup::verify_sqlite(catalog, *manifest)
                         : backup::verify_postgres(catalog, *manifest, access_of(workplace.config));
  if (!whole)
    return report(console, {whole.error().code, "backup " + id + ": " + whole.error().message});
  if (console.json())
    console.print(json::serialize(summary_json(*manifest)));
  else
    console.print("Backup " + id + " is whole: it was restored and has the " + std::to_string(manifest->rows()) +
                  " rows that it should have.");
  return exit_ok;
}

int receive(Workplace& workplace) {
  auto& console = workplace.console;
  if (!uses_postgres(workplace.config))
    return report(console, {Code::conflict, "only PostgreSQL's log is archived; on SQLite every backup is a full one"});
  auto const catalog = catalog_of(workplace.config);
  if (auto const lock = catalog.lock(); !lock)  // it also makes the directory
    return report(console, lock.error());
  console.note("Receiving the log into " + archive_of(catalog).directory().string() + " until it is stopped.");
  return report(console, backup::receive_log(archive_of(catalog), access_of(workplace.config)));
}

// ---- restore ----

struct RestoreWish {
  std::string id;
  std::string to;
  std::string directory;
  bool may_replace = false;
};

/// Errors: invalid, when this is no end of a restore.
Result<backup::RecoveryTarget> target_of(std::string const& to) {
  if (to.empty())
    return backup::RecoveryTarget{};
  if (to == "latest")
    return backup::RecoveryTarget{.latest = true};
  auto const time = parse_time(to);
  if (!time)
    return fail(Code::invalid, "--to must be 'latest' or a time as 2026-01-31T04:00:00Z: " + time.error().message);
  return backup::RecoveryTarget{.time = *time};
}

/// Errors: not_found; invalid; conflict.
Result<Manifest> choose(Config const& config, Catalog const& catalog, RestoreWish const& wish,
                        std::optional<Timestamp> end) {
  auto manifest = wish.id.empty() ? catalog.newest(kind_of(config), end) : catalog.find(wish.id);
  if (!manifest)
    return manifest;
  if (auto const ours = demand_our_kind(config, *manifest); !ours)
    return fail(ours.error());
  if (end && manifest->copied_at > *end)
    return fail(Code::invalid,
                "backup " + manifest->id + " was made after " + to_rfc3339(*end) + "; name an older one");
  return manifest;
}

void print_restored(Console& console, Manifest const& manifest, storage::DatabaseFacts const& facts,
                    std::string const& where, std::string const& aside, std::string const& next) {
  std::int64_t rows = 0;
  for (auto const& [table, count] : facts.rows)
    rows += count;
  if (console.json()) {
    json::object out{{"id", manifest.id},
                     {"kind", name_of(manifest.kind)},
                     {"path", where},
                     {"schema_version", facts.schema_version},
                     {"rows", rows_json(facts)}};
    if (!aside.empty())
      out["set_aside"] = aside;
    console.print(json::serialize(out));
    return;
  }
  console.print("Restored " + std::to_string(rows) + " rows of backup " + manifest.id + " to " + where);
  if (!aside.empty())
    console.print("What was there is now " + aside);
  console.print(next);
}

int restore_to_sqlite(Workplace& workplace, Catalog const& catalog, RestoreWish const& wish) {
  auto& console = workplace.console;
  auto const& config = workplace.config;
  if (!wish.to.empty() || !wish.directory.empty())
    return report(console,
                  {Code::invalid, "--to and --directory are for PostgreSQL; on SQLite a backup is restored as it is"},
                  exit_usage);
  auto const manifest = choose(config, catalog, wish, std::nullopt);
  if (!manifest)
    return report(console, manifest.error());
  make_data_directory(config);
  auto const running = lock_data_directory(config);
  if (!running)
    return report(console, running.error());
  fs::path const database = migration_target(config).sqlite_path;
  auto const aside = backup::restore_sqlite(catalog, *manifest, {.database = database, .may_replace = wish.may_replace},
                                            SystemClock());
  if (!aside)
    return report(console, aside.error());
  print_restored(console, *manifest, manifest->database, database.string(), *aside, "Next: agent-lightning serve");
  return exit_ok;
}

int restore_to_postgres(Workplace& workplace, Catalog const& catalog, RestoreWish const& wish) {
  auto& console = workplace.console;
  auto const& config = workplace.config;
  if (wish.directory.empty())
    return report(console, {Code::invalid, "--directory is needed: the new data directory of PostgreSQL"}, exit_usage);
  if (wish.may_replace)
    return report(console, {Code::invalid, "--force is for SQLite; name a --directory that is not there yet"},
                  exit_usage);
  auto const target = target_of(wish.to);
  if (!target)
    return report(console, target.error(), exit_usage);
  auto const manifest = choose(config, catalog, wish, target->time);
  if (!manifest)
    return report(console, manifest.error());
  auto const facts =
      backup::restore_postgres(catalog, *manifest, access_of(config), {.directory = wish.directory, .target = *target});
  if (!facts)
    return report(console, facts.error());
  auto const directory = fs::absolute(wish.directory).string();
  print_restored(console, *manifest, *facts, directory, {},
                 "It was recovered and shut down in order. Next: start PostgreSQL on it, for example with\n  " +
                     config.text("backup.postgres_programs") + "/pg_ctl -D " + directory +
                     " start\nand make a new backup: its log goes on on a timeline of its own.");
  return exit_ok;
}

int restore_backup(Workplace& workplace, RestoreWish const& wish) {
  auto const catalog = catalog_of(workplace.config);
  auto const lock = catalog.lock();
  if (!lock)
    return report(workplace.console, lock.error());
  return uses_postgres(workplace.config) ? restore_to_postgres(workplace, catalog, wish)
                                         : restore_to_sqlite(workplace, catalog, wish);
}

void add_restore(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("restore", "Put a backup back");
  auto wish = std::make_shared<RestoreWish>();
  command->add_option("ID", wish->id, "Which backup; the newest one that fits when left out");
  command->add_flag("--force", wish->may_replace, "SQLite: set the database that is there aside");
  command->add_option("--directory", wish->directory, "PostgreSQL: the data directory to make")->type_name("DIR");
  command->add_option("--to", wish->to, "PostgreSQL: 'latest', or the time whose state is wanted")->type_name("TIME");
  command->footer(
      "The backup is checked before anything changes. SQLite: no server may run; the backup takes the database's "
      "place.\n"
      "PostgreSQL: a new data directory is made and recovered, and the running cluster is not touched.\n"
      "Examples:\n"
      "  agent-lightning restore\n"
      "  agent-lightning restore --directory /var/lib/postgresql/15/restored --to 2026-01-31T04:00:00Z");
  command->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return restore_backup(workplace, *wish); }; });
}

}  // namespace

void add_backup_commands(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("backup", "Make a verified backup of the database, also while a server runs");
  command->require_subcommand(0, 1);
  auto keep = std::make_shared<std::optional<std::int64_t>>();
  take_number(command->add_option("--keep", *keep, "Backups that stay; without it backup.keep"), 1, keep_max);
  command->footer(
      "It is compressed, restored to see that it is whole, and appears in backup.directory when it is. The master key "
      "is\n"
      "never in it.\n"
      "Examples:\n"
      "  agent-lightning backup --keep 14\n"
      "  agent-lightning backup list");
  command->callback([=, &invocation] {
    if (command->get_subcommands().empty())
      invocation.action = [=](Workplace& workplace) { return back_up(workplace, *keep); };
  });

  auto* shown = command->add_subcommand("list", "The backups there are, the newest first");
  shown->callback([&invocation] { invocation.action = list; });

  auto* checked = command->add_subcommand("verify", "Restore a backup beside the others to see that it is whole");
  auto id = std::make_shared<std::string>();
  checked->add_option("ID", *id, "Which backup")->required();
  checked->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return verify(workplace, *id); }; });

  auto* log = command->add_subcommand("wal", "Archive PostgreSQL's log until stopped, for restores to a point in time");
  log->footer(
      "For a service manager, which starts it again when it ends. The program becomes pg_receivewal; PostgreSQL keeps\n"
      "what it has not received in the slot agent_lightning_backup.");
  log->callback([&invocation] { invocation.action = receive; });
  add_restore(app, invocation);
}

}  // namespace al::app
