/// Users, logins, roles, API keys, organisations, and what guards signing in, on every database.

#include <gmock/gmock.h>

#include "data/access_store.hpp"
#include "data/api_key_store.hpp"
#include "data/audit_store.hpp"
#include "data/login_store.hpp"
#include "data/organisation_store.hpp"
#include "data/password_reset_store.hpp"
#include "data/role_store.hpp"
#include "data/sign_in_failures.hpp"
#include "data/store_fixture.hpp"
#include "data/user_identity_store.hpp"
#include "data/user_store.hpp"

namespace al::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using Outcome = Refreshed::Outcome;

class Identity : public StoreFixture {
 protected:
  struct Stores {
    Stores(storage::Database& database, Writer& writer, Clock const& clock, Random& random)
        : users(writer),
          logins(writer),
          keys(writer),
          roles(writer),
          organisations(writer),
          access(database),
          failures(database),
          resets(database),
          identities(writer),
          audit(database, clock, random) {}
    UserStore users;
    LoginStore logins;
    ApiKeyStore keys;
    RoleStore roles;
    OrganisationStore organisations;
    AccessStore access;
    SignInFailures failures;
    PasswordResetStore resets;
    UserIdentityStore identities;
    AuditStore audit;
  };

  void SetUp() override {
    StoreFixture::SetUp();
    use_time_of_database();
    stores.emplace(*database, *writer, clock, random);
  }

  Result<model::User> make_user(std::string email, std::string tenant = "default") {
    model::User user;
    user.id = stores->users.new_id();
    user.email = std::move(email);
    user.full_name = "Ada";
    user.roles = {"viewer"};
    return wait(stores->users.create(actor(std::move(tenant)), std::move(user), "hash", soon()));
  }
  model::User have_user(std::string email = "ada@example.org") {
    auto const made = make_user(std::move(email));
    EXPECT_TRUE(made) << made.error().message;
    return made.value_or(model::User{});
  }
  model::Login have_login(model::User const& user, model::LoginMethod method = model::LoginMethod::password) {
    clock.advance(std::chrono::milliseconds{1});
    model::Login login;
    login.id = stores->logins.new_id();
    login.user_id = user.id;
    login.method = method;
    auto const begun = wait(stores->logins.begin(actor(), login, soon()));
    EXPECT_TRUE(begun) << begun.error().message;
    return begun.value_or(model::Login{});
  }
  Refreshed refresh(model::Login const& login, std::int64_t generation) {
    return wait(stores->logins.refresh(actor(), login.id, generation, soon()));
  }
  std::size_t logins_of(model::User const& user) {
    return wait(stores->logins.list(default_tenant, user.id, {}, soon()))->items.size();
  }
  model::User set_status(model::User const& user, model::UserStatus status) {
    auto const edit = [&](model::User& one) -> Result<void> {
      one.status = status;
      return {};
    };
    auto const updated = wait(stores->users.update(actor(), user.id, edit, {}, soon()));
    EXPECT_TRUE(updated) << updated.error().message;
    return updated.value_or(model::User{});
  }
  /// "user:created user:updated …", the oldest first.
  std::string trail(std::string tenant = "default") {
    auto const page = wait(stores->audit.list(TenantId{std::move(tenant)}, {}, {.limit = 100, .cursor = {}}, soon()));
    std::string out;
    for (auto const& entry : page->items)
      out.insert(0, entry.action + (out.empty() ? "" : " "));
    return out;
  }

  std::optional<Stores> stores;
};
AL_ON_EVERY_DATABASE(Identity);

// ---- users ----

TEST_P(Identity, AUserIsFoundByHisAddressInAnyCase) {
  auto const made = have_user("  Ada@Example.ORG ");
  EXPECT_EQ(made.email, "ada@example.org");
  auto const found = wait(stores->users.find_by_email("ADA@example.org", soon()));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->user.id, made.id);
  EXPECT_EQ(found->tenant, default_tenant);
  EXPECT_EQ(found->password_hash, "hash");
  EXPECT_FALSE(wait(stores->users.find_by_email("bob@example.org", soon())));
}

