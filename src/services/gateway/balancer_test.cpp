#include "services/gateway/balancer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>

namespace al::services::gateway {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;
using enum Availability;

Instance const a{.host = "a", .port = 1};
Instance const b{.host = "b", .port = 1};
Instance const c{.host = "c", .port = 1};
Outcome const good{.kind = Outcome::Kind::answered, .status = 200};
Outcome const bad{.kind = Outcome::Kind::answered, .status = 503};

class BalancerTest : public testing::Test {
 protected:
  void make(std::vector<Instance> instances, Balancing balancing = Balancing::round_robin) {
    balancer = std::make_unique<Balancer>(Service{.name = "agent-designer",
                                                  .instances = std::move(instances),
                                                  .balancing = balancing,
                                                  .breaker = {.failures = 2, .window = 60s, .open_for = 30s},
                                                  .health = {.interval = 10s}});
  }

  Balancer::Attempt begin(std::vector<Instance> const& tried = {}) { return balancer->pick(tried, now).value(); }

  /// One call from begin to end: the host that it went to, or "none".
  std::string call(Outcome const& outcome = good, std::vector<Instance> const& tried = {}) {
    auto attempt = balancer->pick(tried, now);
    if (!attempt)
      return "none";
    attempt->report(outcome, now);
    return attempt->instance().host;
  }

  /// "abcab"
  std::string calls(int times) {
    std::string out;
    for (int i = 0; i < times; ++i)
      out += call();
    return out;
  }

  /// How many of `times` calls, each of which ends before the next, went to whom.
  std::map<std::string, int> shares(int times) {
    std::map<std::string, int> out;
    for (int i = 0; i < times; ++i)
      ++out[call()];
    return out;
  }

  /// As shares(), but the calls stay in flight.
  std::map<std::string, int> hold(int times) {
    std::map<std::string, int> out;
    for (int i = 0; i < times; ++i)
      ++out[held.emplace_back(begin()).instance().host];
    return out;
  }

  std::map<std::string, std::int64_t> in_flight() const {
    std::map<std::string, std::int64_t> out;
    for (auto const& view : balancer->view(now))
      out[view.instance.host] = view.in_flight;
    return out;
  }

  BreakerState breaker_of(Instance const& instance) const {
    for (auto const& view : balancer->view(now)) {
      if (view.instance == instance)
        return view.breaker;
    }
    ADD_FAILURE() << "no such instance";
    return BreakerState::open;
  }

  std::unique_ptr<Balancer> balancer;
  std::vector<Balancer::Attempt> held;
  SteadyTime now{24h};
};

// ---- shares ----

TEST_F(BalancerTest, RoundRobinTakesTurns) {
  make({a, b, c});
  EXPECT_EQ(calls(7), "abcabca");
}

TEST_F(BalancerTest, RoundRobinDoesNotLookAtCallsInFlight) {
  make({a, b});
  auto const first = begin();
  auto const second = begin();
  auto const third = begin();
  EXPECT_EQ(first.instance(), a);
  EXPECT_EQ(third.instance(), a);
  EXPECT_THAT(in_flight(), ElementsAre(Pair("a", 2), Pair("b", 1)));
  EXPECT_EQ(calls(1), "b");
}

TEST_F(BalancerTest, LeastConnectionsTakesTheIdlest) {
  make({a, b, c}, Balancing::least_connections);
  auto slow = begin();
  EXPECT_EQ(slow.instance(), a);
  EXPECT_EQ(calls(4), "bcbc") << "a has one in flight; the others take turns";
  {
    auto const other = begin();
    EXPECT_EQ(other.instance(), b);
    EXPECT_EQ(calls(2), "cc");
    EXPECT_THAT(in_flight(), ElementsAre(Pair("a", 1), Pair("b", 1), Pair("c", 0)));
  }
  EXPECT_EQ(calls(2), "bc") << "the end of an attempt frees its place";
  slow.report(good, now);
  EXPECT_THAT(in_flight(), ElementsAre(Pair("a", 1), Pair("b", 0), Pair("c", 0))) << "it lasts until it is gone";
}

TEST_F(BalancerTest, AMovedAttemptCountsOnce) {
  make({a});
  {
    auto first = begin();
    auto const second = std::move(first);
    EXPECT_THAT(in_flight(), ElementsAre(Pair("a", 1)));
    EXPECT_EQ(second.instance(), a);
  }
  EXPECT_THAT(in_flight(), ElementsAre(Pair("a", 0)));
}

// ---- who gets nothing ----

TEST_F(BalancerTest, LeavesOutWhoIsDownOrDraining) {
  make({a, b, c});
  balancer->set_availability(b, down, now);
  EXPECT_EQ(calls(4), "acac");
  auto const running = begin();
  EXPECT_EQ(running.instance(), a);
  balancer->set_availability(a, draining, now);
  EXPECT_EQ(calls(3), "ccc");
  EXPECT_THAT(in_flight(), ElementsAre(Pair("a", 1), Pair("b", 0), Pair("c", 0))) << "what it has goes on";
  balancer->set_availability(c, down, now);
  EXPECT_EQ(call(), "none");
  balancer->set_availability({.host = "d", .port = 1}, up, now);
  EXPECT_EQ(call(), "none");
  balancer->set_availability(a, up, now);
  EXPECT_EQ(call(), "a");
}

TEST_F(BalancerTest, TakesTheTriedOnesLast) {
  for (auto const balancing : {Balancing::round_robin, Balancing::least_connections}) {
    make({a, b, c}, balancing);
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(call(good, {a, b}), "c");
      EXPECT_EQ(call(good, {b, c}), "a");
    }
    balancer->set_availability(c, down, now);
    EXPECT_THAT(call(good, {a}), "b");
    EXPECT_THAT(call(good, {a, b}), testing::AnyOf("a", "b")) << "there is no other";
    balancer->set_availability(a, down, now);
    EXPECT_EQ(call(good, {b}), "b");
    balancer->set_availability(b, down, now);
    EXPECT_EQ(call(good, {b}), "none");
  }
}

