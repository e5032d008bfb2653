"""`agent-lightning export` and `import FILE`: there and back between the databases, live, and what goes wrong."""

import json
import os
import pathlib
import pty
import stat
import subprocess
import threading
import time
import unittest

from support.postgres import Postgres
from support.server import BINARY, Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "agent-knowledge"
REAL_FILES = ROOT.parent / "shared" / "data" / "agent-knowledge"
TASKS_TIMEOUT_S = 120
LIVE_TASKS_MAX = 300


def sections(export):
    """The rows of each section, of all tenants."""
    rows = {}
    for line in export.splitlines():
        ((kind, row),) = json.loads(line).items()
        rows.setdefault(kind, []).append(row)
    return rows


class ExportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = cls.enterClassContext(Postgres())
        cls.databases = 0

    def installation(self, database):
        """A server of its own that is not started, with an empty database."""
        environment = {}
        if database == "postgres":
            type(self).databases += 1
            environment = {"DATABASE_URL": self.postgres.create_database(f"export_{self.databases}")}
        hosts = {"PROVIDERS_ALLOWED_HOSTS": "api.openai.com"}
        server = Server(environment | hosts | {"WORKER_CONCURRENCY": "2"})
        self.addCleanup(server.remove)
        return server

    def must(self, server, *arguments, **options):
        done = server.run(*arguments, **options)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return done.stdout

    def refused(self, server, *arguments, code=1, **options):
        done = server.run(*arguments, **options)
        self.assertEqual((code, ""), (done.returncode, done.stdout), done.stderr)
        self.assertTrue(done.stderr.startswith("error: "), done.stderr)
        return done.stderr

    def create_task(self, server, agent, text):
        return server.api("POST", f"/agents/{agent}/tasks", {"description": text}, 201)["id"]

    def wait_for(self, server, tasks):
        for task in tasks:
            server.ended(task, TASKS_TIMEOUT_S)

    def fill(self, server):
        """Knowledge of the prototype, agents with awkward values, tasks that have run, and what was deleted."""
        directory = REAL_FILES if REAL_FILES.is_dir() else FIXTURES
        done = server.run("import", "knowledge", str(directory))
        self.assertIn(done.returncode, (0, 1), done.stderr)
        config = {"nested": [[[{"ü": "☃𝄞\n\u0001"}]]], "big": 12345678901234567890123, "small": 1e-9, "empty": {}}
        agent = {"id": "zz_z-z", "name": 'Ö "\\ \t', "model": "m", "specialization": "s", "config": config}
        server.api("POST", "/agents", agent, 201)
        large = {"id": "large/ä", "content": "é" * 40_000, "metadata": {"a": "b" * 20_000}}
        server.api("POST", "/agents/zz_z-z/knowledge", large, 201)
        server.api("DELETE", "/agents/reviewer")
        provider = {"id": "later", "kind": "openai", "base_url": "https://api.openai.com/v1", "key": "sk-kept-out"}
        server.api("POST", "/providers", provider, 201)
        session = server.api("POST", "/sessions", {"agent_id": "zz_z-z"}, 201)["id"]
        server.api("POST", f"/sessions/{session}/messages", {"role": "user", "content": "sträuße"}, 201)
        questions = ["How do I stop SQL injection?", "rolling update of a deployment", "żółw ☃"]
        agents = ["security_expert", "devops_engineer", "zz_z-z"]
        tasks = [self.create_task(server, agent, text) for agent, text in zip(agents, questions, strict=True)]
        self.wait_for(server, tasks)

    def settle(self, server):
        """Until the uses of knowledge are counted, which the worker does every few seconds."""
        limit = time.monotonic() + TASKS_TIMEOUT_S
        while "knowledge_uses" in sections(self.must(server, "export")):
            self.assertLess(time.monotonic(), limit, "the uses were not counted")
            time.sleep(0.2)

    def search(self, server):
        body = {"query": "How do I stop SQL injection?", "agent_id": "security_expert"}
        found = server.api("POST", "/knowledge/search", body)
        return [hit["id"] if "id" in hit else hit["knowledge"]["id"] for hit in found["results"]]

    def there_and_back(self, source, target):
        first = self.installation(source).start()
        self.fill(first)
        self.settle(first)
        live, hits = self.must(first, "export"), self.search(first)
        self.assertTrue(hits)
        first.stop()
        backup = os.path.join(first.directory.name, "backup.jsonl")
        summary = json.loads(self.must(first, "export", "--output", backup, "--json"))
        text = pathlib.Path(backup).read_text()
        self.assertEqual(live, text, "a running server changes nothing")
        rows = sections(text)
        self.assertEqual({name: len(rows.get(name, [])) for name in summary["rows"]}, summary["rows"])
        self.assertEqual(0o600, stat.S_IMODE(os.stat(backup).st_mode))
        self.assertNotIn(first.token, text)
        self.assertNotIn("sk-kept-out", text)

        second = self.installation(target)
        said = self.must(second, "import", backup)
        self.assertIn(f"Imported {sum(summary['rows'].values())} rows of 1 tenant.", said)
        self.assertEqual(text, self.must(second, "export"))
        second.start()
        self.assertEqual(404, second.call("GET", "/api/v1/agents/reviewer")[0])
        self.assertEqual(hits, self.search(second))
        (session,) = second.api("GET", "/sessions")["sessions"]
        history = second.api("GET", f"/sessions/{session['id']}/history")["messages"]
        self.assertEqual(["sträuße"], [message["content"] for message in history], "and it is its owner's still")
        self.assertFalse(second.api("GET", "/providers/later")["has_key"])
        second.stop()
        self.assertEqual(text, self.must(second, "export"), "the first start adds nothing to what was restored")
        second.start()
        self.wait_for(second, [self.create_task(second, "security_expert", "How do I stop SQL injection?")])

        third = self.installation(source)
        self.must(third, "import", "-", text=text)
        self.assertEqual(text, self.must(third, "export"))

    def test_sqlite_to_postgres_and_back(self):
        self.there_and_back("sqlite", "postgres")

    def test_postgres_to_sqlite_and_back(self):
        self.there_and_back("postgres", "sqlite")

    def live(self, database):
        server = self.installation(database).start()
        stopping = threading.Event()
        created = []

        def create():
            while not stopping.is_set() and len(created) < LIVE_TASKS_MAX:
                created.append(self.create_task(server, "writer", f"number {len(created)}"))

        threads = [threading.Thread(target=create) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            exports = [self.must(server, "export") for _ in range(4)]
        finally:
            stopping.set()
            for thread in threads:
                thread.join()
        self.assertTrue(created)
        for text in (exports[0], exports[-1]):
            rows = sections(text)
            known = {row["id"]: row["version"] for row in rows.get("tasks", [])}
            told = {}
            for event in rows["events"]:
                if event["channel"].startswith("task:"):
                    told[event["aggregate_id"]] = max(event["version"], told.get(event["aggregate_id"], 0))
            self.assertEqual(known, told, "tasks and events are of one moment")
            other = self.installation("sqlite" if database == "postgres" else "postgres")
            self.must(other, "import", "-", text=text)
            self.assertEqual(text, self.must(other, "export"))
        server.stop()
        # What was running when the export was made runs again.
        other.start()
        self.wait_for(other, known)

    def test_live_sqlite(self):
        self.live("sqlite")

    def test_live_postgres(self):
        self.live("postgres")

    def test_what_goes_wrong(self):
        server = self.installation("sqlite")
        self.assertIn("there is no database", self.refused(server, "export"))
        server.start()
        self.must(server, "export", "-o", "a.jsonl")
        file = pathlib.Path(server.directory.name, "a.jsonl")
        self.assertIn("--force replaces it", self.refused(server, "export", "-o", "a.jsonl", code=2))
        self.must(server, "export", "-o", "a.jsonl", "--force")
        self.assertEqual(["a.jsonl"], [path.name for path in pathlib.Path(server.directory.name).glob("a.*")])
        self.assertIn("cannot write", self.refused(server, "export", "-o", "nowhere/a.jsonl"))
        self.assertIn("uses the data directory", self.refused(server, "import", "a.jsonl"))
        server.stop()
        self.assertIn("not empty", self.refused(server, "import", "a.jsonl"))
        self.assertIn("name the FILE", self.refused(server, "import", code=2))
        self.assertIn("not expected", self.refused(server, "import", "knowledge", "a", "b", code=2))
        self.assertIn("cannot read", self.refused(server, "import", "missing.jsonl", code=2))
        self.assertIn("is a directory", self.refused(server, "import", ".", code=2))
        error = json.loads(server.run("import", "a.jsonl", "--json").stderr)["error"]
        self.assertEqual("conflict", error["code"])

        empty = self.installation("sqlite")
        text = file.read_text()
        here = pathlib.Path(empty.directory.name)
        damaged = {
            "cut.jsonl": (text[: len(text) // 2], "without its end mark"),
            "changed.jsonl": (text.replace("Research Specialist", "Research specialist", 1), "were changed"),
            "newer.jsonl": (text.replace('"format_version":1', '"format_version":2', 1), "newer version"),
            "unknown.jsonl": (text.replace('{"agents":', '{"chats":', 1), "no section 'chats'"),
            "garbage.jsonl": ("\x00\x01garbage", "no export"),
            "list.json": ('[{"id": "a", "content": "b"}]', "no export"),
            "empty.jsonl": ("", "no export"),
        }
        for name, (content, reason) in damaged.items():
            with self.subTest(name):
                (here / name).write_text(content)
                said = self.refused(empty, "import", name)
                self.assertIn(f"{name}, line ", said)
                self.assertIn(reason, said)
                self.assertFalse(os.path.exists(empty.data), "nothing was touched")
                self.assertIn(reason, self.refused(self.installation("sqlite"), "import", "-", text=content))
        (here / "sound.jsonl").write_text(text)
        self.refused(empty, "import", "-", text=damaged["cut.jsonl"][0])
        self.must(empty, "import", "sound.jsonl")
        self.assertEqual(text, self.must(empty, "export"))

    def on_a_terminal(self, server, *arguments):
        """What a terminal shows of standard error."""
        leader, follower = pty.openpty()
        try:
            done = subprocess.run(
                [str(BINARY), *arguments],
                env=server.environment,
                cwd=server.directory.name,
                stdout=subprocess.DEVNULL,
                stderr=follower,
                timeout=60,
                check=False,
            )
            os.close(follower)
            self.assertEqual(0, done.returncode)
            shown = b""
            while True:
                try:
                    shown += os.read(leader, 65536) or b""
                except OSError:  # the other side is closed
                    return shown.decode()
        finally:
            os.close(leader)

    def test_progress_is_drawn_on_a_terminal_and_taken_away(self):
        server = self.installation("sqlite").start()
        server.stop()
        shown = self.on_a_terminal(server, "export", "-o", "a.jsonl")
        self.assertIn("%  agents", shown)
        self.assertTrue(shown.endswith("\r\x1b[2K"), repr(shown[-100:]))
        self.assertEqual("", self.on_a_terminal(server, "export", "-o", "b.jsonl", "--json"))

    def test_a_full_disk_is_an_error(self):
        server = self.installation("sqlite").start()
        server.stop()
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [str(BINARY), "export"],
                env=server.environment,
                cwd=server.directory.name,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                timeout=60,
                check=False,
            )
        self.assertEqual(1, done.returncode)
        self.assertIn("cannot write to standard output", done.stderr)


if __name__ == "__main__":
    unittest.main()
