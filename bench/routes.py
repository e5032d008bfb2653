"""What a small read through the gateway costs: ours and nginx's proxy_pass before the same service."""

import collections
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from support.postgres import free_port
from support.server import Server

SECONDS = int(float(sys.argv[1])) if len(sys.argv) > 1 else 5
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
HERE = pathlib.Path(__file__).parent
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
# One worker each, as the gateway has one thread.
SERVICE = """
daemon off; worker_processes 1; pid {folder}/service.pid; error_log {folder}/service.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; default_type application/json;
  server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ return 200 '{answer}'; }} }}
}}
"""
PROXY = """
daemon off; worker_processes 1; pid {folder}/proxy.pid; error_log {folder}/proxy.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/temp;
  upstream service {{ server 127.0.0.1:{service}; keepalive 128; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{
      proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Request-Id $request_id;
    }}
  }}
}}
"""
ROUTES = """
services: [{{name: agents, url: "127.0.0.1:{service}"}}]
routes: [{{path: /agents, service: agents}}]
"""
rows = collections.defaultdict(list)


def nginx(folder: str, name: str, text: str) -> subprocess.Popen:
    path = pathlib.Path(folder, f"{name}.conf")
    path.write_text(text)
    return subprocess.Popen(["nginx", "-c", str(path), "-p", folder], stderr=subprocess.DEVNULL)


def wait_for(port: int) -> None:
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/agents/researcher")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")


def wrk(name: str, port: int, token: str, clients: int) -> None:
    url = f"http://127.0.0.1:{port}/agents/researcher"
    command = ["wrk", "-t1", f"-c{clients}", f"-d{SECONDS}s", "-s", str(HERE / "get.lua"), url]
    environment = os.environ | {"BENCH_TOKEN": token}
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    fields = next(line for line in out.splitlines() if line.startswith("RESULT")).split()
    per_second, p50, p99, bad = float(fields[1]), float(fields[2]), float(fields[3]), int(fields[4])
    rows[name, clients].append((per_second, p50))
    note = f"{bad} errors" if bad else ""
    figures = f"{per_second:9.0f}/s  p50 {p50:7.3f} ms  p99 {p99:7.3f} ms"
    print(f"{name:20s} {clients:3d} clients {figures}  {note}", flush=True)


def compare() -> None:
    for name in ("nginx proxy_pass", "agent-lightning"):
        pairs = zip(rows[name, 1], rows["direct", 1], strict=True)
        added = [ours - direct for (_, ours), (_, direct) in pairs]
        print(f"{name:20s} adds {statistics.median(added):.3f} ms at p50 with one client ({min(added):.3f} at best)")
    pairs = zip(rows["agent-lightning", CLIENTS], rows["nginx proxy_pass", CLIENTS], strict=True)
    ratios = [ours / nginx for (ours, _), (nginx, _) in pairs]
    print(f"requests a second, ours / nginx: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="agent-lightning-bench-") as folder:
        service, proxy = free_port(), free_port()
        routes = pathlib.Path(folder, "gateway.yaml")
        routes.write_text(ROUTES.format(service=service))
        children = [
            nginx(folder, "service", SERVICE.format(folder=folder, port=service, answer=json.dumps(ANSWER))),
            nginx(folder, "proxy", PROXY.format(folder=folder, port=proxy, service=service)),
        ]
        environment = {"GATEWAY_CONFIG": str(routes), "AGENT_LIGHTNING_THREADS": "1", "LOG_LEVEL": "error"}
        server = Server(environment, ("gateway",))
        try:
            server.start()
            ours = int(server.url.rsplit(":", 1)[1])
            for port in (service, proxy):
                wait_for(port)
            for _ in range(ROUNDS):
                for clients in (1, CLIENTS):
                    wrk("direct", service, server.token, clients)
                    wrk("nginx proxy_pass", proxy, server.token, clients)
                    wrk("agent-lightning", ours, server.token, clients)
            compare()
        finally:
            for child in children:
                child.terminate()
                child.wait()
            server.remove()


main()
