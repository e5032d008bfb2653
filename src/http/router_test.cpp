#include "http/router.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <boost/system/system_error.hpp>
#include <set>

#include "core/fault.hpp"
#include "http/target.hpp"

namespace al::http {
namespace {

using namespace std::chrono_literals;

struct Widget {
  std::string name;
  std::int64_t version = 1;
};
BOOST_DESCRIBE_STRUCT(Widget, (), (name, version))
constexpr auto describe(std::type_identity<Widget>) {
  return entity::about("Widget", "", "A thing.", entity::field<&Widget::name>("Its name.", {.min = 1, .max = 50}),
                       entity::field<&Widget::version>("Changes.", {.access = entity::Access::read_only}));
}

/// Before a list of widgets.
struct OfOwner {
  std::string owner;
};
BOOST_DESCRIBE_STRUCT(OfOwner, (), (owner))
constexpr auto describe(std::type_identity<OfOwner>) {
  return entity::about("OfOwner", "", "Whose they are.", entity::field<&OfOwner::owner>("The owner."));
}

class ZeroRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override { std::ranges::fill(out, std::byte{0}); }
};

/// Knows "Bearer TENANT/USER/PERMISSION".
class TokenAuthenticator final : public Authenticator {
 public:
  Task<Result<Principal>> authenticate(Request const& request, Deadline) override {
    ++calls;
    auto token = request.headers.find("Authorization").value_or("");
    if (!token.starts_with("Bearer "))
      co_return fail(Code::unauthenticated, "no token");
    token.remove_prefix(7);
    auto const first = token.find('/');
    auto const second = token.find('/', first + 1);
    co_return Principal{.tenant = TenantId(token.substr(0, first)),
                        .id = std::string(token.substr(first + 1, second - first - 1)),
                        .permissions = {std::string(token.substr(second + 1))}};
  }
  int calls = 0;
};

/// Remembers answers in a map, as the data layer does in a table.
class MapIdempotency final : public Idempotency {
 public:
  struct Entry {
    std::string hash;
    std::string made_id;
    std::optional<Stored> stored{};
    bool is_abandoned = false;
  };
  static std::string name(Actor const& actor, std::string_view route, std::string_view key) {
    return actor.tenant.value + "|" + actor.user_id + "|" + std::string(route) + "|" + std::string(key);
  }
  Task<Result<Begun>> begin(Actor const& actor, Use use, Deadline) override {
    auto const [place, is_new] = entries.try_emplace(name(actor, use.route, use.key),
                                                     Entry{std::string(use.body_hash), "id-" + std::to_string(++ids)});
    auto& entry = place->second;
    if (is_new)
      co_return Begun{.answer = {}, .made_id = entry.made_id};
    if (entry.hash != use.body_hash)
      co_return fail(Code::idempotency_mismatch, "another body");
    if (entry.stored)
      co_return Begun{.answer = entry.stored, .made_id = {}};
    if (!std::exchange(entry.is_abandoned, false) || !use.is_repeatable)
      co_return fail(Code::conflict, "still running, or nobody knows");
    co_return Begun{.answer = {}, .made_id = entry.made_id};
  }
  Task<void> store(Actor const& actor, std::string_view route, std::string_view key, Stored stored, Deadline) override {
    if (is_broken)
      throw Unavailable("database is gone");
    entries.at(name(actor, route, key)).stored = std::move(stored);
    co_return;
  }
  Task<void> release(Actor const& actor, std::string_view route, std::string_view key, Deadline) override {
    entries.erase(name(actor, route, key));
    co_return;
  }
  Task<void> abandon(Actor const& actor, std::string_view route, std::string_view key, Deadline) override {
    entries.at(name(actor, route, key)).is_abandoned = true;
    co_return;
  }
  std::map<std::string, Entry> entries;
  int ids = 0;
  bool is_broken = false;
};

class RouterTest : public testing::Test {
 protected:
  RouterTest() : router(&authenticator, &idempotency, random) {
    auto const echo = [this](Call& call) -> Task<Result<Response>> {
      ++handled;
      last = call.context;
      co_return json_response(200, call.request.path);
    };
    router.add({.method = Method::get, .path = "/open", .permission = "", .summary = "Open.", .handler = echo});
    router.add({.method = Method::get,
                .path = "/widgets",
                .permission = "widgets:read",
                .summary = "Lists.",
                .query = {{.name = "limit", .doc = "How many.", .type = "integer"},
                          {.name = "status", .doc = "Which.", .choices = {"on", "off"}},
                          {.name = "kinds", .doc = "Which.", .choices = {"big", "small"}, .several = true},
                          {.name = "deep", .doc = "All.", .type = "boolean"},
                          {.name = "ratio", .doc = "Some.", .type = "number"}},
                .response = &entity::entity<Widget>(),
                .list = "widgets",
                .head = &entity::entity<OfOwner>(),
                .handler = echo});
    add_items();
    add_posts();
  }

