#include <gmock/gmock.h>

#include "events/consumer_store.hpp"
#include "services/operations/events.hpp"
#include "services/operations/route_fixture.hpp"

namespace al::services::operations {
namespace {

using testing::HasSubstr;

class ConsumerRoutesTest : public RouteFixture {
 protected:
  void SetUp() override {
    RouteFixture::SetUp();
    permissions = {"consumers:*"};
    groups = std::make_unique<events::ConsumerGroups>(*database, *log,
                                                      events::ConsumerGroups::Channels{{"mailer", {"task:*"}}});
    add_consumer_routes(*router, *groups);
    wait(events::ConsumerStore(*database, "mailer").create_slots(2, log->beginning(), soon()));
    have_agent("a");
  }

  Answer get(std::string target) { return ask(http::Method::get, "/api/v1/consumers" + std::move(target)); }
  Answer replay(std::string body) {
    return ask(http::Method::post, "/api/v1/consumers/mailer/replay", std::move(body));
  }

  std::unique_ptr<events::ConsumerGroups> groups;
};
AL_ON_ONE_DATABASE(ConsumerRoutesTest);

TEST_P(ConsumerRoutesTest, ShowAGroup) {
  auto const listed = get("");
  EXPECT_EQ(listed.status, 200);
  EXPECT_THAT(
      listed.body,
      HasSubstr(
          R"({"consumers":[{"name":"mailer","channels":["task:*"],"slots":2,"members":[],"positions":[{"cursor":)"));
  EXPECT_THAT(listed.body, HasSubstr(R"("waiting":0,"retrying":0,"parked":0}],"count":1,"next_cursor":null})"));
  EXPECT_THAT(get("/mailer").body, HasSubstr(R"("lag":1,"oldest_unhandled_at":"20)"));
  auto const missing = get("/nobody");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, HasSubstr("there is no consumer 'nobody'"));
}

TEST_P(ConsumerRoutesTest, SendAGroupToAPoint) {
  EXPECT_THAT(replay(R"({"from":"tip"})").body, HasSubstr(R"("lag":0,"oldest_unhandled_at":null,)"));
  EXPECT_THAT(replay(R"({"since":"2020-01-01T00:00:00Z"})").body, HasSubstr(R"("lag":1,)"));
  EXPECT_THAT(replay(R"({"from":"tip","since":null})").body, HasSubstr(R"("lag":0,)"));
  EXPECT_EQ(ask(http::Method::post, "/nobody/replay", R"({"from":"tip"})").status, 404);
}

TEST_P(ConsumerRoutesTest, NameWhatIsWrong) {
  for (auto const* body : {"{}", R"({"since":"2020-01-01T00:00:00Z","from":"tip"})", R"({"since":null,"from":null})"}) {
    auto const refused = replay(body);
    EXPECT_EQ(refused.status, 422) << body;
    EXPECT_THAT(refused.body, HasSubstr("give either `since`, a time, or `from`")) << body;
  }
  EXPECT_THAT(replay(R"({"from":"end"})").body, HasSubstr(R"("path":"from")"));
  EXPECT_THAT(replay(R"({"since":"yesterday"})").body, HasSubstr(R"("path":"since")"));
  EXPECT_THAT(replay(R"({"to":"tip"})").body, HasSubstr(R"("path":"to")"));
  EXPECT_THAT(get("/mailer").body, HasSubstr(R"("lag":1,)")) << "nothing of it was done";
}

/// A tenant that may read and retry its own events has no say over a group that handles those of all.
TEST_P(ConsumerRoutesTest, NeedPermissionsOfTheirOwn) {
  permissions = {"events:*"};
  EXPECT_EQ(get("").status, 403);
  EXPECT_EQ(replay(R"({"from":"tip"})").status, 403);
  permissions = {"consumers:read"};
  EXPECT_EQ(get("/mailer").status, 200);
  EXPECT_EQ(replay(R"({"from":"tip"})").status, 403);
  permissions = {"consumers:write"};
  EXPECT_EQ(get("/mailer").status, 403);
  EXPECT_EQ(replay(R"({"from":"tip"})").status, 200);
}

}  // namespace
}  // namespace al::services::operations
