"""/ws against the program: who may connect, what he hears, and that nothing is missed or comes twice."""

import json
import time
import unittest
from typing import ClassVar

from support.cases import ServerTest
from support.cluster import Cluster
from support.fault_proxy import FaultProxy
from support.postgres import Postgres
from support.server import Server
from support.sign_in import PASSWORD
from support.websocket import Closed, Refused, WebSocket, signed_in

FOREIGN = "https://evil.example"
APP = "https://app.example.com"


class SocketTest(ServerTest):
    environment: ClassVar[dict[str, str]] = {"LOG_LEVEL": "error", "AGENT_LIGHTNING_ALLOWED_ORIGINS": APP}
    made = 0

    def connect_socket(self, headers=None, url: str = "", **query: str) -> WebSocket:
        return self.enterContext(WebSocket(url or self.server.urls["websocket"], headers, **query))

    def signed_in(self, token: str = "", *patterns: str, **members) -> WebSocket:
        url = self.server.urls["websocket"]
        return self.enterContext(signed_in(url, token or self.server.token, *patterns, **members))

    def key(self, *permissions: str) -> tuple[str, str]:
        """Of a service: the key, and its id."""
        SocketTest.made += 1
        wanted = {"name": f"key{SocketTest.made}", "permissions": ["websocket:connect", *permissions]}
        made = self.api("POST", "/auth/api-keys?owner=service", wanted, 201)
        return made["api_key"], made["key"]["id"]

    def make_agent(self, id: str) -> None:
        self.api("POST", "/agents", {"id": id, "name": id, "specialization": "tests"}, 201)


def told(messages: list[dict]) -> list[str]:
    """What events say, in order: "agent:created x"."""
    return [f"{m['channel']} {m['data']['aggregate_id']}" for m in messages if m["type"] == "event"]


class Connecting(SocketTest):
    def test_the_token_comes_in_three_ways(self):
        token = self.server.token
        for client in (
            self.connect_socket(token=token),
            self.connect_socket({"Authorization": f"Bearer {token}"}),
            self.connect_socket({"X-Api-Key": token}),
        ):
            self.assertEqual("connection_id", client.next()["type"])
            known = client.next()
            self.assertEqual("authenticated", known["type"])
            self.assertEqual("default", known["user"]["tenant_id"])
            self.assertIn("*:*", known["user"]["permissions"])
            self.assertTrue(known["resume"])
        late = self.connect_socket()
        self.assertEqual("connection_id", late.next()["type"])
        self.assertEqual("authenticated", late.ask("authenticate", token=token)["type"])

    def test_it_is_on_the_gateway_and_the_dashboard_too(self):
        for role in ("gateway", "dashboard", "websocket"):
            for path in ("/api/v1/ws",) + (("/ws",) if role != "dashboard" else ()):
                client = self.enterContext(WebSocket(self.server.urls[role], path=path))
                self.assertEqual("connection_id", client.next()["type"], f"{role} {path}")

    def test_before_it_is_known_it_may_do_nothing(self):
        client = self.connect_socket()
        client.next()
        for type, members in (
            ("subscribe", {"events": ["*"]}),
            ("send_message", {"target": "all", "message": {}}),
            ("join_room", {"room_id": "a"}),
            ("ping", {}),
        ):
            answer = client.ask(type, **members)
            self.assertEqual(
                ("error", "unauthenticated", "Not authenticated"), (answer["type"], answer["code"], answer["error"])
            )
        client.send_text("no json")
        self.assertEqual("Not authenticated", client.next()["error"])
        self.assertEqual("authenticated", client.ask("authenticate", token=self.server.token)["type"])

    def test_a_wrong_token_ends_it(self):
        for token in ("wrong", "al_" + "A" * 43, "a\nb", "ü"):
            client = self.connect_socket()
            client.next()
            client.send("authenticate", token=token)
            self.assertEqual("unauthenticated", client.next()["code"])
            self.assertEqual(4401, client.closing().code)

    def test_who_says_nothing_is_closed_after_ten_seconds(self):
        client = self.connect_socket()
        began = time.monotonic()
        self.assertEqual(4401, client.closing().code)
        self.assertTrue(9 < time.monotonic() - began < 15)

    def test_a_key_without_the_permission_is_refused(self):
        wanted = {"name": "narrow", "permissions": ["agents:read"]}
        key = self.api("POST", "/auth/api-keys?owner=service", wanted, 201)["api_key"]
        client = self.connect_socket(token=key)
        client.next()
        self.assertEqual("forbidden", client.next()["code"])
        self.assertEqual(4403, client.closing().code)

    def test_only_our_own_pages_and_those_of_the_list_may_connect(self):
        own = self.server.urls["websocket"]
        for origin in (own, APP):
            self.assertEqual("connection_id", self.connect_socket({"Origin": origin}).next()["type"])
        for origin in (FOREIGN, "null", "", "http://127.0.0.1:1", APP + ".evil.example"):
            with self.assertRaises(Refused) as refused:
                self.connect_socket({"Origin": origin})
            self.assertEqual(403, refused.exception.status, origin)

    def test_a_cookie_is_no_credential(self):
        client = self.connect_socket({"Cookie": f"token={self.server.token}; refresh_token={self.server.token}"})
        client.next()
        self.assertEqual("Not authenticated", client.ask("ping")["error"])

    def test_a_plain_request_is_told_to_upgrade(self):
        self.assertEqual(426, self.server.call("GET", "/api/v1/ws")[0])


