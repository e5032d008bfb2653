"""Clients that hold a connection and give or take little: each is closed at its documented limit, and others are
answered meanwhile. All of them at once, in half a minute.

An idle connection that was used before may stay for 75 s; here it is only seen to outlive the other limits. Its end has
a test of the server beside its source, with a clock of its own.
"""

import contextlib
import dataclasses
import itertools
import selectors
import socket
import threading
import time
import unittest
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Self
from urllib.parse import urlsplit

from raw_http import Answer, Listener, Malformed, Wire, read_answers, read_head, request
from smuggling_cases import TOKEN
from support.cases import ServerTest
from support.server import Server

# What docs/services/system.md says.
HEAD_S, BODY_S, WRITE_S = 10, 10, 30
SLACK_S = 3.0  # of the server's tick, and of its work for all of them
PULSE_S = 0.02
LATENCY_S = 2.0  # of the others, at most
DRIP_S = 0.25
SILENT = 300
LARGE_TASKS, LARGE_CONTEXT_BYTES = 18, 250_000
# More than a steady client takes and a kernel holds for it (4 MiB) until the time for a stuck one is up.
MESSAGES, MESSAGE_BYTES = 230, 65_000
LARGE_EVENTS, EVENT_BYTES, EVENTS_S = 300, 16_000, 4  # the seconds are those in which they are made
SMALL_BUFFER = 4096
REST_S = 10.0  # for what is left
STEADY_BYTES_PER_S = 300_000
CROWD = 32
GET = b"GET /health HTTP/1.1\r\nHost: al.test\r\n"


class OwnTime(threading.Thread):
    """A clock that stands while others have the processor: what the server is late by for their sake is no fault."""

    def __init__(self):
        super().__init__(daemon=True)
        self.stood_s = 0.0

    def run(self) -> None:
        while True:
            began = time.monotonic()
            time.sleep(PULSE_S)
            late_s = time.monotonic() - began - PULSE_S
            self.stood_s += late_s if late_s > PULSE_S else 0

    def now(self) -> float:
        return time.monotonic() - 2 * self.stood_s  # the server is kept waiting as we are, and then by us


own_time = OwnTime()
own_time.start()


@dataclass(frozen=True)
class Slow:
    """`pieces` are sent one by one, DRIP_S apart; `statuses` are what it is told before the end."""

    name: str
    pieces: Callable[[], Iterator[bytes]]
    statuses: tuple[int, ...]
    at_least_s: float
    clients: int = 10

    @property
    def at_most_s(self) -> float:
        return self.at_least_s + SLACK_S


@dataclass
class Client:
    spec: Slow
    sock: socket.socket
    pieces: Iterator[bytes]
    due: float = 0
    received: bytes = b""
    closed_after_s: float | None = None
    closed_after_own_s: float = 0

    def __post_init__(self):
        self.began, self.began_own = time.monotonic(), own_time.now()

    def drip(self, now: float) -> None:
        if now < self.due or self.closed_after_s is not None:
            return
        self.due = now + DRIP_S
        with contextlib.suppress(OSError):
            self.sock.send(next(self.pieces, b""))

    def read(self) -> bool:
        """Whether the connection goes on."""
        try:
            piece = self.sock.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            piece = b""
        self.received += piece
        if not piece:
            self.closed_after_s, self.closed_after_own_s = (
                time.monotonic() - self.began,
                own_time.now() - self.began_own,
            )
        return bool(piece)


def forever(first: bytes, again: bytes) -> Iterator[bytes]:
    return itertools.chain([first], itertools.repeat(again))


def body(fields: str, first: bytes = b"", path: str = "/api/v1/agents") -> bytes:
    return request("POST", path, "none", ["Content-Type: application/json", *fields.split("; ")]) + first


LENGTH, CHUNKED = "Content-Length: 50000", "Transfer-Encoding: chunked"
SLOW = [
    Slow("silent from the start", lambda: iter(()), (), HEAD_S, clients=SILENT),
    Slow("a head byte by byte", lambda: (GET[n : n + 1] or b"a" for n in itertools.count()), (408,), HEAD_S),
    Slow("a head that stops", lambda: iter([GET]), (408,), HEAD_S),
    Slow("a head of ever more fields", lambda: forever(GET, b"X: y\r\n"), (408,), HEAD_S),
    Slow("a head of ever more value", lambda: forever(GET + b"X: ", b"y"), (408,), HEAD_S),
    Slow("a slow second head", lambda: forever(GET + b"\r\n" + GET, b"X: y\r\n"), (200, 408), HEAD_S),
    Slow("a body that does not begin", lambda: iter([body(LENGTH)]), (408,), BODY_S),
    Slow("a body byte by byte", lambda: forever(body(LENGTH), b" "), (408,), BODY_S),
    Slow("a body for no route", lambda: forever(body(LENGTH, path="/nothing"), b" "), (408,), BODY_S),
    Slow("chunks of a byte", lambda: forever(body(CHUNKED), b"1\r\n \r\n"), (408,), BODY_S),
    Slow("an extension without end", lambda: forever(body(CHUNKED, b"1;"), b"a"), (408,), BODY_S),
    Slow("a chunk's size without end", lambda: forever(body(CHUNKED), b"0"), (408,), BODY_S),
    Slow("a trailer without end", lambda: forever(body(CHUNKED, b"0\r\n"), b"A: b\r\n"), (408,), BODY_S),
    Slow("one told to go on", lambda: iter([body(LENGTH + "; Expect: 100-continue")]), (100, 408), BODY_S),
]


