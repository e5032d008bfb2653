#include "app/composition.hpp"

#include <atomic>
#include <boost/asio/post.hpp>
#include <thread>

#include "agents/loop.hpp"
#include "app/backup/service.hpp"
#include "app/directory.hpp"
#include "app/gateway_instances.hpp"
#include "app/identity_provider.hpp"
#include "app/installation.hpp"
#include "app/io_threads.hpp"
#include "app/model_accounts.hpp"
#include "app/room_presence.hpp"
#include "app/self_registration.hpp"
#include "cache/local_store.hpp"
#include "cache/redis_store.hpp"
#include "core/log.hpp"
#include "data/access_store.hpp"
#include "data/api_key_store.hpp"
#include "data/audit_store.hpp"
#include "data/chat_store.hpp"
#include "data/idempotency_store.hpp"
#include "data/knowledge_import.hpp"
#include "data/metric_store.hpp"
#include "data/queue_depth.hpp"
#include "data/retention.hpp"
#include "data/starter.hpp"
#include "data/task_store.hpp"
#include "events/catch_up.hpp"
#include "events/consumer.hpp"
#include "events/consumer_groups.hpp"
#include "events/event_log.hpp"
#include "events/live_text.hpp"
#include "events/remote_bell.hpp"
#include "events/remote_text.hpp"
#include "http/client_pool.hpp"
#include "http/server.hpp"
#include "http/tls_front.hpp"
#include "security/audit_chain.hpp"
#include "security/bootstrap_token.hpp"
#include "security/first_admin.hpp"
#include "security/idempotency.hpp"
#include "security/outgoing.hpp"
#include "security/token_authenticator.hpp"
#include "services/agent_designer/routes.hpp"
#include "services/ai_model/chats.hpp"
#include "services/ai_model/providers.hpp"
#include "services/ai_model/routes.hpp"
#include "services/auth/identity.hpp"
#include "services/dashboard/dashboard.hpp"
#include "services/gateway/gateway.hpp"
#include "services/operations/backups.hpp"
#include "services/operations/cache_upkeep.hpp"
#include "services/operations/configuration.hpp"
#include "services/operations/events.hpp"
#include "services/operations/metrics_series.hpp"
#include "services/operations/task_metrics.hpp"
#include "services/service_discovery/health.hpp"
#include "services/service_discovery/routes.hpp"
#include "services/system/system.hpp"
#include "services/websocket/routes.hpp"
#include "services/worker/worker.hpp"
#include "storage/lock.hpp"
#include "storage/measured.hpp"

