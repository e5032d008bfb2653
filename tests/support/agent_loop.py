"""What the tests of the agent loop share: a server whose providers follow one script for each conversation."""

import collections
import itertools
import json
import unittest
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from support.cases import ServerTest, accounts, serving
from support.conversation import mark_of
from support.event_stream import Watch
from support.provider import KEY, Answer, Call, ScriptedProvider, as_behaviour
from support.server import Server

MAPPED_MODELS = {"OPENAI_MODELS": "gpt-4=gpt-5-large, house = llama-3", "ANTHROPIC_MODELS": "claude-old=claude-new"}


class Scripts:
    """Gives each conversation its own script, whichever order they come in; the last behaviour goes on."""

    def __init__(self) -> None:
        self.scripts: dict[str, collections.deque] = {}

    def __call__(self, call: Call) -> Any:
        script = self.scripts.get(mark_of(call))
        if not script:
            return Answer("nobody wrote a script for this")
        behaviour = script.popleft() if len(script) > 1 else script[0]
        return behaviour(call) if callable(behaviour) else as_behaviour(behaviour)


@dataclass(frozen=True)
class Stage:
    scripts: Scripts
    provider: ScriptedProvider
    server: Server


stages: dict[str, Stage] = {}
numbers: Iterator[int] = itertools.count(1)


def stage(name: str, environment: dict[str, str]) -> Stage:
    """A provider and a server that uses it under both protocols, until the tests of the module have ended."""
    if name not in stages:
        scripts = Scripts()
        provider = unittest.enterModuleContext(ScriptedProvider(scripts))
        settings = {"LOG_LEVEL": "error", "WORKER_CONCURRENCY": "32"} | MAPPED_MODELS | accounts(provider) | environment
        stages[name] = Stage(scripts, provider, unittest.enterModuleContext(serving(provider, settings)))
        unittest.addModuleCleanup(stages.pop, name)
    return stages[name]


class LoopTest(ServerTest):
    """What the tests need to speak with their stage, which classes of a module share by its name."""

    stage_name = "both"
    environment: ClassVar[dict[str, str]] = {}
    model = "gpt-unknown"

    @classmethod
    def setUpClass(cls) -> None:
        cls.stage = stage(cls.stage_name, cls.environment)
        cls.server, cls.provider = cls.stage.server, cls.stage.provider

    def agent(self, config: dict | None = None, knowledge: dict | None = None, **fields: Any) -> str:
        """Id of a new agent."""
        body = {"name": "Clerk", "specialization": "timetables", "model": self.model, "max_concurrency": 100}
        body |= {"id": f"agent_{next(numbers)}", "config": config or {}} | fields
        id = self.api("POST", "/agents", body, 201)["id"]
        if knowledge:
            self.api("POST", f"/agents/{id}/knowledge", knowledge, 201)
        return id

    def script(self, *behaviours: Any) -> str:
        """The mark of a conversation that gets these."""
        mark = f"case-{next(numbers)}"
        self.stage.scripts.scripts[mark] = collections.deque(behaviours)
        return mark

    def ask(
        self, agent: str, *behaviours: Any, text: str = "When does the ferry leave?", **fields: Any
    ) -> tuple[str, str]:
        """Id of a new task and the mark of its conversation."""
        mark = self.script(*behaviours)
        body = {"description": f"{text} {mark}"} | fields
        return self.api("POST", f"/agents/{agent}/tasks", body, 201)["id"], mark

    def ended(self, id: str, status: str = "completed") -> dict:
        with Watch(self.server, id) as watch:
            task = watch.until("end")[-1].data
        self.assertNotIn(KEY, json.dumps(task), "the key is shown")
        self.assertEqual(status, task["status"], f"{task['error_message']}; steps: {self.kinds(id)}")
        return task

    def done(self, agent: str, *behaviours: Any, status: str = "completed", **fields: Any) -> tuple[dict, list[Call]]:
        """A task that has ended, and its calls."""
        id, mark = self.ask(agent, *behaviours, **fields)
        return self.ended(id, status), self.calls(mark)

    def steps(self, id: str, kind: str | None = None) -> list[dict]:
        steps = self.api("GET", f"/tasks/{id}/steps")["steps"]
        self.assertNotIn(KEY, json.dumps(steps), "the key is shown")
        return [step for step in steps if kind in (None, step["kind"])]

    def kinds(self, id: str) -> list[str]:
        return [step["kind"] for step in self.steps(id)]

    def calls(self, mark: str) -> list[Call]:
        with self.provider.changed:
            calls = [call for call in self.provider.calls if mark_of(call) == mark]
        self.assertEqual([], [call.refusal for call in calls if call.refusal], "a request breaks the protocol")
        return calls

    def wait_for_call(self, mark: str, number: int = 1, timeout_s: float = 20.0) -> Call:
        found = lambda: [call for call in self.provider.calls if mark_of(call) == mark][number - 1 : number]
        return self.provider.wait_until(found, timeout_s)[0]

    def children(self, id: str, agent: str) -> list[dict]:
        tasks = self.api("GET", f"/agents/{agent}/tasks?limit=500")["tasks"]
        return [task for task in tasks if task["parent_id"] == id]

    @staticmethod
    def of(fields: dict, *names: str) -> tuple:
        return tuple(fields[name] for name in names)


class OpenAiLoop(LoopTest):
    """An agent with a model of OpenAI's; what a module asks under both protocols is mixed in."""

    model, account, default, mapped = "gpt-unknown", "openai", "gpt-5-mini", ("gpt-4", "gpt-5-large")
    key_header: ClassVar = {"authorization": "Bearer " + KEY}
    frames_before_text = 1

    @staticmethod
    def schema_in(call: Call) -> dict:
        return call.fields["response_format"]["json_schema"]["schema"]


class AnthropicLoop(LoopTest):
    model, account, default, mapped = "claude-3-haiku", "anthropic", "claude-haiku-4-5", ("claude-old", "claude-new")
    key_header: ClassVar = {"x-api-key": KEY}
    frames_before_text = 3

    @staticmethod
    def schema_in(call: Call) -> dict:
        return call.fields["output_config"]["format"]["schema"]
