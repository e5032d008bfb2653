"""A workload, the faults that are done to the platform meanwhile, and the judgement at the end."""

import collections
import datetime
import os
import pathlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Self

from support.checker import Bounds, FinalState, Violation, check, outcomes
from support.cluster import Cluster
from support.journal import Entry, Journal
from support.torture import SEED
from support.workload import Endpoint, Workload

LEASE_S, SWEEP_S = 5, 2
OVERDUE_AFTER_S = LEASE_S + SWEEP_S + 3
OPERATIONS_PER_FAULT = int(os.environ.get("OPERATIONS_PER_FAULT", "60"))
LOAD_TIMEOUT_S = 20
RECOVERY_MAX_S = float(os.environ.get("RECOVERY_MAX_S", "10"))
RECOVERY_TIMEOUT_S = 60
DRAIN_TIMEOUT_S = 180
TAIL_TIMEOUT_S = 5
VISIBLE_S = float(os.environ.get("VISIBLE_MS", "100")) / 1000


def endpoints_of(cluster: Cluster) -> list[Endpoint]:
    return [Endpoint(member, member.role, member.name) for member in cluster.members if member.has_port]


class Ordeal:
    """As a context it runs the workload; `finish` ends it and judges. Faults come from one thread, one at a time."""

    def __init__(
        self,
        name: str,
        endpoints: Iterable[Endpoint],
        seed: int = SEED,
        fresh_keys: bool = False,
        drain_s: float = DRAIN_TIMEOUT_S,
    ):
        self.drain_s = drain_s
        self.name, self.seed, self.choose = name, seed, random.Random(seed)
        self.directory = tempfile.TemporaryDirectory(prefix="agent-lightning-journal-")
        self.journal = Journal(pathlib.Path(self.directory.name, "journal"))
        self.workload = Workload(endpoints, self.journal, seed, fresh_keys=fresh_keys)
        self.faults: collections.Counter[str] = collections.Counter()
        self.recoveries: list[tuple[float, str]] = []
        self.notes: list[str] = []
        self.entries: list[Entry] = []
        self.final: FinalState | None = None
        self.bounds = Bounds(visible_s=VISIBLE_S)

    def __enter__(self) -> Self:
        try:
            self.workload.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.workload.stopping.set()
        self.workload.tails_stopping.set()
        self.workload.close()
        self.journal.close()
        self.directory.cleanup()

    def load(self) -> None:
        """Until enough has been done that the next fault hits something."""
        enough, limit = self.workload.operations() + OPERATIONS_PER_FAULT, time.monotonic() + LOAD_TIMEOUT_S
        while self.workload.operations() < enough and time.monotonic() < limit:
            time.sleep(0.002)
        time.sleep(self.choose.uniform(0, 0.05))

    def fault(self, kind: str, strike: Callable[[], object], heal: Callable[[], object], hold_s: float = 0.0) -> None:
        self.load()
        self.faults[kind] += 1
        self.journal.write("fault", kind=kind, phase="begin")
        try:
            strike()
            time.sleep(hold_s)
        finally:
            ended = self.journal.write("fault", kind=kind, phase="end")
            heal()
        self.wait_until_recovered()
        recovered = self.journal.write("fault", kind=kind, phase="recovered")
        self.recoveries.append((recovered - ended, kind))

    def wait_until_recovered(self) -> None:
        """Every process is ready, and a new task is done."""
        limit = time.monotonic() + RECOVERY_TIMEOUT_S
        waiting, probe = list(self.workload.endpoints), ""
        while waiting or not self.is_done(probe):
            if time.monotonic() > limit:
                raise AssertionError(self.not_recovered(waiting, probe))
            waiting = [end for end in waiting if self.workload.caller.call(end, "GET", "/ready")[0] != 200]
            if not waiting and not probe:
                probe = self.workload.probe.create_task()
            time.sleep(0.02)

    def not_recovered(self, waiting: list[Endpoint], probe: str) -> str:
        """What of it is stuck: a process, the task, or all tasks behind many others."""
        if waiting:
            return f"not recovered: {[end.name for end in waiting]} not ready"
        to = self.workload.designers[0]
        headers = {"Cache-Control": "no-cache"}
        shown = self.workload.caller.call(to, "GET", f"/tasks/{probe}", headers=headers)[1] if probe else "not created"
        counts = [f"{self.workload.count_tasks(to, state)} {state}" for state in ("pending", "started", "completed")]
        return f"not recovered: the task is {shown}; there are {', '.join(counts)}"

    def is_done(self, task: str) -> bool:
        to = self.workload.designer(self.choose)
        shown = self.workload.caller.call(to, "GET", f"/tasks/{task}")[1] if task else None
        return bool(shown) and shown.get("status") in ("completed", "failed", "cancelled")

    def finish(self) -> list[Violation]:
        self.workload.stop_writes()
        overdue = self.drain()
        events, _ = self.workload.read_log()
        known = {event.id for event in self.workload.known_at_start}
        self.workload.stop_tails(len(events) - len(known), TAIL_TIMEOUT_S)
        self.final = FinalState(
            events=events,
            views={end.name: self.workload.view(end) for end in self.workload.designers},
            answered_by=self.workload.answered_by(events),
            overdue=overdue,
            tails={tail.name: known for tail in self.workload.tails},
        )
        self.entries = self.journal.entries()
        violations = check(self.entries, self.final, self.bounds)
        slow = [(seconds, kind) for seconds, kind in self.recoveries if seconds > RECOVERY_MAX_S]
        violations += [Violation("slow recovery", f"{seconds:.1f} s after {kind}") for seconds, kind in slow]
        print("\n" + self.report(violations))
        return violations

    def drain(self) -> list[str]:
        """Waits for what is open. Answers the tasks that were started before and are so past lease and sweep."""
        begun, healed = time.monotonic(), datetime.datetime.now(datetime.UTC).isoformat()
        overdue: list[str] = []
        is_judged = False
        while left := self.workload.open_tasks():
            age = time.monotonic() - begun
            if age > OVERDUE_AFTER_S and not is_judged:
                is_judged = True
                overdue = [f"task:{t['id']}" for t in left if t["status"] == "started" and t["started_at"] < healed]
            if age > self.drain_s:
                break  # the checker names what has no end
            time.sleep(0.1)
        return overdue

    def report(self, violations: list[Violation]) -> str:
        ends = outcomes(self.entries)
        told = collections.Counter(end["e"] if end else "unknown" for _, end in ends.values())
        reads = sum(entry["e"] == "read" for entry in self.entries)
        resumed = sum(max(tail.opened - 1, 0) for tail in self.workload.tails)
        starts = sum(event.channel == "task:started" for event in self.final.events)
        tasks = sum(event.channel == "task:created" for event in self.final.events)
        faults = ", ".join(f"{count} {kind}" for kind, count in self.faults.items()) or "no faults"
        total = sum(self.faults.values())
        longest, after = max(self.recoveries, default=(0.0, "-"))
        typical = statistics.median(seconds for seconds, _ in self.recoveries) if self.recoveries else 0.0
        kinds = ", ".join(f"{n} {kind}" for kind, n in collections.Counter(v.kind for v in violations).items())
        return (
            f"{self.name}, seed {self.seed}: {faults}; operations: {told['ok']} acknowledged, {told['fail']} refused, "
            f"{told['unknown']} unknown; {tasks} tasks begun {starts} times; {reads} reads elsewhere; "
            f"{len(self.final.events)} events, streams resumed {resumed} times; recovery {typical:.1f} s, longest "
            f"{longest:.1f} s after {after}; {''.join(note + '; ' for note in self.notes)}"
            f"{len(violations)} violations{': ' + kinds if kinds else ''}; "
            f"a violation in one fault is below {min(1.0, 3 / total) if total else 1:.3f} (95 %)"
        )
