"""Our rows and those they are compared with, measured in one run on one machine; see README.md."""

import collections
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from load import nginx, running, wait_until_listening, wrk
from support.postgres import Postgres, free_port
from support.redis import Redis
from support.server import Server

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 6
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
HERE = pathlib.Path(__file__).parent
CLIENTS = 32
AGENTS = 1000
CALL_TIMEOUT_S = 60
SEED = HERE.parent.parent / "shared" / "bench" / "seed_reference.py"
rows = collections.defaultdict(list)  # per second, one figure a round


def report(name, per_second, p50_ms=None, p99_ms=None, note=""):
    rows[name].append(per_second)
    times = f"p50 {p50_ms:7.3f} ms  p99 {p99_ms:7.3f} ms" if p50_ms is not None else " " * 32
    print(f"{name:58s} {per_second:10.0f}/s  {times}  {note}", flush=True)


def ratio(label, ours, theirs, aim):
    """Of figures of the same round: what slows the machine for minutes then slows both."""
    ratios = sorted(a / b for a, b in zip(rows[ours], rows[theirs]) if b > 0)
    if ratios:
        middle = statistics.median(ratios)
        print(f"{label:56s} {middle:6.1f}x  ({ratios[0]:.1f} to {ratios[-1]:.1f}; aim {aim})", flush=True)


def measure_load(name, script, url, path="", token=None):
    load = wrk(script, url, CLIENTS, SECONDS, path=path, **({"token": token} if token else {}))
    report(name, load.per_second, load.p50_ms, load.p99_ms, load.note)


def make_agents(server):
    with contextlib.closing(server.connect(timeout_s=CALL_TIMEOUT_S)) as connection:
        for n in range(1, AGENTS + 1):
            body = {"id": f"bench_{n}", "name": f"Bench {n}", "specialization": "bench", "max_concurrency": 100}
            connection.request("POST", "/api/v1/agents", json.dumps(body), server.headers)
            response = connection.getresponse()
            response.read()
            assert response.status == 201, response.status


def end_to_end(label, server):
    """Enqueue → claim → complete through the API with the real worker."""

    def asked(query):
        return server.api("GET", f"/tasks?{query}&limit=1", timeout_s=CALL_TIMEOUT_S)

    before = asked("status=completed&count=total")["total"]
    begin = time.monotonic()
    wrk("create_task.lua", server.url, CLIENTS, SECONDS, path="/api/v1/agents/", token=server.token)
    # Looked at seldom: counting a long table is work too.
    while any(asked(f"status={status}")["count"] for status in ("pending", "started")):
        time.sleep(0.25)
    took = time.monotonic() - begin
    done = asked("status=completed&count=total")["total"] - before
    report(f"{label}: task enqueue → claim → complete", done / took)


def event_latency(label, server, count=300):
    """From the writer's answer to the event at a client of the stream."""
    arrived, answered = {}, {}

    def read():
        while len(arrived) < count and (line := stream.fp.readline()):
            if line.startswith(b"data:"):
                arrived[json.loads(line[5:])["version"]] = time.perf_counter()

    listener, stream = server.open("GET", "/api/v1/events/stream?channel=agent:updated", timeout_s=CALL_TIMEOUT_S)
    with contextlib.closing(server.connect(timeout_s=CALL_TIMEOUT_S)) as writer, contextlib.closing(listener):
        thread = threading.Thread(target=read)
        thread.start()
        time.sleep(0.3)
        for n in range(count):
            writer.request("PUT", "/api/v1/agents/bench_1", json.dumps({"name": f"N{n}"}), server.headers)
            version = json.loads(writer.getresponse().read())["version"]
            answered[version] = time.perf_counter()
        thread.join(10)
        if thread.is_alive():
            listener.sock.shutdown(socket.SHUT_RDWR)
            thread.join()
        stream.close()
    delays = sorted((arrived[v] - answered[v]) * 1000 for v in answered if v in arrived)
    assert len(delays) == count, f"{len(delays)} of {count} events came"
    report(
        f"{label}: event at a subscriber, after the writer's answer",
        count / max(1e-9, sum(map(abs, delays)) / 1000),
        statistics.median(delays),
        delays[int(len(delays) * 0.99)],
        "negative: before the answer",
    )


