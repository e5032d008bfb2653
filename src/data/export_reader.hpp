#pragma once
/// Reads an export line by line and holds it to its own counts and checksums.

#include <functional>
#include <iosfwd>

#include "data/export_format.hpp"

namespace al::data {

/// What the reader finds, in order. An error that a call answers ends the reading, and is told with the line's number.
class ExportVisitor {
 public:
  ExportVisitor() = default;
  virtual ~ExportVisitor() = default;
  ExportVisitor(ExportVisitor const&) = delete;
  ExportVisitor& operator=(ExportVisitor const&) = delete;

  virtual Result<void> begin_tenant(Values) = 0;
  /// `parsed` is the row as it stood in the line, `line` its number from 1.
  virtual Result<void> take_row(ExportSection const&, Values, json::Input parsed, std::int64_t line) = 0;
  virtual Result<void> end_section() = 0;
};

/// How far it is: bytes so far, and the section at work.
using ReadProgress = std::function<void(std::uint64_t bytes, std::string_view section)>;

/// Reads to the end mark and demands that nothing follows it. Errors: invalid, naming line and reason; also when the
/// stream is no export, or one of a newer program. A file that was cut or changed may be noticed at its very end only,
/// when the visitor has seen all of it.
[[nodiscard]] Result<ExportSummary> read_export(std::istream&, ExportVisitor&, ReadProgress const& = {});

/// Reads it for nothing but its soundness. Errors: as read_export().
[[nodiscard]] Result<ExportSummary> verify_export(std::istream&, ReadProgress const& = {});

}  // namespace al::data