TEST_F(BalancerTest, SaysWhoIsMissingAndWhenToComeAgain) {
  make({});
  auto const empty = balancer->pick({}, now);
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, Code::unavailable);
  EXPECT_EQ(empty.error().message, "The service agent-designer takes no calls now: it has no instance.");
  EXPECT_EQ(empty.error().retry_after, 10s) << "until it is looked at again";

  make({a, b});
  balancer->set_availability(a, down, now);
  balancer->set_availability(b, draining, now);
  EXPECT_EQ(balancer->pick({}, now).error().message,
            "The service agent-designer takes no calls now: none of its instances is well.");
  EXPECT_EQ(balancer->pick({}, now).error().retry_after, 10s);

  balancer->set_availability(a, up, now);
  EXPECT_EQ(call(bad) + call(bad), "aa");
  now += 25'500ms;
  EXPECT_EQ(balancer->pick({}, now).error().retry_after, 5s) << "4.5 s, until its breaker lets one try";
  now += 4'500ms;
  auto const probe = begin();
  EXPECT_EQ(balancer->pick({}, now).error().retry_after, 1s) << "the probe is on its way";
}

// ---- breakers ----

TEST_F(BalancerTest, AnOpenBreakerKeepsCallsAway) {
  make({a, b});
  EXPECT_EQ(call(bad) + call(good) + call(bad), "aba");
  EXPECT_EQ(breaker_of(a), BreakerState::open);
  EXPECT_EQ(calls(3), "bbb");
  EXPECT_EQ(call(bad) + call(bad), "bb");
  EXPECT_EQ(breaker_of(b), BreakerState::closed) << "2 of 6";
}

TEST_F(BalancerTest, TheNextCallProbes) {
  for (auto const balancing : {Balancing::round_robin, Balancing::least_connections}) {
    make({a, b}, balancing);
    EXPECT_EQ(call(bad) + call(good) + call(bad), "aba");
    now += 30s;
    auto probe = begin();
    EXPECT_EQ(probe.instance(), a) << "else a service with little to do would never find out";
    EXPECT_EQ(calls(3), "bbb") << "one at a time";
    probe.report(bad, now);
    EXPECT_EQ(breaker_of(a), BreakerState::open);
    EXPECT_EQ(calls(2), "bb");
    now += 30s;
    EXPECT_EQ(call(good), "a");
    EXPECT_EQ(breaker_of(a), BreakerState::closed);
  }
}

TEST_F(BalancerTest, AnAbandonedProbeMakesRoomForTheNext) {
  make({a});
  EXPECT_EQ(call(bad) + call(bad), "aa");
  now += 30s;
  {
    auto const probe = begin();
    EXPECT_EQ(call(), "none");
  }
  EXPECT_EQ(breaker_of(a), BreakerState::half_open);
  EXPECT_EQ(call(good), "a");
  EXPECT_EQ(breaker_of(a), BreakerState::closed);
}

TEST_F(BalancerTest, AProbeIsNotWhatWasTried) {
  make({a, b});
  EXPECT_EQ(call(bad) + call(good) + call(bad), "aba");
  now += 30s;
  EXPECT_EQ(call(good, {a}), "b");
  EXPECT_EQ(breaker_of(a), BreakerState::half_open);
}

// ---- coming back ----

