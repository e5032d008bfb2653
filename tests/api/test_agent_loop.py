"""The agent loop as a client sees it: the real program against a scripted model provider, on both protocols."""

import collections
import hashlib
import http.client
import itertools
import json
import os
import re
import socket
import sqlite3
import statistics
import subprocess
import threading
import time
import unittest
import uuid
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from support.provider import (
    AT_END,
    KEY,
    Answer,
    Call,
    Cut,
    Fault,
    Garbage,
    Hang,
    PartialChunks,
    ScriptedProvider,
    SlowStream,
    ToolCall,
    as_behaviour,
    text_of,
)
from support.server import Server

TIMEOUT_S = 40
MARK = re.compile(r"\bcase-\d+\b")
FERRY = {"id": "ferry", "content": "Boats\n\nThe ferry to Capri leaves at noon.", "source": "timetable"}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer", "minimum": 1}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
FITS, DOES_NOT_FIT = {"city": "Bern", "people": 134000}, {"city": "Bern", "people": 0}
IDENTITY_HEADERS = {"authorization", "x-api-key"}
PLAIN_HEADERS = {"host", "user-agent", "accept", "accept-encoding", "content-type", "content-length", "connection"}


def mark_of(call: Call) -> str:
    """What the first question of the conversation is marked with."""
    for message in call.messages:
        if message.get("role") == "user" and (found := MARK.search(text_of(message.get("content")))):
            return found.group(0)
    return ""


class Scripts:
    """Gives each conversation its own script, whichever order they come in; the last behaviour goes on."""

    def __init__(self):
        self.scripts = {}

    def __call__(self, call):
        script = self.scripts.get(mark_of(call))
        if not script:
            return Answer("nobody wrote a script for this")
        behaviour = script.popleft() if len(script) > 1 else script[0]
        return behaviour(call) if callable(behaviour) else as_behaviour(behaviour)


@dataclass
class Event:
    name: str
    data: dict
    at: float


class Watch:
    """A client of a task's live stream."""

    def __init__(self, server, id, token="", timeout_s=TIMEOUT_S):
        host = urlsplit(server.url)
        self.connection = http.client.HTTPConnection(host.hostname, host.port, timeout=timeout_s)
        headers = {"Authorization": "Bearer " + (token or server.token)}
        self.connection.request("GET", f"/api/v1/tasks/{id}/stream", headers=headers)
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.sock = self.connection.sock

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.response.close()
        self.connection.close()

    def __iter__(self):
        name, data = "", ""
        while line := self.response.readline():
            text = line.decode().rstrip("\r\n")
            if text.startswith("event: "):
                name = text.removeprefix("event: ")
            elif text.startswith("data: "):
                data += text.removeprefix("data: ")
            elif not text and data:
                yield Event(name, json.loads(data), time.monotonic())
                name, data = "", ""

    def until(self, name):
        """All events up to the first of that name."""
        seen = []
        for event in self:
            seen.append(event)
            if event.name == name:
                return seen
        raise EOFError(f"the stream ended before '{name}': {seen}")


def written(events, step=None):
    """What the `text` events say, of one step or of all."""
    return "".join(
        event.data["text"] for event in events if event.name == "text" and step in (None, event.data["step"])
    )


class Stage:
    """A provider and a server that uses it under both protocols."""

    def __init__(self, **environment):
        self.scripts = Scripts()
        self.provider = ScriptedProvider(self.scripts).start()
        accounts = {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": self.provider.openai_url,
            "OPENAI_MODELS": "gpt-4=gpt-5-large, house = llama-3",
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": self.provider.anthropic_url,
            "ANTHROPIC_MODELS": "claude-old=claude-new",
        }
        settings = {"LOG_LEVEL": "error", "WORKER_CONCURRENCY": "32"} | accounts | environment
        self.server = Server(environment=settings)
        try:
            self.server.start()
        except BaseException:
            self.close()
            raise

    def close(self):
        self.provider.release()
        try:
            self.server.stop()
        finally:
            self.server.remove()
            self.provider.stop()
        assert not self.provider.problems, self.provider.problems


stages = {}
numbers = itertools.count(1)


def stage(name, **environment):
    if name not in stages:
        stages[name] = Stage(**environment)
        unittest.addModuleCleanup(stages[name].close)
    return stages[name]


class LoopTest(unittest.TestCase):
    """What the tests need to speak with their stage."""

    stage_name = "both"
    environment: ClassVar[dict[str, str]] = {}
    model = "gpt-unknown"

    @classmethod
    def setUpClass(cls):
        cls.stage = stage(cls.stage_name, **cls.environment)
        cls.server, cls.provider = cls.stage.server, cls.stage.provider

    def api(self, method, path, body=None, expect=200):
        status, answer = self.server.call(method, "/api/v1" + path, body)
        self.assertEqual(expect, status, f"{method} {path}: {answer}")
        return answer

    def agent(self, config=None, knowledge=None, **fields):
        body = {"name": "Clerk", "specialization": "timetables", "model": self.model, "max_concurrency": 100}
        body |= {"id": f"agent_{next(numbers)}", "config": config or {}} | fields
        id = self.api("POST", "/agents", body, 201)["id"]
        if knowledge:
            self.api("POST", f"/agents/{id}/knowledge", knowledge, 201)
        return id

    def script(self, *behaviours):
        """The mark of a conversation that gets these."""
        mark = f"case-{next(numbers)}"
        self.stage.scripts.scripts[mark] = collections.deque(behaviours)
        return mark

    def ask(self, agent, *behaviours, text="When does the ferry leave?", **fields):
        """Id of a new task and the mark of its conversation."""
        mark = self.script(*behaviours)
        body = {"description": f"{text} {mark}"} | fields
        return self.api("POST", f"/agents/{agent}/tasks", body, 201)["id"], mark

    def ended(self, id, status="completed"):
        with Watch(self.server, id) as watch:
            task = watch.until("end")[-1].data
        self.assertNotIn(KEY, json.dumps(task), "the key is shown")
        self.assertEqual(status, task["status"], f"{task['error_message']}; steps: {self.kinds(id)}")
        return task

    def done(self, agent, *behaviours, status="completed", **fields):
        """A task that has ended, and its calls."""
        id, mark = self.ask(agent, *behaviours, **fields)
        return self.ended(id, status), self.calls(mark)

    def steps(self, id, kind=None):
        steps = self.api("GET", f"/tasks/{id}/steps")["steps"]
        self.assertNotIn(KEY, json.dumps(steps), "the key is shown")
        return [step for step in steps if kind in (None, step["kind"])]

    def kinds(self, id):
        return [step["kind"] for step in self.steps(id)]

    def calls(self, mark):
        with self.provider.changed:
            calls = [call for call in self.provider.calls if mark_of(call) == mark]
        self.assertEqual([], [call.refusal for call in calls if call.refusal], "a request breaks the protocol")
        return calls

    def wait_for_call(self, mark, number=1, timeout_s=20.0):
        found = lambda: [call for call in self.provider.calls if mark_of(call) == mark][number - 1 : number]
        return self.provider.wait_until(found, timeout_s)[0]

    def children(self, id, agent):
        tasks = self.api("GET", f"/agents/{agent}/tasks?limit=500")["tasks"]
        return [task for task in tasks if task["parent_id"] == id]