class Listening(SocketTest):
    def test_events_come_as_they_are_committed(self):
        client = self.signed_in("", "agent:*")
        self.make_agent("heard")
        event = client.wait_for("event")
        self.assertEqual(("agent.created", "agent:created"), (event["event"], event["channel"]))
        self.assertEqual("heard", event["data"]["aggregate_id"])
        listed = self.api("GET", f"/events?after={event['resume']}&limit=500")["events"]
        self.assertNotIn(event["data"]["event_id"], [e["event_id"] for e in listed], "the token stands behind it")
        shown = self.api("GET", "/events/replay?kind=agent&aggregate_id=heard")["events"]
        self.assertEqual(shown[0], event["data"], "as /events shows it")

    def test_patterns_choose(self):
        all, dotted, one, none = (
            self.signed_in("", "*"),
            self.signed_in("", "agent.created"),
            self.signed_in("", "agent:updated"),
            self.signed_in(),
        )
        self.make_agent("chosen")
        self.api("PUT", "/agents/chosen", {"name": "Other"})
        both = ["agent:created chosen", "agent:updated chosen"]
        limit = time.monotonic() + 10
        seen: list[str] = []
        while not set(both) <= set(seen) and time.monotonic() < limit:
            seen += told(all.settle())
        self.assertEqual(both, [it for it in seen if it.endswith(" chosen")])
        self.assertEqual(both[:1], told(dotted.settle()))
        self.assertEqual(both[1:], told(one.settle()))
        self.assertEqual([], told(none.settle()))

    def test_subscriptions_are_acknowledged_bounded_and_ended(self):
        client = self.signed_in()
        answer = client.ask("subscribe", events=["task.*", "task:*", "agent:created"])
        self.assertEqual(("subscribed", ["agent:created", "task:*"]), (answer["type"], answer["events"]))
        self.assertTrue(answer["resume"])
        answer = client.ask("unsubscribe", events=["task:*"])
        self.assertEqual(("unsubscribed", ["agent:created"]), (answer["type"], answer["events"]))
        self.assertEqual([], client.ask("unsubscribe")["events"])
        many = [f"kind_{chr(97 + i // 26)}{chr(97 + i % 26)}:*" for i in range(64)]
        self.assertEqual("subscribed", client.ask("subscribe", events=many)["type"])
        self.assertEqual("invalid", client.ask("subscribe", events=["one:more"])["code"])
        self.assertEqual("invalid", client.ask("subscribe", events=[*many, "x:y"])["code"])
        for bad in (["task"], ["TASK:*"], [""], ["*:*"], ["task:*:x"], [7], "task:*", [["task:*"]], ["t" * 200 + ":*"]):
            self.assertEqual("invalid", client.ask("subscribe", events=bad)["code"], bad)
        self.assertEqual("invalid", client.ask("subscribe")["code"])

    def test_nobody_hears_what_he_may_not_read(self):
        agents, tasks = self.signed_in(self.key("agents:read")[0], "*"), self.signed_in(self.key("tasks:read")[0], "*")
        everything = self.signed_in(self.key("events:read")[0], "*")
        self.make_agent("guarded")
        task = self.api("POST", "/agents/guarded/tasks", {"description": "say something"}, 201)
        tasks.wait_for("event", channel="task:created")
        self.assertEqual({"agent"}, {it.split(":")[0] for it in told(agents.settle())})
        heard = told(tasks.settle())
        self.assertEqual([], [it for it in heard if not it.startswith("task:") or not it.endswith(task["id"])])
        self.assertEqual([], told(everything.settle()), "each kind has its own permission")

    def test_the_stream_and_the_lists_keep_the_same_rule(self):
        key, _ = self.key("events:read", "tasks:read")
        headers = {"Authorization": f"Bearer {key}"}
        listed = self.api("GET", "/events?limit=500", headers=headers)["events"]
        self.assertEqual(set(), {e["channel"].split(":")[0] for e in listed} & {"agent", "knowledge", "api_key"})
        self.api("GET", "/events/replay?kind=agent&aggregate_id=writer", expect=403, headers=headers)
        self.api("GET", f"/events/replay?kind=task&aggregate_id={'0' * 8}", headers=headers)

    def test_another_tenant_hears_nothing(self):
        self.api("POST", "/organisations", {"id": "acme", "name": "Acme"}, 201)
        wanted = {"email": "boss@acme.example", "full_name": "Boss", "roles": ["admin"]}
        made = self.api("POST", "/organisations/acme/users", wanted, 201)
        link = {"token": made["password_reset"]["token"], "new_password": PASSWORD}
        nobody = {"Authorization": ""}
        self.api("POST", "/auth/reset-password", link, headers=nobody)
        login = {"email": wanted["email"], "password": PASSWORD}
        boss = self.api("POST", "/auth/login", login, headers=nobody)["access_token"]
        theirs, ours = self.signed_in(boss, "*"), self.signed_in("", "*")
        for client in (theirs, ours):
            client.ask("join_room", room_id="lobby")
        self.make_agent("ours")
        ours.ask("send_message", target="all", message={"n": 1})
        ours.ask("send_message", target="room:lobby", message={"n": 2})
        ours.ask("send_message", target=f"user:{made['user']['id']}", message={"n": 3})
        ours.wait_for("message", target="room:lobby")
        heard = theirs.settle()
        self.assertEqual([], [m for m in heard if m["type"] in ("message", "member_joined")])
        self.assertFalse([it for it in told(heard) if "ours" in it])


