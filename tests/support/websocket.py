"""A client of /ws: a plain socket and the frames of RFC 6455, so that tests may also send what no library would."""

import base64
import json
import os
import socket
import struct
import time
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

WAIT_S = 30
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Closed(Exception):
    """The server has closed."""

    def __init__(self, code: int, reason: str):
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


class Refused(Exception):
    """The server did not agree to a WebSocket."""

    def __init__(self, status: int, body: str):
        super().__init__(f"{status} {body}")
        self.status, self.body = status, body


def frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    head = struct.pack("!B", 0x80 | opcode)
    if size < 126:
        head += struct.pack("!B", 0x80 | size)
    elif size < 65536:
        head += struct.pack("!BH", 0x80 | 126, size)
    else:
        head += struct.pack("!BQ", 0x80 | 127, size)
    return head + bytes(4) + payload  # masked with zeros


class WebSocket:
    """Messages that come while `wait_for` looks for another one are kept in `others`."""

    def __init__(self, url: str, headers: dict[str, str] | None = None, path: str = "/ws", **query: str):
        self.host = urlsplit(url)
        self.socket = socket.create_connection((self.host.hostname, self.host.port), WAIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.others: list[dict] = []
        try:
            self.shake_hands(path + ("?" + urlencode(query) if query else ""), headers or {})
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def shake_hands(self, target: str, headers: dict[str, str]) -> None:
        fields = {
            "Host": self.host.netloc,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
        } | headers
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.socket.sendall(f"GET {target} HTTP/1.1\r\n{head}\r\n".encode())
        while b"\r\n\r\n" not in self.received:
            self.read_some()
        answer, self.received = self.received.split(b"\r\n\r\n", 1)
        status = int(answer.split(b" ", 2)[1])
        if status != 101:
            raise Refused(status, self.received.decode())

    def read_some(self) -> None:
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise Closed(0, "without a close frame")
        self.received += piece

    def read_frame(self) -> tuple[int, bytes]:
        while True:
            if len(self.received) >= 2:
                size, begin = self.received[1], 2
                if size >= 126 and len(self.received) >= (begin := 4 if size == 126 else 10):
                    size = int.from_bytes(self.received[2:begin], "big")
                if begin + size <= len(self.received) and (self.received[1] < 126 or begin > 2):
                    opcode, payload = self.received[0] & 0x0F, self.received[begin : begin + size]
                    self.received = self.received[begin + size :]
                    return opcode, payload
            self.read_some()

    def send_text(self, text: str) -> None:
        self.socket.sendall(frame(TEXT, text.encode()))

    def send(self, type: str, **members: Any) -> None:
        self.send_text(json.dumps({"type": type} | members))

    def next(self, timeout_s: float = WAIT_S) -> dict:
        """The next message. Raises Closed, and TimeoutError when none comes."""
        self.socket.settimeout(timeout_s)
        while True:
            opcode, payload = self.read_frame()
            if opcode == TEXT:
                return json.loads(payload)
            if opcode == PING:
                self.socket.sendall(frame(PONG, payload))
            elif opcode == CLOSE:
                code = int.from_bytes(payload[:2], "big") if payload else 1005
                self.socket.sendall(frame(CLOSE, payload[:2]))
                raise Closed(code, payload[2:].decode())

    def wait_for(self, type: str, timeout_s: float = WAIT_S, **members: Any) -> dict:
        """The first message of this type that has these members; what came besides it is in `others`."""
        wanted = {"type": type} | members
        limit = time.monotonic() + timeout_s
        seen = 0
        while True:
            for i, message in enumerate(self.others[seen:], seen):
                if wanted.items() <= message.items():
                    return self.others.pop(i)
            seen = len(self.others)
            self.others.append(self.next(max(0.001, limit - time.monotonic())))

    def ask(self, type: str, **members: Any) -> dict:
        """Sends a message with an id and answers what comes back for it."""
        id = base64.b64encode(os.urandom(6)).decode()
        self.send(type, id=id, **members)
        limit = time.monotonic() + WAIT_S
        while True:
            message = self.next(max(0.001, limit - time.monotonic()))
            if message.get("id") == id:
                return message
            self.others.append(message)

    def settle(self) -> list[dict]:
        """Everything that has come up to now."""
        self.ask("ping")
        out, self.others = self.others, []
        return out

    def closing(self, timeout_s: float = WAIT_S) -> Closed:
        """How the server closes; what comes before it goes to `others`."""
        try:
            limit = time.monotonic() + timeout_s
            while True:
                self.others.append(self.next(max(0.001, limit - time.monotonic())))
        except Closed as closed:
            return closed


def signed_in(url: str, token: str, *patterns: str, **members: Any) -> WebSocket:
    """A client that has authenticated and subscribed."""
    client = WebSocket(url)
    assert client.next()["type"] == "connection_id"
    known = client.ask("authenticate", token=token)
    assert known["type"] == "authenticated", known
    if patterns:
        done = client.ask("subscribe", events=list(patterns), **members)
        assert done["type"] == "subscribed", done
    return client
