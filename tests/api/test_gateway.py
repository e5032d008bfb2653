"""The gateway as processes before processes: retries, breakers, limits, what is passed on and what is not."""

import gzip
import http.client
import http.server
import json
import pathlib
import socket
import tempfile
import threading
import time
import unittest
from urllib.parse import urlsplit

from support.cases import ServerTest, accounts
from support.cluster import Cluster, Member
from support.postgres import free_port
from support.provider import Cut, Fault, ScriptedProvider
from support.server import Server
from support.websocket import Refused, WebSocket

PAGE = "https://app.example.com"
BREAKER = {"failures": 3, "window": 10, "open_for": 2}
WAIT_S = 20


def wait_until(is_so, what: str) -> None:
    limit = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < limit, f"not within {WAIT_S} s: {what}"
        time.sleep(0.02)


class Mirror:
    """A service of somebody else that answers with what it was sent. After `start` there is `url`."""

    def __init__(self) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                text = json.dumps({"path": self.path, "headers": self.headers.items()}).encode()
                self.send_response(200)
                for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(text)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Mirror":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def config(designers: list[str], more: str = "") -> str:
    instances = ", ".join(f'"{url}"' for url in designers)
    breaker = ", ".join(f"{name}: {value}" for name, value in BREAKER.items())
    return f"""services:
- name: agent-designer
  instances: [{instances}]
  breaker: {{{breaker}}}
  health: {{interval: 1}}
routes:
- {{path: /api/v1/agents, service: agent-designer, retries: 3}}
- {{path: /api/v1/tasks, service: agent-designer, retries: 3}}
{more}"""


class Alone(ServerTest):
    """A gateway with all roles in its process, and a service of somebody else."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.mirror = cls.enterClassContext(Mirror())
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.file = pathlib.Path(cls.directory, "gateway.yaml")
        cls.write()
        cls.environment = {"GATEWAY_CONFIG": str(cls.file), "AGENT_LIGHTNING_ALLOWED_ORIGINS": PAGE}
        super().setUpClass()

    @classmethod
    def write(cls, more: str = "") -> None:
        cls.file.write_text(
            f"""services: [{{name: mirror, url: "{cls.mirror.url}"}}]
