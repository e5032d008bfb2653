#include "security/token_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/fault.hpp"
#include "testing/temporary_directory.hpp"

namespace al::security {
namespace {

std::string const token = "al_0123456789abcdef";

mode_t mode_of(std::filesystem::path const& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
}

TEST(TokenFile, IsReadAsItWasWrittenAndForItsOwnerOnly) {
  TemporaryDirectory directory;
  auto const file = token_file(directory.path());
  ::umask(0);
  write_token_file(file, token);
  EXPECT_EQ(read_token_file(file).value(), token);
  EXPECT_EQ(mode_of(file), 0600u);
}

TEST(TokenFile, IsReplacedAsAWholeAndLeavesNothingBeside) {
  TemporaryDirectory directory;
  auto const file = token_file(directory.path());
  write_token_file(file, "an older and much longer token than the next");
  std::filesystem::permissions(file, std::filesystem::perms::all);
  write_token_file(file, token);
  EXPECT_EQ(read_token_file(file).value(), token);
  EXPECT_EQ(mode_of(file), 0600u) << "the permissions of the older file are not taken over";
  auto const entries = std::filesystem::directory_iterator(directory.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST(TokenFile, SaysWhyItCannotBeRead) {
  TemporaryDirectory directory;
  auto const file = token_file(directory.path());
  EXPECT_EQ(read_token_file(file).error().code, Code::not_found);
  std::ofstream(file) << "short\n";
  EXPECT_EQ(read_token_file(file).error().code, Code::invalid);
  std::ofstream(file) << std::string(10'000, 'x');
  EXPECT_EQ(read_token_file(file).error().code, Code::invalid) << "longer than any token";
  write_token_file(file, token);
  EXPECT_EQ(read_token_file(file).value(), token);
}

TEST(TokenFile, IsNotWrittenThroughALink) {
  TemporaryDirectory directory;
  auto const victim = directory.path() / "victim";
  std::ofstream(victim) << "untouched";
  auto const file = token_file(directory.path());
  std::filesystem::create_symlink(victim, file);
  EXPECT_EQ(read_token_file(file).error().code, Code::forbidden);
  write_token_file(file, token);
  std::string text;
  std::getline(std::ifstream(victim), text);
  EXPECT_EQ(text, "untouched");
  EXPECT_EQ(read_token_file(file).value(), token);
}

TEST(TokenFile, FaultWhereNoFileCanBe) {
  TemporaryDirectory directory;
  EXPECT_THROW(write_token_file(directory.path() / "nowhere" / "token", token), Fault);
}

TEST(Token, MustBeASecretThatAHeaderCanCarry) {
  struct Case {
    std::string token;
    bool fits;
  };
  for (auto const& [text, fits] : std::vector<Case>{{"", false},
                                                    {"fifteen-chars--", false},
                                                    {"sixteen-chars---", true},
                                                    {"with a blank in it", false},
                                                    {"with\nline\nfeeds\n", false},
                                                    {"ümläuts-are-not-ascii", false},
                                                    {std::string(512, 'x'), true},
                                                    {std::string(513, 'x'), false}}) {
    EXPECT_EQ(check_token(text).has_value(), fits) << text;
  }
}

}  // namespace
}  // namespace al::security
