#include "services/gateway/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace al::services::gateway {
namespace {

using namespace std::chrono_literals;
using http::Method;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

GatewayConfig config_of(std::string_view text) {
  auto config = read_config(text, "gateway.yaml");
  EXPECT_TRUE(config) << config.error().message;
  return config.value_or(GatewayConfig{});
}

/// The faults as lines "path: message".
std::vector<std::string> faults_of(std::string_view text) {
  auto const config = read_config(text, "gateway.yaml");
  if (config)
    return {"no fault"};
  EXPECT_EQ(config.error().code, Code::invalid);
  EXPECT_TRUE(config.error().message.starts_with("the gateway's configuration is wrong: ")) << config.error().message;
  std::vector<std::string> out;
  for (auto const& fault : config.error().faults) {
    out.push_back(fault.path + ": " + fault.message);
    EXPECT_THAT(config.error().message, HasSubstr(fault.message));
  }
  return out;
}

/// "GET POST"
std::string names_of(Methods methods) {
  std::string out;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    if (methods.test(i))
      out.append(out.empty() ? "" : " ").append(http::method_name(static_cast<Method>(i)));
  }
  return out;
}

std::vector<std::string> urls_of(Service const& service) {
  std::vector<std::string> out;
  for (auto const& instance : service.instances)
    out.push_back(url_of(instance));
  return out;
}

// ---- the brief's two forms ----

constexpr std::string_view brief = R"(services:
  - name: agent_designer
    url: http://localhost:8002
    routes:
      - path: /agents
        methods: [GET, POST, PUT, DELETE]
    database: shared
    cache: shared

  - name: workflow_engine
    url: http://localhost:8003
    routes:
      - path: /workflows
        methods: [GET, POST, PUT, DELETE]
    database: shared
    cache: shared

  - name: main_dashboard
    url: http://localhost:8051
    routes:
      - path: /dashboard
        methods: [GET]
    database: shared
    cache: shared

database:
  type: postgresql
  host: localhost
  port: 5432
  name: agent_lightning
  user: agent_user
  pool_size: 20

cache:
  type: redis
  host: localhost
  port: 6379
  db: 0

events:
  channels:
    - agent_created
    - agent_updated
)";

TEST(GatewayConfig, ReadsTheBriefsForm) {
  auto const config = config_of(brief);
  ASSERT_EQ(config.services.size(), 3U);
  EXPECT_EQ(config.services[0].name, "agent-designer");
  EXPECT_EQ(config.services[2].name, "main-dashboard");
  EXPECT_THAT(urls_of(config.services[2]), ElementsAre("http://localhost:8051"));
  EXPECT_EQ(config.services[0].balancing, Balancing::round_robin);
  ASSERT_EQ(config.routes.size(), 3U);
  EXPECT_EQ(config.routes[0].path, "/agents");
  EXPECT_TRUE(config.routes[0].is_bare);
  EXPECT_EQ(config.routes[0].service, "agent-designer");
  EXPECT_EQ(names_of(config.routes[0].methods), "GET POST PUT DELETE");
  EXPECT_EQ(config.routes[0].timeout, 30s);
  EXPECT_EQ(config.routes[0].retries, 2);
  EXPECT_EQ(config.routes[0].rate_limit, 0);
  EXPECT_EQ(config.routes[0].cache_ttl, 0s);
  EXPECT_EQ(config.routes[0].auth, Access::required);
  EXPECT_EQ(config.routes[0].body_max, 1U << 20);
  EXPECT_EQ(names_of(config.routes[2].methods), "GET");
  EXPECT_THAT(config.notes,
              ElementsAre("database has no effect: the data layer has settings of its own (file gateway.yaml line 26)",
                          "cache has no effect: the data layer has settings of its own (file gateway.yaml line 34)",
                          "events has no effect: channels are not configured (file gateway.yaml line 40)"));
}

