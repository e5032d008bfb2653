"""Model providers that are registered through the API: the real program, and a provider on loopback that it calls."""

import contextlib
import json
import os
import pathlib
import shutil
import stat
import time
import unittest

from support.cases import ProviderTest, accounts
from support.postgres import Postgres
from support.provider import Fault, ScriptedProvider
from support.server import Server

KEY = "sk-Sealed0123456789abcdefSecret"
OTHER_KEY = "sk-Another0123456789abcdefSecret"
MASTER = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def everything_in(folder):
    """The bytes of every file, the write-ahead log of the database among them."""
    return b"".join(path.read_bytes() for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file())


def refused_start(server):
    """What a start says last that does not succeed."""
    try:
        server.start()
    except AssertionError:
        return server.log.read_text().splitlines()[-1]
    raise AssertionError("it started")


class Providers(ProviderTest):
    @classmethod
    def new_provider(cls):
        return ScriptedProvider(key=KEY)

    @classmethod
    def settings(cls):
        return accounts(cls.provider, "anthropic") | {
            "LOG_LEVEL": "debug",
            "PROVIDERS_ALLOWED_HOSTS": f"api.openai.com,127.0.0.1:{cls.provider.port},*",
            "ANTHROPIC_API_KEY": OTHER_KEY,
        }

    made = 0

    def api(self, *request, **options):
        answer = super().api(*request, **options)
        self.assertNotIn(KEY, json.dumps(answer))
        self.assertNotIn(OTHER_KEY, json.dumps(answer))
        return answer

    def register(self, expect=201, **fields):
        type(self).made += 1
        body = {"id": f"p{self.made}", "kind": "openai", "base_url": self.provider.openai_url, "key": KEY} | fields
        return self.api("POST", "/providers", body, expect)

    def test_a_provider_lives_and_its_key_is_used(self):
        made = self.register(default_model="gpt-5-mini", models={"fast": "gpt-5-mini"})
        self.assertEqual((True, "api", 1), (made["has_key"], made["origin"], made["version"]))
        self.assertNotIn("key", made)
        path = f"/providers/{made['id']}"
        self.assertEqual(made, self.api("GET", path))
        calls = len(self.provider.calls)
        tested = self.api("POST", path + "/test")
        self.assertTrue(tested["ok"], tested)
        self.assertIn("gpt-5-mini", tested["models"])
        self.assertGreaterEqual(tested["latency_ms"], 0)
        self.assertEqual(f"Bearer {KEY}", self.provider.calls[calls].headers["authorization"])
        changed = self.api("PUT", path, {"key": None})
        self.assertEqual((False, 2), (changed["has_key"], changed["version"]))
        refused = self.api("POST", path + "/test")
        self.assertFalse(refused["ok"])
        self.assertIn("401", refused["reason"])
        self.assertTrue(self.api("PUT", path, {"key": KEY})["has_key"])
        self.assertTrue(self.api("POST", path + "/test")["ok"])
        self.api("DELETE", path)
        self.api("GET", path, expect=404)
        self.api("POST", path + "/test", expect=404)
        self.api("PUT", path, {"default_model": "x"}, 404)
        self.assertFalse(self.register(id=made["id"], key=None)["has_key"])

    def test_anthropic_is_asked_in_its_own_way(self):
        made = self.register(kind="anthropic", base_url=self.provider.anthropic_url + "/")
        self.assertEqual(self.provider.anthropic_url, made["base_url"])
        calls = len(self.provider.calls)
        tested = self.api("POST", f"/providers/{made['id']}/test")
        self.assertTrue(tested["ok"], tested)
        self.assertEqual(KEY, self.provider.calls[calls].headers["x-api-key"])

    def test_a_key_that_the_provider_quotes_stays_here(self):
        made = self.register()
        message = f"Incorrect API key provided: {KEY}."
        self.provider.play(Fault(401, message=message), path="/v1/models")
        tested = self.api("POST", f"/providers/{made['id']}/test")
        self.assertFalse(tested["ok"])
        self.assertIn("***", tested["reason"])

    def test_those_of_the_settings_are_listed_and_not_changed(self):
        listed = {one["id"]: one for one in self.api("GET", "/providers?limit=500")["providers"]}
        self.assertEqual("settings", listed["anthropic"]["origin"])
        self.assertNotIn("openai", listed)
        self.assertEqual(listed["anthropic"], self.api("GET", "/providers/anthropic"))
        self.assertIn("settings", self.api("PUT", "/providers/anthropic", {"default_model": "x"}, 409)["detail"])
        self.api("DELETE", "/providers/anthropic", expect=409)
        self.api("PUT", "/providers/openai", {"default_model": "x"}, 404)
        self.assertFalse(self.api("POST", "/providers/anthropic/test")["ok"], "its key is another one")
        for id in ("openai", "anthropic", "extractive"):
            self.assertEqual("id", self.register(422, id=id)["errors"][0]["path"])

    def test_lists_have_pages(self):
        for _ in range(3):
            self.register()
        every = [one["id"] for one in self.api("GET", "/providers?limit=500")["providers"]]
        self.assertEqual(sorted(every), every)
        seen, cursor = [], ""
        while True:
            page = self.api("GET", f"/providers?limit=2&count=total{cursor}")
            self.assertLessEqual(page["count"], 2)
            self.assertEqual(len(every), page["total"])
            seen += [one["id"] for one in page["providers"]]
            if not page["next_cursor"]:
                break
            cursor = f"&cursor={page['next_cursor']}"
        self.assertEqual(every, seen)

    def test_wrong_input_names_its_field(self):
        for fields, path in (
            ({"base_url": "https://user:pass@api.openai.com/v1"}, "base_url"),
            ({"base_url": "http://api.openai.com/v1"}, "base_url"),
            ({"base_url": "https://169.254.169.254/latest"}, "base_url"),
            ({"base_url": "https://127.0.0.1:1/v1"}, "base_url"),
            ({"base_url": "https://[::ffff:10.0.0.1]/v1"}, "base_url"),
            ({"base_url": "nothing"}, "base_url"),
            ({"kind": "other"}, "kind"),
            ({"key": "two words"}, "key"),
            ({"key": "line\r\nbreak"}, "key"),
            ({"key": ""}, "key"),
            ({"key": 7}, "key"),
            ({"models": {"a": 1}}, "models.a"),
            ({"has_key": True}, "has_key"),
            ({"sealed_key": "x"}, "sealed_key"),
        ):
            with self.subTest(fields=fields):
                self.assertEqual(path, self.register(422, **fields)["errors"][0]["path"])
        id = self.register()["id"]
        self.api("PUT", f"/providers/{id}", {}, 400)
        self.assertEqual("base_url", self.api("PUT", f"/providers/{id}", {"base_url": "x"}, 422)["errors"][0]["path"])
        self.api("PUT", f"/providers/{id}", {"default_model": "x"}, 412, {"If-Match": '"9"'})
        body = {"id": "z", "kind": "openai", "base_url": self.provider.openai_url}
        self.api("POST", "/providers", body, 400, {"Idempotency-Key": "one"})

    def test_a_key_does_not_go_to_another_host(self):
        path = f"/providers/{self.register()['id']}"
        moved = {"base_url": "https://api.openai.com/v1"}
        self.assertEqual("key", self.api("PUT", path, moved, 422)["errors"][0]["path"])
        self.api("PUT", path, {"base_url": self.provider.url + "/other"})
        self.assertTrue(self.api("PUT", path, moved | {"key": OTHER_KEY})["has_key"])
        self.assertFalse(self.api("PUT", path, {"base_url": self.provider.openai_url, "key": None})["has_key"])

    def test_a_name_that_stands_for_a_private_address_is_not_called(self):
        """This one resolves to loopback; without a resolver that knows it nothing is called either."""
        made = self.register(base_url="https://localtest.me/v1")
        tested = self.api("POST", f"/providers/{made['id']}/test")
        self.assertFalse(tested["ok"])

    def test_the_key_is_nowhere_to_be_read(self):
        id = self.register(key=KEY)["id"]
        self.api("PUT", f"/providers/{id}", {"key": OTHER_KEY})
        self.api("PUT", f"/providers/{id}", {"key": KEY, "nope": 1}, 422)
        self.api("GET", "/providers?limit=500")
        self.api("DELETE", f"/providers/{id}")
        events = self.api("GET", "/events?limit=500&channel=provider:*")["events"]
        self.assertIn("provider:deleted", {event["channel"] for event in events})
        self.assertNotIn("sealed", json.dumps(events))
        kept = everything_in(self.server.data) + self.server.log.read_bytes()
        self.assertIn(self.provider.openai_url.encode(), kept, "the database is among what is searched")
        for key in (KEY, OTHER_KEY):
            self.assertNotIn(key.encode(), kept)
        for path in ("master.key", "token"):
            mode = stat.S_IMODE(os.stat(os.path.join(self.server.data, path)).st_mode)
            self.assertEqual(0o600, mode, path)

    def test_openapi_says_that_a_key_is_only_written(self):
        document = self.api("GET", "/openapi.json")
        schemas = document["components"]["schemas"]
        inputs = [schema["properties"] for name, schema in schemas.items() if "ProviderInput" in name]
        self.assertTrue(inputs and all("key" in properties for properties in inputs), inputs)
        self.assertNotIn("key", schemas["Provider"]["properties"])

    # ---- the command line ----

    def good(self, *arguments, **options):
        done = self.server.run(*arguments, **options)
        self.assertEqual(0, done.returncode, f"{arguments}: {done.stdout}{done.stderr}")
        self.assertNotIn(KEY, done.stdout + done.stderr)
        return done.stdout

    def test_the_command_line(self):
        url = self.provider.openai_url
        new = ("provider", "add", "cli", "--kind", "openai", "--base-url", url, "--map", "fast=gpt-5-mini")
        self.assertIn("yes", self.good(*new, "--key-file", "-", text=KEY + "\n"))
        self.assertIn(url, self.good("provider", "list"))
        self.assertIn("fast", self.good("provider", "show", "cli"))
        self.assertIn("gpt-5-mini", self.good("provider", "test", "cli"))
        self.assertFalse(json.loads(self.good("provider", "set", "cli", "--no-key", "--json"))["has_key"])
        failed = self.server.run("provider", "test", "cli")
        self.assertEqual(1, failed.returncode)
        self.assertIn("401", failed.stdout)
        self.good("provider", "set", "cli", "--key-env", "MY_KEY", environment={"MY_KEY": KEY})
        self.good("provider", "test", "cli")
        file = pathlib.Path(self.server.directory.name, "key")
        file.write_text(KEY + "\n")
        self.good("provider", "set", "cli", "--key-file", str(file), "--default-model", "gpt-5-mini")
        file.unlink()
        self.assertIn("deleted", self.good("provider", "remove", "cli"))
        for wrong in (
            ("provider", "set", "cli"),
            ("provider", "set", "cli", "--key-env", "NOT_THERE"),
            ("provider", "set", "cli", "--key-file", "/not/there"),
            ("provider", "set", "cli", "--map", "x"),
            ("provider", "set", "cli", "--key", KEY),
            ("provider", "add", "cli"),
        ):
            with self.subTest(wrong=wrong):
                self.assertEqual(2, self.server.run(*wrong).returncode)


