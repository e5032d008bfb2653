#include "data/copy_rows.hpp"

#include <algorithm>

#include "core/fault.hpp"
#include "core/json.hpp"
#include "core/utf8.hpp"
#include "data/export_format.hpp"
#include "events/cursor.hpp"

namespace al::data {

namespace {

using storage::Dialect;
using storage::Scope;
using storage::Statement;

/// Of a key that is shown.
constexpr std::size_t shown_bytes_max = 200;

// ---- reading ----

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

/// PostgreSQL would compare texts by the language of the database, and documents not at all.
std::string order_list(CopyTable const& table, Dialect dialect) {
  std::string out;
  for (auto const position : table.order) {
    auto const& column = table.columns[position];
    if (position == table.tenant)
      continue;  // they are of one tenant
    out.append(out.empty() ? " ORDER BY " : ", ").append(quoted(column.name));
    if (dialect == Dialect::postgres && column.type == "json")
      out += "::text";
    if (dialect == Dialect::postgres && (column.type == "json" || column.type == "text"))
      out += " COLLATE \"C\"";
  }
  return out;
}

Statement select_part(CopyPart const& part, Dialect dialect) {
  std::string columns;
  for (auto const& column : part.table->columns)
    columns.append(columns.empty() ? "" : ", ").append(quoted(column.name));
  std::string where;
  if (part.table->tenant)
    where = part.tenant.empty() ? " WHERE (tenant_id IS NULL OR tenant_id = $1)" : " WHERE tenant_id = $1";
  auto const limit = part.table->tenant ? std::string(" LIMIT $2 OFFSET $3") : std::string(" LIMIT $1 OFFSET $2");
  return {"copy.rows",
          "SELECT " + columns + " FROM " + quoted(part.table->name) + where + order_list(*part.table, dialect) + limit};
}

[[noreturn]] void refuse(std::string const& reason) { throw Fault(reason); }

std::int64_t integer_of(Value const& value) {
  auto const* number = std::get_if<std::int64_t>(&value);
  return number == nullptr ? (refuse("is no integer"), 0) : *number;
}

std::string text_of(Value value) {
  auto* text = std::get_if<std::string>(&value);
  if (text == nullptr)
    refuse("is no text");
  if (text->find('\0') != std::string::npos)
    refuse("holds the character U+0000, which PostgreSQL cannot keep");
  if (utf8::valid_prefix(*text) != text->size())
    refuse("is no valid UTF-8");
  return std::move(*text);
}

/// SQLite keeps times as microseconds, truth as 0 and 1, and everything else that is no number as text.
Value to_postgres(CopyColumn const& column, Value value) {
  if (is_null(value))
    return value;
  if (column.type == "boolean")
    return integer_of(value) != 0;
  if (column.type == "timestamp with time zone")
    return Timestamp{std::chrono::microseconds{integer_of(value)}};
  if (column.type == "double precision")
    return std::holds_alternative<double>(value) ? value : Value{static_cast<double>(integer_of(value))};
  if (column.type == "text" || column.type == "uuid" || column.type == "json")
    return text_of(std::move(value));
  return integer_of(value);
}

/// The other way of to_copied_cursor(), so that the two databases can be compared.
Value from_copied_cursor(Value value) {
  auto const* token = std::get_if<std::string>(&value);
  auto const cursor = token == nullptr ? Result<events::Cursor>(fail(Code::invalid, ""))
                                       : events::parse_token(Dialect::postgres, *token);
  if (!cursor || cursor->seen != events::first_snapshot || cursor->page.empty())
    return value;
  return events::to_token(Dialect::sqlite, {.seq = cursor->seq});
}

void to_common(CopyTable const& table, Dialect from, Values& row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    auto const& column = table.columns[i];
    if (from == Dialect::postgres) {
      if (column.is_cursor)
        row[i] = from_copied_cursor(std::move(row[i]));
      continue;
    }
    try {
      row[i] = to_postgres(column, row[i]);
    } catch (Fault const& fault) {
      throw Fault("cannot copy the row of '" + table.name + "' with " + key_text(table, row) + ": " + column.name +
                  " " + fault.what());
    }
  }
}

// ---- checksums ----

/// Each value with its kind and its length, so that no two rows are written alike.
void append_canonical(std::string& out, Value const& value) {
  struct Visitor {
    std::string& out;
    void operator()(std::monostate) const { out += 'n'; }
    void operator()(bool b) const { out += b ? "b1" : "b0"; }
    void operator()(std::int64_t n) const { out += "i" + std::to_string(n) + ";"; }
    void operator()(double n) const {
      out += 'd';
      json::append_number(out, n);
      out += ';';
    }
    void operator()(std::string const& s) const { out += "t" + std::to_string(s.size()) + ":" + s; }
    void operator()(Timestamp t) const { out += "z" + std::to_string(t.time_since_epoch().count()) + ";"; }
  };
  std::visit(Visitor{out}, value);
}

std::string canonical(Values const& row) {
  std::string out;
  for (auto const& value : row)
    append_canonical(out, value);
  return out;
}

struct SeenRow {
  std::string key;
  std::string canonical;
};

std::vector<SeenRow> rows_of_block(storage::SnapshotSession& session, CopyPart const& part, std::size_t block) {
  std::vector<SeenRow> rows;
  read_part(session, part, static_cast<std::int64_t>(block) * block_rows, block_rows,
            [&](Values const& row) { rows.push_back({key_text(*part.table, row), canonical(row)}); });
  return rows;
}

}  // namespace

