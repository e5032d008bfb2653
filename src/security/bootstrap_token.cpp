#include "security/bootstrap_token.hpp"

#include "core/fault.hpp"
#include "core/hash.hpp"
#include "core/log.hpp"
#include "security/api_key.hpp"
#include "security/token_file.hpp"

namespace al::security {
namespace {

constexpr std::string_view name = "bootstrap";
/// The same in every installation: what its holder owns is still his after an export has moved to another one.
constexpr std::string_view id = "00000000-0000-7000-8000-000000000001";

void warn(std::string_view message, std::filesystem::path const& file) {
  log::warning(message, {{"file", std::string_view(file.native())}});
}

}  // namespace

Task<Result<BootstrapToken::Outcome>> BootstrapToken::ensure(std::string given, Deadline deadline) {
  if (!given.empty()) {
    auto const fit = check_token(given);
    if (!fit)
      co_return fail(Code::invalid, "AGENT_LIGHTNING_TOKEN cannot be used: " + fit.error().message);
  }
  if (co_await keys_.any(default_tenant, deadline))
    co_return co_await compare(std::move(given), deadline);
  co_return co_await create(std::move(given), deadline);
}

// The file comes first: a process that dies between the two leaves a token that the next start enters, and never an
// entered token that nobody has seen.
Task<Result<BootstrapToken::Outcome>> BootstrapToken::create(std::string given, Deadline deadline) {
  auto const file = token_file(directory_);
  auto const held = read_token_file(file);
  auto token = std::move(given);
  if (token.empty() && held)
    token = *held;
  if (token.empty())
    token = new_api_key(random_);
  if (!held || *held != token)
    write_token_file(file, token);
  model::ApiKey key;
  key.id = model::ApiKeyId{id};
  key.name = name;
  key.permissions = {"*:*"};
  Actor const installer{
      .tenant = default_tenant, .user_id = "system", .correlation_id = {}, .causation_id = {}, .traceparent = {}};
  auto const added = co_await keys_.create(installer, std::move(key), stored_form(token), deadline);
  // A process beside us was faster, with the very same token or with one of its own.
  if (!added && added.error().code == Code::conflict)
    co_return co_await compare(std::move(token), deadline);
  if (!added)
    co_return fail(added.error());
  log::info("the first token was made; the file holds it", {{"file", std::string_view(file.native())}});
  co_return Outcome::created;
}

Task<BootstrapToken::Outcome> BootstrapToken::compare(std::string given, Deadline deadline) {
  auto const file = token_file(directory_);
  auto token = std::move(given);
  bool const is_given = !token.empty();
  if (!is_given) {
    auto const held = read_token_file(file);
    if (!held) {
      warn(
          "the database has a token already and this data directory holds none: to sign in from here, set "
          "AGENT_LIGHTNING_TOKEN to the token of the machine that started first, or copy its token file",
          file);
      co_return Outcome::missing;
    }
    token = *held;
  }
  if (co_await access_.find_key(sha256_hex(token), deadline))
    co_return Outcome::known;
  if (is_given) {
    warn("AGENT_LIGHTNING_TOKEN is not a token of this database: it sets the token only at the very first start", file);
  } else {
    warn("the token file belongs to another database: set AGENT_LIGHTNING_TOKEN to a token of this one", file);
  }
  co_return Outcome::foreign;
}

}  // namespace al::security
