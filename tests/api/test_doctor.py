"""What `agent-lightning doctor` says of model providers and of the key that seals theirs."""

import json
import os
import pathlib
import unittest

from support.cases import ProviderTest
from support.provider import Fault
from support.server import Server


class Doctor(ProviderTest):
    kinds = ("openai",)

    def findings(self, **environment):
        done = self.server.run("doctor", "--json", environment=environment)
        findings = {finding["subject"]: finding for finding in json.loads(done.stdout)["findings"]}
        self.assertEqual(done.returncode == 0, all(one["level"] != "error" for one in findings.values()))
        return findings

    def test_a_provider_that_answers(self):
        found = self.findings()["provider openai"]
        self.assertEqual("ok", found["level"], found)
        self.assertRegex(found["message"], r"has \d+ models, answered in \d+ ms")

    def test_a_provider_that_refuses_the_key(self):
        self.provider.play(Fault(401, message="wrong key"), path="/v1/models")
        found = self.findings()["provider openai"]
        self.assertEqual("error", found["level"])
        self.assertIn("wrong key", found["message"])
        self.assertIn("provider set openai", found["remedy"])

    def test_a_setting_with_which_no_server_starts(self):
        found = self.findings(OPENAI_BASE_URL="notaurl")["providers"]
        self.assertEqual("error", found["level"])
        self.assertIn("http://", found["message"])

    def test_without_a_server_the_settings_are_told(self):
        found = self.findings(AGENT_LIGHTNING_URL="http://127.0.0.1:9")
        self.assertIn(self.provider.openai_url, found["provider openai"]["message"])

    def test_the_master_key(self):
        self.assertEqual("ok", self.findings()["master key"]["level"])
        unfit = self.findings(AGENT_LIGHTNING_MASTER_KEY="abc")["master key"]
        self.assertEqual("error", unfit["level"])
        self.assertNotIn("abc", unfit["message"])
        file = pathlib.Path(self.server.data, "master.key")
        file.write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        os.chmod(file, 0o644)
        self.addCleanup(file.unlink)
        self.assertIn("chmod 600", self.findings()["master key"]["message"])


class DoctorOfWhatIsStopped(unittest.TestCase):
    def finding(self, server, subject, **environment):
        done = server.run("doctor", "--json", environment=environment)
        findings = json.loads(done.stdout)["findings"]
        return next(finding for finding in findings if finding["subject"] == subject)

    def test_a_lost_master_key_and_a_lost_token(self):
        server = Server({"PROVIDERS_ALLOWED_HOSTS": "api.openai.com"})
        self.addCleanup(server.remove)
        server.start()
        provider = {"id": "p", "kind": "openai", "base_url": "https://api.openai.com/v1", "key": "sk-1"}
        server.api("POST", "/providers", provider, 201)
        server.stop()
        self.assertEqual("ok", self.finding(server, "master key")["level"])
        other = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        self.assertIn("does not open", self.finding(server, "master key", AGENT_LIGHTNING_MASTER_KEY=other)["message"])
        pathlib.Path(server.data, "master.key").unlink()
        lost = self.finding(server, "master key")
        self.assertEqual(("error", True), (lost["level"], "not here" in lost["message"]))
        pathlib.Path(server.data, "token").unlink()
        self.assertIn("A lost token", self.finding(server, "token")["remedy"])

    def test_a_port_that_another_installation_has(self):
        with Server() as other:
            server = Server({"GATEWAY_PORT": other.url.rsplit(":", 1)[1]})
            self.addCleanup(server.remove)
            found = self.finding(server, "port of gateway")
            self.assertEqual(("error", True), (found["level"], "another data directory" in found["message"]))
