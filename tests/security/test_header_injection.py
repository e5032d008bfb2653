"""Line ends and NUL in whatever the server sends back: none begins a header of its own, or another answer.

`raw_http` reads answers to the letter, so a control character in a head, or a byte too many, fails by itself.
"""

import itertools
import json
import re
import unittest
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote, unquote_to_bytes, urlsplit

from raw_http import Answer, Malformed, RawServer, exchange, read_answers, request
from smuggling_cases import TOKEN
from support.cases import ServerTest

EVIL = "X-Evil: 1"
# Ends of lines, what some take for them, and letters whose low bytes are some.
VALUES = [
    f"\r\n{EVIL}",
    f"\n{EVIL}",
    f"\r{EVIL}",
    f"a\r\n\r\n{EVIL}",
    f"a\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n{EVIL}\r\n\r\n",
    f"a\x00{EVIL}",
    f"a\x00\r\n{EVIL}",
    f"a\r\n {EVIL}",
    f"a\r\n\t{EVIL}",
    f"a\x0b{EVIL}",
    f"a\x0c{EVIL}",
    f"a\x1b[2J{EVIL}",
    f"a\x7f{EVIL}",
    f"a\u0085{EVIL}",
    f"a\u2028{EVIL}",
    f"a\u010d\u010a{EVIL}",
    f"a\u560d\u560a{EVIL}",
    f"a\uff0d\uff0a{EVIL}",
    f"a\U0001f40d\U0001f40a{EVIL}",
    f'a"; {EVIL}',
]
WRITINGS: dict[str, Callable[[str], str]] = {
    "escaped": lambda value: quote(value, safe=""),
    "escaped twice": lambda value: quote(quote(value, safe=""), safe=""),
    "in small letters": lambda value: quote(value, safe="").lower(),
    "as %u": lambda value: "".join(f"%u{ord(c):04x}" if c < " " else quote(c, safe="") for c in value),
    "raw": lambda value: value,
}
TARGETS = [
    "/{}",
    "/api/v1/{}",
    "/api/v1/agents/{}",
    "/api/v1/agents/{}/tasks",
    "/api/v1/tasks/{}",
    "/api/v1/tasks/{}/stream",
    "/api/v1/knowledge/{}",
    "/api/v1/providers/{}",
    "/api/v1/sessions/{}",
    "/api/v1/consumers/{}",
    "/api/v1/backups/{}",
    "/api/v1/dead-letters/{}",
    "/api/v1/models/{}",
    "/api/v1/agents?cursor={}",
    "/api/v1/agents?{}=1",
    "/api/v1/knowledge?category={}",
    "/api/v1/events?channel={}&limit=1",
    "/api/v1/events?after={}",
    "/api/v1/metrics/series?name={}",
]
HEADERS = [
    "X-Request-Id",
    "traceparent",
    "tracestate",
    "Host",
    "Origin",
    "Referer",
    "Accept",
    "Accept-Language",
    "Accept-Encoding",
    "Access-Control-Request-Method",
    "Access-Control-Request-Headers",
    "Authorization",
    "Content-Type",
    "Cookie",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Range",
    "User-Agent",
    "X-Api-Key",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
]
BODIES = [
    ("/api/v1/agents", lambda value: {"id": value, "name": "n", "specialization": "s"}),
    ("/api/v1/agents", lambda value: {"id": "twice", "name": value, "specialization": "s", "model": value}),
    ("/api/v1/agents", lambda value: {value: "x"}),
    ("/api/v1/agents/execute", lambda value: {"task": "x", "agent_id": value}),
    ("/api/v1/agents/writer/knowledge", lambda value: {"id": value, "content": "x"}),
    ("/api/v1/agents/writer/knowledge", lambda value: {"content": value, "source": value}),
    ("/api/v1/knowledge", lambda value: {"agent_id": value, "content": "x"}),
    ("/api/v1/knowledge/search", lambda value: {"query": value}),
    ("/api/v1/sessions", lambda value: {"agent_id": value}),
    ("/api/v1/providers", lambda value: {"id": value, "kind": "openai", "base_url": "https://api.openai.com/v1"}),
    ("/api/v1/providers", lambda value: {"id": "p", "kind": "openai", "base_url": "https://api.openai.com/" + value}),
    ("/api/v1/providers", lambda value: {"id": "p", "kind": "openai", "base_url": "https://x.test", "key": value}),
    ("/api/v1/metrics/series", lambda value: {"metrics": [{"service": value, "name": value, "value": 1}]}),
    ("/api/v1/consumers/task-metrics/replay", lambda value: {"from": value}),
]
GOOD_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def violations(received: bytes) -> list[str]:
    """What is wrong with what came back for one request."""
    try:
        answers = [answer for answer in read_answers(received) if answer.status >= 200]
    except Malformed as malformed:
        return [str(malformed)]
    found = [] if len(answers) == 1 else [f"{len(answers)} answers"]
    for answer in answers:
        names = [name for name, _ in answer.fields]
        found += [f"the header {name}" for name in ("x-evil", "set-cookie") if name in names]
        found += [f"{name} twice" for name in set(names) if names.count(name) > 1]
        if answer.status >= 500 and answer.status != 501:
            found.append(f"status {answer.status}")
        if "problem+json" in (answer.header("Content-Type") or ""):
            named = json.loads(answer.body)["request_id"]
            found += [] if named == answer.header("X-Request-Id") else [f"request ids {named!r} and that of the header"]
    return found


