"""No two readers may see the end of a request in two places: what is ambiguous is refused, and ends the connection.

Behind every case stands a request that leaves a trace; so does the one that hides in many bodies. A case is judged by
the answers and by the traces. Its tables know nothing of this server: for a gateway, give `run` a target that counts
what its backend records.
"""

import concurrent.futures
import contextlib
import itertools
import json
import re
import socket
import unittest
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self
from urllib.parse import urlsplit

from raw_http import Exchange, Listener, Malformed, Wire, exchange, in_pieces, read_answers
from smuggling_cases import CANARY, TABLES, TOKEN, Case
from support.server import Server

WAIT_S = 10.0  # until a connection is said to stay open
PIPELINED = 1000
PIECES = 1000  # of a request, about: large ones do not come byte by byte
REFUSALS = {*range(400, 500), 501, 505}


class Target(Protocol):
    port: int

    def seen(self) -> set[str]:
        """Marks of the requests that had an effect."""


class ServerTarget:
    def __init__(self, server: Server):
        self.server, self.port = server, urlsplit(server.url).port

    def seen(self) -> set[str]:
        ids, cursor = set(), ""
        while cursor is not None:
            page = self.server.api("GET", f"/agents?limit=500{cursor and '&cursor=' + cursor}")
            ids |= {agent["id"] for agent in page["agents"]}
            cursor = page["next_cursor"]
        return ids


@dataclass(frozen=True)
class Run:
    case: Case
    inner: str
    behind: str
    exchange: Exchange


numbers = itertools.count(1)


