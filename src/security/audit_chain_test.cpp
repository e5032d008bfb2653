#include "security/audit_chain.hpp"

#include <gmock/gmock.h>

#include "data/organisation_store.hpp"
#include "security/identity_fixture.hpp"

namespace al::security {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class AuditChain : public IdentityFixture {
 protected:
  void SetUp() override {
    IdentityFixture::SetUp();
    audit.emplace(*database, clock, random);
    chainer.emplace(*audit, parts->keys, clock);
    ASSERT_TRUE(wait(parts->keys.jwks(soon()))) << "the keys are made, as by a sign-in";
  }

  void record(std::string const& target, std::string const& tenant = "default") {
    clock.advance(std::chrono::milliseconds{1});
    wait(audit->record(actor(tenant), "test:done", target, model::AuditOutcome::succeeded, {"{}"}, soon()));
  }
  void chain() { ASSERT_TRUE(wait(chainer->chain_all(soon()))); }
  AuditVerdict verdict(std::optional<KnownLink> known = {}) {
    auto const found = wait(verify_audit(*audit, parts->keys, default_tenant, known, soon()));
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or(AuditVerdict{});
  }
  /// As somebody who may write to the database and takes the triggers away first.
  void tamper(std::string const& sql) {
    bool const sqlite = database->dialect() == storage::Dialect::sqlite;
    statements.push_back(std::make_unique<storage::Statement>());
    auto& statement = *statements.back();
    statement.name = "test.tamper";
    statement.text = sql;
    for (auto const* table : {"audit_entries", "audit_chain", "audit_checkpoints"}) {
      for (auto const* change : {"update", "delete"}) {
        statements.push_back(std::make_unique<storage::Statement>());
        statements.back()->name = "test.drop_trigger";
        statements.back()->text = sqlite ? "DROP TRIGGER IF EXISTS " + std::string(table) + "_no_" + change
                                         : "DROP TRIGGER IF EXISTS append_only ON " + std::string(table);
        run(*statements.back());
      }
    }
    run(statement);
  }
  void run(storage::Statement const& statement) {
    auto const done = wait(database->apply({storage::Scope::of(default_tenant), {{&statement, {}}}}, soon()));
    ASSERT_TRUE(done) << done.error().message;
  }

  void fill() {
    for (int i = 0; i < 5; ++i)
      record(std::to_string(i));
    chain();
    ASSERT_THAT(verdict().faults, IsEmpty());
  }
  void expect_found(std::string const& sql, std::string_view what) {
    fill();
    tamper(sql);
    EXPECT_THAT(verdict().faults, testing::Contains(HasSubstr(std::string(what))));
  }