TEST(GatewayConfig, ReadsThePrototypesForm) {
  auto const config = config_of(R"(services:
- {id: designer-1, type: agent_designer, url: "http://10.0.0.1:8002", health_check: /health, weight: 1}
- {id: designer-2, type: agent_designer, url: "http://10.0.0.2:8002", health_check: /health, weight: 1}
- {id: auth-1, type: auth_service, url: "http://10.0.0.1:8006"}
routes:
- path: ^/api/v1/agents
  service: agent_designer
  methods: [GET, POST]
  auth_required: true
  rate_limit: 200
  cache_ttl: 300
  timeout: 60
  retry_count: 3
- {path: ^/api/v1/auth, service: auth_service, auth_required: false, timeout: 10}
global:
  cors: {origins: ['*']}
  rate_limit: {default: 100, window: 60}
  circuit_breaker: {threshold: 7, timeout: 90}
)");
  ASSERT_EQ(config.services.size(), 2U);
  EXPECT_EQ(config.services[0].name, "agent-designer");
  EXPECT_THAT(urls_of(config.services[0]), ElementsAre("http://10.0.0.1:8002", "http://10.0.0.2:8002"));
  EXPECT_EQ(config.services[0].health.path, "/health");
  EXPECT_EQ(config.services[1].health.path, "/ready");
  EXPECT_EQ(config.services[0].breaker.failures, 7);
  EXPECT_EQ(config.services[0].breaker.open_for, 90s);
  EXPECT_EQ(config.services[0].breaker.window, 60s);
  ASSERT_EQ(config.routes.size(), 2U);
  auto const& agents = config.routes[0];
  EXPECT_EQ(agents.path, "/agents") << "/api/v1 is taken off, and not put in front again";
  EXPECT_FALSE(agents.is_bare);
  EXPECT_EQ(agents.service, "agent-designer");
  EXPECT_EQ(names_of(agents.methods), "GET POST");
  EXPECT_EQ(agents.auth, Access::required);
  EXPECT_EQ(agents.rate_limit, 200);
  EXPECT_EQ(agents.cache_ttl, 300s);
  EXPECT_EQ(agents.timeout, 60s);
  EXPECT_EQ(agents.retries, 3);
  EXPECT_EQ(config.routes[1].auth, Access::open);
  EXPECT_EQ(config.routes[1].rate_limit, 100);
  EXPECT_EQ(names_of(config.routes[1].methods), "GET HEAD POST PUT PATCH DELETE OPTIONS");
  EXPECT_THAT(config.notes, ElementsAre(HasSubstr("global.cors has no effect")));
}

TEST(GatewayConfig, ReadsAllThatCanBeSaid) {
  auto const config = config_of(R"(
services:
  - name: ai-model
    instances: [models-1:8005, "https://Models-2", "[0:0::1]:8005"]
    balancing: least_connections
    timeouts: {connect: 2, answer: 20, idle: 90}
    breaker: {failures: 3, window: 10, open_for: 5}
    health: {path: /health, interval: 5}
    routes:
      - {path: "/api/v1/agents/{agent_id}/chat", methods: [POST], timeout: 120, retries: 0, body_max: 1000}
      - {path: /models, auth: open, rate_limit: 10, cache_ttl: 60}
routes:
  - {path: /agents, service: agent_designer}
)");
  ASSERT_EQ(config.services.size(), 2U) << "a role need not be described";
  auto const& models = config.services[0];
  EXPECT_THAT(urls_of(models), ElementsAre("http://models-1:8005", "https://models-2:443", "http://[::1]:8005"));
  EXPECT_EQ(models.balancing, Balancing::least_connections);
  EXPECT_EQ(models.timeouts.connect, 2s);
  EXPECT_EQ(models.timeouts.answer, 20s);
  EXPECT_EQ(models.timeouts.idle, 90s);
  EXPECT_EQ(models.breaker.failures, 3);
  EXPECT_EQ(models.breaker.window, 10s);
  EXPECT_EQ(models.breaker.open_for, 5s);
  EXPECT_EQ(models.health.path, "/health");
  EXPECT_EQ(models.health.interval, 5s);
  EXPECT_EQ(config.services[1].name, "agent-designer");
  EXPECT_THAT(config.services[1].instances, IsEmpty());
  ASSERT_EQ(config.routes.size(), 3U);
  EXPECT_EQ(config.routes[0].path, "/agents/{agent_id}/chat");
  EXPECT_FALSE(config.routes[0].is_bare);
  EXPECT_EQ(config.routes[0].body_max, 1000U);
  EXPECT_EQ(config.routes[0].retries, 0);
  EXPECT_EQ(config.routes[1].auth, Access::open);
  EXPECT_EQ(config.routes[2].service, "agent-designer");
  EXPECT_THAT(config.notes, IsEmpty());
}

