#include "app/backup/wal_archive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "testing/temporary_directory.hpp"

namespace al::app::backup {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::uint64_t segment_bytes = 1 << 20;
/// The base backup begins in segment 2 and ends in the middle of segment 3.
LogPosition const base{
    .begin = 2 * segment_bytes + 40, .end = 3 * segment_bytes + segment_bytes / 2, .segment_bytes = segment_bytes};

TEST(Segment, NamesAreNumbers) {
  EXPECT_EQ(parse_segment("000000010000000000000002", 1 << 24), (Segment{1, 2}));
  EXPECT_EQ(parse_segment("0000000A00000001000000FF", 1 << 24), (Segment{10, 256 + 255}));
  EXPECT_EQ(parse_segment("000000010000000100000FFF", 1 << 20), (Segment{1, 4096 + 4095}));
  EXPECT_FALSE(parse_segment("000000010000000100000100", 1 << 24)) << "there are 256 of 16 MiB in 4 GiB";
  EXPECT_FALSE(parse_segment("00000001000000010000001", 1 << 24));
  EXPECT_FALSE(parse_segment("00000001000000010000001x", 1 << 24));
}

TEST(Segment, PlacesAreNumbers) {
  EXPECT_EQ(parse_position("0/2000028"), 0x2000028U);
  EXPECT_EQ(parse_position("A/FF000028"), 0xA'FF00'0028U);
  for (auto const* wrong : {"", "/", "1/", "/1", "1", "1/2/3", "x/1", "1/100000000"})
    EXPECT_FALSE(parse_position(wrong)) << wrong;
}

TEST(Segment, AGapIsFound) {
  EXPECT_FALSE(find_gap(3, {}));
  EXPECT_FALSE(find_gap(3, {5, 3, 4, 4}));
  EXPECT_EQ(find_gap(3, {4, 5}), 3U);
  EXPECT_EQ(find_gap(3, {3, 4, 6}), 5U);
}

class WalArchiveTest : public testing::Test {
 protected:
  WalArchiveTest() {
    archive.prepare();
    fs::create_directory(pg_wal);
  }
  static std::string name(std::uint64_t number) { return "00000001000000000000000" + std::to_string(number); }
  static std::string text(char c, std::uint64_t bytes = segment_bytes) { return std::string(bytes, c); }

  /// As pg_receivewal leaves it, with `suffix` behind the name.
  void put(std::uint64_t number, std::string const& content, std::string const& suffix = ".gz") {
    auto const plain = directory.file("plain");
    write_new_file(plain, content);
    pack(plain, archive.directory() / (name(number) + suffix));
    fs::remove(plain);
  }
  void cut(std::string const& file) {
    auto const path = archive.directory() / file;
    fs::resize_file(path, fs::file_size(path) - 8);  // a packed file that is still written has no end
  }
  std::string restored(std::uint64_t number) const {
    std::ifstream in(pg_wal / name(number), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  TemporaryDirectory directory;
  WalArchive archive{directory.path() / "wal"};
  fs::path pg_wal = directory.path() / "pg_wal";
};

TEST_F(WalArchiveTest, UnpacksWhatTheBackupNeeds) {
  for (std::uint64_t number = 1; number <= 4; ++number)
    put(number, text(static_cast<char>('0' + number)));
  put(5, text('5', 1000), ".gz.partial");
  cut(name(5) + ".gz.partial");
  std::ofstream(archive.directory() / "readme") << "not ours";
  write_new_file(pg_wal / name(3), "what the backup itself had");
  auto const done = archive.unpack_into(pg_wal, base);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_FALSE(fs::exists(pg_wal / name(1))) << "the backup began after it";
  for (std::uint64_t number = 2; number <= 4; ++number)
    EXPECT_EQ(restored(number), text(static_cast<char>('0' + number)));
  EXPECT_EQ(restored(5), text('5', 1000) + text('\0', segment_bytes - 1000));
}

TEST_F(WalArchiveTest, ASegmentAtWorkDoesNotReplaceMoreThanItHas) {
  write_new_file(pg_wal / name(3), text('b'));
  put(3, text('a', 1000), ".gz.partial");
  ASSERT_TRUE(archive.unpack_into(pg_wal, base));
  EXPECT_EQ(restored(3), text('b')) << "half of it is in the backup, and only 1000 bytes here";
  archive.prepare();
  put(3, text('c', 10), ".gz.partial");
  EXPECT_TRUE(fs::exists(archive.directory() / (name(3) + ".gz.partial.kept")));
  put(4, text('d', 10), ".gz.partial.kept");
  put(4, text('e', 5), ".gz.partial");
  ASSERT_TRUE(archive.unpack_into(pg_wal, base));
  EXPECT_EQ(restored(4).substr(0, 11), text('d', 10) + '\0') << "the longer one";
}

TEST_F(WalArchiveTest, WhatIsMissingOrDamagedIsNamed) {
  put(4, text('4'));
  EXPECT_THAT(archive.unpack_into(pg_wal, base).error().message, HasSubstr("lacks segment 3"));
  put(3, text('3', segment_bytes - 1));
  EXPECT_THAT(archive.unpack_into(pg_wal, base).error().message, HasSubstr(name(3) + ".gz is damaged"));
}

TEST_F(WalArchiveTest, ForgetsWhatNoBackupNeeds) {
  for (std::uint64_t number = 0; number <= 3; ++number)
    put(number, "x");
  put(1, "x", ".gz.partial.kept");
  EXPECT_EQ(archive.remove_before(base), 3U);
  EXPECT_EQ(archive.remove_before(base), 0U);
  EXPECT_TRUE(fs::exists(archive.directory() / (name(2) + ".gz")));
}

}  // namespace
}  // namespace al::app::backup
