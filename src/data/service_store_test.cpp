#include "data/service_store.hpp"

#include <gmock/gmock.h>

#include "data/service_directory.hpp"
#include "data/store_fixture.hpp"

namespace al::data {
namespace {

using namespace std::chrono_literals;
using model::InstanceId;
using model::InstanceSource;
using model::InstanceStatus;
using model::ServiceInstance;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Moves the database's idea of when something was, since PostgreSQL has a clock of its own. $2 are microseconds.
storage::Statement const move_back{
    "test.move_back",
    "UPDATE service_instances SET heartbeat_at = heartbeat_at - $2 * interval '1 microsecond',"
    " expires_at = expires_at - $2 * interval '1 microsecond',"
    " unhealthy_since = unhealthy_since - $2 * interval '1 microsecond',"
    " next_check_at = next_check_at - $2 * interval '1 microsecond',"
    " ended_at = ended_at - $2 * interval '1 microsecond' WHERE tenant_id = $1",
    "UPDATE service_instances SET heartbeat_at = heartbeat_at - $2, expires_at = expires_at - $2,"
    " unhealthy_since = unhealthy_since - $2, next_check_at = next_check_at - $2, ended_at = ended_at - $2"
    " WHERE tenant_id = $1"};
storage::Statement const count_rows{"test.rows", "SELECT COUNT(*) FROM service_instances WHERE tenant_id = $1"};

class Services : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    use_time_of_database();
    store.emplace(*writer);
  }

  ServiceInstance instance_of(std::string service, std::int64_t port = 8002) {
    clock.advance(1ms);  // ids are in the order of time, by the millisecond
    ServiceInstance instance;
    instance.id = store->new_id();
    instance.name = model::ServiceName{std::move(service)};
    instance.host = "127.0.0.1";
    instance.port = port;
    instance.tags = {"blue", "ü"};
    instance.depends_on = {model::ServiceName{"auth"}};
    instance.metadata.text = "{\"a\" :  1}";
    instance.ttl_seconds = 8;
    return instance;
  }
  ServiceInstance have(ServiceInstance const& instance, std::string process = {}) {
    auto const made = wait(store->add(actor(), instance, std::move(process), soon()));
    EXPECT_TRUE(made) << made.error().message;
    return made.value_or(ServiceInstance{});
  }
  ServiceInstance have(std::string service) { return have(instance_of(std::move(service))); }
  void pass(std::chrono::microseconds time) {
    auto const done = wait(database->apply(
        {storage::Scope::of(default_tenant), {{&move_back, {default_tenant.value, std::int64_t{time.count()}}}}},
        soon()));
    ASSERT_TRUE(done) << done.error().message;
  }
  std::vector<std::string> ids(std::string service = {}) {
    std::vector<std::string> out;
    for (auto const& one : wait(store->all(model::ServiceName{std::move(service)}, soon())))
      out.push_back(one.id.value);
    return out;
  }
  std::string history_of(ServiceInstance const& one) { return history("service", one.id.value); }
  std::vector<InstanceId> beat(std::string process) { return wait(store->beat(std::move(process), {}, soon())); }
  ServiceStore::Due due() { return wait(store->take_due(10s, soon())); }
  Result<ServiceInstance> set(ServiceInstance const& one, InstanceStatus status,
                              std::optional<std::int64_t> expected = {}) {
    return wait(store->set_status(actor(), one.id, status, expected, soon()));
  }
  Code code_of(auto const& result) { return result ? Code::internal : result.error().code; }

  std::optional<ServiceStore> store;
};
AL_ON_EVERY_DATABASE(Services);

TEST_P(Services, WhatIsRegisteredIsFoundAsItWas) {
  auto const wanted = instance_of("search");
  auto const made = have(wanted);
  EXPECT_EQ(made.source, InstanceSource::external);
  EXPECT_EQ(made.status, InstanceStatus::unknown);
  EXPECT_EQ(made.version, 1);
  EXPECT_EQ(made.expires_at, made.heartbeat_at + 8s);
  EXPECT_FALSE(made.checked_at);
  auto const found = wait(store->get(made.id, soon()));
  ASSERT_TRUE(found);
  EXPECT_EQ(entity::to_json(*found), entity::to_json(made));
  EXPECT_EQ(found->tags, wanted.tags);
  EXPECT_EQ(found->depends_on, wanted.depends_on);
  EXPECT_EQ(found->metadata, wanted.metadata);
  have("other");
  EXPECT_EQ(ids("search"), std::vector{made.id.value});
  EXPECT_THAT(ids(), SizeIs(2));
  EXPECT_THAT(ids("nobody"), IsEmpty());
  EXPECT_EQ(history_of(made), "service:registered");
}

TEST_P(Services, PagesGoByServiceAndId) {
  for (auto const* service : {"b", "a", "b", "c"})
    have(service);
  std::string seen;
  PageRequest request{.limit = 3, .cursor = {}, .count_total = true};
  for (;;) {
    auto const page = wait(store->list(request, soon()));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->total, 4);
    for (auto const& one : page->items)
      seen += one.name.value;
    seen += "|";
    if (page->next_cursor.empty())
      break;
    request.cursor = page->next_cursor;
  }
  EXPECT_EQ(seen, "abb|c|");
  for (auto const* wrong : {"x", "b/x", "/", "B/0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f10"})
    EXPECT_EQ(code_of(wait(store->list({.limit = 3, .cursor = wrong}, soon()))), Code::invalid) << wrong;
}