def watch(port: int, specs: list[Slow], until_s: float) -> list[Client]:
    """Lets them all be slow at once, until each is closed or the time is up."""
    clients, selector = [], selectors.DefaultSelector()
    for spec in specs:
        for _ in range(spec.clients):
            sock = socket.create_connection(("127.0.0.1", port))
            sock.setblocking(False)
            clients.append(Client(spec, sock, spec.pieces()))
            selector.register(sock, selectors.EVENT_READ, clients[-1])
    limit = own_time.now() + until_s
    with selector:
        while selector.get_map() and own_time.now() < limit:
            for client in clients:
                client.drip(time.monotonic())
            for key, _ in selector.select(DRIP_S / 5):
                if not key.data.read():
                    selector.unregister(key.fileobj)
    for client in clients:
        client.sock.close()
    return clients


def violations(client: Client) -> list[str]:
    found, spec = [], client.spec
    try:
        statuses = tuple(answer.status for answer in read_answers(client.received))
    except Malformed as malformed:
        return [str(malformed)]
    if statuses != spec.statuses:
        found.append(f"it was told {statuses} and not {spec.statuses}")
    if client.closed_after_s is None:
        found.append("it stays open")
    elif client.closed_after_s < spec.at_least_s - 0.5 or client.closed_after_own_s > spec.at_most_s:
        found.append(f"closed after {client.closed_after_s:.1f} s, not {spec.at_least_s} to {spec.at_most_s} s")
    return found


class Prober(threading.Thread):
    """An ordinary client, which comes anew each time."""

    def __init__(self, server: Server):
        super().__init__()
        self.server, self.stopping = server, threading.Event()
        self.latencies_s: list[float] = []
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.join()

    def run(self) -> None:
        while not self.stopping.wait(0.1):
            for path in ("/health", "/api/v1/agents?limit=1"):
                began = own_time.now()
                try:
                    status, answer = self.server.call("GET", path)
                    if status != 200:
                        self.failures.append(f"{status}: {answer}")
                except OSError as error:
                    self.failures.append(repr(error))
                self.latencies_s.append(own_time.now() - began)


class Reader(threading.Thread):
    """Asks for something large and takes `bytes_per_s` of it for `hold_s`; then all that is left at once."""

    def __init__(self, port: int, ask: bytes, bytes_per_s: int, hold_s: float = WRITE_S + 1.5):
        super().__init__()
        self.wire = Wire(port, REST_S, receive_buffer=max(bytes_per_s, SMALL_BUFFER))
        self.bytes_per_s, self.hold_s = bytes_per_s, hold_s
        self.received, self.is_closed = b"", False
        self.wire.send(ask)

    def run(self) -> None:
        began, taken, pieces = own_time.now(), 0, []
        with self.wire:
            with contextlib.suppress(OSError):
                while (passed := own_time.now() - began) < self.hold_s:
                    time.sleep(DRIP_S)
                    while taken < self.bytes_per_s * passed and (piece := self.wire.sock.recv(65536)):
                        taken += len(piece)
                        pieces.append(piece)
            rest = self.wire.read_to_end(1 << 28)
        self.is_closed = rest.is_closed
        self.received = b"".join([*pieces, rest.received])

    @property
    def is_whole(self) -> bool:
        status, fields, rest = read_head(self.received)
        return status == 200 and len(rest) == int(dict(fields)["content-length"])


class CrowdedServer(threading.Thread):
    """Silent clients take all connections of a server: what others are told, and from when on they are served."""

    def __init__(self, server: Server):
        super().__init__()
        self.port = urlsplit(server.url).port
        self.refusal: Answer | None = None
        self.served_after_s = 0.0

    def run(self) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(CROWD):
                stack.enter_context(Wire(self.port))
            began, limit = time.monotonic(), own_time.now() + HEAD_S + SLACK_S
            while own_time.now() < limit:
                with Wire(self.port) as wire:
                    answer = wire.ask(GET + b"\r\n")
                self.refusal = self.refusal or answer
                if answer and answer.status == 200:
                    self.served_after_s = time.monotonic() - began
                    return
                time.sleep(DRIP_S)


class PatientServer(Listener):
    """Says what it is given to say, and then waits for its clients for ever."""

    def __init__(self, says: bytes = b""):
        self.says = says
        self.accepted: list[socket.socket] = []

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        for sock in self.accepted:
            sock.close()

    def serve(self, sock: socket.socket) -> None:
        self.accepted.append(sock)
        sock.sendall(self.says)


