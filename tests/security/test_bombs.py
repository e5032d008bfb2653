"""Small requests that want much: each is refused in a second of the processor's time, in little memory, in few words.

Limits of what may be sent are those of docs/services/system.md; `test_bad_input` has them for every route.
"""

import contextlib
import functools
import gzip
import io
import itertools
import json
import os
import pathlib
import tarfile
import unittest
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from raw_http import Answer, RawServer, Wire, request
from smuggling_cases import TOKEN
from support.cases import ServerTest
from support.server import Server

CPU_S, GROWTH_MIB, ANSWER_BYTES = 1.0, 32, 64 * 1024
WAIT_S = 30.0
REFUSALS = {400, 413, 415, 422, 431}
# What the sanitizer keeps of freed memory is not the program's.
ENVIRONMENT = {
    "LOG_LEVEL": "error",
    "AGENT_LIGHTNING_TOKEN": TOKEN,
    "ASAN_OPTIONS": "quarantine_size_mb=0:thread_local_quarantine_size_kb=0",
}
AGENTS, METRICS, KNOWLEDGE = "/api/v1/agents", "/api/v1/metrics/series", "/api/v1/agents/writer/knowledge"
BULK, IMPORT = "/api/v1/knowledge/bulk", "/api/v1/knowledge/import"
SMALL, LARGE = 1_000_000, 6_000_000  # the first is what most routes take, and the others take 16 MiB


@dataclass(frozen=True)
class Bomb:
    name: str
    path: str
    make: Callable[[], bytes]
    fields: tuple[str, ...] = field(default=())