void read_part(storage::SnapshotSession& session, CopyPart const& part, std::int64_t skip, std::int64_t count,
               std::function<void(Values)> const& use) {
  Values params{count, skip};
  if (part.table->tenant)
    params.insert(params.begin(), Value{part.tenant});
  auto const scope = part.tenant.empty() ? Scope::system() : Scope::of(TenantId{part.tenant});
  session.for_each(scope, select_part(part, session.dialect()), params, [&](Row const& row) {
    auto values = row;
    to_common(*part.table, session.dialect(), values);
    use(std::move(values));
  });
}

std::string key_text(CopyTable const& table, Values const& row) {
  std::string out;
  for (auto const position : table.order) {
    auto const& value = row[position];
    auto const* text = std::get_if<std::string>(&value);
    out.append(out.empty() ? "" : ", ").append(table.columns[position].name).append(" ");
    if (text != nullptr) {
      json::append_string(out, std::string_view(*text).substr(0, utf8::valid_prefix(*text)));
    } else if (auto const* number = std::get_if<std::int64_t>(&value)) {
      out += std::to_string(*number);
    } else if (auto const* time = std::get_if<Timestamp>(&value)) {
      out += to_rfc3339(*time);
    } else {
      append_canonical(out, value);
    }
  }
  return utf8::shortened(out, shown_bytes_max);
}

PartSum sum_part(storage::SnapshotSession& session, CopyPart const& part,
                 std::function<void(std::int64_t)> const& count) {
  PartSum sum;
  Checksum checksum;
  std::int64_t in_block = 0;
  auto const end_block = [&] {
    sum.blocks.push_back(checksum.take());
    sum.rows += in_block;
    count(std::exchange(in_block, 0));
  };
  read_part(session, part, 0, all_rows, [&](Values const& row) {
    checksum.add(canonical(row));
    if (++in_block == block_rows)
      end_block();
  });
  if (in_block > 0)
    end_block();
  return sum;
}

std::string first_difference(storage::SnapshotSession& source, PartSum const& source_sum,
                             storage::SnapshotSession& target, PartSum const& target_sum, CopyPart const& part) {
  auto const block = static_cast<std::size_t>(std::ranges::mismatch(source_sum.blocks, target_sum.blocks).in1 -
                                              source_sum.blocks.begin());
  auto const ours = rows_of_block(source, part, block);
  auto const theirs = rows_of_block(target, part, block);
  std::size_t i = 0;
  while (i < ours.size() && i < theirs.size() && ours[i].canonical == theirs[i].canonical)
    ++i;
  bool const is_lacking = i < ours.size() && std::ranges::find(theirs, ours[i].key, &SeenRow::key) == theirs.end();
  if (is_lacking)
    return "the copy lacks the row with " + ours[i].key;
  bool const is_more = i < theirs.size() && std::ranges::find(ours, theirs[i].key, &SeenRow::key) == ours.end();
  if (is_more)
    return "the copy has a row more, with " + theirs[i].key;
  return "the copy has other values in the row with " + ours.at(i).key;
}

std::string copied_cursor(std::string const& snapshot, std::int64_t seq) {
  return events::to_token(Dialect::postgres,
                          {.seen = std::string(events::first_snapshot), .page = snapshot, .seq = seq});
}

std::string to_copied_cursor(std::string const& token, std::string const& snapshot) {
  auto const cursor = events::parse_token(Dialect::sqlite, token);
  return cursor ? copied_cursor(snapshot, cursor->seq) : token;
}

}  // namespace al::data
