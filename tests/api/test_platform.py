"""The API as a client uses it: each scenario against the real program."""

import datetime
import itertools
import json
import time
import unittest

from support.cases import ServerTest
from support.event_stream import events_of

AGENT = {"id": "historian", "name": "Historian", "specialization": "history"}


class Platform(ServerTest):
    made = 0

    def agent(self, **fields):
        type(self).made += 1
        body = AGENT | {"id": f"agent_{self.made}"} | fields
        return self.api("POST", "/agents", body, 201)["id"]

    def raw(self, method, path, headers=None):
        _, response = self.open(method, path, headers=headers)
        return response, response.read()

    # ---- agents ----

    def test_the_ten_agents_are_there(self):
        ids = {agent["id"] for agent in self.api("GET", "/agents?limit=500")["agents"]}
        for id in ("researcher", "developer", "reviewer", "optimizer", "writer", "security_expert", "data_scientist"):
            self.assertIn(id, ids)
        self.assertGreaterEqual(self.api("GET", "/agents/writer/knowledge?count=total&limit=1")["total"], 12)

    def test_an_agent_lives_and_dies(self):
        id = self.agent(config={"b": 1, "a": [1, 2]})
        self.assertEqual({"b": 1, "a": [1, 2]}, self.api("GET", f"/agents/{id}")["config"])
        self.api("POST", "/agents", AGENT | {"id": id}, 409)
        self.assertEqual(2, self.api("PUT", f"/agents/{id}", {"name": "Other"})["version"])
        self.assertEqual("offline", self.api("PUT", f"/agents/{id}/status?status=offline")["status"])
        self.api("PUT", f"/agents/{id}/status?status=busy", expect=422)
        self.api("DELETE", f"/agents/{id}")
        self.api("GET", f"/agents/{id}", expect=404)
        self.api("DELETE", f"/agents/{id}", expect=404)
        self.assertEqual(5, self.api("POST", "/agents", AGENT | {"id": id}, 201)["version"])

    def test_reserved_words_are_no_agents(self):
        for id in ("auto", "execute"):
            self.assertEqual("id", self.api("POST", "/agents", AGENT | {"id": id}, 422)["errors"][0]["path"])

    def test_versions_guard_changes(self):
        id = self.agent()
        self.api("PUT", f"/agents/{id}", {"name": "B"}, headers={"If-Match": '"1"'})
        late = self.api("PUT", f"/agents/{id}", {"name": "C"}, 412, {"If-Match": '"1"'})
        self.assertEqual("version_mismatch", late["code"])
        response, _ = self.raw("GET", f"/api/v1/agents/{id}")
        self.assertEqual('"2"', response.getheader("ETag"))

    def test_bare_paths_answer_too(self):
        for path in ("/agents/writer", "/tasks?limit=1", "/knowledge?limit=1"):
            self.assertEqual(200, self.server.call("GET", path)[0], path)

    def test_every_role_answers_on_its_port(self):
        for role, path in (
            ("agent-designer", "/agents/writer"),
            ("operations", "/events?limit=1"),
            ("dashboard", "/agents/writer"),
        ):
            self.assertEqual(200, self.server.call("GET", "/api/v1" + path, role=role)[0], role)
            for health in ("/health", "/api/v1/health"):
                self.assertEqual(role, self.server.call("GET", health, role=role)[1]["service"])

    def test_bare_paths_of_the_dashboard_are_pages(self):
        status, page = self.server.call("GET", "/agents/writer", role="dashboard")
        self.assertEqual(200, status)
        self.assertIn("<!doctype html>", page.lower())

    def test_identity_comes_back(self):
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        for path in ("/api/v1/agents?limit=1", "/nothing"):
            response, _ = self.raw("GET", path, headers={"traceparent": parent, "X-Request-Id": "mine-1"})
            self.assertEqual(parent, response.getheader("traceparent"), path)
            self.assertEqual("mine-1", response.getheader("X-Request-Id"), path)

    def test_what_is_not_there_is_named_as_it_was_asked_for(self):
        answer = self.api("GET", "/nothing%2fhere", expect=404)
        self.assertIn("'/api/v1/nothing/here'", answer["detail"])

    # ---- tasks ----

    def test_a_task_is_answered_with_its_sources_and_steps(self):
        task = self.api("POST", "/agents/security_expert/tasks", {"description": "How do I stop SQL injection?"}, 201)
        self.assertEqual("pending", task["status"])
        done = self.server.ended(task["id"])
        self.assertEqual("completed", done["status"])
        self.assertEqual("sql_injection_prevention", done["result"]["sources"][0]["knowledge_id"])
        self.assertIn("[1]", done["result"]["text"])
        steps = self.api("GET", f"/tasks/{task['id']}/steps")["steps"]
        self.assertEqual(["retrieve", "answer"], [step["kind"] for step in steps])
        channels = [
            e["channel"] for e in self.api("GET", f"/events/replay?kind=task&aggregate_id={task['id']}")["events"]
        ]
        self.assertEqual(["task:created", "task:started"], channels[:2])
        self.assertEqual("task:completed", channels[-1])

    def test_auto_finds_the_right_agent_and_says_why(self):
        task = self.api(
            "POST", "/agents/auto/tasks", {"description": "Write a kubernetes deployment with monitoring"}, 201
        )
        self.assertEqual("devops_engineer", task["agent_id"])
        self.assertIn("kubernet", task["chosen_because"])
        accepted = self.api("POST", "/agents/execute", {"task": "threat modelling of a login form"}, 202)
        self.assertEqual(("security_expert", "accepted"), (accepted["agent_id"], accepted["status"]))

    def test_a_waiting_task_can_be_cancelled_and_retried(self):
        id = self.agent()
        later = "2099-01-01T00:00:00Z"
        task = self.api("POST", f"/agents/{id}/tasks", {"description": "x", "scheduled_at": later}, 201)["id"]
        self.assertEqual("urgent", self.api("PUT", f"/tasks/{task}", {"priority": "urgent"})["priority"])
        self.assertEqual("cancelled", self.api("POST", f"/tasks/{task}/cancel")["status"])
        self.api("POST", f"/tasks/{task}/cancel", expect=409)
        self.assertEqual("pending", self.api("POST", f"/tasks/{task}/retry")["status"])
        self.assertEqual("completed", self.server.ended(task)["status"])
        self.api("POST", f"/tasks/{task}/retry", expect=409)

    def test_what_is_too_late_fails(self):
        id = self.agent(status="offline")
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
        task = self.api("POST", f"/agents/{id}/tasks", {"description": "x", "deadline_at": soon}, 201)["id"]
        done = self.server.ended(task)
        self.assertEqual("failed", done["status"])
        self.assertIn("deadline", done["error_message"])

    def test_a_deleted_agent_takes_its_waiting_tasks_along(self):
        id = self.agent(status="offline")
        task = self.api("POST", f"/agents/{id}/tasks", {"description": "x"}, 201)["id"]
        self.api("DELETE", f"/agents/{id}")
        self.assertEqual("cancelled", self.server.ended(task)["status"])

    def test_the_same_key_makes_one_task(self):
        id = self.agent(status="offline")
        key = {"Idempotency-Key": "order-17"}
        first = self.api("POST", f"/agents/{id}/tasks", {"description": "x"}, 201, key)
        again = self.api("POST", f"/agents/{id}/tasks", {"description": "x"}, 201, key)
        self.assertEqual(first["id"], again["id"])
        other = self.api("POST", f"/agents/{id}/tasks", {"description": "y"}, 422, key)
        self.assertEqual("idempotency_mismatch", other["code"])
        self.assertEqual(1, self.api("GET", f"/agents/{id}/tasks")["count"])

    def test_lists_are_paged_and_filtered(self):
        id = self.agent(status="offline")
        made = [self.api("POST", f"/agents/{id}/tasks", {"description": str(n)}, 201)["id"] for n in range(5)]
        seen, cursor = [], ""
        while True:
            page = self.api("GET", f"/tasks?agent_id={id}&status=pending&limit=2&count=total{cursor}")
            self.assertEqual(5, page["total"])
            seen += [task["id"] for task in page["tasks"]]
            if page["next_cursor"] is None:
                break
            cursor = "&cursor=" + page["next_cursor"]
        self.assertEqual(made[::-1], seen)

    # ---- knowledge ----

    def test_knowledge_is_found_changed_and_forgotten(self):
        id = self.agent()
        item = {"id": "trains", "content": "Trains\n\nThe night train to Bern leaves at ten.", "source": "timetable"}
        self.api("POST", f"/agents/{id}/knowledge", item, 201)
        self.api("POST", "/knowledge", item | {"agent_id": id}, 409)
        found = self.api("POST", "/knowledge/search", {"query": "When does the night train leave?", "agent_id": id})
        self.assertEqual("trains", found["results"][0]["knowledge"]["id"])
        self.assertEqual(
            1, self.api("POST", "/context/task", {"agent_id": id, "task_description": "night train"})["count"]
        )
        self.api("PUT", f"/knowledge/trains?agent_id={id}", {"content": "Boats\n\nThe ferry leaves at noon."})
        self.assertEqual(0, self.api("POST", "/knowledge/search", {"query": "night train", "agent_id": id})["count"])
        self.api("DELETE", f"/knowledge/trains?agent_id={id}")
        self.api("GET", f"/knowledge/trains?agent_id={id}", expect=404)

    def test_ids_that_no_path_can_name_are_refused(self):
        id = self.agent()
        for item in (".", ".."):
            refused = self.api("POST", f"/agents/{id}/knowledge", {"id": item, "content": "x"}, 422)
            self.assertEqual("id", refused["errors"][0]["path"])

    def test_an_id_under_two_agents_is_ambiguous(self):
        first, second = self.agent(), self.agent()
        for id in (first, second):
            self.api("POST", f"/agents/{id}/knowledge", {"id": "twin", "content": "x"}, 201)
        self.assertEqual("conflict", self.api("GET", "/knowledge/twin", expect=409)["code"])
        self.assertEqual(second, self.api("GET", f"/knowledge/twin?agent_id={second}")["agent_id"])

    def test_many_items_stand_or_fall_each_by_itself(self):
        id = self.agent()
        items = [{"id": "a", "content": "x"}, {"id": "b"}, {"id": "a", "content": "y"}, {"id": "c", "content": "z"}]
        report = self.api("POST", "/knowledge/bulk", {"agent_id": id, "items": items})
        self.assertEqual((4, 2, 2), (report["total"], report["successful"], report["failed"]))
        self.assertEqual(["added", "failed", "failed", "added"], [r["status"] for r in report["results"]])
        self.assertIn("content", report["results"][1]["reason"])

    # ---- events ----

    def read_stream(self, path, count, headers=None):
        """The first `count` events."""
        _, response = self.open("GET", path, headers=headers)
        self.assertEqual(200, response.status)
        events = list(itertools.islice(events_of(response), count))
        response.close()
        return events

    def test_a_stream_resumes_where_it_was_cut(self):
        id = self.agent()
        for n in range(5):
            self.api("PUT", f"/agents/{id}", {"name": f"N{n}"})
        start = self.api("GET", f"/events?aggregate_id={id}&limit=1")["next_cursor"]
        path = f"/api/v1/events/stream?aggregate_id={id}"
        first = self.read_stream(path + "&after=" + start, 2)
        rest = self.read_stream(path, 6 - 1 - len(first), {"Last-Event-ID": first[-1].id})
        versions = [event.data["version"] for event in first + rest]
        self.assertEqual(list(range(versions[0], versions[0] + len(versions))), versions)
        self.assertEqual(6, versions[-1])

    def test_a_stream_hears_the_channels_it_asked_for(self):
        id = self.agent()
        _, response = self.open("GET", f"/api/v1/events/stream?channel=task:*,agent_deleted&aggregate_id={id}")
        stream = response.fp
        while not stream.readline().startswith(b"id:"):
            pass  # from here on it waits for its doorbell
        begun = time.monotonic()
        self.api("PUT", f"/agents/{id}", {"name": "Other"})
        self.api("DELETE", f"/agents/{id}")
        lines = iter(stream.readline, b"")
        self.assertEqual(b"event: agent:deleted", next(line for line in lines if line.startswith(b"event:")).strip())
        self.assertLess(time.monotonic() - begun, 10, "the heartbeat of 15 s found it, not the doorbell")

    def test_foreign_tokens_are_refused(self):
        for token in ("nonsense", "s.-1", "p.1:1:..0", "p.5:1:..0", "p.::..0"):
            for path in (f"/events?after={token}", f"/events?cursor={token}", f"/events/stream?after={token}"):
                self.assertEqual("invalid", self.api("GET", path, expect=422)["code"])
            self.api("GET", "/events/stream", expect=422, headers={"Last-Event-ID": token})

    def test_channels_are_chosen_before_pages_are_cut(self):
        id = self.agent()
        for n in range(5):
            self.api("PUT", f"/agents/{id}", {"name": f"N{n}"})
        self.api("DELETE", f"/agents/{id}")
        path = f"/events?aggregate_id={id}&channel=agent:deleted&limit=2"
        page = self.api("GET", path)
        self.assertEqual((["agent:deleted"], False), ([e["channel"] for e in page["events"]], page["more"]))
        self.assertEqual(0, self.api("GET", f"{path}&cursor={page['next_cursor']}")["count"])

    def test_the_log_is_read_back_from_its_end(self):
        id, other = self.agent(), self.agent()
        self.api("PUT", f"/agents/{id}", {"name": "N"}, headers={"X-Request-Id": f"rename-{id}"})
        task = self.api("POST", f"/agents/{id}/tasks", {"description": "x"}, expect=201)["id"]
        self.api("PUT", f"/agents/{other}", {"name": "N"})
        newest = self.api("GET", "/events?order=newest&channel=agent:*&limit=1")
        self.assertEqual([other], [event["aggregate_id"] for event in newest["events"]])
        self.assertTrue(newest["more"])
        path = f"/events?order=newest&agent_id={id}"
        found = self.api("GET", f"{path}&channel=agent:*,task:created")
        self.assertEqual([task, id, id], [event["aggregate_id"] for event in found["events"]])
        self.assertEqual((False, None), (found["more"], found["next_cursor"]))
        first = self.api("GET", f"{path}&channel=agent:*&limit=1")
        rest = self.api("GET", f"{path}&channel=agent:*&cursor={first['next_cursor']}")
        self.assertEqual(
            ["agent:updated", "agent:created"], [event["channel"] for event in first["events"] + rest["events"]]
        )
        done = self.api("GET", f"/events?order=newest&correlation_id=rename-{id}")["events"]
        self.assertEqual([("agent:updated", id)], [(event["channel"], event["aggregate_id"]) for event in done])

    def test_what_does_not_go_together_is_refused(self):
        forwards = self.api("GET", "/events?limit=1")["next_cursor"]
        for query, named in (
            ("agent_id=a", "agent_id"),
            ("order=oldest&correlation_id=c", "correlation_id"),
            (f"order=newest&after={forwards}", "after"),
            ("order=newest&agent_id=A", "agent_id"),
            ("order=newest&correlation_id=", "correlation_id"),
            ("order=newest&limit=0", "limit"),
            ("order=sideways", "order"),
        ):
            with self.subTest(query):
                refused = self.api("GET", f"/events?{query}", expect=422)
                self.assertEqual([named], [error["path"] for error in refused["errors"]])
        self.api("GET", f"/events?order=newest&cursor={forwards}", expect=422)

    def test_the_flow_says_who_published_what_and_who_takes_it(self):
        id = self.agent()
        begun = self.api("GET", "/events/flow")
        self.api("PUT", f"/agents/{id}", {"name": "N"})
        ended = self.api("GET", "/events/flow")

        def updates(flow):
            named = {(one["service"], one["channel"]): one["count"] for one in flow["flows"]}
            return named.get(("agent-designer", "agent:updated"), 0)

        self.assertEqual(1, updates(ended) - updates(begun))
        counts = [one["count"] for one in ended["flows"]]
        self.assertEqual(sorted(counts, reverse=True), counts)
        taker = next(one for one in ended["consumers"] if one["name"] == "task-metrics")
        self.assertEqual(["task:completed", "task:failed"], taker["channels"])
        self.assertEqual({"name", "channels", "lag", "waiting", "parked"}, set(taker))
        narrow = self.api("GET", "/events/flow?seconds=10")
        span = [datetime.datetime.fromisoformat(narrow[name]) for name in ("from", "to")]
        self.assertEqual(10, (span[1] - span[0]).total_seconds())
        for seconds in ("9", "3601", "x"):
            refused = self.api("GET", f"/events/flow?seconds={seconds}", expect=422)
            self.assertEqual("seconds", refused["errors"][0]["path"])

    def test_the_flow_shows_what_the_caller_may_read(self):
        self.agent()
        wanted = {"name": "flow", "permissions": ["events:read", "tasks:read"]}
        key = self.api("POST", "/auth/api-keys?owner=service", wanted, expect=201)["api_key"]
        flow = self.api("GET", "/events/flow", headers={"Authorization": f"Bearer {key}"})
        self.assertNotIn("agent:created", [one["channel"] for one in flow["flows"]])
        self.assertEqual([], flow["consumers"])
        self.assertIn("agent:created", [one["channel"] for one in self.api("GET", "/events/flow")["flows"]])

    def test_a_replay_has_pages(self):
        id = self.agent()
        for n in range(6):
            self.api("PUT", f"/agents/{id}", {"name": f"N{n}"})
        path = f"/events/replay?kind=agent&aggregate_id={id}"
        versions, cursor = [], ""
        while cursor is not None:
            page = self.api("GET", f"{path}&limit=3" + (f"&cursor={cursor}" if cursor else ""))
            versions += [event["version"] for event in page["events"]]
            cursor = page["next_cursor"]
        self.assertEqual(list(range(1, 8)), versions)
        self.assertIsNone(self.api("GET", f"{path}&limit=7")["next_cursor"])
        self.api("GET", f"{path}&cursor=x", expect=422)
        named = self.api("GET", "/events/replay", expect=422)["errors"]
        self.assertEqual(["kind", "aggregate_id"], [error["path"] for error in named])

    def test_the_command_line_replays_to_the_end(self):
        id = self.agent()
        for n in range(500):
            self.api("PUT", f"/agents/{id}", {"name": f"N{n}"})
        done = self.server.run("events", "replay", "agent", id, "--json")
        found = json.loads(done.stdout)
        self.assertEqual((501, 501, None), (len(found["events"]), found["count"], found["next_cursor"]))
        self.assertEqual(501, len(self.server.run("events", "replay", "agent", id).stdout.splitlines()))

    # ---- the process ----

    def test_health_and_metrics(self):
        self.assertEqual("healthy", self.api("GET", "/health")["status"])
        response, text = self.raw("GET", "/metrics")
        self.assertEqual(200, response.status)
        self.assertIn(b"process_resident_memory_bytes", text)

    def test_a_second_process_is_refused_and_told_why(self):
        done = self.server.run("serve")
        self.assertNotEqual(0, done.returncode)
        self.assertIn("PostgreSQL", done.stderr + done.stdout)

    # ---- odd requests ----

    def test_not_modified_is_said_of_tasks_only(self):
        """An agent turns busy, and knowledge is used, without a new version: a 304 would hide it."""
        id = self.agent(status="offline")
        task = self.api("POST", f"/agents/{id}/tasks", {"description": "x"}, 201)["id"]
        self.api("POST", f"/agents/{id}/knowledge", {"id": "seal", "content": "x"}, 201)
        expected = {f"/tasks/{task}": 304, f"/agents/{id}": 200, f"/knowledge/seal?agent_id={id}": 200}
        for path, status in expected.items():
            with self.subTest(path):
                response, _ = self.raw("GET", "/api/v1" + path)
                self.assertEqual('"1"', response.getheader("ETag"))
                response, text = self.raw("GET", "/api/v1" + path, headers={"If-None-Match": '"1"'})
                self.assertEqual(status, response.status)
                self.assertEqual(status == 200, bool(text))

    def test_a_change_of_nothing_is_refused(self):
        id = self.agent(status="offline")
        task = self.api("POST", f"/agents/{id}/tasks", {"description": "x"}, 201)["id"]
        self.api("POST", f"/agents/{id}/knowledge", {"id": "seal", "content": "x"}, 201)
        for path in (f"/agents/{id}", f"/tasks/{task}", f"/knowledge/seal?agent_id={id}"):
            with self.subTest(path):
                self.assertEqual("bad_request", self.api("PUT", path, {}, 400)["code"])
                self.assertEqual(1, self.api("GET", path)["version"])
                self.assertEqual("invalid", self.api("PUT", path, [], 422)["code"])

    def test_bodies_of_the_prototype_are_taken(self):
        id = self.agent()
        body = {"id": "seal", "agent_id": id, "content": "x", "metadata": {"page": 3}, "tags": ["wax", "1281"]}
        made = self.api("POST", "/knowledge", body, 201)
        self.assertEqual({"page": 3, "tags": ["wax", "1281"]}, made["metadata"])
        self.assertEqual(["wax", "1281"], made["tags"])
        changed = self.api("PUT", f"/knowledge/seal?agent_id={id}", {"tags": ["ferry"]})
        self.assertEqual({"page": 3, "tags": ["ferry"]}, changed["metadata"])
        refused = self.api("PUT", f"/knowledge/seal?agent_id={id}", {"tags": ["", 7]}, 422)
        self.assertEqual("tags[1]", refused["errors"][0]["path"])
        items = [{"id": "a", "content": "x", "tags": ["new"]}, {"id": "b", "content": "x", "tags": [""]}]
        bulk = {"agent_id": id, "items": items, "process_embeddings": True}
        report = self.api("POST", "/knowledge/bulk", bulk)
        self.assertEqual(["added", "failed"], [r["status"] for r in report["results"]])
        self.assertIn("tags[0]", report["results"][1]["reason"])
        self.assertEqual(["new"], self.api("GET", f"/knowledge/a?agent_id={id}")["metadata"]["tags"])
        self.api("POST", "/knowledge/bulk", bulk | {"process_embeddings": 1}, 422)

    def test_a_retry_keeps_its_deadline(self):
        id = self.agent(status="offline")
        times = {"scheduled_at": "2098-01-01T00:00:00Z", "deadline_at": "2099-01-01T00:00:00Z"}
        task = self.api("POST", f"/agents/{id}/tasks", {"description": "x"} | times, 201)["id"]
        self.api("POST", f"/tasks/{task}/cancel")
        again = self.api("POST", f"/tasks/{task}/retry")
        self.assertEqual((None, "2099-01-01T00:00:00Z"), (again["scheduled_at"], again["deadline_at"]))

    def test_capabilities_have_a_length(self):
        id = self.agent(capabilities=["c" * 50])
        refused = self.api("PUT", f"/agents/{id}", {"capabilities": ["fine", "c" * 51]}, 422)
        self.assertEqual("capabilities[1]", refused["errors"][0]["path"])


if __name__ == "__main__":
    unittest.main()