TEST(GatewayConfig, KnowsWhoHonoursAnIdempotencyKey) {
  struct Case {
    std::string service;
    std::string path;
    bool by_itself;
  };
  for (auto const& [service, path, by_itself] : std::vector<Case>{{"agent-designer", "/agents", true},
                                                                  {"agent-designer", "/agents/{agent_id}/tasks", true},
                                                                  {"ai-model", "/api/v1/sessions", true},
                                                                  {"ai-model", "/agents/{agent_id}/chat", true},
                                                                  {"ai-model", "/v10", true},
                                                                  {"ai-model", "/v1", false},
                                                                  {"ai-model", "/api/v1/v1", false},
                                                                  {"ai-model", "/v1/messages", false},
                                                                  {"ai-model", "/{any}", false},
                                                                  {"ai-model", "/{any}/messages", false},
                                                                  {"shop", "/orders", false}}) {
    auto const with = [&](std::string const& more) {
      return "services: [{name: shop, url: \"h:1\"}]\nroutes: [{path: \"" + path + "\", service: " + service + more +
             "}]";
    };
    EXPECT_EQ(config_of(with("")).routes.at(0).honours_key, by_itself) << service << path;
    EXPECT_FALSE(config_of(with(", idempotency_key: false")).routes.at(0).honours_key) << service << path;
    if (by_itself || service == "shop") {
      EXPECT_TRUE(config_of(with(", idempotency_key: true")).routes.at(0).honours_key) << service << path;
    } else {
      EXPECT_THAT(faults_of(with(", idempotency_key: true")),
                  ElementsAre(HasSubstr("routes[0].idempotency_key: must be false: calls below /v1")));
    }
  }
}

// ---- mistakes ----

TEST(GatewayConfig, NamesEveryMistakeOfAFile) {
  EXPECT_THAT(
      faults_of(R"(servises: []
services:
  - name: Agents
    url: localhost
    balancing: round-robin
    timeouts: {conect: 5, idle: 0}
    breaker: {failures: 0, window: x}
    health: {path: health}
    database: own
    routes:
      - {path: agents, methods: [get, FETCH], timeout: 0}
  - name: auth
    url: http://localhost:8006
    instances: [localhost:8007]
  - name: auth
    routes: [{path: /auth, auth: open, auth_required: false, retries: 1, retry_count: 2, rate_limitt: 3}]
routes:
  - {path: /agents, service: agent_desinger}
  - {path: /events}
)"),
      ElementsAre(
          "services[0].name: must be lower-case letters, digits, - and _, not \"Agents\" (file gateway.yaml line 3)",
          "services[0].url: must be host:port or http(s)://host:port, without user, path or query, not \"localhost\" "
          "(file gateway.yaml line 4)",
          "services[0].balancing: must be one of round_robin, least_connections, not \"round-robin\"; did you mean "
          "round_robin? (file gateway.yaml line 5)",
          "services[0].timeouts.idle: must be a whole number of seconds from 1 to 3600, not \"0\" (file gateway.yaml "
          "line 6)",
          "services[0].timeouts.conect: there is no such key; did you mean connect? (file gateway.yaml line 6)",
          "services[0].breaker.failures: must be a whole number from 1 to 1000, not \"0\" (file gateway.yaml line 7)",
          "services[0].breaker.window: must be a whole number of seconds from 1 to 3600, not \"x\" (file gateway.yaml "
          "line 7)",
          "services[0].health.path: must be a path, as /ready, not \"health\" (file gateway.yaml line 8)",
          "services[0].database: must be shared, not \"own\": services have one data layer (file gateway.yaml line 9)",
          "services[0].routes[0].path: must begin with '/', not as in \"agents\" (file gateway.yaml line 11)",
          "services[0].routes[0].methods[0]: must be in capitals: GET (file gateway.yaml line 11)",
          "services[0].routes[0].methods[1]: must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, not "
          "\"FETCH\" (file gateway.yaml line 11)",
          "services[0].routes[0].timeout: must be a whole number of seconds from 1 to 3600, not \"0\" (file "
          "gateway.yaml line 11)",
          "services[1].instances: cannot stand beside url: name each instance once (file gateway.yaml line 14)",
          "services[2].routes[0].retry_count: cannot stand beside retries: they are the same (file gateway.yaml line "
          "16)",
          "services[2].routes[0].auth_required: cannot stand beside auth: they are the same (file gateway.yaml line "
          "16)",
          "services[2].routes[0].rate_limitt: there is no such key; did you mean rate_limit? (file gateway.yaml line "
          "16)",
          "services[2].name: auth is described on line 12 already (file gateway.yaml line 15)",
          "routes[0].service: there is no service \"agent_desinger\"; did you mean agent-designer? (file gateway.yaml "
          "line 18)",
          "routes[1].service: is missing: who answers (file gateway.yaml line 19)",
          "servises: there is no such key; did you mean services? (file gateway.yaml line 1)"));
}

