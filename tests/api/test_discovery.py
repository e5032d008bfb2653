"""Service discovery: processes that register themselves, on a cluster, and what clients register, on one process."""

import http.server
import threading
import time
import unittest
from typing import Any, ClassVar

from support.cases import ServerTest
from support.cluster import PORT_OF, Cluster, Member, known_roles
from support.server import Server

WAIT_S = 30
GONE_S = 10  # after a kill
NOT_A_UUID = "none"
SOME_UUID = "01890a5d-ac96-774b-bcce-b302099a8057"
PASSWORD = "correct horse battery"


def until(what: str, is_so, limit_s: float = WAIT_S) -> float:
    """Seconds that it took."""
    begun = time.monotonic()
    while not is_so():
        if time.monotonic() - begun > limit_s:
            raise AssertionError(f"{what} within {limit_s} s")
        time.sleep(0.02)
    return time.monotonic() - begun


class Processes(unittest.TestCase):
    """Each role in a process of its own, on PostgreSQL."""

    cluster: Cluster
    reader: Member

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = cls.enterClassContext(Cluster(each=1))
        (cls.reader,) = cls.cluster.of("service-discovery")

    def instances(self, service: str) -> dict[str, dict]:
        status, answer = self.reader.call("GET", f"/api/v1/services/{service}")
        return {one["id"]: one for one in answer["instances"]} if status == 200 else {}

    def history(self, id: str) -> list[tuple[str, str]]:
        found = self.reader.api("GET", "/topology")  # it answers at all
        self.assertTrue(found["services"])
        (operations,) = self.cluster.of("operations")
        events = operations.api("GET", f"/events/replay?kind=service&aggregate_id={id}")["events"]
        return [(event["channel"].partition(":")[2], event["data"]["status"]) for event in events]

    def one_more(self, role: str = "agent-designer") -> tuple[Member, str]:
        """A process of its own for a test, and its instance."""
        before = set(self.instances(role))
        member = self.cluster.make_member(role, len(self.cluster.members), self.reader.environment["DATABASE_URL"])
        self.addCleanup(member.remove)
        member.start()
        until("it is not healthy", lambda: self.newcomers(role, before))
        return member, self.newcomers(role, before)[0]

    def newcomers(self, role: str, before: set[str]) -> list[str]:
        now = self.instances(role)
        return [id for id in now if id not in before and now[id]["status"] == "healthy"]

    def test_all_roles_with_a_port_are_there(self):
        wanted = {role for role in known_roles() if PORT_OF[role]}
        services = {}

        def all_healthy() -> bool:
            nonlocal services
            services = {one["name"]: one for one in self.reader.api("GET", "/services")["services"]}
            return set(services) >= wanted and all(services[role]["healthy"] for role in wanted)

        until("not all are healthy", all_healthy)
        self.assertEqual(wanted, set(services))
        for role in wanted:
            (member,) = self.cluster.of(role)
            (own,) = (one for one in self.instances(role).values() if one["port"] == int(member.url.rpartition(":")[2]))
            found = (own["host"], own["source"], own["ttl_seconds"], own["zone"])
            self.assertEqual(("127.0.0.1", "process", 8, "zone-1"), found)
        topology = self.reader.api("GET", "/topology")
        dependencies = {one["service"]: one["depends_on"] for one in topology["dependencies"]}
        self.assertIn("agent-designer", dependencies["gateway"])
        self.assertNotIn("auth", dependencies)

    def test_a_killed_process_is_gone_within_ten_seconds(self):
        member, id = self.one_more()
        member.kill()
        took = until("a killed process is still there", lambda: id not in self.instances("agent-designer"), GONE_S)
        self.assertGreater(took, 2, "it must outlive a late heartbeat")
        until("nobody swept", lambda: self.history(id)[-1][0] == "expired")
        self.assertEqual("registered", self.history(id)[0][0])

    def test_a_process_that_stops_says_so_first(self):
        member, id = self.one_more()
        member.stop()
        self.assertNotIn(id, self.instances("agent-designer"))
        self.assertEqual([("status_changed", "stopping"), ("deregistered", "stopping")], self.history(id)[-2:])

    def test_a_process_that_was_paused_comes_back_as_itself(self):
        member, id = self.one_more()
        member.pause()
        try:
            until("a paused process is still there", lambda: id not in self.instances("agent-designer"), GONE_S)
        finally:
            member.resume()
        until("it does not come back", lambda: id in self.instances("agent-designer"))
        self.assertEqual("healthy", self.instances("agent-designer")[id]["status"])
        self.assertEqual("registered", [change for change, _ in self.history(id)][-1])

    def test_a_process_that_lives_stays_without_an_event(self):
        (member,) = self.cluster.of("auth")
        until("it is not healthy", lambda: [one for one in self.instances("auth").values() if one["checked_at"]])
        ((id, first),) = self.instances("auth").items()
        length = len(self.history(id))
        until("no heartbeat", lambda: self.instances("auth")[id]["heartbeat_at"] > first["expires_at"])
        self.assertEqual(length, len(self.history(id)))
        self.assertEqual(first["version"], self.instances("auth")[id]["version"])
        self.assertTrue(member.is_running)


