#include "data/database_copy.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "core/failpoint.hpp"
#include "core/fault.hpp"
#include "core/hash.hpp"
#include "data/copy_rows.hpp"
#include "data/export_format.hpp"
#include "data/knowledge_store.hpp"
#include "data/row_values.hpp"
#include "model/knowledge.hpp"

namespace al::data {

namespace {

using storage::RowStatement;
using storage::Scope;
using storage::Statement;

/// The session has it until its connection ends, so what a killed copy has sent last is done or undone before the next
/// copy looks. Any number will do that nobody else uses in this database: "agentcpy" read as bytes.
Statement const take_lock{"copy.lock", "SELECT pg_advisory_lock(7018690069353689209)"};

/// A table is made, and dropped, by the login itself; al_app may not.
Statement const as_login{"copy.as_login", "SET LOCAL ROLE NONE"};
Statement const find_notes{"copy.find_notes", "SELECT to_regclass('agent_lightning.database_copy') IS NOT NULL"};
Statement const create_notes{"copy.create_notes",
                             "CREATE TABLE database_copy (table_name text, tenant text, copied bigint NOT NULL,"
                             " source text NOT NULL, PRIMARY KEY (table_name, tenant))"};
Statement const grant_notes{"copy.grant_notes",
                            "DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'al_app') THEN"
                            " GRANT SELECT, INSERT, UPDATE ON database_copy TO al_app; END IF; END $$"};
Statement const drop_notes{"copy.drop_notes", "DROP TABLE database_copy"};
Statement const read_notes{"copy.read_notes", "SELECT table_name, tenant, copied, source FROM database_copy"};
RowStatement const write_note{.name = "copy.note",
                              .postgres =
                                  "INSERT INTO database_copy (table_name, tenant, copied, source) SELECT *"
                                  " FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[])"
                                  " ON CONFLICT (table_name, tenant) DO UPDATE SET copied = excluded.copied",
                              .sqlite = {}};
Statement const read_snapshot{"copy.snapshot", "SELECT al_log_snapshot()"};

/// The highest number that the source has ever given.
Statement const last_number{"copy.last_number", "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = $1"};
Statement const list_tenants{"copy.tenants", "SELECT id FROM tenants"};

constexpr std::string_view to_empty = "'DROP SCHEMA agent_lightning CASCADE' empties that database";

/// What migrations make is the default tenant and its name.
bool is_made_by_migrations(CopyTable const& table) { return table.name == "tenants" || table.name == "organisations"; }

/// The first table that has rows.
Statement find_content(std::vector<CopyTable> const& plan) {
  std::string text = "SELECT CASE";
  for (auto const& table : plan) {
    auto const condition = is_made_by_migrations(table) ? " WHERE id <> 'default'" : "";
    text += " WHEN EXISTS (SELECT 1 FROM \"" + table.name + "\"" + condition + ") THEN '" + table.name + "'";
  }
  return {"copy.content", text + " END"};
}

Statement count_rows(CopyTable const& table) {
  std::string const from = " FROM \"" + table.name + "\"";
  return {"copy.count", table.tenant ? "SELECT COALESCE(tenant_id, ''), COUNT(*)" + from + " GROUP BY tenant_id"
                                     : "SELECT '', COUNT(*)" + from};
}

/// The default tenant is there already.
std::string on_conflict(CopyTable const& table) {
  if (!is_made_by_migrations(table))
    return {};
  std::string keys, values;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    auto const& name = table.columns[i].name;
    if (std::ranges::find(table.order, i) != table.order.end()) {
      keys.append(keys.empty() ? "" : ", ").append(name);
    } else {
      values.append(values.empty() ? "" : ", ").append(name).append(" = excluded.").append(name);
    }
  }
  return " ON CONFLICT (" + keys + ") DO UPDATE SET " + values;
}

bool is_knowledge(CopyTable const& table) { return table.name == entity::entity<model::Knowledge>().table; }

RowStatement insert_rows(CopyTable const& table) {
  std::string columns, arrays;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    columns.append(i == 0 ? "\"" : ", \"").append(table.columns[i].name).append("\"");
    arrays += (i == 0 ? "$" : ", $") + std::to_string(i + 1) + "::" + table.columns[i].type + "[]";
  }
  auto const into = "INSERT INTO \"" + table.name + "\" (" + columns + ")" +
                    (table.numbered.empty() ? "" : " OVERRIDING SYSTEM VALUE") + " SELECT " + columns + " FROM r" +
                    on_conflict(table);
  RowStatement out{.name = table.name, .postgres = {}, .sqlite = {}};
  if (is_knowledge(table)) {
    out.postgres = "WITH r AS MATERIALIZED (SELECT * FROM unnest(" + arrays + ", $" +
                   std::to_string(table.columns.size() + 1) + "::text[]) AS r(" + columns + ", terms)), i AS (" + into +
                   ") " + std::string(index_knowledge_rows);
  } else {
    out.postgres = "WITH r AS (SELECT * FROM unnest(" + arrays + ") AS r(" + columns + ")) " + into;
  }
  return out;
}

