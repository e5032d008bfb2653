#pragma once
#include <memory>
#include <string>

#include "storage/database.hpp"

namespace al::storage {

/// A database that measures how long each statement takes its callers, waiting included. Thread-safe; outlives its
/// callers as the database itself does.
class MeasuredDatabase final : public Database {
 public:
  explicit MeasuredDatabase(std::unique_ptr<Database> database);
  ~MeasuredDatabase() override;

  [[nodiscard]] Dialect dialect() const override { return database_->dialect(); }
  [[nodiscard]] Task<Rows> read(Scope, Statement const&, Values, Deadline) override;
  [[nodiscard]] Task<Result<std::vector<Rows>>> apply(Batch, Deadline) override;
  [[nodiscard]] Task<Result<Row>> write_row(Scope, RowStatement const&, Values, Deadline) override;
  [[nodiscard]] Task<void> ping(Deadline deadline) override { return database_->ping(deadline); }
  [[nodiscard]] PoolState pool() const override { return database_->pool(); }
  void close() override { database_->close(); }

  /// In the Prometheus text format: service_data_latency_seconds by the statement's name, and
  /// transaction_duration_seconds of all that write.
  [[nodiscard]] std::string metrics() const;

 private:
  struct Figures;
  std::unique_ptr<Database> const database_;
  std::unique_ptr<Figures> const figures_;
};

}  // namespace al::storage