TEST_P(Services, WhoFallsSilentIsGoneAtOnceAndSweptLater) {
  auto const made = have("search");
  pass(7900ms);
  EXPECT_THAT(ids(), SizeIs(1));
  pass(200ms);
  EXPECT_THAT(ids(), IsEmpty());
  EXPECT_EQ(code_of(wait(store->get(made.id, soon()))), Code::not_found);
  EXPECT_EQ(wait(store->list({.limit = 9, .cursor = {}, .count_total = true}, soon()))->total, 0);
  EXPECT_EQ(code_of(set(made, InstanceStatus::healthy)), Code::conflict);
  EXPECT_EQ(code_of(wait(store->remove(actor(), made.id, soon()))), Code::not_found);
  EXPECT_EQ(history_of(made), "service:registered") << "nobody has swept";
  auto const found = due();
  EXPECT_THAT(found.checks, IsEmpty());
  ASSERT_THAT(found.expired, ElementsAre(made.id));
  EXPECT_TRUE(wait(store->expire(made.id, soon())));
  EXPECT_FALSE(wait(store->expire(made.id, soon()))) << "two sweep; one of them says so";
  EXPECT_THAT(due().expired, IsEmpty());
  EXPECT_EQ(history_of(made), "service:registered service:expired");
}

TEST_P(Services, OneStatementKeepsAProcessAliveWithoutAnEvent) {
  auto const first = have(instance_of("auth"), "p");
  auto const second = have(instance_of("gateway"), "p");
  auto const other = have(instance_of("auth"), "q");
  EXPECT_EQ(first.source, InstanceSource::process);
  pass(5s);
  auto const known = wait(store->beat("p", {{first.id.value, 7}}, soon()));
  EXPECT_THAT(known, testing::UnorderedElementsAre(first.id, second.id));
  pass(5s);
  EXPECT_THAT(ids(), testing::UnorderedElementsAre(first.id.value, second.id.value));
  EXPECT_EQ(wait(store->get(first.id, soon()))->connections, 7);
  EXPECT_EQ(wait(store->get(second.id, soon()))->connections, 0);
  EXPECT_THAT(beat("q"), IsEmpty()) << "it is too late";
  EXPECT_THAT(beat("nobody"), IsEmpty());
  EXPECT_EQ(history_of(first), "service:registered");
  EXPECT_EQ(wait(store->get(first.id, soon()))->version, 1);
}

TEST_P(Services, WhoComesBackGoesOnWithItsVersions) {
  auto const made = have(instance_of("auth"), "p");
  pass(9s);
  EXPECT_TRUE(wait(store->expire(made.id, soon())));
  auto again = instance_of("auth", 9999);
  again.id = made.id;
  again.status = InstanceStatus::healthy;
  auto const back = have(again, "p");
  EXPECT_EQ(back.version, 3);
  EXPECT_EQ(back.port, 9999);
  EXPECT_EQ(back.status, InstanceStatus::healthy);
  EXPECT_EQ(history_of(made), "service:registered service:expired service:registered");
  EXPECT_THAT(beat("p"), ElementsAre(made.id));
}

TEST_P(Services, WhatClientsRegisteredSendsHeartbeats) {
  auto const made = have("search");
  pass(5s);
  auto const beaten = wait(store->heartbeat(actor(), made.id, {.connections = 3}, soon()));
  ASSERT_TRUE(beaten);
  EXPECT_EQ(beaten->connections, 3);
  pass(5s);
  EXPECT_THAT(ids(), SizeIs(1));
  pass(5s);
  EXPECT_EQ(code_of(wait(store->heartbeat(actor(), made.id, {}, soon()))), Code::not_found);
  auto const process = have(instance_of("auth"), "p");
  EXPECT_EQ(code_of(wait(store->heartbeat(actor(), process.id, {}, soon()))), Code::conflict);
  EXPECT_EQ(code_of(wait(store->remove_external(actor(), process.id, soon()))), Code::conflict);
  EXPECT_EQ(ids(), std::vector{process.id.value});
}

TEST_P(Services, WithoutATimeToLiveItGoesAfterAMinuteWithoutAnAnswer) {
  auto lasting = instance_of("search");
  lasting.ttl_seconds.reset();
  auto const made = have(lasting);
  EXPECT_FALSE(made.expires_at);
  pass(1h);
  EXPECT_THAT(ids(), SizeIs(1));
  EXPECT_THAT(due().expired, IsEmpty());
  ASSERT_TRUE(set(made, InstanceStatus::unhealthy));
  EXPECT_TRUE(wait(store->get(made.id, soon()))->unhealthy_since);
  pass(59s);
  EXPECT_THAT(due().expired, IsEmpty());
  pass(2s);
  EXPECT_THAT(due().expired, ElementsAre(made.id));
  ASSERT_TRUE(wait(store->heartbeat(actor(), made.id, {}, soon()))) << "it lives all the same";
  EXPECT_FALSE(wait(store->expire(made.id, soon())));
  ASSERT_TRUE(set(made, InstanceStatus::healthy));
  EXPECT_FALSE(wait(store->get(made.id, soon()))->unhealthy_since);
}