namespace al::app {
namespace {

constexpr std::chrono::seconds start_timeout{30};
constexpr std::chrono::seconds retry_pause{2};
constexpr std::chrono::seconds drain_timeout{30};
constexpr std::chrono::seconds last_usage_timeout{5};
constexpr std::chrono::seconds sign_off_timeout{2};
constexpr std::chrono::seconds health_timeout{2};
constexpr std::int64_t warm_agents_max = 1000;

std::unique_ptr<storage::MeasuredDatabase> prepare_database(Config const& config, Clock const& clock) {
  migrate(config);
  return std::make_unique<storage::MeasuredDatabase>(open_database(config, clock));
}

std::size_t io_thread_count(Config const& config) {
  auto const wanted = static_cast<std::size_t>(config.integer("threads"));
  return wanted > 0 ? wanted : std::max(1u, std::thread::hardware_concurrency());
}

/// Without a doorbell between processes a cache would show what another process has changed for up to a second. A
/// process that runs every role is most likely alone; it looks for the others' events all the same and forgets what
/// they changed.
bool may_cache(Config const& config, std::set<Role> const& roles) {
  if (!config.boolean("use_cache"))
    return false;
  return !uses_postgres(config) || !redis_url(config).empty() || roles.size() == all_roles().size();
}

bool has_background(std::set<Role> const& roles) { return roles.contains(Role::worker) || roles.contains(Role::relay); }

/// A wrong setting ends the start, with its remedy.
template <class T>
T sound(Result<T> setting) {
  if (!setting)
    throw Fault(setting.error().message);
  return std::move(*setting);
}

/// Null: there is none.
std::unique_ptr<redis::Connections> connect_redis(Config const& config, Random& random) {
  auto options = sound(redis_options(config));
  return options ? std::make_unique<redis::Connections>(std::move(*options), random) : nullptr;
}

std::vector<asio::io_context*> contexts_of(IoThreads& threads) {
  std::vector<asio::io_context*> contexts;
  for (std::size_t i = 0; i < threads.size(); ++i)
    contexts.push_back(&threads.at(i));
  return contexts;
}

/// Only the operator may name a private address: a tenant could reach into the network around us otherwise.
http::ClientOptions tenant_client_options(Config const& config) {
  auto options = model_client_options(config);
  options.is_address_allowed = security::is_public;
  return options;
}

security::jwt::Algorithm token_algorithm(Config const& config) {
  using enum security::jwt::Algorithm;
  return config.text("auth.token_algorithm") == "hs256" ? hmac_sha256 : ed25519;
}

http::ClientOptions health_client_options() {
  return {.connect_timeout = health_timeout,
          .first_byte_timeout = health_timeout,
          .is_address_allowed = security::may_be_service};
}

std::vector<std::string> role_names() {
  std::vector<std::string> names;
  for (auto const& facts : all_roles())
    names.emplace_back(facts.name);
  return names;
}

/// The gateway calls the other roles; these reach each other through the data alone.
std::vector<model::ServiceName> called_by(Role role) {
  std::vector<model::ServiceName> out;
  for (auto const& facts : all_roles()) {
    bool const is_called = !facts.port_setting.empty() && facts.role != Role::gateway && facts.role != Role::dashboard;
    if ((role == Role::gateway || role == Role::dashboard) && is_called)
      out.emplace_back(facts.name);
  }
  return out;
}

bool is_public(Role role) { return role == Role::gateway || role == Role::dashboard; }

/// Null: the server speaks in the open.
std::unique_ptr<http::TlsCertificate> make_certificate(Config const& config, Clock const& clock) {
  auto const& chain = config.text("tls.certificate");
  auto const& key = config.text("tls.key");
  if (chain.empty() != key.empty())
    throw Fault(
        "TLS needs both a certificate and its key: set AGENT_LIGHTNING_TLS_CERTIFICATE and "
        "AGENT_LIGHTNING_TLS_KEY, or none of them");
  return chain.empty() ? nullptr : std::make_unique<http::TlsCertificate>(chain, key, clock);
}

/// Of the groups that employ_relay() makes.
events::ConsumerGroups::Channels channels_of_groups() {
  events::ConsumerGroups::Channels out;
  for (auto const& options :
       {services::operations::task_metrics_options(), services::operations::cache_upkeep_options()})
    out[options.name] = options.channels;
  return out;
}

data::RetentionOptions retention_options(Config const& config) {
  auto const& directory = config.text("archive");
  return {.archive = directory.empty() ? data_directory(config) / "archive" : std::filesystem::path(directory),
          .events_keep = std::chrono::days(config.integer("events.keep_days")),
          .metrics_keep = std::chrono::days(config.integer("metrics.keep_days"))};
}

}  // namespace

/// Declared in the order of their needs, so that each goes before what it refers to.
struct Platform::Parts final : services::system::Process {
  Parts(Config const& config, std::set<Role> const& roles);

  // ---- services::system::Process ----
  [[nodiscard]] std::string_view database_kind() const override {
    if (!config.boolean("use_database"))
      return "memory";
    return database->dialect() == storage::Dialect::sqlite ? "sqlite" : "postgresql";
  }
  [[nodiscard]] std::string_view cache_kind() const override {
    if (!rows)
      return "off";
    return shared_cache ? "redis" : "in-process";
  }
  [[nodiscard]] std::string_view bus_kind() const override;
  [[nodiscard]] bool is_ready() const override { return ready.load(); }
  [[nodiscard]] services::system::Figures figures() const override;
  [[nodiscard]] Task<void> ping_database(Deadline deadline) override { return database->ping(deadline); }
  [[nodiscard]] std::string role_metrics() const override {
    return (gateway ? gateway->metrics() : std::string()) + database->metrics() + model_usage.metrics() +
           sockets.metrics();
  }

  [[nodiscard]] Result<void> make_first_admin();
  void listen(Role);
  http::Dispatcher& dispatcher_of(Role);
  http::Router& router_of(Role);
  [[nodiscard]] services::gateway::GatewayOptions gateway_options();
  void add_routes(http::Router&, Role);
  [[nodiscard]] Task<void> seed();
  [[nodiscard]] Task<void> warm_up();
  void open_sockets();
  void join_other_processes();
  void employ_worker();
  void employ_relay();
  void start_relay();
  void employ_discovery(std::set<Role> const&);
  void start_discovery();
  void bill(agents::UsedModel const&);

