#include "core/config.hpp"

#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <expected>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>
#include <utility>

#include "core/log.hpp"
#include "core/nearest.hpp"
#include "core/strings.hpp"
#include "core/utf8.hpp"

namespace al {
namespace {

using enum SettingKind;

constexpr std::size_t file_bytes_max = 1 << 20;
constexpr std::string_view postgres_schemes = "postgresql|postgres";
constexpr std::int64_t day_seconds = 86'400;

constexpr Setting port(std::string_view name, std::string_view variable, std::string_view fallback,
                       std::string_view doc) {
  return {.name = name, .variable = variable, .kind = integer, .fallback = fallback, .doc = doc, .max = 65535};
}

constexpr std::array table = std::to_array<Setting>({
    {.name = "data",
     .variable = "AGENT_LIGHTNING_DATA",
     .kind = text,
     .fallback = "./data",
     .doc = "Directory of the embedded database and of generated keys. One process owns it.",
     .min = 1},
    {.name = "url",
     .variable = "AGENT_LIGHTNING_URL",
     .kind = text,
     .fallback = "",
     .doc = "The server that the command line talks to, as http://host:port. Empty: the gateway of these settings, on "
            "this machine."},
    {.name = "token",
     .variable = "AGENT_LIGHTNING_TOKEN",
     .kind = text,
     .fallback = "",
     .doc = "The credential that the command line sends to the server.",
     .secret = true},
    {.name = "master_key",
     .variable = "AGENT_LIGHTNING_MASTER_KEY",
     .kind = text,
     .fallback = "",
     .doc = "Seals the secrets in the database: 32 bytes as base64 or hexadecimal. Empty: master.key in the data "
            "directory, which is made when it is needed.",
     .secret = true},
    {.name = "admin.email",
     .variable = "AGENT_LIGHTNING_ADMIN_EMAIL",
     .kind = text,
     .fallback = "",
     .doc = "Whom the first start makes an administrator. Empty: admin@localhost. Later starts ignore it."},
    {.name = "admin.password",
     .variable = "AGENT_LIGHTNING_ADMIN_PASSWORD",
     .kind = text,
     .fallback = "",
     .doc = "Their password. Empty: one is made up, shown once, and must be changed. Later starts ignore it.",
     .secret = true},
    {.name = "auth.registration",
     .variable = "AUTH_REGISTRATION",
     .kind = boolean,
     .fallback = "false",
     .doc = "Whether anybody may ask for an account; an administrator lets them in."},
    {.name = "auth.token_algorithm",
     .variable = "AUTH_TOKEN_ALGORITHM",
     .kind = text,
     .fallback = "eddsa",
     .doc = "What access tokens are signed with, from the next rotation of the keys on. HS256 is for gateways that "
            "know nothing else; its key is in no JWK set.",
     .choices = "eddsa|hs256"},
    {.name = "oidc.issuer",
     .variable = "OIDC_ISSUER",
     .kind = text,
     .fallback = "",
     .doc = "The identity provider (OpenID Connect) that people may sign in with, as its tokens name it, such as "
            "https://login.example.com. Empty: passwords only."},
    {.name = "oidc.client_id",
     .variable = "OIDC_CLIENT_ID",
     .kind = text,
     .fallback = "",
     .doc = "The name of this installation at the identity provider."},
    {.name = "oidc.client_secret",
     .variable = "OIDC_CLIENT_SECRET",
     .kind = text,
     .fallback = "",
     .doc = "What this installation proves itself with at the identity provider.",
     .secret = true},
    {.name = "oidc.redirect_uri",
     .variable = "OIDC_REDIRECT_URI",
     .kind = text,
     .fallback = "",
     .doc = "Where the provider sends the browser back to, as it is registered there: the address of this server that "
            "people use, with /api/v1/auth/provider/callback."},
    {.name = "oidc.scopes",
     .variable = "OIDC_SCOPES",
     .kind = text,
     .fallback = "openid profile email",
     .doc = "What the identity provider is asked for."},
    {.name = "oidc.name",
     .variable = "OIDC_NAME",
     .kind = text,
     .fallback = "Single sign-on",
     .doc = "What the way over the identity provider is called where people sign in.",
     .min = 1},
    {.name = "host",
     .variable = "AGENT_LIGHTNING_HOST",
     .kind = text,
     .fallback = "127.0.0.1",
     .doc = "The address that every role listens on; 0.0.0.0 and :: mean all.",
     .min = 1},
    {.name = "tls.certificate",
     .variable = "AGENT_LIGHTNING_TLS_CERTIFICATE",
     .kind = text,
     .fallback = "",
     .doc = "PEM file of a certificate and its chain. With its key, the ports of the gateway and of the dashboard "
            "speak TLS only. New files are taken while the server runs."},
    {.name = "tls.key",
     .variable = "AGENT_LIGHTNING_TLS_KEY",
     .kind = text,
     .fallback = "",
     .doc = "PEM file of the key of that certificate, without a pass phrase."},
    {.name = "advertise_host",
     .variable = "AGENT_LIGHTNING_ADVERTISE_HOST",
     .kind = text,
     .fallback = "",
     .doc = "The name or address under which other processes reach this one. Empty: the one it listens on, or this "
            "machine's host name when that is all of them."},
    {.name = "zone",
     .variable = "AVAILABILITY_ZONE",
     .kind = text,
     .fallback = "zone-1",
     .doc = "Where this process runs; service discovery can prefer instances of a caller's zone.",
     .min = 1,
     .max = 50},
    port("gateway.port", "GATEWAY_PORT", "8000",
         "Port of the gateway, which answers for every role; 0 takes a free one."),
    {.name = "gateway.config",
     .variable = "GATEWAY_CONFIG",
     .kind = text,
     .fallback = "",
     .doc = "YAML file of services, instances and routes. It is read anew when it changes. Empty: the roles of this "
            "product, at the instances that service discovery knows."},
    port("agent_designer.port", "AGENT_DESIGNER_PORT", "8002",
         "Port of agents, tasks and knowledge; 0 takes a free one."),
    port("ai_model.port", "AI_MODEL_PORT", "8005",
         "Port of models, inference and the OpenAI- and Anthropic-compatible endpoints; 0 takes a free one."),
    port("auth.port", "AUTH_PORT", "8006", "Port of signing in, users, roles and API keys; 0 takes a free one."),
    port("websocket.port", "WEBSOCKET_PORT", "8007", "Port of the WebSockets; 0 takes a free one."),
    port("service_discovery.port", "SERVICE_DISCOVERY_PORT", "8008", "Port of service discovery; 0 takes a free one."),
    port("operations.port", "OPERATIONS_PORT", "8011", "Port of the event log; 0 takes a free one."),
    port("dashboard.port", "DASHBOARD_PORT", "8051",
         "Port of the web application, with the API under /api/v1, health and metrics; 0 takes a free one."),
    {.name = "database.url",
     .variable = "DATABASE_URL",
     .kind = text,
     .fallback = "",
     .doc = "PostgreSQL as postgresql://user:password@host:port/name. Empty: DB_HOST decides, else SQLite in the data "
            "directory.",
     .url_schemes = postgres_schemes},
    {.name = "database.host",
     .variable = "DB_HOST",
     .kind = text,
     .fallback = "",
     .doc = "Host, address or socket directory of PostgreSQL. This and the next four count only while DATABASE_URL is "
            "empty."},
    {.name = "database.port",
     .variable = "DB_PORT",
     .kind = integer,
     .fallback = "5432",
     .doc = "Port of PostgreSQL.",
     .min = 1,
     .max = 65535},
    {.name = "database.name",
     .variable = "DB_NAME",
     .kind = text,
     .fallback = "agent_lightning",
     .doc = "Name of the database.",
     .min = 1},
    {.name = "database.user",
     .variable = "DB_USER",
     .kind = text,
     .fallback = "agent_user",
     .doc = "Who signs in to PostgreSQL.",
     .min = 1},
    {.name = "database.password",
     .variable = "DB_PASSWORD",
     .kind = text,
     .fallback = "",
     .doc = "The password of that user.",
     .secret = true},
    {.name = "database.migrate_url",
     .variable = "MIGRATE_DATABASE_URL",
     .kind = text,
     .fallback = "",
     .doc = "PostgreSQL for migrations, when another user owns the schema or a proxy stands in between. Empty: the "
            "same database.",
     .url_schemes = postgres_schemes},
    {.name = "database.pool_size",
     .variable = "DB_POOL_SIZE",
     .kind = integer,
     .fallback = "20",
     .doc = "Connections that are kept, as a ceiling; they open when they are needed.",
     .min = 1,
     .max = 1000},
    {.name = "database.max_overflow",
     .variable = "DB_MAX_OVERFLOW",
     .kind = integer,
     .fallback = "40",
     .doc = "Connections beyond the pool while it is busy.",
     .max = 1000},
    {.name = "database.pool_timeout",
     .variable = "DB_POOL_TIMEOUT",
     .kind = seconds,
     .fallback = "30",
     .doc = "Wait for a free connection.",
     .min = 1,
     .max = 3600},
    {.name = "database.pool_recycle",
     .variable = "DB_POOL_RECYCLE",
     .kind = seconds,
     .fallback = "3600",
     .doc = "Age at which a connection is replaced.",
     .min = 1,
     .max = 30 * day_seconds},
    {.name = "database.connect_timeout",
     .variable = "DB_CONNECT_TIMEOUT",
     .kind = seconds,
     .fallback = "10",
     .doc = "Wait for a new connection.",
     .min = 1,
     .max = 3600},
    {.name = "database.statement_timeout",
     .variable = "DB_STATEMENT_TIMEOUT",
     .kind = seconds,
     .fallback = "30",
     .doc = "Longest run of one statement.",
     .min = 1,
     .max = day_seconds},
    {.name = "database.prepared",
     .variable = "DB_PREPARED",
     .kind = boolean,
     .fallback = "on",
     .doc = "Named prepared statements; off behind PgBouncer in transaction mode."},
    {.name = "backup.directory",
     .variable = "BACKUP_DIRECTORY",
     .kind = text,
     .fallback = "./backups",
     .doc = "Directory of the backups. Keep it apart from the data directory, best on another disk.",
     .min = 1},
    {.name = "backup.keep",
     .variable = "BACKUP_KEEP",
     .kind = integer,
     .fallback = "7",
     .doc = "Backups that stay when another one was made; older ones are removed.",
     .min = 1,
     .max = 10'000},
    {.name = "backup.database_url",
     .variable = "BACKUP_DATABASE_URL",
     .kind = text,
     .fallback = "",
     .doc =
         "PostgreSQL for backups: a login with REPLICATION, on the server itself and not on a proxy. Empty: the same "
         "database.",
     .url_schemes = postgres_schemes},
    {.name = "backup.postgres_programs",
     .variable = "BACKUP_POSTGRES_PROGRAMS",
     .kind = text,
     .fallback = "/usr/lib/postgresql/15/bin",
     .doc =
         "Where pg_basebackup, pg_receivewal, pg_verifybackup, pg_controldata and postgres lie, of the server's major "
         "version.",
     .min = 1},
    {.name = "redis.url",
     .variable = "REDIS_URL",
     .kind = text,
     .fallback = "",
     .doc = "Redis, which joins several processes on one PostgreSQL, as redis://user:password@host:port/number; "
            "rediss:// with TLS; redis+sentinel://host:port,host:port/master/number. Empty: REDIS_HOST decides.",
     .url_schemes = "redis|rediss|redis+sentinel|rediss+sentinel"},
    {.name = "redis.host",
     .variable = "REDIS_HOST",
     .kind = text,
     .fallback = "",
     .doc = "Host or address of Redis. This and the next three count only while REDIS_URL is empty; both empty: no "
            "Redis."},
    {.name = "redis.port",
     .variable = "REDIS_PORT",
     .kind = integer,
     .fallback = "6379",
     .doc = "Port of Redis.",
     .min = 1,
     .max = 65535},
    {.name = "redis.password",
     .variable = "REDIS_PASSWORD",
     .kind = text,
     .fallback = "",
     .doc = "Password of Redis.",
     .secret = true},
    {.name = "redis.database",
     .variable = "REDIS_DB",
     .kind = integer,
     .fallback = "0",
     .doc = "Number of the Redis database. Installations that share a Redis need a number each.",
     .max = 1'000'000},
    {.name = "use_database",
     .variable = "USE_DATABASE",
     .kind = boolean,
     .fallback = "on",
     .doc = "Off: nothing is kept. The process has a database of its own in memory, which goes with it."},
    {.name = "use_shared_data",
     .variable = "USE_SHARED_DATA",
     .kind = boolean,
     .fallback = "on",
     .doc = "Off: DATABASE_URL and Redis are left alone, and the process keeps a SQLite file of its own in the data "
            "directory."},
    {.name = "use_cache",
     .variable = "USE_CACHE",
     .kind = boolean,
     .fallback = "on",
     .doc = "Off: every read goes to the database."},
    {.name = "events.keep_days",
     .variable = "EVENTS_KEEP_DAYS",
     .kind = integer,
     .fallback = "90",
     .doc = "Days that events stay in the database before they go to the archive; on PostgreSQL up to a month more.",
     .min = 1,
     .max = 36'500},
    {.name = "metrics.keep_days",
     .variable = "METRICS_KEEP_DAYS",
     .kind = integer,
     .fallback = "30",
     .doc = "Days that recorded metrics stay there.",
     .min = 1,
     .max = 36'500},
    {.name = "archive",
     .variable = "AGENT_LIGHTNING_ARCHIVE",
     .kind = text,
     .fallback = "",
     .doc = "Directory of what has left the database. Empty: archive in the data directory."},
    {.name = "log.level",
     .variable = "LOG_LEVEL",
     .kind = text,
     .fallback = "info",
     .doc = "The least level that is logged.",
     .choices = "debug|info|warning|error"},
    {.name = "log.format",
     .variable = "LOG_FORMAT",
     .kind = text,
     .fallback = "json",
     .doc = "One JSON object a line for machines, or text for people.",
     .choices = "json|text"},
    {.name = "threads",
     .variable = "AGENT_LIGHTNING_THREADS",
     .kind = integer,
     .fallback = "0",
     .doc = "Threads that serve connections; 0 is one for each core.",
     .max = 1024},
    {.name = "worker.concurrency",
     .variable = "WORKER_CONCURRENCY",
     .kind = integer,
     .fallback = "4",
     .doc = "Tasks that one worker process runs at a time.",
     .min = 1,
     .max = 1000},
    {.name = "worker.lease",
     .variable = "WORKER_LEASE_SECONDS",
     .kind = seconds,
     .fallback = "30",
     .doc = "How long a worker may be silent before its tasks go to another one.",
     .min = 5,
     .max = 3600},
    {.name = "openai.api_key",
     .variable = "OPENAI_API_KEY",
     .kind = text,
     .fallback = "",
     .doc = "Key of OpenAI or of the server that openai.base_url names. Set it or the base URL to use the provider.",
     .secret = true},
    {.name = "openai.base_url",
     .variable = "OPENAI_BASE_URL",
     .kind = text,
     .fallback = "",
     .doc = "Any OpenAI-compatible server (Ollama, vLLM, llama.cpp), with its version, as http://127.0.0.1:11434/v1. "
            "Empty: OpenAI's own."},
    {.name = "openai.model",
     .variable = "OPENAI_MODEL",
     .kind = text,
     .fallback = "gpt-5-mini",
     .doc = "The model for agents whose model name openai.models does not map.",
     .min = 1,
     .max = 200},
    {.name = "openai.models",
     .variable = "OPENAI_MODELS",
     .kind = text,
     .fallback = "",
     .doc = "What agents' model names mean there, as name=model,name=model."},
    {.name = "anthropic.api_key",
     .variable = "ANTHROPIC_API_KEY",
     .kind = text,
     .fallback = "",
     .doc = "Key of Anthropic. Set it or the base URL to use the provider.",
     .secret = true},
    {.name = "anthropic.base_url",
     .variable = "ANTHROPIC_BASE_URL",
     .kind = text,
     .fallback = "",
     .doc = "A server that speaks Anthropic's Messages, without version. Empty: Anthropic's own."},
    {.name = "anthropic.model",
     .variable = "ANTHROPIC_MODEL",
     .kind = text,
     .fallback = "claude-haiku-4-5",
     .doc = "The model for agents whose model name anthropic.models does not map.",
     .min = 1,
     .max = 200},
    {.name = "anthropic.models",
     .variable = "ANTHROPIC_MODELS",
     .kind = text,
     .fallback = "",
     .doc = "What agents' model names mean there, as name=model,name=model."},
    {.name = "models.connect_timeout",
     .variable = "MODELS_CONNECT_TIMEOUT",
     .kind = seconds,
     .fallback = "10",
     .doc = "Wait for a connection to a model provider.",
     .min = 1,
     .max = 300},
    {.name = "models.first_token_timeout",
     .variable = "MODELS_FIRST_TOKEN_TIMEOUT",
     .kind = seconds,
     .fallback = "120",
     .doc = "Wait for a provider's answer to begin.",
     .min = 1,
     .max = 3600},
    {.name = "models.idle_timeout",
     .variable = "MODELS_IDLE_TIMEOUT",
     .kind = seconds,
     .fallback = "60",
     .doc = "Longest silence within a provider's answer.",
     .min = 1,
     .max = 3600},
    {.name = "providers.allowed_hosts",
     .variable = "PROVIDERS_ALLOWED_HOSTS",
     .kind = text,
     .fallback = "api.openai.com,api.anthropic.com,api.mistral.ai,api.groq.com,api.deepseek.com,api.x.ai,"
                 "api.together.xyz,openrouter.ai,generativelanguage.googleapis.com",
     .doc = "Hosts, as host or host:port, that providers registered through the API may name. Without a port it is the "
            "one of the scheme. Listed here, a host may be private and without TLS; * adds all public hosts with TLS."},
    {.name = "trusted_proxies",
     .variable = "AGENT_LIGHTNING_TRUSTED_PROXIES",
     .kind = text,
     .fallback = "",
     .doc = "Addresses and networks, with commas between, that are believed what they say of a request in "
            "X-Forwarded-For, -Host and -Proto: proxies before this process, and the gateways of a cluster before its "
            "other processes. Limits by address, the audit trail and the cookies of pages follow it."},
    {.name = "allowed_origins",
     .variable = "AGENT_LIGHTNING_ALLOWED_ORIGINS",
     .kind = text,
     .fallback = "",
     .doc = "Whose web pages may use this server from a browser besides its own: origins such as "
            "https://app.example.com, with commas between them."},
    {.name = "http.connections_max",
     .variable = "HTTP_CONNECTIONS_MAX",
     .kind = integer,
     .fallback = "10000",
     .doc = "Connections open at a time, for each port; further ones are refused with 503.",
     .min = 1,
     .max = 1'000'000},
});

std::string_view trim(std::string_view text) { return trimmed(text, " \t\r"); }

Setting const* find_setting(std::string_view name) {
  auto const* found = std::ranges::find(table, name, &Setting::name);
  return found == table.end() ? nullptr : found;
}

/// True for "database" and "log": what settings nest under.
bool is_group(std::string_view name) {
  return std::ranges::any_of(table, [&](Setting const& setting) {
    return setting.name.starts_with(name) && setting.name.substr(name.size()).starts_with('.');
  });
}

std::string replaced(std::string_view text, char from, std::string_view to) {
  std::string out;
  for (char c : text)
    c == from ? out += to : out += c;
  return out;
}

// ---- one value ----

/// "postgresql:// or postgres://"
std::string schemes_text(std::string_view schemes) {
  auto const last = schemes.rfind('|');
  return replaced(schemes.substr(0, last), '|', "://, ") + ":// or " + std::string(schemes.substr(last + 1)) + "://";
}

/// "a whole number of seconds from 5 to 3600"
std::string allowed(Setting const& setting) {
  auto range = " from " + std::to_string(setting.min) + " to " + std::to_string(setting.max);
  switch (setting.kind) {
    case integer:
      return "a whole number" + range;
    case seconds:
      return "a whole number of seconds" + range;
    case boolean:
      return "on or off (or true, false, yes, no, 1, 0)";
    case text:
      break;
  }
  if (!setting.choices.empty())
    return "one of " + replaced(setting.choices, '|', ", ");
  if (!setting.url_schemes.empty())
    return "a URL that begins with " + schemes_text(setting.url_schemes) + ", or empty";
  return setting.min > 0 ? "UTF-8 text, not empty, without control characters"
                         : "UTF-8 text without control characters";
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t out = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return out;
}

std::optional<std::string> accept_text(Setting const& setting, std::string_view value) {
  if (!setting.choices.empty()) {
    auto choice = lower(value);
    bool known = choice.find('|') == std::string::npos && !choice.empty() &&
                 ("|" + std::string(setting.choices) + "|").contains("|" + choice + "|");
    return known ? std::optional(choice) : std::nullopt;
  }
  auto length = static_cast<std::int64_t>(value.size());
  if (!utf8::is_plain(value) || length < setting.min || length > setting.max)
    return std::nullopt;
  // libpq takes anything else for the name of a database on this machine.
  auto const scheme = "|" + std::string(value.substr(0, std::min(value.find("://"), value.size()))) + "|";
  bool const is_fit = setting.url_schemes.empty() || value.empty() ||
                      (value.contains("://") && ("|" + std::string(setting.url_schemes) + "|").contains(scheme));
  if (!is_fit)
    return std::nullopt;
  return std::string(value);
}

/// `value` in its plainest form; nullopt when the setting may not be that.
std::optional<std::string> accept(Setting const& setting, std::string_view value) {
  if (setting.kind == text)
    return accept_text(setting, value);
  if (setting.kind == boolean) {
    constexpr std::array<std::string_view, 4> on{"on", "true", "yes", "1"};
    constexpr std::array<std::string_view, 4> off{"off", "false", "no", "0"};
    auto word = lower(value);
    if (std::ranges::find(on, word) != on.end())
      return "on";
    if (std::ranges::find(off, word) != off.end())
      return "off";
    return std::nullopt;
  }
  auto number = parse_integer(value);
  if (!number || *number < setting.min || *number > setting.max)
    return std::nullopt;
  return std::to_string(*number);
}

/// The refused value for the message, when it may be shown.
std::string quoted(Setting const& setting, std::string_view value) {
  constexpr std::size_t shown_max = 60;
  // Where a URL was forgotten to begin as one, a password in it is not found.
  if (setting.secret || (!setting.url_schemes.empty() && !value.contains("://")))
    return "what was given";
  auto shown = EffectiveSetting{&setting, std::string(value), {}}.shown();
  if (shown.size() > shown_max)
    shown = shown.substr(0, shown_max) + "…";
  return '"' + shown + '"';
}

// ---- names that are nearly right ----

/// What a name of the YAML file may have been meant to be: settings, and the groups that they stand under.
std::vector<std::string> known_names() {
  std::vector<std::string> names;
  for (auto const& setting : table) {
    names.emplace_back(setting.name);
    names.emplace_back(setting.name.substr(0, setting.name.find('.')));
  }
  return names;
}

std::string unknown(std::string_view name) {
  std::string out = "there is no such setting";
  if (is_group(name))
    return out + ", only a group of that name: settings stand under it";
  auto const names = known_names();
  auto const near = nearest(name, names);
  return near.empty() ? out : out + "; did you mean " + std::string(near) + "?";
}

// ---- .env ----

struct Variable {
  std::string key;
  std::string value;
};

bool is_variable_name(std::string_view name) {
  auto is_letter = [](char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_'; };
  return !name.empty() && is_letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

/// `text` begins with its quote. Only the escapes listed in config.hpp are taken: other backslashes are the value's.
std::expected<std::string, std::string> parse_quoted(std::string_view text) {
  char const quote = text[0];
  std::string out;
  std::size_t i = 1;
  for (; i < text.size() && text[i] != quote; ++i) {
    bool escape =
        quote == '"' && text[i] == '\\' && i + 1 < text.size() && std::string_view(R"(nrt"\$)").contains(text[i + 1]);
    out += escape ? unescaped(text[++i]) : text[i];
  }
  if (i >= text.size())
    return std::unexpected("the closing quote is missing");
  auto rest = trim(text.substr(i + 1));
  if (!rest.empty() && !rest.starts_with('#'))
    return std::unexpected("only a comment may follow the closing quote");
  return out;
}

std::string_view without_comment(std::string_view text) {
  if (text.starts_with('#'))
    return {};
  return trim(text.substr(0, std::min(text.find(" #"), text.find("\t#"))));
}

/// nullopt for blank lines and comments. The reason of a refusal never repeats the line: it may hold a secret.
std::expected<std::optional<Variable>, std::string> parse_line(std::string_view line) {
  line = trim(line);
  if (line.empty() || line.starts_with('#'))
    return std::nullopt;
  if (line.starts_with("export ") || line.starts_with("export\t"))
    line = trim(line.substr(7));
  auto equals = line.find('=');
  if (equals == std::string_view::npos)
    return std::unexpected("write KEY=VALUE");
  auto key = trim(line.substr(0, equals));
  if (!is_variable_name(key)) {
    return std::unexpected("a variable's name is letters, digits and underscores, with no digit in front");
  }
  auto value = trim(line.substr(equals + 1));
  if (!value.starts_with('"') && !value.starts_with('\'')) {
    return Variable{std::string(key), std::string(without_comment(value))};
  }
  auto parsed = parse_quoted(value);
  if (!parsed)
    return std::unexpected(parsed.error());
  return Variable{std::string(key), std::move(*parsed)};
}

// ---- all sources ----

std::expected<std::string, std::string> read_whole(std::filesystem::path const& path) {
  std::error_code error;
  auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status))
    return std::unexpected("the file does not exist");
  if (std::filesystem::is_directory(status))
    return std::unexpected("this is a directory, not a file");
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return std::unexpected("the file cannot be read");
  std::string out(file_bytes_max + 1, '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad())
    return std::unexpected("the file cannot be read");
  if (out.size() > file_bytes_max)
    return std::unexpected("the file is longer than 1 MiB");
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (out.starts_with(byte_order_mark))
    out.erase(0, byte_order_mark.size());
  return out;
}

/// Takes the sources in order of rising precedence and collects every fault.
class Loader {
 public:
  Loader() {
    for (auto const& setting : table) {
      auto value = accept(setting, setting.fallback);
      assert(value && "a default that its own setting refuses");
      values_.push_back({&setting, std::move(*value), "default"});
    }
  }

  void read_file(std::filesystem::path const& path) {
    auto origin = "file " + path.filename().string();
    auto text = read_whole(path);
    if (!text)
      return fault(path.string(), text.error());
    try {
      auto documents = YAML::LoadAll(*text);
      if (documents.size() > 1)
        return fault(path.string(), "the file holds more than one document");
      for (auto const& document : documents)
        read_map(document, "", origin);
    } catch (const YAML::Exception& error) {
      fault(path.string(), "not YAML: " + error.msg + " (" + at_line(origin, error.mark) + ")");
    }
  }

  void read_dotenv(std::filesystem::path const& path, std::map<std::string, std::string> const& environment) {
    std::error_code error;
    if (!std::filesystem::exists(path, error))
      return;
    auto text = read_whole(path);
    if (!text)
      return fault(path.string(), text.error());
    std::set<std::string> seen;
    std::size_t number = 0;
    for (std::string_view rest = *text; !rest.empty();) {
      auto line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      auto origin = path.filename().string() + " line " + std::to_string(++number);
      auto variable = parse_line(line);
      if (!variable) {
        fault(origin, variable.error());
      } else if (*variable) {
        auto const& [key, value] = **variable;
        if (!seen.insert(key).second)
          fault(key, "given twice (" + origin + ")");
        if (!environment.contains(key))
          set_variable(key, value, origin);
      }
    }
  }

  void read_environment(std::map<std::string, std::string> const& environment) {
    for (auto const& setting : table) {
      auto found = environment.find(std::string(setting.variable));
      if (found != environment.end())
        set_variable(found->first, found->second, "environment " + found->first);
    }
  }

  void read_options(std::map<std::string, std::string> const& options) {
    for (auto const& [name, value] : options) {
      auto const* setting = find_setting(name);
      setting ? set(*setting, value, "option") : fault(name, unknown(name) + " (option)");
    }
  }

  Result<std::vector<EffectiveSetting>> finish() && {
    if (faults_.empty())
      return std::move(values_);
    Error error{Code::invalid, "the configuration is wrong"};
    for (char const* separator = ": "; auto const& fault : faults_) {
      error.message += std::exchange(separator, "; ") + fault.path + ": " + fault.message;
    }
    error.faults = std::move(faults_);
    return fail(std::move(error));
  }

 private:
  /// Descends only into groups that exist, so neither depth nor aliases of the file can make this long.
  void read_map(const YAML::Node& map, std::string const& prefix, std::string const& origin) {
    if (map.IsNull())
      return;
    auto where = prefix.empty() ? std::string("the whole file") : prefix.substr(0, prefix.size() - 1);
    if (!map.IsMap())
      return fault(where, "must be a map of settings (" + at_line(origin, map.Mark()) + ")");
    std::set<std::string> seen;
    for (auto const& entry : map) {
      auto here = at_line(origin, entry.first.Mark());
      if (!entry.first.IsScalar()) {
        fault(where, "a key must be a plain word (" + here + ")");
        continue;
      }
      auto name = prefix + entry.first.Scalar();
      if (!seen.insert(name).second)
        fault(name, "given twice (" + here + ")");
      if (find_setting(name)) {
        set_node(name, entry.second, here);
      } else if (is_group(name) && (entry.second.IsMap() || entry.second.IsNull())) {
        read_map(entry.second, name + ".", origin);
      } else {
        fault(name, unknown(name) + " (" + here + ")");
      }
    }
  }

  void set_node(std::string const& name, const YAML::Node& node, std::string const& origin) {
    if (node.IsNull())
      return;
    auto const* setting = find_setting(name);
    if (!node.IsScalar())
      return fault(name, "must be " + allowed(*setting) + ", not a list or map (" + origin + ")");
    set(*setting, node.Scalar(), origin);
  }

  void set_variable(std::string const& variable, std::string const& value, std::string const& origin) {
    auto const* setting = std::ranges::find(table, std::string_view(variable), &Setting::variable);
    if (setting != table.end() && !value.empty())
      set(*setting, value, origin);
  }

  void set(Setting const& setting, std::string_view value, std::string const& origin) {
    auto accepted = accept(setting, value);
    if (!accepted) {
      return fault(std::string(setting.name),
                   "must be " + allowed(setting) + ", not " + quoted(setting, value) + " (" + origin + ")");
    }
    auto& place = values_[static_cast<std::size_t>(&setting - table.data())];
    place.value = std::move(*accepted);
    place.origin = origin;
  }

  void fault(std::string path, std::string message) { faults_.push_back({std::move(path), std::move(message)}); }

  static std::string at_line(std::string const& origin, const YAML::Mark& mark) {
    return mark.is_null() ? origin : origin + " line " + std::to_string(mark.line + 1);
  }

  std::vector<EffectiveSetting> values_;
  std::vector<FieldFault> faults_;
};

// ---- database_url, redis_url ----

std::string percent_encoded(std::string_view text, std::string_view also_plain = "") {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    bool plain = (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
                 std::string_view("-._~").contains(c) || also_plain.contains(c);
    auto byte = static_cast<unsigned char>(c);
    if (plain) {
      out += c;
    } else {
      out.append("%").append(1, digits[byte >> 4]).append(1, digits[byte & 0xF]);
    }
  }
  return out;
}

/// An IPv6 address goes into brackets; a socket directory is percent-encoded like a name, as libpq wants it.
std::string url_host(std::string_view host) {
  bool is_ipv6 = host.contains(':') && !host.starts_with('/');
  if (!is_ipv6)
    return percent_encoded(host);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  return "[" + percent_encoded(host, ":") + "]";
}

}  // namespace

std::span<Setting const> settings() { return table; }

std::string dotenv_example() {
  std::string out =
      "# Settings of agent-lightning. Copy this file to .env, and remove the # in front of what you change.\n"
      "# What wins, from the least: the default, the YAML file, .env, the real environment, a command-line option.\n"
      "# This file is the program's own table of settings as text; a test compares the two.\n";
  for (auto const& setting : table) {
    out.append("\n# ").append(setting.doc).append("\n");
    out.append("# In YAML: ").append(setting.name).append(". ");
    auto what = allowed(setting);
    if (setting.kind != text || !setting.choices.empty())
      out.append("It is ").append(what).append(". ");
    out.append("Default: ").append(setting.fallback.empty() ? "empty" : setting.fallback).append("\n");
    out.append("#").append(setting.variable).append("=").append(setting.fallback).append("\n");
  }
  return out;
}

std::string EffectiveSetting::shown() const {
  if (value.empty())
    return {};
  return setting->secret ? "***" : log::mask_url(value);
}

Result<Config> Config::load(Sources const& sources) {
  Loader loader;
  if (sources.file)
    loader.read_file(*sources.file);
  if (sources.dotenv)
    loader.read_dotenv(*sources.dotenv, sources.environment);
  loader.read_environment(sources.environment);
  loader.read_options(sources.options);
  auto values = std::move(loader).finish();
  if (!values)
    return fail(std::move(values).error());
  return Config(std::move(*values));
}

std::map<std::string, std::string> Config::process_environment() {
  std::map<std::string, std::string> out;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    std::string_view text(*entry);
    auto equals = text.find('=');
    if (equals == std::string_view::npos)
      continue;
    out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

EffectiveSetting const& Config::at(std::string_view name) const {
  auto found = std::ranges::find(values_, name, [](EffectiveSetting const& one) { return one.setting->name; });
  assert(found != values_.end() && "a setting that is not in the table");
  return *found;
}

std::string const& Config::text(std::string_view name) const { return at(name).value; }

std::int64_t Config::integer(std::string_view name) const {
  auto const& found = at(name);
  assert(found.setting->kind != SettingKind::text && found.setting->kind != SettingKind::boolean);
  return parse_integer(found.value).value();
}

bool Config::boolean(std::string_view name) const {
  auto const& found = at(name);
  assert(found.setting->kind == SettingKind::boolean);
  return found.value == "on";
}

bool Config::is_set(std::string_view name) const { return !at(name).value.empty(); }

std::string database_url(Config const& config) {
  if (!config.boolean("use_database") || !config.boolean("use_shared_data"))
    return {};
  if (config.is_set("database.url") || !config.is_set("database.host"))
    return config.text("database.url");
  auto out = "postgresql://" + percent_encoded(config.text("database.user"));
  if (config.is_set("database.password"))
    out += ":" + percent_encoded(config.text("database.password"));
  out += "@" + url_host(config.text("database.host")) + ":" + config.text("database.port");
  return out + "/" + percent_encoded(config.text("database.name"));
}

std::string redis_url(Config const& config) {
  if (config.is_set("redis.url") || !config.is_set("redis.host"))
    return config.text("redis.url");
  std::string out = "redis://";
  if (config.is_set("redis.password"))
    out += ":" + percent_encoded(config.text("redis.password")) + "@";
  out += url_host(config.text("redis.host")) + ":" + config.text("redis.port");
  return out + "/" + config.text("redis.database");
}

}  // namespace al
