"""Several processes of each role under load, while processes, PostgreSQL, Redis and the network fail.

The sizes are variables; README.md beside this file says which. Every test of a fault has a control: with a bug planted,
the same test must find violations.
"""

import collections
import http.client
import json
import os
import random
import signal
import threading
import time
import unittest

from support.checker import check
from support.cluster import Cluster, knows_redis
from support.ordeal import LEASE_S, SWEEP_S, Ordeal, endpoints_of
from support.postgres import Postgres
from support.server import BINARY
from support.torture import KILLS

CALM_ROUNDS = int(os.environ.get("CALM_ROUNDS", "8"))
IDLE_S = float(os.environ.get("IDLE_S", "5"))
LONG_TRANSACTION_S = float(os.environ.get("LONG_TRANSACTION_S", "5"))
PG_RESTARTS = int(os.environ.get("PG_RESTARTS", "4"))
REDIS_FAULTS = int(os.environ.get("REDIS_FAULTS", "5"))
ROLLING_ROUNDS = int(os.environ.get("ROLLING_ROUNDS", "1"))
ZOMBIES = int(os.environ.get("ZOMBIES", "2"))
NETWORK_FAULTS = int(os.environ.get("NETWORK_FAULTS", "8"))
# A zombie is silent for as long as others need to take over what it held, and a little longer.
SILENCE_S = LEASE_S + SWEEP_S + 1
SETTINGS = {"WORKER_LEASE_SECONDS": str(LEASE_S)}
# What the database role may do wrong for us in a control; the program's own statements stay as they are.
TASKS = "agent_lightning.tasks"
EVENTS = "agent_lightning.events"
needs_failpoints = unittest.skipUnless(b"AL_PLANTED_BUG" in BINARY.read_bytes(), "this build has no failpoints")


def kinds(violations):
    return collections.Counter(violation.kind for violation in violations)


class ClusterTest(unittest.TestCase):
    def setUp(self):
        # Controls take as long as what they control; `make torture` runs them.
        if self._testMethodName.endswith("_noticed") and os.environ.get("CONTROLS") == "0":
            self.skipTest("CONTROLS=0")

    def cluster(self, environment=None, **options):
        cluster = Cluster(environment=SETTINGS | (environment or {}), **options)
        self.addCleanup(cluster.remove)
        return cluster.start()

    def ordeal(self, name, cluster, **options):
        return self.enterContext(Ordeal(name, endpoints_of(cluster), **options))

    def assert_unharmed(self, violations, cluster):
        if violations:
            for name, log in cluster.logs().items():
                print(f"--- {name}\n{log[-1500:]}")
        self.assertEqual([], [str(violation) for violation in violations[:10]])
        cluster.stop()  # in order, also after all that

    def assert_noticed(self, violations, *expected):
        self.assertTrue(set(expected) & set(kinds(violations)), f"the planted bug was not noticed: {kinds(violations)}")


class Calm(ClusterTest):
    def test_others_see_a_write_soon(self):
        """Without any fault: within VISIBLE_MS through every process, at once past the caches."""
        cluster = self.cluster()
        ordeal = self.ordeal("calm", cluster)
        for _ in range(CALM_ROUNDS):
            ordeal.load()
        self.assert_unharmed(ordeal.finish(), cluster)


class Idle(ClusterTest):
    """A cluster that nobody uses."""

    STATEMENTS_MAX = 5  # a second and process

    def test_it_hardly_asks_the_database(self):
        postgres = Postgres(settings=("shared_preload_libraries=pg_stat_statements",))
        cluster = self.cluster(postgres=postgres)
        postgres.query("agent_lightning", "CREATE EXTENSION pg_stat_statements SCHEMA public")
        count = "SELECT sum(calls) FROM public.pg_stat_statements"
        time.sleep(5)  # starting has its own statements
        before, begun = int(postgres.query("agent_lightning", count)), time.monotonic()
        time.sleep(IDLE_S)
        asked = int(postgres.query("agent_lightning", count)) - before
        each = asked / (time.monotonic() - begun) / len(cluster.members)
        print(f"\nidle: {each:.1f} statements a second for each of {len(cluster.members)} processes")
        self.assertGreater(asked, 0, "the processes renew leases at least; this counts nothing")
        self.assertLess(each, self.STATEMENTS_MAX)


