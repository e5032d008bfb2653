#include "security/idempotency.hpp"

#include "data/store_fixture.hpp"

namespace al::security {
namespace {

class StoredIdempotencyTest : public data::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    store = std::make_unique<data::IdempotencyStore>(*database);
    idempotency = std::make_unique<StoredIdempotency>(*store);
  }
  auto begin(std::string_view key, std::string_view hash) {
    return wait(idempotency->begin(who, "POST /agents", key, hash, soon()));
  }

  Actor const who = actor();
  std::unique_ptr<data::IdempotencyStore> store;
  std::unique_ptr<StoredIdempotency> idempotency;
};
INSTANTIATE_TEST_SUITE_P(On, StoredIdempotencyTest, testing::Values(storage::backend_kinds().front()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(StoredIdempotencyTest, TheAnswerComesBackWhole) {
  auto first = begin("key", "hash");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_FALSE(*first) << "nobody has answered yet";
  wait(idempotency->store(who, "POST /agents", "key", {201, "/api/v1/agents/a", R"({"id":"a"})"}, soon()));
  auto const again = begin("key", "hash");
  ASSERT_TRUE(again && *again);
  EXPECT_EQ((*again)->status, 201);
  EXPECT_EQ((*again)->location, "/api/v1/agents/a");
  EXPECT_EQ((*again)->body, R"({"id":"a"})");
}

TEST_P(StoredIdempotencyTest, AnotherBodyIsRefused) {
  ASSERT_TRUE(begin("key", "hash"));
  wait(idempotency->store(who, "POST /agents", "key", {201, "", "{}"}, soon()));
  auto const other = begin("key", "another hash");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::idempotency_mismatch);
}

TEST_P(StoredIdempotencyTest, ARunningCallIsNotRunTwiceUntilItLetsGo) {
  ASSERT_TRUE(begin("key", "hash"));
  auto const second = begin("key", "hash");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  wait(idempotency->release(who, "POST /agents", "key", soon()));
  auto const third = begin("key", "hash");
  ASSERT_TRUE(third) << third.error().message;
  EXPECT_FALSE(*third);
}

}  // namespace
}  // namespace al::security