  void add_items() {
    router.add({.method = Method::get,
                .path = "/widgets/{id}",
                .permission = "widgets:read",
                .summary = "Reads.",
                .response = &entity::entity<Widget>(),
                .handler = [this](Call& call) -> Task<Result<Response>> {
                  ++handled;
                  last = call.context;
                  auto const& id = call.path("id");
                  if (id == "missing")
                    co_return fail(Code::not_found, "There is no widget 'missing'.");
                  if (id == "gone")
                    throw Unavailable("db7.internal refused the connection");
                  if (id == "bug")
                    throw std::logic_error("secret detail");
                  if (id == "odd")
                    throw 7;
                  if (id == "cancelled")
                    throw boost::system::system_error(asio::error::operation_aborted);
                  co_return entity_response(200, R"({"id":")" + id + "\"}", 7);
                }});
    router.add({.method = Method::get,
                .path = "/widgets/search",
                .permission = "widgets:read",
                .summary = "Searches.",
                .handler = [](Call&) -> Task<Result<Response>> { co_return json_response(200, "\"static\""); }});
    router.add({.method = Method::get,
                .path = "/widgets/{owner}/parts/{part}",
                .permission = "widgets:read",
                .summary = "Reads a part.",
                .handler = [](Call& call) -> Task<Result<Response>> {
                  co_return json_response(200, call.path("owner") + "+" + call.path("part"));
                }});
    router.add({.method = Method::put,
                .path = "/widgets/{id}",
                .permission = "widgets:write",
                .summary = "Changes.",
                .takes = Body::json,
                .request = &entity::entity<Widget>(),
                .response = &entity::entity<Widget>(),
                .handler = [](Call& call) -> Task<Result<Response>> {
                  auto version = call.if_match();
                  if (!version)
                    co_return fail(version.error());
                  co_return json_response(200, *version ? std::to_string(**version) : "null");
                }});
    router.add({.method = Method::get,
                .path = "/needs",
                .permission = "widgets:read",
                .summary = "Needs a parameter.",
                .query = {{.name = "kind", .doc = "What.", .choices = {"a", "b"}, .required = true},
                          {.name = "more", .doc = "Perhaps."}},
                .handler = [](Call&) -> Task<Result<Response>> { co_return json_response(200, "1"); }});
  }

  void add_posts() {
    router.add({.method = Method::post,
                .path = "/values",
                .permission = "widgets:write",
                .summary = "Adds up.",
                .takes = Body::json,
                .repeatable = false,
                .handler = [this](Call&) -> Task<Result<Response>> {
                  if (next_is_unknown)
                    throw OutcomeUnknown("the reply was lost");
                  co_return json_response(200, "1");
                }});
    router.add({.method = Method::post,
                .path = "/widgets",
                .permission = "widgets:write",
                .summary = "Creates.",
                .takes = Body::json,
                .request = &entity::entity<Widget>(),
                .response = &entity::entity<Widget>(),
                .success = 201,
                .errors = {Code::conflict},
                .body_max = 2000,
                .handler = [this](Call& call) -> Task<Result<Response>> {
                  ++handled;
                  made_id = call.made_id;
                  if (next_is_unknown)
                    throw OutcomeUnknown("the reply was lost");
                  if (next_failure)
                    throw Unavailable("gone");
                  auto const status = json::member(call.body(), "status");
                  if (!status.is_null()) {
                    co_return json_response(static_cast<int>(status.parsed->as_int64()),
                                            "{\"n\":" + std::to_string(handled) + "}");
                  }
                  co_return entity_response(201, "{\"n\":" + std::to_string(handled) + "}", 1, "/api/v1/widgets/w1");
                }});
    router.add({.method = Method::post,
                .path = "/keys",
                .permission = "keys:write",
                .summary = "Makes a secret.",
                .idempotent_key = false,
                .handler = [](Call&) -> Task<Result<Response>> { co_return json_response(201, "{\"secret\":1}"); }});
    router.add(
        {.method = Method::post,
         .path = "/raw",
         .permission = "",
         .summary = "Takes anything.",
         .takes = Body::any,
         .handler = [](Call& call) -> Task<Result<Response>> { co_return json_response(200, call.request.body); }});
    router.add({.method = Method::post,
                .path = "/waits",
                .permission = "widgets:write",
                .summary = "Waits until it is cancelled.",
                .handler = [](Call&) -> Task<Result<Response>> {
                  co_await sleep_until(std::chrono::steady_clock::now() + 1h);
                  co_return json_response(200, "1");
                }});
  }

  Response send(Request request, Context context = {}) {
    asio::io_context io;
    Response response;
    std::exception_ptr thrown;
    asio::co_spawn(io, router.dispatch(std::move(context), std::move(request)),
                   [&](std::exception_ptr error, Response answer) {
                     thrown = error;
                     response = std::move(answer);
                   });
    io.run();
    if (thrown)
      std::rethrow_exception(thrown);
    return response;
  }

  Response send(Method method, std::string target, std::string body = {},
                std::vector<std::pair<std::string, std::string>> headers = {}) {
    Request request{.method = method, .target = std::move(target)};
    request.headers.add("Authorization", "Bearer acme/ann/widgets:*");
    if (!body.empty())
      request.headers.add("Content-Type", "application/json");
    for (auto const& [name, value] : headers)
      request.headers.set(name, value);
    request.body = std::move(body);
    return send(std::move(request));
  }

  static std::string body_of(Response const& response) { return std::get<std::string>(response.body); }
  static std::string code_of(Response const& response) {
    auto const parsed = json::parse(body_of(response));
    if (!parsed || !parsed->is_object() || !parsed->as_object().contains("code"))
      return "no problem";
    return std::string(parsed->at("code").as_string());
  }
  static std::string fault_of(Response const& response) {
    auto const parsed = json::parse(body_of(response)).value();
    auto const& first = parsed.at("errors").at(0);
    return std::string(first.at("path").as_string()) + ": " + std::string(first.at("message").as_string());
  }

  ZeroRandom random;
  TokenAuthenticator authenticator;
  MapIdempotency idempotency;
  Router router;
  int handled = 0;
  bool next_failure = false;
  bool next_is_unknown = false;
  std::string made_id;
  Context last;
};

// ---- targets ----

TEST(ReadTarget, DecodesPathAndQuery) {
  auto const target = read_target("/a%20b/%C3%A4?x=1&y=a+b%2Bc&x=2&flag&empty=&=v&&z=%26%3D");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/a b/\xc3\xa4");
  std::vector<std::pair<std::string, std::string>> const expected{
      {"x", "1"}, {"y", "a b+c"}, {"x", "2"}, {"flag", ""}, {"empty", ""}, {"", "v"}, {"z", "&="}};
  EXPECT_EQ(target->query, expected);
  EXPECT_EQ(read_target("/a+b")->path, "/a+b");
  EXPECT_EQ(read_target("/")->path, "/");
  EXPECT_EQ(read_target("/a.b/.c/...")->path, "/a.b/.c/...");
  EXPECT_EQ(read_target("/a/")->path, "/a/");
  EXPECT_EQ(read_target("/a?")->query.size(), 0u);
}

