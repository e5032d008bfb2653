"""The machine fails: its disk is full, its clock is set."""

import contextlib
import datetime
import os
import pathlib
import subprocess
import tempfile
import unittest

from support.cluster import Cluster
from support.ordeal import LEASE_S, Ordeal, endpoints_of
from support.server import BINARY, Server
from support.workload import Endpoint

DISK_FULLS = int(os.environ.get("DISK_FULLS", "3"))
CLOCK_STEPS = int(os.environ.get("CLOCK_STEPS", "4"))
DISK_BYTES = 48 * 1024 * 1024
BALLAST_PIECE = bytes(64 * 1024)
FAKETIME = os.environ.get("FAKETIME_LIBRARY", "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
BINARY_BYTES = BINARY.read_bytes()
ONE_PROCESS = ("gateway", "agent-designer", "operations", "dashboard")
SETTINGS = {"WORKER_LEASE_SECONDS": str(LEASE_S), "LOG_LEVEL": "warning"}


class SmallDisk:
    """A file system in memory that can be filled."""

    def __init__(self, test: unittest.TestCase):
        self.directory = test.enterContext(tempfile.TemporaryDirectory(prefix="agent-lightning-disk-"))
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", self.directory]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            test.skipTest(f"a file system of a known size cannot be mounted here: {done.stderr.strip()}")
        test.addCleanup(subprocess.run, ["umount", self.directory], check=True)
        self.ballast = pathlib.Path(self.directory, "ballast")

    def fill(self) -> None:
        with open(self.ballast, "ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(BALLAST_PIECE) == len(BALLAST_PIECE):
                pass

    def free(self) -> None:
        self.ballast.unlink()


class DiskFull(unittest.TestCase):
    """SQLite on a full disk: writes are refused, none is lied about, and it goes on by itself once there is room."""

    def torment(self, name, faults, **environment):
        disk = SmallDisk(self)
        server = Server(SETTINGS | {"AGENT_LIGHTNING_DATA": os.path.join(disk.directory, "data")} | environment)
        server.data = server.environment["AGENT_LIGHTNING_DATA"]
        self.addCleanup(server.remove)
        server.start()
        ordeal = self.enterContext(Ordeal(name, [Endpoint(server, role, role) for role in ONE_PROCESS]))
        for _ in range(faults):
            ordeal.fault("full disk", disk.fill, disk.free, ordeal.choose.uniform(1, 3))
        violations = ordeal.finish()
        refused = sum(entry["e"] == "info" for entry in ordeal.entries)
        return violations, refused, server

    def test_nothing_acknowledged_is_lost(self):
        violations, refused, server = self.torment("full disk", DISK_FULLS)
        self.assertEqual([], [str(violation) for violation in violations[:10]])
        self.assertGreater(refused, 0, "no write met the full disk")
        server.stop()

    @unittest.skipUnless(b"ack_before_commit" in BINARY_BYTES, "this build has no failpoints")
    def test_an_early_acknowledgement_is_noticed(self):
        """Planted bug: the writer answers before it commits."""
        violations, _, _ = self.torment("control: early answer", 2, AL_PLANTED_BUG="ack_before_commit")
        self.assertIn("lost", {violation.kind for violation in violations}, "the planted bug was not noticed")


@unittest.skipUnless(os.path.exists(FAKETIME), "the library faketime is not installed (FAKETIME_LIBRARY names it)")
@unittest.skipIf(b"__asan_init" in BINARY_BYTES, "faketime does not work together with AddressSanitizer")
class Clock(unittest.TestCase):
    """The clock of every first process is set by up to a day, to and fro; the database and the others keep theirs."""

    def test_steps_change_nothing(self):
        cluster = Cluster(environment=SETTINGS)
        self.addCleanup(cluster.remove)
        cluster.start()
        setting = pathlib.Path(cluster.directory, "clock")
        setting.write_text("+0")
        for member in cluster.members[::2]:
            member.environment |= {
                "LD_PRELOAD": FAKETIME,
                "FAKETIME_TIMESTAMP_FILE": str(setting),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
            member.restart()
        ordeal = self.enterContext(Ordeal("clock", endpoints_of(cluster)))
        for _ in range(CLOCK_STEPS):
            step = f"{ordeal.choose.choice((-86400, -3600, -10, 10, 3600, 86400)):+d}s"

            def strike(step=step):
                setting.write_text(step)
                shown = datetime.datetime.fromisoformat(cluster.members[0].call("GET", "/health")[1]["timestamp"])
                skew_s = abs((shown - datetime.datetime.now(datetime.UTC)).total_seconds())
                self.assertGreater(skew_s, 5, "the clock was not set")

            ordeal.fault(f"clock set by {step}", strike, lambda: setting.write_text("+0"), ordeal.choose.uniform(1, 3))
        self.assertEqual([], [str(violation) for violation in ordeal.finish()[:10]])
        cluster.stop()


if __name__ == "__main__":
    unittest.main()
