#pragma once
/// Writes all that people care about into an export, see export_format.hpp. Left out are credentials, keys of repeated
/// requests, workers, leases and measured values: they belong to one installation, not to its content.

#include <functional>

#include "data/export_format.hpp"
#include "storage/transfer_session.hpp"

namespace al::data {

/// How far it is: rows so far, and the section at work.
using ExportProgress = std::function<void(std::int64_t rows, std::string_view section)>;

/// Hands the export to `write` line by line, each with its line feed. Throws Fault, and what `write` throws.
ExportSummary write_export(storage::SnapshotSession&, std::function<void(std::string_view)> const& write,
                           ExportProgress const& progress = {});

/// How many rows write_export() will write; reads every table once.
[[nodiscard]] std::int64_t count_export(storage::SnapshotSession&);

}  // namespace al::data
