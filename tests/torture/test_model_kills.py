"""Kills the server at random moments while agents speak with their models: each task is done once, and no answer that
was received is paid for again.

A call counts as received when the provider had sent its whole answer at least MARGIN_MS (50) before the kill and the
process had read all of it: of a killed process with bytes unread the kernel resets the connection, which the provider
sees. What was received must never be asked for again. Answers of the last moment may be on their way into the database
when the kill comes; those that are asked for again are counted and printed.
"""

import collections
import os
import random
import time
import unittest

from support.cases import accounts
from support.conversation import FERRY, delegate, mark_of, search
from support.postgres import Postgres
from support.provider import Answer, Call, ScriptedProvider
from support.server import Server
from support.torture import KILLS, SEED, get, wait_until_all_ended

MARGIN_S = float(os.environ.get("MARGIN_MS", "50")) / 1000
TASKS_PER_KILL = 20
DRAIN_S = 240
AGENT = {"specialization": "timetables", "model": "claude-3-haiku", "max_concurrency": 1000}


def identity_of(call: Call) -> tuple[str, int]:
    """The same place in the same conversation."""
    return mark_of(call), len(call.messages)


class Models:
    """Searches, or every fourth time delegates, then once more searches or not, then answers; each in its own time."""

    def __init__(self, seed):
        self.seed = seed

    def __call__(self, call):
        mark, turns = identity_of(call)
        choose = random.Random(f"{self.seed} {mark} {turns}")  # the same however often it is asked
        delay = choose.uniform(0.02, 0.3)
        number = int(mark.split("-")[1]) if mark else 0
        if turns == 1 and number % 4 == 0 and not mark.endswith("-child"):
            return Answer("", tools=(delegate("helper", f"When? {mark}-child"),), delay_s=delay)
        if turns == 1 or (turns == 3 and number % 3 == 0):
            return Answer("Let me look.", tools=(search(),), delay_s=delay)
        return Answer(f"At noon, {mark}.", delay_s=delay)


class Account:
    """What the provider saw, judged by when the server was killed."""

    def __init__(self, calls, kills):
        self.repeated, self.last_moment, self.received = [], [], 0
        first = {}
        for call in calls:
            identity = identity_of(call)
            known = first.get(identity)
            if known is not None:
                (self.repeated if known else self.last_moment).append(identity)
            if not call.delivered or call.status != 200:
                continue
            kill = next((at for at in kills if at >= call.at), None)
            if kill is not None and call.answered_at > kill:
                continue  # sent to nobody
            is_certain = kill is None or call.answered_at <= kill - MARGIN_S
            self.received += is_certain
            first[identity] = is_certain or known or False


