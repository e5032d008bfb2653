"""WebSockets: pages of other sites, credentials that end, floods, and frames that no client would send (RFC 6455)."""

import base64
import contextlib
import json
import os
import struct
import time
import unittest
from typing import Any, ClassVar, Self
from urllib.parse import quote, urlsplit

from people import EVIL, REMEMBERED_S, PeopleTest
from raw_http import connect

WAIT_S = 15.0
AUTHENTICATION_S = 10
SWEEP_S = 5  # until a credential that has ended closes its connection
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
NORMAL, PROTOCOL, UNSUPPORTED, BAD_TEXT, POLICY, TOO_LARGE, LATER = 1000, 1002, 1003, 1007, 1008, 1009, 1013
UNAUTHENTICATED = 4401
MESSAGES_A_SECOND, BURST = 50, 100


def frame(
    opcode: int, payload: bytes = b"", last=True, masked=True, flags: int = 0, length: int | None = None
) -> bytes:
    """`length` is what it says of itself, when that is not its length."""
    size = len(payload) if length is None else length
    first = (0x80 if last else 0) | flags | opcode
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, mask_bit | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, mask_bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


class Socket:
    """A client that sends what it is told, and reads to the letter."""

    def __init__(self, url: str, query: str = "", headers: tuple[str, ...] = (), buffer: int = 0):
        place = urlsplit(url)
        self.sock = connect(place.hostname, place.port, WAIT_S, buffer)
        names = {line.partition(":")[0].lower() for line in headers}
        usual = [f"Host: {place.netloc}", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        usual += [f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}"]
        lines = [line for line in usual if line.partition(":")[0].lower() not in names]
        lines += [line for line in headers if line.partition(":")[2].strip()]
        head = "".join(line + "\r\n" for line in (f"GET /ws{query} HTTP/1.1", *lines))
        self.sock.sendall(head.encode() + b"\r\n")
        self.stream = self.sock.makefile("rb")
        self.status = int(self.stream.readline().split()[1])
        while self.stream.readline().strip():
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self.sock.close()

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # it may have hung up
            self.sock.sendall(data)

    def say(self, type: str, **members: Any) -> None:
        self.send(frame(TEXT, json.dumps({"type": type, **members}).encode()))

    def read(self) -> tuple[int, bytes] | None:
        """The next frame; None at the end. Raises TimeoutError when neither comes."""
        try:
            head = self.stream.read(2)
            if len(head) < 2:
                return None
            assert not head[1] & 0x80, "a server masks nothing"
            assert not head[0] & 0x70, "no extension was agreed on"
            size = head[1] & 0x7F
            if size >= 126:
                size = int.from_bytes(self.stream.read(2 if size == 126 else 8))
            payload = self.stream.read(size)
        except TimeoutError:
            raise
        except OSError:
            return None
        return (head[0] & 0xF, payload) if len(payload) == size else None

    def messages(self, until: str = "") -> list[dict]:
        """Up to the first of type `until`, or to the end."""
        found = []
        while (got := self.read()) and got[0] != CLOSE:
            if got[0] == TEXT:
                found.append(json.loads(got[1]))
                if found[-1]["type"] == until:
                    break
        return found

    def close_code(self) -> int:
        """With which the server ends it; 0: without any."""
        while got := self.read():
            if got[0] == CLOSE:
                return int.from_bytes(got[1][:2])
        return 0


class WebSocketTest(PeopleTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = cls.server.urls["websocket"]

    def open(self, query: str = "", headers: tuple[str, ...] = (), **more: Any) -> Socket:
        opened = Socket(self.url, query, headers, **more)
        self.addCleanup(opened.__exit__)
        return opened

    def enter(self, token: str = "", **more: Any) -> Socket:
        """Authenticated."""
        opened = self.open(f"?token={quote(token or self.server.token)}", **more)
        self.assertEqual(101, opened.status)
        self.assertEqual("authenticated", opened.messages("authenticated")[-1]["type"])
        return opened


class Handshakes(WebSocketTest):
    environment: ClassVar = PeopleTest.environment | {
        "LOG_LEVEL": "debug",
        "AGENT_LIGHTNING_ALLOWED_ORIGINS": "https://app.example",
    }

    def test_only_our_own_pages_and_those_of_the_list_connect(self):
        host = urlsplit(self.url).netloc
        origins = {None: 101, f"http://{host}": 101, f"https://{host}": 101, "https://app.example": 101}
        refused = [EVIL, "null", "https://app.example.evil.example", "http://app.example", "file://", "*"]
        refused += [f"http://{host}0", f"http://evil.{host}", f"http://{host}/", f"http://{host}@evil.example", host]
        refused += [f"https://app.example, {EVIL}", f"https://app.example {EVIL}", "https://app.example:444"]
        for origin, status in (origins | dict.fromkeys(refused, 403)).items():
            with self.subTest(origin=origin):
                headers = (f"Origin: {origin}",) if origin else ()
                self.assertEqual(status, self.open(headers=headers).status)
        two = ("Origin: https://app.example", f"Origin: {EVIL}")
        self.assertIn(self.open(headers=two).status, (400, 403))

    def test_what_is_no_handshake_gets_no_socket(self):
        for headers, statuses in (
            (("Upgrade:",), (426,)),
            (("Upgrade: h2c",), (426,)),
            (("Connection: close",), (426,)),
            (("Sec-WebSocket-Version: 8",), (426,)),
            (("Sec-WebSocket-Version:",), (426, 400)),
            (("Sec-WebSocket-Key:",), (400,)),
            (("Sec-WebSocket-Key: short",), (400,)),
        ):
            with self.subTest(headers=headers):
                self.assertIn(self.open(headers=headers).status, statuses)

    def test_cookies_are_no_credential(self):
        """A page of another site would bring them along."""
        cookie = f"Cookie: token={self.server.token}; access_token={self.server.token}; __Host-al_refresh=x"
        opened = self.open(headers=(cookie,))
        opened.say("subscribe", events=["*"], id="1")
        self.assertEqual("error", opened.messages("error")[-1]["type"])

    def test_tokens_stay_out_of_the_log(self):
        self.enter()
        self.open(f"?token={self.server.token}x")
        self.assertNotIn(self.server.token, self.server.log.read_text())


class Credentials(WebSocketTest):
    def test_nothing_is_answered_before_who_is_known(self):
        for type, members in (
            ("subscribe", {"events": ["*"]}),
            ("join_room", {"room_id": "r"}),
            ("presence", {"room_id": "r"}),
            ("send_message", {"target": "all", "message": {}}),
        ):
            opened = self.open()
            opened.say(type, **members)
            found = opened.messages("error")
            with self.subTest(type=type):
                self.assertEqual({"connection_id", "error"}, {message["type"] for message in found})

    def test_who_does_not_say_who_he_is_or_lies_is_closed(self):
        began = time.monotonic()
        silent = self.open()
        for token in ("al_wrong", "a.b.c", "x" * 9000):
            liar = self.open()
            liar.say("authenticate", token=token)
            with self.subTest(token=token[:10]):
                self.assertEqual("error", liar.messages("error")[-1]["type"])
        self.assertEqual(UNAUTHENTICATED, silent.close_code())
        self.assertLess(time.monotonic() - began, AUTHENTICATION_S + 5)

    def test_permissions_are_asked_for(self):
        outsider = self.open(f"?token={self.service_key('agents:read')}")
        self.assertNotIn("authenticated", [message["type"] for message in outsider.messages("error")])
        reader = self.enter(self.service_key("websocket:connect"))
        reader.say("send_message", target="all", message={"a": 1})
        self.assertEqual("error", reader.messages("error")[-1]["type"])

    def test_events_need_the_permission_to_read_them(self):
        listener, entitled = self.enter(self.service_key("websocket:connect")), self.enter()
        for opened in (listener, entitled):
            opened.say("subscribe", events=["*"])
        self.assertEqual("subscribed", entitled.messages("subscribed")[-1]["type"])
        self.api("POST", "/agents", {"id": "unheard", "name": "n", "specialization": "s"}, 201)
        self.assertIn("unheard", json.dumps(entitled.messages("event")))
        time.sleep(0.2)
        listener.say("ping", id="last")
        self.assertNotIn("unheard", json.dumps(listener.messages("pong")))

    def test_who_is_no_user_any_more_is_closed(self):
        for change in ({"status": "disabled"}, None):
            user = self.new_user("developer")
            opened = self.enter(self.tokens(user["email"])["access_token"])
            if change:
                self.api("PUT", f"/users/{user['id']}", change)
            else:
                self.api("DELETE", f"/users/{user['id']}")
            began = time.monotonic()
            self.assertGreaterEqual(opened.close_code(), 4400)
            self.assertLess(time.monotonic() - began, SWEEP_S)

    def test_a_revoked_key_is_closed(self):
        made = self.api("POST", "/auth/api-keys?owner=service", {"name": "k", "permissions": ["websocket:*"]}, 201)
        opened = self.enter(made["api_key"])
        self.api("DELETE", f"/auth/api-keys/{made['key']['id']}")
        self.assertGreaterEqual(opened.close_code(), 4400)

    def test_no_organisation_hears_another(self):
        boss = self.new_organisation("other")
        theirs, ours = self.enter(boss), self.enter()
        for opened in (theirs, ours):
            opened.say("subscribe", events=["*"])
            opened.say("join_room", room_id="lobby")
        time.sleep(0.2)
        self.api("POST", "/agents", {"id": "secret_agent", "name": "n", "specialization": "s"}, 201)
        me = self.ask("GET", "/auth/me", token=boss).body["user"]["id"]
        for target in ("all", "room:lobby", f"user:{me}"):
            ours.say("send_message", target=target, message={"text": "secret words"})
        time.sleep(REMEMBERED_S)
        theirs.say("presence", room_id="lobby")
        theirs.say("ping", id="last")
        heard = json.dumps(theirs.messages("pong"))
        self.assertNotIn("secret", heard)
        self.assertNotIn("bootstrap", heard)
        ours.say("ping", id="last")
        self.assertIn("secret_agent", json.dumps(ours.messages("pong")))


class Floods(WebSocketTest):
    def test_messages_are_limited(self):
        opened = self.enter()
        began = time.monotonic()
        opened.send(frame(TEXT, b'{"type":"ping"}') * 2000)
        pongs = sum(message["type"] == "pong" for message in opened.messages("never"))
        self.assertLess(pongs, BURST + MESSAGES_A_SECOND * (time.monotonic() - began + 1))

    def test_control_frames_and_fragments_are_limited(self):
        fragments = frame(TEXT, b"", last=False) + frame(0, b"", last=False) * 300
        for name, data in {
            "pings": frame(PING, b"x" * 100) * 500,
            "pongs": frame(PONG) * 500,
            "fragments": fragments,
            "fragments of a byte": frame(TEXT, b"{", last=False) + frame(0, b" ", last=False) * 300,
        }.items():
            with self.subTest(flood=name):
                opened = self.enter()
                opened.send(data)
                self.assertEqual(POLICY, opened.close_code())

    def test_who_takes_nothing_is_dropped_and_others_are_not(self):
        stuck, other = self.enter(buffer=4096), self.enter()
        for opened in (stuck, other):
            opened.say("subscribe", events=["agent:*"])
        self.api("POST", "/agents", {"id": "wordy", "name": "n", "specialization": "s", "status": "offline"}, 201)
        for number in range(600):
            change = {"config": {"text": "x" * 16_000, "number": number}}
            self.api("PUT", "/agents/wordy", change)
            while (got := other.read()) and b'"number":%d' % number not in got[1].replace(b" ", b""):
                pass
            self.assertIsNotNone(got, "who takes what he is sent stays")
        self.assertIn(stuck.close_code(), (LATER, 0))

    def test_many_sockets_of_one_user(self):
        token = self.access_token("viewer")
        opened = [self.open(f"?token={token}") for _ in range(110)]
        last = [one.messages("authenticated")[-1]["type"] for one in opened]
        self.assertEqual(100, last.count("authenticated"))


class Frames(WebSocketTest):
    def test_each_fault_has_its_code(self):
        text = b'{"type":"ping"}'
        for name, data, codes in (
            ("not masked", frame(TEXT, text, masked=False), (PROTOCOL,)),
            ("compressed", frame(TEXT, text, flags=0x40), (PROTOCOL,)),
            ("a reserved bit", frame(TEXT, text, flags=0x20), (PROTOCOL,)),
            ("a reserved opcode", frame(3, text), (PROTOCOL,)),
            ("a reserved control opcode", frame(11), (PROTOCOL,)),
            ("binary", frame(BINARY, b"x"), (UNSUPPORTED,)),
            ("no UTF-8", frame(TEXT, b"\xff"), (BAD_TEXT,)),
            ("a surrogate", frame(TEXT, b"\xed\xa0\x80"), (BAD_TEXT,)),
            ("a part of a letter", frame(TEXT, b"\xe2\x82"), (BAD_TEXT,)),
            ("a letter cut by frames that never ends", frame(TEXT, b"\xe2", last=False) + frame(0, b"x"), (BAD_TEXT,)),
            ("a long ping", frame(PING, b"x" * 126), (PROTOCOL,)),
            ("a ping in parts", frame(PING, b"x", last=False), (PROTOCOL,)),
            ("a continuation of nothing", frame(0, text), (PROTOCOL,)),
            ("two beginnings", frame(TEXT, b"{", last=False) + frame(TEXT, text), (PROTOCOL,)),
            ("a close of one byte", frame(CLOSE, b"x"), (PROTOCOL,)),
            ("a close of no code", frame(CLOSE, struct.pack("!H", 1005)), (PROTOCOL,)),
            ("a close with no UTF-8", frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), (BAD_TEXT, PROTOCOL)),
            ("too large", frame(TEXT, length=1 << 30), (TOO_LARGE,)),
            ("too large in parts", frame(TEXT, b"x" * 70_000, last=False) + frame(0, b"x" * (1 << 20)), (TOO_LARGE,)),
            ("2^63", frame(TEXT, length=1 << 63), (PROTOCOL, TOO_LARGE)),
            ("2^64 - 1", frame(TEXT, length=(1 << 64) - 1), (PROTOCOL, TOO_LARGE)),
            ("a close", frame(CLOSE, struct.pack("!H", NORMAL)), (NORMAL,)),
        ):
            with self.subTest(frame=name):
                opened = self.enter()
                opened.send(data)
                self.assertIn(opened.close_code(), codes)
        self.enter()

    def test_words_that_are_no_message_of_ours(self):
        opened = self.enter()
        bad = (b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"type":1}', b'{"type":"x"}', b"[" * 30_000)
        bad += (b'{"type":"join_room"}', b'{"type":"join_room","room_id":"../x"}', b'{"type":"subscribe","events":1}')
        bad += (
            b'{"type":"subscribe","events":["a b"]}',
            b'{"type":"send_message","target":"user:","message":{}}',
            b'{"type":"ping","id":{}}',
        )
        for one in bad:
            with self.subTest(text=one[:40]):
                opened.send(frame(TEXT, one))
                self.assertEqual("error", opened.messages("error")[-1]["type"])
        opened.say("ping", id="still here")
        self.assertEqual("pong", opened.messages("pong")[-1]["type"])


if __name__ == "__main__":
    unittest.main()
