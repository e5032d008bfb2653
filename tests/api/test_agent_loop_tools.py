"""Tools that a model calls, the limits of what it may use up, and the trace of it all: on both protocols."""

import time
import unittest

from support.agent_loop import AnthropicLoop, OpenAiLoop
from support.conversation import FERRY, delegate, results_of, search, system_of, turns_of
from support.provider import Answer, Hang, SlowStream, ToolCall, text_of


class Tools:
    """Runs with the accounts of both kinds."""

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

    def test_an_answer_that_calls_tools_without_end_ends_the_task(self):
        task, calls = self.done(self.agent(), [ToolCall("nothing")] * 65, Answer("too late"), status="failed")
        self.assertIn("65 tools in one answer", task["error_message"])
        self.assertEqual((1, 1), (len(calls), task["attempt"]))
        self.assertEqual([], self.steps(task["id"], "tool"))

    def test_calls_with_the_same_id_are_told_apart(self):
        both = [ToolCall("launch_rocket", id="same"), ToolCall("land_rocket", id="same")]
        _, (_, second) = self.done(self.agent(), both, Answer("done"))
        (first_id, first), (second_id, last) = second.tool_results
        self.assertNotEqual(first_id, second_id)
        self.assertIn("launch_rocket", first)
        self.assertIn("land_rocket", last)

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
        ending = ("input_tokens", "output_tokens", "finish")
        self.assertEqual((100, 10, "tool_calls"), self.of(first["detail"], *ending))
        self.assertEqual((200, 20, "stop"), self.of(second["detail"], *ending))
        self.assertEqual("Let me look.", first["detail"]["text"])
        self.assertEqual("knowledge_search", first["detail"]["tool_calls"][0]["name"])
        self.assertIn("but what you have: [1]", tool["detail"]["result"])


class OpenAi(Tools, OpenAiLoop):
    pass


class Anthropic(Tools, AnthropicLoop):
    def test_thoughts_go_back_as_they_came(self):
        said = Answer("Let me look.", tools=(search(),), thinking="I should look it up.")
        _, (_, second) = self.done(self.agent(knowledge=FERRY), said, Answer("At noon."))
        block = turns_of(second)[1]["content"][0]
        self.assertEqual(("thinking", "I should look it up."), (block["type"], block["thinking"]))
        self.assertTrue(block["signature"])

    def test_what_a_tool_could_not_do_is_marked(self):
        _, (_, second) = self.done(self.agent(), ToolCall("launch_rocket"), Answer("ok"))
        self.assertTrue(turns_of(second)[-1]["content"][0]["is_error"])


if __name__ == "__main__":
    unittest.main()