class SlowClients(ServerTest):
    """Everything happens before the first test, at the same time."""

    environment: ClassVar = {"LOG_LEVEL": "error", "AGENT_LIGHTNING_TOKEN": TOKEN}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = urlsplit(cls.server.url).port
        cls.crowded = CrowdedServer(cls.enterClassContext(Server({"HTTP_CONNECTIONS_MAX": str(CROWD)})))
        cls.idle = cls.enterClassContext(Wire(cls.port))
        cls.idle.ask(GET + b"\r\n")
        after = cls.server.api("GET", "/events?limit=1")["next_cursor"]
        cls.add_tasks()
        large = request("GET", f"/api/v1/tasks?limit={LARGE_TASKS}", TOKEN)
        cls.stuck, cls.trickling = Reader(cls.port, large, 0), Reader(cls.port, large, 1)
        history = f"/api/v1/sessions/{cls.add_messages()}/history?limit={MESSAGES}"
        cls.steady = Reader(cls.port, request("GET", history, TOKEN, ("Connection: close",)), STEADY_BYTES_PER_S)
        stream = request("GET", f"/api/v1/events/stream?after={after}", TOKEN)
        cls.stream = Reader(cls.port, stream, 0, WRITE_S + EVENTS_S)
        adding = threading.Thread(target=cls.add_events)
        threads = (cls.stuck, cls.trickling, cls.steady, cls.stream, cls.crowded, adding)
        with Prober(cls.server) as cls.prober:
            for thread in threads:
                thread.start()
            cls.clients = watch(cls.port, SLOW, HEAD_S + SLACK_S + 1)
            for thread in threads:
                thread.join()

    @classmethod
    def add_tasks(cls):
        """Whose list no buffer of a socket holds."""
        cls.server.api("POST", "/agents", {"id": "heavy", "name": "n", "specialization": "s", "status": "offline"}, 201)
        task = {"description": "x", "context": {"text": "x" * LARGE_CONTEXT_BYTES}}
        for _ in range(LARGE_TASKS):
            cls.server.api("POST", "/agents/heavy/tasks", task, 201)

    @classmethod
    def add_messages(cls) -> str:
        session = cls.server.api("POST", "/sessions", {"agent_id": "heavy"}, 201)["id"]
        for _ in range(MESSAGES):
            cls.server.api(
                "POST", f"/sessions/{session}/messages", {"role": "user", "content": "x" * MESSAGE_BYTES}, 201
            )
        return session

    @classmethod
    def add_events(cls):
        """As many as fill the buffers of a stream that nobody reads."""
        for number in range(LARGE_EVENTS):
            cls.server.api("PUT", "/agents/heavy", {"config": {"text": "x" * EVENT_BYTES, "number": number}})

    def test_each_is_closed_at_its_limit(self):
        for spec in SLOW:
            clients = [client for client in self.clients if client.spec is spec]
            with self.subTest(client=spec.name):
                self.assertEqual(spec.clients, len(clients))
                self.assertEqual([], [fault for client in clients for fault in violations(client)][:3])

    def test_others_are_answered_meanwhile(self):
        self.assertEqual([], self.prober.failures[:3])
        self.assertGreater(len(self.prober.latencies_s), 50)
        self.assertLess(max(self.prober.latencies_s), LATENCY_S)

    def test_who_takes_nothing_is_closed(self):
        for name, reader in (("nothing", self.stuck), ("a byte a second", self.trickling)):
            with self.subTest(takes=name):
                self.assertTrue(reader.is_closed)
                self.assertFalse(reader.is_whole, "it waited for its client")
        self.assertTrue(self.stream.is_closed, "it waited for its client")

    def test_who_takes_steadily_is_served(self):
        self.assertTrue(self.steady.is_whole, f"{len(self.steady.received)} bytes")

    def test_an_idle_connection_stays(self):
        self.assertEqual(200, self.idle.ask(GET + b"\r\n").status)

    def test_silent_clients_hold_no_place_for_long(self):
        self.assertEqual((503, "1"), (self.crowded.refusal.status, self.crowded.refusal.header("Retry-After")))
        self.assertTrue(self.crowded.refusal.closes)
        self.assertGreater(self.crowded.served_after_s, HEAD_S - 1)

    def test_a_server_without_limits_is_caught(self):
        quick = [dataclasses.replace(spec, at_least_s=0.5, clients=2) for spec in SLOW]
        with PatientServer() as patient:
            for client in watch(patient.port, quick, 1):
                self.assertIn("it stays open", violations(client), client.spec.name)
        with PatientServer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (16 << 20) + bytes(16 << 20)) as patient:
            reader = Reader(patient.port, b"", 0, hold_s=0.5)
            reader.run()
            self.assertTrue(reader.is_whole)


if __name__ == "__main__":
    unittest.main()