def in_targets() -> Iterator[tuple[str, bytes]]:
    for target, value, (name, write) in itertools.product(TARGETS, VALUES, WRITINGS.items()):
        yield f"{target} {name}: {value!r}", request("GET", target.format(write(value)), TOKEN)


def in_headers() -> Iterator[tuple[str, bytes]]:
    for header, value, (name, write) in itertools.product(HEADERS, VALUES, WRITINGS.items()):
        # An empty line would end the request, and what follows it be another one.
        if name == "escaped" or (name == "raw" and "\r\n\r\n" not in value):
            raw = request("GET", "/api/v1/agents/writer", TOKEN, [f"{header}: {write(value)}"])
            yield f"{header} {name}: {value!r}", raw


def in_bodies() -> Iterator[tuple[str, bytes]]:
    for (path, make), value in itertools.product(BODIES, VALUES):
        raw = json.dumps(make(value)).encode()
        yield f"{path} {raw[:80]}", request("POST", path, TOKEN, body=raw)


def faults(port: int, cases: Iterable[tuple[str, bytes]]) -> dict[str, list[str]]:
    """By case, where there are any."""
    found = ((name, violations(exchange(port, [raw], True).received)) for name, raw in cases)
    return {name: wrong for name, wrong in found if wrong}


def careless(data: bytes) -> bytes:
    """Says what it was asked, as it was meant."""
    first, _, rest = data.partition(b"\r\n")
    place = unquote_to_bytes(first.split(b" ")[1] if b" " in first else b"")
    found = re.search(rb"(?i)x-request-id: ([^\n]*)", rest)
    id = found[1] if found else b"1"
    return b"HTTP/1.1 404 X\r\nLocation: %b\r\nX-Request-Id: %b\r\nContent-Length: 0\r\n\r\n" % (place, id)


