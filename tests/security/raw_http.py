"""Bytes that no HTTP client would send, and a strict reader of what comes back.

What a test sends is its own business; what a server answers is well-formed to the letter, or `Malformed` is raised.
"""

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-9][0-9]{2}) [ -~]*")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t -~]*)")
LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)\r\n")
WAIT_S = 10.0
READ_BYTES = 64 * 1024


class Malformed(AssertionError):
    """The server's own framing is wrong."""


@dataclass(frozen=True)
class Answer:
    status: int
    fields: tuple[tuple[str, str], ...]  # names in lower case
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key == name.lower()), None)

    @property
    def closes(self) -> bool:
        return (self.header("connection") or "").lower() == "close"


@dataclass(frozen=True)
class Exchange:
    received: bytes
    is_closed: bool  # by the server, within the time


def read_head(data: bytes) -> tuple[int, tuple[tuple[str, str], ...], bytes] | None:
    """Status, fields and the rest; None when bytes are missing."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.split(b"\r\n")
    status = STATUS_LINE.fullmatch(first)
    fields = [FIELD.fullmatch(line) for line in lines]
    if not status or not all(fields):
        raise Malformed(f"no head of an answer: {head[:500]!r}")
    pairs = tuple((field[1].decode().lower(), field[2].decode()) for field in fields)
    return int(status[1]), pairs, rest


def read_chunks(data: bytes) -> tuple[bytes, bytes] | None:
    """A chunked body and what follows it; None when bytes are missing."""
    body = b""
    while True:
        size, end, rest = data.partition(b"\r\n")
        if not end:
            return None
        if not re.fullmatch(rb"[0-9a-f]{1,8}", size):
            raise Malformed(f"no size of a chunk: {size[:100]!r}")
        count = int(size, 16)
        if len(rest) < count + 2:
            return None
        if rest[count : count + 2] != b"\r\n":
            raise Malformed("a chunk does not end where it should")
        if count == 0:
            return body, rest[2:]
        body, data = body + rest[:count], rest[count + 2 :]


def read_answer(data: bytes, has_body: bool = True) -> tuple[Answer, bytes] | None:
    """The first answer and what follows it; None when bytes are missing. Interim ones (1xx) are answers as well."""
    head = read_head(data)
    if not head:
        return None
    status, fields, rest = head
    lengths = [value for name, value in fields if name == "content-length"]
    codings = [value for name, value in fields if name == "transfer-encoding"]
    if len(lengths) + len(codings) > 1 or any(coding != "chunked" for coding in codings):
        raise Malformed(f"ambiguous framing: {fields}")
    if not has_body or status < 200 or status in (204, 304):
        return Answer(status, fields, b""), rest
    if codings:
        whole = read_chunks(rest)
        return whole and (Answer(status, fields, whole[0]), whole[1])
    if not lengths:
        raise Malformed(f"an answer without an end: {fields}")
    length = int(lengths[0])
    return (Answer(status, fields, rest[:length]), rest[length:]) if len(rest) >= length else None


def read_answers(data: bytes, bodiless: Collection[int] = ()) -> list[Answer]:
    """All of them, with nothing between and nothing behind; `bodiless` are the places of those to HEAD."""
    answers, final = [], 0
    while data:
        read = read_answer(data, final not in bodiless)
        if not read:
            raise Malformed(f"an answer is cut off, or no answer: {data[:200]!r}")
        answer, data = read
        final += answer.status >= 200
        answers.append(answer)
    return answers


def bytes_wanted(data: bytearray, has_body: bool) -> int:
    """How many the first answer has, where its head says so: parsing each time anew would take for ever."""
    end = data.find(b"\r\n\r\n")
    length = LENGTH.search(data, 0, end + 2) if has_body and end >= 0 else None
    return end + 4 + int(length[1]) if length else 0


def connect(host: str, port: int, wait_s: float, receive_buffer: int = 0) -> socket.socket:
    """A connection whose `receive_buffer`, in bytes, is agreed on from its start; 0: the system's own."""
    sock = socket.socket()
    try:
        sock.settimeout(wait_s)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.connect((host, port))
    except BaseException:
        sock.close()
        raise
    return sock