class LongTransactions(ClusterTest):
    """Transactions stay open that have written; events go on their way all the same."""

    DELAY_MAX_S = 1  # nothing is slower meanwhile; only who waits for those transactions would be

    def ride(self, name, cluster):
        """The ordeal, and the longest time from the answer of a create to its event in a stream."""
        ordeal = self.ordeal(name, cluster)
        with (
            cluster.postgres.open_transaction("elsewhere", "CREATE TABLE public.held (x int)"),
            cluster.postgres.open_transaction("agent_lightning", "CREATE TABLE public.held (x int)"),
        ):
            limit = time.monotonic() + LONG_TRANSACTION_S
            while time.monotonic() < limit:
                ordeal.load()
            time.sleep(self.DELAY_MAX_S)
            entries = ordeal.journal.entries()
        end = entries[-1]["t"]
        told = {e["key"]: e["t"] for e in entries if e["e"] == "ok" and e["version"] == 1}
        seen = {e["key"]: e["t"] for e in reversed(entries) if e["e"] == "seen" and e["version"] == 1}
        delays = [seen.get(key, end) - at for key, at in told.items() if at < end - self.DELAY_MAX_S]
        self.assertGreater(len(delays), 10)
        print(f"\n{name}: {LONG_TRANSACTION_S:.0f} s, {len(delays)} events, longest delay {max(delays) * 1000:.0f} ms")
        return ordeal, max(delays)

    def long_cluster(self):
        cluster = self.cluster(roles=("gateway", "operations", "worker"))
        cluster.postgres.create_database("elsewhere")
        return cluster

    def test_they_delay_no_event(self):
        cluster = self.long_cluster()
        ordeal, delay = self.ride("long transactions", cluster)
        self.assertLess(delay, self.DELAY_MAX_S)
        self.assert_unharmed(ordeal.finish(), cluster)

    def test_a_reader_that_waits_for_them_is_noticed(self):
        """Planted bug, in the database: it shows only what is older than every transaction that is open."""
        cluster = self.long_cluster()
        cluster.postgres.query(
            "agent_lightning",
            f"CREATE POLICY wait ON {EVENTS} AS RESTRICTIVE FOR SELECT"
            " USING (xid < pg_snapshot_xmin(pg_current_snapshot()))",
        )
        _, delay = self.ride("control: waits for all", cluster)
        self.assertGreaterEqual(delay, self.DELAY_MAX_S)


class Passenger(threading.Thread):
    """A client that keeps its connections, and goes to another process only when one lets nobody in."""

    def __init__(self, members, stopping):
        super().__init__(daemon=True)
        self.members, self.stopping = members, stopping
        self.connections: dict[str, http.client.HTTPConnection] = {}
        self.answered = 0
        self.failed: list[str] = []

    def connection(self):
        for member in sorted(self.members, key=lambda _: random.random()):
            known = self.connections.get(member.name)
            if known and known.sock:
                return known
            try:
                opened = member.connect("gateway", 10)
                opened.connect()
            except (OSError, KeyError):
                continue
            self.connections[member.name] = opened
            return opened
        return None

    def run(self):
        headers = self.members[0].headers | {"Content-Type": "application/json"}
        body = json.dumps({"description": "How do I stop SQL injection?"})
        while not self.stopping.wait(0.01):
            connection = self.connection()
            if connection is None:
                continue
            agent = "/api/v1/agents/security_expert"
            ask = random.choice([("GET", agent, None), ("POST", agent + "/tasks", body)])
            try:
                connection.request(*ask, headers)
                response = connection.getresponse()
                response.read()
                if response.status >= 400:
                    self.failed.append(f"{ask[0]} was answered {response.status}")
            except (OSError, http.client.HTTPException) as fault:
                self.failed.append(f"{ask[0]}: {fault!r}")
                connection.close()
            self.answered += 1
        for connection in self.connections.values():
            connection.close()


