#include "services/ai_model/usage.hpp"

#include <gmock/gmock.h>

#include "data/store_fixture.hpp"

namespace al::services::ai_model {
namespace {

using testing::HasSubstr;

class UsageTest : public data::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    store = std::make_unique<data::UsageStore>(*database);
    usage = std::make_unique<Usage>(*store, clock);
  }
  static UsedCall call(std::string model, int status = 200) {
    return {.tenant = default_tenant,
            .principal = "ann",
            .provider = "openai",
            .model = std::move(model),
            .status = status,
            .tokens = {10, 3},
            .to_first_byte = std::chrono::milliseconds{4}};
  }
  std::vector<data::ModelUsage> stored() {
    auto page = wait(store->list(default_tenant, {}, {.limit = 500, .cursor = {}}, soon()));
    EXPECT_TRUE(page);
    return page ? page->items : std::vector<data::ModelUsage>{};
  }

  std::unique_ptr<data::UsageStore> store;
  std::unique_ptr<Usage> usage;
};
INSTANTIATE_TEST_SUITE_P(On, UsageTest, testing::Values(storage::backend_kinds().front()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(UsageTest, GathersAndStoresByDay) {
  for (int i = 0; i < 3; ++i)
    usage->add(call("m"));
  EXPECT_TRUE(stored().empty());
  wait(usage->flush(soon()));
  clock.advance(std::chrono::hours{24});
  usage->add(call("m"));
  wait(usage->flush(soon()));
  wait(usage->flush(soon()));
  EXPECT_EQ(stored(), (std::vector<data::ModelUsage>{{"2026-01-02", "ann", "openai", "m", 1, 10, 3},
                                                     {"2026-01-01", "ann", "openai", "m", 3, 30, 9}}));
}

TEST_P(UsageTest, BillsOnlyAnswers) {
  usage->add(call("refused", 400));
  usage->add(call("silent", 0));
  auto free = call("free");
  free.is_billed = false;
  usage->add(free);
  wait(usage->flush(soon()));
  EXPECT_TRUE(stored().empty());
}

TEST_P(UsageTest, ManyRowsGoInSeveralBatches) {
  auto const count = data::UsageStore::rows_max * 2 + 1;
  for (std::size_t i = 0; i < count; ++i)
    usage->add(call("m" + std::to_string(i)));
  wait(usage->flush(soon()));
  auto const page = wait(store->list(default_tenant, {}, {.limit = 1, .cursor = {}, .count_total = true}, soon()));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->total, static_cast<std::int64_t>(count));
}

TEST_P(UsageTest, NamesWithoutEndTakeNoMemoryWithoutEnd) {
  for (std::size_t i = 0; i < Usage::rows_max + 5; ++i)
    usage->add(call("m" + std::to_string(i)));
  usage->add(call(std::string(10'000, 'x')));
  wait(usage->flush(soon()));
  auto const page = wait(store->list(default_tenant, {}, {.limit = 1, .cursor = {}, .count_total = true}, soon()));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->total, static_cast<std::int64_t>(Usage::rows_max) + 1);
}

TEST_P(UsageTest, WhatCannotBeStoredWaits) {
  usage->add(call("m"));
  EXPECT_THROW(wait(usage->flush(Deadline::after(std::chrono::seconds{-1}))), Unavailable);
  usage->add(call("m"));
  wait(usage->flush(soon()));
  EXPECT_EQ(stored(), (std::vector<data::ModelUsage>{{"2026-01-01", "ann", "openai", "m", 2, 20, 6}}));
}

TEST_P(UsageTest, WhatIsRefusedDoesNotComeAgain) {
  auto lost = call("m");
  lost.tenant = TenantId{"nobody"};
  usage->add(lost);
  usage->add(call("m"));
  EXPECT_THROW(wait(usage->flush(soon())), Fault);
  EXPECT_EQ(stored().size(), 1u) << "others are stored";
  EXPECT_NO_THROW(wait(usage->flush(soon())));
}

TEST_P(UsageTest, IsShownToPrometheus) {
  usage->add(call("m"));
  usage->add(call("m", 429));
  usage->add(call("m", 0));
  auto const text = usage->metrics();
  for (auto const* line : {
           "# TYPE agent_lightning_model_first_byte_seconds histogram\n",
           "agent_lightning_model_calls_total{provider=\"openai\",status=\"2xx\"} 1\n",
           "agent_lightning_model_calls_total{provider=\"openai\",status=\"4xx\"} 1\n",
           "agent_lightning_model_calls_total{provider=\"openai\",status=\"none\"} 1\n",
           "agent_lightning_model_tokens_total{provider=\"openai\",direction=\"input\"} 30\n",
           "agent_lightning_model_first_byte_seconds_bucket{provider=\"openai\",le=\"0.0025\"} 0\n",
           "agent_lightning_model_first_byte_seconds_bucket{provider=\"openai\",le=\"0.005\"} 2\n",
           "agent_lightning_model_first_byte_seconds_bucket{provider=\"openai\",le=\"+Inf\"} 2\n",
           "agent_lightning_model_first_byte_seconds_sum{provider=\"openai\"} 0.008\n",
           "agent_lightning_model_first_byte_seconds_count{provider=\"openai\"} 2\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace al::services::ai_model
