"""What the config of an agent may say, and which provider it leads to."""

import unittest

from support.agent_loop import LoopTest
from support.conversation import FERRY, tool_names
from support.provider import Answer


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


if __name__ == "__main__":
    unittest.main()
