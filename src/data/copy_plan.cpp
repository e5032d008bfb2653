#include "data/copy_plan.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/fault.hpp"
#include "data/row_values.hpp"

namespace al::data {

namespace {

using storage::Scope;
using storage::Statement;

/// The ledger tells of each database by itself. Workers are processes: those of the source have ended, and the sweep of
/// the next one takes their tasks over. Processes say themselves which service they answer for.
constexpr std::array<std::string_view, 3> left_behind{"schema_migrations", "service_instances", "workers"};

struct ColumnName {
  std::string_view table;
  std::string_view column;
  auto operator<=>(ColumnName const&) const = default;
};

/// Columns of SQLite alone: the row number by which its text index finds an item.
constexpr std::array<ColumnName, 1> sqlite_only{{{"knowledge", "num"}}};

/// Positions in the event log, as tokens of events/cursor.hpp; of tables that this schema need not have yet.
constexpr std::array<ColumnName, 1> cursor_columns{{{"consumer_slots", "cursor"}}};

constexpr std::array<std::string_view, 9> known_types{
    "text", "uuid", "json", "boolean", "bigint", "integer", "smallint", "double precision", "timestamp with time zone"};

/// Without virtual tables and what is behind them: the text index is made anew. `hidden` is 2 or 3 for generated ones.
Statement const list_source_columns{"copy.source_columns",
                                    "SELECT t.name, c.name FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c"
                                    " WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT GLOB 'sqlite_*'"
                                    " AND c.hidden = 0 ORDER BY t.name, c.cid"};
Statement const list_references{"copy.references",
                                "SELECT t.name, f.\"table\" FROM pragma_table_list t"
                                " JOIN pragma_foreign_key_list(t.name) f WHERE t.schema = 'main'"};

/// Name, type, whether it is numbered, whether it is generated, and its place in the primary key, from 1.
Statement const list_target_columns{
    "copy.target_columns",
    "SELECT c.relname, a.attname, format_type(a.atttypid, NULL),"
    " pg_get_serial_sequence(c.oid::regclass::text, a.attname) IS NOT NULL, a.attgenerated <> '',"
    " COALESCE(array_position(k.conkey, a.attnum), 0)"
    " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'"
    " WHERE c.relnamespace = 'agent_lightning'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    " ORDER BY c.relname, a.attnum"};

template <class List, class T>
bool contains(List const& list, T const& value) {
  return std::ranges::find(list, value) != std::ranges::end(list);
}

using Columns = std::map<std::string, std::set<std::string>>;  ///< by table

Columns read_source(storage::SnapshotSession& sqlite) {
  Columns tables;
  sqlite.for_each(Scope::system(), list_source_columns, {}, [&](Row const& row) {
    if (!contains(left_behind, text_at(row, 0)))
      tables[text_at(row, 0)].insert(text_at(row, 1));
  });
  return tables;
}

/// A table as PostgreSQL has it, and where its columns stand in the key.
struct TargetTable {
  CopyTable table;
  std::map<std::int64_t, std::size_t> key;  ///< place in the key, position in the columns
};

CopyColumn column_of(std::string const& table, std::string name, std::string type) {
  if (!contains(known_types, type))
    throw Fault("this program cannot copy " + table + "." + name + ": it is of PostgreSQL's type " + type);
  bool const is_cursor = contains(cursor_columns, ColumnName{table, name});
  return {.name = std::move(name), .type = std::move(type), .is_cursor = is_cursor};
}

/// What the source has as well. Columns of PostgreSQL alone have their defaults.
std::map<std::string, TargetTable> read_target(storage::LoadSession& postgres, Columns const& source) {
  std::map<std::string, TargetTable> tables;
  for (auto const& row : postgres.run(Scope::system(), list_target_columns)) {
    auto const name = text_at(row, 0);
    auto column = text_at(row, 1);
    auto const columns = source.find(name);
    bool const is_generated = std::get<bool>(row.at(4));
    if (columns == source.end() || !columns->second.contains(column) || is_generated)
      continue;
    auto& [table, key] = tables[name];
    table.name = name;
    if (std::get<bool>(row.at(3)))
      table.numbered = column;
    if (column == "tenant_id")
      table.tenant = table.columns.size();
    if (auto const place = integer_at(row, 5); place > 0)
      key.emplace(place, table.columns.size());
    table.columns.push_back(column_of(name, std::move(column), text_at(row, 2)));
  }
  return tables;
}

/// Nothing of the source may be left out without a word.
void demand_all(Columns const& source, std::map<std::string, TargetTable> const& target) {
  for (auto const& [name, columns] : source) {
    auto const found = target.find(name);
    if (found == target.end())
      throw Fault("the table " + name + " is in the SQLite database only; this program does not know how to copy it");
    for (auto const& column : columns) {
      bool const is_there = std::ranges::find(found->second.table.columns, column, &CopyColumn::name) !=
                            found->second.table.columns.end();
      if (!is_there && !contains(sqlite_only, ColumnName{name, column}))
        throw Fault(std::string("the column ")
                        .append(name)
                        .append(".")
                        .append(column)
                        .append(" is in the SQLite database only; this program does not know how to copy it"));
    }
  }
}

void find_order(TargetTable& target) {
  auto& order = target.table.order;
  for (auto const& [place, position] : target.key)
    order.push_back(position);
  for (std::size_t i = 0; order.size() < target.table.columns.size() && target.key.empty(); ++i)
    order.push_back(i);
}

/// By table, those that must be there before it.
Columns read_references(storage::SnapshotSession& sqlite, std::map<std::string, TargetTable> const& tables) {
  Columns references;
  sqlite.for_each(Scope::system(), list_references, {}, [&](Row const& row) {
    if (text_at(row, 0) != text_at(row, 1))
      references[text_at(row, 0)].insert(text_at(row, 1));
  });
  for (auto const& [name, target] : tables) {
    if (std::ranges::any_of(target.table.columns, &CopyColumn::is_cursor))
      references[name].insert("events");
  }
  return references;
}

}  // namespace

std::vector<CopyTable> plan_copy(storage::SnapshotSession& sqlite, storage::LoadSession& postgres) {
  auto const source = read_source(sqlite);
  auto tables = read_target(postgres, source);
  demand_all(source, tables);
  auto const references = read_references(sqlite, tables);
  std::vector<CopyTable> plan;
  std::set<std::string> placed;
  auto const is_next = [&](auto const& entry) {
    auto const found = references.find(entry.first);
    return found == references.end() || std::ranges::includes(placed, found->second);
  };
  while (!tables.empty()) {
    auto const next = std::ranges::find_if(tables, is_next);
    if (next == tables.end())
      throw Fault("the table " + tables.begin()->first + " and others refer to each other in a circle");
    find_order(next->second);
    placed.insert(next->first);
    plan.push_back(std::move(next->second.table));
    tables.erase(next);
  }
  return plan;
}

}  // namespace al::data
