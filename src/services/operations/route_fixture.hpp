#pragma once
/// For tests of routes on a real database: asks as a caller with `permissions` would.

#include <memory>
#include <string>
#include <vector>

#include "data/store_fixture.hpp"
#include "http/router.hpp"

namespace al::services::operations {

class RouteFixture : public data::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    router = std::make_unique<http::Router>(nullptr, nullptr, random);
  }

  struct Answer {
    int status;
    std::string body;
  };
  Answer ask(http::Method method, std::string target, std::string body = {}) {
    http::Context context;
    context.principal = {default_tenant, "tester", permissions};
    http::Request request{.method = method, .target = std::move(target)};
    if (!body.empty())
      request.headers.set("Content-Type", "application/json");
    request.body = std::move(body);
    auto response = wait(router->dispatch(std::move(context), std::move(request)));
    return {response.status, std::get<std::string>(response.body)};
  }

  std::vector<std::string> permissions;
  std::unique_ptr<http::Router> router;
};

/// The routes' own logic does not depend on the database; its stores are tested on each.
#define AL_ON_ONE_DATABASE(suite)                                                        \
  INSTANTIATE_TEST_SUITE_P(On, suite, testing::Values(storage::backend_kinds().front()), \
                           [](auto const& info) { return std::string(info.param.name); })

}  // namespace al::services::operations
