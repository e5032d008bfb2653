"""Paths out of their place in everything that names a thing: nothing is read there, and the answer is a plain refusal.

What is opened is counted by the kernel, so nothing rests on what an answer shows.
"""

import ctypes
import json
import os
import pathlib
import struct
import time
import unittest
from collections.abc import Iterator
from typing import ClassVar, Self
from urllib.parse import unquote, urlsplit

from raw_http import Answer, Asker, RawServer, request
from smuggling_cases import TOKEN
from support.cases import ServerTest

CANARY = "canary-8d1f0c5e"
DEPTHS = (1, 3, 8)
UP = [
    "../",
    "./../",
    "/../",
    "..//",
    "....//",
    "..././",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "%2E%2E%2F",
    ".%2e/",
    "%2e./",
    "..%252f",
    "%252e%252e/",
    "%252e%252e%252f",
    "%25252e%25252e%25252f",
    "..\\",
    "..%5c",
    "%2e%2e%5c",
    "..%255c",
    "..%5c/",
    "..%c0%af",
    "%c0%ae%c0%ae/",
    "%c0%ae%c0%ae%c0%af",
    "..%c1%9c",
    "..%e0%80%af",
    "%e0%80%ae%e0%80%ae%e0%80%af",
    "..%f0%80%80%af",
    "..%ef%bc%8f",
    "%ef%bc%8e%ef%bc%8e/",
    "..%e2%88%95",
    "%e2%80%a5/",
    "..%u2215",
    "%u002e%u002e%u002f",
    "..;/",
    "..%3b/",
    "..%00/",
    ".%00./",
    "..%0a/",
    "..%0d%0a/",
    "..%09/",
    "..%20/",
    "..%23/",
    "..%3f/",
    "..\x00/",
    "..\xff/",
]
PLAIN = [
    "",
    ".",
    "..",
    "...",
    "~",
    "~root",
    "%2e",
    "%2e%2e",
    "%2f",
    "%5c",
    "%00",
    "x%00.json",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "/etc/passwd",
    "%5cetc%5cpasswd",
    "%2fproc%2fself%2fenviron",
    "%2fproc%2fself%2fcmdline",
    "%2fdev%2fstdin",
    "file:%2f%2f%2fetc%2fpasswd",
    "file:///etc/passwd",
    "C:%5cboot.ini",
    "%5c%5chost%5cshare",
    "NUL",
    "CON",
    "manifest.json",
    "token",
    "master.key",
    "agent-lightning.db",
    "*",
    "%2a",
    "$HOME",
    "%24%7bHOME%7d",
    "%60id%60",
    "%7cid",
    ";id",
    "--help",
    "-rf",
    "link",
    "link%2fmanifest.json",
    "2026-01-01T000000.000000Z",
    "2026-01-01T000000.000000Z.partial",
    "2026-01-01T000000.000000Z%2f..%2f..%2foutside",
    "2026-01-01T000000.000000Z%00",
    "2026-01-01T000000.000000Z%2f",
    "../../../outside/000000.000000",
    "..%2foutside%2f00.000000000000Z",
]
REFUSALS = {400, 404, 405, 409, 414, 415, 422, 431}
CODES = {"bad_request", "not_found", "method_not_allowed", "invalid", "headers_too_large", "unsupported_media_type"}
# Answers in the words of the protocol that it passes through.
PASSED_THROUGH = ("/api/v1/v1/", "/v1/")


def payloads(outside: str) -> Iterator[str]:
    yield from PLAIN
    yield outside + "/manifest.json"
    yield (outside + "/manifest.json").replace("/", "%2f")
    for up in UP:
        for depth in DEPTHS:
            yield up * depth + "outside/manifest.json"
            yield up * depth + "etc/passwd"


