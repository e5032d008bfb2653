#pragma once
/// What an export looks like: JSON Lines, each an object with one member that says what the line is.
///
///   {"manifest":{"format":"agent-lightning-export","format_version":1}}
///   {"tenant":{"id":"default","created_at":"…"}}             what follows is this tenant's
///   {"agents":{"id":"writer","name":…}}                      a row of the section `agents`
///   {"end":{"section":"agents","rows":1,"sha256":"…"}}       of the section's lines, each with its line feed
///   …
///   {"complete":{"tenants":1,"rows":{"agents":1,…},"sha256":"…"}}   of everything before this line
///
/// Sections come in the order of sections(), every row in the order of its key, compared by bytes; so equal databases
/// have equal exports. Documents stand in their rows as they were written. One whose text has line breaks, or spaces
/// around it, stands there as a string, in the member `<column>_text`.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/entity.hpp"

namespace al::data {

inline constexpr std::string_view export_format = "agent-lightning-export";
/// Counts up when an older program would misread a newer export. A new section is no such change: who does not know it
/// says so.
inline constexpr std::int64_t export_format_version = 1;

struct ExportColumn {
  std::string_view name;
  entity::Type const* type;
  bool optional = false;
};

/// A table's part of an export, without the column `tenant_id`.
struct ExportSection {
  std::string_view name;  ///< also the table's
  std::vector<ExportColumn> columns;
  std::vector<std::string_view> order;  ///< no two rows are equal in these, or they are equal in all
  bool is_knowledge = false;            ///< its rows are found by the text index
  std::string condition{};              ///< further SQL after the tenant's, beginning with AND
};

/// What an export leaves out of the log: who may come in is decided where the data go to, other processes run there,
/// and these tell of rows that are not there.
inline constexpr std::string_view not_of_installation =
    "kind NOT IN ('api_key', 'login', 'organisation', 'role', 'service', 'user', 'user_identity')";

/// In their order, which foreign keys follow.
[[nodiscard]] std::vector<ExportSection> const& export_sections();
/// The line that begins a tenant; its table is `tenants`.
[[nodiscard]] ExportSection const& tenant_section();

/// Appends the row as its line, with the line feed. Throws Fault, naming the column, when a value cannot be told.
void append_row_line(std::string& out, ExportSection const&, Row const&);
/// Reads what append_row_line has written. Errors: invalid, naming the column.
[[nodiscard]] Result<Values> read_row(ExportSection const&, json::Input row);

/// One line, without the limits on what clients send: its documents came in under them, but are wrapped here.
/// Errors: invalid.
[[nodiscard]] Result<json::value> parse_line(std::string_view line);

/// What the end mark says.
struct ExportSummary {
  std::int64_t tenants = 0;
  std::vector<std::int64_t> rows = std::vector<std::int64_t>(export_sections().size());  ///< by section
  std::string sha256{};                                                                  ///< of all lines before it

  [[nodiscard]] std::int64_t total() const;
  bool operator==(ExportSummary const&) const = default;
};

[[nodiscard]] std::string manifest_line();
[[nodiscard]] std::string end_line(std::string_view section, std::int64_t rows, std::string_view sha256);
[[nodiscard]] std::string complete_line(ExportSummary const&);

/// SHA-256 of a text that comes in pieces.
class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(Checksum const&) = delete;
  Checksum& operator=(Checksum const&) = delete;

  void add(std::string_view);
  /// Of what was added since the beginning, or since the last call, in hexadecimal; begins anew.
  [[nodiscard]] std::string take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace al::data
