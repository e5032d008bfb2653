#include "app/backup/postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>

#include "storage/migrations.hpp"
#include "testing/postgres_server.hpp"
#include "testing/temporary_directory.hpp"

namespace al::app::backup {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// All that was committed has reached the archive, or an error after half a minute.
constexpr auto wait_for_archive = R"(
DO $$ DECLARE wanted pg_lsn := pg_current_wal_lsn(); BEGIN
  FOR i IN 1..600 LOOP
    IF EXISTS (SELECT FROM pg_stat_get_wal_senders() WHERE flush_lsn >= wanted) THEN RETURN; END IF;
    PERFORM pg_sleep(0.05);
  END LOOP;
  RAISE EXCEPTION 'the archive does not follow';
END $$)";

/// `agent-lightning backup wal`, which becomes another program.
class Receiver {
 public:
  Receiver(WalArchive const& archive, PostgresAccess const& access) : process_(::fork()) {
    if (process_ != 0)
      return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    auto const error = receive_log(archive, access);
    std::fprintf(stderr, "%s\n", error.message.c_str());
    std::_Exit(1);
  }
  ~Receiver() {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }
  Receiver(Receiver const&) = delete;
  Receiver& operator=(Receiver const&) = delete;

 private:
  pid_t process_;
};

class PostgresBackups : public testing::Test {
 protected:
  PostgresBackups() {
    // The account of the restored server passes through it when the tests run as root.
    fs::permissions(directory.path(), fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add);
    server.create_database("team");
    storage::migrate_up({.postgres_url = server.url("team")});
    server.execute("postgres", "CREATE ROLE keeper LOGIN REPLICATION");
    server.execute_as_owner("team", "CREATE TABLE agent_lightning.marks (text text NOT NULL)");
    auto url = server.url("team");
    access.content_url = url;
    access.url = url.replace(url.find("agent_user"), 10, "keeper");
    lock.emplace(std::move(catalog.lock().value()));
  }

  void mark(std::string const& text) {
    server.execute_as_owner("team", "INSERT INTO agent_lightning.marks VALUES ('" + text + "')");
  }
  Manifest back_up() {
    auto made = back_up_postgres(catalog, access, clock);
    EXPECT_TRUE(made) << made.error().message;
    return made.value_or(Manifest{});
  }
  Result<storage::DatabaseFacts> restore(Manifest const& manifest, std::string const& name, RecoveryTarget target) {
    return restore_postgres(catalog, manifest, access, {.directory = directory.file(name), .target = target});
  }
  /// How many marks a restore has; -1, with the reason, when it fails.
  std::int64_t marks(Manifest const& manifest, std::string const& name, RecoveryTarget target) {
    auto const facts = restore(manifest, name, target);
    EXPECT_TRUE(facts) << facts.error().message;
    return facts ? facts->rows.at("marks") : -1;
  }

  SystemClock clock;
  PostgresServer server;
  TemporaryDirectory directory;
  Catalog catalog{directory.path() / "backups"};
  WalArchive archive{catalog.directory() / "wal"};
  PostgresAccess access{.url = {}, .content_url = {}, .programs = "/usr/lib/postgresql/15/bin"};
  std::optional<storage::DirectoryLock> lock;
};

TEST_F(PostgresBackups, ToAPointInTime) {
  mark("before");
  std::optional<Receiver> receiver(std::in_place, archive, access);
  auto const manifest = back_up();
  EXPECT_EQ(manifest.database.rows.at("marks"), 1);
  EXPECT_GE(manifest.database.schema_version, 2);
  EXPECT_EQ(catalog.find(manifest.id), manifest);
  mark("A");
  server.execute("team", wait_for_archive);
  server.execute("team", "SELECT pg_switch_wal()");
  auto const between = clock.now();
  mark("B");
  server.execute("team", wait_for_archive);
  receiver.reset();
  receiver.emplace(archive, access);  // as after a restart: it goes on in the segment that it was at
  mark("C");
  server.execute("team", wait_for_archive);
  server.crash();  // what was archived is all there is
  EXPECT_EQ(marks(manifest, "base", {}), 1);
  EXPECT_EQ(marks(manifest, "then", {.time = between}), 2);
  EXPECT_EQ(marks(manifest, "latest", {.latest = true}), 4);
  auto const later = restore(manifest, "later", {.time = clock.now() + std::chrono::hours{1}});
  ASSERT_FALSE(later);
  EXPECT_THAT(later.error().message, HasSubstr("the archived log ends before"));
  EXPECT_FALSE(fs::exists(directory.file("later"))) << "a restore that fails leaves nothing";
  EXPECT_FALSE(fs::exists(directory.file("later.partial")));
  EXPECT_EQ(restore(manifest, "base", {}).error().code, Code::conflict);
  EXPECT_TRUE(fs::exists(directory.path() / "latest" / "PG_VERSION"));
  EXPECT_FALSE(fs::exists(directory.path() / "latest" / "postmaster.pid")) << "it was stopped";
}

TEST_F(PostgresBackups, DamageIsRefused) {
  auto const manifest = back_up();
  EXPECT_TRUE(verify_postgres(catalog, manifest, access));
  auto const base = catalog.path_of(manifest.id) / "base.tar.gz";
  auto const size = static_cast<std::streamoff>(fs::file_size(base));
  {
    std::fstream file(base, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(size / 2);
    auto const byte = static_cast<char>(file.get() ^ 1);
    file.seekp(size / 2);
    file.put(byte);
  }
  EXPECT_THAT(verify_postgres(catalog, manifest, access).error().message, HasSubstr("checksum"));
  EXPECT_THAT(restore(manifest, "restored", {}).error().message, HasSubstr("checksum"));
  EXPECT_FALSE(fs::exists(directory.file("restored")));
  fs::resize_file(base, static_cast<std::uintmax_t>(size) - 1);
  EXPECT_THAT(verify_postgres(catalog, manifest, access).error().message, HasSubstr("bytes instead of"));
}

TEST_F(PostgresBackups, ALoginThatMayNotReplicateIsToldSo) {
  access.url = access.content_url;
  auto const made = back_up_postgres(catalog, access, clock);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("pg_basebackup"));
  EXPECT_TRUE(catalog.list().empty());
  EXPECT_THAT(receive_log(archive, access).message, HasSubstr("pg_receivewal"));
}

}  // namespace
}  // namespace al::app::backup
