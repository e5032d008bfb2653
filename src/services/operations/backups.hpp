#pragma once
/// The role operations (8011): backups of the database, made beside the requests.

#include "http/router.hpp"
#include "model/backup.hpp"

namespace al::services::operations {

/// What makes backups and knows them. Thread-safe; a call waits for a disk at most, never for a backup.
class Backups {
 public:
  virtual ~Backups() = default;

  /// The newest first, with the one that is being made and the last one that failed here.
  [[nodiscard]] virtual Task<std::vector<model::Backup>> list() = 0;
  /// Errors: not_found.
  [[nodiscard]] virtual Task<Result<model::Backup>> find(std::string id) = 0;
  /// Begins one and answers it as `running`. Errors: conflict, when another one is being made, or when none can be made
  /// here; the message says why.
  [[nodiscard]] virtual Task<Result<model::Backup>> start() = 0;
};

/// The backups outlive the router.
void add_backup_routes(http::Router&, Backups&);

}  // namespace al::services::operations