def filled(bytes_max: int, begin: bytes, again: bytes, end: bytes) -> bytes:
    return begin + again * ((bytes_max - len(begin) - len(end)) // len(again)) + end


def keys(bytes_max: int) -> bytes:
    count = (bytes_max - 2) // 12
    return b'{"' + b":0,".join([b'"%07x"' % n for n in range(count)])[1:] + b":0}"


# Of a body of so many bytes, all that its structure can cost.
SHAPES: dict[str, Callable[[int], bytes]] = {
    "open arrays": lambda size: filled(size, b"", b"[", b""),
    "nested arrays": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "nested objects": lambda size: b'{"a":' * (size // 6) + b"0" + b"}" * (size // 6),
    "nested both": lambda size: filled(size, b"", b'[{"a":', b""),
    "empty arrays": lambda size: filled(size, b'{"items":[[]', b",[]", b"]}"),
    "empty objects": lambda size: filled(size, b'{"items":[{}', b",{}", b"]}"),
    "empty strings": lambda size: filled(size, b'{"items":[""', b',""', b"]}"),
    "zeros": lambda size: filled(size, b'{"items":[0', b",0", b"]}"),
    "nested a little": lambda size: filled(size, b'{"items":[0', b",[[[[[[[[]]]]]]]]", b"]}"),
    "keys": keys,
    "one key": lambda size: filled(size, b'{"a":0', b',"a":0', b"}"),
    "a long key": lambda size: filled(size, b'{"', b"k", b'":0}'),
    "a long string": lambda size: filled(size, b'{"id":"', b"x", b'"}'),
    "escapes": lambda size: filled(size, b'{"id":"', b"\\u0041", b'"}'),
    "pairs of surrogates": lambda size: filled(size, b'{"id":"', b"\\ud83d\\udc0d", b'"}'),
    "half a pair at the end": lambda size: filled(size, b'{"id":"', b"\\ud83d\\udc0d", b'\\ud83d"}'),
    "digits": lambda size: filled(size, b'{"value":', b"9", b"}"),
    "digits behind the point": lambda size: filled(size, b'{"value":0.', b"9", b"}"),
    "zeros behind the point": lambda size: filled(size, b'{"value":0.', b"0", b"1}"),
    "digits of an exponent": lambda size: filled(size, b'{"value":1e', b"9", b"}"),
    "large exponents": lambda size: filled(size, b'{"items":[0', b",1e308", b",1e309]}"),
    "blanks": lambda size: b" " * size,
    "blanks between": lambda size: filled(size, b"[", b"\n\t\r ", b"}"),
    "documents": lambda size: b"{}" * (size // 2),
}
MEETING = 1 << 15
FNV_PRIME, LETTERS = 0x1B3, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def meeting_keys(count: int, salt: int, prefix_letters: int) -> Iterator[bytes]:
    """Keys whose hashes (FNV-1a) end in the same 12 bits: what a table of `count` buckets, a power of two, looks at.

    Boost.JSON adds the table's address to the hash. Large tables get pages of their own, so the address ends in `salt`.
    """
    mask = 0xFFF
    last_two: dict[int, bytes] = {}
    for state in range(0x1000):
        for letter in LETTERS:
            other = (state ^ letter) * FNV_PRIME & mask  # this letter again gives 0, whatever it is multiplied with
            if other < 256 and other in LETTERS:
                last_two[state] = bytes((letter, other))
    states = [(0x325 + salt & mask, b"")]
    for _ in range(prefix_letters):
        states = [((state ^ c) * FNV_PRIME & mask, prefix + bytes((c,))) for state, prefix in states for c in LETTERS]
    found = (prefix + last_two[state] for state, prefix in states if state in last_two)
    yield from (next(found) for _ in range(count))


def meeting(salt: int) -> bytes:
    return b"{" + b",".join(b'"%b":0' % key for key in meeting_keys(MEETING, salt, 3)) + b"}"


# Of what may be large only those that get worse with their size.
GROWING = ("open arrays", "zeros", "keys", "one key", "a long key", "a long string", "escapes", "digits", "blanks")
IMPORTED = ("empty objects", "keys")


def in_list(shape: bytes) -> bytes:
    return b'{"metrics":%b}' % shape


BOMBS = [
    *(Bomb(f"{name}, 1 MB", AGENTS, lambda make=make: make(SMALL)) for name, make in SHAPES.items()),
    *(Bomb(f"{name}, 1 MB, inside", METRICS, lambda make=make: in_list(make(SMALL))) for name, make in SHAPES.items()),
    *(Bomb(f"{name}, 6 MB", BULK, lambda name=name: SHAPES[name](LARGE)) for name in GROWING),
    *(Bomb(f"{name}, 6 MB, to import", IMPORT, lambda name=name: SHAPES[name](LARGE)) for name in IMPORTED),
]


@functools.cache
def packed() -> bytes:
    return gzip.compress(b" " * (128 << 20), 1)


@functools.cache
def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../evil.json", b" " * (16 << 20))
    return out.getvalue()


@functools.cache
def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo("../../evil.json")
        member.size = 16 << 20
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    return out.getvalue()


ARCHIVES = {
    "application/gzip": packed,
    "application/zip": zipped,
    "application/x-tar+gzip": tarred,
    "application/octet-stream": packed,
    "multipart/form-data; boundary=x": lambda: b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n{}\r\n--x--\r\n",
}
CODINGS = ("gzip", "x-gzip", "GZIP", "deflate", "br", "zstd", "compress", "gzip, gzip", "identity, gzip")


class Usage:
    """Of a process: its memory at most since `begin`, and its processor's time since then."""

    def __init__(self, pid: int):
        self.process = pathlib.Path(f"/proc/{pid}")
        self.ticks_per_s = os.sysconf("SC_CLK_TCK")

    def memory_mib(self, name: str) -> float:
        lines = (self.process / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) / 1024

    def cpu_s(self) -> float:
        fields = (self.process / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / self.ticks_per_s

    def begin(self) -> None:
        (self.process / "clear_refs").write_text("5")  # the peak is now what it has
        self.mib_before, self.cpu_before_s = self.memory_mib("VmRSS"), self.cpu_s()

    def faults(self) -> list[str]:
        growth, cpu_s = self.memory_mib("VmHWM") - self.mib_before, self.cpu_s() - self.cpu_before_s
        found = [f"took {growth:.0f} MiB"] if growth > GROWTH_MIB else []
        return found + ([f"took {cpu_s:.1f} s of the processor"] if cpu_s > CPU_S else [])


def explode(port: int, pid: int, bomb: Bomb) -> tuple[Answer | None, list[str]]:
    """The answer, and what is wrong with it and with what it cost."""
    usage, raw = Usage(pid), request("POST", bomb.path, TOKEN, bomb.fields, bomb.make())
    usage.begin()
    with Wire(port, WAIT_S) as wire:
        wire.send(raw)
        answer = wire.read_answer()
    found = usage.faults()
    if answer is None:
        return answer, ["no answer", *found]
    if answer.status not in REFUSALS:
        found.append(f"status {answer.status}")
    if len(answer.body) > ANSWER_BYTES:
        found.append(f"an answer of {len(answer.body)} bytes")
    return answer, found


class Bombs(ServerTest):
    environment: ClassVar = ENVIRONMENT

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = urlsplit(cls.server.url).port
        cls.call = staticmethod(lambda: cls.server.api("GET", "/agents?limit=1"))

    def explode(self, bomb: Bomb) -> list[str]:
        return explode(self.port, self.server.pid, bomb)[1]

    def test_bodies(self):
        self.assertEqual(len(BOMBS), len({bomb.name for bomb in BOMBS}))
        for bomb in BOMBS:
            with self.subTest(bomb=bomb.name):
                self.assertEqual([], self.explode(bomb))
        self.call()

    def cpu_s(self, raw: bytes) -> float:
        """Of an answer to this body."""
        usage = Usage(self.server.pid)
        usage.begin()
        with Wire(self.port, WAIT_S) as wire:
            self.assertIn(wire.ask(request("POST", AGENTS, TOKEN, body=raw)).status, REFUSALS)
        return usage.cpu_s() - usage.cpu_before_s

    def test_keys_that_meet(self):
        """In a few buckets of one object: who knows the hash function may choose such."""
        salts = (0x10, 0x800)  # of pages from the C library, and from the sanitizer
        plain = self.cpu_s(keys(MEETING * 12))
        slowest = max(self.cpu_s(meeting(salt)) for salt in salts)
        self.assertLessEqual(slowest, 4 * plain + 0.1)

    def test_packed_bodies(self):
        bodies = {"packed": packed, "not packed at all": lambda: b'{"a":0}'}
        for path, coding in itertools.product((AGENTS, METRICS, BULK, IMPORT, KNOWLEDGE), CODINGS):
            for name, make in bodies.items():
                bomb = Bomb(name, path, make, (f"Content-Encoding: {coding}",))
                with self.subTest(path=path, coding=coding, body=name):
                    answer, faults = explode(self.port, self.server.pid, bomb)
                    self.assertEqual([], faults)
                    self.assertEqual(415, answer.status)

    def test_a_coding_is_not_passed_over(self):
        """What one reader unpacks and another one does not is two documents."""
        body = json.dumps({"id": "coded", "name": "n", "specialization": "s"}).encode()
        with Wire(self.port) as wire:
            status = wire.ask(request("POST", AGENTS, TOKEN, ["Content-Encoding: gzip"], body)).status
        self.assertEqual(415, status)

    def test_archives(self):
        for path in (BULK, IMPORT, KNOWLEDGE, AGENTS):
            for kind, make in ARCHIVES.items():
                with self.subTest(path=path, type=kind):
                    bomb = Bomb(kind, path, make, (f"Content-Type: {kind}",))
                    answer, faults = explode(self.port, self.server.pid, bomb)
                    self.assertEqual(([], 415), (faults, answer.status))
        bomb = Bomb("unpacked by its name", IMPORT, lambda: zlib.compress(b"{}"))
        self.assertEqual([], self.explode(bomb))

    def test_announced_bodies_take_no_memory(self):
        usage = Usage(self.server.pid)
        usage.begin()
        head = request("POST", BULK, TOKEN, ["Content-Type: application/json", f"Content-Length: {LARGE}"])
        with contextlib.ExitStack() as stack:
            for _ in range(200):
                stack.enter_context(Wire(self.port)).send(head + b"{")
            self.call()
            self.assertEqual([], usage.faults())

    def test_a_page_of_large_things(self):
        """A list is asked for by a number of things, and each may have a megabyte."""
        with Server(ENVIRONMENT) as server:
            items = [{"content": "a" * 1_000_000}] * 15
            for _ in range(2):
                server.api("POST", "/knowledge/bulk", {"agent_id": "writer", "items": items})
            usage = Usage(server.pid)
            usage.begin()
            page = server.api("GET", "/agents/writer/knowledge?limit=500")
            self.assertEqual([], usage.faults())
            self.assertTrue(page["next_cursor"])

    def test_a_server_that_unpacks_is_caught(self):
        def unpack(data: bytes) -> bytes:
            text = zlib.decompress(data.partition(b"\r\n\r\n")[2], 31)
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (100_000, text[:100_000])

        with RawServer(unpack) as naive:
            _, found = explode(naive.port, os.getpid(), Bomb("packed", "/", packed))
        self.assertIn("status 200", found)
        self.assertIn("an answer of 100000 bytes", found)
        self.assertTrue([fault for fault in found if fault.endswith("MiB")], found)


if __name__ == "__main__":
    unittest.main()
