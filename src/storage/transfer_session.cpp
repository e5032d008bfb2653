#include "storage/transfer_session.hpp"

namespace al::storage {

std::unique_ptr<SnapshotSession> open_snapshot(MigrationTarget const& target) {
  return target.postgres_url.empty() ? open_sqlite_snapshot(target) : open_postgres_snapshot(target);
}

std::unique_ptr<LoadSession> open_load(MigrationTarget const& target) {
  return target.postgres_url.empty() ? open_sqlite_load(target) : open_postgres_load(target);
}

}  // namespace al::storage