class HeaderInjection(ServerTest):
    environment: ClassVar = {"LOG_LEVEL": "debug", "AGENT_LIGHTNING_TOKEN": TOKEN}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = urlsplit(cls.server.url).port

    def ask(self, raw: bytes) -> Answer:
        (answer,) = read_answers(exchange(self.port, [raw], True).received)
        return answer

    def test_targets(self):
        self.assertEqual({}, faults(self.port, in_targets()))

    def test_headers(self):
        self.assertEqual({}, faults(self.port, in_headers()))

    def test_bodies(self):
        self.assertEqual({}, faults(self.port, in_bodies()))

    def test_names_of_headers_and_methods(self):
        cases = [
            (repr(value), raw)
            for value in VALUES
            for raw in (
                request("GET", "/health", fields=[f"X{value}: y"]),
                request(f"GET{value}", "/health"),
                request("GET", "/health HTTP/1.1" + value),
            )
        ]
        self.assertEqual({}, faults(self.port, cases))

    def test_no_line_of_the_log_is_theirs(self):
        for value in VALUES:
            self.ask(request("GET", "/api/v1/agents/" + quote(value, safe=""), TOKEN))
        log = self.server.log.read_bytes()
        self.assertNotIn(b"\x1b", log)
        self.assertEqual([], [line for line in log.split(b"\n") if line.startswith((b"X-Evil", b"HTTP/1.1"))])

    def test_a_request_id_is_kept_or_replaced(self):
        for kept in ("a", "order-17", "a" * 128, 'a"b', "<script>", "a;b=c,d", "%0d%0aX-Evil:1", "\\r\\n"):
            with self.subTest(id=kept):
                for path in ("/health", "/nothing", "/api/v1/agents/nobody"):
                    answer = self.ask(request("GET", path, TOKEN, ["X-Request-Id: " + kept]))
                    self.assertEqual(kept, answer.header("X-Request-Id"))
                    if answer.status == 404:
                        self.assertEqual(kept, json.loads(answer.body)["request_id"])
        for garbage in ("", "a b", "a\tb", "a" * 129, "\xe4", "\U0001f40d", "a" * 8000):
            with self.subTest(id=garbage[:20]):
                answer = self.ask(request("GET", "/nothing", TOKEN, ["X-Request-Id: " + garbage]))
                self.assertRegex(answer.header("X-Request-Id"), "^[0-9a-f]{32}$")
        for refused in ("a\rb", "a\nb", "a\x00b", "a\x01b", "a\x7fb"):
            with self.subTest(id=refused):
                answer = self.ask(request("GET", "/health", TOKEN, ["X-Request-Id: " + refused]))
                self.assertEqual(400, answer.status)
                self.assertRegex(answer.header("X-Request-Id"), "^[0-9a-f]{32}$")

    def test_a_trace_comes_back_or_not_at_all(self):
        answer = self.ask(request("GET", "/health", fields=["traceparent: " + GOOD_PARENT]))
        self.assertEqual(GOOD_PARENT, answer.header("traceparent"))
        for wrong in (
            GOOD_PARENT + "-x",
            GOOD_PARENT.upper(),
            "ff" + GOOD_PARENT[2:],
            GOOD_PARENT + "%0d%0aX-Evil:1",
            GOOD_PARENT[:-2] + "\u0660\u0661",
            GOOD_PARENT + "\r\ntraceparent: " + GOOD_PARENT,
        ):
            with self.subTest(traceparent=wrong):
                answer = self.ask(request("GET", "/health", fields=["traceparent: " + wrong]))
                self.assertIsNone(answer.header("traceparent"))

    def test_a_location_leads_to_what_was_made(self):
        for number, id in enumerate(("a b", "a+b", "a%0d%0ab", "a?b#c", "\u010d\u010a", "\u2028", '"<>', "\U0001f40d")):
            with self.subTest(id=id):
                body = json.dumps({"id": id, "content": "x"}).encode()
                fields = [f"Idempotency-Key: location-{number}"]
                raw = request("POST", "/api/v1/agents/writer/knowledge", TOKEN, fields, body)
                first, again = self.ask(raw), self.ask(raw)
                self.assertEqual((201, 201), (first.status, again.status))
                self.assertEqual(first.header("Location"), again.header("Location"))
                found = self.ask(request("GET", first.header("Location"), TOKEN))
                self.assertEqual((200, id), (found.status, json.loads(found.body)["id"]))

    def test_a_careless_server_is_caught(self):
        with RawServer(careless) as server:
            some = [case for case in in_targets() if case[0].startswith(("/{} escaped:", "/api/v1/agents/{} escaped:"))]
            self.assertGreater(len(faults(server.port, some)), 20)
            ids = [case for case in in_headers() if case[0].startswith("X-Request-Id raw")]
            self.assertGreater(len(faults(server.port, ids)), 5)


@dataclass(frozen=True)
class Upstream:
    name: str
    lines: bytes  # among the headers of its answer
    status: int = 502  # that our caller sees
    id: str = ""  # of the request, that our caller sees


