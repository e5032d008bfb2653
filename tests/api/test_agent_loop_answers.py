"""What an agent's model is asked, and what becomes of its answers: the real program on both protocols."""

import json
import unittest

from support.agent_loop import AnthropicLoop, OpenAiLoop
from support.conversation import FERRY, system_of, tool_names, turns_of
from support.provider import AT_END, KEY, Answer, Cut, PartialChunks, text_of

IDENTITY_HEADERS = {"authorization", "x-api-key"}
PLAIN_HEADERS = {"host", "user-agent", "accept", "accept-encoding", "content-type", "content-length", "connection"}


class Answers:
    """Runs with the accounts of both kinds; what is asked of the provider differs in form only."""

    def test_an_answer_rests_on_the_agents_knowledge(self):
        agent = self.agent(knowledge=FERRY, name="Harbour Master", capabilities=["departures"])
        id, mark = self.ask(agent, Answer("At noon [1].", tokens=(321, 12)), context={"harbour": "Napoli"})
        result = self.ended(id)["result"]
        self.assertEqual(("At noon [1].", self.account, self.default), self.of(result, "text", "provider", "model"))
        self.assertEqual((321, 12, 1), self.of(result, "input_tokens", "output_tokens", "steps"))
        self.assertEqual(("stop", None, True), self.of(result, "finish", "output", "found"))
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


class OpenAi(Answers, OpenAiLoop):
    pass


class Anthropic(Answers, AnthropicLoop):
    pass


if __name__ == "__main__":
    unittest.main()
