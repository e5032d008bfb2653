"""The event stream while it is open: who may still hear it, and what a client learns that cannot be resumed."""

import contextlib
import datetime
import http.client
import sqlite3
import threading
import time
import unittest
from collections.abc import Callable
from typing import Any, ClassVar

from support.cases import ServerTest
from support.cluster import Cluster
from support.event_stream import Event, events_of
from support.server import Server
from support.sign_in import PASSWORD

# What was found of a token is remembered for so long at most, and a silent stream looks at it this often.
REMEMBERED_S = 1.0
LOOK_S = 1.0
SLACK_S = 1.0
WAIT_S = 10.0
PAUSE_S = 0.1
ENDED = {"type": "error", "code": "unauthenticated", "error": "the credential has expired or was revoked"}
FORBIDDEN = {"type": "error", "code": "forbidden", "error": "this needs the permission events:read"}
LOST = {
    "type": "error",
    "code": "resume_lost",
    "error": "what came after this token is not known any more; load anew",
}
NOBODY = {"Authorization": ""}


class Stream(threading.Thread):
    """Reads a stream until it ends, or until `close`. What is committed once it is made is heard."""

    def __init__(
        self,
        server: Server,
        token: str,
        query: str = "",
        headers: dict[str, str] | None = None,
        path: str = "/events/stream",
    ):
        super().__init__(daemon=True)
        sent = {"Authorization": "Bearer " + token} | (headers or {})
        self.connection, self.response = server.open("GET", f"/api/v1{path}{query}", headers=sent)
        assert self.response.status == 200, self.response.read()
        self.events: list[Event] = []
        self.over_at = 0.0
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            for event in events_of(self.response):
                self.events.append(event)
        self.over_at = time.monotonic()

    def heard(self) -> set[str]:
        return {event.data["aggregate_id"] for event in list(self.events) if ":" in event.name}

    def close(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            self.connection.sock.shutdown(2)
        self.join(WAIT_S)
        self.response.close()
        self.connection.close()


def until(what: str, is_so: Callable[[], object]) -> None:
    limit = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < limit, what
        time.sleep(0.02)


def make_agent(server: Server, id: str) -> None:
    server.api("POST", "/agents", {"id": id, "name": id, "specialization": "tests"}, 201)


def new_user(server: Server, email: str, *roles: str) -> str:
    """His id."""
    wanted = {"email": email, "full_name": "Ada", "roles": list(roles)}
    user = server.api("POST", "/users", wanted, 201)
    link = server.api("POST", f"/users/{user['id']}/password-reset", expect=201)
    set_password(server, link["token"])
    return user["id"]


def set_password(server: Server, token: str) -> None:
    server.api("POST", "/auth/reset-password", {"token": token, "new_password": PASSWORD}, headers=NOBODY)


def signed_in(server: Server, email: str) -> str:
    return server.api("POST", "/auth/login", {"email": email, "password": PASSWORD}, headers=NOBODY)["access_token"]


class StreamTest(unittest.TestCase):
    def stream(self, server: Server, token: str, query: str = "", headers: dict[str, str] | None = None) -> Stream:
        stream = Stream(server, token, query, headers)
        self.addCleanup(stream.close)
        return stream

    def assert_ends(self, stream: Stream, by: float, last: dict[str, Any], name: str, maker: Server) -> None:
        """What was right until `by` is wrong now: the stream ends, and until then carries nothing that is younger
        than what may be remembered."""
        late = []
        while not stream.over_at:
            began = time.monotonic()
            self.assertLess(began - by, WAIT_S, f"the stream goes on after {len(stream.events)} events")
            id = f"{name.replace('-', '_')}_{time.monotonic_ns()}"
            make_agent(maker, id)
            if began > by + REMEMBERED_S:
                late.append(id)
            time.sleep(PAUSE_S)
        self.assertLess(stream.over_at - by, REMEMBERED_S + LOOK_S + SLACK_S)
        self.assertEqual(("ended", last), (stream.events[-1].name, stream.events[-1].data))
        self.assertEqual("", stream.events[-1].id, "whoever may again goes on where he stood")
        self.assertFalse(set(late) & stream.heard())


class Revoking(ServerTest, StreamTest):
    environment: ClassVar[dict[str, str]] = {"LOG_LEVEL": "error"}
    made = 0

    def name(self) -> str:
        Revoking.made += 1
        return f"r{Revoking.made}"

    def user(self, *roles: str) -> tuple[str, str]:
        """His id, and his access token."""
        email = f"{self.name()}@example.org"
        id = new_user(self.server, email, *roles)
        return id, signed_in(self.server, email)

    def role(self, *permissions: str) -> str:
        id = self.name()
        self.api("POST", "/roles", {"id": id, "permissions": list(permissions)}, 201)
        return id

    def key(self, **members: Any) -> tuple[str, str]:
        """The key, and its id."""
        wanted = {"name": self.name(), "permissions": ["events:read", "agents:read"]} | members
        made = self.api("POST", "/auth/api-keys?owner=service", wanted, 201)
        return made["api_key"], made["key"]["id"]

    def live(self, token: str, query: str = "") -> Stream:
        """One that has heard an event."""
        stream = self.stream(self.server, token, query)
        first = self.name()
        make_agent(self.server, first)
        until("the stream is silent", lambda: first in stream.heard())
        return stream

    def test_a_login_that_ends(self):
        _, token = self.user("viewer")
        stream = self.live(token)
        self.api("POST", "/auth/logout", headers={"Authorization": f"Bearer {token}"})
        self.assert_ends(stream, time.monotonic(), ENDED, self.name(), self.server)

    def test_a_stream_without_events_ends_too(self):
        _, token = self.user("viewer")
        stream = self.stream(self.server, token, "?channel=workflow:*")
        self.api("POST", "/auth/logout", headers={"Authorization": f"Bearer {token}"})
        by = time.monotonic()
        until("the stream goes on", lambda: stream.over_at)
        self.assertLess(stream.over_at - by, REMEMBERED_S + LOOK_S + SLACK_S)
        self.assertEqual([("ended", ENDED)], [(event.name, event.data) for event in stream.events])

    def test_the_stream_of_a_task_ends_too(self):
        """It may wait and run for days."""
        _, token = self.user("viewer")
        agent = {"id": "idle", "name": "Idle", "specialization": "tests", "status": "offline"}
        self.api("POST", "/agents", agent, 201)
        task = self.api("POST", "/agents/idle/tasks", {"description": "Wait."}, 201)["id"]
        stream = Stream(self.server, token, path=f"/tasks/{task}/stream")
        self.addCleanup(stream.close)
        until("the stream is silent", lambda: stream.events)
        self.api("POST", "/auth/logout", headers={"Authorization": f"Bearer {token}"})
        by = time.monotonic()
        until("the stream goes on", lambda: stream.over_at)
        self.assertLess(stream.over_at - by, REMEMBERED_S + LOOK_S + SLACK_S)
        last = stream.events[-1]
        self.assertEqual(("ended", ENDED), (last.name, last.data))

    def test_a_key_that_is_revoked(self):
        key, id = self.key()
        by_bearer = self.live(key)
        by_header = self.stream(self.server, "", headers={"Authorization": "Bearer " + key, "X-Api-Key": key})
        self.api("DELETE", f"/auth/api-keys/{id}")
        by = time.monotonic()
        self.assert_ends(by_bearer, by, ENDED, self.name(), self.server)
        until("the stream goes on", lambda: by_header.over_at)

    def test_a_credential_that_expires(self):
        at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2)
        by = time.monotonic() + 2
        key, _ = self.key(expires_at=at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        stream = self.live(key)
        self.assert_ends(stream, by, ENDED, self.name(), self.server)
        self.assertGreater(stream.over_at, by - PAUSE_S)

    def test_a_user_who_is_disabled(self):
        id, token = self.user("viewer")
        stream = self.live(token)
        self.api("PUT", f"/users/{id}", {"status": "disabled"})
        self.assert_ends(stream, time.monotonic(), ENDED, self.name(), self.server)

    def test_an_organisation_that_is_suspended(self):
        self.api("POST", "/organisations", {"id": "acme", "name": "Acme"}, 201)
        wanted = {"email": "boss@acme.example", "full_name": "Boss", "roles": ["admin"]}
        made = self.api("POST", "/organisations/acme/users", wanted, 201)
        set_password(self.server, made["password_reset"]["token"])
        stream = self.stream(self.server, signed_in(self.server, wanted["email"]))
        self.api("PUT", "/organisations/acme", {"status": "suspended"})
        by = time.monotonic()
        until("the stream goes on", lambda: stream.over_at)
        self.assertLess(stream.over_at - by, REMEMBERED_S + LOOK_S + SLACK_S)
        self.assertEqual(("ended", ENDED), (stream.events[-1].name, stream.events[-1].data))

    def test_a_permission_that_is_taken_away(self):
        role = self.role("events:read", "agents:read")
        stream = self.live(self.user(role)[1])
        self.api("PUT", f"/roles/{role}", {"permissions": ["agents:read"]})
        self.assert_ends(stream, time.monotonic(), FORBIDDEN, self.name(), self.server)

    def test_permissions_that_change_hold_for_what_comes(self):
        role = self.role("events:read", "agents:read")
        stream = self.live(self.user(role)[1])
        self.api("PUT", f"/roles/{role}", {"permissions": ["events:read", "tasks:read"]})
        time.sleep(REMEMBERED_S)
        hidden = self.name()
        make_agent(self.server, hidden)
        task = self.api("POST", "/agents/writer/tasks", {"description": "say something"}, 201)["id"]
        until("the new permission has no effect", lambda: task in stream.heard())
        self.assertNotIn(hidden, stream.heard())
        self.assertFalse(stream.over_at)

    def test_one_whose_credential_counts_goes_on(self):
        stream = self.live(self.user("viewer")[1])
        time.sleep(REMEMBERED_S + 2 * LOOK_S)
        last = self.name()
        make_agent(self.server, last)
        until("the stream is silent", lambda: last in stream.heard())


class Resuming(StreamTest):
    def setUp(self):
        self.server = self.enterContext(Server({"LOG_LEVEL": "error"}))

    def tip(self) -> str:
        more, token = True, ""
        while more:
            page = self.server.api("GET", f"/events?limit=500&after={token}" if token else "/events?limit=500")
            more, token = page["more"], page["next_cursor"]
        return token

    def assert_lost(self, query: str = "", headers: dict[str, str] | None = None) -> None:
        """It says so first, and then goes on from now; what was said carries the place where that begins."""
        before, after = f"before_{time.monotonic_ns()}", f"after_{time.monotonic_ns()}"
        make_agent(self.server, before)
        stream = self.stream(self.server, self.server.token, query, headers)
        until("nothing was said", lambda: stream.events)
        self.assertEqual(("resume_lost", LOST), (stream.events[0].name, stream.events[0].data))
        make_agent(self.server, after)
        until("what came next was missed", lambda: after in stream.heard())
        self.assertNotIn(before, stream.heard())
        again = self.stream(self.server, self.server.token, "?after=" + stream.events[0].id)
        until("its place is none", lambda: after in again.heard())
        self.assertNotIn("resume_lost", [event.name for event in again.events])

    def test_a_token_of_another_log_is_lost(self):
        self.assert_lost(headers={"Last-Event-ID": "s.100000"})
        self.assert_lost("?after=s.100000&channel=agent:*")
        problem = self.server.api("GET", "/events?after=s.100000", expect=422)
        self.assertEqual("invalid", problem["code"])
        self.assertIn("not known any more", problem["detail"])

    def test_a_token_that_the_log_does_not_reach_is_lost(self):
        make_agent(self.server, "first")
        early = self.server.api("GET", "/events?limit=1")["next_cursor"]
        make_agent(self.server, "second")
        late = self.tip()
        self.server.stop()
        with contextlib.closing(sqlite3.connect(f"{self.server.data}/agent-lightning.db")) as database:
            removed = database.execute("DELETE FROM events WHERE seq < ?", [int(late.removeprefix("s."))])
            self.assertGreater(removed.rowcount, 1)  # as retention does
            database.commit()
        self.server.start()
        self.assert_lost(headers={"Last-Event-ID": early})
        problem = self.server.api("GET", f"/events?after={early}", expect=422)
        self.assertIn("not known any more", problem["detail"])
        make_agent(self.server, "third")
        whole = self.stream(self.server, self.server.token, "?after=" + late)
        until("the log reaches this one", lambda: "third" in whole.heard())
        self.assertNotIn("resume_lost", [event.name for event in whole.events])
        told = [event["aggregate_id"] for event in self.server.api("GET", f"/events?after={late}")["events"]]
        self.assertIn("third", told)

    def test_the_beginning_stands_for_what_is_left(self):
        beginning = "s.0"
        left = self.server.api("GET", "/events?limit=500")["events"][0]["event_id"]
        listed = self.server.api("GET", f"/events?after={beginning}&limit=500")["events"]
        self.assertEqual(left, listed[0]["event_id"])
        stream = self.stream(self.server, self.server.token, "?after=" + beginning)
        until("nothing came", lambda: stream.events)
        self.assertEqual(left, stream.events[0].data["event_id"])


class Together(StreamTest):
    """Processes of a role each, on one PostgreSQL with Redis."""

    def test_what_one_process_ends_and_loses_others_know(self):
        roles = ("auth", "operations", "agent-designer", "gateway")
        cluster = self.enterContext(Cluster(1, roles))
        auth, operations, designer, gateway = (cluster.of(role)[0] for role in roles)
        new_user(auth, "ada@example.org", "viewer")
        for to in (operations, gateway):
            token = signed_in(auth, "ada@example.org")
            stream = self.stream(to, token)
            make_agent(designer, f"live_{to.role}")
            until("the stream is silent", lambda s=stream, id=f"live_{to.role}": id in s.heard())
            auth.api("POST", "/auth/logout", headers={"Authorization": f"Bearer {token}"})
            self.assert_ends(stream, time.monotonic(), ENDED, to.role, designer)
        lost = "p.99999999:99999999:..0"
        stream = self.stream(operations, operations.token, headers={"Last-Event-ID": lost})
        until("nothing was said", lambda: stream.events)
        self.assertEqual(("resume_lost", LOST), (stream.events[0].name, stream.events[0].data))
        make_agent(designer, "next")
        until("what came next was missed", lambda: "next" in stream.heard())
        operations.api("GET", f"/events?after={lost}", expect=422)
