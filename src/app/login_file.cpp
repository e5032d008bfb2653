#include "app/login_file.hpp"

#include "core/config.hpp"
#include "core/hash.hpp"
#include "security/token_file.hpp"

namespace al::app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t name_size = 24;

fs::path variable(std::map<std::string, std::string> const& environment, std::string const& name) {
  auto const found = environment.find(name);
  return found == environment.end() ? fs::path() : fs::path(found->second);
}

fs::path file_of(std::string_view url) { return login_file(url, Config::process_environment()); }

}  // namespace

fs::path login_file(std::string_view url, std::map<std::string, std::string> const& environment) {
  auto base = variable(environment, "XDG_CONFIG_HOME");
  if (base.empty() && !variable(environment, "HOME").empty())
    base = variable(environment, "HOME") / ".config";
  if (base.empty())
    return {};
  return base / "agent-lightning" / ("login-" + sha256_hex(url).substr(0, name_size));
}

std::optional<std::string> stored_login(std::string_view url) {
  auto const file = file_of(url);
  auto held = file.empty() ? fail(Code::not_found, "") : security::read_token_file(file);
  return held ? std::optional(std::move(*held)) : std::nullopt;
}

Result<fs::path> store_login(std::string_view url, std::string_view key) {
  auto file = file_of(url);
  if (file.empty())
    return fail(Code::invalid, "neither XDG_CONFIG_HOME nor HOME is set, so there is nowhere to keep the login");
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  fs::permissions(file.parent_path(), fs::perms::owner_all, error);
  security::write_token_file(file, key);
  return file;
}

bool forget_login(std::string_view url) {
  std::error_code error;
  return fs::remove(file_of(url), error);
}

}  // namespace al::app
