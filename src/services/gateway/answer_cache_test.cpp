#include "services/gateway/answer_cache.hpp"

#include <gtest/gtest.h>

namespace al::services::gateway {
namespace {

using namespace std::chrono_literals;

SteadyTime const now{100s};

http::Response answer(std::string body) { return http::json_response(200, std::move(body)); }

TEST(AnswerCache, ForgetsWhenTheTimeIsOver) {
  AnswerCache cache;
  cache.keep("a", answer("1"), now, now + 5s);
  auto const kept = cache.find("a", now + 4s);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->body, "1");
  EXPECT_EQ(kept->since, now);
  EXPECT_FALSE(cache.find("b", now));
  EXPECT_FALSE(cache.find("a", now + 5s));
  EXPECT_EQ(cache.bytes(), 0u) << "what is over takes no room";
}

TEST(AnswerCache, TakesTheNewestOfOneKey) {
  AnswerCache cache;
  cache.keep("a", answer("1"), now, now + 5s);
  auto const bytes = cache.bytes();
  cache.keep("a", answer("2"), now + 1s, now + 6s);
  EXPECT_EQ(cache.find("a", now + 2s)->body, "2");
  EXPECT_EQ(cache.bytes(), bytes);
}

TEST(AnswerCache, HoldsNoMoreThanItsBytes) {
  AnswerCache cache;
  std::string const body(200'000, 'x');
  std::size_t const fits = AnswerCache::bytes_max / (body.size() + 1000);
  for (std::size_t i = 0; i < fits; ++i)
    cache.keep("k" + std::to_string(i), answer(body), now, now + 5s);
  ASSERT_TRUE(cache.find("k0", now)) << "all of them fit, and it was asked for last";
  for (std::size_t i = fits; i < 2 * fits - 1; ++i)
    cache.keep("k" + std::to_string(i), answer(body), now, now + 5s);
  EXPECT_LE(cache.bytes(), AnswerCache::bytes_max);
  EXPECT_FALSE(cache.find("k1", now)) << "asked for longest ago";
  EXPECT_TRUE(cache.find("k" + std::to_string(2 * fits - 2), now));
  cache.keep("huge", answer(std::string(AnswerCache::answer_bytes_max, 'x')), now, now + 5s);
  EXPECT_FALSE(cache.find("huge", now));
}

TEST(AnswerCache, HoldsNoMoreThanItsAnswers) {
  AnswerCache cache;
  for (std::size_t i = 0; i <= AnswerCache::answers_max; ++i)
    cache.keep(std::to_string(i), answer("1"), now, now + 5s);
  EXPECT_FALSE(cache.find("0", now));
  EXPECT_TRUE(cache.find("1", now));
}

TEST(AnswerCache, KeysTellApartWhoAsksForWhat) {
  http::Principal const one{.tenant = TenantId("a"), .id = "1", .permissions = {"x:read", "y:read"}};
  auto const key = AnswerCache::key(one, "/t", "*/*");
  http::Principal const turned{.tenant = TenantId("a"), .id = "1", .permissions = {"y:read", "x:read"}};
  EXPECT_EQ(AnswerCache::key(turned, "/t", "*/*"), key) << "the order says nothing";
  for (http::Principal const& other :
       {http::Principal{.tenant = TenantId("b"), .id = "1", .permissions = one.permissions},
        http::Principal{.tenant = TenantId("a"), .id = "2", .permissions = one.permissions},
        http::Principal{.tenant = TenantId("a"), .id = "1", .permissions = {"x:read"}}, http::Principal{}})
    EXPECT_NE(AnswerCache::key(other, "/t", "*/*"), key);
  EXPECT_NE(AnswerCache::key(one, "/t?", "*/*"), key);
  EXPECT_NE(AnswerCache::key(one, "/t", "text/html"), key);
}

TEST(AnswerCache, TakesWholeAnswersWithoutCookiesAlone) {
  EXPECT_TRUE(AnswerCache::is_fit(answer("1")));
  EXPECT_FALSE(AnswerCache::is_fit(http::json_response(201, "1")));
  EXPECT_FALSE(AnswerCache::is_fit({.body = http::BodyStream([](http::BodyWriter&) -> Task<void> { co_return; })}));
  for (auto const* const name : {"Set-Cookie", "Content-Range", "Vary"}) {
    auto unfit = answer("1");
    unfit.headers.add(name, "Cookie");
    EXPECT_FALSE(AnswerCache::is_fit(unfit)) << name;
  }
  auto fit = answer("1");
  fit.headers.add("Vary", "Accept-Encoding");
  EXPECT_TRUE(AnswerCache::is_fit(fit));
}

}  // namespace
}  // namespace al::services::gateway
