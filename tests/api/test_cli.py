"""The command line as people and scripts use it: the real program, against a real server of its own."""

import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import termios
import threading
import time
import unittest
from typing import ClassVar
from urllib.parse import urlsplit

from support.cases import ProviderTest, ServerTest
from support.cluster import PORT_OF
from support.postgres import Postgres
from support.provider import Answer, Hang, SlowStream, ToolCall
from support.server import BINARY, PORTS, Server, clean_environment

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
ESCAPE = "\x1b"


class CommandLine(ServerTest):
    """Commands against a server that runs."""

    environment: ClassVar = {}

    def good(self, *arguments, **options):
        done = self.server.run(*arguments, **options)
        self.assertEqual(0, done.returncode, f"{arguments}: {done.stdout}{done.stderr}")
        self.assertNotIn(ESCAPE, done.stdout, "no colours without a terminal")
        return done

    def json(self, *arguments, **options):
        return json.loads(self.good(*arguments, "--json", **options).stdout)

    def bad(self, *arguments, code=1, **options):
        done = self.server.run(*arguments, **options)
        self.assertEqual(code, done.returncode, f"{arguments}: {done.stdout}{done.stderr}")
        self.assertEqual("", done.stdout, arguments)
        self.assertIn("error", done.stderr)
        return done.stderr

    # ---- agents ----

    def test_agents_are_listed(self):
        lines = self.good("agent", "list").stdout.splitlines()
        self.assertEqual(["ID", "NAME", "STATUS", "MODEL", "FIELD"], lines[0].split())
        self.assertTrue(any(line.startswith("security_expert ") for line in lines))
        self.assertGreaterEqual(self.json("agent", "list")["count"], 10)

    def test_lists_have_pages(self):
        first = self.server.run("agent", "list", "--limit", "3")
        self.assertEqual(4, len(first.stdout.splitlines()))
        cursor = re.search(r"--cursor (\S+)", first.stderr).group(1)
        second = self.good("agent", "list", "--limit", "3", "--cursor", cursor).stdout
        self.assertNotEqual(first.stdout, second)

    def test_an_agent_is_created_and_shown(self):
        made = self.json(
            "agent", "create", "cli_made", "--name", "Ünïcode Name", "--specialization", "testing",
            "--capability", "one", "--capability", "two",
        )  # fmt: skip
        self.assertEqual(["one", "two"], made["capabilities"])
        shown = self.good("agent", "show", "cli_made").stdout
        self.assertIn("Ünïcode Name", shown)
        self.assertIn("one, two", shown)
        self.assertIn("exists", self.bad("agent", "create", "cli_made", "--name", "x", "--specialization", "y"))

    def test_an_agent_is_changed_and_removed(self):
        self.good("agent", "create", "cli_changed", "--name", "Old", "--specialization", "testing")
        self.assertIn("name what to change", self.bad("agent", "set", "cli_changed", code=2))
        self.bad("agent", "set", "cli_changed", "--settings", '{"max_steps": "many"}')
        changed = self.json("agent", "set", "cli_changed", "--name", "New", "--settings", '{"max_steps": 3}')
        self.assertEqual(("New", "testing", {"max_steps": 3}),
                         (changed["name"], changed["specialization"], changed["config"]))  # fmt: skip
        self.assertEqual("agent 'cli_changed' is deleted\n", self.good("agent", "remove", "cli_changed").stdout)
        self.assertIn("cli_changed", self.bad("agent", "show", "cli_changed"))
        self.bad("agent", "set", "cli_changed", "--name", "New")

    def test_every_wrong_field_is_named(self):
        said = self.bad("agent", "create", "Not A Slug", "--name", "", "--specialization", "x" * 99)
        for field in ("id", "name", "specialization"):
            self.assertRegex(said, rf"\b{field} ")
        self.assertEqual(1, len(said.strip().splitlines()))

    def test_what_is_not_there(self):
        self.assertIn("nobody_here", self.bad("agent", "show", "nobody_here"))
        error = json.loads(self.bad("agent", "show", "nobody_here", "--json"))
        self.assertEqual("not_found", error["error"]["code"])

    # ---- tasks ----

    def test_a_task_is_followed_to_its_answer(self):
        begun = time.monotonic()
        done = self.good("task", "run", "security_expert", "How do I stop SQL injection?", "--follow")
        self.assertLess(time.monotonic() - begun, 10)
        self.assertIn("Sources", done.stdout)
        self.assertIn("[1] security_expert/", done.stdout)
        for word in ("given to security_expert", "started, attempt 1", "completed"):
            self.assertIn(word, done.stderr)
        task = self.json("task", "run", "security_expert", "How", "do", "I", "stop", "SQL", "injection?", "--follow")
        self.assertEqual("completed", task["status"])
        self.assertTrue(task["result"]["sources"])

    def test_auto_says_whom_it_chose(self):
        task = self.json("task", "run", "auto", "Review my Kubernetes deployment", "--priority", "high")
        self.assertTrue(task["chosen_because"])
        self.assertEqual("high", task["priority"])

    def test_tasks_are_listed_shown_and_explained(self):
        task = self.json("task", "run", "writer", "How do I write release notes?", "--follow")
        self.assertIn(task["id"], self.good("task", "list", "--agent", "writer").stdout)
        self.assertIn("Sources", self.good("task", "show", task["id"]).stdout)
        kinds = [step["kind"] for step in self.json("task", "show", task["id"], "--steps")["steps"]]
        self.assertEqual(["retrieve", "answer"], kinds)
        self.assertIn("retrieve", self.good("task", "show", task["id"], "--steps").stdout)

    def test_a_task_is_cancelled_and_retried(self):
        self.good("agent", "create", "cli_slow", "--name", "Slow", "--specialization", "testing")
        status, task = self.server.call(
            "POST", "/agents/cli_slow/tasks", {"description": "later", "scheduled_at": "2999-01-01T00:00:00Z"}
        )
        self.assertEqual(201, status)
        self.assertEqual("cancelled", self.json("task", "cancel", task["id"])["status"])
        self.assertIn("cancelled", self.bad("task", "cancel", task["id"]))
        self.assertEqual("pending", self.json("task", "retry", task["id"])["status"])

    def test_a_task_that_does_not_complete_ends_with_one(self):
        seen = threading.Event()
        process = self.follow_unstarted_task("cli_cancelled", seen)
        self.assertTrue(seen.wait(30))
        task = self.json("task", "list", "--agent", "cli_cancelled")["tasks"][0]
        self.good("task", "cancel", task["id"])
        out, err = process.communicate(timeout=30)
        self.assertEqual(1, process.returncode, err)
        self.assertEqual("", out)
        self.assertIn("not completed: cancelled", err)

    def test_ctrl_c_leaves_the_task_running(self):
        seen = threading.Event()
        process = self.follow_unstarted_task("cli_interrupted", seen)
        self.assertTrue(seen.wait(30))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        self.assertEqual(130, process.returncode, err)
        self.assertIn("The task goes on", err)
        self.assertEqual("pending", self.json("task", "list", "--agent", "cli_interrupted")["tasks"][0]["status"])

    def follow_unstarted_task(self, agent, seen):
        """`task run --follow` of a task that no worker takes, since its agent is offline; `seen` once it follows."""
        self.good("agent", "create", agent, "--name", "Away", "--specialization", "testing")
        status, _ = self.server.call("PUT", f"/agents/{agent}/status?status=offline")
        self.assertEqual(200, status)
        settings = self.server.environment | {"AGENT_LIGHTNING_URL": self.server.url}
        process = subprocess.Popen(
            [str(BINARY), "task", "run", agent, "wait", "--follow"],
            cwd=self.server.directory.name, env=settings, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        first = process.stderr.readline()
        self.assertIn("given to " + agent, first)
        seen.set()
        return process

    # ---- knowledge ----

    def test_knowledge_is_added_and_found(self):
        self.good("knowledge", "add", "writer", "The zorblax index sorts frobnicated pages.", "--id", "zorblax",
                  "--source", "Test Handbook")  # fmt: skip
        found = self.good("knowledge", "search", "zorblax", "index", "--agent", "writer").stdout
        self.assertIn("1. writer/zorblax", found)
        self.assertIn("Test Handbook", found)
        self.assertIn("frobnicated", found)
        self.assertIn("Nothing found", self.good("knowledge", "search", "qwertzuiop").stdout)

    def test_knowledge_is_listed_and_removed(self):
        self.good("agent", "create", "cli_knows", "--name", "Knows", "--specialization", "testing")
        self.assertEqual("It knows nothing yet.\n", self.good("knowledge", "list", "cli_knows").stdout)
        self.good("knowledge", "add", "cli_knows", "Two\nlines.", "--id", "two", "--source", "a book")
        lines = self.good("knowledge", "list", "cli_knows").stdout.splitlines()
        self.assertEqual(["ID", "CATEGORY", "SOURCE", "TEXT"], lines[0].split())
        self.assertRegex(lines[1], r"^two +domain_knowledge +a book +Two lines\.$")
        self.assertEqual(1, self.json("knowledge", "list", "cli_knows", "--all")["count"])
        self.assertEqual([], self.json("knowledge", "list", "cli_knows", "--category", "other")["knowledge"])
        self.assertIn("deleted", self.good("knowledge", "remove", "cli_knows", "two").stdout)
        self.assertIn("two", self.bad("knowledge", "remove", "cli_knows", "two"))

    def test_knowledge_comes_from_standard_input(self):
        text = "First line.\n\nSecond paragraph, ünïcode.\n"
        made = self.json("knowledge", "add", "writer", "-", text=text)
        self.assertEqual(text, made["content"])

    # ---- events ----

    def test_events_are_replayed(self):
        task = self.json("task", "run", "developer", "How do I name variables?", "--follow")
        lines = self.good("events", "replay", "task", task["id"]).stdout.splitlines()
        self.assertEqual("task:created", lines[0].split()[2])
        self.assertEqual("task:completed", lines[-1].split()[2])
        versions = [event["version"] for event in self.json("events", "replay", "task", task["id"])["events"]]
        self.assertEqual(list(range(1, len(versions) + 1)), versions)

    def test_events_are_seen_as_they_happen(self):
        settings = self.server.environment | {"AGENT_LIGHTNING_URL": self.server.url}
        beginning = self.server.call("GET", "/events?limit=1")[1]["next_cursor"]
        process = subprocess.Popen(
            [str(BINARY), "events", "tail", "--channel", "agent:*", "--aggregate", "cli_tail", "--after", beginning,
             "--json"],
            cwd=self.server.directory.name, env=settings, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.good("agent", "create", "cli_tail", "--name", "Tail", "--specialization", "testing")
        event = json.loads(process.stdout.readline())
        self.assertEqual(("agent:created", "cli_tail", 1), (event["channel"], event["aggregate_id"], event["version"]))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertEqual(130, process.returncode)

    # ---- the rest ----

    def test_mistakes_are_explained(self):
        self.assertIn("did you mean 'agent-lightning agent list'?", self.bad("agent", "lsit", code=2))
        self.assertIn("did you mean --follow?", self.bad("task", "run", "a", "b", "--folow", code=2))
        self.assertIn(
            "agent-lightning serve",
            self.bad("agent", "list", environment={"AGENT_LIGHTNING_URL": "http://127.0.0.1:1"}),
        )
        said = self.bad("agent", "list", environment={"AGENT_LIGHTNING_TOKEN": "al_not_the_right_one"})
        for word in ("AGENT_LIGHTNING_TOKEN", self.server.url):
            self.assertIn(word, said)
        said = self.bad("config", code=2, environment={"LOG_LEVEL": "loud", "DB_PORT": "0"})
        for setting in ("log.level", "database.port"):
            self.assertEqual(1, said.count(setting), "each is said once")

    def test_json_is_everywhere(self):
        def error_of(*arguments, **options):
            said = self.bad(*arguments, "--json", **options)
            self.assertEqual(1, len(said.splitlines()), said)
            return json.loads(said)["error"]

        self.assertIn("did you mean", error_of("agent", "lsit", code=2)["message"])
        self.assertEqual("bad_request", error_of("agent", code=2)["code"])
        wrong = error_of("config", code=2, environment={"LOG_LEVEL": "loud", "DB_PORT": "0"})
        self.assertEqual({"log.level", "database.port"}, {fault["path"] for fault in wrong["faults"]})
        self.assertIn("gateway", error_of("serve", "gatway", code=2)["message"])
        for command in (["serve"], ["init"], ["migrate", "up"], ["migrate", "down", "--to", "0"]):
            self.assertIn("Stop it first", error_of(*command)["message"])
        self.assertEqual("invalid", error_of("migrate", "up", "--to", "9999", code=2)["code"])
        self.assertEqual("not_found", error_of("import", "knowledge", "nowhere", code=2)["code"])

    def test_what_cannot_be_is_refused_before_a_server_is_asked(self):
        nobody = {"AGENT_LIGHTNING_URL": "http://127.0.0.1:1"}
        for arguments in (
            ["task", "list", "--limit", "0"],
            ["task", "list", "--status", "foo"],
            ["task", "run", "writer", "x", "--priority", "mid"],
            ["task", "run", "writer", "x", "--timeout", "0"],
            ["agent", "set", "writer", "--settings", "{bad"],
            ["provider", "add", "x", "--kind", "foo", "--base-url", "https://api.openai.com/v1"],
            ["events", "replay", "foo", "bar"],
            ["agent", "list", "--url", "ftp://x"],
        ):
            self.assertNotIn("no Agent Lightning answers", self.bad(*arguments, code=2, environment=nobody))

    def test_the_server_of_the_same_settings_is_found(self):
        port = self.server.url.rpartition(":")[2]
        for host in ("127.0.0.1", "0.0.0.0"):
            same = {"AGENT_LIGHTNING_URL": "", "GATEWAY_PORT": port, "AGENT_LIGHTNING_HOST": host}
            self.good("agent", "list", environment=same)

    def test_a_conversation_shows_its_sources(self):
        done = self.good("chat", "security_expert", "How do I stop SQL injection?")
        self.assertRegex(done.stdout, r"\n\nSources\n\[1\] security_expert/")
        self.assertEqual("", done.stderr, "how to go on is told to people only")

    def test_nothing_is_said_twice(self):
        said = self.bad("task", "run", "writer", "x", "--priority", "soon", code=2)
        self.assertEqual(1, said.count("must be one of"), said)
        said = self.bad("agent", "create", "Not A Slug", "--name", "", "--specialization", "x")
        self.assertEqual(1, said.count("name "), said)

    def test_a_result_that_cannot_be_written_is_a_failure(self):
        settings = self.server.environment | {"AGENT_LIGHTNING_URL": self.server.url}
        for arguments in (["agent", "list", "--json"], ["agent", "list"], ["config"], ["--help"], ["--version"], []):
            with open("/dev/full", "wb") as full:
                done = subprocess.run(
                    [str(BINARY), *arguments], cwd=self.server.directory.name, env=settings, text=True,
                    stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False,
                )  # fmt: skip
            self.assertEqual(1, done.returncode, arguments)
            self.assertIn("standard output", done.stderr)

    def test_config_shows_origins_and_masks_secrets(self):
        values = self.json(
            "config",
            "--log.level",
            "warning",
            environment={
                "DATABASE_URL": "postgresql://me:hidden@localhost/x",
                "AGENT_LIGHTNING_TOKEN": "al_hidden_hidden_hidden",
            },
        )
        self.assertEqual({"value": "warning", "origin": "option", "variable": "LOG_LEVEL"}, values["log.level"])
        self.assertEqual("environment DATABASE_URL", values["database.url"]["origin"])
        self.assertNotIn("hidden", json.dumps(values))
        self.assertIn("agent_designer.port", self.good("config").stdout)

    def test_doctor_finds_nothing_wrong(self):
        findings = self.json("doctor")
        self.assertTrue(findings["ok"])
        levels = {finding["subject"]: finding["level"] for finding in findings["findings"]}
        for subject in ("config", "data directory", "database", "migrations", "token", "server", "providers"):
            self.assertIn(levels[subject], ("ok", "warning"), findings)
        self.assertEqual("ok", levels["server"])
        self.assertNotIn("durability", levels, "the server has the file, so nobody looks into it beside that one")

    def test_doctor_names_the_remedy(self):
        port = self.server.url.rsplit(":", 1)[1]
        findings = self.json("doctor", "--dashboard.port", port)
        served = next(f for f in findings["findings"] if f["subject"] == "port of dashboard")
        self.assertEqual("ok", served["level"], "a port that we serve ourselves is no fault")
        done = self.server.run("doctor", "--host", "192.0.2.1", "--gateway.port", "8000")
        self.assertEqual(1, done.returncode, "an address that is not ours cannot be bound")
        self.assertIn("GATEWAY_PORT", done.stdout)

    def test_a_second_server_is_refused_the_directory(self):
        done = self.server.run("serve")
        self.assertEqual(1, done.returncode)
        self.assertIn("PostgreSQL", done.stderr)

    def test_every_role_answers_on_its_own_port(self):
        with_port = {role for role, variable in PORT_OF.items() if variable}
        self.assertEqual(with_port, set(self.server.urls))
        for role in self.server.urls:
            self.assertEqual(200, self.server.call("GET", "/health", role=role)[0])
        self.assertEqual(200, self.server.call("GET", "/api/v1/agents", role="dashboard")[0])
        self.assertEqual(404, self.server.call("GET", "/api/v1/agents", role="operations")[0])
        self.assertEqual(404, self.server.call("GET", "/api/v1/events", role="agent-designer")[0])

    def test_metrics(self):
        status, text = self.server.call("GET", "/metrics")
        self.assertEqual(200, status)
        self.assertRegex(text, r"agent_lightning_http_requests_total [1-9]")


class Setup(unittest.TestCase):
    """Commands before there is a server."""

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.remove)

    def run_good(self, *arguments, **options):
        done = self.server.run(*arguments, **options)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def test_init_prepares_everything_and_can_run_again(self):
        self.run_good("init")
        root = pathlib.Path(self.server.directory.name)
        self.assertEqual(0o700, stat.S_IMODE((root / "data").stat().st_mode))
        self.assertEqual(0o600, stat.S_IMODE((root / "data" / "token").stat().st_mode))
        self.assertEqual(0o600, stat.S_IMODE((root / ".env").stat().st_mode))
        self.assertEqual(0o600, stat.S_IMODE((root / "data" / "agent-lightning.db").stat().st_mode))
        token = (root / "data" / "token").read_text()
        (root / ".env").write_text("LOG_LEVEL=error\n")
        again = json.loads(self.run_good("init", "--json"))
        self.assertFalse(again["dotenv_written"])
        self.assertEqual(("known", "sqlite"), (again["token"], again["database"]))
        self.assertEqual("LOG_LEVEL=error\n", (root / ".env").read_text())
        self.assertEqual(token, (root / "data" / "token").read_text())
        self.server.start()
        self.assertEqual(token.strip(), self.server.token)
        self.server.stop()

    def test_migrations_go_up_down_and_tell(self):
        state = json.loads(self.run_good("migrate", "status", "--json"))["migrations"]
        self.assertFalse(state[0]["applied"])
        self.assertIn("applied: 1", self.run_good("migrate", "up"))
        self.assertIn("Nothing to do", self.run_good("migrate", "up"))
        self.assertTrue(json.loads(self.run_good("migrate", "status", "--json"))["migrations"][0]["applied"])
        self.assertIn("1", self.run_good("migrate", "down", "--to", "0"))
        self.assertFalse(json.loads(self.run_good("migrate", "status", "--json"))["migrations"][0]["applied"])

    def test_the_database_is_for_its_owner_under_a_relative_directory_too(self):
        root = pathlib.Path(self.server.directory.name)
        (root / "open").mkdir(mode=0o755)
        made = json.loads(self.run_good("init", "--data", "./open", "--json"))
        self.assertEqual("made", made["token"])
        self.assertEqual(0o600, stat.S_IMODE((root / "open" / "agent-lightning.db").stat().st_mode))

    def test_commands_do_not_log_on_the_terminal(self):
        for arguments in (["migrate", "up"], ["migrate", "down", "--to", "0"], ["init"], ["doctor"]):
            self.assertEqual("", self.server.run(*arguments).stderr, arguments)
        self.server.run("migrate", "down", "--to", "0")
        logged = self.server.run("migrate", "up", "--log.level", "info").stderr
        self.assertEqual(1, logged.count('"number":1,'), "who asks for the log gets it, and each migration once")

    def test_numbers_of_migrations_are_checked(self):
        for arguments in (["up", "--to", "99"], ["up", "--to", "-1"], ["up", "--to", "0"], ["down", "--to", "99"]):
            done = self.server.run("migrate", *arguments)
            self.assertEqual(2, done.returncode, done.stdout + done.stderr)
            self.assertIn("error:", done.stderr)
        self.assertFalse(os.path.exists(self.server.data), "a mistake changes nothing")
        self.assertEqual({"applied": [1]}, json.loads(self.run_good("migrate", "up", "--to", "1", "--json")))
        self.assertEqual({"taken_back": [1]}, json.loads(self.run_good("migrate", "down", "--to", "0", "--json")))

    def test_a_url_of_another_database_is_refused(self):
        for command in (["config"], ["serve"], ["migrate", "status"]):
            done = self.server.run(*command, environment={"DATABASE_URL": "mysql://u:hidden@h/db"})
            self.assertEqual(2, done.returncode)
            self.assertIn("postgresql:// or postgres://", done.stderr)
            self.assertNotIn("hidden", done.stderr)

    def test_a_postgres_that_does_not_answer_holds_nobody_up(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            settings = {
                "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing",
                "DB_CONNECT_TIMEOUT": "2",
            }
            for command in (["serve"], ["migrate", "up"], ["migrate", "status"], ["doctor"]):
                begun = time.monotonic()
                done = self.server.run(*command, environment=settings)
                self.assertEqual(1, done.returncode, done.stdout)
                self.assertIn("timeout expired", done.stdout + done.stderr)
                self.assertLess(time.monotonic() - begun, 15, command)

    def test_doctor_says_what_it_looked_at(self):
        self.run_good("init")
        findings = {f["subject"]: f["message"] for f in json.loads(self.run_good("doctor", "--json"))["findings"]}
        self.assertEqual("journal_mode = wal", findings["durability"])

    def test_migrations_wait_for_nobody(self):
        self.server.start()
        done = self.server.run("migrate", "down", "--to", "0")
        self.assertEqual(1, done.returncode)
        self.assertIn("Stop it first", done.stderr)
        self.server.stop()

    def test_the_variable_sets_the_first_token(self):
        self.server.environment["AGENT_LIGHTNING_TOKEN"] = "chosen-by-the-operator"
        self.server.start()
        self.assertEqual("chosen-by-the-operator", pathlib.Path(self.server.data, "token").read_text().strip())
        self.assertEqual(200, self.server.call("GET", "/agents")[0])
        self.server.stop()
        self.server.environment["AGENT_LIGHTNING_TOKEN"] = "short"
        for command in ("serve", "init"):
            done = self.server.run(command)
            self.assertEqual(2, done.returncode)
            self.assertIn("at least 16 characters", done.stderr)

    def test_a_providers_address_that_is_none_is_a_setting_not_understood(self):
        done = self.server.run("serve", environment={"OPENAI_BASE_URL": "notaurl"})
        self.assertEqual(2, done.returncode)
        self.assertIn("openai.base_url", done.stderr)
        self.assertFalse(os.path.exists(self.server.data), "a mistake changes nothing")

    def test_doctor_before_the_first_start(self):
        done = self.server.run("doctor")
        self.assertEqual(0, done.returncode, done.stdout)
        self.assertIn("agent-lightning serve", done.stdout)
        self.assertFalse(os.path.exists(self.server.data), "looking changes nothing")

    def test_doctor_sees_open_permissions_and_a_broken_database(self):
        self.run_good("init")
        os.chmod(self.server.data, 0o755)
        self.assertIn("chmod 700", self.run_good("doctor"))
        pathlib.Path(self.server.data, "agent-lightning.db").write_bytes(b"no database at all" * 100)
        done = self.server.run("doctor")
        self.assertEqual(1, done.returncode)
        self.assertIn("backup", done.stdout)

    def test_doctor_names_a_database_that_does_not_answer(self):
        done = self.server.run("doctor", environment={"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"})
        self.assertEqual(1, done.returncode)
        self.assertIn("DATABASE_URL", done.stdout)

    def test_an_unknown_role_is_explained(self):
        done = self.server.run("serve", "gatway")
        self.assertEqual(2, done.returncode)
        self.assertIn("did you mean 'gateway'?", done.stderr)

    def test_a_taken_port_is_named(self):
        self.server.start()
        port = self.server.url.rsplit(":", 1)[1]
        other = Server(environment={"GATEWAY_PORT": port})
        self.addCleanup(other.remove)
        done = other.run("serve")
        self.assertEqual(1, done.returncode)
        self.assertIn(port, done.stderr)
        self.assertIn("GATEWAY_PORT", done.stderr)
        self.server.stop()

    def test_version_needs_no_settings(self):
        environment = clean_environment() | {port: "nonsense" for port in PORTS}
        done = subprocess.run([str(BINARY), "--version"], env=environment, capture_output=True, text=True, check=True)
        self.assertRegex(done.stdout, r"^agent-lightning \d+\.\d+\.\d+\n$")


class OnPostgres(unittest.TestCase):
    """The same program on PostgreSQL, as an ordinary owner of the database."""

    def setUp(self):
        self.postgres = self.enterContext(Postgres())
        self.url = self.postgres.create_database("agents")

    def test_a_task_is_answered_and_another_machine_can_join(self):
        first = self.enterContext(Server({"DATABASE_URL": self.url}))
        done = first.run("task", "run", "security_expert", "How do I stop SQL injection?", "--follow")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("Sources", done.stdout)
        findings = json.loads(first.run("doctor", "--json").stdout)
        self.assertTrue(findings["ok"], findings)

        second = self.enterContext(Server({"DATABASE_URL": self.url, "AGENT_LIGHTNING_TOKEN": first.token}))
        self.assertEqual(200, second.call("GET", "/agents")[0])
        self.assertFalse(os.path.exists(os.path.join(second.data, "token")))
        second.stop()
        self.assertIn(
            "AGENT_LIGHTNING_TOKEN",
            second.run(
                "agent", "list", environment={"AGENT_LIGHTNING_TOKEN": "", "AGENT_LIGHTNING_URL": first.url}
            ).stderr,
        )

    def test_doctor_sees_a_server_that_does_not_sync(self):
        self.postgres.query("postgres", "ALTER SYSTEM SET synchronous_commit = off")
        self.postgres.query("postgres", "SELECT pg_reload_conf()")
        server = Server(environment={"DATABASE_URL": self.url})
        self.addCleanup(server.remove)
        server.run("migrate", "up")
        done = server.run("doctor")
        self.assertEqual(1, done.returncode, done.stdout)
        self.assertIn("synchronous_commit = off", done.stdout)


class Terminal:
    """The program on a terminal: `text` is all that it wrote there, standard error as well."""

    def __init__(self, server, *arguments, rows=24, columns=100, environment=None):
        self.text = ""
        self.screen, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        settings = server.environment | {"AGENT_LIGHTNING_URL": server.url, "TERM": "xterm"} | (environment or {})
        self.process = subprocess.Popen(
            [str(BINARY), *arguments],
            cwd=server.directory.name, env=settings, stdin=inside, stdout=inside, stderr=inside,
            start_new_session=True,
        )  # fmt: skip
        os.close(inside)

    def read_until(self, pattern, timeout=30):
        """Reads on until the pattern is in what came; None: to the end."""
        limit = time.monotonic() + timeout
        while pattern is None or not re.search(pattern, self.text):
            readable, _, _ = select.select([self.screen], [], [], max(0, limit - time.monotonic()))
            if not readable:
                raise AssertionError(f"no {pattern!r} in {self.text!r}")
            try:
                piece = os.read(self.screen, 65536)
            except OSError:  # how Linux tells that the other end is closed
                piece = b""
            if not piece:
                if pattern is not None:
                    raise AssertionError(f"no {pattern!r} to the end of {self.text!r}")
                break
            self.text += piece.decode().replace("\r\n", "\n")
        return self

    def type(self, keys):
        os.write(self.screen, keys.encode())

    def end(self):
        """What it wrote, and its exit code."""
        self.read_until(None)
        code = self.process.wait(30)
        self.close()
        return self.text, code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.screen >= 0:
            os.close(self.screen)
            self.screen = -1


def plain(text):
    """Without colours."""
    return re.sub(r"\x1b\[\d*m", "", text)


class OnATerminal(ProviderTest):
    """What the command line does where people look at it."""

    kinds: ClassVar = ("openai",)
    environment: ClassVar = {}

    def terminal(self, *arguments, **options):
        terminal = Terminal(self.server, *arguments, **options)
        self.addCleanup(terminal.close)
        return terminal

    # ---- the words of a model ----

    def test_words_are_printed_as_they_come(self):
        self.provider.play(Hang(after=3, answer=Answer("Bind values, never paste them [1].")))
        terminal = self.terminal("task", "run", "security_expert", "How do I stop SQL injection?", "--follow")
        terminal.read_until("Bind values")
        self.assertIsNone(terminal.process.poll(), "the model has not ended")
        self.provider.release()
        text, code = terminal.end()
        text = plain(text)
        self.assertEqual(0, code, text)
        self.assertEqual(1, text.count("Bind values, never paste them [1]."), text)
        self.assertRegex(text, r"paste them \[1\]\.\n[^\n]*completed\n\nSources\n\[1\] security_expert/")

    def test_a_step_begins_on_a_line_of_its_own(self):
        look = Answer("I will look it up.", tools=(ToolCall("knowledge_search", {"query": "hashing"}),))
        self.provider.play(SlowStream(0.05, look), SlowStream(0.05, Answer("Argon2 it is.")))
        text, code = self.terminal("task", "run", "security_expert", "How to hash?", "--follow").end()
        self.assertEqual(0, code, text)
        self.assertIn("\nArgon2 it is.\n", plain(text))
        self.assertEqual(1, text.count("Argon2 it is."))

    def test_programs_get_the_answer_once(self):
        self.provider.play(SlowStream(0.02, Answer("One two three.")))
        done = self.server.run("task", "run", "writer", "Count.", "--follow")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(1, done.stdout.count("One two three."))
        self.assertTrue(done.stdout.startswith("One two three.\n"))
        self.provider.play(Answer("One two three."))
        text, code = self.terminal("task", "run", "writer", "Count.", "--follow", "--json").end()
        self.assertEqual(0, code)
        self.assertEqual("One two three.", json.loads(text)["result"]["text"])

    def test_a_task_is_watched_by_its_id(self):
        self.provider.play(Hang(after=2, answer=Answer("Slowly it comes.")))
        task = self.server.call("POST", "/api/v1/agents/writer/tasks", {"description": "Write."})[1]
        terminal = self.terminal("task", "watch", task["id"]).read_until("Slowly")
        self.provider.release()
        text, code = terminal.end()
        self.assertEqual(0, code)
        self.assertEqual(1, text.count("Slowly it comes."))
        later = self.server.run("task", "watch", task["id"])
        self.assertEqual((0, "Slowly it comes."), (later.returncode, later.stdout.splitlines()[0]))
        self.assertIn("given to writer as " + task["id"], later.stderr)
        nobody = self.server.run("task", "watch", "01920000-0000-7000-8000-000000000000")
        self.assertEqual(1, nobody.returncode)

    def test_ctrl_c_on_a_terminal_leaves_the_task_running(self):
        self.provider.play(Hang(after=2, answer=Answer("Slowly it comes.")))
        terminal = self.terminal("task", "run", "writer", "Write.", "--follow").read_until("Slowly")
        os.kill(terminal.process.pid, signal.SIGINT)
        text, code = terminal.end()
        self.provider.release()
        self.assertEqual(130, code)
        self.assertRegex(plain(text), r"Slowly[^\n]*\nThe task goes on")

    def test_a_stream_that_breaks_off_is_taken_up_again(self):
        self.provider.play(Hang(after=3, answer=Answer("First this, then that.")))
        with Relay(self.server.url) as relay:
            terminal = self.terminal(
                "task", "run", "writer", "Write.", "--follow", environment={"AGENT_LIGHTNING_URL": relay.url}
            )
            terminal.read_until("First this")
            relay.cut()
            relay.wait_for_connection()
            self.provider.release()
            text, code = terminal.end()
        self.assertEqual(0, code, text)
        self.assertEqual(1, plain(text).count("First this, then that."), text)

    def test_an_answer_that_was_cut_is_not_taken_for_a_whole_one(self):
        cut = "the answer was cut at the limit of tokens (max_tokens)"
        self.provider.play(*[Answer("One two", finish="length")] * 3)
        done = self.server.run("task", "run", "writer", "Count.", "--follow")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn(cut, done.stderr)
        task = json.loads(self.server.run("task", "list", "--limit", "1", "--json").stdout)["tasks"][0]
        self.assertIn(cut, self.server.run("task", "show", task["id"]).stdout)
        self.assertIn(cut, self.server.run("chat", "writer", "Count.").stderr)
        self.assertNotIn(cut, self.server.run("chat", "writer", "Count.", "--json").stderr)

    # ---- conversations ----

    def test_an_answer_of_a_conversation_has_its_sources(self):
        self.provider.play(SlowStream(0.02, Answer("Use bound parameters [1].")))
        text, code = self.terminal("chat", "security_expert", "How do I stop SQL injection?").end()
        self.assertEqual(0, code, text)
        self.assertRegex(plain(text), r"^Use bound parameters \[1\]\.\n\nSources\n\[1\] security_expert/")
        self.assertRegex(text, r"Go on later: agent-lightning chat security_expert --session " + UUID.pattern)

    def test_ctrl_c_at_the_prompt_says_how_to_go_on(self):
        self.provider.play(Answer("Hi there."))
        terminal = self.terminal("chat", "writer").read_until("> ")
        terminal.type("Hello\n")
        terminal.read_until(r"Hi there\.[\s\S]*> ")
        os.kill(terminal.process.pid, signal.SIGINT)
        text, code = terminal.end()
        self.assertEqual(130, code, text)
        self.assertRegex(text, r"\nGo on later: agent-lightning chat writer --session " + UUID.pattern)

    def test_ctrl_c_stops_an_answer_and_ctrl_d_the_conversation(self):
        self.provider.play(Hang(after=2, answer=Answer("Slowly it comes.")), Answer("Here I am."))
        terminal = self.terminal("chat", "writer").read_until("> ")
        terminal.type("Hello\n")
        terminal.read_until("Slowly")
        os.kill(terminal.process.pid, signal.SIGINT)
        terminal.read_until(r"\nstopped\n[\s\S]*> ")
        self.provider.release()
        terminal.type("Still there?\n")
        terminal.read_until(r"Here I am\.[\s\S]*> ")
        terminal.type("\x04")
        text, code = terminal.end()
        self.assertEqual(0, code, text)
        self.assertIn("\nGo on later: ", text)

    # ---- lists ----

    def test_what_the_next_command_needs_is_whole_on_a_narrow_terminal(self):
        self.provider.play(Answer("Done."))
        task = self.api("POST", "/agents/writer/tasks", {"description": "Write a long text. " * 9}, 201)
        self.server.ended(task["id"])
        for arguments, wanted in (
            (["task", "list", "--no-pager"], task["id"]),
            (["agent", "list", "--no-pager"], "blockchain_developer"),
            (["config"], "MODELS_FIRST_TOKEN_TIMEOUT"),
        ):
            text, code = self.terminal(*arguments, columns=80).end()
            self.assertEqual(0, code, text)
            self.assertIn(wanted, text)
            self.assertLessEqual(max(len(line) for line in plain(text).splitlines()), 80, text)

    def test_a_list_is_watched(self):
        terminal = self.terminal("agent", "list", "--watch=60").read_until("watched until Ctrl-C")
        self.assertNotIn("watched_one", terminal.text)
        made = self.server.run("agent", "create", "watched_one", "--name", "New", "--specialization", "testing")
        self.assertEqual(0, made.returncode, made.stderr)
        terminal.read_until(r"\x1b\[\d+A\r\x1b\[J[\s\S]*watched_one")
        os.kill(terminal.process.pid, signal.SIGINT)
        self.assertEqual(130, terminal.end()[1])

    def test_a_task_is_watched_as_it_changes(self):
        self.provider.play(Hang(answer=Answer("Done.")))
        task = self.server.call("POST", "/api/v1/agents/writer/tasks", {"description": "Write."})[1]
        terminal = self.terminal("task", "show", task["id"], "--watch=0.2").read_until("started")
        self.provider.release()
        terminal.read_until("Done\\.")
        os.kill(terminal.process.pid, signal.SIGINT)
        self.assertEqual(130, terminal.end()[1])

    def test_only_terminals_are_drawn_on(self):
        for arguments in (["agent", "list", "--watch"], ["task", "show", "x", "--watch"]):
            done = self.server.run(*arguments)
            self.assertEqual(2, done.returncode)
            self.assertIn("terminal", done.stderr)
            self.assertEqual("", done.stdout)
        text, code = self.terminal("agent", "list", "--watch", "--json").end()
        self.assertEqual(2, code)
        self.assertIn("--json", text)
        text, code = self.terminal("agent", "show", "nobody_here", "--watch").end()
        self.assertEqual(1, code)
        self.assertIn("nobody_here", text)

    def test_long_lists_are_paged(self):
        pager = {"PAGER": "sed s/^/paged:/"}
        text, code = self.terminal("agent", "list", rows=6, environment=pager).end()
        self.assertEqual(0, code)
        self.assertTrue(all(line.startswith("paged:") for line in text.strip().splitlines()), text)
        for arguments, rows in ((["agent", "list"], 100), (["agent", "list", "--no-pager"], 6), (["--help"], 6),
                                (["agent", "list", "--json"], 6)):  # fmt: skip
            text, code = self.terminal(*arguments, rows=rows, environment=pager).end()
            self.assertEqual(0, code)
            self.assertNotIn("paged:", text)
        for nothing in ("", "/nonexistent/pager"):
            text, code = self.terminal("agent", "list", rows=6, environment={"PAGER": nothing}).end()
            self.assertEqual(0, code)
            self.assertIn("security_expert", text)

    @unittest.skipUnless(shutil.which("less"), "less is not installed")
    def test_less_gets_the_terminal(self):
        terminal = self.terminal("agent", "list", rows=6).read_until(":")
        self.assertIn("ID", terminal.text)
        os.killpg(terminal.process.pid, signal.SIGINT)  # as Ctrl-C: it is the pager's
        for _ in range(30):  # keys that come with the signal are lost
            terminal.type("G")
            try:
                terminal.read_until("END", timeout=1)
                break
            except AssertionError:
                continue
        self.assertIn("END", terminal.text)
        terminal.type("q")
        self.assertEqual(0, terminal.end()[1])


class Relay:
    """Hands on what clients and the server say, until it is cut."""

    def __init__(self, url):
        address = urlsplit(url)
        self.target = (address.hostname, address.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.open, self.count, self.changed = [], 0, threading.Condition()

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            with self.changed:
                self.open += [client, server]
                self.count += 1
                self.changed.notify_all()
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.hand_on, args=(source, sink), daemon=True).start()

    @staticmethod
    def hand_on(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        with self.changed:
            for end in self.open:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()
            self.open, self.count = [], 0

    def wait_for_connection(self):
        with self.changed:
            if not self.changed.wait_for(lambda: self.count > 0, 30):
                raise AssertionError("nobody came back")


class Scripts(ServerTest):
    """What the program writes about itself: completion and the manual."""

    environment: ClassVar = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shell_environment = cls.server.environment | {
            "AGENT_LIGHTNING_URL": cls.server.url,
            "PATH": f"{BINARY.parent}:{os.environ['PATH']}",
        }

    def output(self, *arguments):
        done = self.server.run(*arguments)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout

    def complete(self, line, environment=None):
        """What bash offers for the line, which is split as bash does it."""
        words = re.findall(r"=|[^\s=]+", line) + ([""] if line.endswith(" ") else [])
        script = (
            'eval "$1"; shift; complete -p agent-lightning >/dev/null || exit 3\n'
            'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))\n_agent_lightning 2>&1\nprintf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "--norc", "-c", script, "bash", self.output("completion", "bash"), *words],
            cwd=self.server.directory.name, env=self.shell_environment | (environment or {}), text=True,
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        self.assertEqual((0, ""), (done.returncode, done.stderr), line)
        return done.stdout.split()

    def test_bash_completes(self):
        for line, offered in {
            "agent-lightning ta": ["task"],
            "agent-lightning comp": ["completion"],
            "agent-lightning task ca": ["cancel"],
            "agent-lightning --json task ca": ["cancel"],
            "agent-lightning --config task ag": ["agent"],
            "agent-lightning task run writer x --priority ": ["low", "normal", "high", "urgent"],
            "agent-lightning task run --priority=h": ["high"],
            "agent-lightning task run --fol": ["--follow"],
            "agent-lightning serve wo": ["worker"],
            "agent-lightning serve worker ga": ["gateway"],
            "agent-lightning task list --watch=5 --sta": ["--status"],
            "agent-lightning task list --log.le": ["--log.level"],
            "agent-lightning task list --log.level w": ["warning"],
            "agent-lightning events replay t": ["task"],
            "agent-lightning completion z": ["zsh"],
            "agent-lightning task run sec": ["security_expert"],
            "agent-lightning task run au": ["auto"],
            "agent-lightning provider add x --kind o": ["openai"],
            "agent-lightning task list --agent sec": ["security_expert"],
            "agent-lightning task run writer sec": [],
            "agent-lightning export -o d": ["data"],
            "agent-lightning --data d": ["data"],
            "agent-lightning model show ext": ["extractive"],
        }.items():
            self.assertEqual(offered, self.complete(line), line)
        options = self.complete("agent-lightning task run -")
        self.assertIn("--help", options)
        self.assertNotIn("--log.level", options, "sixty settings would drown the rest")

    def test_completion_is_silent_without_a_server(self):
        offered = self.complete("agent-lightning task run sec", {"AGENT_LIGHTNING_URL": "http://127.0.0.1:1"})
        self.assertEqual([], offered)
        done = self.server.run("complete", "agent", environment={"AGENT_LIGHTNING_URL": "http://127.0.0.1:1"})
        self.assertEqual(("", ""), (done.stdout, done.stderr))
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            begun = time.monotonic()
            done = self.server.run("complete", "agent", environment={"AGENT_LIGHTNING_URL": url})
            self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual(("", ""), (done.stdout, done.stderr))

    def test_ids_come_with_what_they_are(self):
        task = json.loads(self.output("task", "run", "writer", "say $(touch x)", "--json"))
        lines = self.output("complete", "task").splitlines()
        self.assertIn(f"{task['id']}\tsay $(touch x)", lines)
        self.assertIn("writer\t", self.output("complete", "agent"))
        self.assertIn(task["id"], self.complete("agent-lightning task show "))

    def test_shells_understand_their_scripts(self):
        for shell, check in {"bash": ["-n"], "zsh": ["-n"], "fish": ["--no-execute"]}.items():
            script = self.output("completion", shell)
            if not shutil.which(shell):
                continue
            done = subprocess.run(
                [shell, *check], input=script, text=True, capture_output=True, timeout=60, check=False
            )
            self.assertEqual((0, ""), (done.returncode, done.stderr), shell)
        wrong = self.server.run("completion", "tcsh")
        self.assertEqual(2, wrong.returncode)
        self.assertIn("bash, zsh, fish", wrong.stderr)

    def test_the_manual_can_be_formatted(self):
        page = self.output("man")
        self.assertIn(".SH EXIT STATUS", page)
        if not shutil.which("groff"):
            self.skipTest("groff is not installed")
        done = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww"], input=page, text=True, capture_output=True, timeout=60, check=False
        )
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertTrue("PAGER" in re.sub(".\b", "", done.stdout))  # bold letters are struck twice

    def test_the_documentation_names_every_command(self):
        text = (pathlib.Path(__file__).resolve().parents[2] / "docs/cli.md").read_text(encoding="utf-8")
        for usage in re.findall(r'^\.SS "agent\\-lightning ([^"]*)"', self.output("man"), re.MULTILINE):
            words = usage.replace("\\-", "-").split()
            if words[-1] == "COMMAND":
                continue
            command = " ".join(word for word in words if re.fullmatch(r"[a-z-]+", word))
            self.assertIn(f"`{command}", text, "docs/cli.md does not know it")

    # ---- models and long lists ----

    def test_models(self):
        models = json.loads(self.output("model", "list", "--json"))["models"]
        self.assertIn("extractive", [model["id"] for model in models])
        self.assertEqual(["ID", "PROVIDER", "KIND", "MODEL", "DEFAULT"], self.output("model", "list").split()[:5])
        self.assertIn("extractive", self.output("model", "show", "extractive"))
        self.assertEqual(1, self.server.run("model", "show", "no/such:model").returncode)
        self.assertEqual("No model was used.\n", self.output("model", "usage"))
        self.assertEqual([], json.loads(self.output("model", "usage", "--all", "--json"))["usage"])
        wrong = self.server.run("model", "usage", "--from", "yesterday")
        self.assertEqual(2, wrong.returncode)
        self.assertIn("from", wrong.stderr)

    def test_all_means_every_page(self):
        for number in range(3):
            self.output("task", "run", "developer" if number else "writer", f"all {number}", "--json")
        everything = json.loads(self.output("task", "list", "--all", "--json"))
        self.assertEqual(everything["count"], len(everything["tasks"]))
        self.assertIsNone(everything["next_cursor"])
        first = self.server.run("task", "list", "--limit", "1")
        self.assertEqual(2, len(first.stdout.splitlines()))
        cursor = re.search(r"--all, or --cursor (\S+)", first.stderr).group(1)
        rest = self.output("task", "list", "--cursor", cursor, "--all")
        self.assertEqual(everything["count"], len(rest.splitlines()))
        self.assertEqual("No tasks.\n", self.output("task", "list", "--status", "failed", "--all"))
        self.assertEqual("No providers.\n", self.output("provider", "list", "--all"))


if __name__ == "__main__":
    unittest.main()
