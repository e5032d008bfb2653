#include "security/sealing.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <set>
#include <thread>

#include "core/fault.hpp"
#include "data/store_fixture.hpp"

namespace al::security {
namespace {

using Words = std::vector<std::string_view>;

TEST(SealedText, OpensWithItsKeyAndBindingOnly) {
  SeededRandom random;
  SecretKey const key(random);
  SecretKey const other(random);
  Words const binding{"tenant", "purpose", "row"};
  auto const sealed = seal_with(key, binding, "sk-secret", random);
  EXPECT_EQ(open_with(key, binding, sealed), "sk-secret");
  EXPECT_EQ(open_with(other, binding, sealed), std::nullopt);
  for (auto const& wrong :
       {Words{"another", "purpose", "row"}, Words{"tenant", "other", "row"}, Words{"tenant", "purpose", "row2"},
        Words{"tenant", "purpose"}, Words{"tenant", "purpose", "row", ""}, Words{"tenan", "tpurpose", "row"},
        Words{"tenantpurposerow"}, Words{"purpose", "tenant", "row"}, Words{}}) {
    EXPECT_EQ(open_with(key, wrong, sealed), std::nullopt);
  }
}

TEST(SealedText, HasAVersionAndTellsNothing) {
  SeededRandom random;
  SecretKey const key(random);
  auto const one = seal_with(key, {}, "sk-secret", random);
  auto const two = seal_with(key, {}, "sk-secret", random);
  EXPECT_TRUE(one.starts_with("s1."));
  EXPECT_NE(one, two) << "a nonce is never used again";
  EXPECT_EQ(one.find("sk-secret"), std::string::npos);
  EXPECT_EQ(open_with(key, {}, seal_with(key, {}, "", random)), "");
}

TEST(SealedText, AnyChangeIsNoticed) {
  SeededRandom random;
  SecretKey const key(random);
  Words const binding{"a"};
  auto const sealed = seal_with(key, binding, "sk-secret", random);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(open_with(key, binding, changed), std::nullopt) << i;
    EXPECT_EQ(open_with(key, binding, sealed.substr(0, i)), std::nullopt) << i;
  }
  for (auto const* text : {"", "s1.", "s1.AAAA", "s2.AAAA", "s1.!!!!", "plain"})
    EXPECT_EQ(open_with(key, binding, text), std::nullopt) << text;
}

TEST(SealedText, IsTheConstructionItSaysItIs) {
  // Computed by another implementation: key 00..1f, nonce 00..17.
  std::array<unsigned char, SecretKey::size> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<unsigned char>(i);
  SecretKey const key{SecretKey::Bytes(bytes)};
  Words const binding{"default", "provider.key", "mine"};
  EXPECT_EQ(open_with(key, binding, "s1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYX7akiDPWx_8tH9VlrsnwI47rhIjHhfefcew"),
            "sk-secret");
}

TEST(KeyText, IsReadInEveryUsualForm) {
  std::string const standard = "+/+/AwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
  auto const key = read_key(standard);
  ASSERT_TRUE(key);
  EXPECT_EQ(key_text(*key), standard);
  std::string const hex = "fbffbf030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  for (std::string const& text :
       {"  " + standard + "\n", standard.substr(0, 43), std::string("-_-_AwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
        std::string("-_-_AwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), hex,
        std::string("FBFFBF030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F")}) {
    auto const same = read_key(text);
    ASSERT_TRUE(same) << text;
    EXPECT_EQ(key_text(*same), standard) << text;
  }
  for (std::string const& text :
       {std::string(), std::string(" "), std::string("secret"), standard.substr(0, 40), standard + "AAAA",
        hex.substr(2), hex + "00", std::string(64, 'x'), std::string(43, '!')}) {
    EXPECT_FALSE(read_key(text)) << text;
  }
}

class MasterKeyFile : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return master_key_file(directory.path()); }
  [[nodiscard]] mode_t mode() const {
    struct stat info{};
    return ::stat(file().c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
  }
  TemporaryDirectory directory;
  SeededRandom random;
};

TEST_F(MasterKeyFile, IsMadeAtFirstNeedForItsOwnerOnly) {
  MasterKey const master("", directory.path(), random);
  EXPECT_EQ(*master.find(), nullptr);
  EXPECT_FALSE(std::filesystem::exists(file())) << "looking makes nothing";
  ::umask(0);
  auto const made = master.find_or_make();
  ASSERT_TRUE(made && *made);
  EXPECT_EQ(mode(), 0600U);
  EXPECT_EQ(key_text(**master.find()), key_text(**made));
  EXPECT_EQ(key_text(**master.find_or_make()), key_text(**made));
  auto const entries = std::filesystem::directory_iterator(directory.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1) << "nothing is left beside it";
}

TEST_F(MasterKeyFile, TwoAtOnceGetTheSame) {
  std::vector<std::string> keys(8);
  {
    std::vector<std::jthread> threads;
    for (auto& key : keys) {
      threads.emplace_back([&] { key = key_text(**MasterKey("", directory.path(), random).find_or_make()); });
    }
  }
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 1U);
}