/// What the text index keeps of the row; nothing of a deleted item.
Value terms_of(CopyTable const& table, Values const& row) {
  auto const at = [&](std::string_view name) {
    auto const found = std::ranges::find(table.columns, name, &CopyColumn::name);
    return row.at(static_cast<std::size_t>(found - table.columns.begin()));
  };
  if (!is_null(at("deleted_at")))
    return {};
  Row stored;
  for (auto const& field : entity::entity<model::Knowledge>().fields) {
    if (field.options.stored)
      stored.push_back(at(field.name));
  }
  return knowledge_terms(TenantId{std::get<std::string>(at("tenant_id"))}, entity::from_row<model::Knowledge>(stored));
}

// ---- the copy ----

class DatabaseCopy {
 public:
  DatabaseCopy(storage::MigrationTarget const& sqlite, storage::MigrationTarget const& postgres,
               CopyOptions const& options, CopyProgress const& progress)
      : postgres_(postgres),
        options_(options),
        progress_(progress),
        source_(storage::open_sqlite_snapshot(sqlite)),
        target_(storage::open_postgres_load(postgres)) {}

  Result<CopySummary> run() {
    if (auto locked = lock(); !locked)
      return fail(std::move(locked.error()));
    plan_ = plan_copy(*source_, *target_);
    bool const is_new = !std::get<bool>(target_->run(Scope::system(), find_notes).at(0).at(0));
    if (auto fit = is_new ? demand_empty() : Result<void>{}; !fit)
      return fail(std::move(fit.error()));
    find_parts();
    read_source();
    if (auto begun = is_new ? begin() : go_on(); !begun)
      return fail(std::move(begun.error()));
    for (auto const& part : parts_)
      copy(part);
    auto const events = continue_numbers();
    if (auto equal = compare(); !equal)
      return fail(std::move(equal.error()));
    target_->run(Scope::system(), as_login);
    target_->run(Scope::system(), drop_notes);
    target_->commit();
    summary_.token_prefix = events;
    return std::move(summary_);
  }

 private:
  using PartName = std::pair<std::string, std::string>;  ///< table and tenant
  static PartName name_of(CopyPart const& part) { return {part.table->name, part.tenant}; }

  // ---- before it ----

  Result<void> lock() {
    auto const patience = std::to_string(options_.lock_wait.count());
    try {
      target_->run(Scope::system(), {"copy.lock_wait", "SELECT set_config('lock_timeout', '" + patience + "', true)"});
      target_->run(Scope::system(), take_lock);
    } catch (Fault const& fault) {
      return fail(Code::conflict, std::string("another copy into this database is at work, or what is left of one that "
                                              "was killed; try again when it has ended (") +
                                      fault.what() + ")");
    }
    return {};
  }

