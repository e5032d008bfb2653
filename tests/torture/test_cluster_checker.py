"""The checker of the cluster's tests: what is right passes, and each kind of violation is found."""

import dataclasses
import pathlib
import tempfile
import unittest

from support.checker import Bounds, Event, FinalState, check
from support.journal import Journal

BOUNDS = Bounds(visible_s=0.1, visible_after_fault_s=1.0, settle_s=2.0)


def entry(t, e, **fields):
    return {"t": t, "e": e} | fields


def invoke(t, op, kind, key="", expect=0):
    return entry(t, "invoke", op=op, kind=kind, key=key, expect=expect, via="a")


def ok(t, op, key, version):
    return entry(t, "ok", op=op, key=key, version=version, via="a")


def read(began, key, version, mark="", no_cache=False):
    return entry(began + 0.01, "read", key=key, via="b", began=began, version=version, mark=mark, no_cache=no_cache)


def seen(t, id, key, version):
    return entry(t, "seen", tail="t", id=id, key=key, version=version)


def task(id, version, channel, attempt, op="c.1"):
    return Event(id=id, key="task:1", version=version, channel=channel, op=op, attempt=attempt)


# One task that was tried twice, and one agent that was created, updated and deleted.
EVENTS = [
    Event(id="e1", key="agent:x", version=1, channel="agent:created", op="c.0", mark="c.0"),
    task("e2", 1, "task:created", 0),
    task("e3", 2, "task:started", 1),
    Event(id="e4", key="agent:x", version=2, channel="agent:updated", op="c.2", mark="c.2"),
    task("e5", 3, "task:retried", 1),
    task("e6", 4, "task:started", 2),
    task("e7", 5, "task:completed", 2),
    Event(id="e8", key="agent:gone", version=1, channel="agent:created", op="c.3", mark="c.3"),
    Event(id="e9", key="agent:gone", version=2, channel="agent:deleted", op="c.4", mark="c.3"),
]
ENTRIES = [
    invoke(1, "c.0", "create_agent", "agent:x"),
    ok(2, "c.0", "agent:x", 1),
    invoke(3, "c.1", "create_task"),
    ok(4, "c.1", "task:1", 1),
    invoke(5, "c.2", "update_agent", "agent:x", expect=1),
    ok(6, "c.2", "agent:x", 2),
    invoke(7, "c.3", "create_agent", "agent:gone"),
    ok(8, "c.3", "agent:gone", 1),
    invoke(9, "c.4", "delete_agent", "agent:gone", expect=1),
    ok(10, "c.4", "agent:gone", 2),
    invoke(11, "c.5", "update_agent", "agent:x", expect=1),
    entry(12, "fail", op="c.5", status=412),
    invoke(13, "c.6", "cancel_task", "task:1"),
    entry(14, "info", op="c.6", status=0),
    read(20, "agent:x", 2, "c.2"),
    read(21, "agent:gone", 0),
    *(seen(30 + n, event.id, event.key, event.version) for n, event in enumerate(EVENTS)),
]
VIEW = {"task:1": (5, "completed"), "agent:x": (2, "c.2")}
FINAL = FinalState(
    events=EVENTS, views={"a": VIEW, "b": VIEW}, answered_by={"task:1": [2]}, overdue=[], tails={"t": set()}
)


def without(entries, e, op):
    return [entry for entry in entries if not (entry["e"] == e and entry.get("op") == op)]


def replaced(events, id, **fields):
    return [dataclasses.replace(event, **fields) if event.id == id else event for event in events]