class Wire:
    """One connection. Never waits longer than `wait_s` for anything."""

    def __init__(self, port: int, wait_s: float = WAIT_S, receive_buffer: int = 0):
        self.sock = connect("127.0.0.1", port, wait_s, receive_buffer)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.wait_s = wait_s
        self.unread = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> bool:
        """Whether the server took it; it may hang up while we send."""
        try:
            self.sock.sendall(data)
        except OSError:
            return False
        return True

    def end(self) -> None:
        """Says that no more comes."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def read_to_end(self, bytes_max: int = 1 << 24) -> Exchange:
        """All until the server closes, or the time is up."""
        limit = time.monotonic() + self.wait_s
        received, self.unread, is_closed = bytearray(self.unread), b"", False
        while not is_closed and len(received) < bytes_max and (left := limit - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                piece = self.sock.recv(READ_BYTES)
            except TimeoutError:
                break
            except OSError:
                piece = b""
            received += piece
            is_closed = not piece
        return Exchange(bytes(received), is_closed)

    def read_answer(self, has_body: bool = True) -> Answer | None:
        """The next answer; None when the server closed instead, or the time is up."""
        limit = time.monotonic() + self.wait_s
        data, wanted = bytearray(self.unread), 0
        while len(data) < wanted or not (read := read_answer(bytes(data), has_body)):
            self.sock.settimeout(max(limit - time.monotonic(), 0.001))
            try:
                piece = self.sock.recv(READ_BYTES)
            except OSError:
                return None
            if not piece:
                return None
            data += piece
            wanted = wanted or bytes_wanted(data, has_body)
        answer, self.unread = read
        return answer

    def ask(self, data: bytes, has_body: bool = True) -> Answer | None:
        return self.read_answer(has_body) if self.send(data) else None


class Asker:
    """Asks one thing after the other over a kept connection, and opens another one when the server closed it."""

    def __init__(self, port: int, wait_s: float = WAIT_S):
        self.port, self.wait_s = port, wait_s
        self.wire: Wire | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        if self.wire:
            self.wire.sock.close()
        self.wire = None

    def ask(self, data: bytes) -> Answer | None:
        """None: there was no whole answer."""
        self.wire = self.wire or Wire(self.port, self.wait_s)
        answer = self.wire.ask(data)
        if answer is None or answer.closes:
            self.hang_up()
        elif self.wire.unread:
            raise Malformed(f"more than one answer: {self.wire.unread[:200]!r}")
        return answer


class Listener:
    """As a context it takes connections on a loopback port, in a thread of its own, and hands each to `serve`."""

    port: int

    def __enter__(self) -> Self:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self.accept)
        self.accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.accepting.join()
        self.listener.close()

    def accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):  # a client that hangs up is no fault of ours
                self.serve(sock)

    def serve(self, sock: socket.socket) -> None:
        """Owns the connection; nobody else is taken meanwhile."""
        raise NotImplementedError


class RawServer(Listener):
    """Answers every request with the bytes that `answer` makes of its bytes, and closes."""

    def __init__(self, answer: Callable[[bytes], bytes]):
        self.answer = answer
        self.requests: list[bytes] = []

    def serve(self, sock: socket.socket) -> None:
        with sock:
            sock.settimeout(5)
            data = b""
            while not data.endswith(b"\r\n\r\n") and not self.has_body(data) and (piece := sock.recv(65536)):
                data += piece
            self.requests.append(data)
            sock.sendall(self.answer(data))

    @staticmethod
    def has_body(data: bytes) -> bool:
        head, end, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        return bool(end and length and len(body) >= int(length[1]))


def exchange(port: int, pieces: Iterable[bytes], ends: bool, wait_s: float = WAIT_S) -> Exchange:
    """Sends `pieces`, each by itself, and reads all. `ends`: says that no more comes, so the server need not guess."""
    with Wire(port, wait_s) as wire:
        for piece in pieces:
            if not wire.send(piece):
                break
        if ends:
            wire.end()
        return wire.read_to_end()


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def request(
    method: str, target: str | bytes, token: str = "", fields: Iterable[str] = (), body: bytes | None = None
) -> bytes:
    """The bytes of an ordinary request; `target` and `fields` go in as they are."""
    lines = ["Host: al.test", *([f"Authorization: Bearer {token}"] if token else []), *fields]
    if body is not None:
        has_type = any(line.lower().startswith("content-type:") for line in lines)
        lines += [] if has_type else ["Content-Type: application/json"]
        lines += [f"Content-Length: {len(body)}"]
    raw = target if isinstance(target, bytes) else target.encode("utf-8", "surrogateescape")
    head = "".join(line + "\r\n" for line in lines).encode("utf-8", "surrogateescape")
    return method.encode() + b" " + raw + b" HTTP/1.1\r\n" + head + b"\r\n" + (body or b"")