TEST_F(MasterKeyFile, TheVariableComesFirst) {
  MasterKey const master("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", directory.path(), random);
  ASSERT_TRUE(*master.find_or_make());
  EXPECT_FALSE(std::filesystem::exists(file()));
  MasterKey const wrong("too short", directory.path(), random);
  ASSERT_FALSE(wrong.find());
  EXPECT_EQ(wrong.find().error().code, Code::invalid);
  EXPECT_EQ(wrong.find().error().message.find("too short"), std::string::npos) << "what was given may be secret";
  EXPECT_FALSE(wrong.find_or_make());
}

TEST_F(MasterKeyFile, IsRefusedWhenOthersMayReadItOrItHoldsNoKey) {
  MasterKey const master("", directory.path(), random);
  ASSERT_TRUE(*master.find_or_make());
  ::chmod(file().c_str(), 0640);
  EXPECT_EQ(master.find().error().code, Code::forbidden);
  EXPECT_NE(master.find().error().message.find("chmod 600"), std::string::npos);
  ::chmod(file().c_str(), 0600);
  std::ofstream(file()) << "nothing\n";
  EXPECT_EQ(master.find().error().code, Code::invalid);
  EXPECT_EQ(master.find_or_make().error().code, Code::invalid) << "what is there is never replaced";
  std::filesystem::remove(file());
  std::filesystem::create_symlink(directory.path() / "elsewhere", file());
  EXPECT_EQ(master.find().error().code, Code::forbidden);
}

TEST_F(MasterKeyFile, FaultWhereNoFileCanBe) {
  MasterKey const master("", directory.path() / "nowhere", random);
  EXPECT_EQ(*master.find(), nullptr);
  EXPECT_THROW((void)master.find_or_make(), Fault);
}

