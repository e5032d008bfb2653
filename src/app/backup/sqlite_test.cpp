#include "app/backup/sqlite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <ranges>

#include "core/fault.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite_connection.hpp"
#include "testing/manual_clock.hpp"
#include "testing/temporary_directory.hpp"

namespace al::app::backup {
namespace {

namespace fs = std::filesystem;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// No file may become larger, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : before_signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit const limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_signal_);
  }
  FileSizeLimit(FileSizeLimit const&) = delete;
  FileSizeLimit& operator=(FileSizeLimit const&) = delete;

 private:
  void (*before_signal_)(int);
  rlimit before_{};
};

std::vector<std::string> names_in(fs::path const& directory) {
  std::vector<std::string> out;
  for (auto const& entry : fs::directory_iterator(directory))
    out.push_back(entry.path().filename());
  std::ranges::sort(out);
  return out;
}

class SqliteBackups : public testing::Test {
 protected:
  SqliteBackups() {
    storage::migrate_up({.sqlite_path = database});
    storage::sqlite::Connection(database, storage::sqlite::Access::writer, clock)
        .execute("CREATE TABLE things (number INTEGER PRIMARY KEY, text TEXT NOT NULL)");
    lock.emplace(std::move(catalog.lock().value()));
  }

  void add_thing(std::string const& database_path) {
    storage::sqlite::Connection(database_path, storage::sqlite::Access::writer, clock)
        .execute("INSERT INTO things (text) VALUES (hex(randomblob(50000)))");
  }
  Manifest back_up() {
    clock.advance(std::chrono::hours{1});
    auto made = back_up_sqlite(catalog, database, clock);
    EXPECT_TRUE(made) << made.error().message;
    return made.value_or(Manifest{});
  }
  std::int64_t things() const { return storage::examine_sqlite(database)->rows.at("things"); }
  fs::path packed(Manifest const& manifest) const { return catalog.path_of(manifest.id) / "database.db.gz"; }

  ManualClock clock;
  TemporaryDirectory directory;
  std::string database = directory.file("live.db");
  Catalog catalog{directory.path() / "backups"};
  std::optional<storage::DirectoryLock> lock;
};

TEST_F(SqliteBackups, ThereAndBack) {
  add_thing(database);
  auto const manifest = back_up();
  EXPECT_EQ(manifest.id, "2026-01-01T010000.000000Z");
  EXPECT_EQ(manifest.database.rows.at("things"), 1);
  EXPECT_EQ(catalog.find(manifest.id), manifest);
  EXPECT_TRUE(verify_sqlite(catalog, manifest));
  EXPECT_THAT(names_in(catalog.directory()), ElementsAre(manifest.id, "lock"));
  EXPECT_THAT(names_in(catalog.path_of(manifest.id)), ElementsAre("database.db.gz", "manifest.json"));
  EXPECT_LT(manifest.bytes(), fs::file_size(database));

  add_thing(database);
  EXPECT_EQ(restore_sqlite(catalog, manifest, {.database = database}, clock).error().code, Code::conflict);
  EXPECT_EQ(things(), 2);
  auto const aside = restore_sqlite(catalog, manifest, {.database = database, .may_replace = true}, clock);
  ASSERT_TRUE(aside) << aside.error().message;
  EXPECT_EQ(things(), 1);
  EXPECT_EQ(storage::examine_sqlite(*aside)->rows.at("things"), 2) << "what was there stays";
  add_thing(database);
  EXPECT_EQ(things(), 2) << "it can be written";
  EXPECT_THAT(names_in(directory.path()), ElementsAre("backups", "live.db", fs::path(*aside).filename().string()));
}

TEST_F(SqliteBackups, TheLogOfWhatWasThereIsNotReadIntoWhatComes) {
  auto const manifest = back_up();
  {
    storage::sqlite::Connection writer(database, storage::sqlite::Access::writer, clock);
    writer.execute("INSERT INTO things (text) VALUES ('only in the log')");
    fs::copy_file(database + "-wal", directory.file("kept-wal"));
  }
  fs::remove(database);  // as after a crash: a log that was left alone
  fs::copy_file(directory.file("kept-wal"), database + "-wal");
  auto const aside = restore_sqlite(catalog, manifest, {.database = database}, clock);
  ASSERT_TRUE(aside) << aside.error().message;
  EXPECT_EQ(*aside, "");
  storage::sqlite::Connection writer(database, storage::sqlite::Access::writer, clock);
  EXPECT_EQ(writer.run("count", "SELECT count(*) FROM things", {})->rows.at(0).at(0), Value(std::int64_t{0}));
}