TEST(ReadTarget, RefusesWhatCouldMeanTwoThings) {
  for (auto const* const target :
       {"",          "a",         "*",     "http://x/a", "/%",       "/%1",      "/%zz",       "/%0g",
        "/a%00b",    "/a%0d%0ab", "/a%7f", "/a%1eb",     "/a%1Fb",   "/a\\b",    "/..",        "/a/../b",
        "/a/./b",    "/%2e%2e/b", "/.%2e", "/%2e",       "/%ff",     "/%c0%af",  "/%ed%a0%80", "/%c2%80",
        "/\xc3\xa4", "/a b",      "/a\tb", "/a#b",       "/a?x=%0a", "/a?%00=1", "/a?x=%f",    "/a?x=%ff",
        "/a?x=a b",  "/a%u0041",  "/%c3",  "/a?x=%c3%28"}) {
    auto const result = read_target(target);
    EXPECT_FALSE(result) << target;
    if (!result)
      EXPECT_EQ(result.error().code, Code::bad_request);
  }
  std::string many = "/a?x";
  for (int i = 0; i < 63; ++i)
    many += "&x";
  EXPECT_TRUE(read_target(many));
  EXPECT_FALSE(read_target(many + "&x"));
}

// ---- finding the route ----

TEST_F(RouterTest, FindsRoutes) {
  struct Case {
    Method method;
    std::string target;
    int status;
    std::string contains;
  };
  std::vector<Case> const cases{
      {Method::get, "/widgets/a", 200, R"("id":"a")"},
      {Method::get, "/api/v1/widgets/a", 200, R"("id":"a")"},
      {Method::get, "/widgets/search", 200, "static"},
      {Method::get, "/widgets/searching", 200, "searching"},
      {Method::get, "/widgets/search/parts/p", 200, "search+p"},
      {Method::get, "/widgets/a%20b/parts/%C3%A4", 200, "a b+\xc3\xa4"},
      {Method::get, "/api/v1/api/v1/widgets/a", 404, "not_found"},
      {Method::get, "/api/v1", 404, "not_found"},
      {Method::get, "/api/v1widgets", 404, "not_found"},
      {Method::get, "/API/v1/widgets", 404, "not_found"},
      {Method::get, "/", 404, "not_found"},
      {Method::get, "/widgets/", 404, "not_found"},
      {Method::get, "//widgets", 404, "not_found"},
      {Method::get, "/widgets//parts/p", 404, "not_found"},
      {Method::get, "/widgets/a/parts", 404, "not_found"},
      {Method::get, "/widgets/a/b", 404, "not_found"},
      {Method::get, "/nothing", 404, "'/nothing'"},
      {Method::get, "/nothing%2fhere", 404, "'/nothing/here'"},
      {Method::get, "/nothing%5chere", 404, R"('/nothing\\here')"},
      {Method::get, "/widgets/" + std::string(255, 'a'), 200, "aaa"},
      {Method::get, "/widgets/" + std::string(256, 'a'), 404, "not_found"},
      {Method::get, "/widgets/..", 400, "bad_request"},
      {Method::get, "/widgets/a%2fb", 200, "a/b"},
      {Method::get, "/widgets/a%5Cb", 200, "a\\b"},
      {Method::get, "/widgets%2fa", 404, "not_found"},
      {Method::get, "/widgets/a%00", 400, "bad_request"},
      {Method::del, "/widgets/a", 405, "method_not_allowed"},
      {Method::post, "/widgets/a", 405, "method_not_allowed"},
  };
  for (auto const& [method, target, status, contains] : cases) {
    auto const response = send(method, target);
    EXPECT_EQ(response.status, status) << target;
    EXPECT_NE(body_of(response).find(contains), std::string::npos) << target << " answered " << body_of(response);
  }
}

TEST(RouterWithPages, ServesOnlyWhatIsOfTheProcessBare) {
  ZeroRandom random;
  Router router(nullptr, nullptr, random, Bare::of_process);
  auto const one = [](Call&) -> Task<Result<Response>> { co_return json_response(200, "1"); };
  router.add({.method = Method::get, .path = "/things", .permission = "", .summary = "", .handler = one});
  router.add(
      {.method = Method::get, .path = "/health", .permission = "", .summary = "", .of_process = true, .handler = one});
  for (auto const& [target, status] : std::vector<std::pair<std::string, int>>{
           {"/things", 404}, {"/api/v1/things", 200}, {"/health", 200}, {"/api/v1/health", 200}}) {
    asio::io_context io;
    int got = 0;
    asio::co_spawn(io, router.dispatch({}, {.target = target}),
                   [&](std::exception_ptr, Response const& response) { got = response.status; });
    io.run();
    EXPECT_EQ(got, status) << target;
  }
}

