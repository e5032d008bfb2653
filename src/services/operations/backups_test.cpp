#include "services/operations/backups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/event_loop.hpp"
#include "testing/seeded_random.hpp"

namespace al::services::operations {
namespace {

using testing::HasSubstr;

/// One is being made from the beginning on when `is_busy`.
class FewBackups final : public Backups {
 public:
  bool is_busy = false;

  [[nodiscard]] Task<std::vector<model::Backup>> list() override { co_return std::vector{running()}; }
  [[nodiscard]] Task<Result<model::Backup>> find(std::string id) override {
    if (id != running().id)
      co_return fail(Code::not_found, "there is no backup '" + id + "'");
    co_return running();
  }
  [[nodiscard]] Task<Result<model::Backup>> start() override {
    if (is_busy)
      co_return fail(Code::conflict, "a backup is being made");
    co_return running();
  }

 private:
  static model::Backup running() {
    model::Backup backup;
    backup.id = "2026-01-31T040000.123456Z";
    backup.kind = model::BackupKind::sqlite;
    return backup;
  }
};

class BackupRoutes : public testing::Test {
 protected:
  BackupRoutes() { add_backup_routes(router, backups); }

  http::Response ask(http::Method method, std::string path) {
    http::Context context;
    context.principal = {default_tenant, "tester", permissions};
    return loop.wait(router.dispatch(std::move(context), {.method = method, .target = "/api/v1/backups" + path}));
  }
  static std::string body(http::Response const& response) { return std::get<std::string>(response.body); }

  std::vector<std::string> permissions{"backups:*"};
  SeededRandom random;
  EventLoop loop;
  FewBackups backups;
  http::Router router{nullptr, nullptr, random};
};

TEST_F(BackupRoutes, TellWhereTheNewOneIs) {
  auto const begun = ask(http::Method::post, "");
  EXPECT_EQ(begun.status, 202);
  EXPECT_EQ(begun.headers.find("Location"), "/api/v1/backups/2026-01-31T040000.123456Z");
  EXPECT_THAT(body(begun), HasSubstr(R"("state":"running","kind":"sqlite")"));
  backups.is_busy = true;
  EXPECT_EQ(ask(http::Method::post, "").status, 409);
}

TEST_F(BackupRoutes, ShowThem) {
  auto const listed = ask(http::Method::get, "");
  EXPECT_EQ(listed.status, 200);
  EXPECT_THAT(body(listed), HasSubstr(R"({"backups":[{"id":"2026-01-31T040000.123456Z",)"));
  EXPECT_EQ(ask(http::Method::get, "/2026-01-31T040000.123456Z").status, 200);
  EXPECT_EQ(ask(http::Method::get, "/2026").status, 404);
}

TEST_F(BackupRoutes, NeedTheirPermissions) {
  permissions = {"backups:read"};
  EXPECT_EQ(ask(http::Method::get, "").status, 200);
  EXPECT_EQ(ask(http::Method::post, "").status, 403);
  permissions = {"backups:write"};
  EXPECT_EQ(ask(http::Method::get, "/2026").status, 403);
  EXPECT_EQ(ask(http::Method::post, "").status, 202);
}

}  // namespace
}  // namespace al::services::operations