TEST(GatewayConfig, NamesMistakesOfThePrototypesForm) {
  EXPECT_THAT(
      faults_of(R"(services:
- {type: auth_service, url: "http://a:1", health_check: /health}
- {type: auth_service, url: "http://a:1", health_check: /ready, weight: 2}
- {type: auth_service}
- {type: Auth, url: "http://a:2"}
- {type: auth, name: auth}
- {name: auth-service}
routes: [{path: /auth, service: auth-service}]
global:
  rate_limit: {default: -1, window: 30}
  circuit_breaker: {treshold: 5}
)"),
      ElementsAre(
          "global.rate_limit.default: must be a whole number from 0 to 1000000, not \"-1\" (file gateway.yaml "
          "line 10)",
          "global.rate_limit.window: must be 60: limits are of a minute (file gateway.yaml line 10)",
          "global.circuit_breaker.treshold: there is no such key; did you mean threshold? (file gateway.yaml "
          "line 11)",
          "services[1].weight: must be 1: instances are taken as equals (file gateway.yaml line 3)",
          "services[1].health_check: must be \"/health\", as of the service's first instance (file gateway.yaml "
          "line 3)",
          "services[1].url: http://a:1 stands here already (file gateway.yaml line 3)",
          "services[2].health_check: must be \"/health\", as of the service's first instance (file gateway.yaml "
          "line 4)",
          "services[2].url: is missing: where the instance is, as http://host:port (file gateway.yaml line 4)",
          "services[3].type: must be a service's name: lower-case letters, digits, - and _ (file gateway.yaml "
          "line 5)",
          "services[4].type: cannot stand beside name: an entry with type is one instance (file gateway.yaml "
          "line 6)",
          "services[5].name: auth-service is described by its instances already (file gateway.yaml line 7)"));
}

TEST(GatewayConfig, RefusesPathsThatAreNone) {
  struct Case {
    std::string path;
    std::string says;
  };
  std::string const form = "must be segments of letters";
  for (auto const& [path, says] : std::vector<Case>{{"/", form},
                                                    {"/agents/", form},
                                                    {"//agents", form},
                                                    {"/agents//x", form},
                                                    {"/agents/../x", form},
                                                    {"/agents/./x", form},
                                                    {"/agents.*", form},
                                                    {"/agents$", form},
                                                    {"/agents/(a|b)", form},
                                                    {"/agents/*", form},
                                                    {"/a%2Fb", form},
                                                    {"/a\\\\b", form},
                                                    {"/a/{}", form},
                                                    {"/a/{b", form},
                                                    {"/a/{", form},
                                                    {"/a/{b}c", form},
                                                    {"/a/{B}", form},
                                                    {"/a?b=c", form},
                                                    {"/1/2/3/4/5/6/7/8/9", "at most 8 segments"},
                                                    {"/api/v1", "must name more than /api/v1"},
                                                    {"/api/v1/", form},
                                                    {"/api/v1/api/v1/agents", "has /api/v1 twice"},
                                                    {"^", "is missing"},
                                                    {"agents", "must begin with '/'"}}) {
    auto const faults = faults_of("routes: [{service: auth, path: \"" + path + "\"}]");
    EXPECT_THAT(faults, ElementsAre(testing::AllOf(testing::StartsWith("routes[0].path: "), HasSubstr(says)))) << path;
  }
  for (std::string const path : {"/a", "/a.b~c_d-e/F1", "/{a}", "/a/{b_1}/c", "/1/2/3/4/5/6/7/8",
                                 "/api/v1/1/2/3/4/5/6/7/8", "/api/v2/agents", "/api/v1x", "^/a"}) {
    EXPECT_EQ(config_of("routes: [{service: auth, path: \"" + path + "\"}]").routes.size(), 1U) << path;
  }
}

