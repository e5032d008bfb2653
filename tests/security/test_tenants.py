"""Two organisations: what one has is not there for the other, whichever route is asked, and however.

The routes come from /openapi.json. What is refused for an id of the other organisation must be, to the letter, what is
refused for an id that nothing has: else an id could be tried out.
"""

import contextlib
import http.client
import json
import re
import socket
import statistics
import threading
import time
import unittest
from typing import Any, ClassVar

from people import NOBODY, PeopleTest, Reply, numbers, told
from support.postgres import Postgres
from test_mass_assignment import BODIES
from test_rights import OF_OPERATORS

CANARY = "canary7f3a"
# Of the same form and length, and never made.
UNKNOWN = {
    "agent_id": f"{CANARY[::-1]}_agent",
    "knowledge_id": f"{CANARY[::-1]}_item",
    "provider_id": f"{CANARY[::-1]}_provider",
    "role_id": f"{CANARY[::-1]}_role",
    "id": f"{CANARY[::-1]}_model",
}
QUERIES = [
    "/agents/{agent_id}/knowledge?category={canary}",
    "/knowledge?agent_id={agent_id}",
    "/knowledge?category={canary}",
    "/knowledge/{knowledge_id}?agent_id={agent_id}",
    "/tasks?agent_id={agent_id}",
    "/events?aggregate_id={agent_id}",
    "/events?aggregate_id={task_id}",
    "/events?channel=user:created",
    "/events?order=newest",
    "/events?order=newest&agent_id={agent_id}",
    "/events?order=newest&aggregate_id={task_id}",
    "/events/replay?kind=agent&aggregate_id={agent_id}",
    "/events/replay?kind=user&aggregate_id={user_id}",
    "/metrics/series?name={canary}",
    "/metrics/series?name={canary}&service={canary}",
    "/metrics/names?cursor=a",
    "/models/usage?principal={user_id}",
    "/audit?actor={user_id}",
    "/audit?target={user_id}",
    "/users?q={canary}",
    "/auth/api-keys?owner=all",
]
# Where a body names a thing of another.
NAMED = [
    ("/agents/execute", {"task": "x", "agent_id": "{agent_id}"}),
    ("/knowledge", {"agent_id": "{agent_id}", "content": "x"}),
    ("/knowledge/bulk", {"agent_id": "{agent_id}", "items": [{"content": "x"}]}),
    ("/knowledge/import", {"agent_id": "{agent_id}", "items": [{"content": "x"}]}),
    ("/knowledge/search", {"query": CANARY, "agent_id": "{agent_id}"}),
    ("/knowledge/search", {"query": CANARY}),
    ("/context/task", {"agent_id": "{agent_id}", "task_description": CANARY}),
    ("/sessions", {"agent_id": "{agent_id}"}),
    ("/inference", {"prompt": "x", "model_id": "{id}"}),
    ("/inference", {"prompt": "x", "session_id": "{session_id}"}),
    ("/agents/own_agent/chat", {"message": "x", "session_id": "{session_id}"}),
    ("/users", {"email": "c{n}@other.test", "full_name": "C", "roles": ["{role_id}"]}),
]
OPERATORS_ONLY = {path.split("/")[1] for _, path in OF_OPERATORS} - {"auth", "metrics"}
ANSWERS_EMPTY = {"/knowledge/search", "/context/task", "/knowledge/import"}
PASSED_THROUGH = "/v1/"
SAMPLES = 60
STREAM_S = 2.0