class RollingRestart(ClusterTest):
    """One process after the other is restarted in order; clients notice nothing."""

    def ride(self, stop):
        cluster = self.cluster(roles=("gateway", "worker"))
        stopping = threading.Event()
        passengers = [Passenger(cluster.of("gateway"), stopping) for _ in range(4)]
        for passenger in passengers:
            passenger.start()
        for member in cluster.members * ROLLING_ROUNDS:
            time.sleep(0.5)
            stop(member)
            member.start()
        time.sleep(0.5)
        stopping.set()
        for passenger in passengers:
            passenger.join(30)
        failed = [fault for passenger in passengers for fault in passenger.failed]
        answered = sum(passenger.answered for passenger in passengers)
        restarts = len(cluster.members) * ROLLING_ROUNDS
        print(f"\nrolling restart: {restarts} restarts, {answered} requests, {len(failed)} failed")
        self.assertGreater(answered, 100 * ROLLING_ROUNDS)
        return failed

    def test_no_request_fails(self):
        self.assertEqual([], self.ride(lambda member: member.stop())[:10])

    def test_a_process_that_is_killed_is_noticed(self):
        self.assertTrue(self.ride(lambda member: member.kill()))


class Kill(ClusterTest):
    """kill -9 of any process."""

    def torment(self, ordeal, cluster, kills):
        for number in range(1, kills + 1):
            if number % 10 == 0:
                ordeal.fault("kill of all", lambda: self.kill_all(cluster), lambda: cluster.start_all(cluster.members))
            else:
                member = ordeal.choose.choice(cluster.members)
                ordeal.fault(f"kill of {member.role}", member.kill, member.start, ordeal.choose.uniform(0, 0.5))

    def kill_all(self, cluster):
        for member in cluster.members:
            member.kill()

    def test_nothing_acknowledged_is_lost(self):
        cluster = self.cluster()
        ordeal = self.ordeal("kill -9", cluster)
        self.torment(ordeal, cluster, KILLS)
        self.assert_unharmed(ordeal.finish(), cluster)

    @needs_failpoints
    def test_a_client_that_repeats_under_another_key_is_noticed(self):
        """Planted bug, in the client. The failpoint makes it likely that a kill comes between commit and answer."""
        cluster = self.cluster(roles=("agent-designer", "operations", "worker"))
        ordeal = self.ordeal("control: new keys", cluster, fresh_keys=True)
        for number in range(5):
            member = cluster.of("agent-designer")[number % 2]
            member.environment["AL_FAILPOINTS"] = "storage.commit.after=delay:30"
            ordeal.fault(f"kill of {member.role}", member.kill, member.start)
        self.assert_noticed(ordeal.finish(), "doubled")

    def test_a_lost_event_is_noticed(self):
        """Planted bug, in the database: now and then a change comes without its event."""
        cluster = self.cluster(roles=("gateway", "worker"), each=1)
        cluster.postgres.query(
            "agent_lightning",
            "CREATE FUNCTION public.lose() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN IF NEW.version = 2 AND random() < 0.2 THEN RETURN NULL; END IF; RETURN NEW; END';"
            f" CREATE TRIGGER lose BEFORE INSERT ON {EVENTS} FOR EACH ROW EXECUTE FUNCTION public.lose()",
        )
        ordeal = self.ordeal("control: lost events", cluster)
        ordeal.load()
        self.assert_noticed(ordeal.finish(), "gap")


