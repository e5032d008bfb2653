#include "data/export.hpp"

#include <algorithm>

#include "core/fault.hpp"
#include "core/utf8.hpp"

namespace al::data {

namespace {

using storage::Dialect;
using storage::Scope;
using storage::Statement;

/// Calls do cost: a progress bar need not move for each row.
constexpr std::int64_t rows_per_progress = 1'000;
/// Of a row that cannot be exported; enough for its key.
constexpr std::size_t shown_bytes_max = 300;

std::string column_list(ExportSection const& section) {
  std::string out;
  for (auto const& column : section.columns)
    out.append(out.empty() ? "" : ", ").append(column.name);
  return out;
}

/// The sort key. PostgreSQL would compare texts by the language of the database.
std::string order_list(ExportSection const& section, Dialect dialect) {
  std::string out;
  for (auto const key : section.order) {
    auto const column = std::ranges::find(section.columns, key, &ExportColumn::name);
    bool const is_text = column != section.columns.end() && column->type->postgres == "text";
    out.append(out.empty() ? "" : ", ").append(key);
    if (is_text && dialect == Dialect::postgres)
      out += " COLLATE \"C\"";
  }
  return out;
}

Statement select_rows(ExportSection const& section, Dialect dialect) {
  return {"export.rows", "SELECT " + column_list(section) + " FROM " + std::string(section.name) +
                             " WHERE tenant_id = $1" + section.condition + " ORDER BY " + order_list(section, dialect)};
}

Rows read_tenants(storage::SnapshotSession& session) {
  Statement const select{"export.tenants", "SELECT " + column_list(tenant_section()) + " FROM tenants ORDER BY " +
                                               order_list(tenant_section(), session.dialect())};
  Rows tenants;
  session.for_each(Scope::system(), select, {}, [&](Row const& row) { tenants.push_back(row); });
  return tenants;
}

TenantId id_of(Row const& tenant) { return TenantId{std::get<std::string>(tenant.at(0))}; }

/// Writes the lines and counts what they hold.
class Exporter {
 public:
  Exporter(storage::SnapshotSession& session, std::function<void(std::string_view)> const& write,
           ExportProgress const& progress)
      : session_(session), write_(write), progress_(progress) {}

  ExportSummary run() {
    put(manifest_line());
    for (auto const& tenant : read_tenants(session_)) {
      line_.clear();
      append_row_line(line_, tenant_section(), tenant);
      put(line_);
      ++summary_.tenants;
      for (std::size_t i = 0; i < export_sections().size(); ++i)
        write_section(id_of(tenant), i);
    }
    summary_.sha256 = all_.take();
    write_(complete_line(summary_));
    return summary_;
  }

 private:
  void write_section(TenantId const& tenant, std::size_t index) {
    auto const& section = export_sections()[index];
    std::int64_t rows = 0;
    show(section);
    auto const take = [&](Row const& row) {
      line_.clear();
      append_row_line(line_, section, row);
      demand_readable(section);
      of_section_.add(line_);
      put(line_);
      ++rows;
      if (++rows_ % rows_per_progress == 0)
        show(section);
    };
    session_.for_each(Scope::of(tenant), select_rows(section, session_.dialect()), {tenant.value}, take);
    put(end_line(section.name, rows, of_section_.take()));
    summary_.rows[index] += rows;
  }

  /// What cannot be read back must not look like a backup; better to hear of it now than on the day it is needed.
  void demand_readable(ExportSection const& section) const {
    auto const line = std::string_view(line_).substr(0, line_.size() - 1);
    auto const parsed = parse_line(line);
    auto const row = parsed ? json::member({&*parsed, line}, section.name) : json::Input{};
    auto const values = parsed ? read_row(section, row) : Result<Values>(fail(parsed.error()));
    if (!values)
      throw Fault("cannot export a row of " + std::string(section.name) + ": " + values.error().message +
                  ". The row: " + utf8::shortened(line, shown_bytes_max));
  }

  void put(std::string_view line) {
    all_.add(line);
    write_(line);
  }

  void show(ExportSection const& section) const {
    if (progress_)
      progress_(rows_, section.name);
  }

  storage::SnapshotSession& session_;
  std::function<void(std::string_view)> const& write_;
  ExportProgress const& progress_;
  Checksum all_;
  Checksum of_section_;
  ExportSummary summary_;
  std::string line_;
  std::int64_t rows_ = 0;
};

}  // namespace

ExportSummary write_export(storage::SnapshotSession& session, std::function<void(std::string_view)> const& write,
                           ExportProgress const& progress) {
  return Exporter(session, write, progress).run();
}

std::int64_t count_export(storage::SnapshotSession& session) {
  std::int64_t count = 0;
  for (auto const& tenant : read_tenants(session)) {
    for (auto const& section : export_sections()) {
      Statement const select{"export.count", "SELECT COUNT(*) FROM " + std::string(section.name) +
                                                 " WHERE tenant_id = $1" + section.condition};
      session.for_each(Scope::of(id_of(tenant)), select, {id_of(tenant).value},
                       [&](Row const& row) { count += std::get<std::int64_t>(row.at(0)); });
    }
  }
  return count;
}

}  // namespace al::data
