#pragma once
/// Rows by their key, through both levels of the cache. Stores read through it (read_row); the Writer keeps it true, so
/// that no route can forget to.

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "cache/cached.hpp"
#include "core/value.hpp"
#include "events/bus.hpp"
#include "storage/database.hpp"

namespace al::data {

using cache::Freshness;

/// A kind of aggregate whose rows are kept.
struct RowKind {
  std::string_view name;  ///< the part of its channels before ':'
  std::chrono::milliseconds ttl;
};

/// All but knowledge: its counts change without a new version, and items go out of sight with their agent. Of tasks
/// only those that have ended: the others change faster than they are read.
inline constexpr std::array row_kinds_kept{
    RowKind{"agent", std::chrono::hours{1}}, RowKind{"session", std::chrono::hours{24}},
    RowKind{"task", std::chrono::minutes{15}}, RowKind{"workflow", std::chrono::minutes{30}}};

/// A row, and where its version stands in it.
struct RowAt {
  TenantId tenant;
  std::string_view kind;
  std::string id;
  std::size_t version_column = 0;
};

/// Any thread. Values are JSON in the second level.
class RowCache {
 public:
  using Pointer = std::shared_ptr<Row const>;
  using Load = cache::Cached<Row>::Load;

  /// `second` may be null: there is a first level only. All outlive this. It listens on the bus, which announces
  /// nothing any more when this goes.
  RowCache(cache::Store* second, Clock const&, events::Bus&);

  [[nodiscard]] static bool keeps(std::string_view kind);

  /// Null: there is no such row. Errors: as cache::Cached::get.
  [[nodiscard]] Task<Result<Pointer>> get(RowAt const&, Freshness, Deadline, Load);

  /// For who writes: before the commit.
  [[nodiscard]] cache::Ticket ticket() const { return second_ != nullptr ? second_->ticket() : cache::Ticket{}; }
  /// The row as it was committed after `ticket`. What the second level cannot do now it does later.
  [[nodiscard]] Task<void> put(RowAt, Row const&, cache::Ticket, Deadline);
  /// A row that was written or deleted and has `version` now.
  [[nodiscard]] Task<void> remove(TenantId const&, std::string_view kind, std::string_view id, std::int64_t version,
                                  Deadline);

  /// Of finds since the start, those that found, by kind; kinds that nobody asked for are left out.
  [[nodiscard]] std::map<std::string, double> hit_ratios() const;

 private:
  struct Kind {
    cache::Counters counters;
    std::unique_ptr<cache::Cached<Row>> rows;
  };
  [[nodiscard]] cache::Cached<Row>& rows_of(std::string_view kind) { return *kinds_.at(std::string(kind)).rows; }

  cache::Store* second_;
  std::map<std::string, Kind> kinds_;
};

/// JSON without loss: `["text", 5, null, {"double": 0.5}, {"us": 1767225600000000}]`.
[[nodiscard]] std::string row_to_json(Row const&);
/// Errors: those of json::parse; invalid, when it is no row.
[[nodiscard]] Result<Row> row_from_json(std::string_view);

}  // namespace al::data