routes:
- {{path: /mirror, service: mirror, auth: open}}
- {{path: /api/v1/agents, service: agent-designer}}
- {{path: /api/v1/agents/writer, service: agent-designer, rate_limit: 3}}
- {{path: /api/v1/agents/reviewer, service: agent-designer, cache_ttl: 60}}
{more}"""
        )

    def get(self, path, headers=None, method="GET"):
        _, response = self.open(method, path, headers=headers)
        return response, response.read()

    def test_own_routes_and_unknown_ones(self):
        self.assertEqual(200, self.server.call("GET", "/health")[0])
        self.assertEqual("not_found", self.server.call("GET", "/api/v1/knowledge")[1]["code"], "not in this file")
        document = self.server.call("GET", "/openapi.json")[1]["paths"]
        for path in ("/api/v1/agents", "/api/v1/auth/login", "/api/v1/gateway/services"):
            self.assertIn(path, document)

    def test_smuggled_headers_do_not_arrive(self):
        sent = {
            "X-Forwarded-For": "6.6.6.6",
            "X-Forwarded-User": "root",
            "X-User-Id": "root",
            "X_Tenant": "other",
            "X-Real-IP": "6.6.6.6",
            "Forwarded": "for=6.6.6.6",
            "Connection": "keep-alive, X-Named",
            "X-Named": "1",
            "TE": "trailers",
            "Proxy-Authorization": "secret",
            "X-Request-Id": "r-1",
            "X-Plain": "p",
        }
        _, text = self.get("/mirror/a?b=c", sent)
        got = {name.lower(): value for name, value in json.loads(text)["headers"]}
        self.assertEqual("/mirror/a?b=c", json.loads(text)["path"])
        self.assertEqual("127.0.0.1", got["x-forwarded-for"])
        self.assertEqual("http", got["x-forwarded-proto"])
        self.assertEqual("r-1", got["x-request-id"])
        self.assertEqual("p", got["x-plain"])
        for name in ("x-forwarded-user", "x-user-id", "x_tenant", "x-real-ip", "x-named", "te", "proxy-authorization"):
            self.assertNotIn(name, got)

    def test_two_requests_in_one(self):
        host = urlsplit(self.server.url)
        with socket.create_connection((host.hostname, host.port), timeout=10) as client:
            client.sendall(
                b"POST /mirror HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"0\r\n\r\nGET /mirror/second HTTP/1.1\r\nHost: x\r\n\r\n"
            )
            answer = client.recv(65536)
        self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer[:100])
        self.assertNotIn(b"second", answer)

    def test_rate_limit(self):
        remaining = []
        for _ in range(3):
            response, _ = self.get("/api/v1/agents/writer")
            self.assertEqual((200, "3"), (response.status, response.getheader("RateLimit-Limit")))
            remaining.append(response.getheader("RateLimit-Remaining"))
        self.assertEqual(["2", "1", "0"], remaining)
        response, text = self.get("/api/v1/agents/writer")
        self.assertEqual((429, "too_many_requests"), (response.status, json.loads(text)["code"]))
        self.assertGreaterEqual(int(response.getheader("Retry-After")), 1)
        response, _ = self.get("/api/v1/agents/developer")
        self.assertEqual((200, None), (response.status, response.getheader("RateLimit-Limit")))

    def test_kept_answers(self):
        first, text = self.get("/api/v1/agents/reviewer")
        second, again = self.get("/api/v1/agents/reviewer")
        self.assertEqual(["MISS", "HIT"], [answer.getheader("X-Cache") for answer in (first, second)])
        self.assertEqual(text, again)
        self.assertIsNotNone(second.getheader("Age"))
        response, _ = self.get("/api/v1/agents/reviewer", {"Authorization": "Bearer unknown"})
        self.assertEqual((401, None), (response.status, response.getheader("X-Cache")), "it is not for everybody")

    def test_gzip(self):
        plain, text = self.get("/openapi.json")
        packed, body = self.get("/openapi.json", {"Accept-Encoding": "gzip"})
        self.assertIsNone(plain.getheader("Content-Encoding"))
        self.assertEqual("gzip", packed.getheader("Content-Encoding"))
        self.assertEqual(text, gzip.decompress(body))
        self.assertLess(len(body), len(text) / 4)
        cookie, _ = self.get("/openapi.json", {"Accept-Encoding": "gzip", "Cookie": "a=b"})
        self.assertIsNone(cookie.getheader("Content-Encoding"))

    def test_cross_origin(self):
        asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        response, _ = self.get("/api/v1/agents", {"Origin": PAGE} | asks, "OPTIONS")
        self.assertEqual((204, PAGE), (response.status, response.getheader("Access-Control-Allow-Origin")))
        self.assertEqual("true", response.getheader("Access-Control-Allow-Credentials"))
        response, _ = self.get("/api/v1/agents", {"Origin": "https://evil.example.com"} | asks, "OPTIONS")
        self.assertEqual((403, None), (response.status, response.getheader("Access-Control-Allow-Origin")))
        for origin, allowed in ((PAGE, PAGE), ("https://evil.example.com", None), ("null", None)):
            response, _ = self.get("/api/v1/agents", {"Origin": origin})
            self.assertEqual((200, allowed), (response.status, response.getheader("Access-Control-Allow-Origin")))
            self.assertIn("Origin", response.headers["Vary"])

    def test_the_file_is_read_anew(self):
        try:
            self.assertEqual(404, self.server.call("GET", "/api/v1/tasks")[0])
            self.write("- {path: /api/v1/tasks, service: agent-desinger}\n")
            wait_until(lambda: b"did you mean" in self.server.log.read_bytes(), "the log says what is wrong")
            self.assertEqual(200, self.server.call("GET", "/api/v1/agents")[0], "the old one stays")
            self.write("- {path: /api/v1/tasks, service: agent-designer}\n")
            wait_until(lambda: self.server.call("GET", "/api/v1/tasks")[0] == 200, "the new route answers")
        finally:
            self.write()

    def test_what_is_behind_it(self):
        view = self.api("GET", "/gateway/services")
        mirror = next(service for service in view["services"] if service["name"] == "mirror")
        self.assertEqual([self.mirror.url], [instance["url"] for instance in mirror["instances"]])
        self.assertIn("/agents/writer", [route["path"] for route in view["routes"]])
        metrics = self.server.call("GET", "/metrics")[1]
        self.assertIn("gateway_breaker_state", metrics)
        self.assertEqual(401, self.get("/gateway/services", {"Authorization": "Bearer nobody"})[0].status)

    def test_a_wrong_file_ends_the_start(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("services: [{name: a, url: nonsense}]\nroutes: [{path: /a, service: b}]\n")
            file.flush()
            server = Server({"GATEWAY_CONFIG": file.name})
            self.addCleanup(server.remove)
            with self.assertRaises(AssertionError) as refused:
                server.start()
            for mistake in ("services[0].url", "routes[0].service"):
                self.assertIn(mistake, str(refused.exception))


class Load:
    """Reads through the gateway from several threads until it is told to stop; `failures` is what did not succeed."""

    def __init__(self, gateway: Member, path: str, threads: int = 4):
        self.gateway, self.path = gateway, path
        self.done, self.failures, self.over = 0, [], threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def run(self) -> None:
        while not self.over.is_set():
            try:
                status, answer = self.gateway.call("GET", self.path)
                if status != 200:
                    self.failures.append((status, answer))
                self.done += 1
            except (OSError, http.client.HTTPException) as fault:
                self.failures.append(repr(fault))

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


class BeforeOthers(unittest.TestCase):
    """A gateway alone in its process, before two processes of agent-designer on one PostgreSQL."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.file = pathlib.Path(cls.directory, "gateway.yaml")
        first, second = free_port(), free_port()
        cls.file.write_text(config([f"127.0.0.1:{first}", f"127.0.0.1:{second}"]))
        cls.cluster = Cluster(1, ("agent-designer", "gateway"), {"GATEWAY_CONFIG": str(cls.file)},
                              {"agent-designer": first})  # fmt: skip
        cls.addClassCleanup(cls.cluster.remove)
        cls.cluster.start()
        other = cls.cluster.make_member("agent-designer", 2, cls.cluster.members[0].environment["DATABASE_URL"])
        other.environment["AGENT_DESIGNER_PORT"] = str(second)
        cls.cluster.members.append(other)
        other.start()
        cls.designers = cls.cluster.of("agent-designer")
        cls.gateway = cls.cluster.of("gateway")[0]

    def instances(self) -> dict[str, dict]:
        services = self.gateway.api("GET", "/gateway/services")["services"]
        return {one["url"]: one for one in next(s for s in services if s["name"] == "agent-designer")["instances"]}

    def state(self, url: str) -> tuple[str, str]:
        one = self.instances()[url]
        return one["availability"], one["breaker"]

    def counts(self) -> list[int]:
        """Requests that each of the two has answered."""
        name, out = "agent_lightning_http_requests_total", []
        for member in self.designers:
            lines = member.call("GET", "/metrics")[1].splitlines()
            out.append(int(next(line.split()[1] for line in lines if line.startswith(name))))
        return out

    def test_both_answer(self):
        wait_until(lambda: all(self.state(url) == ("up", "closed") for url in self.instances()), "both are well")
        before = self.counts()
        for _ in range(40):
            self.gateway.api("GET", "/agents/writer")
        for old, new in zip(before, self.counts(), strict=True):
            self.assertGreater(new - old, 10)

    def test_a_credential_is_the_service_s_to_judge(self):
        status, answer = self.gateway.call("GET", "/api/v1/agents", headers={"Authorization": "Bearer nobody"})
        self.assertEqual((401, "unauthenticated"), (status, answer["code"]))

    def test_nothing_fails_when_one_of_two_is_killed(self):
        killed = self.designers[1]
        with Load(self.gateway, "/api/v1/agents/writer") as load:
            wait_until(lambda: load.done > 100, "some answers")
            killed.kill()
            url = killed.url
            wait_until(lambda: self.state(url)[1] == "open", "its breaker opens")
            so_far = load.done
            wait_until(lambda: load.done > so_far + 200, "the other one answers")
            killed.start()
            wait_until(lambda: self.state(url) == ("up", "closed"), "it is back")
            before = self.counts()[1]
            wait_until(lambda: self.counts()[1] > before + 20, "it gets its share")
        self.assertEqual([], load.failures[:5])


