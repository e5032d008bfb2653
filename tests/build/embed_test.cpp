#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "core/embedded.hpp"
#include "embedded/embed_nothing.hpp"
#include "embedded/embed_packed.hpp"
#include "embedded/embed_samples.hpp"

namespace {

std::string read_file(std::string_view name) {
  std::ifstream file("tests/build/embed/" + std::string(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Embed, HoldsEveryByteSortedByName) {
  auto const files = al::embedded::embed_samples();
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].name, "bytes.bin");
  EXPECT_EQ(files[1].name, "empty.txt");
  EXPECT_TRUE(files[1].text.empty());
  // A zero byte, a byte over 127, quotes, backslash, a would-be trigraph, CR, and a digit after an escape.
  EXPECT_EQ(files[0].text.size(), 42U);
  for (al::EmbeddedFile const& file : files) {
    EXPECT_EQ(file.text, read_file(file.name)) << file.name;
  }
}

/// A header of gzip without a time and a name, so that the same files are the same bytes in every build.
TEST(Embed, PacksAFolderUnderItsPaths) {
  auto const files = al::embedded::embed_packed();
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].name, "below/text.txt");
  EXPECT_EQ(files[1].name, "top.css");
  for (al::EmbeddedFile const& file : files) {
    ASSERT_GT(file.text.size(), 18U);
    EXPECT_EQ(file.text.substr(0, 8), std::string_view("\x1f\x8b\x08\0\0\0\0\0", 8)) << file.name;
  }
}

TEST(Embed, NoFilesAreAnEmptySpan) { EXPECT_TRUE(al::embedded::embed_nothing().empty()); }

}  // namespace