def run(target: Target, case: Case, piece_bytes: int = 0, wait_s: float = WAIT_S) -> Run:
    """Sends the case, as a whole or in pieces. Where the server need not close, it is told that no more comes."""
    number = next(numbers)
    inner, behind = f"i{number:07x}", f"b{number:07x}"
    raw = case.bytes_for(inner.encode(), behind.encode())
    pieces = in_pieces(raw, max(piece_bytes, len(raw) // PIECES)) if piece_bytes else [raw]
    return Run(case, inner, behind, exchange(target.port, pieces, not case.expect.closes, wait_s))


def wrong_answers(done: Run) -> Iterable[str]:
    expect = done.case.expect
    try:
        answers = read_answers(done.exchange.received, expect.bodiless)
    except Malformed as malformed:
        yield str(malformed)
        return
    final = [answer for answer in answers if answer.status >= 200]
    statuses = tuple(answer.status for answer in final)
    if expect.statuses is None:
        if len(final) != 1 or final[0].status not in REFUSALS:
            yield f"answered {statuses} and not one refusal"
    elif statuses != expect.statuses:
        yield f"answered {statuses} and not {expect.statuses}"
    if len(answers) - len(final) > expect.interim:
        yield f"{len(answers) - len(final)} interim answers"
    if any(answer.closes for answer in final[:-1]):
        yield "an answer follows one that says that it is the last"
    if expect.closes and final and not final[-1].closes:
        yield "it does not say that it closes"
    if expect.behind and final and final[-1].header("X-Request-Id") not in (None, done.behind):
        yield "the last answer is not the canary's"


def violations(done: Run, seen: set[str]) -> list[str]:
    """Everything that is wrong; empty when nothing is."""
    found, expect = list(wrong_answers(done)), done.case.expect
    if not done.exchange.is_closed:
        found.append("the connection stays open")
    for mark, expected, what in ((done.inner, expect.inner, "hidden"), (done.behind, expect.behind, "following")):
        if (mark in seen) != expected:
            found.append(f"the {what} request was {'not ' if expected else ''}served")
    return found


class NaiveServer(Listener):
    """Reads requests as many have: any line end, any number, no coding. Never refuses, nor closes."""

    def __init__(self):
        self.marks: set[str] = set()

    def __enter__(self) -> Self:
        self.pool = concurrent.futures.ThreadPoolExecutor(64)
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.pool.shutdown()

    def seen(self) -> set[str]:
        return self.marks

    def serve(self, sock: socket.socket) -> None:
        self.pool.submit(self.converse, sock)

    def converse(self, sock: socket.socket) -> None:
        sock.settimeout(WAIT_S)
        with sock, sock.makefile("rb") as stream, contextlib.suppress(OSError):
            while line := stream.readline(65536):
                fields = {}
                while (field := stream.readline(65536)).strip():
                    name, _, value = field.decode("latin-1").partition(":")
                    fields[name.strip().lower()] = value.strip()
                digits = re.search(r"\d+", fields.get("content-length", ""))
                body = stream.read(min(int(digits[0]), 1 << 20)) if digits else b""
                sock.sendall(self.answer(line, body))

    def answer(self, line: bytes, body: bytes) -> bytes:
        status = 200
        if b"POST /api/v1/agents" in line:
            with contextlib.suppress(ValueError, KeyError):
                self.marks.add(json.loads(body)["id"])
                status = 201
        return b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status


def all_cases() -> Iterable[tuple[str, Case]]:
    return ((f"{name}: {case.name}", case) for name, table in TABLES.items() for case in table)


class RequestSmuggling(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        settings = {"LOG_LEVEL": "error", "AGENT_LIGHTNING_TOKEN": TOKEN}
        cls.server = cls.enterClassContext(Server(settings))
        cls.target = ServerTarget(cls.server)

    def check(self, piece_bytes):
        runs = [(name, run(self.target, case, piece_bytes)) for name, case in all_cases()]
        seen = self.target.seen()
        for name, done in runs:
            with self.subTest(case=name):
                self.assertEqual([], violations(done, seen), f"{done.exchange.received[:500]!r}")

    def test_there_are_enough(self):
        names = [name for name, _ in all_cases()]
        self.assertGreaterEqual(len(names), 400)
        self.assertEqual(len(names), len(set(names)), "two have one name")

    def test_in_one_piece(self):
        self.check(0)

    def test_byte_by_byte(self):
        self.check(1)

    def test_a_thousand_behind_each_other(self):
        marks = [f"p{number:07x}".encode() for number in range(PIPELINED)]
        ask = b"GET /health HTTP/1.1\r\nHost: al.test\r\nX-Request-Id: %b\r\n\r\n"
        with Wire(self.target.port, 30) as wire:
            wire.send(b"".join(ask % mark for mark in marks))
            wire.end()
            done = wire.read_to_end()
        answers = read_answers(done.received)
        self.assertEqual([mark.decode() for mark in marks], [answer.header("X-Request-Id") for answer in answers])
        self.assertEqual({200}, {answer.status for answer in answers})

    def test_effects_behind_each_other_come_once_each(self):
        marks = [f"q{number:07x}" for number in range(50)]
        raw = b"".join(CANARY.replace(b"behind00", mark.encode()) for mark in marks)
        done = exchange(self.target.port, in_pieces(raw, 1000), True, 30)
        self.assertEqual([201] * 50, [answer.status for answer in read_answers(done.received)])
        self.assertEqual(set(marks), {id for id in self.target.seen() if id.startswith("q")})

    def test_a_naive_server_is_caught(self):
        with NaiveServer() as naive, concurrent.futures.ThreadPoolExecutor(64) as pool:
            for name, table in TABLES.items():
                runs = list(pool.map(lambda case: run(naive, case, wait_s=0.1), table))
                found = [violations(done, naive.seen()) for done in runs]
                caught = sum(map(bool, found))
                with self.subTest(table=name):
                    self.assertGreater(caught, len(table) // 2 if name != "ordinary" else 0, found)
            plain = [case for case in TABLES["ordinary"] if case.expect.statuses == (200, 201)]
            runs = [run(naive, case) for case in plain]
            self.assertEqual([], [fault for done in runs for fault in violations(done, naive.seen())])


if __name__ == "__main__":
    unittest.main()