class ModelKills(unittest.TestCase):
    def post(self, path, body):
        return self.server.api("POST", path, body, 201)["id"]

    def torment(self, kills, **environment):
        """Answers the ids of the tasks by their marks, and when the kills were."""
        provider = ScriptedProvider(Models(SEED)).start()
        self.addCleanup(provider.stop)
        settings = accounts(provider, "anthropic") | {
            "WORKER_LEASE_SECONDS": "5",
            "WORKER_CONCURRENCY": "64",
            "LOG_LEVEL": "error",
        }
        self.server, self.provider = Server(environment=settings | environment), provider
        self.addCleanup(self.server.remove)
        choose = random.Random(SEED)
        tasks, killed_at = {}, []
        for round in range(kills):
            self.server.start()
            if round == 0:
                config = {"tools": ["knowledge_search", "delegate"]}
                self.post("/agents", AGENT | {"id": "clerk", "name": "Clerk", "config": config})
                self.post("/agents", AGENT | {"id": "helper", "name": "Helper"})
                self.post("/agents/clerk/knowledge", FERRY)
            known = set(tasks)
            for number in range(round * TASKS_PER_KILL + 1, (round + 1) * TASKS_PER_KILL + 1):
                body = {"description": f"When does the ferry leave? case-{number}", "max_attempts": 20}
                tasks[f"case-{number}"] = self.post("/agents/clerk/tasks", body)
            if round % 3 == 2:  # also those are hit that were hit before
                before = len(provider.calls)
                provider.wait_until(lambda b=before, k=known: any(mark_of(c) in k for c in provider.calls[b:]), 30)
            time.sleep(choose.uniform(0.02, 1.0))
            killed_at.append(time.monotonic())
            self.server.kill()
        self.server.environment.pop("AL_FAILPOINTS", None)  # what is left may end in peace
        self.server.start()
        left = wait_until_all_ended(self.server, DRAIN_S)
        self.assertEqual(0, left, f"seed {SEED}: tasks did not end within {DRAIN_S} s")
        return tasks, killed_at

    def check(self, tasks):
        """What must hold of the tasks; answers a list of violations."""
        wrong = []
        page = get(self.server, "/agents/helper/tasks?limit=500")
        self.assertIsNone(page["next_cursor"], "more children than one page holds")
        children = collections.Counter(task["parent_id"] for task in page["tasks"])
        for mark, id in tasks.items():
            task = get(self.server, f"/tasks/{id}")
            events = get(self.server, f"/events/replay?kind=task&aggregate_id={id}")["events"]
            ends = [e["channel"] for e in events if e["channel"] in ("task:completed", "task:failed", "task:cancelled")]
            if task["status"] != "completed" or ends != ["task:completed"]:
                wrong.append(f"{mark} is {task['status']} ({task['error_message']}), its ends were {ends}")
            elif task["result"]["text"] != f"At noon, {mark}.":
                wrong.append(f"{mark} has the answer of another conversation: {task['result']['text']}")
            if [event["version"] for event in events] != list(range(1, task["version"] + 1)):
                wrong.append(f"{mark} is at version {task['version']} with {len(events)} events")
            expected = int(mark.split("-")[1]) % 4 == 0
            if children[id] != expected:
                wrong.append(f"{mark} delegated {children[id]} times")
        return wrong

    def torture(self, name, kills=KILLS, **environment):
        begun = time.monotonic()
        tasks, killed_at = self.torment(kills, **environment)
        wrong = self.check(tasks)
        resumed = sum(
            any(step["kind"] == "resume" for step in get(self.server, f"/tasks/{id}/steps")["steps"])
            for id in tasks.values()
        )
        self.server.stop()
        self.assertEqual([], [call.refusal for call in self.provider.refused()])
        account = Account(self.provider.calls, killed_at)
        cut = sum(any(c.at <= at < (c.answered_at or 1e18) for at in killed_at) for c in self.provider.calls)
        print(
            f"\n{name}, seed {SEED}: {kills} kills, {len(tasks)} tasks, {resumed} went on with a conversation; "
            f"{len(self.provider.calls)} calls, {account.received} answers received, {cut} cut by a kill; repeated: "
            f"{len(account.repeated)} received at least {MARGIN_S * 1000:.0f} ms before the kill, "
            f"{len(account.last_moment)} in the last moment; {len(wrong)} violations, {time.monotonic() - begun:.0f} s"
        )
        return wrong, account, resumed

    def assert_unharmed(self, result):
        wrong, account, resumed = result
        self.assertEqual([], wrong[:10])
        self.assertEqual([], account.repeated[:10], "answers that were received are paid for again")
        self.assertGreater(resumed, 0, "no kill hit a conversation")

    def test_sqlite(self):
        self.assert_unharmed(self.torture("SQLite"))

    def test_postgres(self):
        postgres = self.enterContext(Postgres())
        self.assert_unharmed(self.torture("PostgreSQL", DATABASE_URL=postgres.create_database("torture")))

    def test_a_late_journal_is_noticed(self):
        """Planted bug: what a model answered waits before it is written down."""
        _, account, _ = self.torture("planted bug", kills=6, AL_FAILPOINTS="agents.answered=delay:200")
        self.assertGreater(len(account.repeated), 0, "the planted bug was not noticed")


if __name__ == "__main__":
    unittest.main()
