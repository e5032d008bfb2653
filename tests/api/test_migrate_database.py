"""`agent-lightning migrate-database`: a server on SQLite becomes one on PostgreSQL, and nobody notices."""

import contextlib
import hashlib
import json
import pathlib
import sqlite3
import time
import unittest

from support.postgres import Postgres
from support.server import Server

TASKS_TIMEOUT_S = 120
LISTS = (
    "/agents?limit=100",
    "/tasks?limit=100",
    "/knowledge?agent_id=moved&limit=100",
    "/models",
    "/providers",
    "/providers/later",
    "/sessions",
    "/models/usage",
    "/events/replay?kind=agent&aggregate_id=moved",
)


class MigrateDatabaseTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = cls.enterClassContext(Postgres())
        cls.databases = 0

    def new_database(self):
        """Its name and its URL."""
        type(self).databases += 1
        name = f"move_{self.databases}"
        return name, self.postgres.create_database(name)

    def installation(self, **environment):
        """A server of its own that is not started."""
        server = Server({"PROVIDERS_ALLOWED_HOSTS": "api.openai.com", "WORKER_CONCURRENCY": "2"} | environment)
        self.addCleanup(server.remove)
        return server

    def refused(self, server, *arguments, code=1, **environment):
        done = server.run("migrate-database", *arguments, environment=environment)
        self.assertEqual((code, ""), (done.returncode, done.stdout), done.stderr)
        self.assertTrue(done.stderr.startswith("error: "), done.stderr)
        return done.stderr

    def is_marked(self, name):
        """Whether the database holds a copy that is not finished."""
        return self.postgres.query(name, "SELECT to_regclass('agent_lightning.database_copy') IS NOT NULL") == "t"

    def fill(self, server):
        agent = {"id": "moved", "name": "Żółw ☃𝄞", "model": "m", "specialization": "s", "config": {"a": [1.5e300]}}
        server.api("POST", "/agents", agent, 201)
        server.api("POST", "/agents/moved/knowledge", {"id": "large", "content": "volcanoes é" * 20_000}, 201)
        server.api("POST", "/agents/moved/knowledge", {"id": "gone", "content": "volcanoes"}, 201)
        server.api("DELETE", "/knowledge/gone?agent_id=moved")
        session = server.api("POST", "/sessions", {"agent_id": "moved"}, 201)["id"]
        server.api("POST", f"/sessions/{session}/messages", {"role": "user", "content": "sträuße"}, 201)
        for number in range(20):
            task = server.api("POST", "/agents/moved/tasks", {"description": f"volcanoes {number}"}, 201)
            server.ended(task["id"], TASKS_TIMEOUT_S)
        key = {"Idempotency-Key": "once"}
        once = server.api("POST", "/agents/moved/tasks", {"description": "only once"}, 201, key)["id"]
        server.ended(once, TASKS_TIMEOUT_S)
        provider = {"id": "later", "kind": "openai", "base_url": "https://api.openai.com/v1", "key": "sk-sealed"}
        server.api("POST", "/providers", provider, 201)
        return once

    def settle(self, server):
        """Until the uses of knowledge are counted, which the worker does every few seconds."""
        limit = time.monotonic() + TASKS_TIMEOUT_S
        while '{"knowledge_uses":' in server.run("export").stdout:
            self.assertLess(time.monotonic(), limit, "the uses were not counted")
            time.sleep(0.2)

    def answers(self, server):
        """What clients see of it, by route."""
        seen = {}
        for path in LISTS:
            status, answer = server.call("GET", "/api/v1" + path)
            self.assertIn(status, (200, 404), f"{path}: {answer}")
            seen[path] = (status, answer)
        seen["search"] = server.api("POST", "/knowledge/search", {"query": "volcanoes", "agent_id": "moved"})["results"]
        return seen

    def last_events(self, data):
        """The numbers of the last five."""
        with contextlib.closing(sqlite3.connect(f"file:{data}/agent-lightning.db?mode=ro", uri=True)) as source:
            return sorted(seq for (seq,) in source.execute("SELECT seq FROM events ORDER BY seq DESC LIMIT 5"))

    def next_event(self, server, token, channel="*"):
        """The first event that a subscriber is sent who resumes there."""
        path = f"/api/v1/events/stream?channel={channel}"
        connection, stream = server.open("GET", path, headers={"Last-Event-ID": token})
        try:
            self.assertEqual(200, stream.status)
            while line := stream.readline():
                if line.startswith(b"data:"):
                    return json.loads(line[5:])
        finally:
            stream.close()
            connection.close()
        raise AssertionError("the stream ended")

    def test_a_server_moves(self):
        server = self.installation().start()
        once = self.fill(server)
        name, url = self.new_database()
        self.assertIn("Stop it first", self.refused(server, DATABASE_URL=url))
        self.settle(server)
        before, token = self.answers(server), server.token
        server.stop()
        file = pathlib.Path(server.data, "agent-lightning.db")
        digest = hashlib.sha256(file.read_bytes()).digest()
        numbers = self.last_events(server.data)

        done = server.run("migrate-database", "--json", environment={"DATABASE_URL": url})
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        summary = json.loads(done.stdout)
        self.assertEqual(digest, hashlib.sha256(file.read_bytes()).digest(), "the source is as it was")
        self.assertEqual((21, 0), (summary["tables"]["tasks"], summary["rows_before"]))
        self.assertFalse(self.is_marked(name))
        for table, rows in summary["tables"].items():
            counted = self.postgres.query(name, f"SELECT COUNT(*) FROM agent_lightning.{table}")
            self.assertEqual(rows, int(counted), table)

        server.environment["DATABASE_URL"] = url
        server.start()
        self.assertEqual(token, server.token)
        after = self.answers(server)
        for path, answer in before.items():
            self.assertEqual(answer, after[path], path)
        repeated = {"Idempotency-Key": "once"}
        again = server.api("POST", "/agents/moved/tasks", {"description": "only once"}, 201, repeated)
        self.assertEqual(once, again["id"], "the answer is still known")
        self.assertTrue(server.api("GET", "/providers/later")["has_key"])
        self.assertEqual(numbers[1], self.next_event(server, summary["token_prefix"] + str(numbers[0]))["seq"])
        task = server.api("POST", "/agents/moved/tasks", {"description": "volcanoes"}, 201)
        # By the provider that is registered now, which nobody can reach.
        self.assertEqual("failed", server.ended(task["id"], TASKS_TIMEOUT_S)["status"])
        first = self.next_event(server, summary["token_prefix"] + str(numbers[-1]), "task:*")
        self.assertEqual((task["id"], "task:created"), (first["aggregate_id"], first["channel"]))
        self.assertGreater(first["seq"], numbers[-1])
        server.stop()

    def test_what_goes_wrong(self):
        server = self.installation()
        _, url = self.new_database()
        self.assertIn("there is no SQLite database", self.refused(server, DATABASE_URL=url))
        self.assertFalse(pathlib.Path(server.data).exists(), "nothing was made")
        server.start()
        server.stop()
        self.assertIn("Set DATABASE_URL", self.refused(server, code=2))
        said = self.refused(server, "--to", "mysql://user:hidden@there/x", code=2)
        self.assertIn("postgresql://", said)
        self.assertNotIn("hidden", said)
        nowhere = "postgresql://agent_user:hidden@127.0.0.1:1/x"
        said = self.refused(server, "--to", nowhere)
        self.assertIn("cannot connect", said)
        self.assertNotIn("hidden", said)

        used = self.installation(DATABASE_URL=url).start()
        used.stop()
        said = self.refused(server, DATABASE_URL=url)
        self.assertIn("not empty", said)
        self.assertIn("DROP SCHEMA agent_lightning CASCADE", said)

        _, fresh = self.new_database()
        said = server.run("migrate-database", "--to", fresh, environment={"MIGRATE_DATABASE_URL": nowhere})
        self.assertEqual((0, ""), (said.returncode, said.stderr))
        self.assertIn("counts and checksums are equal", said.stdout)
        self.assertIn("Next: set DATABASE_URL", said.stdout)

    def test_a_run_that_was_killed_is_finished_by_the_next(self):
        server = self.installation().start()
        self.fill(server)
        server.stop()
        name, url = self.new_database()
        runs = 0
        # Without failpoints, as in a release, the first run gets through.
        for place in ("copy.commit.before=crash@3", "copy.commit.after=crash@3", "copy.compare=crash"):
            done = server.run("migrate-database", "--to", url, environment={"AL_FAILPOINTS": place})
            if done.returncode == 0:
                break
            runs += 1
            self.assertEqual((-9, ""), (done.returncode, done.stdout), done.stderr)
            self.assertTrue(self.is_marked(name))
        if runs:
            done = server.run("migrate-database", "--to", url)
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            self.assertIn("of them in a run before", done.stdout)
        self.assertFalse(self.is_marked(name))


if __name__ == "__main__":
    unittest.main()