class Talking(SocketTest):
    def test_rooms(self):
        first, second = self.signed_in(self.key()[0]), self.signed_in(self.key("messages:send")[0])
        outside = self.signed_in(self.key("messages:send")[0])
        self.assertEqual("room_joined", first.ask("join_room", room_id="a.b:c-1")["type"])
        self.assertEqual("room_joined", second.ask("join_room", room_id="a.b:c-1")["type"])
        joined = first.wait_for("member_joined")
        self.assertEqual("a.b:c-1", joined["room_id"])
        shown = second.ask("presence", room_id="a.b:c-1")
        self.assertEqual(2, len(shown["members"]))
        self.assertIn(joined["user_id"], shown["members"])
        self.assertEqual("forbidden", outside.ask("presence", room_id="a.b:c-1")["code"])
        self.assertEqual("forbidden", outside.ask("send_message", target="room:a.b:c-1", message={})["code"])
        self.assertEqual("forbidden", first.ask("send_message", target="room:a.b:c-1", message={})["code"])
        self.assertEqual("message_sent", second.ask("send_message", target="room:a.b:c-1", message={"hi": "ü"})["type"])
        message = first.wait_for("message")
        self.assertEqual(({"hi": "ü"}, joined["user_id"]), (message["message"], message["sender"]))
        self.assertEqual("room_left", second.ask("leave_room", room_id="a.b:c-1")["type"])
        self.assertEqual(joined["user_id"], first.wait_for("member_left")["user_id"])
        self.assertEqual([], [m for m in outside.settle() if m["type"] != "pong"])

    def test_who_goes_leaves_his_rooms(self):
        stays = self.signed_in(self.key()[0])
        stays.ask("join_room", room_id="quiet")
        goes = signed_in(self.server.urls["websocket"], self.key()[0])
        goes.ask("join_room", room_id="quiet")
        user = stays.wait_for("member_joined")["user_id"]
        goes.socket.close()
        self.assertEqual(user, stays.wait_for("member_left")["user_id"])

    def test_messages_for_a_user_reach_him_alone(self):
        key, id = self.key()
        him, again, other = self.signed_in(key), self.signed_in(key), self.signed_in(self.key()[0], "*")
        sender = self.signed_in()
        sender.ask("send_message", target=f"user:{id}", message={"for": "him"})
        for client in (him, again):
            self.assertEqual({"for": "him"}, client.wait_for("message")["message"])
        sender.ask("send_message", target="all", message={"for": "all"})
        self.assertEqual({"for": "all"}, other.wait_for("message")["message"])
        self.assertEqual([], [m for m in other.settle() if "him" in json.dumps(m)])

    def test_broadcasts_over_http(self):
        client = self.signed_in(self.key()[0])
        body = {"type": "notice", "channel": "news", "data": {"n": 1}}
        made = self.api("POST", "/broadcast", body, 202)
        self.assertTrue(made["message_id"])
        message = client.wait_for("message")
        self.assertEqual(body, message["message"])
        key, _ = self.key("agents:read")
        self.api("POST", "/broadcast", body, 403, headers={"Authorization": f"Bearer {key}"})
        for bad in ({"type": "x"}, {"data": {}}, body | {"target": "nobody"}, body | {"x": 1}, body | {"data": []}):
            self.assertEqual("invalid", self.api("POST", "/broadcast", bad, 422)["code"])
        again = {"Idempotency-Key": "broadcast-1"}
        self.assertEqual(
            self.api("POST", "/broadcast", body, 202, headers=again), self.api("POST", "/broadcast", body, 202, again)
        )
        client.wait_for("message")
        self.assertEqual([], [m for m in client.settle() if m["type"] == "message"], "it was sent once")

    def test_connections_are_counted_and_bounded(self):
        key, id = self.key()
        clients = [self.signed_in(key) for _ in range(3)]
        shown = self.api("GET", "/connections")
        self.assertIn({"user_id": id, "connections": 3}, shown["users"])
        self.assertEqual(shown["connections"], sum(user["connections"] for user in shown["users"]))
        self.api("GET", "/connections", expect=403, headers={"Authorization": f"Bearer {key}"})
        metrics = self.server.call("GET", "/metrics")[1]
        self.assertRegex(metrics, r"(?m)^agent_lightning_websocket_connections [1-9]")
        clients += [self.signed_in(key) for _ in range(97)]
        over = self.connect_socket(token=key)
        over.next()
        self.assertEqual("too_many_requests", over.next()["code"])
        self.assertEqual(1008, over.closing().code)
        clients.pop().socket.close()
        limit = time.monotonic() + 10
        while {"user_id": id, "connections": 99} not in self.api("GET", "/connections")["users"]:
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.01)
        self.signed_in(key)

    def test_limits(self):
        client = self.signed_in()
        for i in range(32):
            self.assertEqual("room_joined", client.ask("join_room", room_id=f"r{i}")["type"])
            time.sleep(0.02)
        self.assertEqual("invalid", client.ask("join_room", room_id="one-more")["code"])
        for bad in ("", "a/b", "a b", "x" * 101, 7):
            self.assertEqual("invalid", client.ask("join_room", room_id=bad)["code"])
        self.assertEqual("bad_request", self.said(client, "{")["code"])
        self.assertEqual("invalid", self.said(client, "[]")["code"])
        self.assertEqual("invalid", self.said(client, '{"type":"fly"}')["code"])
        self.assertEqual("invalid", client.ask("send_message", target="all", message="text")["code"])
        self.assertEqual("invalid", client.ask("send_message", target="all", message={"x": "y" * 20_000})["code"])
        self.assertEqual("invalid", client.ask("send_message", target="nobody", message={})["code"])
        client.send_text('"' + "x" * 70_000 + '"')
        self.assertEqual(1009, client.closing().code)

    def said(self, client, text):
        client.send_text(text)
        return client.wait_for("error")

    def test_a_flood_ends_it(self):
        client = self.signed_in()
        with self.assertRaises((Closed, OSError)) as ended:
            for _ in range(500):
                client.send("ping")
            while True:
                client.next()
        if isinstance(ended.exception, Closed):
            self.assertEqual(1008, ended.exception.code)


