#include "app/directory.hpp"

#include "data/store_fixture.hpp"

namespace al::app {
namespace {

class DirectoryTest : public data::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    keys.emplace(*database);
    master.emplace("", folder.path(), random);
    sealing.emplace(*keys, *master, random);
    hosts = *security::OutgoingHosts::from("api.openai.com,10.0.0.7:8000");
    store.emplace(*writer);
    directory.emplace(services::ai_model::Registered{*store, *sealing, hosts}, operators, bus, clock);
  }

  void create(std::string id, std::string base_url, std::string key = {}) {
    model::Provider provider;
    provider.id = model::ProviderId{std::move(id)};
    provider.base_url = std::move(base_url);
    std::string sealed;
    if (!key.empty()) {
      sealed = wait(sealing->seal(default_tenant, services::ai_model::place_of_key(provider.id), key, soon())).value();
    }
    ASSERT_TRUE(wait(store->create(actor(), provider, sealed, soon())));
  }
  std::shared_ptr<providers::Accounts const> accounts(std::string tenant = "default") {
    return wait(directory->accounts(TenantId{std::move(tenant)}, soon()));
  }
  std::string ids() {
    std::string out;
    for (auto const& account : *accounts())
      out += account.id + " ";
    return out;
  }

  TemporaryDirectory folder;
  std::optional<data::DataKeyStore> keys;
  std::optional<security::MasterKey> master;
  std::optional<security::Sealing> sealing;
  security::OutgoingHosts hosts;
  providers::Accounts const operators{{.id = "openai", .base_url = "http://127.0.0.1:1/v1", .key = "operator's"}};
  std::optional<data::ProviderStore> store;
  std::optional<Directory> directory;
};
INSTANTIATE_TEST_SUITE_P(On, DirectoryTest, testing::Values(storage::backend_kinds().front()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(DirectoryTest, RegisteredOnesComeFirstWithTheirKey) {
  create("mine", "https://api.openai.com/v1", "sk-secret");
  create("near", "http://10.0.0.7:8000/v1");
  auto const all = accounts();
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ(all->at(0).id, "mine");
  EXPECT_EQ(all->at(0).key, "sk-secret");
  EXPECT_FALSE(all->at(0).is_operators) << "its address must be public";
  EXPECT_EQ(all->at(1).id, "near");
  EXPECT_TRUE(all->at(1).is_operators) << "the operator listed it";
  EXPECT_EQ(all->at(2).id, "openai");
}

TEST_P(DirectoryTest, AChangeIsSeenAtOnce) {
  EXPECT_EQ(ids(), "openai ");
  create("mine", "https://api.openai.com/v1");
  EXPECT_EQ(ids(), "mine openai ");
  ASSERT_TRUE(wait(store->remove(actor(), model::ProviderId{"mine"}, std::nullopt, soon())));
  EXPECT_EQ(ids(), "openai ");
}

TEST_P(DirectoryTest, WhatAnotherProcessChangedIsSeenWithinASecond) {
  auto const before = accounts();
  EXPECT_EQ(accounts(), before) << "remembered";
  events::Bus elsewhere;
  data::Writer there(*database, elsewhere, clock, random, "test");
  data::ProviderStore other(there);
  model::Provider provider;
  provider.id = model::ProviderId{"mine"};
  provider.base_url = "https://api.openai.com/v1";
  ASSERT_TRUE(wait(other.create(actor(), provider, {}, soon())));
  EXPECT_EQ(ids(), "openai ");
  clock.advance(std::chrono::milliseconds{1001});
  EXPECT_EQ(ids(), "mine openai ");
}

TEST_P(DirectoryTest, WhatCannotBeUsedIsLeftOut) {
  create("mine", "https://api.openai.com/v1", "sk-secret");
  create("gone", "https://not-allowed.example/v1");
  model::Provider moved;
  moved.id = model::ProviderId{"moved"};
  moved.base_url = "https://api.openai.com/v1";
  auto const sealed = wait(store->get(default_tenant, model::ProviderId{"mine"}, soon()))->sealed_key;
  ASSERT_TRUE(wait(store->create(actor(), moved, sealed, soon())));
  EXPECT_EQ(ids(), "mine openai ") << "a key that was copied from another row does not open";
}

TEST_P(DirectoryTest, ManyAtOnceGetOneLoad) {
  create("mine", "https://api.openai.com/v1", "sk-secret");
  std::vector<Task<std::shared_ptr<providers::Accounts const>>> asks;
  for (int i = 0; i < 32; ++i)
    asks.push_back(directory->accounts(default_tenant, soon()));
  auto const answers = wait(settle(std::move(asks)));
  for (auto const& one : answers) {
    ASSERT_FALSE(one.fault);
    EXPECT_EQ(one.value, answers[0].value);
  }
}

TEST_P(DirectoryTest, AWaiterGoesOnWhenTheLoaderFails) {
  TenantId const tenant = default_tenant;
  std::vector<Task<std::shared_ptr<providers::Accounts const>>> asks;
  asks.push_back(directory->accounts(tenant, Deadline::after(std::chrono::seconds{-1})));
  asks.push_back(directory->accounts(tenant, soon()));
  auto const answers = wait(settle(std::move(asks)));
  EXPECT_TRUE(answers[0].fault);
  ASSERT_FALSE(answers[1].fault);
  EXPECT_EQ(answers[1].value->size(), 1U);
}

}  // namespace
}  // namespace al::app