TEST(GatewayConfig, RefusesTwoRoutesForOneRequest) {
  EXPECT_THAT(
      faults_of("routes:\n- {path: \"/a/{x}\", service: auth, methods: [GET, POST, PUT]}\n"
                "- {path: \"/api/v1/a/{y}\", service: ai-model, methods: [POST, PUT, DELETE]}\n"),
      ElementsAre("routes[1].path: matches the same requests as the route of file gateway.yaml line 2: POST, PUT "
                  "(file gateway.yaml line 3)"));
  EXPECT_EQ(config_of("routes:\n- {path: \"/a/{x}\", service: auth, methods: [GET]}\n"
                      "- {path: \"/a/{y}\", service: ai-model, methods: [POST]}\n- {path: /a/x, service: auth}\n")
                .routes.size(),
            3U);
}

TEST(GatewayConfig, RefusesWhatMakesNoSense) {
  EXPECT_THAT(faults_of(""), ElementsAre(HasSubstr("there must be at least one route")));
  EXPECT_THAT(faults_of("services: [{name: auth, url: \"a:1\"}]"),
              ElementsAre(HasSubstr("there must be at least one route")));
  EXPECT_THAT(faults_of("a: [1"), ElementsAre(HasSubstr("not YAML")));
  EXPECT_THAT(faults_of("- a"), ElementsAre(HasSubstr("must be a map")));
  EXPECT_THAT(faults_of("routes: [{path: /a, service: auth, methods: []}]"),
              ElementsAre(HasSubstr("must name at least one method")));
  EXPECT_THAT(faults_of("routes: [{path: /a, service: auth, methods: [POST], cache_ttl: 5}]"),
              ElementsAre("routes[0].cache_ttl: must be 0 where GET is not served: nothing else is kept (file "
                          "gateway.yaml line 1)"));
  EXPECT_THAT(faults_of("routes: [x]"), Not(IsEmpty()));
  EXPECT_THAT(faults_of("services: [{name: a, instances: [\"b:1\", {c: d}]}]\nroutes: [{path: /a, service: a}]"),
              ElementsAre("services[0].instances[1]: must be host:port (file gateway.yaml line 1)"));
}

TEST(GatewayConfig, ShowsNoPasswords) {
  for (auto const* url : {"http://user:hidden@host:1", "user:hidden@host:1"}) {
    auto const faults = faults_of("services: [{name: a, url: \"" + std::string(url) + "\", routes: [{path: /a}]}]");
    EXPECT_THAT(faults, ElementsAre(testing::AllOf(HasSubstr("without user"), Not(HasSubstr("hidden")))));
  }
}

TEST(GatewayConfig, HoldsItsLimits) {
  auto const with = [](std::size_t services, std::size_t instances, std::size_t routes) {
    std::string text = "services:\n";
    for (std::size_t i = 0; i < services; ++i) {
      text += "- name: s" + std::to_string(i) + "\n  instances:";
      for (std::size_t j = 0; j < instances; ++j)
        text += "\n  - h:" + std::to_string(j + 1);
      text += "\n";
    }
    text += "routes:\n";
    for (std::size_t i = 0; i < routes; ++i)
      text += "- {service: s0, path: /r" + std::to_string(i) + "}\n";
    return text;
  };
  EXPECT_EQ(config_of(with(64, 64, 512)).services.size(), 64U);
  EXPECT_THAT(faults_of(with(65, 1, 1)), ElementsAre(HasSubstr("services: must be at most 64")));
  EXPECT_THAT(faults_of(with(1, 65, 1)), ElementsAre(HasSubstr("services[0].instances: must be at most 64")));
  EXPECT_THAT(faults_of(with(1, 1, 513)), ElementsAre(HasSubstr("routes: must be at most 512")));
}

// ---- instances ----

