#include "data/export_restore.hpp"

#include "data/knowledge_store.hpp"
#include "data/row_values.hpp"

namespace al::data {

namespace {

using storage::RowStatement;
using storage::Scope;
using storage::Statement;

/// What goes to the database at once.
constexpr std::size_t batch_rows_max = 500;
constexpr std::size_t batch_bytes_max = std::size_t{4} << 20;

/// Nothing may come in between the look and the commit; on SQLite the transaction alone keeps others out. A server that
/// only reads goes on.
Statement const lock_tables{"restore.lock", "LOCK TABLE tenants, agents, events IN SHARE ROW EXCLUSIVE MODE",
                            "SELECT 1"};

/// Rows of any other kind need one of these. What migrations make is the default tenant.
Statement const find_content{"restore.content",
                             "SELECT CASE WHEN EXISTS (SELECT 1 FROM agents) THEN 'agents'"
                             " WHEN EXISTS (SELECT 1 FROM events WHERE " +
                                 std::string(not_of_installation) +
                                 ") THEN 'events'"
                                 " WHEN EXISTS (SELECT 1 FROM tenants WHERE id <> 'default') THEN 'tenants' END"};

std::string join(std::vector<std::string> const& words) {
  std::string out;
  for (auto const& word : words)
    out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

/// "r AS (SELECT * FROM unnest($1::text[], …) WITH ORDINALITY AS r(tenant_id, …, n))"
std::string arrays_as_rows(std::vector<std::string> const& columns, std::vector<std::string_view> const& types) {
  std::vector<std::string> arrays;
  for (std::size_t i = 0; i < types.size(); ++i)
    arrays.push_back("$" + std::to_string(i + 1) + "::" + std::string(types[i]) + "[]");
  return "r AS MATERIALIZED (SELECT * FROM unnest(" + join(arrays) + ") WITH ORDINALITY AS r(" + join(columns) +
         ", n))";
}

RowStatement insert_rows(ExportSection const& section) {
  std::vector<std::string> columns{"tenant_id"};
  std::vector<std::string_view> types{"text"};
  std::vector<std::string> numbers{"$1"};
  for (auto const& column : section.columns) {
    columns.emplace_back(column.name);
    types.push_back(column.type->postgres);
    numbers.push_back("$" + std::to_string(columns.size()));
  }
  auto const into = "INSERT INTO " + std::string(section.name) + " (" + join(columns) + ")";
  auto const from = " SELECT " + join(columns) + " FROM r ORDER BY n";
  RowStatement out{.name = section.name, .postgres = {}, .sqlite = {}};
  out.sqlite.push_back({section.name, into + " VALUES (" + join(numbers) + ")"});
  if (!section.is_knowledge) {
    out.postgres = "WITH " + arrays_as_rows(columns, types) + " " + into + from;
    return out;
  }
  // The terms come last. Deleted items have none.
  columns.emplace_back("terms");
  types.emplace_back("text");
  auto const terms = "$" + std::to_string(columns.size());
  out.postgres =
      "WITH " + arrays_as_rows(columns, types) + ", i AS (" + into + from + ") " + std::string(index_knowledge_rows);
  // It is the row that was added last.
  out.sqlite.push_back({section.name, "INSERT INTO knowledge_text (rowid, terms) SELECT last_insert_rowid(), " + terms +
                                          " WHERE " + terms + " IS NOT NULL"});
  return out;
}

/// The default tenant is there already.
RowStatement insert_tenant() {
  std::string const into = "INSERT INTO tenants (id, created_at)";
  std::string const known = " ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at";
  return {.name = "restore.tenant",
          .postgres = into + " SELECT * FROM unnest($1::text[], $2::timestamptz[])" + known,
          .sqlite = {{"restore.tenant", into + " VALUES ($1, $2)" + known}}};
}

/// Gathers rows and adds them in batches.
class Restorer final : public ExportVisitor {
 public:
  explicit Restorer(storage::LoadSession& session) : session_(session) {
    for (auto const& section : export_sections())
      inserts_.push_back(insert_rows(section));
  }

  Result<void> begin_tenant(Values values) override {
    tenant_ = TenantId{std::get<std::string>(values.front())};
    static RowStatement const insert = insert_tenant();
    return session_.add(Scope::system(), insert, {std::move(values)});
  }

  Result<void> take_row(ExportSection const& section, Values values, json::Input parsed, std::int64_t line) override {
    if (section.is_knowledge) {
      auto terms = terms_of_row(parsed);
      if (!terms)
        return fail(std::move(terms.error()));
      values.push_back(std::move(*terms));
    }
    values.insert(values.begin(), Value{tenant_.value});
    if (batch_.empty())
      first_line_ = line;
    section_ = &section;
    bytes_ += bytes_of(values);
    batch_.push_back(std::move(values));
    return batch_.size() < batch_rows_max && bytes_ < batch_bytes_max ? Result<void>{} : flush();
  }

  Result<void> end_section() override { return flush(); }

 private:
  [[nodiscard]] Result<Value> terms_of_row(json::Input row) const {
    if (!json::member(row, "deleted_at").is_null())
      return Value{};
    auto const item = entity::from_json<model::Knowledge>(row, entity::Mode::stored);
    if (!item)
      return fail(item.error());
    return Value{knowledge_terms(tenant_, *item)};
  }

  Result<void> flush() {
    if (batch_.empty())
      return {};
    auto const& insert = inserts_.at(static_cast<std::size_t>(section_ - export_sections().data()));
    auto added = session_.add(Scope::of(tenant_), insert, batch_);
    if (!added) {
      added.error().message = "the database refused a row of '" + std::string(section_->name) + "' from line " +
                              std::to_string(first_line_) + " on: " + added.error().message;
    }
    batch_.clear();
    bytes_ = 0;
    return added;
  }

  storage::LoadSession& session_;
  std::vector<RowStatement> inserts_;
  TenantId tenant_;
  ExportSection const* section_ = nullptr;
  std::vector<Values> batch_;
  std::size_t bytes_ = 0;
  std::int64_t first_line_ = 0;
};

}  // namespace

Result<void> demand_empty(storage::LoadSession& session) {
  auto const rows = session.run(Scope::system(), find_content);
  if (is_null(rows.at(0).at(0)))
    return {};
  return fail(Code::conflict, "the database is not empty: it has " + std::get<std::string>(rows[0][0]) +
                                  ". An export is restored into an empty one; name another data directory or database");
}

Result<ExportSummary> restore_export(std::istream& in, storage::LoadSession& session, ReadProgress const& progress) {
  session.run(Scope::system(), lock_tables);
  if (auto empty = demand_empty(session); !empty)
    return fail(std::move(empty.error()));
  Restorer restorer(session);
  auto summary = read_export(in, restorer, progress);
  if (summary)
    session.commit();
  return summary;
}

}  // namespace al::data