def system_of(call):
    return call.fields["system"] if call.is_anthropic else call.messages[0]["content"]


def turns_of(call):
    return [message for message in call.messages if message["role"] != "system"]


def tool_names(call):
    return [tool.get("name") or tool["function"]["name"] for tool in call.fields.get("tools", [])]


def results_of(call):
    """The texts with which the tools answered."""
    return [text for _, text in call.tool_results]


def search(query="ferry"):
    return ToolCall("knowledge_search", {"query": query})


def delegate(agent, task, **fields):
    return ToolCall("delegate", {"agent_id": agent, "task": task}, **fields)


class OnEachProtocol:
    """Runs with the accounts of both kinds; what is asked of the provider differs in form only."""

    # ---- answers ----

    def test_an_answer_rests_on_the_agents_knowledge(self):
        agent = self.agent(knowledge=FERRY, name="Harbour Master", capabilities=["departures"])
        id, mark = self.ask(agent, Answer("At noon [1].", tokens=(321, 12)), context={"harbour": "Napoli"})
        result = self.ended(id)["result"]
        self.assertEqual(("At noon [1].", self.account, self.default), self.of(result, "text", "provider", "model"))
        self.assertEqual((321, 12, 1, "stop", None, True), self.of(result, *self.counts, "finish", "output", "found"))
        self.assertEqual("ferry", result["sources"][0]["knowledge_id"])
        (call,) = self.calls(mark)
        self.assertIn("Harbour Master", system_of(call))
        self.assertIn("departures", system_of(call))
        self.assertIn("square brackets", system_of(call))
        question = text_of(turns_of(call)[-1]["content"])
        self.assertIn("[1] timetable", question)
        self.assertIn("The ferry to Capri leaves at noon.", question)
        self.assertIn('{"harbour": "Napoli"}', question.replace('":"', '": "'))
        self.assertTrue(question.endswith(f"When does the ferry leave? {mark}"), question)
        self.assertEqual((self.default, 4096, True), self.of(call.fields, "model", "max_tokens", "stream"))
        self.assertEqual(["knowledge_search"], tool_names(call))
        self.assertNotIn("temperature", call.fields)

    counts = ("input_tokens", "output_tokens", "steps")

    @staticmethod
    def of(fields, *names):
        return tuple(fields[name] for name in names)

    def test_no_secret_but_the_key_leaves_the_house(self):
        _, (call,) = self.done(self.agent(), Answer("ok"))
        bearers = {name: value for name, value in call.headers.items() if KEY in value}
        self.assertEqual(self.key_header, bearers)
        everything = json.dumps([call.raw_headers, call.body.decode(), call.query])
        self.assertEqual(1, everything.count(KEY))
        self.assertNotIn(self.server.token, everything)
        self.assertEqual(set(), set(call.headers) - PLAIN_HEADERS - IDENTITY_HEADERS - {"anthropic-version"})

    def test_a_name_that_is_mapped_stands_for_the_providers_model(self):
        for model, config, expected in (
            (self.mapped[0], {}, self.mapped[1]),
            ("house", {}, "llama-3"),
            ("custom-7", {"provider": self.account}, "custom-7"),
            (self.mapped[0], {"provider": self.account}, self.mapped[1]),
        ):
            with self.subTest(model=model, config=config):
                task, (call,) = self.done(self.agent(config, model=model), Answer("ok"))
                self.assertEqual(expected, call.fields["model"])
                self.assertEqual(expected, task["result"]["model"])

    def test_an_answer_that_came_in_pieces_is_whole(self):
        text = 'Zürich – 東京 🚂 "quoted" \\ back\nline'
        task, _ = self.done(self.agent(), PartialChunks(Answer(text, unknown=True), comments=True))
        self.assertEqual(text, task["result"]["text"])

    def test_a_cut_after_the_last_word_is_no_loss(self):
        task, calls = self.done(self.agent(), Cut(AT_END, Answer("All of it.")))
        self.assertEqual(("All of it.", 1), (task["result"]["text"], len(calls)))

    def test_an_answer_at_its_limit_says_so(self):
        task, (call,) = self.done(self.agent({"max_tokens": 77}), Answer("And so on and", finish="length"))
        self.assertEqual("length", task["result"]["finish"])
        self.assertEqual(77, call.fields["max_tokens"])

    def test_a_model_that_refuses_fails_the_task(self):
        task, calls = self.done(self.agent(), Answer("I will not.", is_refusal=True), status="failed")
        self.assertIn("refused", task["error_message"])
        self.assertIn("I will not.", task["error_message"])
        self.assertEqual(1, len(calls))

    def test_a_temperature_is_sent_when_it_is_set(self):
        _, (call,) = self.done(self.agent({"temperature": 0.5, "system_prompt": "You are a poet."}), Answer("ok"))
        self.assertEqual(0.5, call.fields["temperature"])
        self.assertTrue(system_of(call).startswith("You are a poet."))

    # ---- the search ----

    def test_what_is_searched_for_is_found_and_numbered_on(self):
        agent = self.agent(knowledge=FERRY)
        self.api("POST", f"/agents/{agent}/knowledge", {"id": "tram", "content": "The tram runs all night."}, 201)
        id, mark = self.ask(agent, Answer("Let me look.", tools=(search("tram"),)), Answer("All night [2]."))
        result = self.ended(id)["result"]
        self.assertEqual(["ferry", "tram"], [source["knowledge_id"] for source in result["sources"]])
        self.assertEqual(2, result["steps"])
        first, second = self.calls(mark)
        self.assertEqual(turns_of(first), turns_of(second)[:1])
        self.assertEqual(3, len(turns_of(second)))
        (found,) = results_of(second)
        self.assertTrue(found.startswith("[2] "), found)
        self.assertIn("runs all night", found)

    def test_what_a_tool_cannot_do_is_said_to_the_model(self):
        calls = (
            search("zeppelin"),
            ToolCall("knowledge_search", '{"query": "fer'),
            ToolCall("knowledge_search", "[1]"),
            ToolCall("knowledge_search", {"query": 7}),
            ToolCall("knowledge_search", {"query": ""}),
            ToolCall("launch_rocket", {}),
            delegate("writer", "not offered"),
        )
        task, (_, second) = self.done(self.agent(knowledge=FERRY), list(calls), Answer("done"))
        self.assertEqual("done", task["result"]["text"])
        answers = results_of(second)
        expected = ["Nothing was found", "no JSON object", "no JSON object", "query:", "query:", "no tool", "no tool"]
        for wanted, answer in zip(expected, answers, strict=True):
            self.assertIn(wanted, answer)
        self.assertEqual([False] + [True] * 6, [step["detail"]["is_error"] for step in self.steps(task["id"], "tool")])

    def test_one_answer_may_call_so_many_tools(self):
        task, (_, second) = self.done(self.agent(knowledge=FERRY), [search() for _ in range(18)], Answer("done"))
        answers = results_of(second)
        self.assertEqual(18, len(answers))
        for answer in answers[:16]:
            self.assertIn("but what you have: [1]", answer)
        for answer in answers[16:]:
            self.assertIn("at most 16", answer)
        self.assertEqual(2, task["result"]["steps"])

    # ---- limits ----

    def test_steps_are_counted(self):
        agent = self.agent({"max_steps": 2}, FERRY)
        task, calls = self.done(agent, search(), search(), Answer("too late"), status="failed")
        self.assertIn("2 calls", task["error_message"])
        self.assertIn("config.max_steps", task["error_message"])
        self.assertEqual((2, 1), (len(calls), task["attempt"]))
        self.assertEqual("completed", self.done(agent, search(), Answer("in time"))[0]["status"])

    def test_tokens_are_counted(self):
        agent = self.agent({"max_total_tokens": 200}, FERRY)
        first = Answer("", tools=(search(),), tokens=(150, 60))
        task, calls = self.done(agent, first, Answer("too late"), status="failed")
        self.assertIn("210", task["error_message"])
        self.assertIn("config.max_total_tokens", task["error_message"])
        self.assertEqual(1, len(calls))
        self.assertEqual("completed", self.done(agent, Answer("dear", tokens=(900, 900)))[0]["status"])

    def test_time_is_counted(self):
        agent = self.agent()
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        begun = time.monotonic()
        limited, first = self.ask(agent, Hang(), timeout_seconds=1, max_attempts=1)
        due, second = self.ask(agent, Hang(2, Answer("one two three")), deadline_at=soon)
        for id, mark in ((limited, first), (due, second)):
            self.assertIn("longer than it may", self.ended(id, "failed")["error_message"])
            (call,) = self.calls(mark)
            self.provider.wait_until(lambda call=call: call.left_at, 1)
        self.assertLess(time.monotonic() - begun, 6)

    # ---- answers of a form ----

    def test_an_answer_that_fits_comes_out_as_json(self):
        agent = self.agent({"answer_schema": SCHEMA})
        for text in (json.dumps(FITS), f"```json\n{json.dumps(FITS, indent=2)}\n```\n"):
            task, (call,) = self.done(agent, Answer(text))
            self.assertEqual(FITS, task["result"]["output"])
            self.assertEqual(SCHEMA, self.schema_in(call))
            self.assertIn("Answer with JSON alone", system_of(call))

    def test_an_answer_that_does_not_fit_is_corrected(self):
        agent = self.agent({"answer_schema": SCHEMA})
        task, calls = self.done(agent, Answer("About 134000."), Answer(DOES_NOT_FIT), Answer(FITS))
        self.assertEqual((FITS, 3), (task["result"]["output"], task["result"]["steps"]))
        self.assertIn("it is no JSON", text_of(turns_of(calls[1])[-1]["content"]))
        self.assertIn("people", text_of(turns_of(calls[2])[-1]["content"]))
        self.assertEqual(5, len(turns_of(calls[2])))

    def test_an_answer_that_never_fits_fails_the_task(self):
        agent = self.agent({"answer_schema": SCHEMA})
        task, calls = self.done(agent, Answer(DOES_NOT_FIT), status="failed")
        self.assertIn("does not fit the schema", task["error_message"])
        self.assertIn("people", task["error_message"])
        self.assertEqual((3, 1), (len(calls), task["attempt"]))

    def test_an_empty_answer_can_be_corrected(self):
        """Providers refuse a conversation with an empty turn in it."""
        task, _ = self.done(self.agent({"answer_schema": SCHEMA}), Answer(""), Answer(FITS))
        self.assertEqual(FITS, task["result"]["output"])

    # ---- the trace ----

    def test_the_trace_tells_what_happened(self):
        agent = self.agent(knowledge=FERRY)
        said = Answer("Let me look.", tools=(search(),), tokens=(100, 10))
        id, mark = self.ask(agent, said, SlowStream(0.02, Answer("At noon [1].", tokens=(200, 20))))
        self.ended(id)
        self.assertEqual(["retrieve", "prompt", "model", "tool", "model"], self.kinds(id))
        retrieve, prompt, first, tool, second = self.steps(id)
        self.assertEqual([1] * 5, [step["attempt"] for step in self.steps(id)])
        self.assertEqual([1, 2, 3, 4, 5], [step["step"] for step in self.steps(id)])
        for step in (retrieve, first, tool, second):
            self.assertGreater(step["duration_us"], 0, step["kind"])
        self.assertGreater(second["duration_us"], 40_000)
        self.assertEqual("ferry", retrieve["detail"]["found"][0]["id"])
        call = self.calls(mark)[0]
        self.assertEqual(system_of(call), prompt["detail"]["system"])
        self.assertEqual(text_of(turns_of(call)[0]["content"]), prompt["detail"]["messages"][-1]["text"])
        self.assertEqual((100, 10, "tool_calls"), self.of(first["detail"], *self.counts[:2], "finish"))
        self.assertEqual((200, 20, "stop"), self.of(second["detail"], *self.counts[:2], "finish"))
        self.assertEqual("Let me look.", first["detail"]["text"])
        self.assertEqual("knowledge_search", first["detail"]["tool_calls"][0]["name"])
        self.assertIn("but what you have: [1]", tool["detail"]["result"])

    # ---- errors ----

    def for_good(self):
        """What no further attempt mends: name, behaviour, what the reason says, how many calls it takes."""
        yield "key refused", Fault(401), "status 401", 1
        yield "forbidden", Fault(403), "status 403", 1
        yield "no such model", Fault(404), "status 404", 1
        yield "bad request", Fault(400, message="messages: too many"), "messages: too many", 1
        yield "key shown by the provider", Fault(401, message=f"Incorrect API key: {KEY}."), "status 401", 1

    def passing(self):
        """What another attempt may not meet: the same, and how many times it is asked within one attempt."""
        text = Answer("one two three four five six")
        yield "limit of the rate", Fault(429), "status 429", 3
        yield "their fault", Fault(500), "status 500", 3
        yield "overloaded", Fault(503), "status 503", 3
        yield "no answer", Cut(), "connection", 3
        yield "no answer and a reset", Cut(is_reset=True), "answer", 3
        yield "cut after the head", Cut(0, text), "answer", 3
        yield "cut in the middle", Cut(5, text), "answer", 1
        yield "cut inside an event", Cut(5, text, inside="frame"), "answer", 1
        yield "cut by a reset", Cut(5, text, is_reset=True), "answer", 1
        yield "not HTTP", Garbage(b"\x16\x03\x01 garbage\r\n\r\n", "answer"), "not valid HTTP", 3
        yield "no events", Garbage(b"<html>Hello</html>", content_type="text/html"), "cut before its end", 3
        yield "no JSON in an event", Garbage(b"{oops", "frame", after=0), "no JSON", 3
        yield "no UTF-8 in an event", Garbage(b'{"id": "\xff\xfe"}', "frame", after=5, answer=text), "no JSON", 1
        yield "error inside the answer", Fault(500, after=5, answer=text), "status 500", 1
        yield "error before the first word", Fault(500, after=1, answer=text), "status 500", 3

    def test_what_cannot_pass_fails_at_once(self):
        agent = self.agent()
        asked = [(case, *self.ask(agent, case[1])) for case in self.for_good()]
        for (name, _, reason, calls), id, mark in asked:
            with self.subTest(name):
                task = self.ended(id, "failed")
                self.assertIn(reason, task["error_message"])
                self.assertEqual((1, calls), (task["attempt"], len(self.calls(mark))))
                self.assertEqual("failure", self.kinds(id)[-1])
                self.assertFalse(self.steps(id, "failure")[0]["detail"]["again"])

    def test_what_may_pass_fails_with_its_reason_when_no_attempt_is_left(self):
        agent = self.agent()
        asked = [(case, *self.ask(agent, case[1], max_attempts=1)) for case in self.passing()]
        for (name, _, reason, calls), id, mark in asked:
            with self.subTest(name):
                task = self.ended(id, "failed")
                self.assertIn(reason, task["error_message"])
                self.assertEqual(calls, len(self.calls(mark)))
                self.assertTrue(self.steps(id, "failure")[0]["detail"]["again"])

    def test_what_passes_is_gone_on_from(self):
        """The second attempt goes on with the conversation: what was paid for is not asked for again."""
        agent = self.agent(knowledge=FERRY)
        asked = []
        for name, behaviour, _, calls in self.passing():
            asked.append((name, calls, *self.ask(agent, search(), *[behaviour] * calls, Answer("At last."))))
        for name, calls, id, mark in asked:
            with self.subTest(name):
                task = self.ended(id)
                self.assertEqual(("At last.", 2), (task["result"]["text"], task["attempt"]))
                self.assertEqual(1, sum(len(turns_of(call)) == 1 for call in self.calls(mark)))
                self.assertEqual(calls + 2, len(self.calls(mark)))
                by_attempt = [(step["attempt"], step["kind"]) for step in self.steps(id)]
                first = ["retrieve", "prompt", "model", "tool", "failure"]
                self.assertEqual(first, [kind for attempt, kind in by_attempt if attempt == 1])
                self.assertEqual(["resume", "model"], [kind for attempt, kind in by_attempt if attempt == 2])

    def test_a_short_wait_is_waited_within_the_call(self):
        task, (first, second) = self.done(self.agent(), Fault(429, retry_after=1), Answer("Thank you."))
        self.assertEqual(("Thank you.", 1), (task["result"]["text"], task["attempt"]))
        self.assertGreaterEqual(second.at - first.at, 0.99)

    def test_a_long_wait_goes_back_to_the_queue(self):
        agent = self.agent(knowledge=FERRY)
        id, mark = self.ask(agent, search(), Fault(503, retry_after=25), Answer("Thank you."), max_attempts=2)
        self.provider.wait_until(lambda: len(self.calls(mark)) >= 2 and self.calls(mark)[1].status == 503)
        try:
            third = bool(self.wait_for_call(mark, 3, 2.5))
        except AssertionError:
            third = False
        self.assertEqual(["retrieve", "prompt", "model", "tool", "failure"], self.kinds(id)[:5])
        self.assertFalse(third, "it asked again long before the provider wants to be asked")
        self.assertEqual("cancelled", self.api("POST", f"/tasks/{id}/cancel")["status"])

    def test_what_hangs_is_left_when_the_task_is_cancelled(self):
        agent = self.agent()
        for name, behaviour in (
            ("before the head", Hang()),
            ("in the middle", Hang(4, Answer("one two three four five"))),
            ("while it writes", SlowStream(0.2, Answer("word " * 100))),
        ):
            with self.subTest(name):
                id, mark = self.ask(agent, behaviour)
                call = self.wait_for_call(mark)
                if name != "before the head":
                    self.provider.wait_until(lambda call=call: call.chunks >= 3)
                at = time.monotonic()
                self.assertEqual("cancelled", self.api("POST", f"/tasks/{id}/cancel")["status"])
                self.provider.wait_until(lambda call=call: call.left_at, 2)
                self.assertLess(call.left_at - at, 1)
                self.assertIsNone(self.ended(id, "cancelled")["result"])
                self.assertEqual(1, len(self.calls(mark)))

    def test_a_retry_starts_afresh(self):
        agent = self.agent(knowledge=FERRY)
        script = (search(), Fault(400, message="no more"), Answer("A new start."))
        id, mark = self.ask(agent, *script, max_attempts=1)
        self.assertIn("no more", self.ended(id, "failed")["error_message"])
        self.api("POST", f"/tasks/{id}/retry")
        task = self.ended(id)
        self.assertEqual("A new start.", task["result"]["text"])
        self.assertEqual([1, 3, 1], [len(turns_of(call)) for call in self.calls(mark)])
        self.assertEqual(
            ["retrieve", "prompt", "model", "tool", "failure", "retry", "retrieve", "prompt", "model"], self.kinds(id)
        )

    # ---- the live stream ----

    def test_words_are_there_while_they_are_written(self):
        """Prints how long a word takes from the provider to a client of the stream, by one clock."""
        words = [f"word{number} " for number in range(20)]
        id, mark = self.ask(self.agent(), SlowStream(0.05, Answer("".join(words), pieces=tuple(words))))
        sent = []

        def note():
            call = self.wait_for_call(mark)
            while call.answered_at is None:
                self.provider.wait_until(lambda: call.chunks > len(sent) or call.answered_at)
                now = time.monotonic()
                sent.extend(now for _ in range(call.chunks - len(sent)))

        noting = threading.Thread(target=note, daemon=True)
        noting.start()
        with Watch(self.server, id) as watch:
            self.assertEqual(200, watch.status)
            self.assertIn("text/event-stream", watch.response.getheader("Content-Type"))
            events = watch.until("end")
        noting.join(TIMEOUT_S)
        (call,) = self.calls(mark)
        texts = [event for event in events if event.name == "text"]
        self.assertLess(texts[0].at, call.answered_at - 0.5, "the first words came late")
        self.assertEqual("".join(words), written(events))
        self.assertEqual({1}, {event.data["step"] for event in texts})
        self.assertEqual(("task", "completed"), (events[0].name, events[-1].data["status"]))
        self.assertEqual("".join(words), events[-1].data["result"]["text"])
        delays = [
            (event.at - sent[number + self.frames_before_text]) * 1000
            for event in texts
            for number, word in enumerate(words)
            if event.data["text"] == word and number + self.frames_before_text < len(sent)
        ]
        self.assertGreater(len(delays), 10, "the words did not come one by one")
        print(
            f"\n{self.account}: a word takes {statistics.median(delays):.1f} ms from the provider to the stream "
            f"(median of {len(delays)}, longest {max(delays):.1f} ms)"
        )
        self.assertLess(statistics.median(delays), 250)

    def test_steps_of_the_stream_are_numbered(self):
        agent = self.agent(knowledge=FERRY)
        id, _ = self.ask(agent, SlowStream(0.02, Answer("Let me look.", tools=(search(),))), Answer("At noon it is."))
        with Watch(self.server, id) as watch:
            events = watch.until("end")
        self.assertEqual(("Let me look.", "At noon it is."), (written(events, 1), written(events, 2)))
        self.assertEqual([1, 2], sorted({event.data["step"] for event in events if event.name == "text"}))

    def test_who_comes_later_gets_what_was_written(self):
        words = tuple(f"word{number} " for number in range(12))
        id, mark = self.ask(self.agent(), Hang(8, Answer("".join(words), pieces=words)))
        with Watch(self.server, id) as early, Watch(self.server, id) as other:
            self.assertIn("word3", written(self.up_to(early, "word3")))
            with Watch(self.server, id) as late:
                self.assertIn("word0 word1 word2 word3 ", written(late.until("text")))
                other.sock.shutdown(socket.SHUT_RDWR)  # who leaves disturbs nobody
                self.provider.release()
                self.assertEqual("completed", late.until("end")[-1].data["status"])
            self.assertEqual("".join(words), early.until("end")[-1].data["result"]["text"])
        self.assertEqual(1, len(self.calls(mark)))

    def up_to(self, watch, text):
        events = []
        for event in watch:
            events.append(event)
            if text in written(events):
                return events
        self.fail(f"'{text}' was never written: {events}")

    def test_a_second_attempt_is_heard_from_its_beginning_to_its_end(self):
        first, second = "Alpha beta gamma delta.", "".join(f"word{number} " for number in range(25))
        id, _ = self.ask(self.agent(), Cut(6, Answer(first)), SlowStream(0.06, Answer(second)))
        with Watch(self.server, id) as watch:
            events = watch.until("end")
        self.assertEqual(second, events[-1].data["result"]["text"])
        self.assertTrue(written(events).endswith(second), f"what was heard is {written(events)!r}")

    def test_the_end_is_told_when_it_comes(self):
        delays = []
        for words in ("one", "one two three", "one two three four five six"):
            id, mark = self.ask(self.agent(), SlowStream(0.07, Answer(words)))
            with Watch(self.server, id) as watch:
                delays.append(watch.until("end")[-1].at - self.calls(mark)[0].answered_at)
        print(f"\n{self.account}: the end takes {max(delays) * 1000:.0f} ms from the provider to the stream")
        self.assertLess(max(delays), 0.2)


