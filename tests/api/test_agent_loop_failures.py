"""Providers that fail: what is tried again, gone on from or given up, on both protocols."""

import socket
import time
import unittest

from support.agent_loop import AnthropicLoop, LoopTest, OpenAiLoop
from support.conversation import FERRY, search, turns_of
from support.provider import KEY, Answer, Cut, Fault, Garbage, Hang, SlowStream, ToolCall


class Failures:
    """Runs with the accounts of both kinds."""

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


class OpenAi(Failures, OpenAiLoop):
    def test_a_limit_that_waiting_does_not_mend_fails_at_once(self):
        task, calls = self.done(self.agent(), Fault(429, code="insufficient_quota", message="Pay."), status="failed")
        self.assertIn("Pay.", task["error_message"])
        self.assertEqual((1, 1), (task["attempt"], len(calls)))


class Anthropic(Failures, AnthropicLoop):
    def passing(self):
        yield from super().passing()
        yield "their kind of overloaded", Fault(529), "status 529", 3


class LongConversations(LoopTest):
    def test_a_very_long_conversation_is_gone_on_from_its_end(self):
        """It has more steps than a trace is read at a time."""
        agent = self.agent({"max_steps": 100, "max_total_tokens": 100_000_000})
        turns = [[ToolCall("nothing")] * 16 for _ in range(62)]
        task, calls = self.done(agent, *turns, *[Fault(503)] * 3, Answer("At last."))
        self.assertEqual(("At last.", 2), (task["result"]["text"], task["attempt"]))
        self.assertEqual(len(calls[-2].messages), len(calls[-1].messages), "the last turns are forgotten")


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


if __name__ == "__main__":
    unittest.main()
