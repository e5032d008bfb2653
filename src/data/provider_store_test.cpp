#include "data/provider_store.hpp"

#include "data/data_key_store.hpp"
#include "data/store_fixture.hpp"

namespace al::data {
namespace {

using model::ProviderId;

storage::Statement const add_tenant{"test.tenant", "INSERT INTO tenants (id) VALUES ($1)"};

class ProviderStoreTest : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    ASSERT_TRUE(wait(database->apply({storage::Scope::system(), {{&add_tenant, {std::string("other")}}}}, soon())));
    bus.on("provider:*", [this](events::Announcement const& it) {
      announced += it.channel + " " + it.tenant.value + " " + it.aggregate_id + "\n";
    });
    providers.emplace(*writer);
  }
  static model::Provider provider_named(std::string id) {
    model::Provider provider;
    provider.id = ProviderId{std::move(id)};
    provider.base_url = "https://api.openai.com/v1";
    return provider;
  }
  Result<model::Provider> create(std::string id, std::string sealed = {}, std::string tenant = "default") {
    return wait(providers->create(actor(tenant), provider_named(std::move(id)), std::move(sealed), soon()));
  }
  Result<StoredProvider> get(std::string id, std::string tenant = "default") {
    return wait(providers->get(TenantId{tenant}, ProviderId{std::move(id)}, soon()));
  }
  Result<model::Provider> update(std::string id, ProviderStore::Edit edit, KeyChange key = {},
                                 std::optional<std::int64_t> expected = std::nullopt) {
    return wait(
        providers->update(actor(), ProviderId{std::move(id)}, std::move(edit), std::move(key), expected, soon()));
  }
  Result<void> remove(std::string id, std::string tenant = "default") {
    return wait(providers->remove(actor(tenant), ProviderId{std::move(id)}, std::nullopt, soon()));
  }
  std::string events_text() {
    std::string out;
    for (auto const& event : wait(log->replay(default_tenant, "provider", "p", 1, 100, soon())))
      out += entity::to_json(event);
    return out;
  }

  std::optional<ProviderStore> providers;
  std::string announced;
};
AL_ON_EVERY_DATABASE(ProviderStoreTest);

constexpr auto no_edit = [](model::Provider&) -> Result<void> { return {}; };

TEST_P(ProviderStoreTest, KeepsEveryFieldAndTheSealedKeyApart) {
  auto wanted = provider_named("p");
  wanted.kind = model::ProviderKind::anthropic;
  wanted.default_model = "claude-haiku-4-5";
  wanted.models.text = R"({ "fast":  "claude-haiku-4-5" })";
  auto const created = wait(providers->create(actor(), wanted, "s1.sealed", soon()));
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_TRUE(created->has_key);
  auto const got = get("p");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->sealed_key, "s1.sealed");
  EXPECT_EQ(got->provider.kind, wanted.kind);
  EXPECT_EQ(got->provider.base_url, wanted.base_url);
  EXPECT_EQ(got->provider.default_model, wanted.default_model);
  EXPECT_EQ(got->provider.models, wanted.models);
  EXPECT_EQ(got->provider.created_at, clock.now());
  EXPECT_EQ(entity::to_json(got->provider), entity::to_json(*created));
  EXPECT_EQ(announced, "provider:created default " + wanted.id.value + "\n");
}

TEST_P(ProviderStoreTest, TheKeyIsInNoEventAndNoAnswer) {
  ASSERT_TRUE(create("p", "s1.sealed"));
  ASSERT_TRUE(update("p", no_edit, {.keeps = false, .sealed = "s1.other"}));
  ASSERT_TRUE(remove("p"));
  EXPECT_EQ(history("provider", "p"), "provider:created provider:updated provider:deleted");
  auto const text = events_text();
  EXPECT_NE(text.find("base_url"), std::string::npos);
  EXPECT_EQ(text.find("s1."), std::string::npos);
  EXPECT_EQ(text.find("sealed"), std::string::npos);
}

TEST_P(ProviderStoreTest, AKeyIsKeptReplacedOrTakenAway) {
  ASSERT_FALSE(create("p")->has_key);
  EXPECT_TRUE(update("p", no_edit, {.keeps = false, .sealed = "s1.one"})->has_key);
  auto const renamed = update("p", [](model::Provider& provider) -> Result<void> {
    provider.default_model = "m";
    return {};
  });
  ASSERT_TRUE(renamed) << renamed.error().message;
  EXPECT_TRUE(renamed->has_key);
  EXPECT_EQ(renamed->version, 3);
  EXPECT_EQ(get("p")->sealed_key, "s1.one");
  EXPECT_FALSE(update("p", no_edit, {.keeps = false})->has_key);
  EXPECT_EQ(get("p")->sealed_key, "");
}

TEST_P(ProviderStoreTest, ADeletedOneLosesItsKeyAndComesBackWithItsVersions) {
  ASSERT_TRUE(create("p", "s1.sealed"));
  ASSERT_TRUE(remove("p"));
  EXPECT_EQ(get("p").error().code, Code::not_found);
  EXPECT_EQ(remove("p").error().code, Code::not_found);
  EXPECT_TRUE(wait(providers->all(default_tenant, soon())).empty());
  auto const again = create("p");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->version, 3);
  EXPECT_EQ(get("p")->sealed_key, "");
}

