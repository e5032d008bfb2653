"""What the suites share that kill the server."""

import os
import random
import time

from support.server import Server

KILLS = int(os.environ.get("KILLS", "5"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))
RECOVERY_TIMEOUT_S = 60


def get(server: Server, path: str) -> dict:
    """Waits longer than others: a server that was just killed has work to take up again."""
    return server.api("GET", path, timeout_s=RECOVERY_TIMEOUT_S)


def open_tasks(server: Server) -> int:
    totals = (get(server, f"/tasks?limit=1&count=total&status={status}") for status in ("pending", "started"))
    return sum(page["total"] for page in totals)


def wait_until_all_ended(server: Server, timeout_s: float) -> int:
    """How many tasks are left when the time is up; 0 as soon as all have ended."""
    limit = time.monotonic() + timeout_s
    while (left := open_tasks(server)) and time.monotonic() < limit:
        time.sleep(0.1)
    return left