class OpenAi(OnEachProtocol, LoopTest):
    model, account, default, mapped = "gpt-unknown", "openai", "gpt-5-mini", ("gpt-4", "gpt-5-large")
    key_header: ClassVar = {"authorization": "Bearer " + KEY}
    frames_before_text = 1

    @staticmethod
    def schema_in(call):
        return call.fields["response_format"]["json_schema"]["schema"]

    def test_a_limit_that_waiting_does_not_mend_fails_at_once(self):
        task, calls = self.done(self.agent(), Fault(429, code="insufficient_quota", message="Pay."), status="failed")
        self.assertIn("Pay.", task["error_message"])
        self.assertEqual((1, 1), (task["attempt"], len(calls)))


class Anthropic(OnEachProtocol, LoopTest):
    model, account, default, mapped = "claude-3-haiku", "anthropic", "claude-haiku-4-5", ("claude-old", "claude-new")
    key_header: ClassVar = {"x-api-key": KEY}
    frames_before_text = 3

    @staticmethod
    def schema_in(call):
        return call.fields["output_config"]["format"]["schema"]

    def passing(self):
        yield from super().passing()
        yield "their kind of overloaded", Fault(529), "status 529", 3

    def test_thoughts_go_back_as_they_came(self):
        said = Answer("Let me look.", tools=(search(),), thinking="I should look it up.")
        _, (_, second) = self.done(self.agent(knowledge=FERRY), said, Answer("At noon."))
        block = turns_of(second)[1]["content"][0]
        self.assertEqual(("thinking", "I should look it up."), (block["type"], block["thinking"]))
        self.assertTrue(block["signature"])

    def test_what_a_tool_could_not_do_is_marked(self):
        _, (_, second) = self.done(self.agent(), ToolCall("launch_rocket"), Answer("ok"))
        self.assertTrue(turns_of(second)[-1]["content"][0]["is_error"])


