#include "app/backup/sqlite.hpp"

#include "core/fault.hpp"
#include "storage/migrations.hpp"

namespace al::app::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view packed_name = "database.db.gz";

/// A database that is needed for a while, with what SQLite leaves beside it.
class PassingDatabase {
 public:
  explicit PassingDatabase(fs::path path) : path_(std::move(path)) { remove(); }
  ~PassingDatabase() { remove(); }
  PassingDatabase(PassingDatabase const&) = delete;
  PassingDatabase& operator=(PassingDatabase const&) = delete;
  [[nodiscard]] fs::path const& path() const { return path_; }

 private:
  void remove() const {
    std::error_code ignored;
    for (auto const* suffix : {"", "-wal", "-shm", "-journal"})
      fs::remove(path_.string() + suffix, ignored);
  }
  fs::path path_;
};

/// Errors: invalid, unless what is packed in `directory` becomes, as `to`, the database of the manifest.
Result<void> unpack_and_check(fs::path const& directory, Manifest const& manifest, fs::path const& to) {
  if (auto const whole = check_files(directory, manifest); !whole)
    return whole;
  if (auto const unpacked = unpack(directory / manifest.files.front().name, to); !unpacked)
    return unpacked;
  auto const facts = storage::examine_sqlite(to);
  if (!facts)
    return fail(facts.error());
  return demand_equal(*facts, manifest.database);
}

/// Errors: conflict, when a newer program has migrated it: this one would work with a schema that it does not know.
Result<void> demand_known_schema(fs::path const& database) {
  for (auto const& state : storage::migration_status({.sqlite_path = database.string()})) {
    if (!state.known)
      return fail(Code::conflict, "a newer version of agent-lightning has migrated the database in it; use that one");
  }
  return {};
}

void demand_going_on(std::stop_token const& stop) {
  if (stop.stop_requested())
    throw Unavailable("the backup was broken off");
}

void move(fs::path const& from, fs::path const& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error)
    throw Fault("cannot rename " + from.string() + ": " + error.message());
}

/// What was committed last may be in the log only, so it goes along. A log without its database is another's leftover
/// that SQLite must not read into the one that comes; whatever it is, it stays for people to look at.
std::string set_aside(fs::path const& database, Timestamp now) {
  auto const aside = database.string() + ".before-" + to_rfc3339(now);
  bool const was_there = fs::exists(database);
  if (was_there)
    move(database, aside);
  auto const log = database.string() + "-wal";
  std::error_code ignored;
  if (fs::exists(log) && fs::file_size(log) > 0)
    move(log, aside + "-wal");
  fs::remove(log, ignored);
  fs::remove(database.string() + "-shm", ignored);
  sync_directory(database.parent_path());
  return was_there ? aside : std::string();
}

}  // namespace

Result<Manifest> back_up_sqlite(Catalog const& catalog, fs::path const& database, Clock const& clock,
                                Making const& making) {
  if (!fs::exists(database))
    return fail(Code::not_found,
                "there is no database " + database.string() + "; AGENT_LIGHTNING_DATA or DATABASE_URL say where it is");
  auto const now = making.begun_at.value_or(clock.now());
  auto const progress = [&](int done, int total) {
    demand_going_on(making.stop);
    if (making.progress)
      making.progress(done, total);
  };
  Draft draft(catalog, now);
  Manifest manifest{.id = draft.id(), .kind = Kind::sqlite, .begun_at = now, .copied_at = now, .program = AL_VERSION};
  auto const packed = draft.path() / packed_name;
  {
    PassingDatabase const copy(draft.path() / "copy.db");
    manifest.database = storage::copy_sqlite(database, copy.path(), progress);
    manifest.copied_at = clock.now();
    pack(copy.path(), packed);
  }
  demand_going_on(making.stop);
  manifest.files.push_back({std::string(packed_name), measure(packed)});
  {
    PassingDatabase const check(draft.path() / "check.db");
    if (auto const whole = unpack_and_check(draft.path(), manifest, check.path()); !whole)
      return fail(whole.error());
  }
  draft.publish(manifest);
  return manifest;
}

Result<void> verify_sqlite(Catalog const& catalog, Manifest const& manifest) {
  PassingDatabase const check(catalog.directory() / "verify.db");
  return unpack_and_check(catalog.path_of(manifest.id), manifest, check.path());
}

Result<std::string> restore_sqlite(Catalog const& catalog, Manifest const& manifest, SqlitePlace const& place,
                                   Clock const& clock) {
  auto const& database = place.database;
  if (fs::exists(database) && !place.may_replace)
    return fail(Code::conflict, database.string() + " is there already; --force sets it aside");
  PassingDatabase const restored(database.string() + ".restoring");
  if (auto const whole = unpack_and_check(catalog.path_of(manifest.id), manifest, restored.path()); !whole)
    return fail(whole.error());
  if (auto const known = demand_known_schema(restored.path()); !known)
    return fail(known.error());
  auto aside = set_aside(database, clock.now());
  move(restored.path(), database);
  sync_directory(database.parent_path());
  return aside;
}

}  // namespace al::app::backup