class FoundByDiscovery(unittest.TestCase):
    """A gateway without a configuration finds the others, and stands in for them while there are none."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster(1, ("agent-designer", "gateway"))
        cls.addClassCleanup(cls.cluster.remove)
        cls.cluster.start()
        cls.designer, cls.gateway = cls.cluster.members

    def designers(self) -> dict:
        services = self.gateway.api("GET", "/gateway/services")["services"]
        return next(service for service in services if service["name"] == "agent-designer")

    def test_instances_come_and_go(self):
        def is_found():
            found = self.designers()
            return not found["local"] and [i["availability"] for i in found["instances"]] == ["up"]

        wait_until(is_found, "it is found")
        self.assertEqual([self.designer.url], [i["url"] for i in self.designers()["instances"]])
        self.assertEqual("writer", self.gateway.api("GET", "/agents/writer")["id"])
        self.assertIn('gateway_requests_total{service="agent-designer",class="2xx"}',
                      self.gateway.call("GET", "/metrics")[1])  # fmt: skip
        self.designer.stop()
        wait_until(lambda: self.designers()["local"], "it is gone")
        self.assertEqual("writer", self.gateway.api("GET", "/agents/writer")["id"])


class BuiltInRoutes(unittest.TestCase):
    """A gateway without a configuration, before a process of ai-model and two of websocket."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.provider = cls.enterClassContext(ScriptedProvider())
        cls.cluster = Cluster(1, ("ai-model", "websocket", "gateway"), accounts(cls.provider))
        cls.addClassCleanup(cls.cluster.remove)
        cls.cluster.start()
        other = cls.cluster.make_member("websocket", 2, cls.cluster.members[0].environment["DATABASE_URL"])
        cls.cluster.members.append(other)
        other.start()
        cls.gateway = cls.cluster.of("gateway")[0]

    def instances(self, service: str) -> list[tuple[str, str]]:
        services = self.gateway.api("GET", "/gateway/services")["services"]
        found = next(one for one in services if one["name"] == service)["instances"]
        return [(one["availability"], one["breaker"]) for one in found]

    def test_no_model_call_is_paid_twice(self):
        wait_until(lambda: self.instances("ai-model") == [("up", "closed")], "it is found")
        question = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "How long do eggs boil?"}]}
        for fault, status in ((Fault(502), 502), (Fault(503), 503), (Fault(504), 504), (Cut(), 502)):
            before = len(self.provider.calls)
            self.provider.play(fault)
            answer = self.gateway.call("POST", "/v1/chat/completions", question, {"Idempotency-Key": f"order-{before}"})
            self.assertEqual(status, answer[0], answer)
            self.assertEqual(before + 1, len(self.provider.calls), fault)
        answer = self.gateway.call("POST", "/v1/chat/completions", question, {"Idempotency-Key": "order-0"})
        self.assertEqual(200, answer[0], answer)

    def test_no_handshake_fails_when_one_of_two_is_killed(self):
        wait_until(lambda: self.instances("websocket") == [("up", "closed")] * 2, "both are found")
        killed = self.cluster.of("websocket")[0]  # the other joined later, and its share still grows
        killed.kill()
        refused = []
        for _ in range(10):
            try:
                with WebSocket(self.gateway.url) as client:
                    self.assertEqual("connection_id", client.next()["type"])
            except Refused as refusal:
                refused.append(str(refusal))
        self.assertEqual([], refused)


if __name__ == "__main__":
    unittest.main()