class Checker(unittest.TestCase):
    def kinds(self, entries=ENTRIES, **fields):
        return {violation.kind for violation in check(entries, dataclasses.replace(FINAL, **fields), BOUNDS)}

    def test_what_is_right_passes(self):
        self.assertEqual(set(), self.kinds())

    def test_an_unknown_outcome_may_have_had_its_effect(self):
        entries = [*without(ENTRIES, "ok", "c.2"), entry(6, "info", op="c.2", status=0)]
        self.assertEqual(set(), self.kinds(entries))
        self.assertEqual(set(), self.kinds(without(ENTRIES, "ok", "c.2")), "a client that was cut off")

    def test_an_acknowledged_write_that_is_gone(self):
        entries = [*ENTRIES, invoke(40, "c.7", "add_knowledge", "knowledge:x/1"), ok(41, "c.7", "knowledge:x/1", 1)]
        self.assertIn("lost", self.kinds(entries))

    def test_a_refused_write_that_is_there(self):
        entries = [*without(ENTRIES, "ok", "c.2"), entry(6, "fail", op="c.2", status=503)]
        self.assertIn("phantom", self.kinds(entries))

    def test_a_write_that_was_done_twice(self):
        twin = Event(id="e10", key="task:2", version=1, channel="task:created", op="c.1")
        self.assertIn("doubled", self.kinds(events=[*EVENTS, twin]))

    def test_an_acknowledgement_of_another_version(self):
        entries = [*without(ENTRIES, "ok", "c.2"), ok(6, "c.2", "agent:x", 3)]
        self.assertIn("mismatch", self.kinds(entries))

    def test_who_had_to_ask_again_may_be_told_a_later_version(self):
        for version, expected in ((3, set()), (1, set()), (0, {"mismatch", "order"})):
            entries = [*without(ENTRIES, "ok", "c.1"), ok(4, "c.1", "task:1", version) | {"repeated": True}]
            with self.subTest(version):
                self.assertEqual(expected, self.kinds(entries))

    def test_a_condition_that_was_not_honoured(self):
        entries = [e | {"expect": 5} if e.get("kind") == "update_agent" else e for e in ENTRIES]
        self.assertIn("lost update", self.kinds(entries))

    def test_a_version_below_one_that_was_acknowledged_before(self):
        later = [invoke(50, "c.9", "update_agent", "agent:x"), ok(51, "c.9", "agent:x", 2)]
        self.assertIn("order", self.kinds([*ENTRIES, *later]))

    def test_an_event_that_comes_twice(self):
        self.assertIn("doubled event", self.kinds(events=[*EVENTS, EVENTS[-1]]))

    def test_a_gap_in_the_versions(self):
        self.assertIn("gap", self.kinds(events=[event for event in EVENTS if event.id != "e5"]))

    def test_events_of_one_thing_out_of_order(self):
        swapped = [*EVENTS[:3], EVENTS[4], EVENTS[3], EVENTS[6], EVENTS[5], *EVENTS[7:]]
        self.assertIn("gap", self.kinds(events=swapped))

    def test_two_ends(self):
        self.assertIn("illegal", self.kinds(events=[*EVENTS, task("e10", 6, "task:completed", 2)]))

    def test_a_start_that_did_not_count(self):
        self.assertIn("illegal", self.kinds(events=replaced(EVENTS, "e6", attempt=1)))

    def test_a_task_without_end(self):
        self.assertIn("no end", self.kinds(events=EVENTS[:6]))

    def test_a_task_that_stays_started(self):
        self.assertIn("stuck", self.kinds(overdue=["task:1"]))

    def test_an_answer_of_a_worker_that_had_lost_the_task(self):
        self.assertIn("stale answer", self.kinds(answered_by={"task:1": [1]}))
        self.assertIn("stale answer", self.kinds(answered_by={"task:1": [1, 2]}))

    def test_a_process_that_shows_something_else(self):
        for key, shown in (("task:1", (4, "started")), ("agent:x", (1, "c.0")), ("agent:gone", (1, "c.3"))):
            with self.subTest(key):
                self.assertIn("differs", self.kinds(views={"a": VIEW, "b": VIEW | {key: shown}}))
        self.assertIn("differs", self.kinds(views={"a": VIEW, "b": {"task:1": VIEW["task:1"], "agent:y": (1, "")}}))

    def test_stale_reads(self):
        self.assertEqual(set(), self.kinds([*ENTRIES, read(6.09, "agent:x", 1, "c.0")]), "within the bound")
        self.assertEqual({"stale read"}, self.kinds([*ENTRIES, read(6.11, "agent:x", 1, "c.0")]))
        self.assertEqual({"stale read"}, self.kinds([*ENTRIES, read(6.01, "agent:x", 1, "c.0", no_cache=True)]))
        self.assertEqual({"stale read"}, self.kinds([*ENTRIES, read(6.2, "agent:x", 0)]), "absent")
        self.assertEqual({"stale read"}, self.kinds([*ENTRIES, read(10.2, "agent:gone", 1, "c.3")]), "deleted")

    def test_after_a_fault_a_read_may_be_older(self):
        fault = [entry(5.5, "fault", kind="x", phase="begin"), entry(5.6, "fault", kind="x", phase="recovered")]
        self.assertEqual(set(), self.kinds([*fault, *ENTRIES, read(6.9, "agent:x", 1, "c.0")]))
        self.assertEqual({"stale read"}, self.kinds([*fault, *ENTRIES, read(7.1, "agent:x", 1, "c.0")]))
        self.assertEqual({"stale read"}, self.kinds([*fault[:1], *ENTRIES, read(9, "agent:x", 1, "c.0")]))

    def test_a_read_of_what_never_was(self):
        self.assertIn("phantom read", self.kinds([*ENTRIES, read(20, "agent:x", 3, "c.9")]))
        self.assertIn("torn read", self.kinds([*ENTRIES, read(20, "agent:x", 2, "c.0")]))

    def test_a_live_stream_with_faults(self):
        stream = [e for e in ENTRIES if e["e"] == "seen"]
        others = [e for e in ENTRIES if e["e"] != "seen"]
        self.assertIn("tail gap", self.kinds([*others, *stream[:-1]]))
        self.assertIn("tail order", self.kinds([*others, *stream[:2], *stream[3:]]))
        self.assertIn("tail doubled", self.kinds([*others, *stream, stream[3]]))
        self.assertIn("tail order", self.kinds([*others, stream[0], stream[2], stream[1], *stream[3:]]))

    def test_a_live_stream_that_began_later(self):
        others = [e for e in ENTRIES if e["e"] != "seen" or e["t"] >= 33]
        known = {event.id for event in EVENTS[:3]}
        self.assertEqual(set(), self.kinds(others, tails={"t": known}))
        self.assertEqual({"tail gap"}, self.kinds(others, tails={"t": known - {EVENTS[1].id}}))


class TheJournal(unittest.TestCase):
    def test_it_gives_back_what_was_written(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "journal")
            journal = Journal(path)
            self.addCleanup(journal.close)
            journal.write("invoke", op="c.1", kind="create_task")
            journal.write("ok", op="c.1", key="task:1", version=1)
            first, second = journal.entries()
            self.assertEqual(("invoke", "create_task"), (first["e"], first["kind"]))
            self.assertEqual(("ok", 1), (second["e"], second["version"]))
            self.assertLessEqual(first["t"], second["t"])


if __name__ == "__main__":
    unittest.main()