TEST_P(ProviderStoreTest, RefusesWhatIsThereReservedOrWrong) {
  ASSERT_TRUE(create("p"));
  auto const again = create("p");
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_NE(again.error().message.find("exists already"), std::string::npos);
  for (auto const* id : {"openai", "anthropic", "extractive"})
    EXPECT_EQ(create(id).error().faults.at(0).path, "id") << id;
  for (auto const* models : {R"({"a":1})", R"({"a":""})", R"({"a":{"b":"c"}})", R"({"":"b"})", R"({"a":null})"}) {
    auto provider = provider_named("q");
    provider.models.text = models;
    auto const refused = wait(providers->create(actor(), provider, {}, soon()));
    ASSERT_FALSE(refused) << models;
    EXPECT_TRUE(refused.error().faults.at(0).path.starts_with("models.")) << models;
  }
}

TEST_P(ProviderStoreTest, AnUpdateOfAnotherVersionIsRefused) {
  ASSERT_TRUE(create("p", "s1.sealed"));
  EXPECT_TRUE(update("p", no_edit, {}, 1));
  EXPECT_EQ(update("p", no_edit, {.keeps = false}, 1).error().code, Code::version_mismatch);
  EXPECT_EQ(get("p")->sealed_key, "s1.sealed");
  EXPECT_EQ(update("nobody", no_edit).error().code, Code::not_found);
}

TEST_P(ProviderStoreTest, ATenantHasAHundredAtMost) {
  std::vector<Task<Result<model::Provider>>> creates;
  auto const who = actor();
  for (std::int64_t i = 0; i < providers_max; ++i)
    creates.push_back(providers->create(who, provider_named("p" + std::to_string(i)), {}, soon()));
  wait(settle(std::move(creates)));
  auto const refused = create("one-more");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_NE(refused.error().message.find("delete one"), std::string::npos);
  EXPECT_TRUE(create("one-more", {}, "other")) << "another tenant has its own";
  ASSERT_TRUE(remove("p0"));
  EXPECT_TRUE(create("one-more"));
}

TEST_P(ProviderStoreTest, ListsInPagesInOrder) {
  for (auto const* id : {"d", "b", "a", "e", "c"})
    ASSERT_TRUE(create(id));
  std::string seen;
  PageRequest request{.limit = 2, .cursor = {}, .count_total = true};
  for (;;) {
    auto const page = wait(providers->list(default_tenant, request, soon()));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->total, 5);
    for (auto const& provider : page->items)
      seen += provider.id.value;
    if (page->next_cursor.empty())
      break;
    request.cursor = page->next_cursor;
  }
  EXPECT_EQ(seen, "abcde");
  request.cursor = "Not ours";
  EXPECT_EQ(wait(providers->list(default_tenant, request, soon())).error().code, Code::invalid);
}

TEST_P(ProviderStoreTest, ASecondTenantNeitherSeesNorTouchesIt) {
  ASSERT_TRUE(create("p", "s1.mine"));
  EXPECT_EQ(get("p", "other").error().code, Code::not_found);
  EXPECT_EQ(remove("p", "other").error().code, Code::not_found);
  EXPECT_TRUE(wait(providers->all(TenantId{"other"}, soon())).empty());
  EXPECT_TRUE(wait(providers->list(TenantId{"other"}, {}, soon()))->items.empty());
  ASSERT_TRUE(create("p", "s1.theirs", "other"));
  EXPECT_EQ(get("p")->sealed_key, "s1.mine");
}

class DataKeyStoreTest : public ProviderStoreTest {};
AL_ON_EVERY_DATABASE(DataKeyStoreTest);

TEST_P(DataKeyStoreTest, TheFirstKeyOfATenantStays) {
  DataKeyStore keys(*database);
  EXPECT_EQ(wait(keys.find(default_tenant, soon())), std::nullopt);
  EXPECT_TRUE(wait(keys.all(soon())).empty());
  EXPECT_EQ(wait(keys.add(default_tenant, "one", soon())).value(), "one");
  EXPECT_EQ(wait(keys.add(default_tenant, "two", soon())).value(), "one");
  EXPECT_EQ(wait(keys.find(TenantId{"other"}, soon())), std::nullopt);
  EXPECT_EQ(wait(keys.add(TenantId{"other"}, "three", soon())).value(), "three");
  EXPECT_EQ(wait(keys.add(TenantId{"nobody"}, "four", soon())).error().code, Code::invalid);
  auto const all = wait(keys.all(soon()));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].wrapped + all[1].wrapped, "onethree");
}

TEST_P(DataKeyStoreTest, OfManyAtOnceOneIsKept) {
  DataKeyStore keys(*database);
  std::vector<Task<Result<std::string>>> adds;
  for (int i = 0; i < 16; ++i)
    adds.push_back(keys.add(default_tenant, "key " + std::to_string(i), soon()));
  auto const ended = wait(settle(std::move(adds)));
  auto const kept = wait(keys.find(default_tenant, soon()));
  ASSERT_TRUE(kept);
  for (auto const& one : ended) {
    ASSERT_FALSE(one.fault);
    EXPECT_EQ(one.value.value(), *kept);
  }
}

}  // namespace
}  // namespace al::data