TEST_F(RouterTest, NamesTheMethodsOfAPath) {
  EXPECT_EQ(send(Method::del, "/widgets/a").headers.find("Allow"), "GET, HEAD, PUT, OPTIONS");
  auto const options = send(Method::options, "/widgets");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.headers.find("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(body_of(options), "");
  EXPECT_EQ(send(Method::options, "/nothing").status, 404);
  EXPECT_EQ(send(Method::options, "*").status, 204);
  EXPECT_EQ(send(Method::get, "*").status, 400);
  EXPECT_EQ(handled, 0);
}

TEST_F(RouterTest, HeadIsGetWithoutBody) {
  auto const get = send(Method::get, "/widgets/a");
  auto const head = send(Method::head, "/widgets/a");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(body_of(head), "");
  EXPECT_EQ(head.headers.find("Content-Length"), std::to_string(body_of(get).size()));
  EXPECT_EQ(head.headers.find("ETag"), "\"7\"");
  EXPECT_EQ(send(Method::head, "/widgets/missing").status, 404);
  EXPECT_EQ(send(Method::head, "/keys").status, 405);
}

TEST_F(RouterTest, KnowsTheLimitsBeforeTheBody) {
  auto const body_max = [&](Method method, std::string_view path) {
    auto const limits = router.limits(method, path);
    return limits ? std::optional(limits->body_max) : std::nullopt;
  };
  EXPECT_EQ(body_max(Method::post, "/widgets"), 2000u);
  EXPECT_EQ(body_max(Method::post, "/api/v1/widgets?x=1"), 2000u);
  EXPECT_EQ(body_max(Method::put, "/widgets/a%20b"), 1u << 20);
  EXPECT_EQ(body_max(Method::del, "/widgets"), std::nullopt);
  EXPECT_EQ(body_max(Method::post, "/nothing"), std::nullopt);
  EXPECT_EQ(body_max(Method::post, "/widgets/%"), std::nullopt);
}

TEST_F(RouterTest, RoutesAreAddedOnce) {
  auto const handler = [](Call&) -> Task<Result<Response>> { co_return Response{}; };
  EXPECT_DEATH(
      router.add(
          {.method = Method::get, .path = "/widgets/{other}", .permission = "", .summary = "", .handler = handler}),
      "same method and path");
  EXPECT_DEATH(router.add({.method = Method::get, .path = "x", .permission = "", .summary = "", .handler = handler}),
               "starts_with");
}

// ---- who may ----

TEST_F(RouterTest, AsksWhoCallsUnlessTheRouteIsOpen) {
  EXPECT_EQ(send(Request{.method = Method::get, .target = "/open"}).status, 200);
  EXPECT_EQ(authenticator.calls, 0);
  EXPECT_EQ(last.principal.id, "");

  auto const refused = send(Request{.method = Method::get, .target = "/widgets"});
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers.find("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(authenticator.calls, 1);
  EXPECT_EQ(handled, 1);

  EXPECT_EQ(send(Method::get, "/widgets").status, 200);
  EXPECT_EQ(last.principal.tenant, TenantId("acme"));
  EXPECT_EQ(last.principal.id, "ann");
}

TEST_F(RouterTest, NamesThePermissionThatIsMissing) {
  auto const response = send(Method::post, "/keys", "", {});
  EXPECT_EQ(response.status, 403);
  EXPECT_NE(body_of(response).find("'keys:write'"), std::string::npos);
  EXPECT_EQ(send(Method::post, "/keys", "", {{"Authorization", "Bearer acme/ann/keys:write"}}).status, 201);
}

TEST_F(RouterTest, AskingWhoComesBeforeEverythingThatTellsSomething) {
  Request request{.method = Method::post, .target = "/widgets?unknown=1"};
  request.body = "not json";
  EXPECT_EQ(send(std::move(request)).status, 401);
}

TEST_F(RouterTest, APrincipalFromTheSameProcessIsTaken) {
  Context context;
  context.principal = {.tenant = TenantId("t2"), .id = "bob", .permissions = {"*:*"}};
  Request request{.method = Method::get, .target = "/widgets"};
  request.headers.add("Authorization", "Bearer acme/ann/none:none");
  EXPECT_EQ(send(std::move(request), context).status, 200);
  EXPECT_EQ(last.principal.id, "bob");
  EXPECT_EQ(authenticator.calls, 0);
}

TEST(RouterWithoutAuthenticator, RefusesAContextWithoutPrincipal) {
  ZeroRandom random;
  Router router(nullptr, nullptr, random);
  router.add({.method = Method::get,
              .path = "/x",
              .permission = "x:read",
              .summary = "",
              .handler = [](Call&) -> Task<Result<Response>> { co_return json_response(200, "1"); }});
  for (auto const& [id, status] : {std::pair{"", 401}, std::pair{"ann", 200}}) {
    asio::io_context io;
    int got = 0;
    Context context;
    context.principal = {.tenant = default_tenant, .id = id, .permissions = {"x:read"}};
    asio::co_spawn(io, router.dispatch(context, {.method = Method::get, .target = "/x"}),
                   [&](std::exception_ptr, Response const& response) { got = response.status; });
    io.run();
    EXPECT_EQ(got, status);
  }
}

// ---- query ----

TEST_F(RouterTest, ChecksTheQuery) {
  struct Case {
    std::string query;
    std::string fault;  // empty: fine
  };
  for (auto const& [query, fault] : std::vector<Case>{
           {"", ""},
           {"?limit=5&status=on&deep=true&ratio=0.5", ""},
           {"?limit=5&limit=-6", ""},
           {"?limit=abc", "limit: must be an integer"},
           {"?limit=", "limit: must be an integer"},
           {"?limit=5.0", "limit: must be an integer"},
           {"?limit=99999999999999999999", "limit: must be an integer"},
           {"?status=maybe", "status: must be one of: on, off"},
           {"?kinds=big,small", ""},
           {"?kinds=", "kinds: must be one or several, with commas, of: big, small"},
           {"?kinds=big,,small", "kinds: must be one or several, with commas, of: big, small"},
           {"?kinds=big,tiny", "kinds: must be one or several, with commas, of: big, small"},
           {"?deep=1", "deep: must be true or false"},
           {"?ratio=inf", "ratio: must be a number"},
           {"?ratio=1e999", "ratio: must be a number"},
           {"?offset=3", "offset: unknown query parameter; allowed: limit, status, kinds, deep, ratio"},
           {"?Limit=3", "Limit: unknown query parameter; allowed: limit, status, kinds, deep, ratio"},
       }) {
    auto const response = send(Method::get, "/widgets" + query);
    EXPECT_EQ(response.status, fault.empty() ? 200 : 422) << query;
    if (!fault.empty() && response.status == 422)
      EXPECT_EQ(fault_of(response), fault);
  }
  auto const none = send(Method::get, "/widgets/a?x=1");
  EXPECT_EQ(fault_of(none), "x: this route has no query parameters");
  EXPECT_EQ(send(Method::get, "/needs?kind=a").status, 200);
  for (auto const* query : {"", "?more=1"}) {
    auto const missing = send(Method::get, std::string("/needs") + query);
    EXPECT_EQ(missing.status, 422) << query;
    EXPECT_EQ(fault_of(missing), "kind: is required") << query;
  }
}

TEST(Call, QueryAndIfMatch) {
  Context context;
  Request request;
  request.query = {{"limit", "5"}, {"limit", "6"}, {"word", "x"}};
  Call call(context, request);
  EXPECT_EQ(call.query("limit"), "6");
  EXPECT_EQ(call.query("none"), std::nullopt);
  EXPECT_EQ(call.query_int("limit", 1, 1, 6).value(), 6);
  EXPECT_EQ(call.query_int("none", 9, 1, 6).value(), 9);
  EXPECT_EQ(call.query_int("limit", 1, 1, 5).error().faults.at(0).message, "must be an integer from 1 to 5");
  EXPECT_EQ(call.query_int("word", 1, 1, 5).error().code, Code::invalid);
  EXPECT_TRUE(call.body().is_null());
}

TEST_F(RouterTest, ReadsIfMatch) {
  struct Case {
    std::string header, answer;
    int status;
  };
  for (auto const& [header, answer, status] : std::vector<Case>{{"\"7\"", "7", 200},
                                                                {"*", "null", 200},
                                                                {"7", "", 400},
                                                                {"W/\"7\"", "", 400},
                                                                {"\"7\", \"8\"", "", 400},
                                                                {"\"\"", "", 400},
                                                                {"\"", "", 400},
                                                                {"\"-1\"", "", 400},
                                                                {"\"7x\"", "", 400}}) {
    auto const response = send(Method::put, "/widgets/a", "{}", {{"If-Match", header}});
    EXPECT_EQ(response.status, status) << header;
    if (status == 200)
      EXPECT_EQ(body_of(response), answer);
  }
  EXPECT_EQ(body_of(send(Method::put, "/widgets/a", "{}")), "null");
}

// ---- bodies ----

TEST_F(RouterTest, ChecksTheBody) {
  struct Case {
    std::string type, body;
    int status;
  };
  for (auto const& [type, body, status] : std::vector<Case>{
           {"application/json", "{}", 201},
           {"application/json; charset=utf-8", "{}", 201},
           {"Application/JSON;charset=\"UTF-8\"", "{}", 201},
           {"application/merge-patch+json", "{}", 201},
           {"application/json; charset=latin1", "{}", 415},
           {"text/plain", "{}", 415},
           {"application/x-www-form-urlencoded", "{}", 415},
           {"application/jsonx", "{}", 415},
           {"text/x+json", "{}", 415},
           {"", "{}", 415},
           {"application/json", "", 400},
           {"application/json", "{", 400},
           {"application/json", "{} x", 400},
           {"application/json", R"({"a":1,"a":2})", 400},
           {"application/json", R"({"a":1e400})", 400},
           {"application/json", "\"\xff\"", 400},
           {"application/json", std::string(100, '[') + std::string(100, ']'), 400},
       }) {
    auto const response = send(Method::post, "/widgets", body, {{"Content-Type", type}});
    EXPECT_EQ(response.status, status) << type << ' ' << body;
  }
  auto const response = send(Method::post, "/widgets", "{\n  \"a\": }");
  EXPECT_NE(body_of(response).find("line 2"), std::string::npos) << body_of(response);
}

TEST_F(RouterTest, ARouteWithoutBodyTakesNone) {
  EXPECT_EQ(send(Method::post, "/keys", "{}", {{"Authorization", "Bearer a/b/*:*"}}).status, 201);
  EXPECT_EQ(send(Method::post, "/keys", " \n", {{"Authorization", "Bearer a/b/*:*"}}).status, 201);
  EXPECT_EQ(send(Method::post, "/keys", R"({"a":1})", {{"Authorization", "Bearer a/b/*:*"}}).status, 400);
  EXPECT_EQ(body_of(send(Method::post, "/raw", "\xff\x01", {{"Content-Type", "x/y"}})), "\xff\x01");
}

// ---- idempotency ----

TEST_F(RouterTest, ARepeatedKeyGetsTheFirstAnswer) {
  auto const first = send(Method::post, "/widgets", R"({"name":"a"})", {{"Idempotency-Key", "k1"}});
  auto const second = send(Method::post, "/api/v1/widgets", R"({"name":"a"})", {{"Idempotency-Key", "k2"}});
  EXPECT_EQ(handled, 2);
  auto const repeated = send(Method::post, "/widgets", R"({"name":"a"})", {{"Idempotency-Key", "k1"}});
  EXPECT_EQ(handled, 2);
  EXPECT_EQ(repeated.status, 201);
  EXPECT_EQ(body_of(repeated), body_of(first));
  EXPECT_EQ(repeated.headers.find("Location"), "/api/v1/widgets/w1");
  EXPECT_EQ(repeated.headers.find("Idempotency-Replayed"), "true");
  EXPECT_EQ(first.headers.find("Idempotency-Replayed"), std::nullopt);
  EXPECT_EQ(repeated.headers.find("Content-Type"), "application/json");
  EXPECT_NE(body_of(second), body_of(first));
}

TEST_F(RouterTest, AKeyBelongsToOneRequestOfOneCaller) {
  std::ignore = send(Method::post, "/widgets", R"({"name":"a"})", {{"Idempotency-Key", "k"}});
  auto const other = send(Method::post, "/widgets", R"({"name":"b"})", {{"Idempotency-Key", "k"}});
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(code_of(other), "idempotency_mismatch");
  for (auto const* const caller : {"Bearer acme/bob/*:*", "Bearer other/ann/*:*"}) {
    auto const response =
        send(Method::post, "/widgets", R"({"name":"a"})", {{"Idempotency-Key", "k"}, {"Authorization", caller}});
    EXPECT_EQ(response.headers.find("Idempotency-Replayed"), std::nullopt) << caller;
  }
  EXPECT_EQ(handled, 3);
}

TEST_F(RouterTest, KeepsOnlyFinalAnswers) {
  struct Case {
    int status;
    bool kept;
  };
  for (auto const& [status, kept] : std::vector<Case>{{200, true},
                                                      {202, true},
                                                      {204, true},
                                                      {404, true},
                                                      {400, true},
                                                      {412, true},
                                                      {422, true},
                                                      {401, false},
                                                      {403, false},
                                                      {409, false},
                                                      {429, false},
                                                      {500, false},
                                                      {503, false},
                                                      {302, false}}) {
    auto const body = "{\"status\":" + std::to_string(status) + "}";
    auto const key = "k" + std::to_string(status);
    EXPECT_EQ(send(Method::post, "/widgets", body, {{"Idempotency-Key", key}}).status, status);
    auto const again = send(Method::post, "/widgets", body, {{"Idempotency-Key", key}});
    EXPECT_EQ(again.status, status);
    EXPECT_EQ(again.headers.find("Idempotency-Replayed").has_value(), kept) << status;
    if (kept) {
      EXPECT_EQ(again.headers.find("Content-Type"), status < 400 ? "application/json" : "application/problem+json");
    }
  }
}

TEST_F(RouterTest, AFaultFreesTheKey) {
  next_failure = true;
  EXPECT_EQ(send(Method::post, "/widgets", "{}", {{"Idempotency-Key", "k"}}).status, 503);
  EXPECT_TRUE(idempotency.entries.empty());
  next_failure = false;
  EXPECT_EQ(send(Method::post, "/widgets", "{}", {{"Idempotency-Key", "k"}}).status, 201);
}

TEST_F(RouterTest, WhatMayHaveBeenDoneIsDoneUnderTheSameId) {
  next_is_unknown = true;
  EXPECT_EQ(send(Method::post, "/widgets", "{}", {{"Idempotency-Key", "k"}}).status, 503);
  EXPECT_EQ(made_id, "id-1");
  next_is_unknown = false;
  EXPECT_EQ(send(Method::post, "/widgets", "{}", {{"Idempotency-Key", "k"}}).status, 201);
  EXPECT_EQ(made_id, "id-1");
  EXPECT_EQ(send(Method::post, "/widgets", "{}", {{"Idempotency-Key", "other"}}).status, 201);
  EXPECT_EQ(made_id, "id-3");
  EXPECT_EQ(send(Method::post, "/widgets", "{}").status, 201);
  EXPECT_EQ(made_id, "");
}

TEST_F(RouterTest, WhatMayHaveBeenDoneIsNotDoneAgainWhereItWouldBeTwice) {
  next_is_unknown = true;
  EXPECT_EQ(send(Method::post, "/values", "{}", {{"Idempotency-Key", "k"}}).status, 503);
  next_is_unknown = false;
  EXPECT_EQ(send(Method::post, "/values", "{}", {{"Idempotency-Key", "k"}}).status, 409);
}

TEST_F(RouterTest, TheAnswerStandsWhenItCannotBeKept) {
  idempotency.is_broken = true;
  EXPECT_EQ(send(Method::post, "/widgets", "{}", {{"Idempotency-Key", "k"}}).status, 201);
  auto const again = send(Method::post, "/widgets", "{}", {{"Idempotency-Key", "k"}});
  EXPECT_EQ(again.status, 409) << "nobody knows the first answer, so it must not run twice";
}

TEST_F(RouterTest, ACancelledCallGivesUpTheKey) {
  asio::io_context io;
  asio::cancellation_signal cancel;
  Request request{.method = Method::post, .target = "/waits"};
  request.headers.add("Authorization", "Bearer acme/ann/widgets:*");
  request.headers.add("Idempotency-Key", "k");
  std::exception_ptr thrown;
  asio::co_spawn(
      io, router.dispatch({}, std::move(request)),
      asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr error, Response const&) { thrown = error; }));
  while (idempotency.entries.empty())
    io.run_one();
  cancel.emit(asio::cancellation_type::terminal);
  io.run();
  ASSERT_TRUE(thrown);
  try {
    std::rethrow_exception(thrown);
  } catch (boost::system::system_error const& error) {
    EXPECT_EQ(error.code(), asio::error::operation_aborted);
  }
  EXPECT_TRUE(idempotency.entries.begin()->second.is_abandoned) << "it may have done its work";
}