  std::optional<data::AuditStore> audit;
  std::optional<AuditChainer> chainer;
  std::vector<std::unique_ptr<storage::Statement>> statements;
};
/// Where the program is not the owner of its tables it cannot take the triggers away.
std::vector<storage::BackendKind> kinds_that_own_their_tables() {
  auto kinds = storage::backend_kinds();
  std::erase_if(kinds, [](auto const& kind) { return std::string_view(kind.name) == "postgres_superuser"; });
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(On, AuditChain, testing::ValuesIn(kinds_that_own_their_tables()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(AuditChain, LinksWhatWaitsAndSignsItsEnd) {
  for (auto const* target : {"a", "b", "c"})
    record(target);
  EXPECT_EQ(verdict().pending, 3);
  chain();
  auto const found = verdict();
  EXPECT_THAT(found.faults, IsEmpty());
  EXPECT_EQ(found.links, 3);
  EXPECT_EQ(found.pending, 0);
  EXPECT_EQ(found.checkpoints, 1);
  EXPECT_THAT(found.head, SizeIs(64));
}

TEST_P(AuditChain, TheEndIsSignedAgainAfterAMinute) {
  record("a");
  chain();
  record("b");
  chain();
  EXPECT_EQ(verdict().checkpoints, 1);
  clock.advance(std::chrono::minutes{1});
  chain();
  EXPECT_EQ(verdict().checkpoints, 2) << "also when nothing more was written";
  clock.advance(std::chrono::minutes{1});
  chain();
  EXPECT_EQ(verdict().checkpoints, 2) << "what is signed is not signed again";
}

TEST_P(AuditChain, WithoutKeysItIsLinkedAndNotSigned) {
  storage::Statement const forget{"test.forget", "DELETE FROM signing_keys"};
  run(forget);
  TokenKeys nobodys(parts->signing, parts->sealing, clock, random);
  AuditChainer keyless(*audit, nobodys, clock);
  record("a");
  ASSERT_TRUE(wait(keyless.chain_all(soon())));
  EXPECT_TRUE(wait(parts->signing.list(std::chrono::hours{1}, soon())).empty()) << "it makes none";
  EXPECT_EQ(wait(audit->head(default_tenant, soon())).seq, 1);
  EXPECT_TRUE(wait(audit->checkpoints(default_tenant, soon())).empty());
}

TEST_P(AuditChain, EachTenantHasItsOwn) {
  ASSERT_TRUE(wait(data::OrganisationStore(*writer).create(actor(), {.id = TenantId{"acme"}, .name = "A"}, soon())));
  record("a");
  record("b", "acme");
  chain();
  auto const other = wait(verify_audit(*audit, parts->keys, TenantId{"acme"}, {}, soon()));
  EXPECT_EQ(other->links, 1);
  EXPECT_EQ(verdict().links, 2) << "the organisation's making and a";
}

TEST_P(AuditChain, TwoChainersMakeOneChain) {
  AuditChainer second(*audit, parts->keys, clock);
  for (int i = 0; i < 30; ++i) {
    record(std::to_string(i));
    auto mine = loop.start(chainer->chain_all(soon()));
    auto theirs = loop.start(second.chain_all(soon()));
    EXPECT_TRUE(mine.get());
    EXPECT_TRUE(theirs.get());
  }
  chain();
  EXPECT_THAT(verdict().faults, IsEmpty());
  EXPECT_EQ(verdict().links, 30);
}

std::string const third = "(SELECT entry_id FROM audit_chain WHERE tenant_id = 'default' AND seq = 3)";

TEST_P(AuditChain, AnEditedEntryIsFound) {
  expect_found("UPDATE audit_entries SET actor = 'x' WHERE tenant_id = 'default' AND id = " + third, "link 3");
}

TEST_P(AuditChain, AnotherTimeIsFound) {
  expect_found("UPDATE audit_entries SET at = al_now() WHERE tenant_id = 'default' AND id = " + third, "link 3");
}

TEST_P(AuditChain, AnEditedLinkIsFound) {
  expect_found("UPDATE audit_chain SET hash = 'x' WHERE tenant_id = 'default' AND seq = 4", "link 4");
}

TEST_P(AuditChain, ALinkThatIsCutOutIsFound) {
  expect_found("DELETE FROM audit_chain WHERE tenant_id = 'default' AND seq = 2", "link 2 is missing");
}

TEST_P(AuditChain, AnEntryThatIsSlippedInIsFound) {
  expect_found(
      "INSERT INTO audit_entries (tenant_id, id, at, actor, action, target, outcome, address, request_id, details)"
      " VALUES ('default', '0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f10', al_now(), '', 'x', '', 'succeeded', '', '', '{}')",
      "0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f10");
}

TEST_P(AuditChain, AForgedCheckpointIsFound) {
  expect_found("UPDATE audit_checkpoints SET signature = 'AAAA' WHERE tenant_id = 'default'", "not signed by us");
}

TEST_P(AuditChain, AnEndThatIsCutOffIsFound) {
  expect_found("DELETE FROM audit_chain WHERE tenant_id = 'default' AND seq > 3", "its end was cut off");
}

TEST_P(AuditChain, WhatSomebodyHasNotedIsComparedToo) {
  fill();
  auto const noted = verdict();
  EXPECT_THAT(verdict(KnownLink{noted.links, noted.head}).faults, IsEmpty());
  EXPECT_THAT(verdict(KnownLink{noted.links, std::string(64, '0')}).faults, SizeIs(1));
  // Whoever cuts links, entries and checkpoints off leaves a chain that is whole in itself.
  tamper("DELETE FROM audit_checkpoints WHERE tenant_id = 'default'");
  auto const last = "(SELECT entry_id FROM audit_chain WHERE tenant_id = 'default' AND seq = 5)";
  tamper("INSERT INTO audit_pending (tenant_id, entry_id) SELECT 'default', " + std::string(last));
  tamper("DELETE FROM audit_chain WHERE tenant_id = 'default' AND seq = 5");
  EXPECT_THAT(verdict().faults, IsEmpty());
  auto const found = verdict(KnownLink{noted.links, noted.head});
  ASSERT_THAT(found.faults, SizeIs(1));
  EXPECT_THAT(found.faults[0], HasSubstr("the note you gave has seen"));
}

}  // namespace
}  // namespace al::security
