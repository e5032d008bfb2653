#pragma once
/// For tests of credentials: a database of each kind with users, logins and API keys.

#include "data/access_store.hpp"
#include "data/login_store.hpp"
#include "data/store_fixture.hpp"
#include "data/user_store.hpp"
#include "security/api_key.hpp"
#include "security/token_keys.hpp"
#include "testing/temporary_directory.hpp"

namespace al::security {

class IdentityFixture : public data::StoreFixture {
 protected:
  struct Parts {
    Parts(storage::Database& database, data::Writer& writer, Clock const& clock, Random& random)
        : access(database),
          api_keys(writer),
          users(writer),
          logins(writer),
          data_keys(database),
          master("", directory.path(), random),
          sealing(data_keys, master, random),
          signing(database),
          keys(signing, sealing, clock, random) {}

    TemporaryDirectory directory;
    data::AccessStore access;
    data::ApiKeyStore api_keys;
    data::UserStore users;
    data::LoginStore logins;
    data::DataKeyStore data_keys;
    MasterKey master;
    Sealing sealing;
    data::SigningKeyStore signing;
    TokenKeys keys;
  };

  void SetUp() override {
    StoreFixture::SetUp();
    use_time_of_database();
    parts.emplace(*database, *writer, clock, random);
  }

  model::ApiKey have_key(std::string const& token, std::vector<std::string> const& permissions,
                         std::optional<model::UserId> owner = {}) {
    model::ApiKey key;
    key.id = parts->api_keys.new_id();
    key.name = "test";
    key.permissions = permissions;
    key.user_id = std::move(owner);
    auto const made = wait(parts->api_keys.create(actor(), key, stored_form(token), soon()));
    EXPECT_TRUE(made) << made.error().message;
    return *made;
  }
  model::User have_user(std::vector<std::string> const& roles, bool must_change_password = false) {
    model::User user;
    user.id = parts->users.new_id();
    user.email = user.id.value + "@example.org";
    user.full_name = "Ada";
    user.roles = roles;
    user.must_change_password = must_change_password;
    auto const made = wait(parts->users.create(actor(), user, "hash", soon()));
    EXPECT_TRUE(made) << made.error().message;
    return *made;
  }
  model::Login have_login(model::User const& user) {
    model::Login login;
    login.id = parts->logins.new_id();
    login.user_id = user.id;
    auto const begun = wait(parts->logins.begin(actor(), login, soon()));
    EXPECT_TRUE(begun) << begun.error().message;
    return *begun;
  }
  std::string access_token(model::Login const& login) {
    auto const token = wait(parts->keys.access_token(
        {.tenant = default_tenant, .user_id = login.user_id.value, .login_id = login.id.value}, soon()));
    EXPECT_TRUE(token) << token.error().message;
    return token.value_or("");
  }

  std::optional<Parts> parts;
};

}  // namespace al::security