class Revoking(SocketTest):
    def test_a_revoked_key_ends_its_connections_within_a_second(self):
        key, id = self.key()
        client, other = self.signed_in(key), self.signed_in(self.key()[0])
        self.api("DELETE", f"/auth/api-keys/{id}")
        revoked = time.monotonic()
        self.assertEqual(4401, client.closing().code)
        self.assertLess(time.monotonic() - revoked, 1)
        self.assertEqual("pong", other.ask("ping")["type"])

    def test_a_login_that_ends_and_a_user_who_is_disabled(self):
        wanted = {"email": "ada@example.org", "full_name": "Ada", "roles": ["viewer"]}
        user = self.api("POST", "/users", wanted, 201)
        link = self.api("POST", f"/users/{user['id']}/password-reset", expect=201)
        nobody = {"Authorization": ""}
        self.api("POST", "/auth/reset-password", {"token": link["token"], "new_password": PASSWORD}, headers=nobody)
        login = {"email": wanted["email"], "password": PASSWORD}

        def sign_in() -> str:
            return self.api("POST", "/auth/login", login, headers=nobody)["access_token"]

        ended, stays = sign_in(), sign_in()
        client, other = self.signed_in(ended), self.signed_in(stays)
        self.assertEqual("authenticated", other.ask("authenticate", token=sign_in())["type"], "with a fresh token")
        self.assertEqual("forbidden", other.ask("authenticate", token=self.server.token)["code"], "as somebody else")
        self.api("POST", "/auth/logout", headers={"Authorization": f"Bearer {ended}"})
        began = time.monotonic()
        self.assertEqual(4401, client.closing().code)
        self.assertLess(time.monotonic() - began, 1)
        self.assertEqual("pong", other.ask("ping")["type"])
        self.api("PUT", f"/users/{user['id']}", {"status": "disabled"})
        began = time.monotonic()
        self.assertEqual(4401, other.closing().code)
        self.assertLess(time.monotonic() - began, 3)


