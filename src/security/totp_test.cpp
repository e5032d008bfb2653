#include "security/totp.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "testing/seeded_random.hpp"

namespace al::security::totp {
namespace {

using namespace std::chrono_literals;

/// "12345678901234567890", the secret of RFC 6238, appendix B.
std::string const rfc_secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
constexpr std::int64_t never = 0;

Timestamp at(std::int64_t seconds) { return Timestamp(std::chrono::seconds(seconds)); }

struct Vector {
  std::int64_t seconds;
  char const* code;
};

/// RFC 6238, appendix B, SHA-1; its codes have eight digits, of which ours are the last six.
constexpr std::array<Vector, 6> vectors{{{59, "287082"},
                                         {1111111109, "081804"},
                                         {1111111111, "050471"},
                                         {1234567890, "005924"},
                                         {2000000000, "279037"},
                                         {20000000000, "353130"}}};

TEST(Totp, HasTheCodesOfTheRfc) {
  for (auto const& v : vectors)
    EXPECT_EQ(matching_step(rfc_secret, v.code, at(v.seconds), never), v.seconds / 30) << v.seconds;
}

TEST(Totp, TakesOneStepBeforeAndAfterAndNoMore) {
  constexpr std::int64_t step = 1234567890 / 30;  // 1234567890 is its first second
  for (auto const seconds : {-30, -1, 0, 29, 30, 59})
    EXPECT_EQ(matching_step(rfc_secret, "005924", at(1234567890 + seconds), never), step) << seconds;
  for (auto const seconds : {-31, 60, 90, -86400, 86400})
    EXPECT_EQ(matching_step(rfc_secret, "005924", at(1234567890 + seconds), never), std::nullopt) << seconds;
  EXPECT_EQ(matching_step(rfc_secret, "005924", at(1234567890) - 30s - 1us, never), std::nullopt);
  EXPECT_EQ(matching_step(rfc_secret, "005924", at(1234567890) + 60s - 1us, never), step);
}

TEST(Totp, TakesACodeOnce) {
  constexpr std::int64_t step = 1234567890 / 30;
  EXPECT_EQ(matching_step(rfc_secret, "005924", at(1234567890), step - 1), step);
  EXPECT_EQ(matching_step(rfc_secret, "005924", at(1234567890), step), std::nullopt);
  EXPECT_EQ(matching_step(rfc_secret, "005924", at(1234567890), step + 1), std::nullopt)
      << "after a later code an earlier one is over";
  EXPECT_EQ(matching_step(rfc_secret, "005924", at(1234567919), step), std::nullopt);
}

TEST(Totp, TakesACodeOnceThatTwoStepsShare) {
  // Found by trying: of this secret the steps 910737 and 910738 have the same code.
  constexpr std::int64_t later = 910738;
  EXPECT_EQ(matching_step(rfc_secret, "911617", at((later - 2) * 30), never), later - 1);
  EXPECT_EQ(matching_step(rfc_secret, "911617", at((later - 1) * 30), never), later) << "or it would count once more";
  EXPECT_EQ(matching_step(rfc_secret, "911617", at(later * 30), later), std::nullopt);
}

TEST(Totp, TakesSixAsciiDigitsOnly) {
  for (std::string_view const code : {"", "5924", "05924", "0005924", "005924 ", " 005924", "005 924", "00592a",
                                      "-05924", "+05924", "0x5924", "0059240", "94287082", "٠٠٥٩٢٤", "００５９２４"}) {
    EXPECT_EQ(matching_step(rfc_secret, code, at(1234567890), never), std::nullopt) << code;
  }
  EXPECT_EQ(matching_step(rfc_secret, std::string_view("005924\0", 7), at(1234567890), never), std::nullopt);
  EXPECT_EQ(matching_step(rfc_secret, std::string_view("00592\0", 6), at(1234567890), never), std::nullopt);
}

TEST(Totp, NeedsASecret) {
  EXPECT_EQ(matching_step("", "328482", at(0), -1), std::nullopt) << "anybody can compute the codes of an empty key";
  EXPECT_EQ(matching_step("GEZDGNBVGY3TQOJQGEZDGNBV", "019912", at(1234567890), never), std::nullopt) << "120 bits";
  EXPECT_EQ(matching_step("GEZDGNBVGY3TQOJQGEZDGNBVGY", "886215", at(1234567890), never), 1234567890 / 30)
      << "128 bits";
  for (auto const* secret : {"not base32!!", "1EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"})
    EXPECT_EQ(matching_step(secret, "005924", at(1234567890), never), std::nullopt) << secret;
  EXPECT_EQ(matching_step("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR", "005924", at(1234567890), never), std::nullopt)
      << "the secret of somebody else";
}

TEST(Totp, LivesBeforeItsTime) {
  EXPECT_EQ(matching_step(rfc_secret, "287082", at(0), never), 1) << "the step before is none";
  EXPECT_EQ(matching_step(rfc_secret, "287082", at(-86400), never), std::nullopt);
}

TEST(NewSecret, Has160BitsInBase32) {
  SeededRandom random;
  std::set<std::string> made;
  for (int i = 0; i < 100; ++i) {
    auto const secret = new_secret(random);
    EXPECT_EQ(secret.size(), 32u);
    EXPECT_EQ(secret.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), std::string::npos) << secret;
    made.insert(secret);
  }
  EXPECT_EQ(made.size(), 100u);
}

TEST(NewSecret, IsOfTheBytesItWasGiven) {
  class Ascii final : public Random {
   public:
    void fill(std::span<std::byte> out) override {
      for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<std::byte>("1234567890"[i % 10]);
    }
  } random;
  EXPECT_EQ(new_secret(random), rfc_secret);
}

TEST(OtpauthUri, IsWhatAppsRead) {
  EXPECT_EQ(otpauth_uri(rfc_secret, "ann@example.org", "Agent Lightning"),
            "otpauth://totp/Agent%20Lightning:ann%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
            "&issuer=Agent%20Lightning&algorithm=SHA1&digits=6&period=30");
}

TEST(OtpauthUri, KeepsForeignTextInItsPlace) {
  EXPECT_EQ(otpauth_uri("ABC", "a?secret=X&issuer=Y#z/%41+ä", "A&B: C"),
            "otpauth://totp/A%26B%20C:a%3Fsecret%3DX%26issuer%3DY%23z%2F%2541%2B%C3%A4?secret=ABC&issuer=A%26B%20C"
            "&algorithm=SHA1&digits=6&period=30");
}

}  // namespace
}  // namespace al::security::totp