  /// Looks as widely as row-level security lets it: at all tenants where it can, else at the one that is always there.
  Result<void> demand_empty() {
    auto const find = find_content(plan_);
    for (auto const& scope : {Scope::system(), Scope::of(default_tenant)}) {
      auto const rows = target_->run(scope, find);
      if (!is_null(rows.at(0).at(0))) {
        return fail(Code::conflict, "the PostgreSQL database is not empty: it has rows in " + text_at(rows[0], 0) +
                                        ". A copy needs one that no server has used; name another one, or, when "
                                        "nothing in it is wanted, " +
                                        std::string(to_empty));
      }
    }
    return {};
  }

  /// Also of tenants that have no rows in a table: then none must be found in the copy.
  void find_parts() {
    std::map<std::string, std::int64_t> tenants;
    source_->for_each(Scope::system(), list_tenants, {}, [&](Row const& row) { tenants[text_at(row, 0)] = 0; });
    for (auto const& table : plan_) {
      auto counts = table.tenant ? tenants : std::map<std::string, std::int64_t>{};
      source_->for_each(Scope::system(), count_rows(table), {},
                        [&](Row const& row) { counts[text_at(row, 0)] += integer_at(row, 1); });
      auto& copied = summary_.tables.emplace_back(table.name);
      for (auto const& [tenant, rows] : counts) {
        parts_.push_back({&table, tenant});
        copied.rows += rows;
        rows_ += rows;
      }
    }
  }

  /// The checksum tells this source, as it is now, from every other one.
  void read_source() {
    Checksum all;
    for (auto const& part : parts_) {
      auto const& sum =
          sums_.emplace_back(sum_part(*source_, part, [&](std::int64_t rows) { show(rows, "reading ", *part.table); }));
      all.add(part.table->name + "/" + part.tenant + ":" + std::to_string(sum.rows));
      for (auto const& column : part.table->columns)
        all.add("," + column.name);
      for (auto const& block : sum.blocks)
        all.add(block);
    }
    summary_.sha256 = all.take();
  }

  Result<void> begin() {
    target_->run(Scope::system(), as_login);
    target_->run(Scope::system(), create_notes);
    target_->run(Scope::system(), grant_notes);
    return note({}, 0);
  }

  Result<void> go_on() {
    for (auto const& row : target_->run(Scope::system(), read_notes)) {
      if (text_at(row, 3) != summary_.sha256) {
        return fail(
            Code::conflict,
            "in the PostgreSQL database is an unfinished copy of another SQLite database, or of this one before "
            "it was changed. Go on with that one, or begin anew: " +
                std::string(to_empty));
      }
      copied_[{text_at(row, 0), text_at(row, 1)}] = integer_at(row, 2);
      summary_.rows_before += integer_at(row, 2);
    }
    return {};
  }

  // ---- the rows ----

  void copy(CopyPart const& part) {
    auto done = copied_[name_of(part)];
    show(done, "copying ", *part.table);
    auto const insert = insert_rows(*part.table);
    std::vector<Values> batch;
    std::size_t bytes = 0;
    auto const flush = [&] {
      done += std::ssize(batch);
      add(part, insert, batch, done);
      show(std::ssize(batch), "copying ", *part.table);
      batch.clear();
      bytes = 0;
    };
    read_part(*source_, part, done, all_rows, [&](Values row) {
      auto const size = bytes_of(row);
      bool const is_full = batch.size() >= options_.batch_rows_max || bytes + size > options_.batch_bytes_max;
      if (is_full && !batch.empty())
        flush();
      bytes += size;
      batch.push_back(std::move(row));
    });
    if (!batch.empty())
      flush();
  }

  /// One batch is one transaction, with the note of it.
  void add(CopyPart const& part, RowStatement const& insert, std::vector<Values>& batch, std::int64_t done) {
    auto const& table = *part.table;
    auto const first = key_text(table, batch.front());
    for (auto& row : batch)
      fit(table, row);
    auto const scope = part.tenant.empty() ? Scope::system() : Scope::of(TenantId{part.tenant});
    if (auto const added = target_->add(scope, insert, batch); !added) {
      throw Fault("PostgreSQL refuses a row of '" + table.name + "', one of " + std::to_string(batch.size()) +
                  " from the one with " + first + " on: " + added.error().message);
    }
    if (auto const noted = note(name_of(part), done); !noted)
      throw Fault("the copy cannot note how far it is: " + noted.error().message);
  }