  Config const& config;
  std::set<Role> const running;
  SystemClock clock;
  SystemRandom random;
  std::optional<storage::DirectoryLock> lock;
  std::unique_ptr<storage::MeasuredDatabase> database;
  events::Bus bus;
  events::EventLog log{*database};
  events::ConsumerGroups groups{*database, log, channels_of_groups()};

  // The cache: its second level is shared through Redis, or lies in the process that has the database to itself.
  std::unique_ptr<redis::Connections> redis;
  std::unique_ptr<cache::RedisStore> shared_cache;
  std::unique_ptr<cache::LocalStore> own_cache;
  std::unique_ptr<data::RowCache> rows;
  std::unique_ptr<cache::LocalCache<data::AgentView>> agent_cache;

  data::Writer writer{*database, bus, clock, random, "agent-designer", rows.get()};
  data::AgentStore agents{writer, agent_cache.get()};
  data::KnowledgeStore knowledge{writer};
  data::TaskStore tasks{writer};
  data::KnowledgeImport import{agents, knowledge};
  data::Starter starter{writer, agents, knowledge};
  data::AccessStore access{*database};
  data::Writer auth_writer{*database, bus, clock, random, "auth", rows.get()};
  data::UserStore users{auth_writer};
  data::LoginStore logins{auth_writer};
  data::ApiKeyStore api_keys{auth_writer};
  data::RoleStore role_store{auth_writer};
  data::OrganisationStore organisations{auth_writer};
  data::AuditStore audit{*database, clock, random};
  data::SignInFailures sign_in_failures{*database};
  data::PasswordResetStore password_resets{*database};
  data::UserIdentityStore identities{auth_writer};
  data::SigningKeyStore signing_keys{*database};
  data::IdempotencyStore answers{*database, clock, random};
  data::Writer worker_writer{*database, bus, clock, random, "worker", rows.get()};
  data::TaskStore worker_tasks{worker_writer};
  events::LiveText live{clock};
  data::Writer model_writer{*database, bus, clock, random, "ai-model", rows.get()};
  data::ProviderStore registered{model_writer};
  data::DataKeyStore data_keys{*database};
  data::Writer websocket_writer{*database, bus, clock, random, "websocket", rows.get()};
  data::EventStore messages{websocket_writer};
  services::websocket::Hub sockets{log, bus, clock};
  std::unique_ptr<RoomPresence> room_presence;  ///< with Redis
  http::AllowedOrigins origins = sound(http::AllowedOrigins::from(config.text("allowed_origins")));
  data::Writer operations_writer{*database, bus, clock, random, "operations", rows.get()};
  data::DeadLetterStore dead_letters{operations_writer};
  data::Writer discovery_writer{*database, bus, clock, random, "service-discovery", rows.get()};
  data::ServiceStore services{discovery_writer};
  data::ServiceDirectory service_directory{services, bus, clock};  ///< for the gateway
  security::MasterKey master_key{config.text("master_key"), data_directory(config), random};
  security::Sealing sealing{data_keys, master_key, random};
  security::OutgoingHosts hosts = sound(security::OutgoingHosts::from(config.text("providers.allowed_hosts")));
  providers::Accounts operators = sound(accounts_of(config));
  Directory directory{{registered, sealing, hosts}, operators, bus, clock};
  data::ChatStore chats{model_writer};
  data::UsageStore usage_store{*database};
  data::MetricStore metrics{*database, clock};
  data::MetricBuffer own_metrics{metrics, clock};
  data::QueueDepth queue_depth{*database, own_metrics, clock, random};
  data::Retention retention{*database, clock, random, retention_options(config),
                            [this](Deadline deadline) { return events::stored_cursors(*database, deadline); }};
  services::ai_model::Usage model_usage{usage_store, clock};
  std::unique_ptr<backup::Service> backups;  ///< with its routes