TEST_F(RouterTest, ChecksTheKey) {
  struct Case {
    std::string target, key;
    int status;
  };
  for (auto const& [target, key, status] : std::vector<Case>{{"/widgets", std::string(255, 'k'), 201},
                                                             {"/widgets", std::string(256, 'k'), 400},
                                                             {"/widgets", "", 400},
                                                             {"/widgets", "a b", 400},
                                                             {"/widgets", "\xc3\xa4", 400},
                                                             {"/keys", "k", 400}}) {
    auto const response = send(Method::post, target, target == "/widgets" ? "{}" : "",
                               {{"Idempotency-Key", key}, {"Authorization", "Bearer acme/ann/*:*"}});
    EXPECT_EQ(response.status, status) << target << ' ' << key;
  }
  Request twice{.method = Method::post, .target = "/widgets"};
  twice.headers.add("Authorization", "Bearer acme/ann/widgets:*");
  twice.headers.add("Content-Type", "application/json");
  twice.headers.add("Idempotency-Key", "a");
  twice.headers.add("Idempotency-Key", "b");
  twice.body = "{}";
  EXPECT_EQ(send(std::move(twice)).status, 400);
  EXPECT_EQ(send(Method::get, "/widgets", "", {{"Idempotency-Key", "a b"}}).status, 200) << "it means nothing on GET";
}

