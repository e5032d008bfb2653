"""What clients asked for and were told, in an append-only file: one JSON object a line, each with its time.

| `e` | says |
|---|---|
| `invoke` | operation `op` of `kind` is about to be sent to process `via`; what it names, and the version it expects |
| `ok`, `fail`, `info` | it was acknowledged, with key and version; refused; nobody knows |
| `read` | what process `via` showed of `key`: `version` (0: not there) and `mark`, asked for at `began` |
| `seen` | an event that came out of a live stream |
| `fault` | a fault begins, ends, or the platform has recovered from it |

A key is a kind and an aggregate's id as in the event log, `task:01a2…`. Times are of this machine's monotonic clock.
"""

import json
import os
import pathlib
import threading
import time
from typing import Any

SYNC_EVERY_LINES = 100

Entry = dict[str, Any]


class Journal:
    """Any thread may write. A line is in the file before `write` returns, and synced soon after."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        self.file = open(path, "a", encoding="utf-8")
        self.lock = threading.Lock()
        self.lines = 0

    def write(self, e: str, **fields: Any) -> float:
        """The time of the line."""
        with self.lock:
            now = time.monotonic()
            self.file.write(json.dumps({"t": now, "e": e} | fields) + "\n")
            self.file.flush()
            self.lines += 1
            if self.lines % SYNC_EVERY_LINES == 0:
                os.fsync(self.file.fileno())
        return now

    def entries(self) -> list[Entry]:
        with self.lock:
            self.file.flush()
            os.fsync(self.file.fileno())
        with open(self.path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def close(self) -> None:
        self.file.close()