class Providers(LoopTest):
    """Which provider an agent asks."""

    def test_an_agent_may_do_without_a_model(self):
        agent = self.agent({"provider": "extractive"}, FERRY)
        task, calls = self.done(agent, Answer("never said"))
        self.assertEqual(("extractive", "", 0), tuple(task["result"][k] for k in ("provider", "model", "steps")))
        self.assertIn("leaves at noon", task["result"]["text"])
        self.assertEqual([], calls)

    def test_a_provider_that_is_not_there_is_named(self):
        task, calls = self.done(self.agent({"provider": "nowhere"}), Answer("never said"), status="failed")
        self.assertIn("config.provider", task["error_message"])
        self.assertIn("'nowhere'", task["error_message"])
        self.assertEqual((1, 0), (task["attempt"], len(calls)))

    def test_tools_can_be_taken_away(self):
        _, (call,) = self.done(self.agent({"tools": []}), Answer("ok"))
        self.assertEqual([], tool_names(call))


class LongConversations(LoopTest):
    def test_a_very_long_conversation_is_gone_on_from_its_end(self):
        """It has more steps than a trace is read at a time."""
        agent = self.agent({"max_steps": 100, "max_total_tokens": 100_000_000})
        turns = [[ToolCall("nothing")] * 16 for _ in range(62)]
        task, calls = self.done(agent, *turns, *[Fault(503)] * 3, Answer("At last."))
        self.assertEqual(("At last.", 2), (task["result"]["text"], task["attempt"]))
        self.assertEqual(len(calls[-2].messages), len(calls[-1].messages), "the last turns are forgotten")


