#include "security/idempotency.hpp"

#include "data/store_fixture.hpp"

namespace al::security {
namespace {

class StoredIdempotencyTest : public data::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    store = std::make_unique<data::IdempotencyStore>(*database, clock, random);
    idempotency = std::make_unique<StoredIdempotency>(*store);
  }
  Result<http::Idempotency::Begun> begin(std::string_view key, std::string_view hash, bool is_repeatable = true) {
    return wait(idempotency->begin(
        who, {.route = "POST /agents", .key = key, .body_hash = hash, .is_repeatable = is_repeatable}, soon()));
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
  EXPECT_FALSE(first->answer) << "nobody has answered yet";
  EXPECT_TRUE(is_uuid(first->made_id));
  wait(idempotency->store(who, "POST /agents", "key", {201, "/api/v1/agents/a", R"({"id":"a"})"}, soon()));
  auto const again = begin("key", "hash");
  ASSERT_TRUE(again && again->answer);
  EXPECT_EQ(again->answer->status, 201);
  EXPECT_EQ(again->answer->location, "/api/v1/agents/a");
  EXPECT_EQ(again->answer->body, R"({"id":"a"})");
}

TEST_P(StoredIdempotencyTest, AnotherBodyIsRefused) {
  ASSERT_TRUE(begin("key", "hash"));
  wait(idempotency->store(who, "POST /agents", "key", {201, "", "{}"}, soon()));
  auto const other = begin("key", "another hash");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::idempotency_mismatch);
}

TEST_P(StoredIdempotencyTest, ARunningCallIsNotRunTwiceUntilItLetsGo) {
  auto const first = begin("key", "hash");
  ASSERT_TRUE(first);
  auto const second = begin("key", "hash");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  wait(idempotency->release(who, "POST /agents", "key", soon()));
  auto const third = begin("key", "another hash");
  ASSERT_TRUE(third) << third.error().message;
  EXPECT_FALSE(third->answer);
  EXPECT_NE(third->made_id, first->made_id) << "the first made nothing";
}

TEST_P(StoredIdempotencyTest, WhoGoesOnInPlaceOfAnotherMakesTheSame) {
  auto const first = begin("key", "hash");
  ASSERT_TRUE(first);
  for (int i = 0; i < 3; ++i) {
    wait(idempotency->abandon(who, "POST /agents", "key", soon()));
    auto const other = begin("key", "another hash");
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Code::idempotency_mismatch);
    auto const next = begin("key", "hash");
    ASSERT_TRUE(next) << next.error().message;
    EXPECT_EQ(next->made_id, first->made_id);
    auto const beside = begin("key", "hash");
    ASSERT_FALSE(beside) << "one at a time";
    EXPECT_EQ(beside.error().code, Code::conflict);
  }
}

TEST_P(StoredIdempotencyTest, WhatWouldBeDoneTwiceIsLeftToTheClient) {
  ASSERT_TRUE(begin("key", "hash", false));
  wait(idempotency->abandon(who, "POST /agents", "key", soon()));
  auto const again = begin("key", "hash", false);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_TRUE(again.error().message.contains("nobody knows what became of")) << again.error().message;
}

}  // namespace
}  // namespace al::security