class Stub(http.server.BaseHTTPRequestHandler):
    status = 200
    seen: ClassVar[list[tuple[str, Any]]] = []

    def do_GET(self) -> None:
        Stub.seen.append((self.path, self.headers.get("Authorization")))
        self.send_response(Stub.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class External(ServerTest):
    """What clients register, with a process that runs all roles on SQLite."""

    def registration(self, **fields: Any) -> dict:
        return {"name": "search", "host": "127.0.0.1", "port": 1} | fields

    def register(self, **fields: Any) -> dict:
        made = self.api("POST", "/instances", self.registration(**fields), 201)
        self.addCleanup(self.server.call, "DELETE", f"/api/v1/instances/{made['id']}")
        return made

    def shown(self, id: str) -> dict | None:
        status, answer = self.server.call("GET", f"/api/v1/instances/{id}")
        return answer if status == 200 else None

    def test_it_is_registered_and_found(self):
        made = self.register(name="found", host="Search.Example", port=9200, tags=["blue", "big"], weight=3)
        told = tuple(made[key] for key in ("host", "status", "source", "ttl_seconds", "version"))
        self.assertEqual(("search.example", "unknown", "external", None, 1), told)
        other = self.register(name="found", host="::1", port=9201, tags=["blue"], zone="b", release="2")
        self.assertEqual("::1", other["host"])
        ids = lambda query: [one["id"] for one in self.api("GET", f"/services/found{query}")["instances"]]  # noqa: E731
        self.assertEqual([made["id"], other["id"]], ids(""))
        self.assertEqual([made["id"]], ids("?tags=blue,big"))
        self.assertEqual([], ids("?tags=green"))
        self.assertEqual([], ids("?available=true"), "nobody has asked them yet")
        self.api("GET", "/services/found/choice", expect=404)
        self.assertEqual(other | {"checked_at": None}, self.shown(other["id"]) | {"checked_at": None})
        listed = self.api("GET", "/instances?limit=500&count=total")
        self.assertEqual(len(listed["instances"]), listed["total"])
        self.assertIn(made["id"], [one["id"] for one in listed["instances"]])
        metrics = self.api("GET", "/services/found/metrics")
        told = tuple(metrics[key] for key in ("total_instances", "availability", "zones", "releases"))
        self.assertEqual((2, 0, ["b", "zone-1"], ["2"]), told)
        self.api("DELETE", f"/instances/{made['id']}")
        self.api("GET", f"/instances/{made['id']}", expect=404)
        self.assertEqual([other["id"]], ids(""))
        self.api("DELETE", f"/instances/{made['id']}", expect=404)

    def test_a_key_makes_one_of_two_calls(self):
        key = {"Idempotency-Key": "register-1"}
        first, second = (self.api("POST", "/instances", self.registration(name="once"), 201, key) for _ in "ab")
        self.assertEqual(first["id"], second["id"])
        self.assertEqual(1, len(self.api("GET", "/services/once")["instances"]))

    def test_it_lives_as_long_as_it_says(self):
        silent, alive = self.register(ttl_seconds=5), self.register(ttl_seconds=5)
        limit = time.monotonic() + 7
        while time.monotonic() < limit:
            beaten = self.api("POST", f"/instances/{alive['id']}/heartbeat", {"connections": 4})
            time.sleep(0.5)
        self.assertEqual(4, beaten["connections"])
        self.assertIsNone(self.shown(silent["id"]))
        self.assertIsNotNone(self.shown(alive["id"]))
        self.api("POST", f"/instances/{silent['id']}/heartbeat", {}, 404)

    def test_it_is_asked_how_it_is(self):
        stub = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
        self.addCleanup(stub.server_close)
        threading.Thread(target=stub.serve_forever, daemon=True).start()
        self.addCleanup(stub.shutdown)
        port = stub.server_address[1]
        made = self.register(name="asked", port=port, health_path="/well?deep=1")
        dead = self.register(name="asked", port=1)
        status = lambda one: self.shown(one["id"])["status"]  # noqa: E731
        until("it is not healthy", lambda: status(made) == "healthy")
        until("it is not unhealthy", lambda: status(dead) == "unhealthy")
        self.assertIn(("/well?deep=1", None), Stub.seen)
        self.assertEqual(made["id"], self.api("GET", "/services/asked/choice?strategy=weighted")["id"])
        metrics = self.api("GET", "/services/asked/metrics")
        self.assertEqual((1, 1, 0.5), tuple(metrics[key] for key in ("healthy", "unhealthy", "availability")))
        Stub.status = 503
        self.addCleanup(setattr, Stub, "status", 200)
        until("it is not degraded", lambda: status(made) == "degraded")
        self.assertEqual(made["id"], self.api("GET", "/services/asked/choice")["id"], "a degraded one takes calls")

    def test_wrong_registrations_are_refused(self):
        for fields, path in (
            ({"name": "agent-designer"}, "name"),
            ({"name": "worker"}, "name"),
            ({"name": "No Slug"}, "name"),
            ({"host": "169.254.169.254"}, "host"),
            ({"host": "fe80::1"}, "host"),
            ({"host": "::ffff:169.254.1.1"}, "host"),
            ({"host": "fd00:ec2::254"}, "host"),
            ({"host": "0.0.0.0"}, "host"),
            ({"host": "2130706433"}, "host"),
            ({"host": "a b"}, "host"),
            ({"host": "user@host"}, "host"),
            ({"host": "host/path"}, "host"),
            ({"host": ""}, "host"),
            ({"port": 0}, "port"),
            ({"port": 65536}, "port"),
            ({"health_path": "ready"}, "health_path"),
            ({"health_path": "//evil.example/"}, "health_path"),
            ({"health_path": "/a b"}, "health_path"),
            ({"health_path": "/a\r\nX: y"}, "health_path"),
            ({"health_path": "/a#b"}, "health_path"),
            ({"tags": ["a,b"]}, "tags[0]"),
            ({"tags": ["a", ""]}, "tags[1]"),
            ({"tags": ["a"] * 21}, "tags"),
            ({"ttl_seconds": 4}, "ttl_seconds"),
            ({"weight": 0}, "weight"),
            ({"status": "healthy"}, "status"),
            ({"source": "process"}, "source"),
            ({"id": SOME_UUID}, "id"),
        ):
            with self.subTest(fields=fields):
                status, problem = self.server.call("POST", "/api/v1/instances", self.registration(**fields))
                named = [error["path"] for error in problem.get("errors", [])]
                self.assertEqual((422, [path]), (status, named), problem)

    def test_a_process_speaks_for_itself(self):
        own = self.api("GET", "/services/auth")["instances"][0]
        self.api("DELETE", f"/instances/{own['id']}", expect=409)
        self.api("POST", f"/instances/{own['id']}/heartbeat", {}, 409)
        self.assertIsNotNone(self.shown(own["id"]))

    def test_what_is_not_there_is_not_found(self):
        for path in (
            "/services/nobody",
            "/services/Nobody!",
            "/services/nobody/metrics",
            "/services/nobody/choice",
            f"/instances/{SOME_UUID}",
            f"/instances/{NOT_A_UUID}",
        ):
            self.api("GET", path, expect=404)
        self.api("GET", "/services/auth/choice?strategy=best", expect=422)
        self.api("GET", "/services/auth?available=perhaps", expect=422)
        self.api("GET", "/instances?cursor=auth", expect=422)


class Permissions(ServerTest):
    READS = (
        "/services",
        "/services/auth",
        "/services/auth/metrics",
        "/services/auth/choice",
        "/instances",
        "/topology",
    )

    def as_key(self, key: str, method: str, path: str, body: Any = None) -> int:
        return self.server.call(method, "/api/v1" + path, body, {"Authorization": "Bearer " + key})[0]

    def key(self, *permissions: str) -> str:
        body = {"name": "n", "permissions": permissions}
        return self.api("POST", "/auth/api-keys?owner=service", body, 201)["api_key"]

    def writes(self, id: str) -> tuple:
        return (
            ("POST", "/instances", {"name": "search", "host": "127.0.0.1", "port": 1}),
            ("POST", f"/instances/{id}/heartbeat", {}),
            ("DELETE", f"/instances/{id}", None),
        )

    def setUp(self) -> None:
        until("no role is there", lambda: self.server.call("GET", "/api/v1/services/auth/choice")[0] == 200)

    def test_readers_read_and_managers_register(self):
        made = self.api("POST", "/instances", self.writes("")[0][2], 201)
        reader, manager, nobody = self.key("services:read"), self.key("services:manage"), self.key("agents:*")
        for path in (*self.READS, f"/instances/{made['id']}"):
            self.assertEqual(200, self.as_key(reader, "GET", path), path)
            self.assertEqual(403, self.as_key(manager, "GET", path), path)
            self.assertEqual(403, self.as_key(nobody, "GET", path), path)
        for method, path, body in self.writes(made["id"]):
            self.assertEqual(403, self.as_key(reader, method, path, body), path)
            self.assertEqual(403, self.as_key(nobody, method, path, body), path)
            self.assertIn(self.as_key(manager, method, path, body), (200, 201), path)

    def test_other_organisations_are_refused(self):
        made = self.api("POST", "/instances", self.writes("")[0][2], 201)
        self.api("POST", "/organisations", {"id": "acme", "name": "Acme"}, 201)
        user = {"email": "boss@acme.example", "full_name": "Boss", "roles": ["admin"]}
        reset = self.api("POST", "/organisations/acme/users", user, 201)["password_reset"]
        self.server.call("POST", "/api/v1/auth/reset-password", {"token": reset["token"], "new_password": PASSWORD})
        signed_in = self.api("POST", "/auth/login", {"email": user["email"], "password": PASSWORD})
        boss = signed_in["access_token"]
        self.assertEqual(200, self.as_key(boss, "GET", "/agents"))
        for path in (*self.READS, f"/instances/{made['id']}"):
            self.assertEqual(403, self.as_key(boss, "GET", path), path)
        for method, path, body in self.writes(made["id"]):
            self.assertEqual(403, self.as_key(boss, method, path, body), path)
        self.assertIsNotNone(self.api("GET", f"/instances/{made['id']}"))


class AtTheEnd(unittest.TestCase):
    def test_one_process_on_sqlite_leaves_nothing(self):
        with Server({"LOG_LEVEL": "warning", "AGENT_LIGHTNING_ADVERTISE_HOST": "here.example"}) as server:
            until("it is not there", lambda: server.call("GET", "/api/v1/services/gateway")[0] == 200)
            (before,) = server.api("GET", "/services/gateway")["instances"]
            self.assertEqual("here.example", before["host"])
            server.stop()
            server.start()
            until("it is not there again", lambda: server.call("GET", "/api/v1/services/gateway")[0] == 200)
            (after,) = server.api("GET", "/services/gateway")["instances"]
            self.assertNotEqual(before["id"], after["id"])

    def test_a_host_that_is_none_ends_the_start(self):
        server = Server({"AGENT_LIGHTNING_ADVERTISE_HOST": "169.254.169.254"})
        self.addCleanup(server.remove)
        with self.assertRaisesRegex(AssertionError, "AGENT_LIGHTNING_ADVERTISE_HOST"):
            server.start()


if __name__ == "__main__":
    unittest.main()