class PostgresRestarts(ClusterTest):
    """The database stops, in order or as by a crash, for up to two seconds."""

    def torment(self, ordeal, postgres, faults, ways=(signal.SIGQUIT, signal.SIGINT)):
        for number in range(faults):
            how = ways[number % len(ways)]
            kind = {signal.SIGINT: "fast", signal.SIGQUIT: "immediate"}[how] + " stop of PostgreSQL"
            hold_s = ordeal.choose.uniform(0, 2)
            ordeal.fault(kind, lambda how=how: postgres.stop(how), postgres.start, hold_s)

    def test_nothing_acknowledged_is_lost(self):
        cluster = self.cluster()
        ordeal = self.ordeal("PostgreSQL restarts", cluster)
        self.torment(ordeal, cluster.postgres, PG_RESTARTS)
        self.assert_unharmed(ordeal.finish(), cluster)

    def test_a_database_that_does_not_sync_is_noticed(self):
        """Planted bug, in the database's settings: it acknowledges before its log is on disk."""
        postgres = Postgres(settings=("synchronous_commit=off", "wal_writer_delay=10s"))
        cluster = self.cluster(roles=("gateway", "worker"), each=1, postgres=postgres)
        ordeal = self.ordeal("control: no sync", cluster)
        self.torment(ordeal, postgres, 2, ways=(signal.SIGQUIT,))
        self.assert_noticed(ordeal.finish(), "lost", "tail order")


@unittest.skipUnless(knows_redis(), "this build does not speak with Redis")
class RedisFaults(ClusterTest):
    """Redis is only doorbell and cache: without it everything is slower, and nothing is wrong or lost."""

    def torment(self, ordeal, redis, faults):
        kinds = {
            "stop of Redis": (redis.stop, redis.start),
            "kill of Redis": (redis.kill, redis.start),
            "FLUSHALL": (redis.flush, lambda: None),
            "pause of Redis": (redis.pause, redis.resume),
            "restart of Redis": (lambda: (redis.stop(), redis.start()), lambda: None),
        }
        for number in range(faults):
            kind = list(kinds)[number % len(kinds)]
            ordeal.fault(kind, *kinds[kind], ordeal.choose.uniform(0.2, 3))

    def test_nothing_is_lost_or_stale(self):
        cluster = self.cluster()
        ordeal = self.ordeal("Redis faults", cluster)
        self.torment(ordeal, cluster.redis, REDIS_FAULTS)
        self.assert_unharmed(ordeal.finish(), cluster)

    @unittest.skipUnless(b"cache_never_expires" in BINARY.read_bytes(), "this build has not that planted bug")
    def test_a_stale_cache_is_noticed(self):
        """Planted bug: what a process has cached neither ends nor hears of changes."""
        cluster = self.cluster({"AL_PLANTED_BUG": "cache_never_expires"}, roles=("gateway", "worker"))
        ordeal = self.ordeal("control: stale cache", cluster)
        ordeal.load()
        self.assert_noticed(ordeal.finish(), "stale read", "differs")

    @unittest.skipUnless(b"cache_keeps_older" in BINARY.read_bytes(), "this build has not that planted bug")
    def test_old_rows_that_stay_in_redis_are_noticed(self):
        """Planted bug: nobody takes out of Redis what has changed."""
        cluster = self.cluster({"AL_PLANTED_BUG": "cache_keeps_older"}, roles=("gateway", "worker"))
        ordeal = self.ordeal("control: old rows", cluster)
        for _ in range(80):  # a task must be read between its end and its retry
            ordeal.load()
        self.assert_noticed(ordeal.finish(), "stale read", "differs")