// ---- headers of every answer ----

TEST_F(RouterTest, EveryAnswerHasARequestId) {
  struct Case {
    std::string sent, answered;
  };
  std::string const long_id(128, 'x');
  for (auto const& [sent, answered] :
       std::vector<Case>{{"abc-1", "abc-1"}, {long_id, long_id}, {"a b", ""}, {long_id + "x", ""}, {"", ""}}) {
    auto const response = send(Method::get, "/open", "", {{"X-Request-Id", sent}});
    auto const id = response.headers.find("X-Request-Id");
    ASSERT_TRUE(id);
    if (!answered.empty())
      EXPECT_EQ(*id, answered);
    if (answered.empty())
      EXPECT_EQ(id->size(), 32u) << "made here";
    EXPECT_EQ(last.request_id, *id);
  }
  auto const problem = send(Method::get, "/nothing", "", {{"X-Request-Id", "abc"}});
  EXPECT_EQ(problem.headers.find("X-Request-Id"), "abc");
  EXPECT_NE(body_of(problem).find(R"("request_id":"abc")"), std::string::npos);
}

TEST_F(RouterTest, PassesOnValidTraceContext) {
  std::string const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  struct Case {
    std::string sent;
    bool taken;
  };
  for (auto const& [sent, taken] : std::vector<Case>{
           {good, true},
           {"ff" + good.substr(2), false},
           {good + "-00", false},
           {good.substr(1), false},
           {"00-00000000000000000000000000000000-b7ad6b7169203331-01", false},
           {"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false},
           {"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false},
           {"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
       }) {
    for (auto const* target : {"/open", "/nothing"}) {
      auto const answer = send(Method::get, target, "", {{"traceparent", sent}});
      EXPECT_EQ(answer.headers.find("traceparent").value_or(""), taken ? sent : "") << target << " " << sent;
    }
    EXPECT_EQ(last.traceparent, taken ? sent : "") << sent;
  }
}

TEST_F(RouterTest, JsonIsNotCachedUnlessTheHandlerSaysSo) {
  EXPECT_EQ(send(Method::get, "/open").headers.find("Cache-Control"), "no-store");
  EXPECT_EQ(send(Method::get, "/nothing").headers.find("Cache-Control"), "no-store");
  router.add({.method = Method::get,
              .path = "/cached",
              .permission = "",
              .summary = "",
              .handler = [](Call&) -> Task<Result<Response>> {
                auto response = json_response(200, "1");
                response.headers.set("cache-control", "max-age=5");
                co_return response;
              }});
  auto const cached = send(Method::get, "/cached");
  EXPECT_EQ(cached.headers.find("Cache-Control"), "max-age=5");
  EXPECT_EQ(cached.headers.count("Cache-Control"), 1u);
}

TEST_F(RouterTest, AnswersNotModified) {
  struct Case {
    std::string header;
    int status;
  };
  for (auto const& [header, status] : std::vector<Case>{{"\"7\"", 304},
                                                        {"W/\"7\"", 304},
                                                        {"\"1\", \"7\"", 304},
                                                        {"*", 304},
                                                        {"\"8\"", 200},
                                                        {"7", 200},
                                                        {"", 200}}) {
    for (auto const method : {Method::get, Method::head}) {
      auto const response = send(method, "/widgets/a", "", {{"If-None-Match", header}});
      EXPECT_EQ(response.status, status) << header;
      EXPECT_EQ(response.headers.find("ETag"), "\"7\"");
      if (status == 304)
        EXPECT_EQ(body_of(response), "");
    }
  }
  EXPECT_EQ(send(Method::get, "/widgets/missing", "", {{"If-None-Match", "*"}}).status, 404);
  EXPECT_EQ(send(Method::get, "/open", "", {{"If-None-Match", "*"}}).status, 200)
      << "without an ETag there is no match";
}

// ---- failures ----

TEST_F(RouterTest, FailuresBecomeProblems) {
  struct Case {
    std::string id, code;
    int status;
  };
  for (auto const& [id, code, status] : std::vector<Case>{{"missing", "not_found", 404},
                                                          {"gone", "unavailable", 503},
                                                          {"bug", "internal", 500},
                                                          {"odd", "internal", 500}}) {
    auto const response = send(Method::get, "/widgets/" + id);
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(code_of(response), code);
    EXPECT_EQ(body_of(response).find("db7.internal"), std::string::npos) << "hosts are not shown";
    EXPECT_EQ(body_of(response).find("secret detail"), std::string::npos);
  }
  EXPECT_EQ(send(Method::get, "/widgets/gone").headers.find("Retry-After"), "1");
}

TEST_F(RouterTest, CancellationIsThrownOn) {
  try {
    std::ignore = send(Method::get, "/widgets/cancelled");
    FAIL() << "nothing was thrown";
  } catch (boost::system::system_error const& error) {
    EXPECT_EQ(error.code(), asio::error::operation_aborted);
  }
}

// ---- requests for someone behind a handler ----

TEST_F(RouterTest, APassedOnRequestIsNotLookedAt) {
  router.add({.method = Method::post,
              .path = "/passed",
              .permission = "widgets:use",
              .summary = "Passes on.",
              .takes = Body::any,
              .passes_through = true,
              .handler = [this](Call& call) -> Task<Result<Response>> {
                ++handled;
                auto response = json_response(200, call.request.body + std::string(call.query("any").value_or("")));
                response.headers.add("X-Request-Id", "theirs");
                co_return response;
              }});
  for (int i = 1; i <= 2; ++i) {
    auto const answer = send(Method::post, "/passed?any=1&beta", "{no json", {{"Idempotency-Key", "k"}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(body_of(answer), "{no json1");
    EXPECT_EQ(answer.headers.find("X-Request-Id"), "theirs");
    EXPECT_EQ(answer.headers.count("X-Request-Id"), 1u);
    EXPECT_EQ(handled, i) << "the key is not ours";
  }
  EXPECT_TRUE(idempotency.entries.empty());
}

TEST_F(RouterTest, ARouteSaysItsErrorsInItsOwnForm) {
  router.add({.method = Method::post,
              .path = "/own",
              .permission = "widgets:use",
              .summary = "Fails in its own way.",
              .takes = Body::json,
              .error_format =
                  [](Error const& error, std::string_view id, int) {
                    return json_response(status_of(error.code), std::string(id.empty() ? "" : "own form"));
                  },
              .handler = [](Call& call) -> Task<Result<Response>> {
                if (call.body().raw == "1")
                  throw Fault("secret");
                co_return fail(Code::not_found, "no");
              }});
  auto const is_own = [&](Response const& answer, int status) {
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(body_of(answer), "own form") << status;
  };
  is_own(send(Method::post, "/own", "2"), 404);
  is_own(send(Method::post, "/own", "2", {{"Idempotency-Key", "k"}}), 404);
  is_own(send(Method::post, "/own", "1"), 500);
  is_own(send(Method::post, "/own", "{"), 400);
  is_own(send(Method::post, "/own?x=1", "2"), 422);
  is_own(send(Method::post, "/own", "2", {{"Authorization", "nobody"}}), 401);
  is_own(send(Method::post, "/own", "2", {{"Authorization", "Bearer acme/ann/other:*"}}), 403);
  EXPECT_EQ(code_of(send(Method::get, "/own")), "method_not_allowed") << "no route was found";
}

// ---- OpenAPI ----

class OpenApi : public RouterTest {
 protected:
  json::value document = json::parse(router.openapi("Test", "1.2.3")).value();
  json::value const& operation(char const* path, char const* method) {
    return document.at("paths").at(path).at(method);
  }
};

TEST_F(OpenApi, NamesEveryRouteOnce) {
  EXPECT_EQ(document.at("openapi").as_string(), "3.1.0");
  EXPECT_EQ(document.at("info").at("version").as_string(), "1.2.3");
  std::set<std::string> ids;
  std::size_t operations = 0;
  for (auto const& path : document.at("paths").as_object()) {
    EXPECT_TRUE(path.key().starts_with("/api/v1/"));
    for (auto const& entry : path.value().as_object()) {
      ++operations;
      ids.emplace(entry.value().at("operationId").as_string());
    }
  }
  EXPECT_EQ(operations, router.routes().size());
  EXPECT_EQ(ids.size(), operations);
  EXPECT_TRUE(ids.contains("get_widgets_by_owner_parts_by_part"));
}

TEST_F(OpenApi, EveryReferenceIsThere) {
  auto const text = json::serialize(document);
  std::string const mark = R"("#/components/schemas/)";
  std::size_t references = 0;
  for (auto at = text.find(mark); at != text.npos; at = text.find(mark, at + 1)) {
    auto const name = text.substr(at + mark.size(), text.find('"', at + 1) - at - mark.size());
    EXPECT_TRUE(document.at("components").at("schemas").as_object().contains(name)) << name;
    ++references;
  }
  EXPECT_GT(references, 10u);
}

TEST_F(OpenApi, DescribesBodiesListsAndParameters) {
  auto const schema = [](json::value const& body) { return body.at("content").at("application/json").at("schema"); };
  auto const& create = operation("/api/v1/widgets", "post");
  EXPECT_EQ(schema(create.at("requestBody")).at("$ref").as_string(), "#/components/schemas/WidgetCreate");
  EXPECT_EQ(schema(create.at("responses").at("201")).at("$ref").as_string(), "#/components/schemas/Widget");
  EXPECT_TRUE(create.at("responses").as_object().contains("409"));
  EXPECT_TRUE(create.at("responses").at("422").at("content").as_object().contains("application/problem+json"));
  EXPECT_EQ(create.at("parameters").at(0).at("name").as_string(), "Idempotency-Key");
  auto const& change = operation("/api/v1/widgets/{id}", "put");
  EXPECT_EQ(schema(change.at("requestBody")).at("$ref").as_string(), "#/components/schemas/WidgetPatch");
  EXPECT_EQ(change.at("parameters").at(0).at("in").as_string(), "path");

  auto const& list = operation("/api/v1/widgets", "get");
  auto const page = schema(list.at("responses").at("200"));
  EXPECT_EQ(page.at("properties").at("widgets").at("items").at("$ref").as_string(), "#/components/schemas/Widget");
  EXPECT_TRUE(page.at("properties").as_object().contains("next_cursor"));
  EXPECT_TRUE(page.at("required").is_array());
  EXPECT_EQ(list.at("parameters").at(0).at("schema").at("type").as_string(), "integer");
  EXPECT_EQ(list.at("parameters").at(1).at("schema").at("enum").as_array().size(), 2u);
  auto const& several = list.at("parameters").at(2);
  EXPECT_EQ(several.at("schema").at("items").at("enum").as_array().size(), 2u);
  EXPECT_FALSE(several.at("explode").as_bool());
  EXPECT_FALSE(page.at("properties").as_object().contains("total")) << "it takes no count";
  EXPECT_TRUE(page.at("properties").as_object().contains("owner")) << "of the head";
  EXPECT_TRUE(list.at("tags").is_array());
}

TEST_F(OpenApi, SaysWhichParametersAreRequired) {
  auto const& parameters = operation("/api/v1/needs", "get").at("parameters");
  EXPECT_TRUE(parameters.at(0).at("required").as_bool());
  EXPECT_FALSE(parameters.at(1).at("required").as_bool());
}

TEST_F(OpenApi, SaysWhatIsOpen) {
  EXPECT_TRUE(operation("/api/v1/open", "get").at("security").as_array().empty());
  EXPECT_FALSE(operation("/api/v1/open", "get").at("responses").as_object().contains("401"));
  auto const& guarded = operation("/api/v1/widgets", "get");
  EXPECT_TRUE(guarded.at("security").at(0).as_object().contains("bearerAuth"));
  EXPECT_EQ(guarded.at("x-permission").as_string(), "widgets:read");
  EXPECT_TRUE(guarded.at("responses").as_object().contains("401"));
  EXPECT_EQ(document.at("components").at("securitySchemes").at("bearerAuth").at("scheme").as_string(), "bearer");
}

}  // namespace
}  // namespace al::http
