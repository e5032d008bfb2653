"""Judges a journal by the state that is left: pure functions, no network and no clock.

The event log is the witness. An event's `correlation_id` is the operation that asked for the change, so each operation
can be found in it; the processes' own answers are then compared with the log.
"""

import bisect
import collections
import dataclasses
from collections.abc import Iterator

from support.journal import Entry

# What the event of an operation is called.
CHANNELS = {
    "create_task": "task:created",
    "cancel_task": "task:cancelled",
    "retry_task": "task:retried",
    "create_agent": "agent:created",
    "update_agent": "agent:updated",
    "delete_agent": "agent:deleted",
    "add_knowledge": "knowledge:added",
}
ENDS = {"task:completed": "completed", "task:failed": "failed", "task:cancelled": "cancelled"}
# The state after an event of a task, and those before it.
STEPS = {
    "task:created": ("pending", {""}),
    "task:updated": ("pending", {"pending"}),
    "task:started": ("started", {"pending"}),
    "task:progress": ("started", {"started"}),
    "task:completed": ("completed", {"started"}),
    "task:failed": ("failed", {"started", "pending"}),
    "task:cancelled": ("cancelled", {"pending", "started"}),
    "task:retried": ("pending", {"started", "failed", "cancelled"}),
    "task:released": ("pending", {"started"}),
}


@dataclasses.dataclass(frozen=True)
class Violation:
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclasses.dataclass(frozen=True)
class Event:
    id: str
    key: str
    version: int
    channel: str
    op: str
    mark: str = ""  # of an agent: the operation that its `config` names
    attempt: int = 0  # of a task


@dataclasses.dataclass(frozen=True)
class Bounds:
    """How long after its acknowledgement others may not see a write yet."""

    visible_s: float = 0.1
    visible_after_fault_s: float = 1.0
    # How long after the end of a fault the longer bound holds.
    settle_s: float = 2.0


@dataclasses.dataclass(frozen=True)
class FinalState:
    """What is left when nothing runs any more."""

    events: list[Event]  # the whole log, in its order
    views: dict[str, dict[str, tuple[int, str]]]  # by process and key: version and state, of all that is there
    answered_by: dict[str, list[int]]  # by task: the attempts whose answers are in its trace
    overdue: list[str] = dataclasses.field(default_factory=list)  # tasks still started past lease and sweep
    # By live stream: the events before its start. Not how many: one that was still uncommitted lies between them.
    tails: dict[str, set[str]] = dataclasses.field(default_factory=dict)


def check(entries: list[Entry], final: FinalState, bounds: Bounds = Bounds()) -> list[Violation]:
    by_key = collections.defaultdict(list)
    for event in final.events:
        by_key[event.key].append(event)
    return [
        *check_log(by_key, final.events),
        *check_operations(entries, final.events),
        *check_order(entries),
        *check_tasks(by_key, final),
        *check_views(by_key, final.views),
        *check_reads(entries, by_key, bounds),
        *check_tails(entries, final),
    ]


def check_log(by_key: dict[str, list[Event]], events: list[Event]) -> Iterator[Violation]:
    for id, count in collections.Counter(event.id for event in events).items():
        if count > 1:
            yield Violation("doubled event", f"{id} comes {count} times")
    for key, history in by_key.items():
        versions = [event.version for event in history]
        if versions != list(range(1, len(versions) + 1)):
            yield Violation("gap", f"{key} has the versions {versions}")


def outcomes(entries: list[Entry]) -> dict[str, tuple[Entry, Entry | None]]:
    """Each operation and how it ended; None and `info` are the same."""
    out: dict[str, tuple[Entry, Entry | None]] = {}
    for entry in entries:
        if entry["e"] == "invoke":
            out[entry["op"]] = (entry, None)
        elif entry["e"] in ("ok", "fail"):
            out[entry["op"]] = (out[entry["op"]][0], entry)
    return out


def is_told(end: Entry, effect: Event) -> bool:
    """Who had to ask again is told how the thing is by then."""
    is_version = end["version"] >= effect.version if end.get("repeated") else end["version"] == effect.version
    return is_version and end["key"] == effect.key


def check_operations(entries: list[Entry], events: list[Event]) -> Iterator[Violation]:
    done = collections.defaultdict(list)
    for event in events:
        done[event.op, event.channel].append(event)
    for op, (invoke, end) in outcomes(entries).items():
        effects = done[op, CHANNELS[invoke["kind"]]]
        what = f"{invoke['kind']} {op}"
        if len(effects) > 1:
            yield Violation("doubled", f"{what} was done {len(effects)} times")
        elif end and end["e"] == "ok" and not effects:
            yield Violation("lost", f"{what} was acknowledged and is not there: {end.get('key')}")
        elif end and end["e"] == "fail" and effects:
            yield Violation("phantom", f"{what} was refused and is there: {effects[0].key}")
        if not effects:
            continue
        effect = effects[0]
        if end and end["e"] == "ok" and not is_told(end, effect):
            told = f"{end['key']} version {end['version']}"
            yield Violation("mismatch", f"{what} was acknowledged as {told}, is {effect.key} version {effect.version}")
        if invoke.get("expect") and effect.version != invoke["expect"] + 1:
            yield Violation("lost update", f"{what} was for version {invoke['expect']}, became {effect.version}")


