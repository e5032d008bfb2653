"""The requests that a service saw are those that the gateway answered for it: none more, none less, none other.

The cases are those of `test_request_smuggling`, with a service behind the gateway that writes down what it gets, and
reads it to the letter.
"""

import collections
import contextlib
import json
import pathlib
import re
import socket
import tempfile
import threading
import unittest
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from people import PASSWORD
from raw_http import Listener, Malformed, exchange, read_answers, request
from smuggling_cases import TOKEN
from support.server import Server
from test_request_smuggling import REFUSALS, Run, all_cases, run

CONFIG = """\
services:
  - name: recorder
    url: http://127.0.0.1:{port}
    routes:
      - {{path: /api/v1/agents, auth: open, retries: 0}}
      - {{path: /api/v1/knowledge, auth: open, retries: 0}}
"""
FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+: ?[\t -~\x80-\xff]*")
LINE = re.compile(rb"[A-Z]+ /[!-~]* HTTP/1\.1")
HOP_BY_HOP = {"te", "trailer", "upgrade", "keep-alive", "proxy-connection", "proxy-authorization"}
PROBES = ("/ready", "/health")


@dataclass
class Recorder(Listener):
    """A service that believes nothing: what is not framed to the letter is a fault of who sent it."""

    faults: list[str] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)  # of requests but the gateway's own probes, by number
    marks: collections.Counter = field(default_factory=collections.Counter)

    def __enter__(self) -> Self:
        self.lock = threading.Lock()
        self.socks: list[socket.socket] = []
        self.threads: list[threading.Thread] = []
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        for sock in self.socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()

    def serve(self, sock: socket.socket) -> None:
        self.socks.append(sock)
        self.threads.append(threading.Thread(target=self.converse, args=(sock,)))
        self.threads[-1].start()

    def converse(self, sock: socket.socket) -> None:
        with sock, sock.makefile("rb") as stream, contextlib.suppress(OSError):
            while head := self.read_head(stream):
                body = self.read_body(stream, head)
                if body is None:
                    return
                sock.sendall(self.answer(head, body))

    def read_head(self, stream) -> bytes:
        lines = []
        while (line := stream.readline(70_000)) not in (b"", b"\r\n"):
            if not line.endswith(b"\r\n"):
                self.faults.append(f"a line without its end: {line[:200]!r}")
                return b""
            lines.append(line[:-2])
        for line in lines[1:]:
            if not FIELD.fullmatch(line):
                self.faults.append(f"no field: {line[:200]!r}")
        if lines and not LINE.fullmatch(lines[0]):
            self.faults.append(f"no request line: {lines[0][:200]!r}")
        return b"\r\n".join(lines)

    @staticmethod
    def fields(head: bytes) -> collections.Counter:
        lines = head.split(b"\r\n")[1:]
        return collections.Counter(line.partition(b":")[0].decode("latin-1").lower() for line in lines)

    def read_body(self, stream, head: bytes) -> bytes | None:
        names = self.fields(head)
        found = [f"{names[name]} fields {name}" for name in ("host", "content-length") if names[name] > 1]
        found += ["no Host"] if not names["host"] else []
        found += [f"{name} was passed on" for name in HOP_BY_HOP & set(names)]
        found += ["a coding was passed on"] if names["transfer-encoding"] else []
        self.faults += [f"{fault}: {head[:300]!r}" for fault in found]
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)(?:\r\n|$)", head)
        body = stream.read(int(length[1])) if length else b""
        return body if not names["transfer-encoding"] else None

    def answer(self, head: bytes, body: bytes) -> bytes:
        method, target, _ = head.split(b"\r\n")[0].split(b" ")
        if target.decode() in PROBES:
            return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        with self.lock:
            self.heads.append(head)
            number = len(self.heads)
        status = b"200 OK"
        if method == b"POST" and target == b"/api/v1/agents":
            with contextlib.suppress(ValueError, KeyError, TypeError):
                self.marks[json.loads(body)["id"]] += 1
                status = b"201 Created"
        text = b"{}" if method != b"HEAD" else b""
        return b"HTTP/1.1 %b\r\nX-Recorded: %d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
            status,
            number,
            2,
            text,
        )

    def seen(self) -> set[str]:
        return set(self.marks)


