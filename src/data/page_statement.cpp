#include "data/page_statement.hpp"

#include <algorithm>

namespace al::data {
namespace {

using storage::Dialect;

std::string list_of(PageSpec const& spec, std::string_view alias, std::string_view behind) {
  std::string out;
  for (auto const key : spec.key) {
    out.append(out.empty() ? "" : ", ").append(alias).append(".").append(key);
    out.append(behind.empty() ? "" : " ").append(behind);
  }
  return out;
}

// The size of a text PostgreSQL knows without reading it.
std::string bytes_of(PageSpec const& spec, Dialect dialect) {
  std::string out;
  for (auto const column : spec.large) {
    auto const value = std::string(spec.alias) + "." + std::string(column);
    auto const size = dialect == Dialect::sqlite ? "length(CAST(" + value + " AS BLOB))"
                                                 : "octet_length(CAST(" + value + " AS text))";
    out += (out.empty() ? "COALESCE(" : " + COALESCE(") + size + ", 0)";
  }
  return out;
}

std::string text_of(PageSpec const& spec, Dialect dialect) {
  std::string const alias(spec.alias);
  auto const from = " FROM " + (spec.from.empty() ? std::string(spec.table) : "(" + spec.from + ")") + " " + alias;
  auto const order = " ORDER BY " + list_of(spec, alias, spec.direction);
  std::string join;
  for (auto const key : spec.key)
    join.append(" AND ").append(alias).append(".").append(key).append(" = c.").append(key);
  return "WITH page AS (SELECT " + list_of(spec, alias, "") + ", " + bytes_of(spec, dialect) + " AS bytes" + from +
         " WHERE " + spec.where + order + " LIMIT " + std::string(spec.limit) +
         "), c AS (SELECT page.*, COUNT(*) OVER () AS found, SUM(bytes) OVER (ORDER BY " +
         list_of(spec, "page", spec.direction) + ") - bytes AS bytes_before FROM page) SELECT " + spec.columns +
         ", c.found FROM c JOIN " + std::string(spec.table) + " " + alias + " ON " + alias + ".tenant_id = $1" + join +
         " WHERE c.bytes_before < " + std::to_string(page_bytes_max) + order;
}

}  // namespace

storage::Statement page_statement(PageSpec const& spec) {
  return {.name = spec.name, .text = text_of(spec, Dialect::postgres), .sqlite = text_of(spec, Dialect::sqlite)};
}

PageRows cut_large_page(Rows& rows, std::int64_t limit) {
  if (rows.empty())
    return {};
  auto const shown = std::min(std::ssize(rows), limit);
  return {.rows = std::span(rows).first(static_cast<std::size_t>(shown)),
          .has_more = std::get<std::int64_t>(rows.front().back()) > shown};
}

}  // namespace al::data