class Restart(unittest.TestCase):
    """What a process does that comes later."""

    def setUp(self):
        self.provider = self.enterContext(ScriptedProvider(key=KEY))
        self.environment = {"PROVIDERS_ALLOWED_HOSTS": f"127.0.0.1:{self.provider.port}"}

    def serve(self, **environment):
        server = Server(environment=self.environment | environment)
        self.addCleanup(server.remove)
        return server

    def register(self, server):
        body = {"id": "p", "kind": "openai", "base_url": self.provider.openai_url, "key": KEY}
        server.api("POST", "/providers", body, 201)

    def outcome(self, server):
        return server.api("POST", "/providers/p/test")

    def test_a_key_survives_and_another_master_key_does_not_start(self):
        server = self.serve()
        server.start()
        master = pathlib.Path(server.data, "master.key")
        self.assertFalse(master.exists(), "it is made when it is needed")
        self.register(server)
        self.assertTrue(self.outcome(server)["ok"])
        server.stop()
        server.environment["AGENT_LIGHTNING_MASTER_KEY"] = MASTER
        said = refused_start(server)
        self.assertIn("AGENT_LIGHTNING_MASTER_KEY", said)
        self.assertIn("does not open", said)
        self.assertNotIn(MASTER, said)
        server.environment["AGENT_LIGHTNING_MASTER_KEY"] = "no key"
        self.assertIn("32 bytes", refused_start(server))
        server.environment["AGENT_LIGHTNING_MASTER_KEY"] = master.read_text().strip()
        hidden = master.rename(master.with_name("hidden"))
        server.start()
        self.assertTrue(self.outcome(server)["ok"], "the variable is as good as the file")
        server.stop()
        del server.environment["AGENT_LIGHTNING_MASTER_KEY"]
        for _ in range(5):  # what is under way when a start fails must come to its end
            self.assertIn("copy master.key", refused_start(server))
        self.assertFalse(master.exists(), "none is made beside sealed secrets")
        hidden.rename(master)
        master.chmod(0o644)
        self.assertIn("chmod 600", refused_start(server))
        master.chmod(0o600)
        server.start()
        self.assertTrue(self.outcome(server)["ok"])

    def test_a_host_that_is_not_allowed_any_more_is_not_called(self):
        server = self.serve()
        server.start()
        self.register(server)
        server.stop()
        server.environment["PROVIDERS_ALLOWED_HOSTS"] = "api.openai.com"
        server.start()
        calls = len(self.provider.calls)
        tested = self.outcome(server)
        self.assertFalse(tested["ok"])
        self.assertIn("PROVIDERS_ALLOWED_HOSTS", tested["reason"])
        self.assertEqual(calls, len(self.provider.calls))

    def test_a_wrong_list_of_hosts_does_not_start(self):
        server = self.serve(PROVIDERS_ALLOWED_HOSTS="https://api.openai.com")
        self.assertIn("PROVIDERS_ALLOWED_HOSTS", refused_start(server))