def ours(label, environment):
    server = Server(environment={"LOG_LEVEL": "error", "WORKER_CONCURRENCY": "64"} | environment)
    try:
        begin = time.monotonic()
        server.start()
        print(f"{label}: first start, ready after {1000 * (time.monotonic() - begin):.0f} ms")
        make_agents(server)
        server.stop()
        begin = time.monotonic()
        server.start()
        print(f"{label}: later start, ready after {1000 * (time.monotonic() - begin):.0f} ms")
        measure_load(f"{label}: read one agent", "read_agent.lua", server.url, "/api/v1/agents/", server.token)
        listing = server.url + "/api/v1/agents?limit=10"
        measure_load(f"{label}: list ten agents", "get.lua", listing, token=server.token)
        event_latency(label, server)
        end_to_end(label, server)
        time.sleep(2)
        print(f"{label}: resident after the load {server.resident_mb():.1f} MB")
        server.stop()
        # Creating alone: the roles that run tasks are left out, as nobody else's row runs them.
        server.roles = ("gateway",)
        server.start()
        name = f"{label}: create a task and its event"
        measure_load(name, "create_task.lua", server.url, "/api/v1/agents/", server.token)
    finally:
        server.remove()


def memory_at_rest():
    server = Server(environment={"LOG_LEVEL": "error"})
    try:
        server.start()
        make_agents(server)
        with contextlib.closing(server.connect()) as connection:
            authorization = {"Authorization": "Bearer " + server.token}
            for n in range(10_000):
                connection.request("GET", f"/api/v1/agents/bench_{n % AGENTS + 1}", headers=authorization)
                connection.getresponse().read()
            time.sleep(3)
        print(f"SQLite: all roles at rest after 10,000 requests: {server.resident_mb():.1f} MB resident (aim < 40)")
    finally:
        server.remove()


def without_http():
    """Our own statement on SQLite: one commit each, and in groups, which is the limit for the row over HTTP."""
    out = subprocess.run(
        [
            str(HERE.parent / "build/release/bin/data_bench"),
            f"--benchmark_min_time={SECONDS}",
            "--benchmark_format=json",
        ],
        capture_output=True,
        check=True,
    ).stdout
    names = {"group:1/": "SQLite, one commit a task and event", "group:512/": "SQLite, groups, no HTTP"}
    for row in json.loads(out)["benchmarks"]:
        report(next(name for part, name in names.items() if part in row["name"]), row["items_per_second"])


def static_json():
    """Files of the size of an agent from nginx; nothing where there is none."""
    if not shutil.which("nginx"):
        return
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        root.chmod(0o755)
        (root / "agents").mkdir()
        for n in range(1, AGENTS + 1):
            (root / "agents" / f"bench_{n}").write_text(json.dumps({"id": f"bench_{n}", "name": "x" * 300}))
        port = free_port()
        configuration = f"""daemon off; pid {root}/pid; error_log {root}/error.log; worker_processes 2; user root;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nodelay on; open_file_cache max=2000; default_type application/json;
  keepalive_requests 1000000; client_body_temp_path {root}/b; proxy_temp_path {root}/p; fastcgi_temp_path {root}/f;
  uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
  server {{ listen 127.0.0.1:{port}; root {root}; }} }}"""
        with nginx(directory, "nginx", configuration):
            wait_until_listening(port, "/agents/bench_1")
            measure_load("nginx, static JSON", "read_agent.lua", f"http://127.0.0.1:{port}", "/agents/")