class Resuming(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(Server({"LOG_LEVEL": "error"}))

    def client(self, *patterns: str, **members) -> WebSocket:
        return self.enterContext(signed_in(self.server.urls["websocket"], self.server.token, *patterns, **members))

    def make_agents(self, *ids: str) -> None:
        for id in ids:
            self.server.api("POST", "/agents", {"id": id, "name": id, "specialization": "tests"}, 201)

    def caught_up(self, client: WebSocket) -> list[str]:
        client.wait_for("resumed")
        return told(client.settle())

    def test_nothing_is_missed_or_comes_twice_after_a_crash(self):
        client = self.client("agent:*")
        self.make_agents("a0", "a1")
        heard = [client.wait_for("event"), client.wait_for("event")]
        self.server.kill()
        self.server.start()
        self.make_agents("a2", "a3")
        again = self.client("agent:*", resume=heard[0]["resume"])
        self.make_agents("a4")
        got = self.caught_up(again)
        limit = time.monotonic() + 10
        while len(got) < 4 and time.monotonic() < limit:
            got += told(again.settle())
        self.assertEqual([f"agent:created a{i}" for i in (1, 2, 3, 4)], got)

    def test_resuming_while_others_write(self):
        position = self.client("agent:*").ask("ping")["resume"]
        self.make_agents(*(f"b{i}" for i in range(150)))
        client = self.client("agent:*", resume=position)
        self.make_agents(*(f"b{i}" for i in range(150, 200)))
        got = self.caught_up(client)
        limit = time.monotonic() + 10
        while len(got) < 200 and time.monotonic() < limit:
            got += told(client.settle())
        self.assertEqual([f"agent:created b{i}" for i in range(200)], got)

    def test_with_the_handshake_or_the_token(self):
        first = self.client("agent:*")
        position = first.ask("ping")["resume"]
        first.ask("join_room", room_id="r")
        self.make_agents("missed")
        first.ask("send_message", target="room:r", message={"n": 1})
        url = self.server.urls["websocket"]
        by_query = self.enterContext(WebSocket(url, token=self.server.token, resume=position))
        by_query.wait_for("authenticated")
        by_message = self.enterContext(WebSocket(url))
        by_message.ask("authenticate", token=self.server.token, resume=position)
        for client in (by_query, by_message):
            client.ask("join_room", room_id="r")
            client.ask("subscribe", events=["agent:*"])
            client.wait_for("resumed")
            heard = client.settle()
            self.assertEqual(["agent:created missed"], told(heard))
            self.assertEqual([{"n": 1}], [m["message"] for m in heard if m["type"] == "message"])

    def test_what_came_live_before_the_subscription_does_not_come_again(self):
        position = self.client().ask("ping")["resume"]
        self.say("missed")
        client = self.client()
        self.say("live")
        client.wait_for("message")
        client.ask("join_room", room_id="r")
        self.make_agents("missed")
        client.send("subscribe", events=["agent:*"], resume=position)
        client.wait_for("resumed")
        heard = client.settle()
        self.assertEqual(["missed"], [m["message"]["data"]["text"] for m in heard if m["type"] == "message"])
        self.assertEqual(["agent:created missed"], told(heard))

    def say(self, text: str) -> None:
        self.server.api("POST", "/broadcast", {"type": "notice", "data": {"text": text}}, 202)

    def test_a_foreign_token_is_said_to_be_lost(self):
        client = self.client()
        for token in ("nonsense", "s.99999999", "p.1:1:..0"):
            client.send("subscribe", events=["agent:*"], resume=token)
            self.assertEqual("resume_lost", client.wait_for("error")["code"], token)
            self.assertTrue(client.wait_for("subscribed")["resume"])
        self.make_agents("after")
        self.assertEqual("after", client.wait_for("event")["data"]["aggregate_id"])

    def test_an_orderly_end_says_so(self):
        client = self.client("agent:*")
        self.make_agents("last")
        position = client.wait_for("event")["resume"]
        self.server.stop()
        self.assertEqual(1001, client.closing().code)
        self.server.start()
        self.make_agents("next")
        self.assertEqual(["agent:created next"], self.caught_up(self.client("agent:*", resume=position)))


class OutOfReach(unittest.TestCase):
    """On a PostgreSQL that goes away for a while."""

    def test_a_resume_that_failed_once_loses_nothing(self):
        postgres = self.enterContext(Postgres())
        link = self.enterContext(FaultProxy()).link(postgres.port)
        url = postgres.create_database("websocket").replace(f":{postgres.port}/", f":{link.port}/")
        server = self.enterContext(Server({"LOG_LEVEL": "error", "DATABASE_URL": url}))
        first = self.enterContext(signed_in(server.urls["websocket"], server.token))
        position = first.ask("ping")["resume"]
        client = self.enterContext(WebSocket(server.urls["websocket"]))
        client.ask("authenticate", token=server.token, resume=position)
        self.make_agent(server, "missed")
        link.cut()
        refused = client.ask("subscribe", events=["agent:*"])
        self.assertEqual(("error", "unavailable"), (refused["type"], refused["code"]))
        self.assertNotIn("resume", client.ask("ping"), "nothing is sent, so that no token may move on")
        link.heal()
        limit = time.monotonic() + 30
        while client.ask("subscribe", events=["agent:*"])["type"] != "subscribed":
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.1)
        self.make_agent(server, "later")
        for name in ("missed", "later"):
            self.assertEqual(name, client.wait_for("event")["data"]["aggregate_id"])

    def make_agent(self, server: Server, id: str) -> None:
        server.api("POST", "/agents", {"id": id, "name": id, "specialization": "tests"}, 201)


