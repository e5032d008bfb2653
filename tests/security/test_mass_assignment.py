"""What only the server sets cannot be set by whoever asks: every route with a body times every name that would tempt.

The routes come from /openapi.json. One that is new fails here until a valid body of it stands in BODIES.
"""

import json
import unittest
from typing import Any, ClassVar
from urllib.parse import urlsplit

from people import ADMIN, NOBODY, PASSWORD, PeopleTest
from raw_http import Answer, Asker, RawServer, request
from smuggling_cases import TOKEN
from support.cases import ServerTest

TIME = "2001-01-01T00:00:00Z"
TEMPTING: dict[str, Any] = {
    "tenant_id": "other",
    "tenant": "other",
    "tenantId": "other",
    "tenant-id": "other",
    "Tenant_Id": "other",
    "owner": "root",
    "owner_id": "root",
    "user_id": "root",
    "principal": "root",
    "created_by": "root",
    "updated_by": "root",
    "role": "admin",
    "roles": ["admin"],
    "permissions": ["*"],
    "scopes": ["*"],
    "is_admin": True,
    "admin": True,
    "epoch": 99,
    "lease": TIME,
    "lease_until": TIME,
    "worker_id": "mine",
    "version": 99,
    "status": "completed",
    "state": "done",
    "attempt": 99,
    "progress": 100,
    "result": {"text": "mine"},
    "error_message": "mine",
    "chosen_because": "mine",
    "parent_id": NOBODY,
    "created_at": TIME,
    "updated_at": TIME,
    "deleted_at": TIME,
    "completed_at": TIME,
    "imported": True,
    "usage_count": 99,
    "last_used_at": TIME,
    "message_count": 99,
    "seq": 99,
    "has_key": True,
    "sealed_key": "s1.AAAA",
    "origin": "settings",
    "token": "al_mine",
    "__proto__": {"is_admin": True},
    "constructor": {"prototype": {"is_admin": True}},
    "$set": {"role": "admin"},
    "": "x",
}
# A valid body of every route that takes one; {n} is another number each time.
BODIES: dict[str, dict[str, Any]] = {
    "POST /agents": {"id": "mass_{n}", "name": "n", "specialization": "s"},
    "PUT /agents/{agent_id}": {"name": "changed"},
    "POST /agents/{agent_id}/tasks": {"description": "x"},
    "POST /agents/execute": {"task": "x", "agent_id": "target"},
    "PUT /tasks/{task_id}": {"priority": "high"},
    "POST /knowledge": {"id": "mass_{n}", "agent_id": "target", "content": "x"},
    "POST /agents/{agent_id}/knowledge": {"id": "mass_{n}", "content": "x"},
    "PUT /knowledge/{knowledge_id}": {"content": "changed"},
    "POST /knowledge/search": {"query": "x"},
    "POST /knowledge/bulk": {"agent_id": "target", "items": [{"id": "mass_{n}", "content": "x"}]},
    "POST /knowledge/import": {"agent_id": "target", "items": [{"id": "mass_{n}", "content": "x"}]},
    "POST /context/task": {"agent_id": "target", "task_description": "x"},
    "POST /agents/{agent_id}/chat": {"message": "x"},
    "POST /inference": {"prompt": "x"},
    "POST /sessions": {},
    "POST /sessions/{session_id}/messages": {"role": "user", "content": "x"},
    "POST /providers": {"id": "mass_{n}", "kind": "openai", "base_url": "https://api.openai.com/v1"},
    "PUT /providers/{provider_id}": {"default_model": "changed"},
    "POST /metrics/series": {"metrics": [{"service": "s", "name": "n", "value": 1}]},
    "POST /consumers/{consumer}/replay": {"from": "tip"},
    "POST /broadcast": {"type": "t", "data": {}},
    "POST /users": {"email": "mass{n}@al.test", "full_name": "n"},
    "PUT /users/{user_id}": {"full_name": "changed"},
    "POST /roles": {"id": "mass_{n}", "permissions": ["agents:read"]},
    "PUT /roles/{role_id}": {"description": "changed"},
    "POST /organisations": {"id": "mass_{n}", "name": "n"},
    "PUT /organisations/{organisation_id}": {"name": "changed"},
    "POST /organisations/{organisation_id}/users": {"email": "mass{n}@al.test", "full_name": "n"},
    "POST /instances": {"name": "mass-{n}", "host": "10.0.0.7", "port": 1},
    "POST /instances/{instance_id}/heartbeat": {},
    "POST /auth/api-keys": {"name": "n", "permissions": ["agents:read"]},
    "POST /auth/api-keys/{key_id}/rotate": {"grace_seconds": 0},
    "POST /auth/login": {"email": "mass{n}@al.test", "password": "x"},
    "POST /auth/refresh": {"refresh_token": "x"},
    "POST /auth/register": {"email": "mass{n}@al.test", "full_name": "n", "password": "correct horse {n}"},
    "POST /auth/reset-password": {"token": "x" * 40, "new_password": "correct horse {n}"},
    "POST /auth/change-password": {"current_password": "x", "new_password": "correct horse {n}"},
    "POST /auth/mfa/confirm": {"code": "123456"},
    "POST /auth/mfa/disable": {"password": "x"},
}
# Routes for people, not for programs.
FOR_PEOPLE = {
    "POST /auth/api-keys",
    "POST /auth/api-keys/{key_id}/rotate",
    "POST /auth/change-password",
    "POST /auth/mfa/confirm",
    "POST /auth/mfa/disable",
}
# Who may use these routes may set this.
MAY_BE_SET = {
    ("POST /auth/api-keys", "permissions"),
    ("POST /users", "roles"),
    ("PUT /users/{user_id}", "roles"),
    ("POST /organisations/{organisation_id}/users", "roles"),
}
# Valid or not, these bodies are refused for what they say, or for want of a model.
NEEDS_MORE = {
    "POST /inference",
    "POST /agents/{agent_id}/chat",
    "POST /instances/{instance_id}/heartbeat",
    "POST /auth/api-keys/{key_id}/rotate",
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/register",
    "POST /auth/reset-password",
    "POST /auth/change-password",
    "POST /auth/mfa/confirm",
    "POST /auth/mfa/disable",
}
# Where each thing of a list is judged by itself: the list's name.
LISTS = {"POST /knowledge/bulk": "items", "POST /metrics/series": "metrics"}
PASSED_THROUGH = "/api/v1/v1/"
GATEWAYS = {
    "X-Tenant-Id": "other",
    "X-User-Id": "root",
    "X-Forwarded-User": "root",
    "X-Remote-User": "root",
    "X-Principal": "root",
    "X-Roles": "admin",
    "X-Permissions": "*",
}


