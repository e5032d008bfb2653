#include "storage/backup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "storage/migrations.hpp"
#include "storage/sqlite_connection.hpp"
#include "testing/manual_clock.hpp"
#include "testing/temporary_directory.hpp"

namespace al::storage {
namespace {

using testing::HasSubstr;

/// A migrated database with a table of its own, and a connection that stays open as a server's would.
class SqliteBackup : public testing::Test {
 protected:
  SqliteBackup() {
    migrate_up({.sqlite_path = path});
    writer.emplace(path, sqlite::Access::writer, clock);
    writer->execute("CREATE TABLE pairs (number INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  }

  void add_pair(std::int64_t number) {
    writer->execute("BEGIN; INSERT INTO pairs VALUES (" + std::to_string(2 * number) + ", hex(randomblob(2000)));" +
                    "INSERT INTO pairs VALUES (" + std::to_string(2 * number + 1) + ", 'second'); COMMIT");
  }

  void damage(std::string const& file, std::streamoff at) {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(at);
    stream.write("damaged by a test", 17);
  }

  TemporaryDirectory directory;
  ManualClock clock;
  std::string path = directory.file("live.db");
  std::string copy = directory.file("100% copy?.db");
  std::optional<sqlite::Connection> writer;
};

TEST_F(SqliteBackup, HoldsWhatWasCommittedAndIsForTheOwnerOnly) {
  add_pair(0);
  auto const facts = copy_sqlite(path, copy);
  EXPECT_EQ(facts.rows.at("pairs"), 2);
  EXPECT_GE(facts.schema_version, 2);
  EXPECT_EQ(examine_sqlite(copy), facts);
  struct stat status{};
  ASSERT_EQ(::stat(copy.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_FALSE(std::filesystem::exists(copy + "-wal")) << "examining leaves nothing beside it";
}

TEST_F(SqliteBackup, IsOneMomentWhileOthersWrite) {
  for (std::int64_t i = 0; i < 500; ++i)
    add_pair(i);
  std::int64_t written = 500;
  // Between two steps of the copy: had it no snapshot, it would begin again each time, and never end.
  auto const facts = copy_sqlite(path, copy, [&](int, int) { add_pair(written++); });
  EXPECT_GT(written, 501);
  EXPECT_EQ(facts.rows.at("pairs"), 1000);
  EXPECT_EQ(examine_sqlite(copy), facts);
}

TEST_F(SqliteBackup, DamageIsFound) {
  for (std::int64_t i = 0; i < 200; ++i)
    add_pair(i);
  (void)copy_sqlite(path, copy);
  auto const size = static_cast<std::streamoff>(std::filesystem::file_size(copy));
  damage(copy, size - 5 * 4096);
  auto const facts = examine_sqlite(copy);
  EXPECT_TRUE(!facts || facts->rows.at("pairs") == 400) << "text that differs is for the checksum to find";
  damage(copy, 100);
  auto const broken = examine_sqlite(copy);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::invalid);
  damage(copy, 0);
  EXPECT_THAT(examine_sqlite(copy).error().message, HasSubstr("not a database"));
}

TEST_F(SqliteBackup, AnotherFileIsNoDatabaseOfOurs) {
  {
    sqlite::Connection const other(directory.file("other.db"), sqlite::Access::writer, clock);
  }
  EXPECT_THAT(examine_sqlite(directory.file("other.db")).error().message, HasSubstr("schema_migrations"));
  EXPECT_THROW((void)examine_sqlite(directory.file("none.db")), Fault);
  EXPECT_THROW((void)copy_sqlite(directory.file("none.db"), copy), Fault);
}

TEST(PostgresLogin, GoesIntoTheEnvironment) {
  auto const login = login_environment("postgresql://me:s%20e@db.example:5433/mine?sslmode=require");
  EXPECT_EQ(login.at("PGHOST"), "db.example");
  EXPECT_EQ(login.at("PGPORT"), "5433");
  EXPECT_EQ(login.at("PGUSER"), "me");
  EXPECT_EQ(login.at("PGPASSWORD"), "s e");
  EXPECT_EQ(login.at("PGSSLMODE"), "require");
  try {
    (void)login_environment("postgresql://me:secret%zz@host/x");
    FAIL() << "it is malformed";
  } catch (Fault const& fault) {
    EXPECT_THAT(fault.what(), testing::Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace al::storage
