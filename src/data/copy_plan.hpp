#pragma once
/// Which tables, columns and keys a copy of SQLite's database into PostgreSQL has. It is read from the catalogs of the
/// two, so that a migration brings nothing to be kept in step here.

#include <optional>
#include <string>
#include <vector>

#include "storage/transfer_session.hpp"

namespace al::data {

struct CopyColumn {
  std::string name;
  std::string type;        ///< PostgreSQL's name of it
  bool is_cursor = false;  ///< holds a position in the event log
};

struct CopyTable {
  std::string name;
  std::vector<CopyColumn> columns;  ///< those of both that the databases do not generate
  /// Positions in `columns`, of the primary key; where there is none, of all: then equal rows are equal in everything.
  std::vector<std::size_t> order;
  std::optional<std::size_t> tenant;  ///< position of `tenant_id`
  std::string numbered;               ///< the column that the databases number by themselves; empty: none
};

/// Throws Fault, naming the place, when the schemas differ in a way that this program does not expect.
/// The tables come in an order that foreign keys allow, those with positions in the event log after it.
[[nodiscard]] std::vector<CopyTable> plan_copy(storage::SnapshotSession& sqlite, storage::LoadSession& postgres);

}  // namespace al::data
