"""The consumer groups of a server that runs, over the API and the command line."""

import json
import time
import unittest
from typing import ClassVar

from support.cases import ServerTest

# A member notices a replay within a third of its lease of ten seconds.
WAIT_S = 30
GROUP = "task-metrics"


class Consumers(ServerTest):
    environment: ClassVar[dict[str, str]] = {"LOG_LEVEL": "info"}

    def until(self, what, is_so):
        limit = time.monotonic() + WAIT_S
        while not is_so():
            self.assertLess(time.monotonic(), limit, what)
            time.sleep(0.05)

    def group(self):
        return self.api("GET", f"/consumers/{GROUP}")

    def setUp(self):
        self.until("the relay does not start", lambda: self.slots_held() == 16)

    def slots_held(self):
        status, group = self.server.call("GET", f"/api/v1/consumers/{GROUP}")
        return sum(member["slots"] for member in group["members"]) if status == 200 else 0

    def recorded(self):
        buckets = self.api("GET", "/metrics/series?name=task.seconds&service=worker&tags=agent_id:writer")["buckets"]
        return sum(bucket["count"] for bucket in buckets)

    def test_a_group_is_shown(self):
        listed = self.api("GET", "/consumers")["consumers"]
        self.assertIn(GROUP, [group["name"] for group in listed])
        group = self.group()
        self.assertEqual(16, group["slots"])
        self.assertEqual(1, len(group["members"]))
        self.assertEqual(16, sum(position["slots"] for position in group["positions"]))
        self.assertEqual((0, 0, 0), (group["waiting"], group["retrying"], group["parked"]))
        page = self.api("GET", f"/events?after={group['positions'][0]['cursor']}&limit=500")
        self.assertGreaterEqual(len(page["events"]), group["lag"], "a cursor is a resume token of the log")

    def test_a_replay_handles_events_again(self):
        task = self.api("POST", "/agents/writer/tasks", {"description": "say something"}, 201)
        ended = self.server.ended(task["id"])
        self.until("the end of the task is not recorded", lambda: self.recorded() > 0)
        before = self.recorded()
        self.api("POST", f"/consumers/{GROUP}/replay", {"since": ended["created_at"]})
        self.until("nothing was handled again", lambda: self.recorded() > before)
        self.until("its slots are not taken again", lambda: self.slots_held() == 16)
        forward = self.api("POST", f"/consumers/{GROUP}/replay", {"from": "tip"})
        self.assertEqual(0, forward["lag"])
        logged = [json.loads(line) for line in self.server.log.read_text().splitlines() if GROUP in line]
        replays = [line for line in logged if line.get("from") == "tip" and line.get("consumer") == GROUP]
        self.assertTrue(replays, "who did it is in the log")
        self.assertTrue(all(line["user_id"] and line["request_id"] for line in replays))

    def test_what_is_refused(self):
        self.api("GET", "/consumers/nobody", expect=404)
        missing = self.api("POST", "/consumers/nobody/replay", {"from": "tip"}, 404)
        self.assertIn("there is no consumer 'nobody'", missing["detail"])
        for body in ({}, {"from": "tip", "since": "2026-01-01T00:00:00Z"}, {"from": "end"}, {"since": "noon"}):
            self.assertEqual("invalid", self.api("POST", f"/consumers/{GROUP}/replay", body, 422)["code"])

    def test_the_command_line(self):
        listed = self.server.run("consumer", "list")
        self.assertEqual((0, ""), (listed.returncode, listed.stderr))
        self.assertIn(GROUP, listed.stdout)
        shown = json.loads(self.server.run("consumer", "show", GROUP, "--json").stdout)
        self.assertEqual(GROUP, shown["name"])
        replayed = self.server.run("consumer", "replay", GROUP, "--from", "tip")
        self.assertEqual(0, replayed.returncode, replayed.stderr)
        self.assertIn("goes on from there", replayed.stdout)
        self.assertEqual(1, self.server.run("consumer", "replay", GROUP, "--since", "noon").returncode)
        nowhere = self.server.run("consumer", "replay", GROUP)
        self.assertEqual(2, nowhere.returncode)
        self.assertIn("--since or --from", nowhere.stderr)


if __name__ == "__main__":
    unittest.main()
