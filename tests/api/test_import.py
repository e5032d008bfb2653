"""`agent-lightning import knowledge DIR` on the fixtures, against a real server: report, exit codes, idempotence."""

import json
import os
import pathlib
import pty
import shutil
import subprocess
import tempfile
import unittest
import urllib.request
from urllib.parse import quote

from support.server import BINARY, Server, clean_environment

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "agent-knowledge"
REAL_FILES = ROOT.parent / "shared" / "data" / "agent-knowledge"
READABLE = ["careless_clerk.json", "ferry_captain.json", "night_gardener.json", "test_pilot.json", "torn_pages.json"]


class Import(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.remove)
        self.server.start()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="agent-lightning-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def have(self, *names):
        for name in names:
            shutil.copy(FIXTURES / name, self.directory / name)

    def write(self, name, items):
        (self.directory / name).write_text(json.dumps(items))

    def environment(self, **more):
        return (
            clean_environment()
            | {"AGENT_LIGHTNING_URL": self.server.url, "AGENT_LIGHTNING_TOKEN": self.server.token}
            | more
        )

    def run_import(self, *options, directory=None, **environment):
        # In an empty directory of its own, so that no .env or configuration file has a say.
        with tempfile.TemporaryDirectory() as here:
            return subprocess.run(
                [BINARY, "import", "knowledge", str(directory or self.directory), *options],
                env=self.environment(**environment),
                capture_output=True,
                text=True,
                timeout=120,
                cwd=here,
            )

    def report(self, expected_code, **options):
        done = self.run_import("--json", **options)
        self.assertEqual(expected_code, done.returncode, done.stderr)
        self.assertEqual("", done.stderr)
        return json.loads(done.stdout)

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.server.url + "/api/v1" + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + self.server.token, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)

    def items(self, agent):
        out, cursor = {}, ""
        while True:
            place = f"&cursor={quote(cursor)}" if cursor else ""
            page = self.call("GET", f"/agents/{agent}/knowledge?limit=500{place}")
            out |= {item["id"]: item for item in page["knowledge"]}
            cursor = page.get("next_cursor")
            if not cursor:
                return out

    @staticmethod
    def counts(report, name):
        entry = next(entry for entry in report["files"] if entry["file"] == name)
        return [entry[key] for key in ("items", "imported", "merged", "skipped", "faulty")]

    def test_good_files(self):
        self.have("ferry_captain.json", "night_gardener.json", "test_pilot.json", "notes.txt")
        done = self.run_import()
        self.assertEqual(0, done.returncode, done.stderr)
        table = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual(
            [
                ["FILE", "ITEMS", "IMPORTED", "MERGED", "SKIPPED", "FAULTY"],
                ["ferry_captain.json", "2", "2", "0", "0", "0"],
                ["night_gardener.json", "7", "4", "2", "1", "0"],
                ["test_pilot.json", "2", "2", "0", "0", "0"],
                ["total", "11", "8", "2", "1", "0"],
            ],
            table[:5],
        )
        self.assertIn("New agents: ferry_captain, night_gardener, test_pilot", done.stdout)
        self.assertNotIn("\x1b", done.stdout, "no escapes outside a terminal")
        agent = self.call("GET", "/agents/night_gardener")
        self.assertEqual(
            ("Night Gardener", "night_gardener", True), (agent["name"], agent["specialization"], agent["imported"])
        )
        watering = self.items("night_gardener")["watering"]
        self.assertEqual(
            ["Water the beds at dusk, when little of it evaporates.", "Water the beds at noon."],
            [variant["content"] for variant in watering["metadata"]["merged"]],
        )
        self.assertEqual(
            "Flush the ballast tanks with fresh water in port.", self.items("ferry_captain")["watering"]["content"]
        )

    def test_running_it_again_changes_nothing(self):
        self.have("ferry_captain.json", "night_gardener.json")
        self.report(0)
        self.call("DELETE", "/knowledge/moths?agent_id=night_gardener")
        self.call("PUT", "/knowledge/watering?agent_id=night_gardener", {"content": "Ask Ida."})
        before = self.items("night_gardener"), self.items("ferry_captain")
        report = self.report(0)
        self.assertEqual([7, 0, 0, 7, 0], self.counts(report, "night_gardener.json"))
        self.assertEqual([2, 0, 0, 2, 0], self.counts(report, "ferry_captain.json"))
        self.assertEqual({"items": 9, "imported": 0, "merged": 0, "skipped": 9, "faulty": 0}, report["total"])
        self.assertEqual(before, (self.items("night_gardener"), self.items("ferry_captain")))

    def test_what_a_user_deleted_does_not_come_back(self):
        """The prototype counts uses in its files, which made every item a new one."""
        item = {"id": "k", "content": "Old.", "timestamp": "2025-01-01T00:00:00", "usage_count": 1}
        edited = item | {"id": "edited"}
        self.write("clerk.json", [item, edited])
        self.report(0)
        self.call("DELETE", "/knowledge/k?agent_id=clerk")
        self.call("PUT", "/knowledge/edited?agent_id=clerk", {"content": "By a user."})
        before = self.items("clerk")
        self.write("clerk.json", [item | {"usage_count": 2}, edited | {"usage_count": 2}])
        self.assertEqual([2, 0, 0, 2, 0], self.counts(self.report(0), "clerk.json"))
        self.assertEqual(before, self.items("clerk"))
        newer = item | {"content": "New.", "timestamp": "2027-01-01T00:00:00"}
        self.write("clerk.json", [newer])
        self.assertEqual([1, 0, 0, 1, 0], self.counts(self.report(0), "clerk.json"))
        self.assertEqual(before, self.items("clerk"))
        answer = self.call("POST", "/knowledge/import", {"agent_id": "clerk", "items": [newer]})
        self.assertEqual((0, 1, []), (answer["imported"], answer["skipped"], answer["faulty"]))
        self.assertEqual([0], [entry["position"] for entry in answer["left_out"]])
        self.assertIn("was deleted", answer["left_out"][0]["reason"])
        self.call("POST", "/agents/clerk/knowledge", {"id": "k", "content": "Taken back."})
        self.assertEqual("Taken back.", self.items("clerk")["k"]["content"])

    def test_what_is_bad_is_reported_and_the_rest_loads(self):
        self.have(*(path.name for path in FIXTURES.iterdir()))
        os.symlink(self.directory / "ferry_captain.json", self.directory / "linked.json")
        (self.directory / "folder.json").mkdir()
        os.mkfifo(self.directory / "pipe.json")
        with open(self.directory / "huge.json", "wb") as file:
            file.truncate((64 << 20) + 1)
        latin = b'[{"id": "a", "content": "caf\xe9"}, {"id": "b", "content": "tea"}]'
        (self.directory / "latin.json").write_bytes(latin)
        report = self.report(1)
        whole = {fault["file"]: fault["reason"] for fault in report["faults"] if fault["position"] is None}
        expected = {
            "Bad Name.json": "its name is no agent's id",
            "wrapped.json": "is no JSON array",
            "cut_off.json": "is no JSON array",
            "linked.json": "is a link",
            "folder.json": "is no regular file",
            "pipe.json": "is no regular file",
            "huge.json": "67108865 bytes",
        }
        self.assertEqual(expected.keys(), whole.keys())
        for name, reason in expected.items():
            self.assertIn(reason, whole[name])
        positions = {
            name: [fault["position"] for fault in report["faults"] if fault["file"] == name] for name in READABLE
        }
        self.assertEqual(
            {"careless_clerk.json": list(range(1, 12)), "torn_pages.json": list(range(1, 7))},
            {name: found for name, found in positions.items() if found},
        )
        self.assertEqual([13, 2, 0, 0, 11], self.counts(report, "careless_clerk.json"))
        self.assertEqual([9, 3, 0, 0, 6], self.counts(report, "torn_pages.json"))
        self.assertEqual([2, 1, 0, 0, 1], self.counts(report, "latin.json"))
        self.assertEqual({"first", "last", 'brackets in text: ]}{[ " '}, set(self.items("torn_pages")))
        done = self.run_import()
        self.assertEqual(1, done.returncode)
        self.assertIn("careless_clerk.json, item 3: content: must be a string", done.stdout)
        self.assertIn("linked.json: is a link", done.stdout)

    def test_a_mended_file_is_taken(self):
        self.write("clerk.json", [{"id": "a", "content": 1}])
        self.report(1)
        self.write("clerk.json", [{"id": "a", "content": "one"}])
        self.assertEqual([1, 1, 0, 0, 0], self.counts(self.report(0), "clerk.json"))

    def test_large_files_are_sent_in_parts(self):
        items = [
            {"id": f"item_{n}", "content": f"Number {n}.", "timestamp": f"2025-01-01T00:{n // 60:02}:{n % 60:02}"}
            for n in range(450)
        ]
        items += [dict(items[3], content="Newer.", timestamp="2025-02-01T00:00:00")]
        items += [{"id": f"large_{n}", "content": "\u00e9" * 1_000_000} for n in range(3)]
        items += [{"id": "too_large", "content": "x" * (1 << 20) + "x"}]
        self.write("archivist.json", items)
        report = self.report(1)
        self.assertEqual([455, 453, 1, 0, 1], self.counts(report, "archivist.json"))
        self.assertEqual([454], [fault["position"] for fault in report["faults"]])
        stored = self.items("archivist")
        self.assertEqual(453, len(stored))
        self.assertEqual("Newer.", stored["item_3"]["content"])
        self.assertEqual([items[3]], stored["item_3"]["metadata"]["merged"])
        self.assertEqual("\u00e9" * 1_000_000, stored["large_2"]["content"])

    def test_a_deleted_agent_stays_deleted(self):
        self.have("ferry_captain.json", "test_pilot.json")
        self.report(0)
        self.call("DELETE", "/agents/ferry_captain")
        self.assertEqual([2, 0, 0, 2, 0], self.counts(self.report(0), "ferry_captain.json"))
        self.write("ferry_captain.json", [{"id": "new", "content": "New."}])
        report = self.report(1)
        self.assertIn("was deleted", report["faults"][0]["reason"])
        self.assertEqual([2, 0, 0, 2, 0], self.counts(report, "test_pilot.json"), "the next file goes on")

    def test_nothing_can_be_done(self):
        cases = {"no such directory": {"directory": self.directory / "missing"}, "no files": {}}
        for name, options in cases.items():
            with self.subTest(name):
                done = self.run_import(**options)
                self.assertEqual((2, ""), (done.returncode, done.stdout))
                self.assertIn("error: ", done.stderr)
        self.have("wrapped.json")
        self.assertEqual(2, self.run_import().returncode)
        self.have("test_pilot.json")
        for name, options in {
            "no server": {"AGENT_LIGHTNING_URL": "http://127.0.0.1:1"},
            "a wrong token": {"AGENT_LIGHTNING_TOKEN": "al_wrong"},
        }.items():
            with self.subTest(name):
                done = self.run_import(**options)
                self.assertEqual((2, ""), (done.returncode, done.stdout))
                self.assertIn("error: ", done.stderr)
        self.assertEqual(1, self.run_import().returncode, "wrapped.json is still no list")

    def test_progress_is_drawn_on_a_terminal_and_taken_away(self):
        self.have("night_gardener.json")
        leader, follower = pty.openpty()
        try:
            with tempfile.TemporaryDirectory() as here:
                process = subprocess.Popen(
                    [BINARY, "import", "knowledge", str(self.directory)],
                    stdout=follower,
                    stderr=subprocess.PIPE,
                    env=self.environment(),
                    cwd=here,
                )
                os.close(follower)
                shown = b""
                while True:
                    try:
                        piece = os.read(leader, 65536)
                    except OSError:  # the other side is closed
                        break
                    if not piece:
                        break
                    shown += piece
                self.assertEqual(b"", process.stderr.read())
                process.stderr.close()
                self.assertEqual(0, process.wait(60))
        finally:
            os.close(leader)
        text = shown.decode()
        self.assertIn("]   0%  night_gardener.json", text)
        self.assertIn("%  night_gardener.json\r\x1b[2K", text)
        self.assertLess(text.rindex("\r\x1b[2K"), text.index("FILE"), "the table comes after the last bar")

    @unittest.skipUnless(REAL_FILES.is_dir(), "no files of the prototype beside the repository")
    def test_real_files(self):
        report = self.report(0, directory=REAL_FILES)
        for path in sorted(REAL_FILES.glob("*.json")):
            with self.subTest(path.name):
                wanted = {}
                for item in json.loads(path.read_text()):
                    if item["id"] not in wanted or item["timestamp"] >= wanted[item["id"]]["timestamp"]:
                        wanted[item["id"]] = item
                self.assertEqual(len(wanted), self.counts(report, path.name)[1])
                stored = self.items(path.stem)
                for id, item in wanted.items():
                    for key in ("category", "content", "source", "usage_count", "relevance_score"):
                        self.assertEqual(item[key], stored[id][key], (id, key))
                    metadata = {key: value for key, value in stored[id]["metadata"].items() if key != "merged"}
                    self.assertEqual(item["metadata"], metadata)
                    self.assertEqual(item["timestamp"] + "Z", stored[id]["created_at"])
        again = self.report(0, directory=REAL_FILES)["total"]
        self.assertEqual((0, 0, 0), (again["imported"], again["merged"], again["faulty"]))


if __name__ == "__main__":
    unittest.main()
