"""Conversations with agents and with models, against a scripted provider."""

import io
import json
import time
import unittest
from typing import ClassVar

from support.cases import ProviderTest
from support.event_stream import events_of
from support.provider import Answer, Fault, Hang, SlowStream

NOBODY = "01900000-0000-7000-8000-000000000000"


class Chat(ProviderTest):
    kinds: ClassVar = ("openai",)

    def stream(self, path, body):
        """The open answer to a streaming request."""
        connection, response = self.open("POST", "/api/v1" + path, json.dumps(body).encode())
        self.assertEqual(200, response.status)
        return connection, response

    @staticmethod
    def events(text):
        """[(name, data)] of server-sent events."""
        return [(event.name, event.data) for event in events_of(io.BytesIO(text))]

    def test_a_conversation_goes_on(self):
        self.provider.play(Answer("Hello, I am the writer."), Answer("You said hello."))
        first = self.api("POST", "/agents/writer/chat", {"message": "Hello there"})
        self.assertEqual("Hello, I am the writer.", first["answer"]["text"])
        second = self.api(
            "POST", "/agents/writer/chat", {"message": "What did I say?", "session_id": first["session_id"]}
        )
        self.assertEqual(first["session_id"], second["session_id"])
        sent = json.loads(self.provider.calls[-1].body)["messages"]
        self.assertEqual(["system", "user", "assistant", "user"], [message["role"] for message in sent])
        self.assertEqual("Hello there", sent[1]["content"])
        history = self.api("GET", f"/sessions/{first['session_id']}/history")
        self.assertEqual(
            [("user", "Hello there"), ("assistant", "Hello, I am the writer."), ("user", "What did I say?")],
            [(message["role"], message["content"]) for message in history["messages"]][:3],
        )
        self.assertEqual("openai", history["messages"][1]["metadata"]["provider"])
        self.assertEqual(4, self.api("GET", f"/sessions/{first['session_id']}")["message_count"])

    def test_words_come_as_they_are_written(self):
        self.provider.play(SlowStream(0.2, answer=Answer("one two three four five six")))
        _, response = self.stream("/agents/writer/chat", {"message": "count", "stream": True})
        begun = time.monotonic()
        text, first = b"", None
        while piece := response.read1(65536):
            text += piece
            if first is None and b"event: text" in text:
                first = time.monotonic() - begun
        events = self.events(text)
        self.assertEqual("session", events[0][0])
        self.assertEqual("end", events[-1][0])
        self.assertEqual("one two three four five six", "".join(d["text"] for n, d in events if n == "text"))
        self.assertEqual("one two three four five six", events[-1][1]["answer"]["text"])
        self.assertLess(first, (time.monotonic() - begun) / 2)

    def test_who_leaves_ends_the_call(self):
        self.provider.play(Hang(after=2, answer=Answer("one two three")))
        before = len(self.provider.calls)
        connection, response = self.stream("/agents/writer/chat", {"message": "wait", "stream": True})
        while b"event: text" not in response.read1(65536):
            pass
        response.close()
        connection.close()
        begun = time.monotonic()
        self.provider.wait_until(lambda: len(self.provider.calls) > before and self.provider.calls[-1].left_at)
        self.assertLess(time.monotonic() - begun, 1.5)

    def test_a_failure_is_told_and_not_remembered(self):
        self.provider.play(Fault(400, message="too strange"))
        _, response = self.stream("/agents/writer/chat", {"message": "strange", "stream": True})
        events = self.events(response.read())
        self.assertEqual(["session", "error"], [name for name, _ in events])
        self.assertIn("too strange", events[1][1]["detail"])
        self.assertEqual(0, self.api("GET", f"/sessions/{events[0][1]['session_id']}")["message_count"])
        self.provider.play(Fault(401))
        # A 401 would say that the caller's token is wrong.
        problem = self.api("POST", "/agents/writer/chat", {"message": "strange"}, 503)
        self.assertNotIn(self.provider.key, json.dumps(problem))

    def test_bad_input_is_named(self):
        self.api("POST", "/agents/nobody/chat", {"message": "hello"}, 404)
        self.api("POST", "/agents/writer/chat", {"message": "hello", "session_id": NOBODY}, 404)
        wrong = self.api("POST", "/agents/writer/chat", {"message": "", "stream": "yes", "sesion_id": "x"}, 422)
        self.assertEqual({"message", "stream", "sesion_id"}, {fault["path"] for fault in wrong["errors"]})
        session = self.api("POST", "/sessions", {"agent_id": "developer"}, 201)["id"]
        self.api("POST", "/agents/writer/chat", {"message": "hello", "session_id": session}, 409)
        self.api("POST", "/sessions", {"agent_id": "nobody"}, 404)
        self.api("GET", "/sessions/x", expect=404)

    def test_a_session_lives_and_dies(self):
        session = self.api("POST", "/sessions", {}, 201)["id"]
        self.api("POST", f"/sessions/{session}/messages", {"role": "user", "content": "said elsewhere"}, 201)
        listed = self.api("GET", "/sessions?count=total&limit=500")
        self.assertIn(session, [one["id"] for one in listed["sessions"]])
        self.assertEqual(listed["count"], listed["total"])
        self.api("DELETE", f"/sessions/{session}/history")
        self.assertEqual([], self.api("GET", f"/sessions/{session}/history")["messages"])
        self.api("DELETE", f"/sessions/{session}")
        self.api("GET", f"/sessions/{session}/history", expect=404)

    # ---- a model alone ----

    def test_inference(self):
        self.provider.play(Answer("Bern", tokens=(7, 2)))
        said = self.api("POST", "/inference", {"prompt": "Capital of Switzerland?", "model_id": "gpt-5-mini"})
        self.assertEqual(("Bern", 9, False), (said["response"], said["tokens_used"], said["cached"]))
        self.assertEqual(2048, json.loads(self.provider.calls[-1].body)["max_tokens"])

    def test_inference_in_lines(self):
        self.provider.play(Answer("one two", tokens=(3, 4)))
        _, response = self.stream("/inference", {"prompt": "count", "stream": True})
        self.assertEqual("application/x-ndjson", response.getheader("Content-Type"))
        lines = [json.loads(line) for line in response.read().splitlines() if line]
        self.assertEqual("one two", "".join(line["content"] for line in lines[:-1]))
        self.assertEqual(("stream_end", 7), (lines[-1]["type"], lines[-1]["tokens_used"]))

    def test_inference_remembers_in_its_session(self):
        session = self.api("POST", "/sessions", {}, 201)["id"]
        self.provider.play(Answer("first"), Answer("second"), Answer("third"))
        for prompt in ("a", "b"):
            self.api("POST", "/inference", {"prompt": prompt, "session_id": session})
        self.assertEqual(3, len(json.loads(self.provider.calls[-1].body)["messages"]))
        self.api("POST", "/inference", {"prompt": "c", "session_id": session, "include_context": False})
        self.assertEqual(1, len(json.loads(self.provider.calls[-1].body)["messages"]))
        self.assertEqual(6, self.api("GET", f"/sessions/{session}")["message_count"])

    def test_inference_names_what_is_wrong(self):
        wrong = self.api("POST", "/inference", {"prompt": "x", "temperature": 3, "max_tokens": 1}, 422)
        self.assertEqual(["temperature"], [fault["path"] for fault in wrong["errors"]])
        self.api("POST", "/inference", {"prompt": "x", "model_type": "speech_to_text"}, 422)
        self.api("POST", "/inference", {"prompt": "x", "session_id": NOBODY}, 404)

    def test_without_a_model_agents_talk_from_their_knowledge(self):
        agent = {"id": "quiet", "name": "Quiet", "specialization": "quoting", "config": {"provider": "extractive"}}
        self.api("POST", "/agents", agent, 201)
        self.api("POST", "/agents/quiet/knowledge", {"content": "The ferry to Capri leaves at noon."}, 201)
        before = len(self.provider.calls)
        said = self.api("POST", "/agents/quiet/chat", {"message": "When does the ferry leave?"})
        self.assertIn("noon", said["answer"]["text"])
        self.assertEqual(before, len(self.provider.calls))

    # ---- the command line ----

    def test_the_command_talks(self):
        self.provider.play(Answer("Hello to you."), Answer("Still here."))
        done = self.server.run("chat", "writer", text="Hello\nStill there?\n")
        self.assertEqual((0, "Hello to you.\nStill here.\n"), (done.returncode, done.stdout), done.stderr)
        self.provider.play(Answer("In JSON."))
        done = self.server.run("chat", "writer", "Hello", "--json")
        self.assertEqual("In JSON.", json.loads(done.stdout)["answer"]["text"])
        done = self.server.run("chat", "nobody", "Hello")
        self.assertEqual(1, done.returncode)
        self.assertIn("nobody", done.stderr)


if __name__ == "__main__":
    unittest.main()