class Opened:
    """Counts what anybody opens in a directory, by inotify(7)."""

    IN_OPEN = 0x20
    HEAD = struct.Struct("iIII")

    def __init__(self, directory: pathlib.Path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, os.fsencode(directory), self.IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    def names(self) -> list[str]:
        """Of what was opened since the last call; the directory itself has none."""
        found = []
        try:
            data = os.read(self.fd, 1 << 16)
        except BlockingIOError:
            return found
        while data:
            size = self.HEAD.unpack_from(data)[3]
            found.append(data[self.HEAD.size : self.HEAD.size + size].rstrip(b"\0").decode())
            data = data[self.HEAD.size + size :]
        return found


def faults(answer: Answer | None, secrets: list[str], is_problem: bool = True) -> list[str]:
    """What is wrong with a refusal."""
    if answer is None:
        return ["no answer"]
    text = answer.body.decode(errors="replace")
    found = [f"shows {secret!r}" for secret in secrets if secret in text]
    if answer.status not in REFUSALS:
        return [*found, f"status {answer.status}: {text[:200]}"]
    if is_problem:
        problem = json.loads(text) if answer.header("Content-Type") == "application/problem+json" else {}
        if problem.get("code") not in CODES or problem.get("status") != answer.status:
            found.append(f"no problem: {text[:200]}")
        if not {"type", "title", "detail", "request_id"} <= problem.keys():
            found.append(f"not all of a problem: {text[:200]}")
    return found


class PathTraversal(ServerTest):
    environment: ClassVar = {"LOG_LEVEL": "error", "AGENT_LIGHTNING_TOKEN": TOKEN, "BACKUP_DIRECTORY": "backups"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.place = pathlib.Path(cls.server.directory.name)
        cls.outside = cls.place / "outside"
        cls.outside.mkdir()
        (cls.outside / "manifest.json").write_text(json.dumps({"id": CANARY, "program": CANARY}))
        cls.backup = cls.make_backup()
        (cls.place / "backups" / "link").symlink_to(cls.outside)
        cls.secrets = [CANARY, "root:", f"{cls.place}/backups", f"{cls.place}/data"]
        cls.opened = cls.enterClassContext(Opened(cls.outside))
        api = cls.server.call("GET", "/openapi.json")[1]
        cls.routes = [
            (method.upper(), path, operation.get("requestBody") is not None)
            for path, methods in api["paths"].items()
            for method, operation in methods.items()
            if "{" in path
        ]
        cls.port = urlsplit(cls.server.url).port

    @classmethod
    def make_backup(cls) -> str:
        id, limit = cls.server.api("POST", "/backups", expect=202)["id"], time.monotonic() + 30
        while cls.server.api("GET", f"/backups/{id}")["state"] != "done":
            assert time.monotonic() < limit, cls.server.api("GET", f"/backups/{id}")
            time.sleep(0.02)
        return id

    def refuse(self, asker: Asker, method: str, target: str, body: bytes | None = None) -> None:
        raw = request(method, target.encode("latin-1"), TOKEN, body=body)
        found = faults(asker.ask(raw), self.secrets, not target.startswith(PASSED_THROUGH))
        opened = self.opened.names()
        if found or opened:
            with self.subTest(route=method, target=target):
                self.fail(f"{found}; opened: {opened}")

    def test_there_are_enough(self):
        found = list(payloads(str(self.outside)))
        self.assertGreaterEqual(len(found), 200)
        self.assertEqual(len(found), len(set(found)))
        self.assertGreater(len(self.routes), 20)

    def test_every_route_that_names_a_thing(self):
        with Asker(self.port) as asker:
            for method, path, has_body in self.routes:
                for payload in payloads(str(self.outside)):
                    begin, _, rest = path.partition("{")
                    target = begin + payload + rest.partition("}")[2]
                    for form in (target, target.removeprefix("/api/v1"))[: 2 if payload in PLAIN else 1]:
                        self.refuse(asker, method, form, b"{}" if has_body else None)

    def test_paths_of_their_own(self):
        """Where a server of files would have them."""
        with Asker(self.port) as asker:
            for payload in payloads(str(self.outside)):
                for prefix in ("/", "/static/", "/dashboard/", "/assets/", "/api/v1/", f"/backups/{self.backup}/"):
                    self.refuse(asker, "GET", prefix + payload)

    def test_files_of_the_web_application(self):
        """The dashboard serves files by their paths: those of its build, or its one page, and nothing else."""
        page = b'<div id="root"></div>'
        with Asker(urlsplit(self.server.urls["dashboard"]).port) as asker:
            for payload in payloads(str(self.outside)):
                for prefix in ("/", "/assets/", "/assets/x/", "/agents/"):
                    target = prefix + payload
                    answer = asker.ask(request("GET", target.encode("latin-1"), TOKEN))
                    is_page = answer is not None and answer.status == 200 and page in answer.body
                    found = [] if is_page else faults(answer, self.secrets)
                    found += [f"opened {name}" for name in self.opened.names()]
                    if prefix.startswith("/assets/") and is_page:
                        found.append("a page among the files")
                    if found:
                        with self.subTest(target=target):
                            self.fail(str(found))

    def test_names_in_bodies_and_queries(self):
        with Asker(self.port) as asker:
            for payload in payloads(str(self.outside)):
                name = unquote(payload, errors="replace").replace("\0", "")
                body = json.dumps({"agent_id": f"{name}!", "items": [], "file": name}).encode()
                self.refuse(asker, "POST", "/api/v1/knowledge/import", body)
                if not set(payload) & {"\x00", "\xff", "#"} and "\\" not in payload:
                    self.refuse(asker, "GET", f"/api/v1/knowledge/none?agent_id={payload}")

    def test_what_is_there_is_still_found(self):
        self.assertEqual(self.backup, self.server.api("GET", f"/backups/{self.backup}")["id"])
        self.assertEqual([self.backup], [one["id"] for one in self.server.api("GET", "/backups")["backups"]])

    def test_a_server_of_files_is_caught(self):
        def read(data: bytes) -> bytes:
            name = unquote(data.split(b" ")[1].decode("latin-1"))
            try:
                content = (self.place / "backups" / name.lstrip("/")).read_bytes()
            except (OSError, ValueError):
                content = b"{}"
            return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)

        with RawServer(read) as naive, Asker(naive.port) as asker:
            for payload in ("../outside/manifest.json", "..%2foutside/manifest.json", "link/manifest.json"):
                answer = asker.ask(request("GET", "/" + payload))
                self.assertIn(f"shows {CANARY!r}", faults(answer, self.secrets))
                self.assertIn("manifest.json", self.opened.names())


if __name__ == "__main__":
    unittest.main()
