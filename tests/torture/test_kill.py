"""Kills the server at random moments under load and checks that nothing acknowledged is lost."""

import collections
import http.client
import json
import os
import random
import shutil
import threading
import time
import unittest

from support.postgres import Postgres
from support.server import Server
from support.torture import KILLS, SEED, get, wait_until_all_ended

WRITES_PER_KILL = 200
CLIENTS = 8
AGENTS = ["security_expert", "developer", "writer", "optimizer"]
TERMINAL = {"completed": "task:completed", "failed": "task:failed", "cancelled": "task:cancelled"}


class Client(threading.Thread):
    """Creates tasks one after the other and writes down which were acknowledged."""

    def __init__(self, server, number, seed):
        super().__init__(daemon=True)
        self.server, self.number = server, number
        self.random = random.Random(seed)
        self.acknowledged = []
        self.stopping = threading.Event()

    def run(self):
        connection = self.server.connect(timeout_s=10)
        try:
            while not self.stopping.is_set():
                body = json.dumps(
                    {
                        "description": f"How do I stop SQL injection? {self.number}",
                        "priority": self.random.choice(["low", "normal", "high", "urgent"]),
                    }
                )
                path = f"/api/v1/agents/{self.random.choice(AGENTS)}/tasks"
                connection.request("POST", path, body, self.server.headers)
                response = connection.getresponse()
                answer = response.read()
                if response.status == 201:
                    self.acknowledged.append(json.loads(answer)["id"])
        except (OSError, http.client.HTTPException):
            pass  # killed: what was under way is unknown
        finally:
            connection.close()


def pages(server, path, key, cursor_name):
    cursor, out = None, []
    while True:
        page = get(server, path + (f"&{cursor_name}={cursor}" if cursor else ""))
        out += page[key]
        cursor = page.get("next_cursor")
        if not cursor or (key == "events" and not page["more"]):
            return out


def check(server, acknowledged):
    """What must hold after the last restart; answers a list of violations."""
    wrong = []
    tasks = {task["id"]: task for task in pages(server, "/tasks?limit=500", "tasks", "cursor")}
    lost = [id for id in acknowledged if id not in tasks]
    if lost:
        wrong.append(f"{len(lost)} acknowledged tasks are gone, for example {lost[0]}")
    events = pages(server, "/events?limit=500", "events", "after")
    if len({event["event_id"] for event in events}) != len(events):
        wrong.append("an event comes twice")
    histories = collections.defaultdict(list)
    for event in events:
        histories[(event["channel"].split(":")[0], event["aggregate_id"])].append(event)
    for key, history in histories.items():
        versions = [event["version"] for event in history]
        if versions != list(range(1, len(versions) + 1)):
            wrong.append(f"versions of {key} have a gap, are doubled or out of order: {versions}")
    for id, task in tasks.items():
        history = histories.get(("task", id), [])
        ends = [event["channel"] for event in history if event["channel"] in TERMINAL.values()]
        if task["status"] not in TERMINAL:
            wrong.append(f"task {id} never ended: {task['status']}")
        elif ends != [TERMINAL[task["status"]]]:
            wrong.append(f"task {id} is {task['status']} but its ends were {ends}")
        if task["version"] != len(history):
            wrong.append(f"task {id} is at version {task['version']} with {len(history)} events")
    return wrong, len(tasks), len(events)