class GatewaySmuggling(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.recorder = cls.enterClassContext(Recorder())
        directory = cls.enterClassContext(tempfile.TemporaryDirectory())
        config = pathlib.Path(directory, "gateway.yaml")
        config.write_text(CONFIG.format(port=cls.recorder.port))
        settings = {"LOG_LEVEL": "error", "AGENT_LIGHTNING_TOKEN": TOKEN, "GATEWAY_CONFIG": str(config)}
        settings |= {"AGENT_LIGHTNING_ADMIN_PASSWORD": PASSWORD}
        cls.server = cls.enterClassContext(Server(settings, ("gateway",)))
        cls.port = urlsplit(cls.server.url).port
        cls.server.call("GET", "/api/v1/agents")
        assert cls.recorder.heads, "the gateway asks no services"

    def ask(self, raw: bytes) -> bytes:
        return exchange(self.port, [raw], True).received

    def wrong(self, done: Run, numbers: range) -> list[str]:
        """What is wrong, when the service has seen the requests of these numbers meanwhile."""
        try:
            answers = read_answers(done.exchange.received, done.case.expect.bodiless)
        except Malformed as malformed:
            return [str(malformed)]
        final = [answer for answer in answers if answer.status >= 200]
        told = [int(answer.header("X-Recorded")) for answer in final if answer.header("X-Recorded")]
        found = [] if told == list(numbers) else [f"it saw {list(numbers)} and {told} were answered"]
        marks, expect = self.recorder.marks, done.case.expect
        if (done.inner in marks) != expect.inner:
            found.append("the hidden request: " + ("seen" if done.inner in marks else "not seen"))
        if done.behind in marks and not expect.behind:
            found.append("the following request was seen")
        if expect.behind and done.behind not in marks and not (final and final[-1].closes):
            found.append("the following request was lost")
        found += [f"{mark} was seen {marks[mark]} times" for mark in (done.inner, done.behind) if marks[mark] > 1]
        if expect.statuses is None and [answer.status for answer in final if answer.status not in REFUSALS]:
            found.append("an ambiguous request was served")
        return found

    def check(self, piece_bytes: int) -> None:
        for name, case in all_cases():
            before = len(self.recorder.heads)
            done = run(self, case, piece_bytes)
            with self.subTest(case=name):
                numbers = range(before + 1, len(self.recorder.heads) + 1)
                self.assertEqual([], self.wrong(done, numbers), f"{done.exchange.received[:500]!r}")
        self.assertEqual([], self.recorder.faults)

    def test_there_are_enough(self):
        self.assertGreaterEqual(len(list(all_cases())), 200)

    def test_in_one_piece(self):
        self.check(0)

    def test_in_pieces(self):
        self.check(7)

    def test_many_behind_each_other_come_once_each(self):
        before = len(self.recorder.heads)
        raw = b"".join(request("GET", f"/api/v1/agents/n{number}") for number in range(200))
        answers = read_answers(self.ask(raw))
        told = [int(answer.header("X-Recorded")) for answer in answers]
        self.assertEqual(list(range(before + 1, before + 201)), told)
        asked = [head.split(b" ")[1].decode() for head in self.recorder.heads[before:]]
        self.assertEqual([f"/api/v1/agents/n{number}" for number in range(200)], asked)

    def test_nobody_says_who_he_is_or_where_from(self):
        claims = ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "Via"]
        claims += ["X-User-Id", "X_User_Id", "x-user-id", "X-Tenant-Id", "X-Roles", "X-Permissions", "Remote-User"]
        before = len(self.recorder.heads)
        raw = request("GET", "/api/v1/agents", TOKEN, [f"{name}: evil.example" for name in claims])
        self.assertEqual(200, read_answers(self.ask(raw))[0].status)
        self.assertNotIn(b"evil.example", self.recorder.heads[before])

    def test_what_connection_names_is_not_passed_on_and_credentials_are(self):
        """A caller could otherwise take away what a service goes by (RFC 9110, section 7.6.1)."""
        before = len(self.recorder.heads)
        for named in ("Authorization", "Host", "X-Request-Id", "Content-Length", "X-Forwarded-For"):
            raw = request("GET", "/api/v1/agents", TOKEN, [f"Connection: close, {named}"])
            (answer,) = read_answers(self.ask(raw))
            with self.subTest(named=named):
                self.assertEqual(200, answer.status)
                names = Recorder.fields(self.recorder.heads[-1])
                self.assertEqual(1, names["host"])
                self.assertEqual(1, names["x-forwarded-for"])
                self.assertEqual(0 if named == "Authorization" else 1, names["authorization"])
        self.assertEqual([], self.recorder.faults)
        self.assertEqual(5, len(self.recorder.heads) - before)


if __name__ == "__main__":
    unittest.main()