class Settings(LoopTest):
    """What an agent's config may say."""

    WRONG = (
        ("provider", 7),
        ("system_prompt", []),
        *(("temperature", value) for value in ("hot", -0.1, 2.1, True)),
        *((key, value) for key in ("max_tokens", "max_steps", "max_total_tokens") for value in (0, -1, 1.5, "5", True)),
        ("max_tokens", 1_000_001),
        ("max_steps", 101),
        ("max_total_tokens", 100_000_001),
        ("max_steps", 1 << 63),
        ("tools", "knowledge_search"),
        ("answer_schema", "object"),
        ("answer_schema", []),
        ("answer_schema", {"type": "string", "pattern": "^(a+)+$"}),
        ("answer_schema", {"properties": {"a": {"items": [{"pattern": "a"}]}}}),
        ("answer_schema", {"patternProperties": {"^a": {}}}),
    )

    def test_a_wrong_value_is_named_when_the_agent_is_made_and_changed(self):
        known = self.agent({"max_steps": 3})
        for key, value in self.WRONG:
            with self.subTest(key=key, value=value):
                body = {"id": "never", "name": "N", "specialization": "s", "config": {key: value}}
                for method, path, fields in (
                    ("POST", "/agents", body),
                    ("PUT", f"/agents/{known}", {"config": {key: value}}),
                ):
                    refused = self.api(method, path, fields, 422)
                    self.assertEqual(["config." + key], [fault["path"] for fault in refused["errors"]])
                    self.assertTrue(refused["errors"][0]["message"])
        self.assertEqual({"max_steps": 3}, self.api("GET", f"/agents/{known}")["config"])
        self.api("GET", "/agents/never", expect=404)

    def test_all_wrong_values_are_named_at_once(self):
        config = {"max_steps": 0, "temperature": 9, "own": {"key": 1}}
        body = {"id": "never", "name": "N", "specialization": "s", "config": config}
        faults = self.api("POST", "/agents", body, 422)["errors"]
        self.assertEqual({"config.max_steps", "config.temperature"}, {fault["path"] for fault in faults})

    def test_limits_and_keys_of_others_are_taken(self):
        for config in (
            {"provider": None, "temperature": None, "answer_schema": None, "tools": None},
            {"max_tokens": 1_000_000, "max_steps": 100, "max_total_tokens": 100_000_000, "temperature": 2},
            {"max_tokens": 1, "max_steps": 1, "max_total_tokens": 1, "temperature": 0},
            {"tools": ["knowledge_search", "their_own_tool", 7], "mine": {"deep": [1]}},
            {"answer_schema": {}},
            {"answer_schema": {"properties": {"pattern": {"type": "string"}}}},
        ):
            with self.subTest(config=config):
                id = self.agent(config)
                self.assertEqual(config | {}, self.api("GET", f"/agents/{id}")["config"])


