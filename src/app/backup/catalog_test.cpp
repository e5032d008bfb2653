#include "app/backup/catalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/fault.hpp"
#include "testing/manual_clock.hpp"
#include "testing/temporary_directory.hpp"

namespace al::app::backup {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Manifest some_manifest(std::string id, Kind kind) {
  Manifest out{.id = std::move(id),
               .kind = kind,
               .begun_at = *parse_time("2026-01-01T00:00:00Z"),
               .copied_at = *parse_time("2026-01-01T00:00:01.5Z"),
               .program = "0.1.0",
               .files = {{"database.db.gz", {1'000'000'000'000, "ab"}}},
               .database = {.schema_version = 2, .rows = {{"agents", 10}, {"tasks", 0}}}};
  if (kind == Kind::postgresql)
    out.log = {.begin = 0x2000028, .end = 0x1'0000'0000, .segment_bytes = 1 << 24, .system_id = "7"};
  return out;
}

class CatalogTest : public testing::Test {
 protected:
  Manifest publish(Kind kind = Kind::sqlite) {
    clock.advance(std::chrono::seconds{10});
    Draft draft(catalog, clock.now());
    auto manifest = some_manifest(draft.id(), kind);
    manifest.copied_at = clock.now();
    draft.publish(manifest);
    return manifest;
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (auto const& entry : catalog.list())
      out.push_back(entry.id);
    return out;
  }
  void overwrite_manifest(std::string const& id, std::string const& text) const {
    std::ofstream(catalog.path_of(id) / "manifest.json") << text;
  }

  ManualClock clock;
  TemporaryDirectory directory;
  Catalog catalog{directory.path()};
};

TEST_F(CatalogTest, ManifestsReadBackAsTheyWere) {
  for (auto const kind : {Kind::sqlite, Kind::postgresql}) {
    auto const manifest = some_manifest("2026-01-01T000000.000000Z", kind);
    auto const read = parse_manifest(to_json(manifest));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, manifest);
  }
}

TEST_F(CatalogTest, WhatIsNoManifestIsRefusedWithTheReason) {
  auto const whole = to_json(some_manifest("2026-01-01T000000.000000Z", Kind::postgresql));
  auto const changed = [&](std::string_view from, std::string_view to) {
    auto text = whole;
    text.replace(text.find(from), from.size(), to);
    auto const read = parse_manifest(text);
    return read ? std::string("accepted") : read.error().message;
  };
  EXPECT_THAT(parse_manifest("").error().message, HasSubstr("no JSON object"));
  EXPECT_THAT(parse_manifest(whole.substr(0, whole.size() / 2)).error().message, HasSubstr("no JSON object"));
  EXPECT_THAT(changed("\"format_version\":1", "\"format_version\":2"), HasSubstr("newer version"));
  EXPECT_THAT(changed("agent-lightning-backup", "another"), HasSubstr("'format'"));
  EXPECT_THAT(changed("\"postgresql\"", "\"oracle\""), HasSubstr("'kind'"));
  EXPECT_THAT(changed("\"postgresql\"", "\"sqlite\""), HasSubstr("'log'"));
  EXPECT_THAT(changed("database.db.gz", "../x"), HasSubstr("'files'"));
  EXPECT_THAT(changed("\"bytes\":1000000000000", "\"bytes\":-1"), HasSubstr("'bytes'"));
  EXPECT_THAT(changed("\"segment_bytes\":16777216", "\"segment_bytes\":0"), HasSubstr("'log'"));
  EXPECT_THAT(changed("2026-01-01T00:00:01.500000Z", "yesterday"), HasSubstr("'copied_at'"));
}

TEST_F(CatalogTest, ListsTheNewestFirstAndWhatIsDamagedWithItsFault) {
  EXPECT_THAT(Catalog(directory.path() / "none").list(), IsEmpty());
  auto const first = publish();
  auto const second = publish();
  auto const third = publish(Kind::postgresql);
  fs::create_directory(directory.path() / "2026-01-01T000000.000000Z.partial");
  fs::create_directory(directory.path() / "wal");
  EXPECT_THAT(ids(), ElementsAre(third.id, second.id, first.id));
  overwrite_manifest(second.id, "{");
  ASSERT_FALSE(catalog.list().at(1).manifest);
  EXPECT_EQ(catalog.find(second.id).error().code, Code::invalid);
  EXPECT_EQ(catalog.find("../" + first.id).error().code, Code::not_found);
  EXPECT_EQ(catalog.find("").error().code, Code::not_found);
  EXPECT_EQ(catalog.newest(Kind::sqlite), first);
  overwrite_manifest(third.id, to_json(first));
  EXPECT_THAT(catalog.find(third.id).error().message, HasSubstr("another backup"));
  EXPECT_EQ(catalog.newest(Kind::postgresql).error().code, Code::not_found);
}

TEST_F(CatalogTest, TheNewestUpToATime) {
  auto const first = publish();
  auto const second = publish();
  EXPECT_EQ(catalog.newest(Kind::sqlite), second);
  EXPECT_EQ(catalog.newest(Kind::sqlite, second.copied_at), second);
  EXPECT_EQ(catalog.newest(Kind::sqlite, second.copied_at - std::chrono::microseconds{1}), first);
  EXPECT_FALSE(catalog.newest(Kind::sqlite, first.copied_at - std::chrono::microseconds{1}));
}

TEST_F(CatalogTest, KeepsTheNewestOfEachKind) {
  std::vector<Manifest> made;
  for (auto const kind : {Kind::sqlite, Kind::postgresql, Kind::sqlite, Kind::sqlite, Kind::postgresql})
    made.push_back(publish(kind));
  EXPECT_THAT(superfluous(catalog.list(), 2), ElementsAre(made[0].id));
  EXPECT_THAT(superfluous(catalog.list(), 1), ElementsAre(made[2].id, made[1].id, made[0].id));
  EXPECT_EQ(superfluous(catalog.list(), 0), superfluous(catalog.list(), 1)) << "one always stays";
  // The newest one that is whole stays, also behind one that is not.
  overwrite_manifest(made[3].id, "{");
  EXPECT_THAT(superfluous(catalog.list(), 1), ElementsAre(made[1].id, made[0].id));
  catalog.remove(made[0].id);
  EXPECT_THAT(ids(), ElementsAre(made[4].id, made[3].id, made[2].id, made[1].id));
}

TEST_F(CatalogTest, ADraftThatIsNotPublishedLeavesNothing) {
  {
    Draft const draft(catalog, clock.now());
  }
  EXPECT_TRUE(fs::is_empty(directory.path()));
  fs::create_directories(directory.path() / "2026-01-01T000000.000000Z.partial" / "x");
  fs::create_directory(directory.path() / "mine.partial");
  catalog.remove_leftovers();
  EXPECT_FALSE(fs::exists(directory.path() / "2026-01-01T000000.000000Z.partial"));
  EXPECT_TRUE(fs::exists(directory.path() / "mine.partial")) << "that is somebody else's";
}

TEST_F(CatalogTest, OneProcessAtATime) {
  auto const held = catalog.lock();
  ASSERT_TRUE(held);
  EXPECT_THAT(catalog.lock().error().message, HasSubstr("another process works on the backups"));
}

TEST_F(CatalogTest, ADirectoryThatCannotBeMadeIsSaidSo) {
  Catalog const nowhere("/proc/nowhere");
  auto const lock = nowhere.lock();
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, Code::conflict);
  EXPECT_THAT(lock.error().message, AllOf(HasSubstr("/proc/nowhere"), HasSubstr("BACKUP_DIRECTORY")));
}

}  // namespace
}  // namespace al::app::backup