UPSTREAMS = [
    Upstream("an ordinary one", b"x-request-id: up-1", 200, "up-1"),
    Upstream("a folded line", b"x-request-id: a\r\n X-Evil: 1", 200, "a X-Evil: 1"),
    Upstream("a line of its own", b"x-request-id: a\r\nX-Evil: 1", 200, "a"),
    Upstream("escaped", b"x-request-id: a%0d%0aX-Evil: 1", 200, "a%0d%0aX-Evil: 1"),
    Upstream("a cookie", b"Set-Cookie: a=b", 200),
    Upstream("another protocol", b"Connection: Upgrade\r\nUpgrade: h2c\r\nKeep-Alive: timeout=99", 200),
    Upstream("LF", b"x-request-id: a\nX-Evil: 1"),
    Upstream("CR", b"x-request-id: a\rX-Evil: 1"),
    Upstream("NUL", b"x-request-id: a\x00X-Evil: 1"),
    Upstream("DEL", b"x-request-id: a\x7f"),
    Upstream("a vertical tab", b"openai-model: a\x0bX-Evil: 1"),
    Upstream("NUL in a name", b"openai\x00: a"),
    Upstream("a space behind a name", b"openai-model : a"),
    Upstream("two lengths", b"Content-Length: 2\r\nContent-Length: 3"),
    Upstream("length and coding", b"Transfer-Encoding: chunked\r\nContent-Length: 2"),
    Upstream("an unknown coding", b"Transfer-Encoding: gzip"),
]


def chat(fields: Iterable[str] = (), query: str = "") -> bytes:
    return request("POST", "/v1/chat/completions" + query, TOKEN, [*fields, "Connection: close"], b'{"model":"m"}')


class UpstreamInjection(ServerTest):
    """A provider that wants to write our answers, and callers who want to write our requests to it."""

    lines = b""

    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(RawServer(cls.answer))
        cls.environment = {
            "LOG_LEVEL": "error",
            "AGENT_LIGHTNING_TOKEN": TOKEN,
            "OPENAI_API_KEY": "sk-upstream",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{cls.upstream.port}/v1",
        }
        super().setUpClass()
        cls.port = urlsplit(cls.server.url).port

    @classmethod
    def answer(cls, _: bytes) -> bytes:
        length = b"" if b"ength" in cls.lines or b"Transfer" in cls.lines else b"Content-Length: 2\r\n"
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + length + cls.lines + b"\r\n\r\n{}"

    def ask(self, raw: bytes) -> bytes:
        return exchange(self.port, [raw], False).received

    def test_what_a_provider_answers(self):
        for case in UPSTREAMS:
            with self.subTest(upstream=case.name):
                type(self).lines = case.lines
                received = self.ask(chat())
                self.assertEqual([], [fault for fault in violations(received) if fault != "status 502"])
                (answer,) = read_answers(received)
                self.assertEqual(case.status, answer.status)
                self.assertEqual(case.id, answer.header("X-Request-Id") if case.id else "")

    def test_what_a_provider_is_asked(self):
        type(self).lines = b"x-request-id: up-1"
        for value in VALUES:
            escaped = quote(value, safe="")
            fields = [f"{name}: {escaped}" for name in ("User-Agent", "X-Title", "OpenAI-Beta", "Idempotency-Key")]
            with self.subTest(value=value):
                before = len(self.upstream.requests)
                self.ask(chat(fields))
                self.assertEqual(1, len(self.upstream.requests) - before)
                self.ask(chat(query=f"?a={escaped}"))
                self.ask(request("GET", f"/v1/models/{escaped}", TOKEN, ["Connection: close"]))
                asked = self.upstream.requests[before:]
                for head, _, _ in (one.partition(b"\r\n\r\n") for one in asked):
                    self.assertNotRegex(head, rb"(?i)[\r\n]\s*x-evil|[\x00\x0b\x0c\x1b\x7f]|[^\r]\n|\r[^\n]")
                    self.assertEqual(1, head.count(b"HTTP/1.1"), head)


if __name__ == "__main__":
    unittest.main()