def doubling(kind, levels):
    """A short schema that takes 2 to the power of `levels` looks at a value."""
    names = [f"#/definitions/a{level}" for level in range(levels)]
    definitions = {f"a{n}": {kind: [{"$ref": names[n - 1]}, {"$ref": names[n - 1]}]} for n in range(1, levels)}
    return {"definitions": definitions | {"a0": {"type": "string"}}, "$ref": names[-1]}


class Schemas(LoopTest):
    """Whatever a client sends as a schema, and whatever a model answers to it: the program lives and has time."""

    stage_name = "schemas"

    REFUSED: ClassVar = {
        "a type that is none": {"type": "no such type"},
        "a place elsewhere": {"$ref": "http://127.0.0.1:1/schema.json"},
        "a place that is not there": {"$ref": "#/definitions/nowhere"},
        "itself": {"$ref": "#"},
        "each other": {
            "$ref": "#/definitions/a",
            "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}},
        },
        "required is no list": {"required": "city"},
        "a length below nothing": {"minLength": -1},
        "a dependency that is a number": {"dependencies": {"a": 7}},
        "a multiple of nothing": {"multipleOf": 0},
    }
    HARD: ClassVar = {
        "all of itself": ({"allOf": [{"$ref": "#"}]}, "x"),
        "not itself": ({"not": {"$ref": "#"}}, "x"),
        "doubling that fits": (doubling("allOf", 24), "x"),
        "doubling that does not": (doubling("anyOf", 24), 7),
        "a long number as a date": ({"type": "string", "format": "date"}, "1" * 300_000),
        "a number beyond all integers": ({"multipleOf": 3}, 1e300),
        "lists in lists": ({"items": {"$ref": "#"}}, [[[[]]]]),
    }

    def check_that_it_lives(self):
        try:
            self.server.process.wait(0.3)
        except subprocess.TimeoutExpired:
            return
        self.start_again("the program is gone")

    def start_again(self, why):
        self.server.kill()
        self.server.start()
        self.fail(why)

    def test_what_cannot_be_used_is_refused(self):
        for name, schema in self.REFUSED.items():
            with self.subTest(name):
                config = {"answer_schema": schema}
                body = {"id": f"agent_{next(numbers)}", "name": "N", "specialization": "s", "config": config}
                try:
                    status, answer = self.server.call("POST", "/api/v1/agents", body)
                except (OSError, http.client.HTTPException):
                    status, answer = 0, {}
                self.check_that_it_lives()
                self.assertEqual(422, status, answer)
                self.assertEqual(["config.answer_schema"], [fault["path"] for fault in answer["errors"]])

    def test_what_is_hard_to_check_ends_in_time(self):
        for name, (schema, said) in self.HARD.items():
            with self.subTest(name):
                try:
                    self.check_hard(schema, json.dumps(said))
                except (OSError, EOFError, http.client.HTTPException):
                    self.check_that_it_lives()
                    self.start_again("the program answers nobody any more")

    def check_hard(self, schema, said):
        """Refused when the agent is made, or looked at and decided; others are served meanwhile."""
        body = {"id": f"agent_{next(numbers)}", "name": "N", "specialization": "s", "model": self.model}
        status, answer = self.server.call("POST", "/api/v1/agents", body | {"config": {"answer_schema": schema}})
        if status == 422:
            self.assertEqual(["config.answer_schema"], [fault["path"] for fault in answer["errors"]])
            return
        begun = time.monotonic()
        id, _ = self.ask(body["id"], Answer(said), timeout_seconds=4, max_attempts=1)
        with Watch(self.server, id, timeout_s=6) as watch:
            ended = watch.until("end")[-1].data
        self.assertIn(ended["status"], ("completed", "failed"))
        self.assertLess(time.monotonic() - begun, 3, "it took too long")