class Zombies(ClusterTest):
    """A worker stands still past its lease while it holds tasks, and then goes on as if nothing had been."""

    def held_tasks(self, cluster):
        """An answer takes milliseconds; what was begun long before is held by the one that stands still."""
        return int(
            cluster.postgres.query(
                "agent_lightning",
                f"SELECT COUNT(*) FROM {TASKS} WHERE status = 'started' AND started_at < now() - interval '400 ms'",
            )
        )

    def pause_with_tasks(self, cluster, worker):
        for _ in range(100):
            worker.pause()
            time.sleep(0.5)
            if held := self.held_tasks(cluster):
                return held
            worker.resume()
            time.sleep(0.02)
        raise AssertionError(f"{worker.name} never held a task when it was stopped")

    def torment(self, ordeal, cluster, zombies):
        held = 0
        for number in range(zombies):
            worker = cluster.of("worker")[number % 2]

            def strike(worker=worker):
                nonlocal held
                held += self.pause_with_tasks(cluster, worker)

            ordeal.fault("zombie", strike, worker.resume, SILENCE_S)
        ordeal.notes.append(f"{held} tasks held by zombies")

    def settings(self):
        """Where the build can, a worker dwells between the answer and its storing."""
        return {"AL_FAILPOINTS": "worker.finish.before=delay:10"} if b"AL_FAILPOINTS" in BINARY.read_bytes() else {}

    def test_late_writes_are_refused(self):
        cluster = self.cluster(self.settings(), roles=("gateway", "agent-designer", "operations", "worker"))
        ordeal = self.ordeal("zombie workers", cluster)
        self.torment(ordeal, cluster, ZOMBIES)
        self.assert_unharmed(ordeal.finish(), cluster)

    @needs_failpoints
    def test_a_stale_epoch_is_noticed(self):
        """Planted bug, in the database: a second claim of a task has the epoch of the first one."""
        cluster = self.cluster(self.settings(), roles=("gateway", "worker"))
        cluster.postgres.query(
            "agent_lightning",
            "CREATE FUNCTION public.forget() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN NEW.epoch := LEAST(NEW.epoch, 1); RETURN NEW; END';"
            f" CREATE TRIGGER forget BEFORE UPDATE ON {TASKS} FOR EACH ROW EXECUTE FUNCTION public.forget()",
        )
        ordeal = self.ordeal("control: no epoch", cluster, drain_s=5)  # some tasks never end
        self.torment(ordeal, cluster, 3)
        self.assert_noticed(ordeal.finish(), "stale answer")


class Network(ClusterTest):
    """The links between a process and its PostgreSQL and Redis are cut, silent, one-way, slow or reset."""

    def fault_of(self, ordeal, link, is_worker):
        """Name, what is done, for how long, and what ends it."""
        choose = ordeal.choose
        way = choose.choice(("up", "down"))
        number = choose.randint(1, 3000)
        short, long = choose.uniform(0.3, 3), SILENCE_S if is_worker else choose.uniform(0.3, 3)
        return choose.choice(
            (
                ("cut", link.cut, short, link.heal),
                ("black hole", link.black_hole, long, link.heal),
                (f"one-way cut, {way}", lambda: link.one_way(way), long, link.heal),
                ("delay", lambda: link.delay(0.2), short, link.heal),
                ("reset", link.reset, 0, link.heal),
                ("reset in an answer", lambda: link.kill_after(number), short, link.heal),
                ("lost answers", lambda: link.one_way("down"), short, lambda: self.lose_answers(link)),
            )
        )

    def lose_answers(self, link):
        """What the server did while nothing came back stays unknown."""
        link.reset()
        link.heal()

    def test_nothing_is_lost_or_done_twice(self):
        cluster = self.cluster(proxied=True)
        ordeal = self.ordeal("network", cluster)
        for _ in range(NETWORK_FAULTS):
            member = ordeal.choose.choice(cluster.members)
            links = [link for link in (member.database_link, member.redis_link) if link]
            link = ordeal.choose.choice(links)
            kind, strike, hold_s, heal = self.fault_of(ordeal, link, member.role == "worker")
            ordeal.fault(kind, strike, heal, hold_s)
        self.assert_unharmed(ordeal.finish(), cluster)

    def test_unknown_outcomes_that_are_taken_for_failures_are_noticed(self):
        """Planted bug, in the journal: what nobody knows is written down as refused. It shows that writes are committed
        and not answered, which is what the test above is about."""
        cluster = self.cluster(proxied=True, roles=("agent-designer", "operations", "worker"))
        ordeal = self.ordeal("control: unknown is refused", cluster)
        for link in (member.database_link for member in cluster.of("agent-designer")):
            ordeal.fault("lost answers", lambda l=link: l.one_way("down"), lambda l=link: self.lose_answers(l), 0.5)
        ordeal.finish()
        refused = [entry | {"e": "fail"} if entry["e"] == "info" else entry for entry in ordeal.entries]
        self.assert_noticed(check(refused, ordeal.final, ordeal.bounds), "phantom")


if __name__ == "__main__":
    unittest.main()
