"""Tasks through the queue: single creates in one process, two workers in others, a handler that does nothing. Ours
fresh, ours behind a million finished tasks while a transaction stays open, graphile-worker and BullMQ, in the same
rounds. And how long an event takes from its writer's answer to a handler in another process."""

import collections
import contextlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from support.postgres import Postgres
from support.redis import Redis

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
HERE = pathlib.Path(__file__).parent
QUEUE = os.environ["AGENT_LIGHTNING_QUEUE"]
AGENTS = 50
CALLERS = 128
WORKERS = 2
CONCURRENCY = 100
FINISHED = 1_000_000
# Peers do fewer in the same time.
PEER_COUNT = max(COUNT // 5, 1000)
PACKAGES = ["graphile-worker@0.16.6", "bullmq@5.41.0", "ioredis@5.4.1"]
PATIENCE_S = 600
rows = collections.defaultdict(list)

OPEN = "SELECT count(*) FROM agent_lightning.tasks WHERE status IN ('pending', 'started')"
FINISHED_ROWS = f"""
INSERT INTO agent_lightning.tasks (tenant_id, id, agent_id, description, status, priority, context, result, attempt,
  max_attempts, timeout_seconds, created_by, version, created_at, started_at, completed_at, correlation_id,
  available_at, epoch)
SELECT 'default', gen_random_uuid(), 'bench_' || i % {AGENTS}, 'nothing to do', 'completed', 'normal', '{{}}',
  '{{"text":"done"}}', 1, 3, 300, 'bench', 3, now() - interval '1 hour', now() - interval '1 hour',
  now() - interval '1 hour', 'c', now() - interval '1 hour', 1
FROM generate_series(1, {FINISHED}) AS i"""


@contextlib.contextmanager
def running(commands, **options):
    """Processes that end when their input does."""
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, **options) for command in commands]
    try:
        yield
    finally:
        for process in processes:
            process.stdin.close()
        for process in processes:
            process.wait(60)


def timed(name, count, produce, left):
    """Seconds from the first create until nothing is left."""
    begun = time.monotonic()
    subprocess.run(produce, check=True, cwd=produce_folder(produce))
    created = time.monotonic() - begun
    while left() > 0:
        if time.monotonic() - begun > PATIENCE_S:
            raise AssertionError(f"{name}: {left()} of {count} are still there after {PATIENCE_S} s")
        time.sleep(0.02)
    took = time.monotonic() - begun
    rows[name].append(count / took)
    print(f"{name:44s} {count / took:9.0f}/s   (created at {count / created:.0f}/s)", flush=True)


def produce_folder(command):
    return str(node_folder()) if command[0] == "node" else None


def ours(server, redis, name, database, prepare=None):
    url = server.create_database(database)
    subprocess.run([QUEUE, "setup", url, str(AGENTS)], check=True)
    around = prepare(server, database) if prepare else contextlib.nullcontext()
    with around, running([[QUEUE, "work", url, redis.url, str(CONCURRENCY)]] * WORKERS):
        time.sleep(0.5)
        produce = [QUEUE, "produce", url, redis.url, str(AGENTS), str(COUNT), str(CALLERS)]
        timed(name, COUNT, produce, lambda: int(server.query(database, OPEN)))
    server.query("postgres", f'DROP DATABASE "{database}"')


def behind_finished(server, database):
    server.query(database, FINISHED_ROWS)
    server.query(database, "VACUUM ANALYZE")
    # Its snapshot holds back every vacuum.
    return server.open_transaction(database, "SELECT count(*) FROM pg_class")


def node_folder():
    return pathlib.Path.home() / ".cache" / "agent-lightning" / "queue-peers"


def have_peers():
    if not shutil.which("npm"):
        return False
    folder = node_folder()
    if not (folder / "node_modules" / "bullmq").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", str(folder), "--silent", *PACKAGES], check=False)
    for script in HERE.glob("queue_*.mjs"):
        shutil.copy(script, folder)
    return (folder / "node_modules" / "bullmq").exists()