class Delegation(LoopTest):
    """Agents that give work to others."""

    def clerk(self, **config):
        return self.agent({"tools": ["delegate"]} | config)

    def test_the_answer_of_another_agent_comes_back(self):
        parent, child = self.clerk(), self.agent(specialization="ferries")
        work = self.script(Answer("At noon."))
        id, mark = self.ask(parent, delegate(child, f"{work} When?"), Answer("They say at noon."))
        self.assertEqual("They say at noon.", self.ended(id)["result"]["text"])
        (task,) = self.children(id, child)
        self.assertEqual((f"{work} When?", "completed"), (task["description"], task["status"]))
        first, second = self.calls(mark)
        self.assertEqual(["delegate"], tool_names(first))
        self.assertIn(f"{child}: ferries", json.dumps(first.fields["tools"]))
        self.assertNotIn(f"{parent}:", json.dumps(first.fields["tools"]))
        self.assertEqual(["At noon."], results_of(second))
        (question,) = self.calls(work)
        self.assertNotIn(mark, question.body.decode(), "the child sees only what it was told")
        self.assertEqual(["retrieve", "prompt", "model", "delegate", "tool", "model"], self.kinds(id))
        self.assertEqual(task["id"], self.steps(id, "delegate")[0]["detail"]["task_id"])

    def test_many_pieces_of_work_are_done_each_once(self):
        parent, child = self.clerk(), self.agent()
        works = [self.script(Answer(f"answer {number}")) for number in range(3)]
        id, mark = self.ask(parent, [delegate(child, work) for work in works], Answer("done"))
        self.ended(id)
        self.assertEqual(["answer 0", "answer 1", "answer 2"], results_of(self.calls(mark)[1]))
        self.assertEqual(3, len(self.children(id, child)))

    def test_the_same_id_of_a_call_in_two_answers_is_two_pieces_of_work(self):
        """Ids are unique within an answer only: some compatible servers count them from the same start each time."""
        parent, child = self.clerk(), self.agent()
        first, second = self.script(Answer("the first")), self.script(Answer("the second"))
        calls = delegate(child, first, id="call_0"), delegate(child, second, id="call_0")
        id, mark = self.ask(parent, *calls, Answer("done"))
        self.ended(id)
        self.assertEqual(["the second"], results_of(self.calls(mark)[2]))
        self.assertEqual(2, len(self.children(id, child)))

    def test_who_is_not_there_or_waits_already_is_refused(self):
        me, other = self.clerk(), self.clerk()
        back = self.script(delegate(me, "nobody asks this"), Answer("I could not ask back."))
        tries = [
            delegate("nobody_here", "x"),
            delegate(me, "x"),
            ToolCall("delegate", {"agent_id": other}),
            ToolCall("delegate", {"agent_id": "No Slug!", "task": "x"}),
            delegate(other, back),
        ]
        id, mark = self.ask(me, tries, Answer("done"))
        self.ended(id)
        for wanted, answer in zip(
            ("nobody_here", "waiting for this answer", "task a text", "must be the id", "I could not ask back."),
            results_of(self.calls(mark)[1]),
            strict=True,
        ):
            self.assertIn(wanted, answer)
        self.assertIn("waiting for this answer", results_of(self.calls(back)[1])[0])
        self.assertEqual([], self.children(id, me))

    def test_work_is_not_delegated_for_ever(self):
        agents = [self.clerk() for _ in range(5)]
        last = mark = self.script(Answer("nobody gets here"))
        marks = []
        for agent in reversed(agents[1:]):
            mark = self.script(delegate(agent, mark), Answer("done"))
            marks.insert(0, mark)
        id = self.api("POST", f"/agents/{agents[0]}/tasks", {"description": marks[0]}, 201)["id"]
        self.ended(id)
        self.assertIn("delegated 3 times", results_of(self.calls(marks[3])[1])[0])
        self.assertEqual([], self.calls(last))

    def test_a_child_that_fails_is_an_answer_too(self):
        parent, child = self.clerk(), self.agent()
        work = self.script(Fault(400, message="too hard"))
        id, mark = self.ask(parent, delegate(child, work), Answer("They could not."))
        self.assertEqual("They could not.", self.ended(id)["result"]["text"])
        (answer,) = results_of(self.calls(mark)[1])
        self.assertIn("could not do it", answer)
        self.assertIn("too hard", answer)

    def test_a_child_that_hangs_leaves_its_parent_time_to_say_so(self):
        parent, child = self.clerk(), self.agent()
        work = self.script(Hang())
        id, mark = self.ask(parent, delegate(child, work), Answer("They do not answer."), timeout_seconds=4)
        task = self.ended(id)
        self.assertEqual(("They do not answer.", 1), (task["result"]["text"], task["attempt"]))
        self.assertEqual(1, len(results_of(self.calls(mark)[1])))
        (waiting,) = self.children(id, child)
        self.ended(waiting["id"], "cancelled")

    def test_what_was_delegated_ends_with_who_delegated_it(self):
        parent, child = self.clerk(), self.agent()
        work = self.script(Hang())
        id, _ = self.ask(parent, delegate(child, work), Answer("never said"))
        call = self.wait_for_call(work)
        self.api("POST", f"/tasks/{id}/cancel")
        try:
            self.provider.wait_until(lambda: call.left_at, 2)
        except AssertionError:
            for task in self.children(id, child):
                self.api("POST", f"/tasks/{task['id']}/cancel")
            self.fail("nobody waits for the answer, and it is still being paid for")
        self.ended(self.children(id, child)[0]["id"], "cancelled")

    def test_agents_that_wait_for_each_other_leave_each_other_room(self):
        """Each may run one task at a time, and each is waiting: what it is asked meanwhile must still be done."""
        agents = [self.agent({"tools": ["delegate"]}, max_concurrency=1) for _ in range(2)]
        works = [self.script(Answer("here you are")) for _ in agents]
        asked = []
        for number, agent in enumerate(agents):
            first = Answer("", tools=(delegate(agents[1 - number], works[number]),), delay_s=0.5)  # both run by then
            asked.append(self.ask(agent, first, Answer("done"), timeout_seconds=5, max_attempts=1))
        for id, mark in asked:
            self.ended(id)
            self.assertEqual(["here you are"], results_of(self.calls(mark)[1]))