def pgbench(database):
    out = subprocess.run(
        [
            "pgbench",
            "-n",
            "-M",
            "prepared",
            "-c",
            str(CLIENTS),
            "-j",
            "2",
            "-T",
            str(int(SECONDS)),
            "-f",
            str(HERE / "task_create.pgbench.sql"),
            database,
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    report(
        "pgbench, single-row form of task.create in its frame",
        float(next(line for line in out.splitlines() if line.startswith("tps")).split()[2]),
    )


def seed_reference(postgres):
    """The design of the prototype's documents: FastAPI, SQLAlchemy, Redis, one process."""
    if not SEED.exists() or not shutil.which("redis-server"):
        print("the seeds' reference design is not here; its rows are left out")
        return
    environment_dir = HERE.parent / "build" / "bench-venv"
    if not (environment_dir / "bin" / "uvicorn").exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment_dir)], check=True)
        subprocess.run(
            [
                str(environment_dir / "bin" / "pip"),
                "install",
                "-q",
                "fastapi",
                "uvicorn[standard]",
                "sqlalchemy",
                "redis",
                "psycopg2-binary",
            ],
            check=True,
        )
    port = free_port()
    database = postgres.create_database("seedref").replace("postgresql:", "postgresql+psycopg2:", 1)
    command = [str(environment_dir / "bin" / "uvicorn"), "seed_reference:app", "--port", str(port)]
    command += ["--no-access-log", "--log-level", "error"]
    settings = os.environ | {"DATABASE_URL": database, "PYTHONDONTWRITEBYTECODE": "1"}
    with Redis(6379), running(command, cwd=SEED.parent, env=settings):
        wait_until_listening(port, "/agents")
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            for n in range(1, AGENTS + 1):
                body = {"id": f"bench_{n}", "name": "n", "model": "m", "specialization": "s"}
                connection.request("POST", "/agents", json.dumps(body), {"Content-Type": "application/json"})
                connection.getresponse().read()
        url = f"http://127.0.0.1:{port}"
        measure_load("the seeds' design: read one agent", "read_agent.lua", url, "/agents/")
        measure_load("the seeds' design: create a task, no event", "create_task.lua", url, "/agents/")


def measure():
    """Everything once. Rows that are compared stand next to each other."""
    with Postgres() as postgres:
        ours("SQLite", {})
        without_http()
        memory_at_rest()
        static_json()
        seed_reference(postgres)
        database = postgres.create_database("bench")
        ours("PostgreSQL", {"DATABASE_URL": database})
        pgbench(database)


def main():
    for number in range(ROUNDS):
        print(f"--- round {number + 1} of {ROUNDS}", flush=True)
        measure()
    print("--- median of the rounds' ratios")
    ratio(
        "read one agent, SQLite / the seeds' design",
        "SQLite: read one agent",
        "the seeds' design: read one agent",
        ">= 20",
    )
    ratio(
        "read one agent, PostgreSQL / the seeds' design",
        "PostgreSQL: read one agent",
        "the seeds' design: read one agent",
        ">= 20",
    )
    ratio("read one agent, SQLite / nginx", "SQLite: read one agent", "nginx, static JSON", "0.45")
    for kind in ("SQLite", "PostgreSQL"):
        ratio(
            f"create a task, {kind} / the seeds' design",
            f"{kind}: create a task and its event",
            "the seeds' design: create a task, no event",
            ">= 30",
        )
    ratio(
        "create a task, PostgreSQL / pgbench",
        "PostgreSQL: create a task and its event",
        "pgbench, single-row form of task.create in its frame",
        ">= 1.5",
    )
    ratio(
        "create a task, SQLite / the same without HTTP",
        "SQLite: create a task and its event",
        "SQLite, groups, no HTTP",
        "1",
    )
    ratio(
        "create a task, SQLite / one commit a row",
        "SQLite: create a task and its event",
        "SQLite, one commit a task and event",
        ">= 5",
    )


if __name__ == "__main__":
    main()