def graphile(server, name, database):
    url = server.create_database(database)
    node = ["node", "queue_graphile.mjs"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": node_folder()}
    subprocess.run([*node, "setup", url], check=True, **quiet)
    with running([[*node, "work", url, str(CONCURRENCY)]] * WORKERS, **quiet):
        time.sleep(1)
        left = "SELECT count(*) FROM graphile_worker._private_jobs"
        timed(name, PEER_COUNT, [*node, "produce", url, str(PEER_COUNT), str(CALLERS)],
              lambda: int(server.query(database, left)))  # fmt: skip
    server.query("postgres", f'DROP DATABASE "{database}"')


def bullmq(port, name):
    node = ["node", "queue_bullmq.mjs"]
    cli = ["redis-cli", "-p", str(port)]
    subprocess.run([*cli, "FLUSHALL"], check=True, stdout=subprocess.DEVNULL)

    def left():
        done = subprocess.run([*cli, "GET", "done"], check=True, capture_output=True, text=True).stdout.strip()
        return PEER_COUNT - int(done or 0)

    with running([[*node, "work", str(port), str(CONCURRENCY)]] * WORKERS, cwd=node_folder()):
        time.sleep(1)
        timed(name, PEER_COUNT, [*node, "produce", str(port), str(PEER_COUNT), str(CALLERS)], left)


def latency(server, redis, name, database):
    """Milliseconds from the answer of a create to the handler in another process, at an even thousand a second."""
    url = server.create_database(database)
    subprocess.run([QUEUE, "setup", url, str(AGENTS)], check=True)
    with tempfile.TemporaryFile("w+") as lines:  # a pipe that nobody reads would stop it
        with running([[QUEUE, "listen", url, redis.url]], stdout=lines):
            time.sleep(0.5)
            pace = [QUEUE, "pace", url, redis.url, str(AGENTS), "1000", "5000"]
            paced = subprocess.run(pace, check=True, capture_output=True, text=True).stdout
        lines.seek(0)
        heard = lines.read()
    answered = dict(line.split() for line in paced.splitlines())
    handled = dict(line.split() for line in heard.splitlines())
    missing = answered.keys() - handled.keys()
    if missing:
        raise AssertionError(f"{len(missing)} of {len(answered)} events were never handled")
    # The event may be there before its writer has its answer.
    took = sorted(max(0, int(handled[task]) - int(at)) / 1e6 for task, at in answered.items())
    p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
    print(f"{name:44s} p50 {p50:6.2f} ms  p99 {p99:6.2f} ms   (aim 1 and 2)", flush=True)
    server.query("postgres", f'DROP DATABASE "{database}"')


def main():
    peers = have_peers()
    with Postgres() as server, Redis() as redis:
        for i in range(ROUNDS):
            latency(server, redis, "event commit to handler, 1000/s", f"latency_{i}")
            ours(server, redis, "agent-lightning", f"fresh_{i}")
            ours(server, redis, "the same, 1M finished, open transaction", f"old_{i}", behind_finished)
            if peers:
                graphile(server, "graphile-worker (PostgreSQL)", f"graphile_{i}")
                bullmq(redis.port, "BullMQ (Redis, not durable)")
    print()
    for other in list(rows)[1:]:
        ratios = [b / a if "same" in other else a / b
                  for a, b in zip(rows["agent-lightning"], rows[other], strict=True)]  # fmt: skip
        print(f"{other:44s} {'' if 'same' in other else 'ours / theirs '}{statistics.median(ratios):6.2f}x"
              f"  ({min(ratios):.2f} to {max(ratios):.2f})")  # fmt: skip
    print(f"{'agent-lightning':44s} {statistics.median(rows['agent-lightning']):9.0f}/s (aim 5000)")


main()
