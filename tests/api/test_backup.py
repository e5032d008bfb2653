"""`agent-lightning backup` and `restore` against the real program: live, damaged, kept, and to a point in time."""

import datetime
import json
import os
import pathlib
import subprocess
import threading
import time
import unittest

from support.postgres import PROGRAMS, Postgres
from support.server import BINARY, Server

WAIT_S = 60
LIVE_TASKS_MAX = 400


class BackupTest(unittest.TestCase):
    def installation(self, environment=None):
        """A server that is not started, whose backups lie beside its data."""
        server = Server({"WORKER_CONCURRENCY": "1"} | (environment or {}))
        server.environment["BACKUP_DIRECTORY"] = os.path.join(server.directory.name, "backups")
        self.addCleanup(server.remove)
        return server

    def must(self, server, *arguments):
        done = server.run(*arguments, "--json")
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return json.loads(done.stdout)

    def refused(self, server, *arguments, code=1):
        done = server.run(*arguments)
        self.assertEqual((code, ""), (done.returncode, done.stdout), done.stderr)
        self.assertTrue(done.stderr.startswith("error: "), done.stderr)
        return done.stderr

    def create_agent(self, server, name):
        server.api("POST", "/agents", {"id": name, "name": name, "model": "m", "specialization": "s"}, 201)

    def made_over_http(self, server):
        """What became of a backup that the server was asked for."""
        id = server.api("POST", "/backups", expect=202)["id"]
        return self.ended(server, id)

    def ended(self, server, id):
        limit = time.monotonic() + WAIT_S
        while (backup := server.api("GET", f"/backups/{id}"))["state"] == "running":
            self.assertLess(time.monotonic(), limit, "the backup does not end")
            time.sleep(0.02)
        return backup

    def agents(self, server):
        return {agent["id"] for agent in server.api("GET", "/agents?limit=100")["agents"]}


