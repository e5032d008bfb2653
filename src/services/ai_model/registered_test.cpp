#include "services/ai_model/registered.hpp"

#include "data/store_fixture.hpp"
#include "services/ai_model/probe.hpp"

namespace al::services::ai_model {
namespace {

class RegisteredTest : public data::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    keys.emplace(*database);
    master.emplace("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", folder.path(), random);
    sealing.emplace(*keys, *master, random);
    hosts = *security::OutgoingHosts::from("api.openai.com,10.0.0.7:8000");
    store.emplace(*writer);
  }
  data::StoredProvider stored(std::string id, std::string base_url, std::string sealed = {}) {
    data::StoredProvider out{.provider = {}, .sealed_key = std::move(sealed)};
    out.provider.id = model::ProviderId{std::move(id)};
    out.provider.base_url = std::move(base_url);
    return out;
  }
  Result<providers::Account> account(data::StoredProvider one, TenantId tenant = default_tenant) {
    return wait(account_of({*store, *sealing, hosts}, tenant, std::move(one), soon()));
  }
  std::string seal(std::string id, std::string key) {
    return wait(sealing->seal(default_tenant, place_of_key(model::ProviderId{id}), key, soon())).value();
  }

  TemporaryDirectory folder;
  std::optional<data::DataKeyStore> keys;
  std::optional<security::MasterKey> master;
  std::optional<security::Sealing> sealing;
  security::OutgoingHosts hosts;
  std::optional<data::ProviderStore> store;
};
AL_ON_EVERY_DATABASE(RegisteredTest);

TEST_P(RegisteredTest, BecomesAnAccountWithItsKey) {
  auto one = stored("mine", "https://api.openai.com/v1", seal("mine", "sk-secret"));
  one.provider.kind = model::ProviderKind::anthropic;
  one.provider.default_model = "m";
  one.provider.models.text = R"({"fast":"small","smart":"large"})";
  auto const made = account(one);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->id, "mine");
  EXPECT_EQ(made->kind, providers::Kind::anthropic);
  EXPECT_EQ(made->key, "sk-secret");
  EXPECT_EQ(made->default_model, "m");
  EXPECT_EQ(made->models, (std::map<std::string, std::string>{{"fast", "small"}, {"smart", "large"}}));
  EXPECT_FALSE(made->is_operators);
  EXPECT_EQ(account(stored("keyless", "http://10.0.0.7:8000/v1"))->key, "");
}

TEST_P(RegisteredTest, AKeyOpensInItsOwnRowOnly) {
  auto const sealed = seal("mine", "sk-secret");
  EXPECT_EQ(account(stored("mine", "https://api.openai.com/v1", sealed))->key, "sk-secret");
  EXPECT_FALSE(account(stored("other", "https://api.openai.com/v1", sealed)));
  EXPECT_FALSE(account(stored("mine", "https://api.openai.com/v1", sealed), TenantId{"other"}));
}

TEST_P(RegisteredTest, AHostThatIsNotAllowedAnyMoreIsRefused) {
  EXPECT_EQ(account(stored("mine", "https://gone.example/v1")).error().code, Code::forbidden);
}

TEST_P(RegisteredTest, TheMasterKeyIsCheckedAcrossTenants) {
  (void)seal("mine", "sk-secret");
  EXPECT_TRUE(wait(sealing->check(soon())));
  security::MasterKey wrong(std::string(64, 'a'), folder.path(), random);
  security::Sealing other(*keys, wrong, random);
  auto const refused = wait(other.check(soon()));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("does not open"), std::string::npos);
}

TEST(Shown, AnAccountOfTheSettingsHasNoKeyInIt) {
  providers::Account const account{.id = "openai",
                                   .kind = providers::Kind::openai,
                                   .base_url = "http://127.0.0.1:1/v1",
                                   .key = "sk-secret",
                                   .default_model = "m",
                                   .models = {{"a", "b \"quoted\""}}};
  auto const text = entity::to_json(shown(account));
  EXPECT_EQ(text.find("sk-secret"), std::string::npos);
  EXPECT_NE(text.find(R"("has_key":true)"), std::string::npos);
  EXPECT_NE(text.find(R"("origin":"settings")"), std::string::npos);
  EXPECT_NE(text.find(R"({"a":"b \"quoted\""})"), std::string::npos);
}

TEST(ModelList, IsReadFromBothProtocols) {
  EXPECT_EQ(read_model_list(R"({"object":"list","data":[{"id":"a","object":"model"},{"id":"b"}]})").value(),
            (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read_model_list(R"({"data":[{"type":"model","id":"c"},{"id":7},3,{}],"has_more":false})").value(),
            (std::vector<std::string>{"c"}));
  EXPECT_TRUE(read_model_list(R"({"data":[]})")->empty());
  for (auto const* text : {"", "<html>", "[]", "{}", R"({"data":{}})", "null"})
    EXPECT_EQ(read_model_list(text).error().code, Code::unavailable) << text;
}

}  // namespace
}  // namespace al::services::ai_model
