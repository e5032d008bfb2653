#include "security/bootstrap_token.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "core/hash.hpp"
#include "data/store_fixture.hpp"
#include "security/token_file.hpp"
#include "testing/temporary_directory.hpp"

namespace al::security {
namespace {

using Outcome = BootstrapToken::Outcome;

class BootstrapTokenTest : public data::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    access = std::make_unique<data::AccessStore>(*database);
    keys = std::make_unique<data::ApiKeyStore>(*writer);
  }

  Result<Outcome> ensure(std::string given = {}) {
    BootstrapToken bootstrap(*keys, *access, random, directory.path());
    return wait(bootstrap.ensure(std::move(given), soon()));
  }
  std::string held() { return read_token_file(token_file(directory.path())).value_or(""); }
  std::optional<data::Access> whose(std::string const& token) {
    return wait(access->find_key(sha256_hex(token), soon()));
  }

  TemporaryDirectory directory;
  std::unique_ptr<data::AccessStore> access;
  std::unique_ptr<data::ApiKeyStore> keys;
};
INSTANTIATE_TEST_SUITE_P(On, BootstrapTokenTest, testing::Values(storage::backend_kinds().front()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(BootstrapTokenTest, TheFirstStartMakesOneThatMayDoEverything) {
  EXPECT_EQ(ensure().value(), Outcome::created);
  EXPECT_THAT(held(), testing::MatchesRegex("al_[A-Za-z0-9_-]{43}"));
  auto const access = whose(held());
  ASSERT_TRUE(access);
  EXPECT_EQ(access->tenant, default_tenant);
  EXPECT_EQ(access->key_permissions, std::vector<std::string>{"*:*"});
}

TEST_P(BootstrapTokenTest, LaterStartsLeaveItAlone) {
  ASSERT_TRUE(ensure());
  auto const token = held();
  EXPECT_EQ(ensure().value(), Outcome::known);
  EXPECT_EQ(held(), token);
}

TEST_P(BootstrapTokenTest, TheVariableSetsTheFirstToken) {
  EXPECT_EQ(ensure("chosen-by-the-operator").value(), Outcome::created);
  EXPECT_EQ(held(), "chosen-by-the-operator");
  EXPECT_TRUE(whose("chosen-by-the-operator"));
  EXPECT_EQ(ensure("chosen-by-the-operator").value(), Outcome::known);
}

TEST_P(BootstrapTokenTest, AnUnfitVariableIsRefusedAndNothingIsMade) {
  for (std::string const unfit : {"short", "with blanks between words"}) {
    auto const outcome = ensure(unfit);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::invalid);
    EXPECT_THAT(outcome.error().message, testing::HasSubstr("AGENT_LIGHTNING_TOKEN"));
    EXPECT_THAT(outcome.error().message, testing::Not(testing::HasSubstr(unfit))) << "a secret is never repeated";
  }
  EXPECT_EQ(held(), "");
  EXPECT_EQ(ensure("long enough? no: blanks").error().code, Code::invalid);
  EXPECT_EQ(ensure().value(), Outcome::created);
}

TEST_P(BootstrapTokenTest, AnInterruptedFirstStartIsTakenUp) {
  write_token_file(token_file(directory.path()), "al_written_before_the_crash");
  EXPECT_EQ(ensure().value(), Outcome::created);
  EXPECT_EQ(held(), "al_written_before_the_crash");
  EXPECT_TRUE(whose("al_written_before_the_crash"));
}

TEST_P(BootstrapTokenTest, AnotherMachineIsToldThatItsTokenIsMissing) {
  ASSERT_TRUE(ensure());
  auto const token = held();
  std::filesystem::remove(token_file(directory.path()));
  EXPECT_EQ(ensure().value(), Outcome::missing);
  EXPECT_EQ(held(), "") << "a second token would be a back door";
  EXPECT_EQ(ensure(token).value(), Outcome::known);
}

TEST_P(BootstrapTokenTest, ATokenOfAnotherDatabaseIsNoticed) {
  ASSERT_TRUE(ensure());
  EXPECT_EQ(ensure("a-variable-that-is-wrong").value(), Outcome::foreign);
  EXPECT_FALSE(whose("a-variable-that-is-wrong"));
  write_token_file(token_file(directory.path()), "al_of_another_database");
  EXPECT_EQ(ensure().value(), Outcome::foreign);
  EXPECT_FALSE(whose("al_of_another_database"));
}

TEST_P(BootstrapTokenTest, FaultWhenTheFileCannotBeWritten) {
  BootstrapToken bootstrap(*keys, *access, random, directory.path() / "nowhere");
  EXPECT_THROW((void)wait(bootstrap.ensure({}, soon())), Fault);
  EXPECT_FALSE(wait(keys->any(default_tenant, soon()))) << "a token that nobody can read is not entered";
}

}  // namespace
}  // namespace al::security