TEST_F(SqliteBackups, DamageIsRefusedAndChangesNothing) {
  add_thing(database);
  auto const manifest = back_up();
  auto const size = static_cast<std::streamoff>(fs::file_size(packed(manifest)));
  {
    std::fstream file(packed(manifest), std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(size / 2);
    auto const byte = static_cast<char>(file.get() ^ 1);
    file.seekp(size / 2);
    file.put(byte);
  }
  EXPECT_THAT(verify_sqlite(catalog, manifest).error().message, HasSubstr("checksum"));
  fs::remove(database);
  EXPECT_EQ(restore_sqlite(catalog, manifest, {.database = database}, clock).error().code, Code::invalid);
  fs::resize_file(packed(manifest), static_cast<std::uintmax_t>(size) - 1);
  EXPECT_THAT(verify_sqlite(catalog, manifest).error().message, HasSubstr(" bytes instead of " + std::to_string(size)));
  fs::remove(packed(manifest));
  EXPECT_THAT(verify_sqlite(catalog, manifest).error().message, HasSubstr("is missing"));
  EXPECT_FALSE(fs::exists(database));
  EXPECT_THAT(names_in(directory.path()), Each(Not(HasSubstr("restoring"))));
}

TEST_F(SqliteBackups, ContentThatIsNotWhatWasCountedIsRefused) {
  auto manifest = back_up();
  manifest.database.rows["things"] = 7;
  EXPECT_THAT(verify_sqlite(catalog, manifest).error().message, HasSubstr("rows of things is 0"));
  manifest = back_up();
  manifest.database.schema_version = 9'999;
  EXPECT_THAT(verify_sqlite(catalog, manifest).error().message, HasSubstr("version of the schema"));
}

TEST_F(SqliteBackups, ADatabaseOfANewerProgramIsNotRestored) {
  storage::sqlite::Connection(database, storage::sqlite::Access::writer, clock)
      .execute("INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (9999, 'later', '', 0)");
  auto const manifest = back_up();
  fs::remove(database);
  EXPECT_THAT(restore_sqlite(catalog, manifest, {.database = database}, clock).error().message,
              HasSubstr("newer version"));
}

TEST_F(SqliteBackups, AFullDiskLeavesNothing) {
  for (int i = 0; i < 10; ++i)
    add_thing(database);
  for (rlim_t const bytes : {rlim_t{1} << 12, rlim_t{1} << 17, rlim_t{3} << 18}) {
    FileSizeLimit const limit(bytes);
    EXPECT_THROW((void)back_up_sqlite(catalog, database, clock), Fault) << bytes;
  }
  EXPECT_THAT(catalog.list(), IsEmpty());
  EXPECT_THAT(names_in(catalog.directory()), ElementsAre("lock"));
  auto const manifest = back_up();
  auto const before = things();
  {
    FileSizeLimit const limit(1 << 17);
    EXPECT_THROW((void)restore_sqlite(catalog, manifest, {.database = database, .may_replace = true}, clock), Fault);
  }
  EXPECT_EQ(things(), before);
}

TEST_F(SqliteBackups, OneThatIsBrokenOffLeavesNothing) {
  for (int i = 0; i < 50; ++i)
    add_thing(database);
  std::stop_source source;
  auto const stop_halfway = [&](int, int) { source.request_stop(); };
  Making const making{.begun_at = {}, .progress = stop_halfway, .stop = source.get_token()};
  EXPECT_THROW((void)back_up_sqlite(catalog, database, clock, making), Unavailable);
  EXPECT_THAT(names_in(catalog.directory()), ElementsAre("lock"));
}

TEST_F(SqliteBackups, WithoutADatabaseThereIsNothingToDo) {
  EXPECT_EQ(back_up_sqlite(catalog, directory.file("none.db"), clock).error().code, Code::not_found);
  EXPECT_FALSE(fs::exists(directory.file("none.db")));
}

}  // namespace
}  // namespace al::app::backup
