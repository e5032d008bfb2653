#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

#include "http/router.hpp"

namespace al::http {
namespace {

json::value body_of(Response const& response) { return json::parse(std::get<std::string>(response.body)).value(); }

std::string text(json::value const& in, std::string_view key) {
  return std::string(in.at(boost::json::string_view(key.data(), key.size())).as_string());
}

TEST(Problem, EveryCodeHasItsStatus) {
  std::map<std::string, int> const expected{{"bad_request", 400},
                                            {"invalid", 422},
                                            {"unauthenticated", 401},
                                            {"mfa_required", 401},
                                            {"forbidden", 403},
                                            {"not_found", 404},
                                            {"method_not_allowed", 405},
                                            {"conflict", 409},
                                            {"version_mismatch", 412},
                                            {"lease_lost", 409},
                                            {"idempotency_mismatch", 422},
                                            {"payload_too_large", 413},
                                            {"unsupported_media_type", 415},
                                            {"headers_too_large", 431},
                                            {"too_many_requests", 429},
                                            {"timed_out", 504},
                                            {"unavailable", 503},
                                            {"internal", 500}};
  std::size_t codes = 0;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<Code>>([&](auto enumerator) {
    ++codes;
    auto const found = expected.find(enumerator.name);
    ASSERT_NE(found, expected.end()) << enumerator.name << " has no row in the table of problem.cpp";
    EXPECT_EQ(status_of(enumerator.value), found->second) << enumerator.name;
    auto const response = problem({enumerator.value, "why"}, "r1");
    EXPECT_EQ(response.status, found->second);
    EXPECT_EQ(text(body_of(response), "code"), enumerator.name);
    EXPECT_EQ(text(body_of(response), "type"), std::string("urn:agent-lightning:problem:") + enumerator.name);
  });
  EXPECT_EQ(codes, expected.size());
}

TEST(Problem, HasAllMembers) {
  Error error{.code = Code::invalid, .message = "Two \"fields\" are wrong."};
  error.faults = {{"name", "must not be empty"}, {"items[3].id", "must be a slug"}};
  auto const response = problem(error, "req-1");
  EXPECT_EQ(response.headers.find("Content-Type"), "application/problem+json");
  auto const body = body_of(response);
  EXPECT_EQ(text(body, "title"), "Invalid");
  EXPECT_EQ(text(body, "detail"), "Two \"fields\" are wrong.");
  EXPECT_EQ(text(body, "request_id"), "req-1");
  EXPECT_EQ(body.at("status").as_int64(), 422);
  ASSERT_EQ(body.at("errors").as_array().size(), 2u);
  EXPECT_EQ(text(body.at("errors").at(1), "path"), "items[3].id");
  EXPECT_EQ(text(body.at("errors").at(1), "message"), "must be a slug");
}

TEST(Problem, WithoutFaultsThereAreNoErrorsAndWhereIsNeverShown) {
  auto const response = problem({.code = Code::conflict, .message = "x", .where = "agents.insert"}, "r");
  EXPECT_FALSE(body_of(response).as_object().contains("errors"));
  EXPECT_EQ(std::get<std::string>(response.body).find("agents.insert"), std::string::npos);
}

TEST(Problem, SaysWhenToTryAgain) {
  EXPECT_EQ(problem({Code::unavailable, ""}, "r").headers.find("Retry-After"), "1");
  EXPECT_EQ(problem({Code::too_many_requests, ""}, "r").headers.find("Retry-After"), "1");
  EXPECT_EQ(problem({Code::conflict, ""}, "r").headers.find("Retry-After"), std::nullopt);
  Error error{.code = Code::conflict, .message = ""};
  error.retry_after = std::chrono::seconds{17};
  EXPECT_EQ(problem(error, "r").headers.find("Retry-After"), "17");
}

TEST(Problem, NamesTheSchemeWhenNobodyIsSignedIn) {
  EXPECT_EQ(problem({Code::unauthenticated, ""}, "r").headers.find("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(problem({Code::forbidden, ""}, "r").headers.find("WWW-Authenticate"), std::nullopt);
}

TEST(Problem, AFinerStatusStandsInBothPlaces) {
  auto const response = problem({Code::timed_out, "slow"}, "r", 408);
  EXPECT_EQ(response.status, 408);
  EXPECT_EQ(body_of(response).at("status").as_int64(), 408);
}

TEST(EntityResponse, HasEtagAndLocation) {
  auto const response = entity_response(201, "{}", 7, "/api/v1/knowledge/\xc3\xa4 b\r\nX: y");
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.headers.find("ETag"), "\"7\"");
  EXPECT_EQ(response.headers.find("Location"), "/api/v1/knowledge/%C3%A4%20b%0D%0AX:%20y");
  EXPECT_EQ(entity_response(200, "{}", 7).headers.find("Location"), std::nullopt);
}

}  // namespace
}  // namespace al::http
