"""Idle and listening WebSockets: what one costs in memory, how long until all have a broadcast, and how long an event
takes from the request that makes it. Server, clients (a process of their own) and this share the machine."""

import os
import statistics
import subprocess
import sys
import time
from urllib.parse import urlsplit

from support.server import Server

CLIENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
BENCH = os.environ["AGENT_LIGHTNING_WEBSOCKETS"]
BROADCASTS, EVENTS = 10, 200
PER_USER = 100


def resident_bytes(server):
    return server.resident_mb() * (1 << 20)


class Clients:
    """So many, of as many users as that takes."""

    def __init__(self, server, count):
        port = urlsplit(server.urls["websocket"]).port
        self.process = subprocess.Popen(
            [BENCH, str(port), str(count), "task:created"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        wanted = {"name": "listener", "permissions": ["websocket:connect", "tasks:read"]}
        for _ in range(0, count, PER_USER):
            key = server.api("POST", "/auth/api-keys?owner=service", wanted, 201)["api_key"]
            self.process.stdin.write(key + "\n")
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ready\n"

    def expect(self, messages):
        self.process.stdin.write(f"{messages}\n")
        self.process.stdin.flush()

    def figures(self):
        """p50, p99 and the last one, in milliseconds."""
        _, *figures = self.process.stdout.readline().split()
        return [int(figure) / 1000 for figure in figures]

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(60)
        self.process.stdout.close()
        assert code == 0, code


def mark():
    return f"at-{time.monotonic_ns()}-"


def idle_and_broadcast(server):
    """Bytes of one idle client, and the medians of the broadcasts' figures."""
    before = resident_bytes(server)
    clients = Clients(server, CLIENTS)
    each = (resident_bytes(server) - before) / CLIENTS
    rows = []
    for _ in range(BROADCASTS):
        clients.expect(1)
        server.api("POST", "/broadcast", {"type": "notice", "data": {"mark": mark()}}, 202)
        rows.append(clients.figures())
    clients.end()
    return each, [statistics.median(column) for column in zip(*rows, strict=True)]


def events(server):
    """The figures of events, made one by one, at one client."""
    client = Clients(server, 1)
    client.expect(EVENTS)
    for _ in range(EVENTS):
        server.api("POST", "/agents/writer/tasks", {"description": mark()}, 201)
    figures = client.figures()
    client.end()
    return figures


def main():
    rows = []
    for _ in range(ROUNDS):
        with Server({"LOG_LEVEL": "error", "HTTP_CONNECTIONS_MAX": "20000"}) as server:
            each, (p50, p99, last) = idle_and_broadcast(server)
            event_p50, event_p99, _ = events(server)
        print(f"{each:,.0f} bytes a client; broadcast to {CLIENTS:,}: p50 {p50:.1f} p99 {p99:.1f} last {last:.1f} ms")
        print(f"request to event at one client: p50 {event_p50:.2f} p99 {event_p99:.2f} ms")
        rows.append((each, p99, event_p50, event_p99))
    each, p99, event_p50, event_p99 = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"medians: {each:,.0f} bytes, broadcast p99 {p99:.1f} ms, event p50 {event_p50:.2f} p99 {event_p99:.2f} ms")


main()
