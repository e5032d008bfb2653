"""What a small read through the gateway costs: ours and nginx's proxy_pass before the same service."""

import json
import pathlib
import sys
import tempfile
from urllib.parse import urlsplit

from load import Rows, nginx_answer, nginx_proxy, wait_until_listening, wrk
from support.postgres import free_port
from support.server import Server

SECONDS = int(float(sys.argv[1])) if len(sys.argv) > 1 else 5
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
CLIENTS = 64
ANSWER = {
    "id": "researcher",
    "name": "Researcher",
    "description": "Finds what is known, and says where it stands.",
    "specialization": "research",
    "capabilities": ["search", "summarize", "compare"],
    "status": "idle",
    "config": {"model": "gpt-5-mini", "temperature": 0.2},
    "version": 7,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-02T00:00:00Z",
}
# As the gateway writes them.
HEADERS = """
  proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Host $host;
  proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Request-Id $request_id;
"""
ROUTES = """
services: [{{name: agents, url: "127.0.0.1:{service}"}}]
routes: [{{path: /agents, service: agents}}]
"""
rows = Rows()


def measure(name: str, port: int, token: str, clients: int) -> None:
    load = wrk("get.lua", f"http://127.0.0.1:{port}/agents/researcher", clients, SECONDS, token=token)
    rows.add(name, clients, load)


def compare() -> None:
    for name in ("nginx proxy_pass", "agent-lightning"):
        rows.print_added(name, "direct")
    rows.print_ratio("agent-lightning", "nginx proxy_pass", CLIENTS)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="agent-lightning-bench-") as folder:
        service, proxy = free_port(), free_port()
        routes = pathlib.Path(folder, "gateway.yaml")
        routes.write_text(ROUTES.format(service=service))
        settings = {"GATEWAY_CONFIG": str(routes), "AGENT_LIGHTNING_THREADS": "1", "LOG_LEVEL": "error"}
        with (
            nginx_answer(folder, service, json.dumps(ANSWER)),
            nginx_proxy(folder, proxy, service, HEADERS),
            Server(settings, ("gateway",)) as server,
        ):
            for port in (service, proxy):
                wait_until_listening(port)
            for _ in range(ROUNDS):
                for clients in (1, CLIENTS):
                    measure("direct", service, server.token, clients)
                    measure("nginx proxy_pass", proxy, server.token, clients)
                    measure("agent-lightning", urlsplit(server.url).port, server.token, clients)
            compare()


main()
