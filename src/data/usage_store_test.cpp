#include "data/usage_store.hpp"

#include "data/store_fixture.hpp"

namespace al::data {
namespace {

class UsageStoreTest : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    usage = std::make_unique<UsageStore>(*database);
  }
  static ModelUsage row(std::string day, std::string principal, std::string model, std::int64_t requests = 1) {
    return {.day = std::move(day),
            .principal = std::move(principal),
            .provider = "openai",
            .model = std::move(model),
            .requests = requests,
            .input_tokens = 10 * requests,
            .output_tokens = 3 * requests};
  }
  std::vector<ModelUsage> all(UsageStore::Filter filter = {}, TenantId const& tenant = default_tenant) {
    auto page = wait(usage->list(tenant, std::move(filter), {.limit = 500, .cursor = {}}, soon()));
    EXPECT_TRUE(page) << page.error().message;
    return page ? page->items : std::vector<ModelUsage>{};
  }
  std::unique_ptr<UsageStore> usage;
};
AL_ON_EVERY_DATABASE(UsageStoreTest);

TEST_P(UsageStoreTest, AddsUp) {
  wait(usage->add(default_tenant, {row("2026-01-01", "ann", "m", 2), row("2026-01-01", "bob", "m")}, soon()));
  wait(usage->add(default_tenant, {row("2026-01-01", "ann", "m", 5)}, soon()));
  wait(usage->add(default_tenant, {}, soon()));
  EXPECT_EQ(all(), (std::vector{row("2026-01-01", "ann", "m", 7), row("2026-01-01", "bob", "m")}));
}

TEST_P(UsageStoreTest, TheSameRowTwiceInOneBatchCountsTwice) {
  wait(usage->add(default_tenant, {row("2026-01-01", "ann", "m"), row("2026-01-01", "ann", "m")}, soon()));
  EXPECT_EQ(all(), std::vector{row("2026-01-01", "ann", "m", 2)});
}

TEST_P(UsageStoreTest, ShowsTheLatestDayFirstPageByPage) {
  wait(usage->add(default_tenant,
                  {row("2026-01-01", "ann", "b"), row("2026-01-02", "ann", "a"), row("2026-01-01", "ann", "a"),
                   row("2026-01-01", "bob", "a"), row("2025-12-31", "ann", "\"odd\", [é]")},
                  soon()));
  auto const whole = all();
  ASSERT_EQ(whole.size(), 5u);
  EXPECT_EQ(whole[0].day, "2026-01-02");
  EXPECT_EQ(whole[4].model, "\"odd\", [é]");
  std::vector<ModelUsage> read;
  PageRequest request{.limit = 1, .cursor = {}, .count_total = true};
  for (int i = 0; i < 5; ++i) {
    auto const page = wait(usage->list(default_tenant, {}, request, soon()));
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_EQ(page->total, 5);
    read.insert(read.end(), page->items.begin(), page->items.end());
    request.cursor = page->next_cursor;
    EXPECT_EQ(request.cursor.empty(), i == 4);
  }
  EXPECT_EQ(read, whole);
}

TEST_P(UsageStoreTest, FiltersByPrincipalAndDay) {
  wait(usage->add(default_tenant,
                  {row("2026-01-01", "ann", "m"), row("2026-01-02", "ann", "m"), row("2026-01-02", "bob", "m"),
                   row("2026-01-03", "ann", "m")},
                  soon()));
  EXPECT_EQ(all({.principal = "ann"}).size(), 3u);
  EXPECT_EQ(all({.principal = "nobody"}).size(), 0u);
  EXPECT_EQ(all({.principal = "ann", .from = "2026-01-02"}).size(), 2u);
  EXPECT_EQ(all({.from = "2026-01-02", .to = "2026-01-02"}).size(), 2u);
}

TEST_P(UsageStoreTest, RefusesACursorThatIsNone) {
  for (std::string const cursor : {"x", "[]", "[1,2,3,4]", R"(["a","b","c"])", "{}"}) {
    auto const page = wait(usage->list(default_tenant, {}, {.limit = 5, .cursor = cursor}, soon()));
    ASSERT_FALSE(page) << cursor;
    EXPECT_EQ(page.error().code, Code::invalid);
    EXPECT_EQ(page.error().message, wrong_cursor().message) << "as every list";
  }
}

TEST_P(UsageStoreTest, ATenantSeesItsOwn) {
  wait(usage->add(default_tenant, {row("2026-01-01", "ann", "m")}, soon()));
  EXPECT_EQ(all({}, TenantId{"other"}).size(), 0u);
}

}  // namespace
}  // namespace al::data
