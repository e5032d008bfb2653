"""Our rows and those they are compared with, measured in one run on one machine; see README.md."""

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
import threading
import time
from urllib.parse import urlsplit

from support.postgres import Postgres, free_port
from support.server import Server

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 6
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
HERE = pathlib.Path(__file__).parent
CLIENTS = 32
AGENTS = 1000
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


def wrk(name, script, base, path, token, clients=CLIENTS):
    environment = os.environ | {"BENCH_PATH": path}
    environment.pop("BENCH_TOKEN", None)
    if token:
        environment["BENCH_TOKEN"] = token
    out = subprocess.run(
        ["wrk", "-t1", f"-c{clients}", f"-d{int(SECONDS)}s", "-s", str(HERE / script), "--latency", base],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    fields = next(line for line in out.splitlines() if line.startswith("RESULT")).split()
    per_second, p50, p99, bad = float(fields[1]), float(fields[2]), float(fields[3]), int(fields[4])
    report(name, per_second, p50, p99, f"{bad} errors" if bad else "")


def call(server, method, path, body=None):
    url = urlsplit(server.url)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    connection.request(
        method,
        path,
        json.dumps(body) if body is not None else None,
        {"Authorization": "Bearer " + server.token, "Content-Type": "application/json"},
    )
    response = connection.getresponse()
    text = response.read()
    connection.close()
    assert response.status < 300, (method, path, response.status, text[:300])
    return json.loads(text)


def make_agents(server):
    url = urlsplit(server.url)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    for n in range(1, AGENTS + 1):
        body = {"id": f"bench_{n}", "name": f"Bench {n}", "specialization": "bench", "max_concurrency": 100}
        connection.request(
            "POST",
            "/api/v1/agents",
            json.dumps(body),
            {"Authorization": "Bearer " + server.token, "Content-Type": "application/json"},
        )
        response = connection.getresponse()
        response.read()
        assert response.status == 201, response.status
    connection.close()


def end_to_end(label, server):
    """Enqueue → claim → complete through the API with the real worker."""
    before = call(server, "GET", "/api/v1/tasks?status=completed&count=total&limit=1")["total"]
    begin = time.monotonic()
    subprocess.run(
        ["wrk", "-t1", f"-c{CLIENTS}", f"-d{int(SECONDS)}s", "-s", str(HERE / "create_task.lua"), server.url],
        env=os.environ | {"BENCH_PATH": "/api/v1/agents/", "BENCH_TOKEN": server.token},
        capture_output=True,
        check=True,
    )
    # Looked at seldom: counting a long table is work too.
    while any(call(server, "GET", f"/api/v1/tasks?status={s}&limit=1")["count"] for s in ("pending", "started")):
        time.sleep(0.25)
    took = time.monotonic() - begin
    done = call(server, "GET", "/api/v1/tasks?status=completed&count=total&limit=1")["total"] - before
    report(f"{label}: task enqueue → claim → complete", done / took)


def event_latency(label, server, count=300):
    """From just before the commit's request to the event at an SSE client: an upper bound of commit → subscriber."""
    url = urlsplit(server.url)
    stream = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    stream.request(
        "GET", "/api/v1/events/stream?channel=agent:updated", headers={"Authorization": "Bearer " + server.token}
    )
    reader = stream.getresponse()
    arrived = {}

    def read():
        while len(arrived) < count:
            line = reader.fp.readline()
            if not line:
                return
            if line.startswith(b"data:"):
                arrived[json.loads(line[5:])["version"]] = time.perf_counter()

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    time.sleep(0.3)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    answered = {}
    for n in range(count):
        connection.request(
            "PUT",
            "/api/v1/agents/bench_1",
            json.dumps({"name": f"N{n}"}),
            {"Authorization": "Bearer " + server.token, "Content-Type": "application/json"},
        )
        version = json.loads(connection.getresponse().read())["version"]
        answered[version] = time.perf_counter()
    thread.join(10)
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
        wrk(f"{label}: read one agent", "read_agent.lua", server.url, "/api/v1/agents/", server.token)
        wrk(f"{label}: list ten agents", "get.lua", server.url + "/api/v1/agents?limit=10", "", server.token)
        event_latency(label, server)
        end_to_end(label, server)
        time.sleep(2)
        print(f"{label}: resident after the load {server.resident_mb():.1f} MB")
        server.stop()
        # Creating alone: the roles that run tasks are left out, as nobody else's row runs them.
        server.roles = ("gateway",)
        server.start()
        wrk(f"{label}: create a task and its event", "create_task.lua", server.url, "/api/v1/agents/", server.token)
    finally:
        server.remove()


def memory_at_rest():
    server = Server(environment={"LOG_LEVEL": "error"})
    try:
        server.start()
        make_agents(server)
        url = urlsplit(server.url)
        connection = http.client.HTTPConnection(url.hostname, url.port)
        for n in range(10_000):
            connection.request(
                "GET", f"/api/v1/agents/bench_{n % AGENTS + 1}", headers={"Authorization": "Bearer " + server.token}
            )
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


def nginx():
    if not shutil.which("nginx"):
        return
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        root.chmod(0o755)
        (root / "agents").mkdir()
        for n in range(1, AGENTS + 1):
            (root / "agents" / f"bench_{n}").write_text(json.dumps({"id": f"bench_{n}", "name": "x" * 300}))
        port = free_port()
        config = root / "nginx.conf"
        config.write_text(f"""daemon off; pid {root}/pid; error_log {root}/error.log; worker_processes 2; user root;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nodelay on; open_file_cache max=2000; default_type application/json;
  keepalive_requests 1000000; client_body_temp_path {root}/b; proxy_temp_path {root}/p; fastcgi_temp_path {root}/f;
  uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
  server {{ listen 127.0.0.1:{port}; root {root}; }} }}""")
        process = subprocess.Popen(["nginx", "-c", str(config)], stderr=subprocess.DEVNULL)
        try:
            time.sleep(1)
            wrk("nginx, static JSON", "read_agent.lua", f"http://127.0.0.1:{port}", "/agents/", None)
        finally:
            process.terminate()
            process.wait(10)


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
    redis = subprocess.Popen(
        ["redis-server", "--port", "6379", "--bind", "127.0.0.1", "--save", ""], stdout=subprocess.DEVNULL
    )
    server = subprocess.Popen(
        [
            str(environment_dir / "bin" / "uvicorn"),
            "seed_reference:app",
            "--port",
            str(port),
            "--no-access-log",
            "--log-level",
            "error",
        ],
        cwd=SEED.parent,
        env=os.environ | {"DATABASE_URL": database, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    try:
        for _ in range(100):
            try:
                http.client.HTTPConnection("127.0.0.1", port, timeout=2).request("GET", "/agents")
                break
            except OSError:
                time.sleep(0.1)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for n in range(1, AGENTS + 1):
            connection.request(
                "POST",
                "/agents",
                json.dumps({"id": f"bench_{n}", "name": "n", "model": "m", "specialization": "s"}),
                {"Content-Type": "application/json"},
            )
            connection.getresponse().read()
        wrk("the seeds' design: read one agent", "read_agent.lua", f"http://127.0.0.1:{port}", "/agents/", None)
        wrk(
            "the seeds' design: create a task, no event",
            "create_task.lua",
            f"http://127.0.0.1:{port}",
            "/agents/",
            None,
        )
    finally:
        for process in (server, redis):
            process.terminate()
            process.wait(15)


def measure():
    """Everything once. Rows that are compared stand next to each other."""
    postgres = Postgres()
    postgres.start()
    try:
        ours("SQLite", {})
        without_http()
        memory_at_rest()
        nginx()
        seed_reference(postgres)
        database = postgres.create_database("bench")
        ours("PostgreSQL", {"DATABASE_URL": database})
        pgbench(database)
    finally:
        postgres.remove()


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
