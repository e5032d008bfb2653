"""The gateway with a certificate, as curl, OpenSSL, Python and our own command line see it."""

import http.client
import json
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
from typing import ClassVar
from urllib.parse import urlsplit

from support.server import CALL_TIMEOUT_S, Server

LOOK_S = 5  # how often the program looks at the files


def make_certificate(directory: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """A certificate that signs itself, for localhost, and its key."""
    chain, key = directory / "chain.pem", directory / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-out", str(chain), "-keyout", str(key)]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True, timeout=60)
    return chain, key


class SecureServer(Server):
    """Its gateway is called with TLS, and its certificate is checked."""

    def __init__(self, chain: pathlib.Path, key: pathlib.Path):
        super().__init__(
            {"AGENT_LIGHTNING_TLS_CERTIFICATE": str(chain), "AGENT_LIGHTNING_TLS_KEY": str(key), "LOG_LEVEL": "info"}
        )
        self.trust = ssl.create_default_context(cafile=chain)

    def connect(self, role: str | None = None, timeout_s: float = CALL_TIMEOUT_S) -> http.client.HTTPConnection:
        where = urlsplit(self.urls[role] if role else self.url)
        if where.scheme == "http":
            return http.client.HTTPConnection(where.hostname, where.port, timeout=timeout_s)
        return http.client.HTTPSConnection(where.hostname, where.port, timeout=timeout_s, context=self.trust)

    @property
    def port(self) -> int:
        return urlsplit(self.url).port

    def shown(self) -> str:
        """The certificate that a new connection sees."""
        return ssl.get_server_certificate(("127.0.0.1", self.port))


class TlsTest(unittest.TestCase):
    directory: ClassVar[pathlib.Path]
    server: ClassVar[SecureServer]

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.chain, cls.key = make_certificate(cls.directory)
        cls.server = cls.enterClassContext(SecureServer(cls.chain, cls.key))

    def curl(self, *options: str) -> subprocess.CompletedProcess:
        url = f"https://localhost:{self.server.port}/health"
        command = ["curl", "--silent", "--show-error", "--max-time", "20", "--cacert", str(self.chain), *options, url]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)

    def s_client(self, *options: str) -> str:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.port}", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, input="")
        return done.stdout + done.stderr

    def test_gateway_and_dashboard_speak_tls_and_the_others_do_not(self):
        schemes = {role: urlsplit(url).scheme for role, url in self.server.urls.items()}
        public = {"gateway", "dashboard"}
        self.assertEqual({role: "https" if role in public else "http" for role in schemes}, schemes)
        for role in schemes:
            status, health = self.server.call("GET", "/health", role=role)
            self.assertEqual((200, role), (status, health["service"]))

    def test_curl_gets_an_answer_with_each_version(self):
        for version in ("1.2", "1.3"):
            done = self.curl("--tlsv" + version, "--tls-max", version)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual("gateway", json.loads(done.stdout)["service"])

    def test_older_versions_and_weak_ciphers_are_refused(self):
        for options in (["-tls1_1"], ["-tls1"], ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"]):
            if options[0] != "-tls1_2":
                options = [*options, "-cipher", "DEFAULT:@SECLEVEL=0"]
            said = self.s_client(*options)
            self.assertIn("Cipher is (NONE)", said, options)
            self.assertRegex(said, "alert (protocol version|handshake failure)", options)

    def test_http_1_1_is_what_is_spoken(self):
        self.assertIn("ALPN protocol: http/1.1", self.s_client("-alpn", "h2,http/1.1"))
        self.assertIn("alert no application protocol", self.s_client("-alpn", "h2"))

    def test_a_plain_request_is_told_what_is_spoken_here(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=CALL_TIMEOUT_S)
        self.addCleanup(connection.close)
        connection.request("POST", "/api/v1/agents", b"x" * 10_000)
        response = connection.getresponse()
        self.assertEqual(400, response.status)
        self.assertEqual(b"This port speaks TLS only: use an https:// URL.", response.read())

    def test_large_bodies_pass_both_ways(self):
        text = "".join(f"{number} " for number in range(150_000))
        item = {"category": "test", "content": text[:900_000]}
        made = self.server.api("POST", "/agents/researcher/knowledge", item, expect=201)
        read = self.server.api("GET", f"/knowledge/{made['id']}")
        self.assertEqual(item["content"], read["content"])

    def test_a_handshake_that_does_not_end_is_ended(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as silent:
            begun = time.monotonic()
            self.assertEqual(b"", silent.recv(1))
            self.assertGreater(time.monotonic() - begun, 8)

    def test_the_command_line_checks_the_certificate(self):
        url = {"AGENT_LIGHTNING_URL": f"https://localhost:{self.server.port}"}
        token = {"AGENT_LIGHTNING_TOKEN": self.server.token}
        known = self.server.run("agent", "list", environment=url | token | {"SSL_CERT_FILE": str(self.chain)})
        self.assertEqual(0, known.returncode, known.stderr)
        unknown = self.server.run("agent", "list", environment=url | token)
        self.assertEqual(1, unknown.returncode)
        self.assertIn("certificate", unknown.stderr)


class ReloadTest(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.chain, self.key = make_certificate(self.directory)

    def new_pair(self) -> tuple[pathlib.Path, pathlib.Path]:
        directory = self.directory / "next"
        directory.mkdir()
        return make_certificate(directory)

    def wait_until_shown(self, server: SecureServer, chain: pathlib.Path) -> None:
        limit = time.monotonic() + 4 * LOOK_S
        wanted = chain.read_text()
        while server.shown().strip() != wanted.strip():
            self.assertLess(time.monotonic(), limit, "the new certificate is not shown")
            time.sleep(0.2)

    def test_a_new_pair_is_taken_and_a_bad_one_is_not(self):
        with SecureServer(self.chain, self.key) as server:
            old = server.shown()
            open_before = server.connect()
            self.addCleanup(open_before.close)
            open_before.request("GET", "/health")
            open_before.getresponse().read()
            chain, key = self.new_pair()
            shutil.copy(chain, self.chain)
            time.sleep(LOOK_S + 0.5)
            self.assertEqual(old, server.shown(), "its key is missing")
            self.assertIn("the new certificate cannot be used; the old one stays", server.log.read_text())
            shutil.copy(key, self.key)
            self.wait_until_shown(server, chain)
            open_before.request("GET", "/health")
            self.assertEqual(200, open_before.getresponse().status)
            server.trust = ssl.create_default_context(cafile=chain)
            self.assertEqual(200, server.call("GET", "/health")[0])

    def test_serve_does_not_start_without_a_good_pair(self):
        chain, key = str(self.chain), str(self.key)
        certificate, key_name = "AGENT_LIGHTNING_TLS_CERTIFICATE", "AGENT_LIGHTNING_TLS_KEY"
        for settings, message in (
            ({certificate: chain}, "TLS needs both a certificate and its key"),
            ({key_name: key}, "TLS needs both a certificate and its key"),
            ({certificate: chain, key_name: chain}, f"cannot be read from '{chain}'"),
            ({certificate: "/nowhere.pem", key_name: key}, "cannot be read from '/nowhere.pem': No such file"),
        ):
            server = Server(settings)
            try:
                done = server.run("serve")
            finally:
                server.remove()
            self.assertEqual(1, done.returncode, settings)
            self.assertIn(message, done.stderr)


if __name__ == "__main__":
    unittest.main()