TEST_P(Identity, OneUserHasAnAddressInAllTenants) {
  auto const ada = have_user();
  ASSERT_TRUE(wait(stores->organisations.create(actor(), {.id = TenantId{"acme"}, .name = "Acme"}, soon())));
  auto const twin = make_user("ada@example.org", "acme");
  ASSERT_FALSE(twin);
  EXPECT_EQ(twin.error().code, Code::conflict);
  EXPECT_THAT(twin.error().message, HasSubstr("ada@example.org"));
  auto const bob = make_user("bob@example.org", "acme");
  ASSERT_TRUE(bob);
  auto const take = [](model::User& user) -> Result<void> {
    user.email = "Ada@example.org";
    return {};
  };
  EXPECT_EQ(wait(stores->users.update(actor("acme"), bob->id, take, {}, soon())).error().code, Code::invalid);
  ASSERT_TRUE(wait(stores->users.remove(actor(), ada.id, {}, soon())));
  EXPECT_TRUE(wait(stores->users.update(actor("acme"), bob->id, take, {}, soon()))) << "it is free again";
}

TEST_P(Identity, WhatIsNoAddressIsRefused) {
  for (auto const* wrong : {"ada", "@example.org", "ada@", "a@b@c", "a b@example.org", "ada@exam\tple.org"}) {
    auto const made = make_user(wrong);
    ASSERT_FALSE(made) << wrong;
    EXPECT_EQ(made.error().code, Code::invalid);
    EXPECT_EQ(made.error().faults.at(0).path, "email");
  }
}

TEST_P(Identity, WhoIsDisabledIsSignedOut) {
  auto const user = have_user();
  auto const login = have_login(user);
  set_status(user, model::UserStatus::active);
  EXPECT_EQ(logins_of(user), 1U) << "a change that takes nothing away ends nothing";
  set_status(user, model::UserStatus::disabled);
  EXPECT_EQ(logins_of(user), 0U);
  EXPECT_FALSE(wait(stores->access.find_login(default_tenant, login.id.value, soon())));
  set_status(user, model::UserStatus::active);
  EXPECT_FALSE(wait(stores->access.find_login(default_tenant, login.id.value, soon()))) << "it does not come back";
}

TEST_P(Identity, AnotherPasswordEndsTheOtherLoginsAndTheLinks) {
  auto const user = have_user();
  auto const kept = have_login(user);
  have_login(user);
  ASSERT_TRUE(wait(stores->resets.add(default_tenant, user.id, "link", soon())));
  auto const changed = wait(stores->users.set_password(actor(), user.id, {.hash = "new"}, kept.id.value, soon()));
  ASSERT_TRUE(changed) << changed.error().message;
  auto const left = wait(stores->logins.list(default_tenant, user.id, {}, soon()));
  ASSERT_THAT(left->items, SizeIs(1));
  EXPECT_EQ(left->items[0].id, kept.id);
  EXPECT_FALSE(wait(stores->resets.find("link", soon())));
  EXPECT_EQ(wait(stores->users.stored(default_tenant, user.id, soon()))->password_hash, "new");
}

