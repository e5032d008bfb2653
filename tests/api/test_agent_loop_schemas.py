"""Answers that must fit the schema of an agent, and schemas that nobody should have to check."""

import http.client
import json
import subprocess
import time
import unittest
from typing import ClassVar

from support.agent_loop import AnthropicLoop, LoopTest, OpenAiLoop, numbers
from support.conversation import system_of, turns_of
from support.event_stream import Watch
from support.provider import Answer, Fault, text_of

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer", "minimum": 1}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
# What every provider can hold its model to.
CLOSED = SCHEMA | {"properties": {"city": {"type": "string"}, "people": {"type": "integer"}}}
FITS, DOES_NOT_FIT = {"city": "Bern", "people": 134000}, {"city": "Bern", "people": 0}


class AnswersOfAForm:
    """Runs with the accounts of both kinds."""

    def test_an_answer_that_fits_comes_out_as_json(self):
        agent = self.agent({"answer_schema": CLOSED})
        for text in (json.dumps(FITS), f"```json\n{json.dumps(FITS, indent=2)}\n```\n"):
            task, (call,) = self.done(agent, Answer(text))
            self.assertEqual(FITS, task["result"]["output"])
            self.assertEqual(CLOSED, self.schema_in(call))
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

    def test_corrections_are_counted_over_all_attempts(self):
        agent = self.agent({"answer_schema": SCHEMA})
        script = [Answer(DOES_NOT_FIT)] * 2 + [Fault(503)] * 3 + [Answer(DOES_NOT_FIT)]
        task, calls = self.done(agent, *script, status="failed")
        self.assertIn("does not fit the schema", task["error_message"])
        self.assertEqual((6, 2), (len(calls), task["attempt"]))

    def test_an_empty_answer_can_be_corrected(self):
        """Providers refuse a conversation with an empty turn in it."""
        task, _ = self.done(self.agent({"answer_schema": SCHEMA}), Answer(""), Answer(FITS))
        self.assertEqual(FITS, task["result"]["output"])


class OpenAi(AnswersOfAForm, OpenAiLoop):
    pass


class Anthropic(AnswersOfAForm, AnthropicLoop):
    pass


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
        "what is no schema": {"$ref": "#/default", "default": 5},
        "a list of names": {"$ref": "#/required", "required": ["city"]},
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


if __name__ == "__main__":
    unittest.main()