class Narrow(LoopTest):
    """A worker with a place for one task."""

    stage_name = "narrow"
    environment: ClassVar = {"WORKER_CONCURRENCY": "1"}

    def test_who_waits_leaves_its_place(self):
        agents = [self.agent({"tools": ["delegate"]}) for _ in range(3)]
        last = self.script(Answer("from the third"))
        middle = self.script(delegate(agents[2], last), lambda call: Answer("via " + results_of(call)[0]))
        id, _ = self.ask(agents[0], delegate(agents[1], middle), lambda call: Answer("via " + results_of(call)[0]))
        task = self.ended(id)
        self.assertEqual(("via via from the third", 1), (task["result"]["text"], task["attempt"]))

    def test_many_who_wait_do_not_block_what_they_wait_for(self):
        parent, child = self.agent({"tools": ["delegate"]}), self.agent()
        asked = []
        for _ in range(7):
            work = self.script(Answer("here you are"))
            asked.append(self.ask(parent, delegate(child, work), Answer("done"), timeout_seconds=8, max_attempts=1))
        for id, mark in asked:
            self.ended(id)
            self.assertEqual(["here you are"], results_of(self.calls(mark)[1]))


class Impatient(LoopTest):
    """Short limits for a provider that says nothing, and one that is not there at all."""

    stage_name = "impatient"
    model = "claude-3-haiku"

    @classmethod
    def setUpClass(cls):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            cls.port = probe.getsockname()[1]
        cls.environment = {
            "MODELS_FIRST_TOKEN_TIMEOUT": "1",
            "MODELS_IDLE_TIMEOUT": "1",
            "MODELS_CONNECT_TIMEOUT": "2",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{cls.port}/v1",
        }
        super().setUpClass()

    def test_a_provider_that_falls_silent_is_left(self):
        agent = self.agent()
        words = Answer("one two three four five six")
        asked = [
            (*self.ask(agent, Hang(), max_attempts=1), 3),
            (*self.ask(agent, Hang(0, words), max_attempts=1), 3),
            (*self.ask(agent, Hang(6, words), max_attempts=1), 1),
        ]
        for id, mark, calls in asked:
            with self.subTest(mark):
                self.assertIn("took too long", self.ended(id, "failed")["error_message"])
                self.assertEqual(calls, len(self.calls(mark)))
                for call in self.calls(mark):
                    self.provider.wait_until(lambda call=call: call.left_at, 1)

    def test_silence_that_passes_is_gone_on_from(self):
        agent = self.agent(knowledge=FERRY)
        task, calls = self.done(agent, search(), Hang(6, Answer("one two three four five")), Answer("At last."))
        self.assertEqual(("At last.", 2, 3), (task["result"]["text"], task["attempt"], len(calls)))
        self.assertIn("resume", self.kinds(task["id"]))

    def test_slow_is_not_silent(self):
        words = "".join(f"word{number} " for number in range(5))
        task, _ = self.done(self.agent(), SlowStream(0.3, Answer(words)))
        self.assertEqual((words, 1), (task["result"]["text"], task["attempt"]))

    def test_a_provider_that_is_not_there_fails_the_task(self):
        task, _ = self.done(self.agent(model="gpt-4"), Answer("never said"), status="failed", max_attempts=1)
        self.assertIn(f"127.0.0.1:{self.port}", task["error_message"])
        self.assertIn("refused", task["error_message"].lower())


class Streams(LoopTest):
    """Who may watch, and what there is to watch."""

    def test_an_ended_task_is_told_at_once(self):
        task, _ = self.done(self.agent(), Answer("done"))
        with Watch(self.server, task["id"]) as watch:
            events = list(watch)
        self.assertEqual(["task", "end"], [event.name for event in events])
        self.assertEqual(["done", "done"], [event.data["result"]["text"] for event in events])

    def test_a_task_without_a_model_is_watched_too(self):
        id, _ = self.ask(self.agent({"provider": "extractive"}, FERRY), Answer("never said"))
        with Watch(self.server, id) as watch:
            events = watch.until("end")
        self.assertEqual("completed", events[-1].data["status"])
        self.assertEqual("", written(events))

    def test_what_is_not_there_cannot_be_watched(self):
        for id in (uuid.uuid4(), "no-id", ""):
            with Watch(self.server, id) as watch:
                self.assertEqual(404, watch.status)

    def test_tasks_of_others_cannot_be_watched(self):
        id, _ = self.ask(self.agent(), Hang())
        token = "other-tenants-token"
        row = ("other", str(uuid.uuid4()), hashlib.sha256(token.encode()).hexdigest(), "t", '["*:*"]', 0)
        with sqlite3.connect(os.path.join(self.server.data, "agent-lightning.db"), timeout=20) as database:
            database.execute("INSERT INTO tenants (id) VALUES ('other')")
            names = "tenant_id, id, hash, name, permissions, created_at"
            database.execute(f"INSERT INTO access_tokens ({names}) VALUES (?, ?, ?, ?, ?, ?)", row)
        database.close()
        own = self.server.call("GET", "/api/v1/tasks?limit=1", headers={"Authorization": "Bearer " + token})
        self.assertEqual((200, []), (own[0], own[1]["tasks"]))
        with Watch(self.server, id, token) as watch:
            self.assertEqual(404, watch.status)
        with Watch(self.server, id, "no token at all") as watch:
            self.assertEqual(401, watch.status)
        self.api("POST", f"/tasks/{id}/cancel")


if __name__ == "__main__":
    unittest.main()
