#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

enum class BackupState {
  running,  ///< is being made
  done,     ///< complete, and restored once to see that it is whole
  failed,   ///< could not be made; nothing remains of it
  damaged,  ///< its manifest cannot be read
};
BOOST_DESCRIBE_ENUM(BackupState, running, done, failed, damaged)

enum class BackupKind { sqlite, postgresql };
BOOST_DESCRIBE_ENUM(BackupKind, sqlite, postgresql)

/// A backup of the database as its operators see it.
struct Backup {
  std::string id;
  BackupState state = BackupState::running;
  std::optional<BackupKind> kind;
  std::optional<Timestamp> begun_at;
  std::optional<Timestamp> copied_at;
  std::optional<std::int64_t> bytes;
  std::optional<std::int64_t> rows;
  std::optional<std::int64_t> schema_version;
  std::optional<std::string> program;
  std::optional<std::string> error;
};
BOOST_DESCRIBE_STRUCT(Backup, (), (id, state, kind, begun_at, copied_at, bytes, rows, schema_version, program, error))

constexpr auto describe(std::type_identity<Backup>) {
  using namespace entity;
  return about("Backup", "", "A backup of the database.", field<&Backup::id>("The moment when it was begun."),
               field<&Backup::state>("running: is being made; done: whole when it was made; failed: could not be made; "
                                     "damaged: its manifest cannot be read."),
               field<&Backup::kind>("Of which database; null when it is damaged."),
               field<&Backup::begun_at>("All that was acknowledged by then is in it, UTC."),
               field<&Backup::copied_at>("Nothing that came later is in it, UTC; null until it is done."),
               field<&Backup::bytes>("Of all its files; null until it is done."),
               field<&Backup::rows>("Of all tables; null until it is done."),
               field<&Backup::schema_version>("Of the last migration; null until it is done."),
               field<&Backup::program>("The version that made it; null until it is done."),
               field<&Backup::error>("Why it failed, or what is damaged."));
}

}  // namespace al::model