  security::TokenKeys token_keys{signing_keys, sealing, clock, random, token_algorithm(config)};
  std::unique_ptr<cache::Limits> call_limits;
  security::RequestLimits request_limits;
  security::AuditChainer audit_chainer{audit, token_keys, clock};
  security::TokenAuthenticator authenticator{access, token_keys, clock};
  security::StoredIdempotency idempotency{answers};
  std::optional<security::oidc::Provider> identity_provider = sound(identity_provider_of(config));
  security::BootstrapToken bootstrap{api_keys, access, random, data_directory(config)};
  std::optional<security::FirstAdmin> first_admin;
  std::atomic<bool> ready = false;

  std::map<Role, std::unique_ptr<http::Router>> routers;
  IoThreads threads;
  security::PasswordHasher hasher;  ///< its callers go on on the threads
  std::size_t http_lanes;
  std::unique_ptr<events::RemoteBell> bell;         ///< with Redis
  std::unique_ptr<events::RemoteText> remote_text;  ///< with Redis
  std::unique_ptr<events::CatchUp> catch_up;        ///< with PostgreSQL
  http::ClientPool operator_clients;
  http::ClientPool tenant_clients;
  security::oidc::OidcClient oidc{{operator_clients, tenant_clients}, clock, random};
  /// The last thread, of what blocks for milliseconds: worker and relay.
  std::size_t background_lane;
  bool is_relay;
  std::unique_ptr<http::ClientPool> gateway_clients;
  std::unique_ptr<services::gateway::Gateway> gateway;
  std::unique_ptr<services::dashboard::Dashboard> dashboard;
  std::unique_ptr<http::TlsCertificate> certificate = make_certificate(config, clock);
  std::map<Role, std::unique_ptr<http::Server>> servers;
  agents::Loop runner{{.stores = {agents, knowledge, worker_tasks, bus},
                       .directory = directory,
                       .client = [this](auto const& caller, providers::Account const& account) -> http::Client& {
                         return (account.is_operators ? operator_clients : tenant_clients).here(caller);
                       },
                       .used = [this](agents::UsedModel const& used) { bill(used); },
                       .clock = clock,
                       .random = random}};
  std::unique_ptr<services::worker::Worker> worker;
  std::vector<std::unique_ptr<events::Consumer>> consumers;  ///< of the relay
  std::unique_ptr<SelfRegistration> registration;            ///< of the roles with a port
  std::unique_ptr<http::ClientPool> health_clients;          ///< of service-discovery, as the next one
  std::unique_ptr<services::service_discovery::HealthChecks> health_checks;
};

Platform::Parts::Parts(Config const& settings, std::set<Role> const& roles)
    : config(settings),
      running(roles),
      lock(sound(lock_data_directory(settings))),
      database(prepare_database(settings, clock)),
      redis(may_cache(settings, roles) ? connect_redis(settings, random) : nullptr),
      shared_cache(redis ? std::make_unique<cache::RedisStore>(*redis, clock, random) : nullptr),
      own_cache(may_cache(settings, roles) && !uses_postgres(settings)
                    ? std::make_unique<cache::LocalStore>(clock, random)
                    : nullptr),
      rows(may_cache(settings, roles)
               ? std::make_unique<data::RowCache>(
                     shared_cache ? static_cast<cache::Store*>(shared_cache.get()) : own_cache.get(), clock, bus)
               : nullptr),
      agent_cache(rows ? std::make_unique<cache::LocalCache<data::AgentView>>(clock) : nullptr),
      call_limits(redis ? std::unique_ptr<cache::Limits>(std::make_unique<cache::RedisLimits>(*redis, clock))
                        : std::make_unique<cache::LocalLimits>(clock)),
      request_limits(*call_limits),
      threads(io_thread_count(settings) + (has_background(roles) ? 1 : 0)),
      http_lanes(io_thread_count(settings)),
      operator_clients(contexts_of(threads), model_client_options(settings)),
      tenant_clients(contexts_of(threads), tenant_client_options(settings)),
      background_lane(threads.size() - 1),
      is_relay(roles.contains(Role::relay)) {
  if (redis)
    redis->open(contexts_of(threads));
  live.follow(bus);
  open_sockets();
  join_other_processes();
  for (auto const role : roles)
    listen(role);
  if (roles.contains(Role::worker))
    employ_worker();
  if (is_relay)
    employ_relay();
  employ_discovery(roles);
}

services::system::Figures Platform::Parts::figures() const {
  auto const pool = database->pool();
  services::system::Figures figures{.pool_size = pool.size,
                                    .pool_in_use = pool.in_use,
                                    .pool_size_max = pool.size_max,
                                    .pool_waiting = pool.waiting,
                                    .published = bus.announced()};
  if (rows) {
    figures.cache_hit_ratios = rows->hit_ratios();
    if (auto const ratio = agent_cache->hit_ratio())
      figures.cache_hit_ratios.emplace("agent_view", *ratio);
  }
  if (shared_cache)
    figures.cache_failures = shared_cache->view().failures;
  for (auto const& consumer : consumers)
    figures.failed.emplace(consumer->name(), consumer->failures());
  for (auto const& [role, server] : servers) {
    figures.requests += server->requests();
    figures.connections += server->connections();
  }
  return figures;
}

Result<void> Platform::Parts::make_first_admin() {
  security::FirstAdmin given{.email = config.text("admin.email"), .password = config.text("admin.password")};
  auto made = threads.wait(
      0, security::ensure_first_admin(users, hasher, random, std::move(given), Deadline::after(start_timeout)));
  if (!made)
    return fail(std::move(made.error()));
  first_admin = std::move(*made);
  return {};
}

void Platform::Parts::listen(Role role) {
  auto const facts = std::ranges::find(all_roles(), role, &RoleFacts::role);
  if (facts->port_setting.empty())
    return;
  std::vector<asio::io_context*> contexts;
  for (std::size_t i = 0; i < http_lanes; ++i)
    contexts.push_back(&threads.at(i));
  http::ServerLimits const limits{.connections_max = static_cast<std::size_t>(config.integer("http.connections_max")),
                                  .proxies = sound(http::TrustedProxies::from(config.text("trusted_proxies")))};
  auto const port = static_cast<std::uint16_t>(config.integer(facts->port_setting));
  auto* const tls = is_public(role) ? certificate.get() : nullptr;
  try {
    servers[role] = std::make_unique<http::Server>(std::move(contexts), config.text("host"), port, dispatcher_of(role),
                                                   limits, clock, random, tls);
  } catch (Fault const& fault) {
    // The HTTP server knows no settings.
    auto const setting = std::ranges::find(settings(), facts->port_setting, &Setting::name);
    throw Fault(std::string(fault.what()) + " (" + std::string(setting->variable) + ", AGENT_LIGHTNING_HOST)");
  }
}

http::Dispatcher& Platform::Parts::dispatcher_of(Role role) {
  if (role == Role::dashboard) {
    dashboard = std::make_unique<services::dashboard::Dashboard>(router_of(role),
                                                                 services::dashboard::web_application(), random);
    return *dashboard;
  }
  if (role != Role::gateway)
    return router_of(role);
  gateway_clients = std::make_unique<http::ClientPool>(contexts_of(threads), services::gateway::client_options());
  gateway = std::make_unique<services::gateway::Gateway>(services::gateway::Ties{.own = router_of(role),
                                                                                 .authenticator = authenticator,
                                                                                 .limits = request_limits,
                                                                                 .clients = *gateway_clients,
                                                                                 .clock = clock,
                                                                                 .random = random},
                                                         gateway_options());
  return *gateway;
}

/// One router has all routes of all roles. It answers for roles that this process runs, and for those of which no
/// instance is known: all state is in the database, so a gateway can do without the others until they are found. It
/// also describes all of them in /openapi.json, wherever they run.
services::gateway::GatewayOptions Platform::Parts::gateway_options() {
  services::gateway::GatewayOptions options{
      .config_file = config.text("gateway.config"), .origins = origins, .scheme = certificate ? "https" : "http"};
  for (auto const& facts : all_roles()) {
    bool const is_service = !facts.port_setting.empty() && facts.role != Role::gateway && facts.role != Role::dashboard;
    if (is_service)
      options.locals[std::string(facts.name)] = {.dispatcher = &router_of(Role::gateway),
                                                 .is_run_here = running.contains(facts.role)};
  }
  return options;
}

// On the dashboard's port bare paths are pages.
http::Router& Platform::Parts::router_of(Role role) {
  auto& router = routers[role];
  if (!router) {
    auto const bare = role == Role::dashboard ? http::Bare::of_process : http::Bare::all;
    router = std::make_unique<http::Router>(&authenticator, &idempotency, random, bare);
    add_routes(*router, role);
    if (role == Role::dashboard && gateway)
      gateway->add_overview(*router);
  }
  return *router;
}

void Platform::Parts::add_routes(http::Router& router, Role role) {
  auto const facts = std::ranges::find(all_roles(), role, &RoleFacts::role);
  bool const has_all = role == Role::gateway || role == Role::dashboard;
  if (has_all || role == Role::agent_designer) {
    services::agent_designer::add_routes(router, {agents, tasks, knowledge, import, live, authenticator});
  }
  if (has_all || role == Role::ai_model) {
    services::ai_model::Models const models{directory, {operator_clients, tenant_clients}, model_usage, usage_store};
    services::ai_model::add_routes(router, models);
    services::ai_model::Chats const talks{chats, agents, runner, models, clock, random};
    services::ai_model::add_chat_routes(router, talks);
    services::ai_model::add_inference_routes(router, talks);
    services::ai_model::add_session_routes(router, talks);
    services::ai_model::add_provider_routes(router, {registered, sealing, hosts, operators, models.clients});
  }
  if (has_all || role == Role::auth) {
    services::auth::add_routes(router, {.users = users,
                                        .logins = logins,
                                        .keys = api_keys,
                                        .roles = role_store,
                                        .organisations = organisations,
                                        .audit = audit,
                                        .failures = sign_in_failures,
                                        .resets = password_resets,
                                        .identities = identities,
                                        .hasher = hasher,
                                        .tokens = token_keys,
                                        .sealing = sealing,
                                        .limits = request_limits,
                                        .oidc = oidc,
                                        .clock = clock,
                                        .random = random,
                                        .is_registration_open = config.boolean("auth.registration"),
                                        .provider = identity_provider,
                                        .provider_name = config.text("oidc.name")});
  }
  if (has_all || role == Role::service_discovery) {
    services::service_discovery::add_routes(
        router, {.services = services, .clock = clock, .zone = config.text("zone"), .roles = role_names()});
  }
  if (has_all || role == Role::operations) {
    services::operations::add_event_routes(router, {log, bus, authenticator, groups, clock});
    services::operations::add_metrics_series_routes(router, {metrics, clock});
    services::operations::add_dead_letter_routes(router, dead_letters);
    services::operations::add_consumer_routes(router, groups);
    services::operations::add_configuration_routes(router, config);
    if (!backups)
      backups = std::make_unique<backup::Service>(config, clock);
    services::operations::add_backup_routes(router, *backups);
  }
  if (has_all || role == Role::websocket) {
    services::websocket::add_routes(
        router, {.ties = {sockets, authenticator, messages, users, room_presence.get()}, .origins = origins});
  }
  services::system::add_routes(router, *this, clock, std::string(facts->name));
}

Task<void> Platform::Parts::seed() {
  while (!ready) {
    try {
      co_await starter.run(default_tenant, Deadline::after(start_timeout));
      ready = true;
    } catch (Fault const& fault) {
      log::warning("the starter content could not be added; trying again", {{"error", std::string_view(fault.what())}});
    }
    if (!ready)
      co_await sleep_until(clock.steady() + retry_pause);
  }
  log::info("ready");
  co_await warm_up();
}

/// Nobody waits for it, and what is not there will be read when it is asked for.
Task<void> Platform::Parts::warm_up() {
  if (!shared_cache && !own_cache)
    co_return;
  try {
    co_await agents.warm_up(warm_agents_max, Deadline::after(start_timeout));
  } catch (Fault const& fault) {
    log::warning("the cache could not be filled", {{"reason", std::string_view(fault.what())}});
  }
}

void Platform::Parts::open_sockets() {
  std::vector<asio::io_context*> contexts;
  for (std::size_t i = 0; i < http_lanes; ++i)
    contexts.push_back(&threads.at(i));
  sockets.open(contexts);
  if (redis)
    room_presence = std::make_unique<RoomPresence>(*redis, uuid_v7(clock, random));
}

void Platform::Parts::join_other_processes() {
  if (!uses_postgres(config))
    return;
  if (auto const options = sound(redis_options(config))) {
    auto const process = uuid_v7(clock, random);
    auto const executor = threads.at(0).get_executor();
    bell = std::make_unique<events::RemoteBell>(executor, *options, bus, random, process);
    bus.forward_to([this](auto const& it) { bell->send(it); });
    remote_text = std::make_unique<events::RemoteText>(executor, *options, live, random, process);
  }
  using For = events::CatchUp::For;
  catch_up = std::make_unique<events::CatchUp>(
      *database, bus, [this] { return bell ? bell->hearing() : events::RemoteBell::Hearing{}; },
      is_relay ? For::all_processes : For::this_process);
}

std::string_view Platform::Parts::bus_kind() const {
  if (!catch_up)
    return "in-process";
  if (!bell)
    return "polling";
  return bell->hearing().is_whole ? "redis" : "polling: redis is unreachable";
}

void Platform::Parts::bill(agents::UsedModel const& used) {
  model_usage.add({.tenant = used.actor.tenant,
                   .principal = used.actor.user_id,
                   .provider = used.provider,
                   .model = used.model,
                   .status = used.is_answered ? 200 : 0,
                   .tokens = used.tokens,
                   .to_first_byte = used.took});
}

// The worker has a thread of its own: choosing passages from large items takes milliseconds.
void Platform::Parts::employ_worker() {
  services::worker::WorkerOptions const options{
      .concurrency = static_cast<std::size_t>(config.integer("worker.concurrency")),
      .lease = std::chrono::seconds(config.integer("worker.lease")),
      .drain_timeout = drain_timeout};
  auto const executor = threads.at(background_lane).get_executor();
  worker = std::make_unique<services::worker::Worker>(executor, services::worker::Stores{worker_tasks, agents, answers},
                                                      runner, bus, live, clock, random, options);
}

void Platform::Parts::employ_relay() {
  auto const employ = [this](events::Consumer::Handler handler, events::ConsumerOptions options) {
    consumers.push_back(std::make_unique<events::Consumer>(threads.at(background_lane).get_executor(),
                                                           events::Consumer::Ties{*database, log, bus, clock, random},
                                                           std::move(handler), std::move(options)));
  };
  employ(services::operations::record_task_metrics(own_metrics), services::operations::task_metrics_options());
  if (shared_cache)
    employ(services::operations::forget_what_changed(*rows), services::operations::cache_upkeep_options());
}

void Platform::Parts::employ_discovery(std::set<Role> const& roles) {
  std::vector<SelfRegistration::Answering> answering;
  for (auto const& [role, server] : servers) {
    model::ServiceInstance instance;
    instance.name = model::ServiceName{std::ranges::find(all_roles(), role, &RoleFacts::role)->name};
    instance.host = sound(advertised_host(config));
    instance.port = server->port();
    if (is_public(role) && certificate)
      instance.scheme = model::InstanceScheme::https;
    instance.release = AL_VERSION;
    instance.zone = config.text("zone");
    instance.depends_on = called_by(role);
    answering.push_back({std::move(instance), [it = server.get()] { return it->connections(); }});
  }
  if (!answering.empty())
    registration = std::make_unique<SelfRegistration>(threads.at(0).get_executor(), services, clock,
                                                      std::move(answering), [this] { return is_ready(); });
  if (!roles.contains(Role::service_discovery))
    return;
  health_clients = std::make_unique<http::ClientPool>(std::vector{&threads.at(0)}, health_client_options());
  health_checks = std::make_unique<services::service_discovery::HealthChecks>(services, *health_clients, clock);
}

void Platform::Parts::start_discovery() {
  auto const lane = threads.at(0).get_executor();
  if (registration)
    spawn(lane, "registration", registration->run());
  if (health_checks)
    spawn(lane, "health checks", health_checks->run());
}

void Platform::Parts::start_relay() {
  auto const lane = threads.at(background_lane).get_executor();
  spawn(lane, "upkeep", retention.run());
  spawn(lane, "own metrics", own_metrics.run());
  spawn(lane, "depth of the queue", queue_depth.run());
  spawn(lane, "audit chain", audit_chainer.run());
  for (auto const& consumer : consumers)
    asio::post(lane, [it = consumer.get()] { it->start(); });
}

Platform::Platform(Config const& config, std::set<Role> const& roles) {
  if (!config.boolean("use_database"))
    log::warning("USE_DATABASE is off: nothing is kept; all data of this process is lost when it ends");
  else if (!config.boolean("use_shared_data"))
    log::warning("USE_SHARED_DATA is off: this process has its own data in its data directory, which no other sees");
  make_data_directory(config);
  parts_ = std::make_unique<Parts>(config, roles);
}

// Nothing may run any more when the parts go. The database's own threads hand answers to the contexts, also those of a
// start that failed.
Platform::~Platform() {
  if (parts_->shared_cache)
    parts_->shared_cache->close();
  parts_->threads.stop();
  parts_->sockets.close();
  parts_->backups.reset();  // its answers go to the contexts too
  parts_->database->close();
  // What waits for an answer of Redis comes to its end here, on a connection that is closed.
  parts_->bus.forward_to({});
  parts_->bell.reset();
  parts_->remote_text.reset();
  if (parts_->redis)
    parts_->redis->close();
  parts_->threads.run_rest();
}

Result<void> Platform::start() {
  parts_->threads.start();
  auto token = parts_->bootstrap.ensure(parts_->config.text("token"), Deadline::after(start_timeout));
  auto const outcome = parts_->threads.wait(0, std::move(token));
  if (!outcome)
    return fail(outcome.error());
  if (auto const opens = parts_->threads.wait(0, parts_->sealing.check(Deadline::after(start_timeout))); !opens)
    return fail(opens.error());
  if (auto made = parts_->make_first_admin(); !made)
    return fail(made.error());
  for (auto const& [role, server] : parts_->servers)
    server->start();
  if (parts_->worker) {
    asio::post(parts_->threads.at(parts_->background_lane), [worker = parts_->worker.get()] { worker->start(); });
  }
  if (parts_->is_relay)
    parts_->start_relay();
  auto const first_lane = parts_->threads.at(0).get_executor();
  if (parts_->bell)
    asio::post(first_lane, [bell = parts_->bell.get()] { bell->start(); });
  if (parts_->remote_text && parts_->worker)
    asio::post(first_lane, [text = parts_->remote_text.get()] { text->start(); });
  if (parts_->catch_up)
    spawn(first_lane, "events of other processes", parts_->catch_up->run());
  spawn(first_lane, "usage of models", parts_->model_usage.run());
  if (parts_->gateway) {
    spawn(first_lane, "gateway", parts_->gateway->run());
    spawn(first_lane, "instances for the gateway",
          tell_instances(parts_->service_directory, *parts_->gateway, parts_->clock));
  }
  spawn(first_lane, "starter content", parts_->seed());
  parts_->start_discovery();
  return {};
}

void Platform::stop(Deadline deadline) {
  if (parts_->backups)
    parts_->backups->break_off();
  auto* const registration = parts_->registration.get();
  auto const soon = [] { return Deadline::after(sign_off_timeout); };
  try {
    // Before anything is refused here, so that callers go elsewhere.
    if (registration != nullptr)
      parts_->threads.wait(0, registration->sign_off(soon()));
  } catch (Fault const& fault) {
    log::warning("service discovery was not told of the end", {{"error", std::string_view(fault.what())}});
  }
  std::vector<std::jthread> stopping;
  for (auto const& [role, server] : parts_->servers) {
    stopping.emplace_back([&server, deadline] { server->stop(deadline); });
  }
  try {
    if (parts_->worker)
      parts_->threads.wait(parts_->background_lane, parts_->worker->stop());
    for (auto const& consumer : parts_->consumers)
      parts_->threads.wait(parts_->background_lane, consumer->stop());
  } catch (Fault const& fault) {
    // Its lease runs out, and then another one takes over.
    log::warning("worker or relay could not sign off", {{"error", std::string_view(fault.what())}});
  }
  stopping.clear();  // waits for each
  try {
    // Requests may have taken all of the deadline.
    parts_->threads.wait(0, parts_->model_usage.finish(Deadline::after(last_usage_timeout)));
  } catch (Fault const& fault) {
    log::warning("the last usage of models is lost", {{"error", std::string_view(fault.what())}});
  }
  try {
    if (registration != nullptr)
      parts_->threads.wait(0, registration->leave(soon()));
  } catch (Fault const& fault) {
    // It is gone there when its last heartbeat is old.
    log::warning("this process could not deregister", {{"error", std::string_view(fault.what())}});
  }
}

std::optional<security::FirstAdmin> Platform::first_admin() const { return parts_->first_admin; }

std::vector<Address> Platform::addresses() const {
  std::vector<Address> out;
  for (auto const& facts : all_roles()) {
    auto const server = parts_->servers.find(facts.role);
    if (server == parts_->servers.end())
      continue;
    auto const port = std::to_string(server->second->port());
    auto const scheme = is_public(facts.role) ? public_scheme(parts_->config) : "http";
    out.push_back({std::string(facts.name), local_url(parts_->config.text("host"), port, scheme)});
  }
  return out;
}

}  // namespace al::app