/// The database of several processes, each with a data directory of its own.
class SealingTest : public data::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    static storage::Statement const add_tenant{"test.tenant", "INSERT INTO tenants (id) VALUES ('other')"};
    ASSERT_TRUE(wait(database->apply({storage::Scope::system(), {{&add_tenant, {}}}}, soon())));
    store.emplace(*database);
  }

  struct Process {
    explicit Process(SealingTest& test, std::string given = {})
        : master(std::move(given), directory.path(), test.random), sealing(*test.store, master, test.random) {}
    TemporaryDirectory directory;
    MasterKey master;
    Sealing sealing;
  };
  Result<std::string> seal(Process& process, std::string tenant, Place place, std::string plain) {
    return wait(process.sealing.seal(TenantId{tenant}, place, plain, soon()));
  }
  Result<std::string> open(Process& process, std::string tenant, Place place, std::string sealed) {
    return wait(process.sealing.open(TenantId{tenant}, place, sealed, soon()));
  }

  std::optional<data::DataKeyStore> store;
  std::string const key_one = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
  std::string const key_two = std::string(64, 'a');
  Place const place{"provider.key", "mine"};
};
INSTANTIATE_TEST_SUITE_P(On, SealingTest, testing::Values(storage::backend_kinds().front()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(SealingTest, ASecretOpensInItsPlaceOnly) {
  Process process(*this);
  auto const sealed = seal(process, "default", place, "sk-secret");
  ASSERT_TRUE(sealed) << sealed.error().message;
  EXPECT_EQ(open(process, "default", place, *sealed), "sk-secret");
  EXPECT_EQ(open(process, "default", {"provider.key", "another"}, *sealed).error().code, Code::internal);
  EXPECT_EQ(open(process, "default", {"totp.seed", "mine"}, *sealed).error().code, Code::internal);
  ASSERT_TRUE(seal(process, "other", place, "theirs"));
  EXPECT_EQ(open(process, "other", place, *sealed).error().code, Code::internal) << "another tenant's key";
}

TEST_P(SealingTest, ADataKeyBelongsToItsTenant) {
  Process process(*this, key_one);
  ASSERT_TRUE(seal(process, "default", place, "x"));
  auto const wrapped = wait(store->find(TenantId{"default"}, soon()));
  ASSERT_TRUE(wrapped);
  ASSERT_TRUE(wait(store->add(TenantId{"other"}, *wrapped, soon())));
  Process fresh(*this, key_one);
  EXPECT_EQ(seal(fresh, "other", place, "x").error().code, Code::unavailable) << "copied from another row";
  EXPECT_FALSE(wait(fresh.sealing.check(soon())));
}

TEST_P(SealingTest, ProcessesWithTheSameMasterKeyReadEachOther) {
  Process one(*this, key_one);
  Process two(*this, key_one);
  auto const sealed = seal(one, "default", place, "sk-secret");
  EXPECT_EQ(open(two, "default", place, *sealed), "sk-secret");
  EXPECT_TRUE(wait(two.sealing.check(soon())));
}

TEST_P(SealingTest, OfManyThatMakeTheKeyAtOnceOneWins) {
  std::vector<std::unique_ptr<Process>> processes;
  std::vector<Task<Result<std::string>>> seals;
  for (int i = 0; i < 8; ++i)
    processes.push_back(std::make_unique<Process>(*this, key_one));
  TenantId const tenant{"default"};
  for (auto& process : processes)
    seals.push_back(process->sealing.seal(tenant, place, "sk-secret", soon()));
  for (auto const& one : wait(settle(std::move(seals)))) {
    ASSERT_FALSE(one.fault);
    ASSERT_TRUE(one.value) << one.value.error().message;
    for (auto& process : processes)
      EXPECT_EQ(open(*process, "default", place, *one.value), "sk-secret");
  }
  EXPECT_EQ(wait(store->all(soon())).size(), 1U);
}

TEST_P(SealingTest, AnotherMasterKeyIsRefusedAtTheStart) {
  Process first(*this, key_one);
  EXPECT_TRUE(wait(first.sealing.check(soon()))) << "nothing is sealed yet";
  auto const sealed = seal(first, "other", place, "sk-secret");
  ASSERT_TRUE(sealed);
  Process second(*this, key_two);
  auto const refused = wait(second.sealing.check(soon()));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("AGENT_LIGHTNING_MASTER_KEY"), std::string::npos);
  EXPECT_EQ(refused.error().message.find(key_two), std::string::npos);
  EXPECT_EQ(open(second, "other", place, *sealed).error().code, Code::unavailable);
  EXPECT_EQ(seal(second, "other", place, "x").error().code, Code::unavailable);
  EXPECT_EQ(seal(second, "default", place, "x").error().code, Code::unavailable) << "though it has no data key yet";
  EXPECT_EQ(wait(store->all(soon())).size(), 1U);
}

TEST_P(SealingTest, NoMasterKeyIsMadeBesideDataKeys) {
  Process first(*this);
  ASSERT_TRUE(seal(first, "default", place, "sk-secret"));
  Process second(*this);
  auto const refused = wait(second.sealing.check(soon()));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("master.key"), std::string::npos);
  EXPECT_EQ(seal(second, "other", place, "x").error().code, Code::unavailable) << "nor later, for another tenant";
  EXPECT_FALSE(std::filesystem::exists(second.master.file()));
  std::filesystem::copy(first.master.file(), second.master.file());
  EXPECT_TRUE(wait(second.sealing.check(soon()))) << "what the message said to do";
  EXPECT_TRUE(seal(second, "other", place, "x"));
}

TEST_P(SealingTest, NothingIsMadeToOpen) {
  Process process(*this);
  EXPECT_FALSE(open(process, "default", place, "s1.AAAA"));
  EXPECT_FALSE(std::filesystem::exists(process.master.file()));
  EXPECT_TRUE(wait(store->all(soon())).empty());
  EXPECT_EQ(seal(process, "nobody", place, "x").error().code, Code::invalid) << "no such tenant";
}

}  // namespace
}  // namespace al::security