def torment(server, running_tasks, kills, seed):
    """Runs `kills` rounds of load and SIGKILL. Answers acknowledged ids and how many kills hit running tasks."""
    choose = random.Random(seed)
    acknowledged, hit_running = [], 0
    for _ in range(kills):
        server.start()
        clients = [Client(server, n, choose.random()) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        limit = time.monotonic() + 60
        while sum(len(c.acknowledged) for c in clients) < WRITES_PER_KILL and time.monotonic() < limit:
            time.sleep(0.001)
        time.sleep(choose.uniform(0, 0.05))
        server.kill()
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(20)
            acknowledged += client.acknowledged
        hit_running += running_tasks() > 0
    return acknowledged, hit_running


class Kill(unittest.TestCase):
    def torture(self, server, running_tasks, kills=KILLS):
        acknowledged, hit_running = torment(server, running_tasks, kills, SEED)
        server.start()
        try:
            wait_until_all_ended(server, 180)
            wrong, tasks, events = check(server, acknowledged)
        finally:
            server.stop()
        print(
            f"\nseed {SEED}: {kills} kills, {hit_running} while tasks ran, {len(acknowledged)} acknowledged, "
            f"{tasks} tasks, {events} events, {len(wrong)} violations; a loss in one kill is below {3 / kills:.3f}"
        )
        return wrong, hit_running, len(acknowledged)

    def server(self, **environment):
        environment = {"WORKER_LEASE_SECONDS": "5", "LOG_LEVEL": "error"} | environment
        server = Server(environment=environment)
        self.addCleanup(server.remove)
        return server

    def running_in_sqlite(self, server):
        import sqlite3

        database = sqlite3.connect(f"file:{server.data}/agent-lightning.db?mode=ro", uri=True)
        try:
            return database.execute("SELECT COUNT(*) FROM tasks WHERE status = 'started'").fetchone()[0]
        finally:
            database.close()

    def assert_unharmed(self, result, kills=KILLS):
        wrong, hit_running, acknowledged = result
        self.assertEqual([], wrong[:10])
        self.assertGreaterEqual(acknowledged, kills * WRITES_PER_KILL)
        self.assertGreaterEqual(hit_running, 0.3 * kills)

    def test_sqlite(self):
        server = self.server()
        self.assert_unharmed(self.torture(server, lambda: self.running_in_sqlite(server)))

    def test_postgres(self):
        postgres = self.enterContext(Postgres())
        server = self.server(DATABASE_URL=postgres.create_database("torture"))
        running = lambda: int(
            postgres.query("torture", "SELECT COUNT(*) FROM agent_lightning.tasks WHERE status = 'started'")
        )
        self.assert_unharmed(self.torture(server, running))

    def test_an_early_acknowledgement_is_noticed(self):
        """Planted bug: the writer answers before it commits."""
        server = self.server(AL_PLANTED_BUG="ack_before_commit", AL_FAILPOINTS="storage.commit.before=delay:10")
        wrong, _, _ = self.torture(server, lambda: 1, kills=5)
        self.assertTrue(any("gone" in text for text in wrong), "the planted bug was not noticed")


@unittest.skipUnless(shutil.which("strace"), "strace is installed by scripts/bootstrap")
class Sync(unittest.TestCase):
    """An acknowledgement comes after a sync, seen from the kernel."""

    def syncs_before_acks(self, **environment):
        server = Server(environment={"LOG_LEVEL": "error"} | environment)
        self.addCleanup(server.remove)
        trace = os.path.join(server.data, "trace")
        server.start(
            wrapper=[
                "strace",
                "-f",
                "-qq",
                "-e",
                "trace=fdatasync,fsync,sendmsg,sendto,write,writev",
                "-s",
                "24",
                "-o",
                trace,
            ]
        )
        with open(trace, "rb") as file:
            before = file.seek(0, 2)
        for _ in range(20):
            server.api("POST", "/agents/writer/tasks", {"description": "x"}, 201)
        server.stop()
        acks, unsynced, synced = 0, 0, False
        with open(trace, encoding="utf-8", errors="replace") as file:
            file.seek(before)
            for line in file:
                if "sync(" in line and "unfinished" not in line or "sync resumed" in line:
                    synced = True
                elif "HTTP/1.1 201" in line:
                    acks += 1
                    unsynced += not synced
                    synced = False
        return acks, unsynced

    def test_every_acknowledgement_has_its_sync(self):
        acks, unsynced = self.syncs_before_acks()
        self.assertEqual((20, 0), (acks, unsynced))

    def test_a_database_that_does_not_sync_is_noticed(self):
        """Planted bug: synchronous=OFF."""
        acks, unsynced = self.syncs_before_acks(AL_PLANTED_BUG="synchronous_off")
        self.assertEqual(20, acks)
        self.assertGreater(unsynced, 0, "the planted bug was not noticed")


if __name__ == "__main__":
    unittest.main()
