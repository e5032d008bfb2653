"""Addresses that a caller hands in: none of them makes the server call its own network.

What is called is counted by who would be called. What the caller is told must not depend on whether anybody listens
there, or the answers would draw a map of the network.
"""

import contextlib
import ipaddress
import itertools
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import unittest
from typing import ClassVar, Self
from urllib.parse import urlsplit

from raw_http import Asker, RawServer, request
from smuggling_cases import TOKEN
from support.cases import ServerTest
from support.server import Server

ADDRESSES = [
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "0",
    "0.0.0.0",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.1",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "0177.1",
    "127.0.0.01",
    "127.000.000.001",
    "127.0.0.1.",
    "127.0.0.1.5",
    "256.0.0.1",
    "4294967297",
    "18446744073709551617",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "127.0.0.1%00",
    "127.0.0.1%20",
    "127.0.0.1%09",
    "127.0.0.1%0d%0a",
    "127\u30020\u30020\u30021",
    "127\uff0e0\uff0e0\uff0e1",
    "\uff11\uff12\uff17.0.0.1",
    "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
    "\u0661\u0662\u0667.0.0.1",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::1%25lo]",
    "[::1%lo]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fc00::1]",
    "[fd00::1]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[v1.127.0.0.1]",
    "[127.0.0.1]",
    "[::1",
    "::1",
    "169.254.169.254",
    "169.254.170.2",
    "[::ffff:169.254.169.254]",
    "2852039166",
    "0xa9fea9fe",
    "100.64.0.1",
    "100.100.100.200",
    "10.0.0.1",
    "10.255.255.255",
    "167772161",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "168.63.129.16",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "a.b.LocalHost",
    "l\u043ecalhost",
    "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
    "local%68ost",
    "ip6-localhost",
    "postgres",
    "redis",
    "metadata",
    "metadata.google.internal",
    "host.docker.internal",
    "printer.local",
    "router.lan",
    "nas.home.arpa",
    "something.test",
    "user@127.0.0.1",
    "user:password@127.0.0.1",
    "api.openai.com@127.0.0.1",
    "api.openai.com:443@127.0.0.1",
    "api.openai.com%2f@127.0.0.1",
    "api.openai.com%40127.0.0.1",
    "api.openai.com&@127.0.0.1",
    "api.openai.com;@127.0.0.1",
    "api.openai.com\\@127.0.0.1",
    "api.openai.com#@127.0.0.1",
    "api.openai.com?@127.0.0.1",
    "127.0.0.1\\@api.openai.com",
    "127.0.0.1#@api.openai.com",
    "127.0.0.1 api.openai.com",
    "127.0.0.1,api.openai.com",
    "api.openai.com,127.0.0.1",
    "127.0.0.1.api.openai.com",
    "127.0.0.1\t",
    "127.0.0.1\n",
    "127.0\t.0.1",
    "127.0.0.1\r\nX: y",
    "",
    ".",
    "..",
    "-",
    "*",
]
OTHERS = [
    "127.0.0.1:PORT",
    "//127.0.0.1:PORT/v1",
    "/v1",
    "https:127.0.0.1:PORT",
    "https:/127.0.0.1:PORT/v1",
    "https:///127.0.0.1:PORT/v1",
    "https:////127.0.0.1:PORT/v1",
    "https:\\\\127.0.0.1:PORT\\v1",
    " https://127.0.0.1:PORT/v1",
    "\thttps://127.0.0.1:PORT/v1",
    "https ://127.0.0.1:PORT/v1",
    "url:https://127.0.0.1:PORT/v1",
    "HTTPS://127.0.0.1:PORT/v1",
    "https://127.0.0.1:PORT",
    "https://127.0.0.1:PORT?x=y",
    "https://127.0.0.1:PORT#x",
    "https://api.openai.com:80@127.0.0.1:PORT/v1",
    "https://api.openai.com:PORT:PORT/v1",
    "https://127.0.0.1:+PORT/v1",
    "https://127.0.0.1:0PORT/v1",
    "https://127.0.0.1:-1/v1",
    "https://127.0.0.1:65536/v1",
    "https://127.0.0.1:99999999999/v1",
    "https://127.0.0.1:x/v1",
    "https://127.0.0.1/v1",
    "https://127.0.0.1:22/v1",
    "https://127.0.0.1:5432/v1",
    "https://127.0.0.1:6379/v1",
    "http://api.openai.com/v1",
    "file:///etc/passwd",
    "file://127.0.0.1:PORT/etc/passwd",
    "gopher://127.0.0.1:PORT/_GET%20/",
    "dict://127.0.0.1:PORT/info",
    "ftp://127.0.0.1:PORT/",
    "tftp://127.0.0.1:PORT/x",
    "ldap://127.0.0.1:PORT/",
    "smb://127.0.0.1:PORT/x",
    "ws://127.0.0.1:PORT/",
    "wss://127.0.0.1:PORT/",
    "unix:///var/run/docker.sock",
    "http+unix://%2fvar%2frun%2fdocker.sock/v1",
    "unix:/var/run/docker.sock:/v1",
    "jar:https://127.0.0.1:PORT!/x",
    "netdoc:///etc/passwd",
    "data:application/json,{}",
    "javascript:alert(1)",
    "about:blank",
]
URLS = [
    *(f"{scheme}://{address}:PORT/v1" for scheme in ("https", "http") for address in ADDRESSES),
    *OTHERS,
]
# Names that look public, and what the machine's table of hosts says of them.
NAMES = {
    "loopback.example.com": ["127.0.0.1"],
    "loopback6.example.com": ["::1"],
    "mapped.example.com": ["::ffff:127.0.0.1"],
    "private.example.com": ["10.0.0.1"],
    "metadata.example.com": ["169.254.169.254"],
    "this.example.com": ["0.0.0.0"],
    "both.example.com": ["8.8.8.8", "127.0.0.1"],
    "both6.example.com": ["2001:4860:4860::8888", "::1"],
    "shared.example.com": ["100.64.0.1"],
    "multicast.example.com": ["224.0.0.1"],
}
FLIPS = 100
MOUNT = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
MOUNT += ["sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"']
QUOTED = re.compile("'[^']*'")
# All that a caller is told of an address: of its form, or that nobody may call it.
TEXTS = {
    "must be a URL such as https://api.openai.com/v1",
    "must begin with https://",
    "must hold no user and no password; give the key as `key`",
    "must end with its path, without a query and a fragment",
    "must name its host plainly: not a name that begins with an address",
    "must name its host plainly: a name, an IPv4 address of four numbers, or an IPv6 address in brackets",
    "must have a port from 1 to 65535",
    "names a host that may not be called; an operator can add 'H' to PROVIDERS_ALLOWED_HOSTS",
    "must begin with https://; an operator can add 'H' to PROVIDERS_ALLOWED_HOSTS",
    "names a host of a private network; an operator can add 'H' to PROVIDERS_ALLOWED_HOSTS",
}
# Whoever is told of these apart learns something.
SPECIAL = ["127.0.0.1", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254", "localhost"]
URL_WORDS = re.compile(r"url|uri|href|link|host|endpoint|webhook|callback|proxy|address")
TAKES_A_URL = {
    ("ProviderInputCreate", "base_url"),
    ("ProviderInputPatch", "base_url"),
    ("ServiceInstanceCreate", "host"),
}
# Even for who may name hosts of our own network: nothing of ours answers there.
NEVER_A_SERVICE = [
    "0.0.0.0",
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "fe80::1",
    "ff02::1",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "169.254.169.254.",
    "a b",
    "user@example.com",
    "example.com/path",
    "",
]


class Canary:
    """Listens on loopback, in both protocols, and counts who comes."""

    def __init__(self):
        self.callers: list[str] = []
        self.listeners = [socket.create_server(("127.0.0.1", 0))]
        self.port = self.listeners[0].getsockname()[1]
        for host, family in (("127.0.0.2", socket.AF_INET), ("::1", socket.AF_INET6)):
            with contextlib.suppress(OSError):
                self.listeners.append(socket.create_server((host, self.port), family=family))
        self.threads = [threading.Thread(target=self.accept, args=(one,)) for one in self.listeners]
        for thread in self.threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for listener in self.listeners:
            listener.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()
        for listener in self.listeners:
            listener.close()

    def accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, caller = listener.accept()
                self.callers.append(str(caller))
                sock.close()


def closed_port(like: int) -> int:
    """One with as many digits, where nobody listens."""
    return next(port for port in range(like + 1, 65536) if is_closed(port))


def is_closed(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) != 0


def call_carelessly(url: str) -> None:
    """As a program that takes what the C library takes for an address; but never beyond this machine."""
    with contextlib.suppress(OSError, ValueError):
        parts = urlsplit(url.strip())
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        for found in socket.getaddrinfo(host, parts.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST):
            address = ipaddress.ip_address(found[4][0])
            if address.is_loopback or address.is_unspecified:
                socket.create_connection(found[4][:2], 0.2).close()


class OutgoingUrls(ServerTest):
    """Everything public may be called here; in `OnlyListed` almost nothing."""

    allowed = "*"
    made = 0

    @classmethod
    def setUpClass(cls):
        cls.canary = cls.enterClassContext(Canary())
        cls.proxy = cls.enterClassContext(Canary())
        proxy = f"http://127.0.0.1:{cls.proxy.port}"
        cls.environment = {
            "LOG_LEVEL": "error",
            "AGENT_LIGHTNING_TOKEN": TOKEN,
            "PROVIDERS_ALLOWED_HOSTS": cls.allowed,
        } | dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"), proxy)
        super().setUpClass()
        cls.port, cls.closed = cls.canary.port, closed_port(cls.canary.port)
        cls.asker = cls.enterClassContext(Asker(urlsplit(cls.server.url).port))

    def send(self, method: str, path: str, body: dict, expect: int = 422) -> dict:
        answer = self.asker.ask(request(method, "/api/v1" + path, TOKEN, body=json.dumps(body).encode()))
        self.assertEqual(expect, answer.status, answer.body)
        return json.loads(answer.body)

    def register(self, url: str, expect: int = 422) -> dict:
        type(self).made += 1
        return self.send("POST", "/providers", {"id": f"p{self.made}", "kind": "openai", "base_url": url}, expect)

    def refusal(self, url: str) -> str:
        (error,) = self.register(url)["errors"]
        self.assertEqual("base_url", error["path"])
        return error["message"]

    def test_there_are_enough(self):
        self.assertGreaterEqual(len(URLS), 120)
        self.assertEqual(len(URLS), len(set(URLS)))

    def test_no_other_route_takes_one(self):
        schemas = self.server.call("GET", "/openapi.json")[1]["components"]["schemas"]
        found = {
            (name, member)
            for name, schema in schemas.items()
            if name.endswith(("Create", "Patch"))
            for member in schema.get("properties", {})
            if URL_WORDS.search(member)
        }
        self.assertEqual(set(), found - TAKES_A_URL, "a new one belongs into these tests")

    def test_none_is_taken_or_called(self):
        texts = set()
        for url in URLS:
            with self.subTest(url=url):
                listening, closed = (self.refusal(url.replace("PORT", str(port))) for port in (self.port, self.closed))
                self.assertEqual(listening.replace(str(self.port), "P"), closed.replace(str(self.closed), "P"))
                texts.add(QUOTED.sub("'H'", listening))
        self.assertEqual([], self.canary.callers)
        self.assertEqual([], self.proxy.callers)
        self.assertEqual(set(), texts - TEXTS)

    def test_special_addresses_are_all_told_the_same(self):
        texts = {QUOTED.sub("'H'", self.refusal(f"https://{address}:{self.port}/v1")) for address in SPECIAL}
        self.assertEqual(1, len(texts), texts)

    def test_none_comes_in_by_a_change(self):
        made = self.register("https://api.openai.com/v1", 201)
        for url in URLS:
            with self.subTest(url=url):
                change = {"base_url": url.replace("PORT", str(self.port))}
                (error,) = self.send("PUT", f"/providers/{made['id']}", change)["errors"]
                self.assertEqual("base_url", error["path"])
        self.assertEqual(made, self.api("GET", f"/providers/{made['id']}"))
        self.assertEqual([], self.canary.callers)

    def test_a_careless_program_is_caught(self):
        """The addresses are dangerous, and the counter counts."""
        with Canary() as canary:
            for url in URLS:
                call_carelessly(url.replace("PORT", str(canary.port)))
            self.assertGreater(len(canary.callers), 20)


class OnlyListed(OutgoingUrls):
    """As it comes: well-known providers may be called, and nothing else."""

    allowed = "api.openai.com"


class NamesOfHosts(ServerTest):
    """Names that look public and stand for private addresses, which only a resolver knows."""

    @classmethod
    def setUpClass(cls):
        cls.canary = cls.enterClassContext(Canary())
        settings = {"LOG_LEVEL": "error", "AGENT_LIGHTNING_TOKEN": TOKEN, "PROVIDERS_ALLOWED_HOSTS": "*"}
        cls.server = Server(settings)
        cls.addClassCleanup(cls.server.remove)
        cls.hosts = pathlib.Path(cls.server.directory.name) / "hosts"
        cls.write(NAMES)
        wrapper = [*MOUNT, str(cls.hosts)]
        if subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode != 0:
            raise unittest.SkipTest("no mount namespace can be made here, so the table of hosts stays as it is")
        cls.server.start(wrapper)
        cls.addClassCleanup(cls.server.stop)

    @classmethod
    def write(cls, names: dict[str, list[str]]) -> None:
        """In one piece: who reads it sees one table or the other."""
        lines = [f"{address} {name}\n" for name, addresses in names.items() for address in addresses]
        text = "".join(lines).encode()
        with open(cls.hosts, "r+b" if cls.hosts.exists() else "wb", buffering=0) as file:
            file.write(text.ljust(4096, b"\n"))

    def provider(self, name: str, id: str) -> str:
        body = {"id": id, "kind": "openai", "base_url": f"https://{name}:{self.canary.port}/v1", "models": {id: id}}
        return self.api("POST", "/providers", body | {"key": "sk-" + id}, 201)["id"]

    def test_none_is_called(self):
        reasons = set()
        for number, name in enumerate(NAMES):
            with self.subTest(name=name):
                id = self.provider(name, f"n{number}")
                tested = self.api("POST", f"/providers/{id}/test")
                self.assertFalse(tested["ok"])
                reasons.add(tested["reason"].replace(f"'{id}'", "'P'"))
                asked = {"model": id, "messages": []}
                self.assertEqual(403, self.server.call("POST", "/v1/chat/completions", asked)[0])
                self.api("POST", "/inference", {"model_id": id, "prompt": "x"}, 403)
                self.api("DELETE", f"/providers/{id}")
        self.assertEqual([], self.canary.callers)
        self.assertEqual(1, len(reasons), reasons)

    def test_a_name_that_changes_its_mind(self):
        id = self.provider("flips.example.com", "flips")
        faces = itertools.cycle((["10.0.0.1"], ["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"]))
        stopping = threading.Event()

        def flip():
            while not stopping.is_set():
                self.write({"flips.example.com": next(faces)})

        thread = threading.Thread(target=flip)
        thread.start()
        try:
            for _ in range(FLIPS):
                self.assertFalse(self.api("POST", f"/providers/{id}/test")["ok"])
        finally:
            stopping.set()
            thread.join()
            self.write(NAMES)
        self.assertEqual([], self.canary.callers)


class RegisteredInstances(ServerTest):
    """Of services, which are asked how they are, and called."""

    environment: ClassVar = {"LOG_LEVEL": "error", "AGENT_LIGHTNING_TOKEN": TOKEN}

    def test_none_is_where_no_service_is(self):
        for host in NEVER_A_SERVICE:
            with self.subTest(host=host):
                problem = self.api("POST", "/instances", {"name": "evil", "host": host, "port": 80}, 422)
                self.assertEqual(["host"], [error["path"] for error in problem["errors"]])

    def test_none_takes_the_place_of_a_role(self):
        """Its callers would hand it their credentials."""
        for role in self.server.urls:
            status, _ = self.server.call(
                "POST", "/api/v1/instances", {"name": role, "host": "evil.example", "port": 80}
            )
            with self.subTest(role=role):
                self.assertIn(status, (403, 409, 422))


class Redirects(ServerTest):
    """A provider that the operator trusts, and that sends us elsewhere."""

    @classmethod
    def setUpClass(cls):
        cls.canary = cls.enterClassContext(Canary())
        cls.provider = cls.enterClassContext(RawServer(cls.answer))
        cls.head = ""
        cls.environment = {
            "LOG_LEVEL": "error",
            "AGENT_LIGHTNING_TOKEN": TOKEN,
            "PROVIDERS_ALLOWED_HOSTS": f"127.0.0.1:{cls.provider.port}",
        }
        super().setUpClass()
        url = f"http://127.0.0.1:{cls.provider.port}/v1"
        body = {"id": "moved", "kind": "openai", "base_url": url, "key": "sk-moved", "models": {"m": "m"}}
        cls.server.api("POST", "/providers", body, 201)

    @classmethod
    def answer(cls, _: bytes) -> bytes:
        return f"HTTP/1.1 {cls.head}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()

    def test_are_not_followed(self):
        elsewhere = f"127.0.0.1:{self.canary.port}"
        for target in (
            f"http://{elsewhere}/",
            f"https://{elsewhere}/",
            f"//{elsewhere}/",
            f"http://[::1]:{self.canary.port}/",
        ):
            for head in (
                *(f"{status} X\r\nLocation: {target}" for status in (300, 301, 302, 303, 305, 307, 308)),
                f"201 X\r\nLocation: {target}",
                f"200 X\r\nRefresh: 0; url={target}",
                f"200 X\r\nContent-Location: {target}",
                f'200 X\r\nAlt-Svc: h2="{elsewhere}"',
                f"407 X\r\nProxy-Authenticate: Basic\r\nLocation: {target}",
            ):
                with self.subTest(head=head):
                    type(self).head = head
                    asked = len(self.provider.requests)
                    self.assertFalse(self.api("POST", "/providers/moved/test")["ok"])
                    status, _ = self.server.call("POST", "/v1/chat/completions", {"model": "m", "messages": []})
                    self.assertEqual(int(head[:3]), status)
                    self.assertEqual(2, len(self.provider.requests) - asked)
        self.assertEqual([], self.canary.callers)


if __name__ == "__main__":
    unittest.main()