def names(problem: dict, key: str) -> bool:
    """Whether a fault of the problem is this key's; a list's things have their place before it."""
    paths = [error["path"] for error in problem.get("errors", [])]
    return any(path == key or path.startswith((f"{key}[", f"{key}.")) or path.endswith(f".{key}") for path in paths)


def faults(answer: Answer | None, key: str, value: Any, where: str = "") -> list[str]:
    """What is wrong with the answer to a body that has `key`."""
    if answer is None:
        return ["no answer"]
    body = json.loads(answer.body)
    if 200 <= answer.status < 300:
        return [f"{'took it' if body.get(key) == value else 'not a word'}: {answer.status}: {answer.body[:300]!r}"]
    if answer.status != 422:
        return [f"status {answer.status}: {answer.body[:300]!r}"]
    is_named = names(body, key) or (where and where in str(body["errors"]))
    return [] if is_named else [f"not named: {body['errors']}"]


class MassAssignment(ServerTest):
    environment: ClassVar = PeopleTest.environment | {"AGENT_LIGHTNING_TOKEN": TOKEN, "PROVIDERS_ALLOWED_HOSTS": "*"}
    made = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = urlsplit(cls.server.url).port
        cls.asker = cls.enterClassContext(Asker(cls.port))
        target = {"id": "target", "name": "n", "specialization": "s", "status": "offline"}
        cls.server.api("POST", "/agents", target, 201)
        cls.server.api("POST", "/agents/target/knowledge", {"id": "item", "content": "x"}, 201)
        cls.server.api("POST", "/providers", cls.body("POST /providers") | {"id": "provider"}, 201)
        task = cls.server.api("POST", "/agents/target/tasks", {"description": "x"}, 201)["id"]
        session = cls.server.api("POST", "/sessions", {}, 201)["id"]
        cls.places = {
            "{agent_id}": "target",
            "{task_id}": task,
            "{knowledge_id}": "item",
            "{session_id}": session,
            "{provider_id}": "provider",
            "{consumer}": "task-metrics",
            "{dead_letter_id}": NOBODY,
            "{backup_id}": "none",
            "{id}": "none",
        }
        document = cls.server.call("GET", "/openapi.json")[1]
        cls.schemas = document["components"]["schemas"]
        cls.operations = {
            f"{method.upper()} {path.removeprefix('/api/v1')}": operation
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if not path.startswith(PASSED_THROUGH)
        }
        cls.routes = [route for route, operation in cls.operations.items() if "requestBody" in operation]
        cls.add_people()

    @classmethod
    def add_people(cls):
        cls.access_token = cls.server.api("POST", "/auth/login", {"email": ADMIN, "password": PASSWORD})["access_token"]
        user = cls.server.api("POST", "/users", cls.body("POST /users"), 201)
        cls.server.api("POST", "/roles", cls.body("POST /roles") | {"id": "tester"}, 201)
        cls.server.api("POST", "/organisations", cls.body("POST /organisations") | {"id": "guests"}, 201)
        cls.places |= {
            "{user_id}": user["id"],
            "{role_id}": "tester",
            "{organisation_id}": "guests",
            "{key_id}": NOBODY,
            "{login_id}": NOBODY,
            "{instance_id}": NOBODY,
            "{service}": "nobody",
        }

    @classmethod
    def body(cls, route: str) -> dict[str, Any]:
        cls.made += 1
        return json.loads(json.dumps(BODIES[route]).replace("{n}", str(cls.made)))

    def ask(self, route: str, body: Any = None, query: str = "", fields=()) -> Answer | None:
        method, _, path = route.partition(" ")
        for name, value in self.places.items():
            path = path.replace(name, value)
        raw = None if body is None else json.dumps(body).encode()
        token = self.access_token if route in FOR_PEOPLE else TOKEN
        return self.asker.ask(request(method, f"/api/v1{path}{query}", token, fields, raw))

    def things(self) -> dict[str, Any]:
        """All that is stored of the things that the routes are about."""
        lists = "agents tasks agents/target/knowledge sessions providers users roles organisations".split()
        found = {name: self.server.api("GET", f"/{name}?limit=500") for name in lists}
        # The server records metrics of its own while the bodies are sent.
        service = BODIES["POST /metrics/series"]["metrics"][0]["service"]
        metrics = self.server.api("GET", "/metrics/names?limit=500")["metrics"]
        return found | {"metrics": [one for one in metrics if one["service"] == service]}

    def test_every_route_with_a_body_is_here(self):
        self.assertEqual(set(), set(self.routes) - set(BODIES))

    def test_bodies_are_valid_without(self):
        """Else a refusal would prove nothing."""
        for route in self.routes:
            if route in NEEDS_MORE:
                continue
            with self.subTest(route=route):
                query = "?agent_id=target" if "{knowledge_id}" in route else ""
                answer = self.ask(route, self.body(route), query)
                self.assertEqual(2, answer.status // 100, answer.body)

    def test_bodies(self):
        before = self.things()
        for route in self.routes:
            for key, value in TEMPTING.items():
                if (route, key) in MAY_BE_SET:
                    continue
                answer = self.ask(route, self.body(route) | {key: value})
                if found := faults(answer, key, value):
                    with self.subTest(route=route, key=key):
                        self.fail(str(found))
        self.assertEqual(before, self.things(), "a refused body left something")

    def fields_of_the_server(self, route: str) -> set[str]:
        """Of what the route answers, all that its body may not have."""
        operation = self.operations[route]

        def members(content: dict) -> dict:
            reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
            return self.schemas.get(reference.rpartition("/")[2], {}).get("properties", {})

        sent = members(operation["requestBody"]["content"])
        shown = next((a for status, a in operation["responses"].items() if status[0] == "2"), {})
        return set(members(shown.get("content", {}))) - {name for name, one in sent.items() if not one.get("readOnly")}

    def test_fields_of_the_server_are_named_as_such(self):
        """From the schemas: a new one is here without anyone writing it down."""
        found = 0
        for route in self.routes:
            for key in self.fields_of_the_server(route):
                found += 1
                answer = self.ask(route, self.body(route) | {key: None})
                with self.subTest(route=route, key=key):
                    self.assertEqual(422, answer.status, answer.body)
                    said = {one["path"]: one["message"] for one in json.loads(answer.body)["errors"]}
                    self.assertRegex(said.get(key, ""), "set by the server|cannot be changed|unknown")
        self.assertGreater(found, 50)

    def test_things_in_lists(self):
        for route, name in LISTS.items():
            for key, value in TEMPTING.items():
                body = self.body(route)
                body[name][0][key] = value
                answer = self.ask(route, body)
                with self.subTest(route=route, key=key):
                    if answer.status == 200:  # each thing has an answer of its own
                        (result,) = json.loads(answer.body)["results"]
                        self.assertEqual("failed", result["status"])
                        self.assertIn(f"{name}[0].{key}" if key.isidentifier() else name, result["reason"])
                    else:
                        self.assertEqual([], faults(answer, key, value, f"{name}[0]"))

    def test_things_that_are_imported(self):
        """What an import does not know it keeps beside, and takes for nothing that it is."""
        for key, value in TEMPTING.items():
            body = self.body("POST /knowledge/import")
            body["items"][0][key] = value
            answer = self.ask("POST /knowledge/import", body)
            with self.subTest(key=key):
                self.assertEqual(200, answer.status, answer.body)
                self.assertEqual(1, json.loads(answer.body)["imported"])
                stored = self.server.api("GET", f"/knowledge/{body['items'][0]['id']}?agent_id=target")
                meant = {"usage_count": 99}  # documented as a part of such files
                self.assertEqual(meant.get(key), stored.get(key) if stored.get(key) == value else None)
                self.assertEqual(("target", 1), (stored["agent_id"], stored["version"]))

    def test_routes_without_a_body(self):
        for route, operation in self.operations.items():
            if "requestBody" not in operation and not route.endswith(("/stream", "/ws")):
                with self.subTest(route=route):
                    answer = self.ask(route, {"tenant_id": "other", "role": "admin"})
                    self.assertIn(answer.status, (400, 422), answer.body)

    def test_queries(self):
        # What an identity provider adds to the query of its answer is its own business.
        for route in set(self.operations) - {"GET /auth/provider/callback"}:
            for key in ("tenant_id", "role", "user_id", "is_admin", "version", "_method", "fields", "expand"):
                answer = self.ask(route, self.body(route) if route in self.routes else None, f"?{key}=other")
                if found := faults(answer, key, "other"):
                    with self.subTest(route=route, key=key):
                        self.fail(str(found))

    def test_what_a_gateway_would_say_is_not_believed(self):
        plain = self.body("POST /agents")
        tempted = self.body("POST /agents")
        fields = [f"{name}: {value}" for name, value in GATEWAYS.items()]
        self.assertEqual(201, self.ask("POST /agents", plain).status)
        self.assertEqual(201, self.ask("POST /agents", tempted, fields=fields).status)
        events = [
            self.server.api("GET", f"/events/replay?kind=agent&aggregate_id={body['id']}")["events"][0]["metadata"]
            for body in (plain, tempted)
        ]
        whose = [(event["user_id"], event["tenant_id"]) for event in events]
        self.assertEqual(whose[0], whose[1])
        self.assertEqual("default", whose[0][1])
        self.assertEqual(401, self.asker.ask(request("GET", "/api/v1/agents", "", fields)).status)

    def test_a_trusting_server_is_caught(self):
        def keep(data: bytes) -> bytes:
            body = data.partition(b"\r\n\r\n")[2]
            return b"HTTP/1.1 201 X\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

        def ignore(_: bytes) -> bytes:
            return b"HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"

        for answer, word in ((keep, "took it"), (ignore, "not a word")):
            with RawServer(answer) as naive, Asker(naive.port) as asker:
                for key, value in TEMPTING.items():
                    body = json.dumps(self.body("POST /agents") | {key: value}).encode()
                    self.assertIn(word, str(faults(asker.ask(request("POST", "/", body=body)), key, value)))


if __name__ == "__main__":
    unittest.main()
