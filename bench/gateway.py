"""What passing a model call through costs: ours, nginx's proxy_pass and Portkey's gateway before the same upstream."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from urllib.parse import urlsplit

from load import Rows, nginx_answer, nginx_proxy, running, wait_until_listening, wrk
from support.postgres import free_port
from support.server import Server

SECONDS = int(float(sys.argv[1])) if len(sys.argv) > 1 else 5
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
MANY = int(sys.argv[3]) if len(sys.argv) > 3 else 0
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
rows = Rows()


def portkey(folder, port):
    """The process to run; None when npm cannot get it: the other rows stand without it."""
    if not shutil.which("npm"):
        return None
    where = pathlib.Path.home() / ".cache" / "agent-lightning" / "portkey"
    server = where / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    if not server.exists():
        where.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", str(where), "--silent", PORTKEY], check=False)
    if not server.exists():
        return None
    return running(
        ["node", str(server), f"--port={port}", "--headless"],
        cwd=folder,
        env=os.environ | {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def measure(name, port, token, clients, seconds=SECONDS, **settings):
    load = wrk("chat.lua", f"http://127.0.0.1:{port}/v1/chat/completions", clients, seconds, token=token, **settings)
    rows.add(name, clients, load)
    return load


def compare():
    for name in ("nginx proxy_pass", "agent-lightning", "Portkey"):
        rows.print_added(name, "upstream")
    for name in ("nginx proxy_pass", "Portkey"):
        rows.print_ratio("agent-lightning", name, CLIENTS)


def send_many(server, port):
    """Memory over many requests, every ten seconds."""
    sent = 0
    while sent < MANY:
        sent += int(measure("agent-lightning", port, server.token, CLIENTS, seconds=10).per_second * 10)
        print(f"after {sent} requests: {server.resident_mb():.1f} MB", flush=True)


def main():
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="agent-lightning-bench-"))
        upstream, proxy, other = free_port(), free_port(), free_port()
        upstream_url = f"http://127.0.0.1:{upstream}/v1"
        # Two processes, as they would be.
        stack.enter_context(nginx_answer(folder, upstream, json.dumps(ANSWER)))
        stack.enter_context(nginx_proxy(folder, proxy, upstream))
        if peer := portkey(folder, other):
            stack.enter_context(peer)
        settings = {"OPENAI_BASE_URL": upstream_url, "OPENAI_API_KEY": "sk-upstream", "LOG_LEVEL": "error"}
        server = stack.enter_context(Server(settings))
        ours = urlsplit(server.urls["ai-model"]).port
        for port in [upstream, proxy] + ([other] if peer else []):
            wait_until_listening(port)
        for _ in range(ROUNDS):
            for clients in (1, CLIENTS):
                measure("upstream", upstream, "none", clients)
                measure("nginx proxy_pass", proxy, "none", clients)
                measure("agent-lightning", ours, server.token, clients)
                if peer:
                    measure("Portkey", other, "sk-upstream", clients, custom_host=upstream_url)
        compare()
        if MANY:
            send_many(server, urlsplit(server.url).port)


main()
