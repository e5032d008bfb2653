#include "security/recovery_codes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "core/hash.hpp"
#include "testing/seeded_random.hpp"

namespace al::security {
namespace {

constexpr std::string_view normal = "7KQ2M0XW9TH4B8CZR3ENV6D1P";

TEST(RecoveryCodes, AreTenInGroupsWithoutLookAlikes) {
  SeededRandom random;
  auto const codes = new_recovery_codes(random);
  EXPECT_EQ(codes.size(), 10u);
  for (auto const& code : codes) {
    EXPECT_THAT(code, ::testing::MatchesRegex("([0-9A-Z]{5}-){4}[0-9A-Z]{5}"));
    EXPECT_EQ(code.find_first_of("ILOU"), std::string::npos) << code;
  }
}

TEST(RecoveryCodes, HaveFiveRandomBitsACharacter) {
  // 25 characters of 32 equally likely ones are 125 bits, more than the 112 from which a plain hash will do.
  SeededRandom random;
  std::set<std::string> all;
  std::array<std::set<char>, 29> seen;
  for (int i = 0; i < 200; ++i) {
    for (auto const& code : new_recovery_codes(random)) {
      ASSERT_EQ(code.size(), seen.size());
      for (std::size_t at = 0; at < code.size(); ++at)
        seen[at].insert(code[at]);
      all.insert(code);
    }
  }
  EXPECT_EQ(all.size(), 2'000u);
  for (std::size_t at = 0; at < seen.size(); ++at)
    EXPECT_EQ(seen[at].size(), at % 6 == 5 ? 1u : 32u) << at;
}

TEST(NormalRecoveryCode, IsOfWhatPeopleType) {
  for (std::string_view const typed :
       {"7KQ2M-0XW9T-H4B8C-ZR3EN-V6D1P", "7kq2m-0xw9t-h4b8c-zr3en-v6d1p", "7KQ2M0XW9TH4B8CZR3ENV6D1P",
        "  7kq2m 0xw9t h4b8c zr3en v6d1p\r\n", "7KQ2-M0XW-9TH4-B8CZ-R3EN-V6D1-P", "7KQ2M-OXW9T-H4B8C-ZR3EN-V6DIP",
        "7kq2m-oxw9t-h4b8c-zr3en-v6dlp", "7KQ2M-0XW9T-H4B8C-ZR3EN-U6D1P"}) {
    EXPECT_EQ(normal_recovery_code(typed), normal) << typed;
    EXPECT_EQ(recovery_code_hash(typed), recovery_code_hash(normal)) << typed;
  }
  EXPECT_EQ(normal_recovery_code(normal), normal);
}

TEST(NormalRecoveryCode, IsEmptyForWhatIsNone) {
  std::string const code(normal);
  for (std::string const& typed :
       {std::string(), std::string("-----"), std::string("123456"), code.substr(1), code + "0", code.substr(1) + "!",
        code.substr(1) + "_", code.substr(1) + '\0', code.substr(2) + "é", code + std::string(76, ' ')}) {
    EXPECT_EQ(normal_recovery_code(typed), "") << typed;
    EXPECT_NE(recovery_code_hash(typed), recovery_code_hash(normal)) << typed;
  }
  EXPECT_EQ(normal_recovery_code(code + std::string(75, ' ')), normal);
}

TEST(NormalRecoveryCode, KeepsEveryCodeThatIsMade) {
  SeededRandom random;
  for (auto code : new_recovery_codes(random)) {
    auto expected = code;
    std::erase(expected, '-');
    EXPECT_EQ(normal_recovery_code(code), expected);
  }
}

TEST(RecoveryCodeHash, IsOfTheCodeInItsDomain) {
  EXPECT_EQ(recovery_code_hash(normal), sha256_hex("recovery code:7KQ2M0XW9TH4B8CZR3ENV6D1P"));
  EXPECT_NE(recovery_code_hash(normal), sha256_hex(normal)) << "or it would open where a token of that text does";
  EXPECT_NE(recovery_code_hash(normal), recovery_code_hash("7KQ2M-0XW9T-H4B8C-ZR3EN-V6D1Q"));
}

}  // namespace
}  // namespace al::security