@unittest.skipUnless(shutil.which("setpriv"), "PostgreSQL is started with setpriv")
class WorkerAlone(unittest.TestCase):
    def test_what_it_used_is_stored_while_it_runs(self):
        with ScriptedProvider() as provider, contextlib.ExitStack() as stack:
            server = Server(accounts(provider, "openai"), ("agent-designer", "ai-model"))
            stack.callback(server.remove)
            server.start()
            task = server.api("POST", "/agents/developer/tasks", {"description": "Say ok."}, 201)["id"]
            server.stop()
            server.roles = ("worker",)
            server.start()
            limit = time.monotonic() + 60
            while not any(call.delivered for call in provider.calls):
                self.assertLess(time.monotonic(), limit, "the task was not worked on")
                time.sleep(0.05)
            time.sleep(3)  # its usage is stored once a second; there is no port on which to ask for it
            server.kill()
            server.roles = ("agent-designer", "ai-model")
            server.start()
            self.assertEqual("completed", server.api("GET", f"/tasks/{task}")["status"])
            usage = server.call("GET", "/models/usage", role="ai-model")[1]["usage"]
            self.assertEqual([1], [row["requests"] for row in usage])


class Cluster(unittest.TestCase):
    """Two processes on one database."""

    def test_processes_share_the_master_key_and_what_they_change(self):
        postgres = self.enterContext(Postgres())
        with ScriptedProvider(key=KEY) as provider:
            environment = {
                "DATABASE_URL": postgres.create_database("providers"),
                "AGENT_LIGHTNING_TOKEN": "al_0123456789abcdef",
                "PROVIDERS_ALLOWED_HOSTS": f"127.0.0.1:{provider.port}",
            }
            first, second, third = (Server(environment=dict(environment)) for _ in range(3))
            for server in (first, second, third):
                self.addCleanup(server.remove)
            first.environment["AGENT_LIGHTNING_MASTER_KEY"] = MASTER
            second.environment["AGENT_LIGHTNING_MASTER_KEY"] = MASTER
            first.start()
            second.start()
            third.start()
            body = {"id": "p", "kind": "openai", "base_url": provider.openai_url, "key": KEY}
            first.api("POST", "/providers", body, 201)
            self.assertTrue(second.api("POST", "/providers/p/test")["ok"])
            self.assertNotIn(KEY, postgres.query("providers", "SELECT * FROM agent_lightning.providers"))
            self.assertNotIn(KEY, postgres.query("providers", "SELECT * FROM agent_lightning.events"))
            # The third started before there was anything sealed, and has no key.
            self.assertFalse(third.api("POST", "/providers/p/test")["ok"])
            answer = third.api("POST", "/providers", body | {"id": "q"}, 503)
            self.assertIn("AGENT_LIGHTNING_MASTER_KEY", answer["detail"])
            third.stop()
            self.assertIn("AGENT_LIGHTNING_MASTER_KEY", refused_start(third))
            self.assertFalse(os.path.exists(os.path.join(third.data, "master.key")))


if __name__ == "__main__":
    unittest.main()