class Tenants(PeopleTest):
    """`canary` is all that the first organisation has; the second one's administrator looks for it."""

    environment: ClassVar = PeopleTest.environment | {"PROVIDERS_ALLOWED_HOSTS": "*"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.theirs = cls.fill(cls.server.token)
        cls.token = cls.new_organisation("other")
        made = cls.ask("POST", "/auth/api-keys?owner=service", {"name": "k", "permissions": ["*:*"]}, cls.token)
        cls.key = made.body["api_key"]
        own = {"id": "own_agent", "name": "Own", "specialization": "x", "status": "offline"}
        assert cls.ask("POST", "/agents", own, cls.token).status == 201

    @classmethod
    def fill(cls, token: str) -> dict[str, str]:
        """Ids of one of everything, by the name that routes have for them."""

        def made(path: str, body: Any) -> dict:
            reply = cls.ask("POST", path, body, token)
            assert reply.status == 201, reply
            return reply.body

        agent = {"id": f"{CANARY}_agent", "name": CANARY, "specialization": CANARY, "status": "offline"}
        made("/agents", agent)
        item = {"id": f"{CANARY}_item", "content": f"{CANARY} says so", "category": CANARY}
        made(f"/agents/{agent['id']}/knowledge", item)
        provider = {"id": f"{CANARY}_provider", "kind": "openai", "base_url": "https://api.openai.com/v1"}
        made("/providers", provider | {"key": f"sk-{CANARY}", "models": {f"{CANARY}_model": "m"}})
        made("/roles", {"id": f"{CANARY}_role", "permissions": ["agents:read"], "description": CANARY})
        user = cls.new_user(f"{CANARY}_role")
        login = cls.tokens(user["email"])
        key = made("/auth/api-keys?owner=service", {"name": CANARY, "permissions": ["agents:read"]})["key"]
        session = made("/sessions", {"agent_id": agent["id"]})["id"]
        made(f"/sessions/{session}/messages", {"role": "user", "content": CANARY})
        point = {"service": CANARY, "name": CANARY, "value": 1}
        assert cls.ask("POST", "/metrics/series", {"metrics": [point]}, token).status // 100 == 2
        task = made(f"/agents/{agent['id']}/tasks", {"description": CANARY})["id"]
        return {
            "agent_id": agent["id"],
            "knowledge_id": item["id"],
            "provider_id": provider["id"],
            "role_id": f"{CANARY}_role",
            "id": f"{CANARY}_model",
            "user_id": user["id"],
            "login_id": login["session_id"],
            "key_id": key["id"],
            "session_id": session,
            "task_id": task,
            "dead_letter_id": NOBODY,
            "entry_id": cls.ask("GET", "/audit?limit=1", token=token).body["entries"][0]["id"],
        }

    @property
    def unknown(self) -> dict[str, str]:
        """Ids of nothing."""
        return dict.fromkeys(self.theirs, NOBODY) | UNKNOWN

    @staticmethod
    def put_in(text: str, ids: dict[str, str]) -> str:
        return re.sub(r"{(\w+)}", lambda found: ids.get(found[1], found[0]), text)

    def told_of(self, reply: Reply, ids: dict[str, str]) -> tuple:
        """What was told, but for the ids themselves."""
        status, headers, text = told(reply) if isinstance(reply.body, dict) else (reply.status, (), reply.body)
        for id in sorted(set(ids.values()), key=len, reverse=True):
            for written in {id, re.sub("#+", "#", re.sub(r"\d", "#", id))}:
                text = text.replace(written, "<id>")
        return status, headers, text

    def assert_unseen(self, reply: Reply) -> None:
        text = json.dumps([reply.body, reply.headers])
        for word in (CANARY, *(id for id in self.theirs.values() if id != NOBODY)):
            self.assertNotIn(word, text)

    def state(self) -> dict[str, Any]:
        """All that the first organisation sees of itself, but for what signing in leaves."""
        lists = ("agents", "tasks", "knowledge", "sessions", "providers", "users", "roles", "auth/api-keys?owner=all")
        found = {name: self.api("GET", f"/{name}{'&' if '?' in name else '?'}limit=500") for name in lists}
        for key in found["auth/api-keys?owner=all"]["api_keys"]:
            key.pop("last_used_at")
        session = self.theirs["session_id"]
        return found | {"history": self.api("GET", f"/sessions/{session}/history")}

    def routes(self, with_ids: bool) -> list[tuple[str, str, dict]]:
        return [
            (method, path, operation)
            for (method, path), operation in self.operations().items()
            if ("{" in path) == with_ids
            and operation.get("x-permission")
            and path.split("/")[1] not in OPERATORS_ONLY
            and path != "/metrics"
            and not path.startswith(PASSED_THROUGH)
        ]

    def body(self, method: str, path: str, operation: dict) -> Any:
        if "requestBody" not in operation:
            return None
        return json.loads(json.dumps(BODIES[f"{method} {path}"]).replace("{n}", f"t{next(numbers)}"))

    def test_no_id_of_theirs_is_more_than_one_of_nothing(self):
        before = self.state()
        self.assertGreater(len(self.routes(True)), 40)
        for method, path, operation in self.routes(True):
            body = self.body(method, path, operation)
            query = "?agent_id={agent_id}" if "{knowledge_id}" in path else ""
            query += "?status=offline" if path.endswith("/status") else ""
            for name, token in (("login", self.token), ("key", self.key)):
                replies = {}
                for ids in (self.theirs, self.unknown):
                    reply = self.ask(method, self.put_in(path + query, ids), body, token)
                    replies[ids["agent_id"]] = self.told_of(reply, ids)
                with self.subTest(route=f"{method} {path}", credential=name):
                    there, nowhere = replies.values()
                    self.assertEqual(nowhere, there)
                    self.assertIn(there[0], self.refusals(path, there))
        self.assertEqual(before, self.state(), "something of theirs was changed")

    @staticmethod
    def refusals(path: str, answer: tuple) -> tuple[int, ...]:
        """A list of what belongs to an id may be empty, for either."""
        is_empty_list = answer[0] == 200 and ("[]" in answer[2] or '"count": #' in answer[2])
        return (404, 200) if is_empty_list and path.endswith(("s", "history", "knowledge", "performance")) else (404,)

    def test_no_list_and_no_search_shows_theirs(self):
        for method, path, operation in self.routes(False):
            if method == "GET" and not path.endswith("/stream"):
                parameters = operation.get("parameters", [])
                query = [f"{p['name']}=agent" for p in parameters if p.get("required")]
                query += ["count=total" for p in parameters if p["name"] == "count"]
                with self.subTest(route=path):
                    reply = self.ask("GET", f"{path}?{'&'.join(query)}", token=self.token)
                    self.assertEqual(200, reply.status, reply.body)
                    self.assert_unseen(reply)
                    if "total" in reply.body:
                        self.assertEqual(reply.body["count"], reply.body["total"])

    def test_no_filter_finds_theirs(self):
        for query in QUERIES:
            replies = []
            for ids in (self.theirs, self.unknown):
                words = ids | {"canary": ids["agent_id"][: len(CANARY)]}
                reply = self.ask("GET", self.put_in(query, words), token=self.token)
                replies.append(self.told_of(reply, words))
            with self.subTest(query=query):
                self.assertIn(replies[0][0], (200, 404))
                self.assertEqual(replies[1], replies[0])

    def test_no_body_reaches_theirs(self):
        before = self.state()
        for path, body in NAMED:
            replies = []
            for ids in (self.theirs, self.unknown):
                sent = self.put_in(json.dumps(body).replace("{n}", f"{next(numbers)}"), ids)
                reply = self.ask("POST", path, sent.encode(), self.token)
                self.assertNotIn(f"{CANARY} says so", json.dumps(reply.body))
                replies.append(self.told_of(reply, ids))
            with self.subTest(path=path, body=str(body)):
                self.assertEqual(replies[1], replies[0])
                self.assertIn(replies[0][0], (200, 404) if path in ANSWERS_EMPTY else (404, 422))
        self.assertEqual(before, self.state())

    def test_ids_may_be_the_same_in_both(self):
        """Nobody learns from a conflict that another one has it."""
        agent = {"id": "twin", "name": "Theirs", "specialization": "x", "status": "offline"}
        item = {"id": "twin_item", "content": "theirs"}
        for token, word in ((self.server.token, "Theirs"), (self.token, "Mine")):
            self.assertEqual(201, self.ask("POST", "/agents", agent | {"name": word}, token).status)
            content = item | {"content": word}
            self.assertEqual(201, self.ask("POST", "/agents/twin/knowledge", content, token).status)
        for token, word in ((self.server.token, "Theirs"), (self.token, "Mine")):
            self.assertEqual(word, self.ask("GET", "/agents/twin", token=token).body["name"])
            found = self.ask("GET", "/agents/twin/knowledge", token=token).body["knowledge"]
            self.assertEqual([word], [one["content"] for one in found])
        self.assertEqual(200, self.ask("DELETE", "/agents/twin", token=self.token).status)
        self.assertEqual("Theirs", self.api("GET", "/agents/twin")["name"])

    def test_answers_under_a_key_are_kept_for_one_only(self):
        body = {"id": "once", "name": "n", "specialization": "s", "status": "offline"}
        for token in (self.server.token, self.token):
            headers = {"Idempotency-Key": "the-same-for-both"}
            first, again = (self.ask("POST", "/agents", body, token, headers=headers) for _ in range(2))
            self.assertEqual((201, []), (first.status, first.all("idempotency-replayed")))
            self.assertEqual((201, ["true"]), (again.status, again.all("idempotency-replayed")))

    def test_a_place_in_a_list_leads_into_no_other(self):
        tried = 0
        for path in ("/agents", "/tasks", "/users", "/roles", "/events", "/audit", "/sessions", "/metrics/names"):
            page = self.api("GET", f"{path}?limit=1")
            if page["next_cursor"]:
                tried += 1
                reply = self.ask("GET", f"{path}?cursor={page['next_cursor']}&limit=500", token=self.token)
                with self.subTest(path=path):
                    self.assertIn(reply.status, (200, 422))
                    self.assert_unseen(reply)
        self.assertGreaterEqual(tried, 4)

    def test_no_stream_carries_theirs(self):
        status = self.ask("GET", f"/tasks/{self.theirs['task_id']}/stream", token=self.token).status
        self.assertEqual(404, status)
        lines: list[bytes] = []
        for query in ("", f"?aggregate_id={self.theirs['agent_id']}", "?channel=agent:updated"):
            headers = {"Authorization": f"Bearer {self.key}"}
            connection, response = self.server.open("GET", "/api/v1/events/stream" + query, headers=headers)
            reader = threading.Thread(target=self.read, args=(response, lines))
            reader.start()
            for number in range(3):
                self.api("PUT", f"/agents/{self.theirs['agent_id']}", {"specialization": f"{CANARY} {number}"})
                self.ask("PUT", "/agents/own_agent", {"specialization": f"own {number}"}, self.token)
            time.sleep(STREAM_S / 2)
            connection.sock.shutdown(socket.SHUT_RDWR)
            reader.join()
            response.close()
            connection.close()
        text = b"".join(lines)
        self.assertIn(b"own_agent", text)
        self.assertNotIn(CANARY.encode(), text)
        self.api("PUT", f"/agents/{self.theirs['agent_id']}", {"specialization": CANARY})

    @staticmethod
    def read(response: http.client.HTTPResponse, lines: list[bytes]) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            while line := response.readline():
                lines.append(line)

    def test_it_takes_as_long_to_say_no(self):
        """The other's row may lie in a cache: nothing may come faster for that. Of tasks those that have ended do."""
        task = self.api("POST", f"/agents/{self.theirs['agent_id']}/tasks", {"description": CANARY}, 201)["id"]
        self.api("POST", f"/tasks/{task}/cancel")
        theirs = self.theirs | {"task_id": task}
        for name in ("agent_id", "task_id", "user_id", "session_id"):
            path = f"/{name.removesuffix('_id')}s/"
            times: dict[str, list[float]] = {"there": [], "nowhere": []}
            for _ in range(SAMPLES):
                self.api("GET", path + theirs[name])
                for place, ids in (("there", theirs), ("nowhere", self.unknown)):
                    reply = self.ask("GET", path + ids[name], token=self.token)
                    self.assertEqual(404, reply.status)
                    times[place].append(reply.seconds)
            medians = sorted(statistics.median(some) for some in times.values())
            with self.subTest(of=name):
                self.assertLess(medians[1] / medians[0], 1.6, medians)


class Colleagues(PeopleTest):
    """Of one organisation, with the same rights: what is one's own is not there for the other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.logins = [cls.tokens(cls.new_user("developer")["email"]) for _ in range(2)]
        cls.owner, cls.other = (login["access_token"] for login in cls.logins)

    def test_what_is_ones_own_is_not_there_for_others(self):
        session = self.ask("POST", "/sessions", {}, self.owner).body["id"]
        message = {"role": "user", "content": CANARY}
        self.assertEqual(201, self.ask("POST", f"/sessions/{session}/messages", message, self.owner).status)
        wanted = {"name": CANARY, "permissions": ["agents:read"]}
        key = self.ask("POST", "/auth/api-keys", wanted, self.owner).body["key"]["id"]
        login = self.logins[0]["session_id"]
        for method, path, id, body in (
            ("GET", "/sessions/{}", session, None),
            ("DELETE", "/sessions/{}", session, None),
            ("GET", "/sessions/{}/history", session, None),
            ("DELETE", "/sessions/{}/history", session, None),
            ("POST", "/sessions/{}/messages", session, message),
            ("GET", "/auth/api-keys/{}", key, None),
            ("POST", "/auth/api-keys/{}/rotate", key, {}),
            ("DELETE", "/auth/api-keys/{}", key, None),
            ("DELETE", "/auth/logins/{}", login, None),
        ):
            with self.subTest(route=f"{method} {path}"):
                there = self.ask(method, path.format(id), body, self.other)
                nowhere = self.ask(method, path.format(NOBODY), body, self.other)
                self.assertEqual((404, 404), (there.status, nowhere.status))
                self.assertEqual(nowhere.body["detail"].replace(NOBODY, id), there.body["detail"])
        for path in ("/sessions", "/auth/api-keys", "/auth/logins", "/models/usage"):
            listed = self.ask("GET", path, token=self.other)
            self.assertEqual(200, listed.status, listed.body)
            for word in (CANARY, session, key, login):
                self.assertNotIn(word, json.dumps(listed.body))
        found = self.ask("GET", f"/sessions/{session}/history", token=self.owner)
        self.assertIn(CANARY, json.dumps(found.body))

    def test_no_event_tells_what_one_writes_to_an_agent(self):
        """Who may read events reads those of agents and tasks; a conversation is its owner's."""
        session = self.ask("POST", "/sessions", {}, self.owner).body["id"]
        said = f"{CANARY} in confidence"
        self.ask("POST", f"/sessions/{session}/messages", {"role": "user", "content": said}, self.owner)
        events = self.ask("GET", "/events?limit=500", token=self.other)
        self.assertEqual(200, events.status, events.body)
        self.assertNotIn(said, json.dumps(events.body))


class TenantsOnPostgres(Tenants):
    """Where row-level security stands behind every statement."""

    @classmethod
    def setUpClass(cls):
        postgres = cls.enterClassContext(Postgres())
        cls.environment = Tenants.environment | {"DATABASE_URL": postgres.create_database("tenants")}
        super().setUpClass()


if __name__ == "__main__":
    unittest.main()
