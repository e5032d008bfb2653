#pragma once
#include <iosfwd>

#include "data/export_reader.hpp"
#include "storage/transfer_session.hpp"

namespace al::data {

/// Errors: conflict, when there is content in it. Throws Fault.
[[nodiscard]] Result<void> demand_empty(storage::LoadSession&);

/// Writes an export into an empty, migrated database, all of it or nothing, and builds the text index anew. What was
/// running stays so: a worker's sweep takes it over. Errors: as read_export(); conflict, when the database is not
/// empty; then nothing has changed. Throws Fault.
[[nodiscard]] Result<ExportSummary> restore_export(std::istream&, storage::LoadSession&, ReadProgress const& = {});

}  // namespace al::data