class SqliteBackupTest(BackupTest):
    def test_while_a_server_writes(self):
        server = self.installation().start()
        stopping, created = threading.Event(), []

        def create():
            while not stopping.is_set() and len(created) < LIVE_TASKS_MAX:
                body = {"description": f"number {len(created)}"}
                created.append(server.api("POST", "/agents/writer/tasks", body, 201)["id"])

        threads = [threading.Thread(target=create) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            backups = []
            for _ in range(3):
                acknowledged = set(created)
                backups.append((acknowledged, self.must(server, "backup")))
        finally:
            stopping.set()
            for thread in threads:
                thread.join()
        server.stop()
        listed = self.must(server, "backup", "list")["backups"]
        self.assertEqual([made["id"] for _, made in reversed(backups)], [entry["id"] for entry in listed])
        for acknowledged, made in backups:
            self.must(server, "backup", "verify", made["id"])
            restored = self.must(server, "restore", made["id"], "--force")
            self.assertEqual(made["rows"], restored["rows"])
            export = server.run("export").stdout.splitlines()
            tasks = {row["tasks"]["id"] for row in map(json.loads, export) if "tasks" in row}
            self.assertEqual(made["rows"]["tasks"], len(tasks))
            self.assertLessEqual(acknowledged, tasks, "every write acknowledged before the backup is in it")
        server.start()
        self.assertIn("writer", self.agents(server), "the old token opens what was restored")

    def test_what_is_refused(self):
        server = self.installation()
        self.assertIn("there is no database", self.refused(server, "backup"))
        self.assertIn("there is no backup", self.refused(server, "restore"))
        server.start()
        made = self.must(server, "backup")
        self.assertIn("uses the data directory", self.refused(server, "restore", "--force"))
        server.stop()
        self.assertIn("--force", self.refused(server, "restore"))
        self.assertIn("there is no backup", self.refused(server, "backup", "verify", "../backups"))
        self.assertIn("for PostgreSQL", self.refused(server, "restore", "--to", "latest", code=2))
        self.assertIn("only PostgreSQL", self.refused(server, "backup", "wal"))
        packed = pathlib.Path(made["path"], "database.db.gz")
        content = bytearray(packed.read_bytes())
        content[len(content) // 2] ^= 1
        packed.write_bytes(content)
        before = pathlib.Path(server.data, "agent-lightning.db").read_bytes()
        for arguments in (("backup", "verify", made["id"]), ("restore", "--force")):
            self.assertIn("checksum", self.refused(server, *arguments))
        packed.write_bytes(content[:-1])
        self.assertIn("bytes instead of", self.refused(server, "restore", "--force"))
        self.assertEqual(before, pathlib.Path(server.data, "agent-lightning.db").read_bytes())

    def test_retention_and_secrets(self):
        server = self.installation({"BACKUP_KEEP": "3"}).start()
        made = [self.must(server, "backup")["id"] for _ in range(4)]
        self.assertEqual(made[:0:-1], [entry["id"] for entry in self.must(server, "backup", "list")["backups"]])
        last = self.must(server, "backup", "--keep", "1")
        self.assertEqual(made[1:], sorted(last["removed"]))
        names = {path.name for path in pathlib.Path(server.directory.name, "backups").rglob("*") if path.is_file()}
        self.assertEqual({"lock", "manifest.json", "database.db.gz"}, names, "neither token nor master key")
        for path in pathlib.Path(last["path"]).iterdir():
            self.assertEqual(0o600, path.stat().st_mode & 0o777)

    def test_a_full_disk_leaves_nothing(self):
        server = self.installation().start()
        limit = ["prlimit", "--fsize=65536", "--", str(BINARY), "backup"]
        done = subprocess.run(
            limit, cwd=server.directory.name, env=server.environment, capture_output=True, timeout=WAIT_S, check=False
        )
        self.assertNotEqual(0, done.returncode)
        self.assertEqual([], self.must(server, "backup", "list")["backups"])
        self.must(server, "backup")
        left = {path.name for path in pathlib.Path(server.directory.name, "backups").iterdir()}
        self.assertFalse([name for name in left if name.endswith(".partial")], "the next one clears up")


class HttpBackupTest(BackupTest):
    def test_one_is_made_while_the_server_runs(self):
        server = self.installation().start()
        self.create_agent(server, "kept")
        connection, response = server.open("POST", "/api/v1/backups")
        begun = json.loads(response.read())
        connection.close()
        self.assertEqual((202, "running"), (response.status, begun["state"]))
        self.assertEqual(f"/api/v1/backups/{begun['id']}", response.getheader("Location"))
        made = self.ended(server, begun["id"])
        self.assertEqual(("done", None), (made["state"], made["error"]))
        by_hand = self.must(server, "backup")
        listed = server.api("GET", "/backups")["backups"]
        self.assertEqual([by_hand["id"], made["id"]], [backup["id"] for backup in listed])
        self.assertEqual(by_hand["bytes"], listed[0]["bytes"])
        self.assertEqual(sum(by_hand["rows"].values()), listed[0]["rows"])
        server.api("GET", "/backups/2026-01-31T040000.123456Z", expect=404)
        manifest = pathlib.Path(by_hand["path"], "manifest.json")
        manifest.write_text("{")
        self.assertEqual("damaged", server.api("GET", f"/backups/{by_hand['id']}")["state"])
        server.stop()
        self.must(server, "restore", made["id"], "--force")
        server.start()
        self.assertIn("kept", self.agents(server))

    def test_one_that_fails_is_shown(self):
        server = self.installation()
        pathlib.Path(server.environment["BACKUP_DIRECTORY"]).write_text("no directory")
        server.start()
        refused = server.api("POST", "/backups", expect=409)
        self.assertIn("set BACKUP_DIRECTORY to another place", refused["detail"])
        os.unlink(server.environment["BACKUP_DIRECTORY"])
        os.mkdir(server.environment["BACKUP_DIRECTORY"], 0o700)
        os.rename(f"{server.data}/agent-lightning.db", f"{server.data}/away.db")
        failed = self.made_over_http(server)
        os.rename(f"{server.data}/away.db", f"{server.data}/agent-lightning.db")
        self.assertEqual("failed", failed["state"])
        self.assertIn("there is no database", failed["error"])
        self.assertEqual([failed], server.api("GET", "/backups")["backups"])
        self.assertEqual("done", self.made_over_http(server)["state"])


class PostgresBackupTest(BackupTest):
    @classmethod
    def setUpClass(cls):
        cls.postgres = cls.enterClassContext(Postgres())

    def archived(self):
        """Until all that was committed has reached the archive."""
        wanted = self.postgres.query("postgres", "SELECT pg_current_wal_lsn()")
        limit = time.monotonic() + WAIT_S
        sql = f"SELECT count(*) FROM pg_stat_replication WHERE flush_lsn >= '{wanted}'"
        while self.postgres.query("postgres", sql) == "0":
            self.assertLess(time.monotonic(), limit, "the archive does not follow")
            time.sleep(0.05)

    def restore(self, server, name, *options):
        directory = os.path.join(server.directory.name, name)
        restored = self.must(server, "restore", "--directory", directory, *options)
        self.assertEqual(directory, restored["path"])
        return restored["rows"]["agents"]

    def test_to_a_point_in_time(self):
        url = self.postgres.create_database("backups")
        self.postgres.query("postgres", "CREATE ROLE keeper LOGIN REPLICATION")
        keeper = url.replace("agent_user", "keeper")
        server = self.installation(
            {"DATABASE_URL": url, "BACKUP_DATABASE_URL": keeper, "BACKUP_POSTGRES_PROGRAMS": str(PROGRAMS)}
        )
        os.chmod(server.directory.name, 0o711)  # as root the restored server has an account of its own
        server.start()
        receiver = subprocess.Popen(
            [str(BINARY), "backup", "wal"], cwd=server.directory.name, env=server.environment, stderr=subprocess.DEVNULL
        )
        self.addCleanup(receiver.wait)
        self.addCleanup(receiver.terminate)
        self.archived()
        made = self.must(server, "backup")
        self.must(server, "backup", "verify", made["id"])
        base = made["rows"]["agents"]
        self.create_agent(server, "first")
        between = datetime.datetime.now(datetime.UTC).isoformat()
        self.create_agent(server, "second")
        self.archived()
        server.stop()
        self.assertEqual(base, self.restore(server, "base"))
        self.assertEqual(base + 1, self.restore(server, "between", "--to", between))
        self.assertEqual(base + 2, self.restore(server, "latest", "--to", "latest"))
        self.assertIn("not empty", self.refused(server, "restore", "--directory", "base"))
        self.assertIn("--directory is needed", self.refused(server, "restore", code=2))
        self.assertIn("--to must be", self.refused(server, "restore", "--directory", "x", "--to", "soon", code=2))

    def test_over_http(self):
        url = self.postgres.create_database("http_backups")
        self.postgres.query("postgres", "CREATE ROLE http_keeper LOGIN REPLICATION")
        settings = {"DATABASE_URL": url, "BACKUP_POSTGRES_PROGRAMS": "/nowhere"}
        server = self.installation(settings)
        os.chmod(server.directory.name, 0o711)
        server.start()
        refused = server.api("POST", "/backups", expect=409)
        self.assertIn("BACKUP_POSTGRES_PROGRAMS", refused["detail"])
        server.stop()
        server.environment["BACKUP_POSTGRES_PROGRAMS"] = str(PROGRAMS)
        server.start()
        denied = self.made_over_http(server)
        self.assertEqual("failed", denied["state"], "the owner of the database may not replicate")
        self.assertIn("replication", denied["error"])
        server.stop()
        server.environment["BACKUP_DATABASE_URL"] = url.replace("agent_user", "http_keeper")
        server.start()
        made = self.made_over_http(server)
        self.assertEqual(("done", "postgresql"), (made["state"], made["kind"]), made["error"])
        server.api("POST", "/backups", expect=202)
        server.stop()  # breaks it off
        left = {path.name for path in pathlib.Path(server.environment["BACKUP_DIRECTORY"]).iterdir()}
        self.assertEqual({"lock", made["id"]}, left)


if __name__ == "__main__":
    unittest.main()