def check_order(entries: list[Entry]) -> Iterator[Violation]:
    """What was acknowledged before another write of the same thing began has the lower version."""
    acknowledged = collections.defaultdict(list)
    for invoke, end in outcomes(entries).values():
        if end and end["e"] == "ok":
            acknowledged[end["key"]].append((invoke["t"], end["t"], end["version"], invoke["op"]))
    for key, writes in acknowledged.items():
        by_end = sorted(writes, key=lambda write: write[1])
        highest, at = 0, 0
        for began, _, version, op in sorted(writes):
            while at < len(by_end) and by_end[at][1] < began:
                highest, at = max(highest, by_end[at][2]), at + 1
            if version <= highest:
                yield Violation("order", f"{op} made version {version} of {key} after {highest} was acknowledged")


def check_tasks(by_key: dict[str, list[Event]], final: FinalState) -> Iterator[Violation]:
    for key, history in by_key.items():
        if not key.startswith("task:"):
            continue
        state, attempt = "", 0
        for event in history:
            after, before = STEPS.get(event.channel, ("", set()))
            if state not in before:
                yield Violation("illegal", f"{key}: {event.channel} while it was '{state}'")
            expected = attempt + (event.channel == "task:started") - (event.channel == "task:released")
            if event.attempt != expected:
                yield Violation("illegal", f"{key}: {event.channel} of attempt {event.attempt}, expected {expected}")
            state, attempt = after, event.attempt
        if state not in ENDS.values():
            yield Violation("no end", f"{key} was left '{state}'")
        answers = final.answered_by.get(key)
        if state == "completed" and answers is not None and answers != [attempt]:
            yield Violation("stale answer", f"{key} ended in attempt {attempt}, its answers are of attempts {answers}")
    for key in final.overdue:
        yield Violation("stuck", f"{key} was still started past lease and sweep")


def check_views(by_key: dict[str, list[Event]], views: dict[str, dict[str, tuple[int, str]]]) -> Iterator[Violation]:
    """Every process shows every thing as the log says it is."""
    expected = {}
    for key, history in by_key.items():
        last = history[-1]
        if not last.channel.endswith(":deleted"):
            expected[key] = (last.version, STEPS[last.channel][0] if last.channel in STEPS else last.mark)
    for name, view in views.items():
        kinds = {key.partition(":")[0] for key in view}
        for key in expected.keys() | view.keys():
            if key.partition(":")[0] in kinds and view.get(key) != expected.get(key):
                yield Violation("differs", f"{name} shows {key} as {view.get(key)}, the log says {expected.get(key)}")


def fault_times(entries: list[Entry], settle_s: float) -> list[tuple[float, float]]:
    out, begun = [], None
    for entry in entries:
        if entry["e"] != "fault":
            continue
        if entry["phase"] == "begin":
            begun = entry["t"] if begun is None else begun
        elif entry["phase"] == "recovered" and begun is not None:
            out.append((begun, entry["t"] + settle_s))
            begun = None
    return out if begun is None else [*out, (begun, float("inf"))]


def check_reads(entries: list[Entry], by_key: dict[str, list[Event]], bounds: Bounds) -> Iterator[Violation]:
    times, highest = collections.defaultdict(list), collections.defaultdict(lambda: [0])
    for entry in entries:
        if entry["e"] == "ok":
            times[entry["key"]].append(entry["t"])
            highest[entry["key"]].append(max(highest[entry["key"]][-1], entry["version"]))
    faults = fault_times(entries, bounds.settle_s)
    for read in entries:
        if read["e"] != "read":
            continue
        is_calm = not any(begin <= read["began"] <= end for begin, end in faults)
        bound = 0.0 if read["no_cache"] else bounds.visible_s if is_calm else bounds.visible_after_fault_s
        least = highest[read["key"]][bisect.bisect_left(times[read["key"]], read["began"] - bound)]
        yield from check_read(read, least, bound, by_key.get(read["key"], []))


def check_read(read: Entry, least: int, bound: float, history: list[Event]) -> Iterator[Violation]:
    what = f"{read['via']} showed {read['key']}"
    if read["version"] == 0:
        gone = (e.version for e in history if e.channel.endswith(":deleted"))
        if least > 0 and not any(version >= least for version in gone):
            yield Violation("stale read", f"{what} as absent {bound} s after version {least} was acknowledged")
    elif read["version"] > len(history):
        yield Violation("phantom read", f"{what} at version {read['version']}, which never was")
    elif history[read["version"] - 1].mark != read["mark"]:
        yield Violation("torn read", f"{what} at version {read['version']} with the content of another one")
    elif read["version"] < least:
        yield Violation("stale read", f"{what} at version {read['version']} {bound} s after {least} was acknowledged")


def check_tails(entries: list[Entry], final: FinalState) -> Iterator[Violation]:
    """A live stream has each event once, those of one thing in order, from its start to the end of the log."""
    seen = collections.defaultdict(list)
    for entry in entries:
        if entry["e"] == "seen":
            seen[entry["tail"]].append(entry)
    for tail, known in final.tails.items():
        ids = collections.Counter(entry["id"] for entry in seen[tail])
        doubled = [id for id, count in ids.items() if count > 1]
        missing = [event.id for event in final.events if event.id not in ids and event.id not in known]
        if doubled:
            yield Violation("tail doubled", f"{tail} got {len(doubled)} events twice, for example {doubled[0]}")
        if missing:
            yield Violation("tail gap", f"{tail} never got {len(missing)} events, for example {missing[0]}")
        last: dict[str, int] = {}
        for entry in seen[tail]:
            before = last.get(entry["key"], entry["version"] - 1)
            if entry["version"] != before + 1 and ids[entry["id"]] == 1:
                yield Violation("tail order", f"{tail}: {entry['key']} version {entry['version']} after {before}")
            last[entry["key"]] = entry["version"]
