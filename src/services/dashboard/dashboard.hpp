#pragma once
/// The role dashboard (8051): the web application, and on the same origin the API that it talks to.

#include "core/random.hpp"
#include "http/dispatcher.hpp"
#include "http/request_id.hpp"
#include "services/dashboard/web_files.hpp"

namespace al::services::dashboard {

/// Answers pages and their files itself, and hands the API and what the process says of itself on to a router. Any
/// thread. Both outlive it.
class Dashboard final : public http::Dispatcher {
 public:
  Dashboard(http::Dispatcher& api, std::span<EmbeddedFile const> files, Random& random)
      : api_(api), files_(files), random_(random), ids_(random) {}

  [[nodiscard]] Task<http::Response> dispatch(http::Context, http::Request) override;
  [[nodiscard]] std::optional<http::RouteLimits> limits(http::Method, std::string_view path) const override;

 private:
  [[nodiscard]] http::Response answer(http::Request const&, std::string const& path) const;
  [[nodiscard]] http::Response page(http::Request const&) const;

  http::Dispatcher& api_;
  WebFiles const files_;
  Random& random_;
  http::RequestIds ids_;
};

}  // namespace al::services::dashboard