TEST_F(BalancerTest, WhoComesBackWarmsUpInTurns) {
  make({a, b, c});
  balancer->set_availability(a, down, now);
  EXPECT_EQ(shares(20)["a"], 0);
  balancer->set_availability(a, up, now);
  EXPECT_THAT(shares(21), ElementsAre(Pair("a", 1), Pair("b", 10), Pair("c", 10))) << "a tenth of a share";
  now += 5s;
  EXPECT_THAT(shares(51), ElementsAre(Pair("a", 11), Pair("b", 20), Pair("c", 20))) << "0.55 of a share";
  now += 5s;
  EXPECT_THAT(shares(30), ElementsAre(Pair("a", 10), Pair("b", 10), Pair("c", 10)));
}

TEST_F(BalancerTest, WhoComesBackWarmsUpUnderLoad) {
  make({a, b, c}, Balancing::least_connections);
  balancer->set_availability(a, down, now);
  EXPECT_THAT(hold(6), ElementsAre(Pair("b", 3), Pair("c", 3)));
  balancer->set_availability(a, up, now);
  EXPECT_THAT(hold(12), ElementsAre(Pair("b", 6), Pair("c", 6))) << "it would have had the first three at least";
  EXPECT_THAT(hold(1), ElementsAre(Pair("a", 1))) << "one, where the others have nine";
  now += 10s;
  EXPECT_THAT(hold(8), ElementsAre(Pair("a", 8)));
  EXPECT_THAT(hold(3), UnorderedElementsAre(Pair("a", 1), Pair("b", 1), Pair("c", 1)));
}

TEST_F(BalancerTest, WhoseBreakerClosesWarmsUp) {
  make({a, b});
  EXPECT_EQ(call(bad) + call(good) + call(bad), "aba");
  now += 30s;
  EXPECT_EQ(call(good), "a");
  EXPECT_THAT(shares(11), ElementsAre(Pair("a", 1), Pair("b", 10)));
  now += 10s;
  EXPECT_THAT(shares(10), ElementsAre(Pair("a", 5), Pair("b", 5)));
}

TEST_F(BalancerTest, WarmAloneTheyAreEquals) {
  make({a, b});
  balancer->set_availability(a, down, now);
  balancer->set_availability(b, down, now);
  balancer->set_availability(a, up, now);
  balancer->set_availability(b, up, now);
  EXPECT_EQ(calls(4), "abab");
}

// ---- discovery ----

TEST_F(BalancerTest, FollowsWhoIsThere) {
  make({});
  balancer->set_instances(std::vector{a, b, a}, now);
  EXPECT_EQ(calls(4), "abab") << "the first ones need not warm up, and none is there twice";
  EXPECT_EQ(call(bad) + call(good) + call(bad), "aba");
  balancer->set_instances(std::vector{c, a}, now);
  EXPECT_EQ(breaker_of(a), BreakerState::open) << "who stays keeps what is known of it";
  EXPECT_EQ(calls(2), "cc");
  now += 10s;
  balancer->set_instances(std::vector{c, b}, now);
  EXPECT_THAT(shares(11), ElementsAre(Pair("b", 1), Pair("c", 10))) << "who joins others warms up";
}

TEST_F(BalancerTest, ACallOutlivesItsInstanceAndTheBalancer) {
  make({a});
  auto attempt = begin();
  balancer->set_instances(std::vector{b}, now);
  EXPECT_THAT(in_flight(), ElementsAre(Pair("b", 0)));
  EXPECT_EQ(attempt.instance(), a);
  balancer.reset();
  attempt.report(bad, now);
}

TEST_F(BalancerTest, HoldsItsLimit) {
  make({});
  std::vector<Instance> many;
  for (std::uint16_t port = 1; port <= GatewayConfig::instances_max + 1; ++port)
    many.push_back({.host = "a", .port = port});
  balancer->set_instances(many, now);
  EXPECT_EQ(balancer->view(now).size(), GatewayConfig::instances_max);
}

TEST_F(BalancerTest, MayBeUsedFromSeveralThreads) {
  make({a, b, c}, Balancing::least_connections);
  std::atomic<int> answered = 0;
  auto const work = [&] {
    for (int i = 0; i < 2000; ++i) {
      auto attempt = balancer->pick({}, now);
      if (!attempt)
        continue;
      ++answered;
      if (i % 3 != 0)
        attempt->report(good, now);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back(work);
    for (int i = 0; i < 200; ++i) {
      balancer->set_availability(a, i % 2 == 0 ? down : up, now);
      balancer->set_instances(std::vector{a, b, c}, now);
    }
  }
  EXPECT_EQ(answered, 8000);
  EXPECT_THAT(in_flight(), ElementsAre(Pair("a", 0), Pair("b", 0), Pair("c", 0)));
}

}  // namespace
}  // namespace al::services::gateway