TEST_P(Services, AStatusChangesUnderItsVersionAndStoppingStays) {
  auto const made = have("search");
  auto const healthy = set(made, InstanceStatus::healthy, 1);
  ASSERT_TRUE(healthy);
  EXPECT_EQ(healthy->version, 2);
  EXPECT_EQ(code_of(set(made, InstanceStatus::unhealthy, 1)), Code::conflict) << "an old decision";
  EXPECT_EQ(code_of(set(made, InstanceStatus::healthy)), Code::conflict) << "nothing changes";
  ASSERT_TRUE(set(made, InstanceStatus::stopping));
  EXPECT_EQ(code_of(set(made, InstanceStatus::healthy)), Code::conflict);
  EXPECT_EQ(wait(store->get(made.id, soon()))->status, InstanceStatus::stopping);
  ASSERT_TRUE(wait(store->remove(actor(), made.id, soon())));
  EXPECT_EQ(history_of(made), "service:registered service:status_changed service:status_changed service:deregistered");
  EXPECT_THAT(ids(), IsEmpty());
}

TEST_P(Services, ACheckIsTakenByOne) {
  auto const made = have("search");
  auto const stopping = have("search");
  ASSERT_TRUE(set(stopping, InstanceStatus::stopping));
  auto const first = due();
  ASSERT_THAT(first.checks, SizeIs(1));
  EXPECT_EQ(first.checks[0].id, made.id);
  EXPECT_TRUE(first.checks[0].checked_at);
  EXPECT_THAT(due().checks, IsEmpty());
  pass(6s);
  ASSERT_TRUE(wait(store->heartbeat(actor(), made.id, {}, soon())));
  EXPECT_THAT(due().checks, IsEmpty());
  pass(5s);
  EXPECT_THAT(due().checks, SizeIs(1));
  EXPECT_EQ(history_of(made), "service:registered");
}

TEST_P(Services, AreTheInstallationsAlone) {
  auto const made = have("search");
  auto const stranger = actor("other");
  EXPECT_EQ(code_of(wait(store->add(stranger, instance_of("evil"), {}, soon()))), Code::forbidden);
  EXPECT_EQ(code_of(wait(store->heartbeat(stranger, made.id, {}, soon()))), Code::forbidden);
  EXPECT_EQ(code_of(wait(store->set_status(stranger, made.id, InstanceStatus::stopping, {}, soon()))), Code::forbidden);
  EXPECT_EQ(code_of(wait(store->remove(stranger, made.id, soon()))), Code::forbidden);
  EXPECT_EQ(code_of(wait(store->remove_external(stranger, made.id, soon()))), Code::forbidden);
  EXPECT_THAT(ids(), SizeIs(1));
  EXPECT_EQ(history_of(made), "service:registered");
}

TEST_P(Services, WhatEndedIsRemovedADayLater) {
  auto const made = have("search");
  have("lasting");
  ASSERT_TRUE(wait(store->remove(actor(), made.id, soon())));
  auto const rows = [&] {
    return std::get<std::int64_t>(
        wait(database->read(storage::Scope::of(default_tenant), count_rows, {default_tenant.value}, soon()))[0][0]);
  };
  wait(store->purge(soon()));
  EXPECT_EQ(rows(), 2);
  pass(24h);
  wait(store->purge(soon()));
  EXPECT_EQ(rows(), 1);
}

// ---- the directory ----

TEST_P(Services, TheDirectoryLooksOnceASecondAndWhenItIsTold) {
  ServiceDirectory directory(*store, bus, clock);
  auto const found = [&] {
    auto const instances = wait(directory.of("search", soon()));
    return instances ? instances->size() : 0;
  };
  EXPECT_EQ(found(), 0U);
  have("search");
  EXPECT_EQ(found(), 1U) << "it was announced";
  pass(9s);
  EXPECT_EQ(found(), 1U) << "nobody says that a process was killed";
  clock.advance(1s);
  EXPECT_EQ(found(), 0U);
}

TEST_P(Services, TheDirectoryTellsWhatItKnewWhileTheDatabaseIsAway) {
  ServiceDirectory directory(*store, bus, clock);
  have("search");
  EXPECT_TRUE(wait(directory.of("search", soon())));
  clock.advance(2s);
  auto const past = Deadline{std::chrono::steady_clock::now() - 1s};
  EXPECT_TRUE(wait(directory.of("search", past)));
  EXPECT_FALSE(wait(directory.of("nobody", past)));
  ServiceDirectory knows_nothing(*store, bus, clock);
  EXPECT_THROW(wait(knows_nothing.of("search", past)), Unavailable);
}

}  // namespace
}  // namespace al::data