TEST(GatewayInstance, IsReadInItsForms) {
  struct Case {
    std::string text;
    std::string url;  ///< empty: refused
  };
  for (auto const& [text, url] : std::vector<Case>{{"localhost:8002", "http://localhost:8002"},
                                                   {"10.0.0.1:1", "http://10.0.0.1:1"},
                                                   {"http://a", "http://a:80"},
                                                   {"https://a/", "https://a:443"},
                                                   {"https://a:65535", "https://a:65535"},
                                                   {"http://[::1]", "http://[::1]:80"},
                                                   {"[FE80::1]:80", "http://[fe80::1]:80"},
                                                   {"", ""},
                                                   {"a", ""},
                                                   {"a:", ""},
                                                   {":80", ""},
                                                   {"a:0", ""},
                                                   {"a:65536", ""},
                                                   {"a:80x", ""},
                                                   {"a:-1", ""},
                                                   {"a:+1", ""},
                                                   {"a b:1", ""},
                                                   {"a/b:1", ""},
                                                   {"http://a/b", ""},
                                                   {"http://a?b", ""},
                                                   {"http://a:1//", ""},
                                                   {"http://u@a:1", ""},
                                                   {"ftp://a:1", ""},
                                                   {"http://", ""},
                                                   {"[", ""},
                                                   {"[]:1", ""},
                                                   {"[::1", ""},
                                                   {"[::1]80", ""},
                                                   {"[a]:1", ""},
                                                   {"[fe80::1%1]:80", ""},
                                                   {"::1:80", ""}}) {
    auto const instance = read_instance(text);
    EXPECT_EQ(instance ? url_of(*instance) : "", url) << text;
  }
}

// ---- built in ----

TEST(GatewayDefaults, AreTheRolesRoutes) {
  auto const config = default_config();
  std::set<std::string> services;
  for (auto const& service : config.services) {
    EXPECT_TRUE(services.insert(service.name).second) << service.name;
    EXPECT_THAT(service.instances, IsEmpty()) << service.name;
    EXPECT_EQ(service.breaker.failures, 5);
    EXPECT_EQ(service.breaker.open_for, 60s);
  }
  EXPECT_THAT(services, testing::UnorderedElementsAre("agent-designer", "ai-model", "auth", "websocket",
                                                      "service-discovery", "operations"));
  std::map<std::string, std::string> paths;
  std::set<std::string> open;
  for (auto const& route : config.routes) {
    EXPECT_TRUE(services.contains(route.service)) << route.path;
    EXPECT_TRUE(paths.emplace(route.path, route.service).second) << route.path;
    EXPECT_TRUE(route.methods.all()) << route.path;
    EXPECT_FALSE(route.is_bare) << route.path;
    EXPECT_EQ(route.cache_ttl, 0s) << route.path;
    EXPECT_EQ(route.honours_key, route.path != "/v1") << route.path;
    if (route.auth == Access::open)
      open.insert(route.path);
  }
  std::map<std::string, std::string> const expected{{"/agents", "agent-designer"},
                                                    {"/agents/{agent_id}/chat", "ai-model"},
                                                    {"/audit", "auth"},
                                                    {"/auth", "auth"},
                                                    {"/backups", "operations"},
                                                    {"/broadcast", "websocket"},
                                                    {"/configuration", "operations"},
                                                    {"/connections", "websocket"},
                                                    {"/consumers", "operations"},
                                                    {"/context", "agent-designer"},
                                                    {"/dead-letters", "operations"},
                                                    {"/events", "operations"},
                                                    {"/inference", "ai-model"},
                                                    {"/instances", "service-discovery"},
                                                    {"/knowledge", "agent-designer"},
                                                    {"/metrics/names", "operations"},
                                                    {"/metrics/series", "operations"},
                                                    {"/models", "ai-model"},
                                                    {"/organisations", "auth"},
                                                    {"/providers", "ai-model"},
                                                    {"/roles", "auth"},
                                                    {"/services", "service-discovery"},
                                                    {"/sessions", "ai-model"},
                                                    {"/tasks", "agent-designer"},
                                                    {"/topology", "service-discovery"},
                                                    {"/users", "auth"},
                                                    {"/v1", "ai-model"},
                                                    {"/ws", "websocket"}};
  EXPECT_EQ(paths, expected);
  EXPECT_THAT(open, ElementsAre("/auth", "/ws"));
}

TEST(GatewayPaths, LoseThePrefixOnce) {
  EXPECT_EQ(without_api_prefix("/api/v1/agents"), "/agents");
  EXPECT_EQ(without_api_prefix("/api/v1/api/v1/agents"), "/api/v1/agents");
  EXPECT_EQ(without_api_prefix("/api/v1"), "");
  EXPECT_EQ(without_api_prefix("/api/v10/agents"), std::nullopt);
  EXPECT_EQ(without_api_prefix("/agents"), std::nullopt);
}

}  // namespace
}  // namespace al::services::gateway
