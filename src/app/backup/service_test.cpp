#include "app/backup/service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "app/program.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite_connection.hpp"
#include "testing/event_loop.hpp"
#include "testing/manual_clock.hpp"
#include "testing/temporary_directory.hpp"

namespace al::app::backup {
namespace {

using model::BackupState;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::chrono::seconds wait_max{60};

class BackupService : public testing::Test {
 protected:
  BackupService() { storage::migrate_up({.sqlite_path = database}); }

  Config configured(std::map<std::string, std::string> more = {}) {
    more.insert({{"AGENT_LIGHTNING_DATA", directory.path().string()}, {"BACKUP_DIRECTORY", backups.string()}});
    auto config = Config::load({.file = {}, .dotenv = {}, .environment = std::move(more), .options = {}});
    EXPECT_TRUE(config) << config.error().message;
    return std::move(*config);
  }
  Result<model::Backup> find(Service& service, std::string const& id) { return loop.wait(service.find(id)); }
  model::Backup begun(Service& service) {
    clock.advance(std::chrono::hours{1});
    auto backup = loop.wait(service.start());
    EXPECT_TRUE(backup) << backup.error().message;
    return backup.value_or(model::Backup{});
  }
  /// What becomes of it.
  model::Backup ended(Service& service, std::string const& id) {
    auto const limit = Deadline::after(wait_max);
    while (limit.left().count() > 0) {
      auto backup = find(service, id);
      EXPECT_TRUE(backup);
      if (!backup || backup->state != BackupState::running)
        return backup.value_or(model::Backup{});
      std::this_thread::yield();
    }
    ADD_FAILURE() << "it does not end";
    return {};
  }
  /// Nobody reads the database while the answer lives.
  std::unique_ptr<storage::sqlite::Connection> hold_database() {
    auto holder = std::make_unique<storage::sqlite::Connection>(database, storage::sqlite::Access::writer, clock);
    holder->execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return holder;
  }

  ManualClock clock;
  TemporaryDirectory directory;
  EventLoop loop;
  std::filesystem::path backups = directory.path() / "backups";
  std::string database = directory.file("agent-lightning.db");
};

TEST_F(BackupService, MakesOneBesideTheRequests) {
  auto const config = configured();
  Service service(config, clock);
  EXPECT_THAT(loop.wait(service.list()), IsEmpty());
  auto const first = begun(service);
  EXPECT_EQ(first.id, "2026-01-01T010000.000000Z");
  EXPECT_EQ(first.state, BackupState::running);
  EXPECT_FALSE(first.rows);
  auto const done = ended(service, first.id);
  EXPECT_EQ(done.state, BackupState::done);
  EXPECT_EQ(done.kind, model::BackupKind::sqlite);
  EXPECT_EQ(done.begun_at, first.begun_at);
  EXPECT_GT(done.bytes.value_or(0), 0);
  EXPECT_GT(done.rows.value_or(0), 0);
  EXPECT_FALSE(done.error);
  auto const second = begun(service);
  EXPECT_EQ(ended(service, second.id).state, BackupState::done);
  auto const all = loop.wait(service.list());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, second.id) << "the newest first";
  EXPECT_EQ(find(service, "2026-01-01T000000.000000Z").error().code, Code::not_found);
  EXPECT_EQ(find(service, "../backups").error().code, Code::not_found);
}

TEST_F(BackupService, KeepsAsManyAsItIsTold) {
  auto const config = configured({{"BACKUP_KEEP", "1"}});
  Service service(config, clock);
  auto const first = begun(service);
  EXPECT_EQ(ended(service, first.id).state, BackupState::done);
  auto const second = begun(service);
  EXPECT_EQ(ended(service, second.id).state, BackupState::done);
  EXPECT_EQ(find(service, first.id).error().code, Code::not_found);
}

TEST_F(BackupService, MakesOneAtATime) {
  auto const config = configured();
  Service service(config, clock);
  auto holder = hold_database();
  auto const first = begun(service);
  EXPECT_THAT(loop.wait(service.start()).error().message, HasSubstr(first.id + " is being made"));
  auto const listed = loop.wait(service.list());
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].state, BackupState::running);
  holder.reset();
  EXPECT_EQ(ended(service, first.id).state, BackupState::done);

  auto const another = Catalog(backups).lock();
  ASSERT_TRUE(another);
  auto const refused = loop.wait(service.start());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("another process"));
}

TEST_F(BackupService, ShowsWhatFailedUntilTheNextOne) {
  std::filesystem::rename(database, database + ".away");
  auto const config = configured();
  Service service(config, clock);
  auto const lost = begun(service);
  auto const failed = ended(service, lost.id);
  EXPECT_EQ(failed.state, BackupState::failed);
  EXPECT_THAT(failed.error.value_or(""), HasSubstr("there is no database"));
  ASSERT_EQ(loop.wait(service.list()).size(), 1U);
  std::filesystem::rename(database + ".away", database);
  auto const good = begun(service);
  EXPECT_EQ(ended(service, good.id).state, BackupState::done);
  EXPECT_EQ(find(service, lost.id).error().code, Code::not_found);
}

TEST_F(BackupService, TellsWhatIsDamaged) {
  auto const config = configured();
  Service service(config, clock);
  auto const id = begun(service).id;
  EXPECT_EQ(ended(service, id).state, BackupState::done);
  std::ofstream(backups / id / "manifest.json") << "{";
  auto const found = find(service, id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state, BackupState::damaged);
  EXPECT_THAT(found->error.value_or(""), HasSubstr("manifest.json is damaged"));
  auto const listed = loop.wait(service.list());
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].state, BackupState::damaged);
}

TEST_F(BackupService, SaysWhatIsMissing) {
  auto const config = configured({{"DATABASE_URL", "postgresql://nobody@localhost/nothing"},
                                  {"BACKUP_POSTGRES_PROGRAMS", directory.path().string()}});
  Service service(config, clock);
  auto const refused = loop.wait(service.start());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("pg_basebackup is not where BACKUP_POSTGRES_PROGRAMS says"));
  EXPECT_THAT(loop.wait(service.list()), IsEmpty());
}

TEST_F(BackupService, ProgramsEndWhenTheyAreBrokenOff) {
  std::stop_source source;
  source.request_stop();
  auto const stopped = run_program({"sleep", "3600"}, {.stop = source.get_token()});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::unavailable);
  EXPECT_EQ(run_program({"echo", "said"}, {.stop = std::stop_source().get_token()}), "said");
}

}  // namespace
}  // namespace al::app::backup
