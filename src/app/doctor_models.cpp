#include "app/doctor_models.hpp"

#include "app/answer.hpp"
#include "app/api_client.hpp"
#include "app/model_accounts.hpp"
#include "app/with_database.hpp"
#include "core/random.hpp"
#include "data/data_key_store.hpp"
#include "security/master_key.hpp"
#include "security/sealing.hpp"

namespace al::app {
namespace {

using enum Finding::Level;

constexpr std::chrono::seconds list_timeout{2};
constexpr std::chrono::seconds database_timeout{5};
/// More would make everybody wait who has hundreds of them; `provider test` asks a single one.
constexpr std::string_view list_path = "/providers?limit=20";

Finding no_provider() { return {ok, "providers", "none: agents answer from their knowledge, and need none for that"}; }

std::string subject_of(std::string const& id) { return "provider " + id; }

Finding ask(ApiClient& client, std::string const& id) {
  auto const subject = subject_of(id);
  auto const reply = client.post("/providers/" + escaped(id) + "/test", {});
  if (!reply)
    return {error, subject, reply.error().message, "agent-lightning provider test " + id};
  auto const& result = *reply->body.root().parsed;
  auto const& is_fine = member_of(result, "ok");
  if (is_fine.is_bool() && is_fine.get_bool()) {
    return {ok, subject,
            "has " + std::to_string(list_of(result, "models").size()) + " models, answered in " +
                text_of(result, "latency_ms") + " ms"};
  }
  return {error, subject, text_of(result, "reason"),
          "mend its URL or key (agent-lightning provider set " + id + " …, or the server's settings)"};
}

Result<void> opens_all(Config const& config, security::MasterKey& master, Random& random) {
  return with_database(config, [&](storage::Database& database) -> Task<Result<void>> {
    data::DataKeyStore keys(database);
    security::Sealing sealing(keys, master, random);
    co_return co_await sealing.check(Deadline::after(database_timeout));
  });
}

std::vector<Finding> named_by(providers::Accounts const& accounts) {
  std::vector<Finding> findings;
  for (auto const& account : accounts)
    findings.push_back({ok, subject_of(account.id), "is set to " + account.base_url + "; a running server can ask it"});
  if (findings.empty())
    findings.push_back(no_provider());
  return findings;
}

}  // namespace

Finding check_master_key(Config const& config, bool may_open) {
  constexpr std::string_view subject = "master key";
  SystemRandom random;
  security::MasterKey master(config.text("master_key"), data_directory(config), random);
  auto const key = master.find();
  if (!key) {
    return {error, std::string(subject), key.error().message,
            "restore it from your copy: keys of providers that it sealed can be read with no other"};
  }
  if (auto const opens = may_open ? opens_all(config, master, random) : Result<void>(); !opens)
    return {error, std::string(subject), opens.error().message, "see 'At rest' in docs/SECURITY.md"};
  if (!*key)
    return {ok, std::string(subject), "none yet; it is made for the first key of a provider"};
  return {ok, std::string(subject), master.source()};
}

std::vector<Finding> check_providers(Config const& config) {
  auto const accounts = accounts_of(config);
  if (!accounts)
    return {{error, "providers", accounts.error().message, "mend the setting (`agent-lightning config` shows it)"}};
  ApiClient client(config);
  auto const listed = client.get(std::string(list_path), list_timeout);
  if (!listed)
    return named_by(*accounts);  // Why there is none is the finding "server".
  std::vector<Finding> findings;
  for (auto const& provider : list_of(*listed->body.root().parsed, "providers"))
    findings.push_back(ask(client, text_of(provider, "id")));
  if (findings.empty())
    findings.push_back(no_provider());
  return findings;
}

}  // namespace al::app
