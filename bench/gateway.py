"""What passing a model call through costs: ours, nginx's proxy_pass and Portkey's gateway before the same upstream."""

import collections
import http.client
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from support.postgres import free_port
from support.server import Server

SECONDS = int(float(sys.argv[1])) if len(sys.argv) > 1 else 5
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
MANY = int(sys.argv[3]) if len(sys.argv) > 3 else 0
HERE = pathlib.Path(__file__).parent
CLIENTS = 64
PORTKEY = "@portkey-ai/gateway@1.15.2"
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1760000000,
    "model": "gpt-5-mini",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Bind values; never build SQL out of text. " * 8},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 37, "completion_tokens": 96, "total_tokens": 133},
}
# The upstream and the proxy are two servers, as they would be.
UPSTREAM = """
daemon off; worker_processes 1; pid {folder}/upstream.pid; error_log {folder}/upstream.log;
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
  upstream models {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{ proxy_pass http://models; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""
rows = collections.defaultdict(list)


def wait_for(port, path="/"):
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", path)
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")


def nginx(folder, name, text):
    path = pathlib.Path(folder) / f"{name}.conf"
    path.write_text(text)
    return subprocess.Popen(["nginx", "-c", str(path), "-p", folder], stderr=subprocess.DEVNULL)


def portkey(folder, port):
    """Nothing when npm cannot get it: the other rows stand without it."""
    if not shutil.which("npm"):
        return None
    where = pathlib.Path.home() / ".cache" / "agent-lightning" / "portkey"
    server = where / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    if not server.exists():
        where.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", str(where), "--silent", PORTKEY], check=False)
    if not server.exists():
        return None
    return subprocess.Popen(
        ["node", str(server), f"--port={port}", "--headless"],
        cwd=folder,
        env=os.environ | {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wrk(name, port, token, clients, custom_host=None, seconds=SECONDS):
    environment = os.environ | {"BENCH_TOKEN": token}
    environment.pop("BENCH_CUSTOM_HOST", None)
    if custom_host:
        environment["BENCH_CUSTOM_HOST"] = custom_host
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    out = subprocess.run(
        ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "-s", str(HERE / "chat.lua"), "--latency", url],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    fields = next(line for line in out.splitlines() if line.startswith("RESULT")).split()
    per_second, p50, p99, bad = float(fields[1]), float(fields[2]), float(fields[3]), int(fields[4])
    rows[name, clients].append((per_second, p50))
    note = f"{bad} errors" if bad else ""
    figures = f"{per_second:9.0f}/s  p50 {p50:7.3f} ms  p99 {p99:7.3f} ms"
    print(f"{name:24s} {clients:3d} clients {figures}  {note}", flush=True)


def compare():
    def middle(values):
        return statistics.median(values)

    def figures(name, clients, index):
        return [figure[index] for figure in rows[name, clients]]

    for name in ("nginx proxy_pass", "agent-lightning", "Portkey"):
        if not rows[name, 1]:
            continue
        added = middle([a - b for a, b in zip(figures(name, 1, 1), figures("upstream", 1, 1), strict=True)])
        print(f"{name:24s} adds {added:.3f} ms at p50 with one client")
    for name in ("nginx proxy_pass", "Portkey"):
        if rows[name, CLIENTS]:
            pairs = zip(figures("agent-lightning", CLIENTS, 0), figures(name, CLIENTS, 0), strict=True)
            ratios = [a / b for a, b in pairs]
            print(f"requests a second, ours / {name}: {middle(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def send_many(server):
    """Memory over many requests, in tenths."""
    port = int(server.url.rsplit(":", 1)[1])
    sent = 0
    while sent < MANY:
        begun = len(rows["agent-lightning", CLIENTS])
        wrk("agent-lightning", port, server.token, CLIENTS, seconds=10)
        sent += int(rows["agent-lightning", CLIENTS][begun][0] * 10)
        print(f"after {sent} requests: {server.resident_mb():.1f} MB", flush=True)


def main():
    with tempfile.TemporaryDirectory(prefix="agent-lightning-bench-") as folder:
        upstream, proxy, other = free_port(), free_port(), free_port()
        upstream_url = f"http://127.0.0.1:{upstream}/v1"
        children = [
            nginx(folder, "upstream", UPSTREAM.format(folder=folder, port=upstream, answer=json.dumps(ANSWER))),
            nginx(folder, "proxy", PROXY.format(folder=folder, port=proxy, upstream=upstream)),
        ]
        gateway = portkey(folder, other)
        children += [gateway] if gateway else []
        server = Server(
            environment={"OPENAI_BASE_URL": upstream_url, "OPENAI_API_KEY": "sk-upstream", "LOG_LEVEL": "error"}
        )
        try:
            server.start()
            ours = int(server.urls["ai-model"].rsplit(":", 1)[1])
            for port in [upstream, proxy] + ([other] if gateway else []):
                wait_for(port)
            for _ in range(ROUNDS):
                for clients in (1, CLIENTS):
                    wrk("upstream", upstream, "none", clients)
                    wrk("nginx proxy_pass", proxy, "none", clients)
                    wrk("agent-lightning", ours, server.token, clients)
                    if gateway:
                        wrk("Portkey", other, "sk-upstream", clients, custom_host=upstream_url)
            compare()
            if MANY:
                send_many(server)
        finally:
            for child in children:
                child.terminate()
                child.wait()
            server.remove()


main()