TEST_P(Identity, ADeletedUserKeepsNothingToSignInWith) {
  auto const user = have_user();
  auto const login = have_login(user);
  ASSERT_TRUE(wait(stores->users.remove(actor(), user.id, user.version, soon())));
  EXPECT_FALSE(wait(stores->users.find_by_email("ada@example.org", soon())));
  EXPECT_FALSE(wait(stores->access.find_login(default_tenant, login.id.value, soon())));
  EXPECT_EQ(wait(stores->users.get(default_tenant, user.id, soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(stores->users.remove(actor(), user.id, {}, soon())).error().code, Code::not_found);
}

TEST_P(Identity, AWrongVersionChangesNothing) {
  auto const user = have_user();
  auto const keep = [](model::User&) -> Result<void> { return {}; };
  EXPECT_EQ(wait(stores->users.update(actor(), user.id, keep, 7, soon())).error().code, Code::version_mismatch);
  EXPECT_EQ(wait(stores->users.remove(actor(), user.id, 7, soon())).error().code, Code::version_mismatch);
  EXPECT_EQ(wait(stores->users.update(actor(), user.id, keep, 1, soon()))->version, 2);
}

// ---- second factors ----

TEST_P(Identity, ASecondFactorIsBegunConfirmedAndTakenAway) {
  auto const user = have_user();
  EXPECT_EQ(wait(stores->users.enable_mfa(actor(), user.id, 5, {"a"}, "", soon())).error().code, Code::conflict);
  ASSERT_TRUE(wait(stores->users.begin_mfa(actor(), user.id, "sealed", soon())));
  EXPECT_FALSE(wait(stores->users.get(default_tenant, user.id, soon()))->mfa_enabled);
  have_login(user);
  ASSERT_TRUE(wait(stores->users.enable_mfa(actor(), user.id, 5, {"a", "b"}, "", soon())));
  EXPECT_EQ(logins_of(user), 0U) << "those that knew the password only";
  EXPECT_TRUE(wait(stores->users.get(default_tenant, user.id, soon()))->mfa_enabled);
  EXPECT_EQ(wait(stores->users.begin_mfa(actor(), user.id, "another", soon())).error().code, Code::conflict);

  EXPECT_FALSE(wait(stores->users.take_totp_step(default_tenant, user.id, 5, soon()))) << "confirming used it";
  EXPECT_TRUE(wait(stores->users.take_totp_step(default_tenant, user.id, 6, soon())));
  EXPECT_FALSE(wait(stores->users.take_totp_step(default_tenant, user.id, 6, soon())));
  EXPECT_TRUE(wait(stores->users.take_recovery_code(default_tenant, user.id, "a", soon())));
  EXPECT_FALSE(wait(stores->users.take_recovery_code(default_tenant, user.id, "a", soon())));
  EXPECT_FALSE(wait(stores->users.take_recovery_code(default_tenant, user.id, "c", soon())));

  ASSERT_TRUE(wait(stores->users.disable_mfa(actor(), user.id, soon())));
  EXPECT_FALSE(wait(stores->users.take_recovery_code(default_tenant, user.id, "b", soon())));
  EXPECT_EQ(wait(stores->users.disable_mfa(actor(), user.id, soon())).error().code, Code::conflict);
}

TEST_P(Identity, OfManyWhoSendACodeAtOnceOneGetsIn) {
  auto const user = have_user();
  ASSERT_TRUE(wait(stores->users.begin_mfa(actor(), user.id, "sealed", soon())));
  ASSERT_TRUE(wait(stores->users.enable_mfa(actor(), user.id, 5, {}, "", soon())));
  std::vector<std::future<bool>> callers;
  for (int i = 0; i < 16; ++i)
    callers.push_back(loop.start(stores->users.take_totp_step(default_tenant, user.id, 6, soon())));
  EXPECT_EQ(std::ranges::count_if(callers, [](auto& caller) { return caller.get(); }), 1);
}

// ---- logins ----

TEST_P(Identity, ARefreshMovesTheLoginOn) {
  auto const login = have_login(have_user());
  clock.advance(std::chrono::hours{24});
  auto const refreshed = refresh(login, 1);
  EXPECT_EQ(refreshed.outcome, Outcome::refreshed);
  EXPECT_EQ(refreshed.generation, 2);
  EXPECT_EQ(refreshed.user_id, login.user_id);
  auto const after = wait(stores->logins.get(default_tenant, login.id, soon()));
  ASSERT_TRUE(after);
  EXPECT_GT(after->expires_at, login.expires_at);
}

TEST_P(Identity, OfManyWhoRefreshAtOnceOneHasItAndTheLoginGoesOn) {
  auto const login = have_login(have_user());
  auto const who = actor();
  std::vector<std::future<Refreshed>> callers;
  for (int i = 0; i < 16; ++i)
    callers.push_back(loop.start(stores->logins.refresh(who, login.id, 1, soon())));
  std::map<Outcome, int> outcomes;
  for (auto& caller : callers)
    ++outcomes[caller.get().outcome];
  EXPECT_EQ(outcomes[Outcome::refreshed], 1);
  EXPECT_EQ(outcomes[Outcome::raced], 15);
  EXPECT_EQ(refresh(login, 2).outcome, Outcome::refreshed);
}

TEST_P(Identity, ATokenThatComesBackLateEndsTheLogin) {
  auto const login = have_login(have_user());
  EXPECT_EQ(refresh(login, 1).outcome, Outcome::refreshed);
  EXPECT_EQ(refresh(login, 2).outcome, Outcome::refreshed);
  EXPECT_EQ(refresh(login, 1).outcome, Outcome::reused) << "two generations old, however young the latest is";
  EXPECT_EQ(refresh(login, 3).outcome, Outcome::unknown) << "nobody has it any more";
  EXPECT_THAT(trail(), HasSubstr("login:token_reused"));
}

TEST_P(Identity, TheGraceOfALostAnswerEnds) {
  if (database->dialect() != storage::Dialect::sqlite)
    return;  // its clock is the server's
  auto const login = have_login(have_user());
  EXPECT_EQ(refresh(login, 1).outcome, Outcome::refreshed);
  clock.advance(std::chrono::seconds{9});
  EXPECT_EQ(refresh(login, 1).outcome, Outcome::raced);
  clock.advance(std::chrono::seconds{2});
  EXPECT_EQ(refresh(login, 1).outcome, Outcome::reused);
}

TEST_P(Identity, ALoginEndsHoweverOftenItIsRefreshed) {
  if (database->dialect() != storage::Dialect::sqlite)
    return;  // its clock is the server's
  auto const login = have_login(have_user());
  std::int64_t generation = 1;
  for (int days = 0; days < 81; days += 27) {
    clock.advance(std::chrono::hours{24 * 27});
    EXPECT_EQ(refresh(login, generation++).outcome, Outcome::refreshed) << days;
  }
  clock.advance(std::chrono::hours{24 * 9} + std::chrono::seconds{1});
  EXPECT_EQ(refresh(login, generation).outcome, Outcome::unknown) << "90 days after it began";
}

TEST_P(Identity, AnEndedLoginIsNotFound) {
  auto const user = have_user();
  auto const login = have_login(user);
  ASSERT_TRUE(wait(stores->logins.end(actor(), login.id, soon())));
  EXPECT_EQ(wait(stores->logins.end(actor(), login.id, soon())).error().code, Code::not_found);
  EXPECT_EQ(refresh(login, 1).outcome, Outcome::unknown);
  EXPECT_EQ(logins_of(user), 0U);
}

// ---- API keys ----

TEST_P(Identity, AKeyIsRotatedWithAGrace) {
  model::ApiKey key;
  key.id = stores->keys.new_id();
  key.name = "ci";
  key.permissions = {"agents:read"};
  ASSERT_TRUE(wait(stores->keys.create(actor(), key, {.hash = "one", .prefix = "al_1"}, soon())));
  auto const next_millisecond = [&] { clock.advance(std::chrono::milliseconds{1}); };  // by which ids are in order
  next_millisecond();
  auto const rotated =
      wait(stores->keys.rotate(actor(), key.id, {.hash = "two", .prefix = "al_2"}, std::chrono::hours{1}, 1, soon()));
  ASSERT_TRUE(rotated) << rotated.error().message;
  EXPECT_EQ(rotated->prefix, "al_2");
  EXPECT_EQ(wait(stores->access.find_key("one", soon()))->id, key.id.value);
  EXPECT_EQ(wait(stores->access.find_key("two", soon()))->id, key.id.value);
  next_millisecond();
  ASSERT_TRUE(
      wait(stores->keys.rotate(actor(), key.id, {.hash = "three", .prefix = ""}, std::chrono::seconds{0}, {}, soon())));
  EXPECT_FALSE(wait(stores->access.find_key("one", soon())));
  EXPECT_FALSE(wait(stores->access.find_key("two", soon()))) << "no grace was given";
  EXPECT_TRUE(wait(stores->access.find_key("three", soon())));
  next_millisecond();
  ASSERT_TRUE(wait(stores->keys.revoke(actor(), key.id, soon())));
  EXPECT_FALSE(wait(stores->access.find_key("three", soon())));
  EXPECT_EQ(wait(stores->keys.revoke(actor(), key.id, soon())).error().code, Code::not_found);
  EXPECT_THAT(trail(), HasSubstr("api_key:created api_key:rotated api_key:rotated api_key:revoked"));
}

TEST_P(Identity, AKeyExpires) {
  model::ApiKey key;
  key.id = stores->keys.new_id();
  key.name = "ci";
  key.permissions = {"agents:read"};
  key.expires_at = SystemClock().now() - std::chrono::hours{1};
  if (database->dialect() == storage::Dialect::sqlite)
    key.expires_at = clock.now() - std::chrono::seconds{1};
  ASSERT_TRUE(wait(stores->keys.create(actor(), key, {.hash = "one", .prefix = ""}, soon())));
  EXPECT_FALSE(wait(stores->access.find_key("one", soon())));
}

// ---- roles and organisations ----

TEST_P(Identity, BuiltInRolesAreNotChanged) {
  model::Role role;
  role.id = model::RoleId{"admin"};
  role.permissions = {"agents:read"};
  EXPECT_EQ(wait(stores->roles.create(actor(), role, soon())).error().code, Code::conflict);
  auto const keep = [](model::Role&) -> Result<void> { return {}; };
  EXPECT_EQ(wait(stores->roles.update(actor(), role.id, keep, {}, soon())).error().code, Code::conflict);
  EXPECT_EQ(wait(stores->roles.remove(actor(), role.id, {}, soon())).error().code, Code::conflict);
  EXPECT_TRUE(wait(stores->roles.get(default_tenant, role.id, soon()))->built_in);
}

TEST_P(Identity, ARoleThatWasDeletedComesBackWithItsVersionCountingOn) {
  model::Role role;
  role.id = model::RoleId{"clerk"};
  role.permissions = {"agents:read"};
  ASSERT_TRUE(wait(stores->roles.create(actor(), role, soon())));
  EXPECT_EQ(wait(stores->roles.create(actor(), role, soon())).error().code, Code::conflict);
  ASSERT_TRUE(wait(stores->roles.remove(actor(), role.id, 1, soon())));
  EXPECT_EQ(wait(stores->roles.create(actor(), role, soon()))->version, 3);
  EXPECT_EQ(history("role", "clerk"), "role:created role:deleted role:created");
}

TEST_P(Identity, PermissionsHaveAForm) {
  for (auto const* wrong :
       {"agents", "agents:", ":read", "*:read", "agents:read:x", "Agents:read", "agents:re ad", ""}) {
    model::Role role;
    role.id = model::RoleId{"clerk"};
    role.permissions = {"agents:read", wrong};
    auto const made = wait(stores->roles.create(actor(), role, soon()));
    ASSERT_FALSE(made) << wrong;
    EXPECT_EQ(made.error().faults.at(0).path, "permissions[1]");
  }
}

TEST_P(Identity, NobodyOfASuspendedOrganisationGetsIn) {
  ASSERT_TRUE(wait(stores->organisations.create(actor(), {.id = TenantId{"acme"}, .name = "Acme"}, soon())));
  auto const bob = make_user("bob@example.org", "acme");
  ASSERT_TRUE(bob) << bob.error().message;
  model::Login login;
  login.id = stores->logins.new_id();
  login.user_id = bob->id;
  ASSERT_TRUE(wait(stores->logins.begin(actor("acme"), login, soon())));
  EXPECT_TRUE(wait(stores->access.find_login(TenantId{"acme"}, login.id.value, soon())));
  auto const suspend = [](model::Organisation& organisation) -> Result<void> {
    organisation.status = model::OrganisationStatus::suspended;
    return {};
  };
  ASSERT_TRUE(wait(stores->organisations.update(actor(), TenantId{"acme"}, suspend, {}, soon())));
  EXPECT_FALSE(wait(stores->access.find_login(TenantId{"acme"}, login.id.value, soon())));
  EXPECT_EQ(wait(stores->organisations.update(actor(), default_tenant, suspend, {}, soon())).error().code,
            Code::conflict);
}

TEST_P(Identity, OnlyOperatorsManageOrganisations) {
  ASSERT_TRUE(wait(stores->organisations.create(actor(), {.id = TenantId{"acme"}, .name = "Acme"}, soon())));
  EXPECT_EQ(
      wait(stores->organisations.create(actor("acme"), {.id = TenantId{"evil"}, .name = "E"}, soon())).error().code,
      Code::forbidden);
  auto const keep = [](model::Organisation&) -> Result<void> { return {}; };
  EXPECT_EQ(wait(stores->organisations.update(actor("acme"), default_tenant, keep, {}, soon())).error().code,
            Code::forbidden);
}

// ---- guards of signing in ----

TEST_P(Identity, FiveFailuresLockAName) {
  for (int i = 1; i <= 4; ++i)
    EXPECT_FALSE(wait(stores->failures.add("name", soon()))) << i;
  EXPECT_EQ(wait(stores->failures.locked_for("name", soon())), std::nullopt);
  EXPECT_TRUE(wait(stores->failures.add("name", soon())));
  auto const left = wait(stores->failures.locked_for("name", soon()));
  ASSERT_TRUE(left);
  EXPECT_GT(*left, std::chrono::seconds{890});
  EXPECT_LE(*left, std::chrono::seconds{900});
  EXPECT_EQ(wait(stores->failures.locked_for("another", soon())), std::nullopt);
  wait(stores->failures.clear("name", soon()));
  EXPECT_EQ(wait(stores->failures.locked_for("name", soon())), std::nullopt);
}

TEST_P(Identity, OldFailuresCountForNothing) {
  if (database->dialect() != storage::Dialect::sqlite)
    return;  // its clock is the server's
  for (int i = 0; i < 4; ++i)
    wait(stores->failures.add("name", soon()));
  clock.advance(std::chrono::minutes{16});
  EXPECT_FALSE(wait(stores->failures.add("name", soon())));
  for (int i = 0; i < 4; ++i)
    wait(stores->failures.add("name", soon()));
  EXPECT_TRUE(wait(stores->failures.locked_for("name", soon())));
  clock.advance(std::chrono::minutes{15} + std::chrono::seconds{1});
  EXPECT_EQ(wait(stores->failures.locked_for("name", soon())), std::nullopt);
  EXPECT_FALSE(wait(stores->failures.add("name", soon()))) << "a lock that is over is not at once there again";
}

TEST_P(Identity, ALinkIsGoodOnce) {
  auto const user = have_user();
  ASSERT_TRUE(wait(stores->resets.add(default_tenant, user.id, "first", soon())));
  ASSERT_TRUE(wait(stores->resets.add(default_tenant, user.id, "second", soon())));
  EXPECT_FALSE(wait(stores->resets.find("first", soon()))) << "the newer one takes its place";
  EXPECT_EQ(wait(stores->resets.find("second", soon()))->user_id, user.id);
  EXPECT_TRUE(wait(stores->resets.take(default_tenant, "second", soon())));
  EXPECT_FALSE(wait(stores->resets.take(default_tenant, "second", soon())));
  EXPECT_FALSE(wait(stores->resets.find("second", soon())));
  EXPECT_FALSE(wait(stores->resets.find("", soon())));
}

// ---- identities at providers ----

TEST_P(Identity, APersonOfAProviderIsOneUser) {
  auto const ada = have_user();
  auto const bob = make_user("bob@example.org").value();
  std::string const issuer = "https://id.example.org";
  EXPECT_FALSE(wait(stores->identities.find_owner(issuer, "ada", soon())));
  auto const linked = wait(stores->identities.link(actor(), ada.id, issuer, "ada", soon()));
  ASSERT_TRUE(linked) << linked.error().message;
  auto const owner = wait(stores->identities.find_owner(issuer, "ada", soon()));
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->user_id, ada.id);
  EXPECT_EQ(owner->tenant, default_tenant);
  EXPECT_FALSE(wait(stores->identities.find_owner("https://other.example.org", "ada", soon())));
  EXPECT_FALSE(wait(stores->identities.find_owner(issuer, "Ada", soon())));
  EXPECT_EQ(wait(stores->identities.link(actor(), bob.id, issuer, "ada", soon())).error().code, Code::conflict);
  auto const listed = wait(stores->identities.list(default_tenant, ada.id, {}, soon()));
  ASSERT_THAT(listed->items, SizeIs(1));
  EXPECT_EQ(listed->items[0].id, linked->id);
  EXPECT_THAT(trail(), HasSubstr("user_identity:linked"));
}

TEST_P(Identity, AnUnlinkedPersonIsSignedOutAndMayBeLinkedAnew) {
  auto const ada = have_user();
  auto const bob = make_user("bob@example.org").value();
  auto const linked = wait(stores->identities.link(actor(), ada.id, "https://id.example.org", "ada", soon())).value();
  auto const with_password = have_login(ada);
  auto const with_provider = have_login(ada, model::LoginMethod::oidc);
  EXPECT_EQ(wait(stores->identities.unlink(actor(), bob.id, linked.id, soon())).error().code, Code::not_found)
      << "it is another one's";
  ASSERT_TRUE(wait(stores->identities.unlink(actor(), ada.id, linked.id, soon())));
  EXPECT_FALSE(wait(stores->identities.find_owner("https://id.example.org", "ada", soon())));
  EXPECT_TRUE(wait(stores->access.find_login(default_tenant, with_password.id.value, soon())));
  EXPECT_FALSE(wait(stores->access.find_login(default_tenant, with_provider.id.value, soon())));
  EXPECT_EQ(wait(stores->identities.unlink(actor(), ada.id, linked.id, soon())).error().code, Code::not_found);
  EXPECT_TRUE(wait(stores->identities.link(actor(), bob.id, "https://id.example.org", "ada", soon())));
}

TEST_P(Identity, AnAddressIsEnoughForOnePersonOnce) {
  auto const ada = have_user();
  std::string const issuer = "https://id.example.org";
  auto const first = wait(stores->identities.link_first(actor(), ada.id, issuer, "ada", soon()));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(wait(stores->identities.link_first(actor(), ada.id, issuer, "eve", soon())).error().code, Code::conflict);
  ASSERT_TRUE(wait(stores->identities.unlink(actor(), ada.id, first->id, soon())));
  EXPECT_EQ(wait(stores->identities.link_first(actor(), ada.id, issuer, "eve", soon())).error().code, Code::conflict);
  EXPECT_TRUE(wait(stores->identities.link(actor(), ada.id, issuer, "ada", soon()))) << "signed in she links herself";
}

TEST_P(Identity, ADeletedUserLeavesHisPersonFree) {
  auto const ada = have_user();
  ASSERT_TRUE(wait(stores->identities.link(actor(), ada.id, "https://id.example.org", "ada", soon())));
  ASSERT_TRUE(wait(stores->users.remove(actor(), ada.id, {}, soon())));
  EXPECT_FALSE(wait(stores->identities.find_owner("https://id.example.org", "ada", soon())));
}

TEST_P(Identity, UsersAreFoundByNameAndAddress) {
  have_user("ada@example.org");
  have_user("grace@example.org");
  have_user("100%@example.org");
  auto const found = [this](std::string text) {
    PageRequest const request{.limit = 10, .cursor = {}, .count_total = true};
    auto const page = wait(stores->users.list(default_tenant, std::move(text), request, soon())).value();
    EXPECT_EQ(page.total, std::ssize(page.items));
    std::vector<std::string> out;
    for (auto const& user : page.items)
      out.push_back(user.email);
    return out;
  };
  EXPECT_THAT(found("GRACE@"), ElementsAre("grace@example.org"));
  EXPECT_THAT(found("%"), ElementsAre("100%@example.org"));
  EXPECT_THAT(found("aDa"), SizeIs(3)) << "it is the name of all of them";
  EXPECT_THAT(found("nobody"), SizeIs(0));
  EXPECT_THAT(wait(stores->users.list(TenantId{"other"}, "ada", {}, soon()))->items, SizeIs(0));
}

// ---- the audit trail ----

TEST_P(Identity, EveryChangeLeavesAnEntryInItsTransaction) {
  auto const user = have_user();
  set_status(user, model::UserStatus::disabled);
  EXPECT_EQ(trail(), "user:created user:updated");
  auto const page = wait(stores->audit.list(default_tenant, {.target = user.id.value}, {}, soon()));
  ASSERT_THAT(page->items, SizeIs(2));
  auto const& entry = page->items.at(0);
  EXPECT_EQ(entry.actor, "tester");
  EXPECT_EQ(entry.request_id, "request-1");
  EXPECT_EQ(entry.outcome, model::AuditOutcome::succeeded);
  EXPECT_THAT(entry.details.text, HasSubstr("ada@example.org"));
  EXPECT_THAT(entry.details.text, Not(HasSubstr("hash"))) << "what he proves himself with is in no trail";
  auto const events = wait(log->replay(default_tenant, "user", user.id.value, 1, 10, soon()));
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(entry.id, events.at(1).event_id) << "an entry has its event's id";
  EXPECT_EQ(wait(stores->users.update(
                     actor(), user.id, [](auto&) -> Result<void> { return {}; }, 99, soon()))
                .error()
                .code,
            Code::version_mismatch);
  EXPECT_EQ(trail(), "user:created user:updated") << "what was not done is not in it";
}

TEST_P(Identity, AnEntryIsReadByItsId) {
  have_user();
  auto const listed = wait(stores->audit.list(default_tenant, {}, {}, soon()))->items.at(0);
  auto const entry = wait(stores->audit.get(default_tenant, listed.id, soon()));
  ASSERT_TRUE(entry);
  EXPECT_EQ(entity::to_json(*entry), entity::to_json(listed));
  EXPECT_EQ(wait(stores->audit.get(TenantId{"other"}, listed.id, soon())).error().code, Code::not_found);
}

TEST_P(Identity, TheTrailIsFilteredAndPaged) {
  auto const user = have_user();
  auto who = actor();
  who.address = "192.0.2.7";
  wait(stores->audit.record(who, "login:refused", user.id.value, model::AuditOutcome::refused, {R"({"a":1})"}, soon()));
  auto const refused = wait(stores->audit.list(default_tenant, {.outcome = model::AuditOutcome::refused}, {}, soon()));
  ASSERT_THAT(refused->items, SizeIs(1));
  EXPECT_EQ(refused->items[0].address, "192.0.2.7");
  EXPECT_THAT(wait(stores->audit.list(default_tenant, {.action = "user:created"}, {}, soon()))->items, SizeIs(1));
  EXPECT_THAT(wait(stores->audit.list(default_tenant, {.actor = "nobody"}, {}, soon()))->items, SizeIs(0));
  auto const first = wait(stores->audit.list(default_tenant, {}, {.limit = 1, .cursor = {}}, soon()));
  ASSERT_FALSE(first->next_cursor.empty());
  auto const second = wait(stores->audit.list(default_tenant, {}, {.limit = 1, .cursor = first->next_cursor}, soon()));
  EXPECT_NE(first->items.at(0).id, second->items.at(0).id);
  EXPECT_TRUE(second->next_cursor.empty());
}

TEST_P(Identity, TheTrailIsAppendOnly) {
  have_user();
  auto const is_done = [&](storage::Statement const& statement) {
    try {
      return wait(database->apply({storage::Scope::of(default_tenant), {{&statement, {}}}}, soon())).has_value();
    } catch (Fault const&) {
      return false;
    }
  };
  // The triggers of SQLite are for each row.
  ASSERT_TRUE(wait(stores->audit.append(
      default_tenant, {{1, wait(stores->audit.pending(default_tenant, 1, soon())).at(0).id.value, "hash"}}, soon())));
  static storage::Statement const statements[]{{"test.edit", "UPDATE audit_entries SET actor = 'x'"},
                                               {"test.delete", "DELETE FROM audit_entries"},
                                               {"test.relink", "UPDATE audit_chain SET hash = 'x'"},
                                               {"test.unlink", "DELETE FROM audit_chain"}};
  for (auto const& statement : statements)
    EXPECT_FALSE(is_done(statement)) << statement.text;
  static storage::Statement const harmless{"test.harmless", "UPDATE users SET full_name = 'x'"};
  EXPECT_TRUE(is_done(harmless)) << "the probe itself works";
}

TEST_P(Identity, AChainHasOneEndForAll) {
  have_user();
  have_user("bob@example.org");
  EXPECT_THAT(wait(stores->audit.behind(soon())), ElementsAre(default_tenant));
  auto const entries = wait(stores->audit.pending(default_tenant, 10, soon()));
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(wait(stores->audit.head(default_tenant, soon())).seq, 0);
  EXPECT_TRUE(wait(stores->audit.append(default_tenant, {{1, entries[0].id.value, "a"}}, soon())));
  EXPECT_FALSE(wait(stores->audit.append(default_tenant, {{1, entries[1].id.value, "b"}}, soon())))
      << "somebody else has gone on from there";
  EXPECT_FALSE(wait(stores->audit.append(default_tenant, {{2, entries[0].id.value, "b"}}, soon())))
      << "an entry is in the chain once";
  EXPECT_EQ(wait(stores->audit.head(default_tenant, soon())).hash, "a");
  EXPECT_EQ(wait(stores->audit.count_pending(default_tenant, soon())), 1);
  EXPECT_TRUE(wait(stores->audit.strays(default_tenant, 10, soon())).empty());
}

}  // namespace
}  // namespace al::data