  /// What only PostgreSQL has in a row, or has in another way.
  void fit(CopyTable const& table, Values& row) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      auto const* token = table.columns[i].is_cursor ? std::get_if<std::string>(&row[i]) : nullptr;
      if (token != nullptr)
        row[i] = to_copied_cursor(*token, snapshot());
    }
    if (is_knowledge(table))
      row.push_back(terms_of(table, row));
  }

  /// Sees every event that was copied: the tables with positions come after the log, and each batch is committed.
  std::string const& snapshot() {
    if (snapshot_.empty())
      snapshot_ = text_at(target_->run(Scope::system(), read_snapshot).at(0), 0);
    return snapshot_;
  }

  Result<void> note(PartName const& part, std::int64_t copied) {
    auto noted = target_->add(Scope::system(), write_note, {Values{part.first, part.second, copied, summary_.sha256}});
    if (!noted)
      return noted;
    AL_FAILPOINT("copy.commit.before");
    target_->commit_and_continue();
    AL_FAILPOINT("copy.commit.after");
    return {};
  }

  // ---- after it ----

  /// New rows are numbered above all that the source has ever given. Answers the beginning of carried tokens.
  std::string continue_numbers() {
    for (auto const& table : plan_) {
      if (table.numbered.empty())
        continue;
      std::int64_t last = 0;
      source_->for_each(Scope::system(), last_number, {table.name}, [&](Row const& row) { last = integer_at(row, 0); });
      if (last > 0) {
        target_->run(Scope::system(), {"copy.numbers", "SELECT setval(pg_get_serial_sequence('" + table.name + "', '" +
                                                           table.numbered + "'), " + std::to_string(last) + ")"});
      }
    }
    auto token = copied_cursor(snapshot(), 0);
    token.pop_back();
    return token;
  }

  Result<void> compare() {
    AL_FAILPOINT("copy.compare");
    auto const copy = storage::open_postgres_snapshot(postgres_);
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      auto const& part = parts_[i];
      auto const sum = sum_part(*copy, part, [&](std::int64_t rows) { show(rows, "comparing ", *part.table); });
      if (sum == sums_[i])
        continue;
      return fail(Code::internal,
                  "the copy is not equal to its source: '" + part.table->name + "' has " +
                      std::to_string(sums_[i].rows) + " rows in the source and " + std::to_string(sum.rows) +
                      " in the copy; " + first_difference(*source_, sums_[i], *copy, sum, part) +
                      ". It stays marked as unfinished: do not use it. Begin anew: " + std::string(to_empty));
    }
    return {};
  }

  void show(std::int64_t rows, std::string_view what, CopyTable const& table) {
    shown_ += rows;
    if (progress_)
      progress_(shown_, 3 * rows_, std::string(what) + table.name);
  }

  storage::MigrationTarget const& postgres_;
  CopyOptions const& options_;
  CopyProgress const& progress_;
  std::unique_ptr<storage::SnapshotSession> source_;
  std::unique_ptr<storage::LoadSession> target_;
  std::vector<CopyTable> plan_;
  std::vector<CopyPart> parts_;
  std::vector<PartSum> sums_;                ///< of the source, by part
  std::map<PartName, std::int64_t> copied_;  ///< by what came before this run
  std::string snapshot_;
  std::int64_t rows_ = 0;   ///< of the source
  std::int64_t shown_ = 0;  ///< of three times as many
  CopySummary summary_;
};

}  // namespace

Result<CopySummary> copy_database(storage::MigrationTarget const& sqlite, storage::MigrationTarget const& postgres,
                                  CopyOptions const& options, CopyProgress const& progress) {
  return DatabaseCopy(sqlite, postgres, options, progress).run();
}

}  // namespace al::data