class Clustered(unittest.TestCase):
    """Two processes of the role, on PostgreSQL and Redis."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(1, ("gateway", "websocket")))
        cls.gateway, cls.role = cls.cluster.members

    def client(self, member, *patterns: str, **members) -> WebSocket:
        url = member.urls[member.role]
        return self.enterContext(signed_in(url, self.gateway.token, *patterns, **members))

    def make_agents(self, *ids: str) -> None:
        for id in ids:
            self.gateway.api("POST", "/agents", {"id": id, "name": id, "specialization": "tests"}, 201)

    def test_events_and_messages_cross(self):
        here, there = self.client(self.gateway, "agent:*"), self.client(self.role, "agent:*")
        self.make_agents("crossing")
        for client in (here, there):
            self.assertEqual("crossing", client.wait_for("event")["data"]["aggregate_id"])
            client.ask("join_room", room_id="both")
        here.ask("send_message", target="room:both", message={"n": 1})
        for client in (here, there):
            self.assertEqual({"n": 1}, client.wait_for("message")["message"])

    def test_presence_is_shared(self):
        wanted = {"name": "other", "permissions": ["websocket:connect"]}
        key = self.gateway.api("POST", "/auth/api-keys?owner=service", wanted, 201)["api_key"]
        here = self.client(self.gateway)
        here.ask("join_room", room_id="shared")
        there = self.enterContext(signed_in(self.role.urls["websocket"], key))
        there.ask("join_room", room_id="shared")
        user = here.wait_for("member_joined")["user_id"]
        for client in (here, there):
            members = client.ask("presence", room_id="shared")["members"]
            self.assertEqual(2, len(members))
            self.assertIn(user, members)
        there.ask("leave_room", room_id="shared")
        self.assertEqual(user, here.wait_for("member_left")["user_id"])
        self.assertEqual(1, len(here.ask("presence", room_id="shared")["members"]))
        there.ask("join_room", room_id="shared")
        here.wait_for("member_joined")
        there.socket.close()
        self.assertEqual(user, here.wait_for("member_left")["user_id"])
        self.assertEqual(1, len(here.ask("presence", room_id="shared")["members"]), "who is closed is gone as well")

    def test_a_client_moves_to_another_process(self):
        here = self.client(self.gateway, "agent:*")
        self.make_agents("m0", "m1")
        position = here.wait_for("event", channel="agent:created")["resume"]
        self.make_agents("m2")
        there = self.client(self.role, "agent:*", resume=position)
        self.make_agents("m3")
        there.wait_for("resumed")
        got = told(there.settle())
        limit = time.monotonic() + 10
        while len(got) < 3 and time.monotonic() < limit:
            got += told(there.settle())
        self.assertEqual(["agent:created m1", "agent:created m2", "agent:created m3"], got)


if __name__ == "__main__":
    unittest.main()
