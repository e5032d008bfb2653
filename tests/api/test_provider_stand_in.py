"""The scripted provider, byte by byte: tests of our clients are worth what it is worth."""

import base64
import concurrent.futures
import http.client
import json
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

from support import provider as stand_in
from support.provider import (
    AT_END,
    Answer,
    Cut,
    Endless,
    Fault,
    Garbage,
    Hang,
    PartialChunks,
    ScriptedProvider,
    SlowStream,
    ToolCall,
)

TIMEOUT_S = 20
HELLO = [{"role": "user", "content": "Hello"}]
WEATHER = ToolCall("weather", {"city": "Zürich", "days": [1, 2]})
CLOCK = ToolCall("clock")


def events_of(body: bytes) -> list[tuple[str, str]]:
    """Name and data of each event, as the standard of server-sent events reads them."""
    events, name, data = [], "", []
    for line in body.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                events.append((name, "\n".join(data)))
            name, data = "", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
    return events


class ProviderTest(unittest.TestCase):
    def setUp(self):
        self.provider = self.enterContext(ScriptedProvider())

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.provider.port, timeout=TIMEOUT_S)
        self.addCleanup(connection.close)
        return connection

    def ask(self, path, fields=None, headers=None, method=None, connection=None):
        """Response and body. A header of None is left out."""
        all_headers = {"Content-Type": "application/json", "Authorization": "Bearer " + self.provider.key}
        if path.startswith(stand_in.MESSAGES):
            all_headers = {"x-api-key": self.provider.key, "anthropic-version": "2026-10-21"}
        all_headers = {name: value for name, value in (all_headers | (headers or {})).items() if value is not None}
        body = None if fields is None else fields if isinstance(fields, bytes) else json.dumps(fields)
        connection = connection or self.connect()
        connection.request(method or ("GET" if body is None else "POST"), path, body, all_headers)
        response = connection.getresponse()
        return response, response.read()

    def chat(self, *behaviours, status=200, headers=None, connection=None, **fields):
        self.provider.play(*behaviours)
        fields = {"model": "gpt-5-mini", "messages": HELLO} | fields
        response, body = self.ask(stand_in.CHAT, fields, headers, connection=connection)
        self.assertEqual(status, response.status, body)
        return body if fields.get("stream") else json.loads(body)

    def message(self, *behaviours, status=200, headers=None, **fields):
        self.provider.play(*behaviours)
        fields = {"model": "claude-sonnet-4-6", "max_tokens": 100, "messages": HELLO} | fields
        response, body = self.ask(stand_in.MESSAGES, fields, headers)
        self.assertEqual(status, response.status, body)
        return body if fields.get("stream") else json.loads(body)

    def chunks(self, *behaviours, **fields):
        """The JSON of all chunks of a stream that ends as it should."""
        events = events_of(self.chat(*behaviours, stream=True, **fields))
        self.assertEqual(("", "[DONE]"), events[-1])
        return [json.loads(data) for _, data in events[:-1]]

    def events(self, *behaviours, **fields):
        events = events_of(self.message(*behaviours, stream=True, **fields))
        for name, data in events:
            self.assertEqual(name, json.loads(data)["type"])
        return [json.loads(data) for _, data in events]

    def raw(self, behaviour, stream=True) -> socket.socket:
        """A socket with a request on its way."""
        self.provider.play(behaviour)
        fields = json.dumps({"model": "gpt-5-mini", "messages": HELLO, "stream": stream}).encode()
        client = socket.create_connection(("127.0.0.1", self.provider.port), timeout=TIMEOUT_S)
        self.addCleanup(client.close)
        head = f"POST {stand_in.CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.provider.key}\r\n"
        client.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(fields) + fields)
        return client

    def when_it(self, has) -> stand_in.Call:
        """The last call, once it has that time or number."""
        return self.provider.wait_until(
            lambda: self.provider.calls and getattr(self.provider.calls[-1], has) and self.provider.calls[-1]
        )

    def read_until(self, client, is_enough) -> bytes:
        data = b""
        while not is_enough(data):
            part = client.recv(65536)
            self.assertTrue(part, f"the end, after {data}")
            data += part
        return data

    def assert_silent(self, client):
        client.setblocking(False)
        self.assertRaises(BlockingIOError, client.recv, 1)
        client.settimeout(TIMEOUT_S)

    def read_all(self, client) -> bytes:
        data = b""
        while part := client.recv(65536):
            data += part
        return data


class OpenAi(ProviderTest):
    def test_a_plain_answer(self):
        answer = self.chat(Answer("Grüezi", tokens=(12, 3)))
        self.assertEqual(
            {"id", "object", "created", "model", "service_tier", "system_fingerprint", "choices", "usage"}, set(answer)
        )
        self.assertEqual(("chat.completion", "gpt-5-mini"), (answer["object"], answer["model"]))
        self.assertRegex(answer["id"], r"^chatcmpl-\w+$")
        (choice,) = answer["choices"]
        self.assertEqual((0, "stop", None), (choice["index"], choice["finish_reason"], choice["logprobs"]))
        message = {"role": "assistant", "content": "Grüezi", "refusal": None, "annotations": []}
        self.assertEqual(message, choice["message"])
        usage = answer["usage"]
        self.assertEqual((12, 3, 15), tuple(usage[name + "_tokens"] for name in ("prompt", "completion", "total")))
        self.assertEqual(0, usage["completion_tokens_details"]["reasoning_tokens"])

    def test_headers_of_a_plain_answer(self):
        response, body = self.ask(stand_in.CHAT, {"model": "m", "messages": HELLO})
        self.assertEqual("application/json", response.getheader("Content-Type"))
        self.assertEqual(str(len(body)), response.getheader("Content-Length"))
        self.assertRegex(response.getheader("x-request-id"), "^req_")
        self.assertEqual("499", response.getheader("x-ratelimit-remaining-requests"))

    def test_a_stream(self):
        chunks = self.chunks(Answer("one two three"))
        self.assertEqual(1, len({chunk["id"] for chunk in chunks}))
        self.assertEqual({"chat.completion.chunk"}, {chunk["object"] for chunk in chunks})
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
        self.assertEqual({"role": "assistant", "content": "", "refusal": None}, deltas[0])
        self.assertEqual([{"content": "one "}, {"content": "two "}, {"content": "three"}, {}], deltas[1:])
        finishes = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
        self.assertEqual([None] * 4 + ["stop"], finishes)
        self.assertFalse([chunk for chunk in chunks if "usage" in chunk])

    def test_usage_at_the_end_of_a_stream(self):
        chunks = self.chunks(Answer("a b", tokens=(5, 2)), stream_options={"include_usage": True})
        self.assertEqual([None] * 4, [chunk["usage"] for chunk in chunks[:-1]])
        self.assertEqual([], chunks[-1]["choices"])
        self.assertEqual(7, chunks[-1]["usage"]["total_tokens"])

    def test_obfuscation_can_be_switched_off(self):
        self.assertIn("obfuscation", self.chunks("a")[1])
        self.assertNotIn("obfuscation", self.chunks("a", stream_options={"include_obfuscation": False})[1])

    def test_head_of_a_stream(self):
        response, _ = self.ask(stand_in.CHAT, {"model": "m", "messages": HELLO, "stream": True})
        self.assertEqual("text/event-stream; charset=utf-8", response.getheader("Content-Type"))
        self.assertEqual("chunked", response.getheader("Transfer-Encoding"))
        self.assertIsNone(response.getheader("Content-Length"))

    def test_calls_of_tools(self):
        choice = self.chat([WEATHER, CLOCK])["choices"][0]
        self.assertEqual(("tool_calls", None), (choice["finish_reason"], choice["message"]["content"]))
        calls = choice["message"]["tool_calls"]
        self.assertEqual(["function", "function"], [call["type"] for call in calls])
        self.assertEqual(2, len({call["id"] for call in calls}))
        self.assertEqual(WEATHER.arguments, json.loads(calls[0]["function"]["arguments"]))
        self.assertEqual({"name": "clock", "arguments": "{}"}, calls[1]["function"])

    def test_calls_of_tools_in_a_stream(self):
        chunks = self.chunks([WEATHER, CLOCK])
        self.assertEqual("tool_calls", chunks[-1]["choices"][0]["finish_reason"])
        parts = [part for chunk in chunks for part in chunk["choices"][0]["delta"].get("tool_calls", [])]
        for index, tool in enumerate((WEATHER, CLOCK)):
            first, *rest = [part for part in parts if part["index"] == index]
            self.assertEqual((tool.name, "", "function"), (*first["function"].values(), first["type"]))
            self.assertTrue(first["id"])
            self.assertEqual({("index", "function")}, {tuple(part) for part in rest})
            self.assertEqual(tool.json, "".join(part["function"]["arguments"] for part in rest))
            self.assertGreaterEqual(len(rest), 1 if tool is CLOCK else 5)

    def test_arguments_may_be_broken(self):
        call = self.chat(ToolCall("weather", '{"city": '))["choices"][0]["message"]["tool_calls"][0]
        self.assertEqual('{"city": ', call["function"]["arguments"])

    def test_a_conversation_with_tools(self):
        self.provider.when("weather", lambda call: Answer("Sunny") if call.tool_results else WEATHER)
        ask = {"role": "user", "content": "the weather?"}
        asked = self.chat(messages=[ask])["choices"][0]["message"]
        id = asked["tool_calls"][0]["id"]
        result = {"role": "tool", "tool_call_id": id, "content": "20 °C"}
        answer = self.chat(messages=[ask, asked, result])["choices"][0]["message"]
        self.assertEqual("Sunny", answer["content"])
        self.assertEqual([(id, "20 °C")], self.provider.calls[1].tool_results)

    def test_structured_output(self):
        schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
        shape = {"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": schema}}
        self.assertIn("additionalProperties", self.chat(response_format=shape, status=400)["error"]["message"])
        schema["additionalProperties"] = False
        answer = self.chat(Answer({"name": "Zürich"}), response_format=shape)
        self.assertEqual({"name": "Zürich"}, json.loads(answer["choices"][0]["message"]["content"]))
        self.assertEqual(shape, self.provider.calls[1].json["response_format"])
        del shape["json_schema"]["schema"]
        error = self.chat(response_format=shape, status=400)["error"]
        self.assertEqual("response_format.json_schema.schema", error["param"])

    def test_a_refusal_of_the_model(self):
        choice = self.chat(Answer("No.", is_refusal=True))["choices"][0]
        self.assertEqual(
            (None, "No.", "stop"), (choice["message"]["content"], choice["message"]["refusal"], choice["finish_reason"])
        )
        deltas = [chunk["choices"][0]["delta"] for chunk in self.chunks(Answer("No.", is_refusal=True))]
        self.assertIn({"refusal": "No."}, deltas)

    def test_models(self):
        _, body = self.ask(stand_in.MODEL_LIST)
        models = json.loads(body)
        self.assertEqual("list", models["object"])
        self.assertEqual({"id", "object", "created", "owned_by"}, set(models["data"][0]))
        _, body = self.ask(stand_in.MODEL_LIST + "/gpt-5-mini")
        self.assertEqual("model", json.loads(body)["object"])
        response, body = self.ask(stand_in.MODEL_LIST + "/none")
        self.assertEqual((404, "model_not_found"), (response.status, json.loads(body)["error"]["code"]))

    def embed(self, input, status=200, **fields):
        response, body = self.ask(stand_in.EMBEDDINGS, {"model": "text-embedding-3-small", "input": input} | fields)
        self.assertEqual(status, response.status, body)
        return json.loads(body)

    def test_embeddings(self):
        answer = self.embed(["the cat sleeps", "a cat sleeps", "quarterly revenue"], dimensions=256)
        self.assertEqual("list", answer["object"])
        self.assertEqual([0, 1, 2], [part["index"] for part in answer["data"]])
        self.assertEqual({"prompt_tokens", "total_tokens"}, set(answer["usage"]))
        cat, other_cat, revenue = (part["embedding"] for part in answer["data"])
        self.assertEqual(256, len(cat))
        self.assertAlmostEqual(1, sum(value * value for value in cat), 5)
        likeness = [sum(a * b for a, b in zip(cat, other, strict=True)) for other in (other_cat, revenue)]
        self.assertGreater(likeness[0], likeness[1] + 0.3)

    def test_embeddings_in_base64(self):
        plain = self.embed("one text")["data"][0]["embedding"]
        packed = self.embed("one text", encoding_format="base64")["data"][0]["embedding"]
        self.assertEqual(1536, len(plain))
        self.assertEqual(plain, list(struct.unpack("<1536f", base64.b64decode(packed))))

    def test_embeddings_of_tokens(self):
        self.assertEqual(1, len(self.embed([5, 6, 7])["data"]))
        answer = self.embed([[5, 6, 7], [8]])
        self.assertEqual((2, 4), (len(answer["data"]), answer["usage"]["prompt_tokens"]))

    def test_embeddings_that_are_refused(self):
        for input in ("", [], ["a", ""], ["a"] * 2049):
            self.assertEqual("invalid_request_error", self.embed(input, status=400)["error"]["type"])
        self.embed("a", status=400, encoding_format="hex")
        self.embed("a", status=400, dimensions=0)

    def test_faults(self):
        for status, kind, code in (
            (400, "invalid_request_error", None),
            (401, "invalid_request_error", "invalid_api_key"),
            (404, "invalid_request_error", "model_not_found"),
            (429, "requests", "rate_limit_exceeded"),
            (500, "server_error", None),
            (503, "service_unavailable_error", "server_is_overloaded"),
        ):
            for stream in (False, True):
                with self.subTest(status=status, stream=stream):
                    self.provider.play(Fault(status))
                    fields = {"model": "m", "messages": HELLO, "stream": stream}
                    response, body = self.ask(stand_in.CHAT, fields)
                    error = json.loads(body)["error"]
                    self.assertEqual((status, kind, code), (response.status, error["type"], error["code"]))
                    self.assertEqual({"message", "type", "param", "code"}, set(error))
                    self.assertEqual("application/json", response.getheader("Content-Type"))
                    self.assertIsNone(response.getheader("Retry-After"))

    def test_when_to_try_again(self):
        date = "Wed, 21 Oct 2026 07:28:00 GMT"
        for retry_after, header in ((7, "7"), (0.5, "0.5"), (date, date)):
            self.provider.play(Fault(429, retry_after=retry_after, headers={"retry-after-ms": "500"}))
            response, _ = self.ask(stand_in.CHAT, {"model": "m", "messages": HELLO})
            self.assertEqual(header, response.getheader("Retry-After"))
            self.assertEqual("500", response.getheader("retry-after-ms"))

    def test_a_fault_with_a_code_of_its_own(self):
        fault = Fault(429, type="insufficient_quota", code="credit_balance_exhausted", message="Empty.")
        error = self.chat(fault, status=429)["error"]
        self.assertEqual(
            {"type": "insufficient_quota", "code": "credit_balance_exhausted", "message": "Empty.", "param": None},
            error,
        )

    def test_an_error_inside_a_stream(self):
        events = events_of(self.chat(Fault(500, after=2, answer=Answer("one two three")), stream=True))
        self.assertEqual(3, len(events))
        self.assertEqual("server_error", json.loads(events[-1][1])["error"]["type"])
        self.chat(Fault(500, after=2), status=500)

    def test_what_is_refused(self):
        call = {"id": "call_1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
        asking = {"role": "assistant", "content": None, "tool_calls": [call]}
        result = {"role": "tool", "tool_call_id": "call_1", "content": "noon"}
        good = {"model": "m", "messages": [*HELLO, asking, result]}
        self.assertEqual(200, self.ask(stand_in.CHAT, good)[0].status)
        for name, fields in {
            "no model": {"messages": HELLO},
            "no messages": {"model": "m"},
            "messages of no list": good | {"messages": "Hello"},
            "empty": good | {"messages": []},
            "unknown role": good | {"messages": [{"role": "robot", "content": "x"}]},
            "no result": good | {"messages": [*HELLO, asking]},
            "no result before more": good | {"messages": [*HELLO, asking, *HELLO]},
            "result of nothing": good | {"messages": [*HELLO, result]},
            "result of another call": good | {"messages": [*HELLO, asking, result | {"tool_call_id": "call_2"}]},
            "nothing said": good | {"messages": [{"role": "assistant", "content": None}]},
            "stream options": good | {"stream_options": {"include_usage": True}},
            "name of a tool": good | {"tools": [{"type": "function", "function": {"name": "a b"}}]},
            "no JSON": b"{",
            "no object": b"[]",
        }.items():
            with self.subTest(name):
                response, body = self.ask(stand_in.CHAT, fields)
                self.assertEqual((400, "invalid_request_error"), (response.status, json.loads(body)["error"]["type"]))
        self.assertEqual(14, len(self.provider.refused()))

    def test_keys_and_addresses(self):
        fields = {"model": "m", "messages": HELLO}
        for header, code in ((None, None), ("Basic x", None), ("Bearer wrong", "invalid_api_key")):
            response, body = self.ask(stand_in.CHAT, fields, {"Authorization": header})
            self.assertEqual((401, code), (response.status, json.loads(body)["error"]["code"]))
        self.assertEqual(404, self.ask("/v1/none", fields)[0].status)
        self.assertEqual(404, self.ask("/chat/completions", fields)[0].status)
        self.assertEqual(405, self.ask(stand_in.CHAT)[0].status)


class Anthropic(ProviderTest):
    def test_a_plain_answer(self):
        answer = self.message(Answer("Grüezi", tokens=(12, 3)))
        self.assertRegex(answer["id"], "^msg_")
        kept = {name: answer[name] for name in answer if name not in ("id", "usage")}
        self.assertEqual(
            {
                "model": "claude-sonnet-4-6",
                "type": "message",
                "role": "assistant",
                "content": [{"type": "text", "text": "Grüezi"}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "stop_details": None,
            },
            kept,
        )
        self.assertEqual((12, 3), (answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]))

    def test_headers(self):
        response, _ = self.ask(stand_in.MESSAGES, {"model": "m", "max_tokens": 1, "messages": HELLO})
        self.assertRegex(response.getheader("request-id"), "^req_")
        self.assertEqual("49", response.getheader("anthropic-ratelimit-requests-remaining"))

    def test_a_stream(self):
        events = self.events(Answer("one two", tokens=(12, 3)))
        self.assertEqual(
            ["message_start", "content_block_start", "ping", "content_block_delta", "content_block_delta"]
            + ["content_block_stop", "message_delta", "message_stop"],
            [event["type"] for event in events],
        )
        start = events[0]["message"]
        self.assertEqual(([], None), (start["content"], start["stop_reason"]))
        self.assertEqual((12, 1), (start["usage"]["input_tokens"], start["usage"]["output_tokens"]))
        self.assertEqual({"type": "text", "text": ""}, events[1]["content_block"])
        deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
        self.assertEqual([{"type": "text_delta", "text": text} for text in ("one ", "two")], deltas)
        ending = {"stop_reason": "end_turn", "stop_sequence": None, "stop_details": None}
        self.assertEqual((ending, 3), (events[-2]["delta"], events[-2]["usage"]["output_tokens"]))

    def test_a_stream_has_no_done(self):
        self.assertNotIn(b"[DONE]", self.message("a", stream=True))

    def test_uses_of_tools(self):
        answer = self.message(Answer("Looking.", tools=(WEATHER, CLOCK)))
        self.assertEqual("tool_use", answer["stop_reason"])
        text, weather, clock = answer["content"]
        self.assertEqual("Looking.", text["text"])
        self.assertEqual(
            ("tool_use", "weather", WEATHER.arguments), (weather["type"], weather["name"], weather["input"])
        )
        self.assertRegex(weather["id"], "^toolu_")
        self.assertEqual({}, clock["input"])

    def test_uses_of_tools_in_a_stream(self):
        events = self.events(Answer("Looking.", tools=(WEATHER, CLOCK)))
        starts = [event for event in events if event["type"] == "content_block_start"]
        self.assertEqual([(0, "text"), (1, "tool_use"), (2, "tool_use")],
                         [(event["index"], event["content_block"]["type"]) for event in starts])  # fmt: skip
        self.assertEqual({}, starts[1]["content_block"]["input"])
        for index, text in ((1, WEATHER.json), (2, "")):
            deltas = [event["delta"] for event in events
                      if event["type"] == "content_block_delta" and event["index"] == index]  # fmt: skip
            self.assertEqual({"input_json_delta"}, {delta["type"] for delta in deltas})
            self.assertEqual("", deltas[0]["partial_json"])
            self.assertEqual(text, "".join(delta["partial_json"] for delta in deltas))
        self.assertEqual("tool_use", events[-2]["delta"]["stop_reason"])

    def test_thinking_comes_first(self):
        answer = self.message(Answer("42", thinking="Let me see."))
        self.assertEqual(["thinking", "text"], [block["type"] for block in answer["content"]])
        kinds = [event["delta"]["type"] for event in self.events(Answer("42", thinking="Let me see."))
                 if event["type"] == "content_block_delta"]  # fmt: skip
        self.assertEqual(["thinking_delta"] * 3 + ["signature_delta", "text_delta"], kinds)

    def test_reasons_to_stop(self):
        for finish, reason in (("length", "max_tokens"), ("content_filter", "refusal"), ("pause_turn", "pause_turn")):
            self.assertEqual(reason, self.message(Answer("a", finish=finish))["stop_reason"])
        self.assertEqual("refusal", self.message(Answer("No.", is_refusal=True))["stop_details"]["type"])

    def test_a_conversation_with_tools(self):
        self.provider.when("weather", lambda call: Answer("Sunny") if call.tool_results else WEATHER)
        ask = {"role": "user", "content": [{"type": "text", "text": "the weather?"}]}
        asked = self.message(messages=[ask])
        id = asked["content"][0]["id"]
        results = [{"type": "tool_result", "tool_use_id": id, "content": "20 °C"}]
        conversation = [ask, {"role": "assistant", "content": asked["content"]}, {"role": "user", "content": results}]
        self.assertEqual("Sunny", self.message(messages=conversation)["content"][0]["text"])
        self.assertEqual([(id, "20 °C")], self.provider.calls[1].tool_results)

    def test_faults(self):
        for status, kind in (
            (400, "invalid_request_error"),
            (401, "authentication_error"),
            (403, "permission_error"),
            (404, "not_found_error"),
            (413, "request_too_large"),
            (429, "rate_limit_error"),
            (500, "api_error"),
            (529, "overloaded_error"),
        ):
            with self.subTest(status):
                self.provider.play(Fault(status, retry_after=3))
                response, body = self.ask(stand_in.MESSAGES, {"model": "m", "max_tokens": 1, "messages": HELLO})
                fault = json.loads(body)
                self.assertEqual((status, "error", kind), (response.status, fault["type"], fault["error"]["type"]))
                self.assertEqual(response.getheader("request-id"), fault["request_id"])
                self.assertEqual("3", response.getheader("Retry-After"))

    def test_a_limit_that_trying_again_does_not_lift(self):
        error = self.message(Fault(429, code="enforced_spend_limit_reached"), status=429)["error"]
        self.assertEqual({"error_code": "enforced_spend_limit_reached"}, error["details"])

    def test_an_error_inside_a_stream(self):
        events = self.events(Fault(529, after=4, answer=Answer("one two three")))
        self.assertEqual(5, len(events))
        self.assertEqual(("error", "overloaded_error"), (events[-1]["type"], events[-1]["error"]["type"]))

    def test_keys_and_versions(self):
        fields = {"model": "m", "max_tokens": 1, "messages": HELLO}
        bearer = "Bearer " + self.provider.key
        for name, headers, status in (
            ("neither", {"x-api-key": None}, 401),
            ("wrong", {"x-api-key": "wrong"}, 401),
            ("bearer", {"x-api-key": None, "Authorization": bearer}, 200),
            ("wrong bearer", {"x-api-key": None, "Authorization": "Bearer wrong"}, 401),
            ("the key wins", {"x-api-key": "wrong", "Authorization": bearer}, 401),
            ("no version", {"anthropic-version": None}, 400),
            ("unknown version", {"anthropic-version": "2024-01-01"}, 400),
            ("older version", {"anthropic-version": "2023-06-01"}, 200),
        ):
            with self.subTest(name):
                response, body = self.ask(stand_in.MESSAGES, fields, headers)
                self.assertEqual(status, response.status, body)
        self.assertEqual(405, self.ask(stand_in.MESSAGES)[0].status)
        self.assertEqual(404, self.ask(stand_in.MESSAGES + "/none", fields)[0].status)

    def test_the_newest_version_takes_less(self):
        older = {"anthropic-version": "2023-06-01"}
        cited = [{"role": "user", "content": [{"type": "text", "text": "x", "citations": [{"type": "page_location"}]}]}]
        document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
        quoted = [*HELLO, {"role": "assistant", "content": [document]}]
        for fields in ({"temperature": 1.0}, {"top_p": 1}, {"top_k": 5}, {"messages": cited}, {"messages": quoted}):
            with self.subTest(fields):
                self.message(headers=older, **fields)
                error = self.message(status=400, **fields)["error"]
                self.assertEqual("invalid_request_error", error["type"])
        self.message(status=400, headers=older, x_unknown=1)

    def test_what_is_refused(self):
        use = {"type": "tool_use", "id": "toolu_1", "name": "clock", "input": {}}
        asking = {"role": "assistant", "content": [use]}
        result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "noon"}]}
        good = {"model": "m", "max_tokens": 1, "messages": [*HELLO, asking, result]}
        self.message(**good)
        for name, fields in {
            "no model": {"max_tokens": 1, "messages": HELLO},
            "no limit": {"model": "m", "messages": HELLO},
            "limit of nothing": good | {"max_tokens": 0},
            "no messages": {"model": "m", "max_tokens": 1},
            "empty": good | {"messages": []},
            "unknown role": good | {"messages": [{"role": "tool", "content": "x"}]},
            "nothing said": good | {"messages": [{"role": "user", "content": ""}]},
            "empty text": good | {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
            "no result": good | {"messages": [*HELLO, asking]},
            "no result before more": good | {"messages": [*HELLO, asking, *HELLO]},
            "result of nothing": good | {"messages": [*HELLO, result]},
            "no schema": good | {"tools": [{"name": "clock"}]},
            "no JSON": b"{",
        }.items():
            with self.subTest(name):
                response, body = self.ask(stand_in.MESSAGES, fields)
                self.assertEqual((400, "invalid_request_error"), (response.status, json.loads(body)["error"]["type"]))

    def test_tokens_are_counted(self):
        _, body = self.ask(stand_in.COUNT_TOKENS, {"model": "m", "messages": HELLO})
        self.assertEqual(["input_tokens"], list(json.loads(body)))
        response, _ = self.ask(stand_in.COUNT_TOKENS, {"model": "m", "messages": HELLO, "max_tokens": 1})
        self.assertEqual(400, response.status)

    def test_models(self):
        _, body = self.ask(stand_in.MODEL_LIST, headers={"anthropic-version": "2026-10-21"})
        models = json.loads(body)
        self.assertFalse(models["has_more"])
        self.assertEqual(models["first_id"], models["data"][0]["id"])
        self.assertEqual("model", models["data"][0]["type"])


class Wire(ProviderTest):
    WORDS = Answer("one two three")

    def test_it_hangs_before_the_head(self):
        client = self.raw(Hang(answer="late"), stream=False)
        self.provider.wait_for_hanging()
        self.assert_silent(client)
        self.provider.release()
        self.read_until(client, lambda data: b"late" in data)

    def test_it_hangs_in_a_stream(self):
        client = self.raw(Hang(2, self.WORDS))
        self.provider.wait_for_hanging()
        self.read_until(client, lambda data: data.count(b"data: ") == 2)
        self.assert_silent(client)
        self.provider.release()
        rest = self.read_until(client, lambda data: data.endswith(b"0\r\n\r\n"))
        self.assertEqual(4, rest.count(b"data: "))

    def test_it_hangs_in_a_plain_body(self):
        client = self.raw(Hang(1, "long enough"), stream=False)
        self.provider.wait_for_hanging()
        head, _, body = self.read_until(client, lambda data: b"long" in data).partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        self.assertEqual(length // 2, len(body))
        self.assert_silent(client)

    def test_it_sees_the_client_leave(self):
        client = self.raw(Hang(1, self.WORDS))
        self.provider.wait_for_hanging()
        self.read_until(client, lambda data: b"data: " in data)
        self.assertIsNone(self.provider.calls[0].left_at)
        client.close()
        self.assertFalse(self.when_it("left_at").delivered)
        self.provider.wait_until(lambda: self.provider.hanging == 0)

    def test_it_cuts_at_once(self):
        self.assertEqual(b"", self.read_all(self.raw(Cut())))

    def test_it_cuts_after_chunks(self):
        for after, frames in ((0, 0), (2, 2), (AT_END, 6)):
            with self.subTest(after):
                data = self.read_all(self.raw(Cut(after, self.WORDS)))
                self.assertTrue(data.startswith(b"HTTP/1.1 200 OK\r\n"))
                self.assertEqual(frames, data.count(b"data: "))
                self.assertFalse(data.endswith(b"0\r\n\r\n"))
        self.assertFalse(any(call.delivered for call in self.provider.calls))

    def test_it_cuts_inside_a_frame(self):
        data = self.read_all(self.raw(Cut(2, self.WORDS, inside="frame")))
        last = data.rpartition(b"data: ")[2]
        self.assertEqual(3, data.count(b"data: "))
        self.assertNotIn(b"\n\n", last)

    def test_it_cuts_inside_a_character(self):
        for stream in (True, False):
            with self.subTest(stream=stream):
                data = self.read_all(self.raw(Cut(0, Answer("abc 😀 def"), inside="character"), stream))
                self.assertTrue(data.rstrip(b"\r\n").endswith(b"\xf0"), data)

    def test_it_says_when_there_is_nothing_to_cut(self):
        with self.assertRaisesRegex(AssertionError, "no character"), ScriptedProvider() as self.provider:
            self.read_all(self.raw(Cut(0, Answer("ascii"), inside="character")))

    def test_it_cuts_a_plain_body(self):
        connection = self.connect()
        with self.assertRaises(http.client.IncompleteRead):
            self.chat(Cut(1, "long enough"), connection=connection)

    def test_it_resets(self):
        client = self.raw(Cut(1, self.WORDS, is_reset=True))
        self.when_it("chunks")
        with self.assertRaises(ConnectionResetError):
            self.read_all(client)

    def test_garbage_as_the_answer(self):
        self.assertEqual(b"\0\1\2", self.read_all(self.raw(Garbage(b"\0\1\2", where="answer"))))

    def test_garbage_as_the_body(self):
        self.provider.play(Garbage(b"<html>502</html>", status=502, content_type="text/html"))
        response, body = self.ask(stand_in.CHAT, {"model": "m", "messages": HELLO})
        self.assertEqual((502, "text/html", b"<html>502</html>"),
                         (response.status, response.getheader("Content-Type"), body))  # fmt: skip
        self.provider.play(Garbage())
        _, body = self.ask(stand_in.CHAT, {"model": "m", "messages": HELLO})
        self.assertRaises(ValueError, json.loads, body)

    def test_garbage_in_a_stream(self):
        body = self.chat(Garbage(b"{oops", where="frame", after=2, answer=self.WORDS), stream=True)
        events = events_of(body)
        self.assertEqual("{oops", events[2][1])
        self.assertEqual(6, len(events))

    def test_it_is_slow(self):
        for stream in (True, False):
            begin = time.monotonic()
            self.chat(SlowStream(0.01, self.WORDS), stream=stream)
            self.assertGreater(time.monotonic() - begin, 0.05)
        begin = time.monotonic()
        self.chat(Answer(delay_s=0.05))
        self.assertGreater(time.monotonic() - begin, 0.05)

    def test_pieces_heed_no_frame(self):
        whole = [json.loads(data)["choices"] for _, data in events_of(self.chat(self.WORDS, stream=True))[:-1]]
        for behaviour in (
            PartialChunks(self.WORDS, sizes=(1,), line_end="\n"),
            PartialChunks(self.WORDS, line_end="\r", comments=True),
            PartialChunks(self.WORDS, seed=3, line_end="\n", space=False),
        ):
            with self.subTest(behaviour):
                body = self.chat(behaviour, stream=True)
                found = [json.loads(data)["choices"] for _, data in events_of(body)[:-1]]
                self.assertEqual(whole, found)
                self.assertEqual(behaviour.line_end == "\r", b"\r" in body)
                self.assertEqual(not behaviour.space, b"data:{" in body)

    def test_pieces_have_the_sizes_that_were_asked_for(self):
        client = self.raw(PartialChunks(Answer("é"), sizes=(7, 300)))
        data = self.read_until(client, lambda data: data.endswith(b"0\r\n\r\n"))
        rest, sizes, body = data.partition(b"\r\n\r\n")[2], [], b""
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            sizes.append(int(size, 16))
            body, rest = body + rest[: sizes[-1]], rest[sizes[-1] + 2 :]
        self.assertEqual([7, 300, 7, 300], sizes[:4])
        self.assertIn(b"\r\n\r\ndata: [DONE]\r\n\r\n", body)

    def test_it_does_not_end(self):
        for stream, wanted in ((True, 300), (False, 0)):
            client = self.raw(Endless(self.WORDS), stream)
            data = self.read_until(client, lambda data: len(data) >= 200_000)
            self.assertGreaterEqual(data.count(b'"delta":{"content"'), wanted)
            client.close()
            self.when_it("left_at")
            self.provider.calls.clear()

    def test_ends_of_bodies(self):
        for framing in ("length", "chunked", "close"):
            for stream in (True, False):
                with self.subTest(framing=framing, stream=stream):
                    connection = self.connect()
                    self.provider.play(Answer("one two", framing=framing))
                    fields = {"model": "m", "messages": HELLO, "stream": stream}
                    response, body = self.ask(stand_in.CHAT, fields, connection=connection)
                    names = {"length": "Content-Length", "chunked": "Transfer-Encoding", "close": "Connection"}
                    found = {known for known, name in names.items() if response.getheader(name)}
                    self.assertEqual({framing}, found)
                    self.assertTrue(body.endswith(b"[DONE]\n\n" if stream else b"}"))
                    self.assertTrue(self.when_it("answered_at").delivered)

    def test_unknown_fields_and_events(self):
        answer = self.chat(Answer("a", unknown=True))
        self.assertIn("x_first", answer)
        self.assertIn("x_last", answer["choices"][0]["message"])
        self.assertEqual("a", answer["choices"][0]["message"]["content"])
        self.assertIn("x_last", self.chunks(Answer("a", unknown=True))[1]["choices"][0]["delta"])
        events = self.events(Answer("a", unknown=True))
        self.assertIn("x_future_event", [event["type"] for event in events])
        block = self.message(Answer("", tools=(WEATHER,), unknown=True))["content"][0]
        self.assertEqual(WEATHER.arguments, block["input"])
        self.assertIn("x_first", block)

    def test_headers_of_our_own(self):
        self.provider.play(Fault(307, headers={"Location": "http://127.0.0.1:1/"}))
        response, _ = self.ask(stand_in.CHAT, {"model": "m", "messages": HELLO})
        self.assertEqual((307, "http://127.0.0.1:1/"), (response.status, response.getheader("Location")))

    def test_a_connection_serves_many_requests(self):
        connection = self.connect()
        for number in range(3):
            answer = self.chat(f"answer {number}", connection=connection)
            self.assertEqual(f"answer {number}", answer["choices"][0]["message"]["content"])
        self.assertEqual({1}, {call.connection for call in self.provider.calls})

    def test_nothing_is_held_back(self):
        self.raw(Hang())
        self.provider.wait_for_hanging()
        (connection,) = self.provider.connections
        sock = connection.transport.get_extra_info("socket")
        self.assertTrue(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    def test_requests_may_come_together(self):
        client = self.raw(Hang(answer="first"), stream=False)
        self.provider.wait_for_hanging()
        self.provider.play("second")
        body = json.dumps({"model": "m", "messages": HELLO})
        head = f"POST {stand_in.CHAT} HTTP/1.1\r\nAuthorization: Bearer {self.provider.key}\r\nConnection: close\r\n"
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        self.provider.release()
        data = self.read_all(client)
        self.assertLess(0, data.find(b'"first"'))
        self.assertLess(data.find(b'"first"'), data.find(b'"second"'))

    def test_a_request_in_chunks(self):
        body = json.dumps({"model": "m", "messages": HELLO}).encode()
        connection = self.connect()
        headers = {"Authorization": "Bearer " + self.provider.key, "Expect": "100-continue"}
        parts = iter([body[:10], body[10:11], body[11:]])
        connection.request("POST", stand_in.CHAT, parts, headers, encode_chunked=True)
        self.assertEqual(200, connection.getresponse().status)
        self.assertEqual(body, self.provider.calls[0].body)

    def test_a_client_that_waits_to_be_told_to_go_on(self):
        client = socket.create_connection(("127.0.0.1", self.provider.port), timeout=TIMEOUT_S)
        self.addCleanup(client.close)
        head = f"POST {stand_in.CHAT} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        client.sendall(head.encode())
        self.read_until(client, lambda data: data == b"HTTP/1.1 100 Continue\r\n\r\n")
        client.sendall(b"{}")
        self.read_until(client, lambda data: data.startswith(b"HTTP/1.1 401 "))

    def test_a_body_that_is_too_large(self):
        with unittest.mock.patch.object(stand_in, "BODY_BYTES_MAX", 50):
            self.assertEqual("request_too_large", self.message(status=413)["error"]["type"])

    def test_models_that_are_not_there(self):
        with ScriptedProvider(models=("m",)) as self.provider:
            self.chat(model="m")
            self.assertEqual("model_not_found", self.chat(model="x", status=404)["error"]["code"])
            self.assertEqual("not_found_error", self.message(model="x", status=404)["error"]["type"])

    def test_what_is_no_http(self):
        client = socket.create_connection(("127.0.0.1", self.provider.port), timeout=TIMEOUT_S)
        self.addCleanup(client.close)
        client.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        self.assertTrue(self.read_all(client).startswith(b"HTTP/1.1 400 "))
        self.assertEqual([], self.provider.calls)

    def test_two_hundred_at_once(self):
        clients = [self.raw(Hang(1, f"number {number}")) for number in range(200)]
        self.provider.wait_for_hanging(200)
        self.provider.release()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda client: self.assertTrue(client.recv(65536).startswith(b"HTTP/1.1 200")), clients))
        self.assertEqual(200, len({call.connection for call in self.provider.calls}))


class Records(ProviderTest):
    def ask_for(self, key, *behaviours, **fields):
        return self.chat(*behaviours, headers={"Idempotency-Key": key}, **fields)

    def test_what_is_known_of_a_call(self):
        begin = time.monotonic()
        body = b'{"model": "m", "messages": [{"role": "user", "content": "Hello"}]}'
        self.ask(stand_in.CHAT + "?beta=true", body, {"X-Thing": "a"})
        call = self.when_it("answered_at")
        self.assertEqual(("POST", stand_in.CHAT, "beta=true"), (call.method, call.path, call.query))
        self.assertEqual((body, "Hello", "a"), (call.body, call.text, call.headers["x-thing"]))
        self.assertIn(("X-Thing", "a"), call.raw_headers)
        self.assertLessEqual(begin, call.at)
        self.assertLessEqual(call.at, call.answered_at)
        self.assertEqual((200, Answer(), ""), (call.status, call.behaviour, call.refusal))

    def test_an_answer_that_was_read_is_delivered(self):
        for stream in (False, True):
            connection = self.connect()
            self.chat("x" * 5000, stream=stream, connection=connection)
            connection.close()
            self.assertTrue(self.when_it("left_at").delivered)

    def test_an_answer_that_nobody_read_is_not(self):
        for stream in (False, True):
            client = self.raw("x" * 5000, stream)
            self.assertTrue(self.when_it("answered_at").delivered)
            client.close()
            self.assertFalse(self.when_it("left_at").delivered)
            self.provider.calls.clear()

    def test_nor_is_one_that_did_not_fit(self):
        client = self.raw("x" * 20_000_000, stream=False)
        client.recv(10)
        client.close()
        self.assertFalse(self.when_it("left_at").delivered)

    def test_a_repeated_call(self):
        self.ask_for("a", "one")
        self.ask_for("b", "two")
        self.assertEqual([], self.provider.repeats())
        self.ask_for("a", "again")
        self.assertEqual([3], [call.number for call in self.provider.repeats()])
        self.assertEqual({"a": 2, "b": 1}, self.provider.counts())
        self.assertEqual(2, self.provider.count("a"))

    def test_trying_again_repeats_nothing(self):
        self.ask_for("a", Fault(429), status=429)
        self.ask_for("a", Fault(503), status=503)
        with self.assertRaises(http.client.IncompleteRead):
            self.ask_for("a", Cut(2, "one two three"), stream=True)
        self.ask_for("a", "at last")
        self.assertEqual([], self.provider.repeats())
        self.assertEqual(4, self.provider.count("a"))

    def test_a_call_without_a_key_is_no_proof(self):
        self.chat()
        self.assertRaisesRegex(AssertionError, "no key", self.provider.repeats)
        self.chat()
        self.assertEqual([2], [call.number for call in self.provider.repeats(lambda call: call.body)])

    def test_where_keys_are(self):
        for fields, headers in (
            ({}, {"Idempotency-Key": "k"}),
            ({}, {"X-Task-Id": "k"}),
            ({"metadata": {"task_id": "k"}}, {}),
            ({"metadata": {"user_id": "k"}}, {}),
            ({"user": "k"}, {}),
        ):
            self.chat(headers=headers, **fields)
            self.assertEqual("k", self.provider.calls[-1].key)

    def test_keys_of_our_own(self):
        for key_of, key in (
            ("X-Run", "r1"),
            (stand_in.re.compile(r"task_\w+"), "task_7"),
            (lambda call: call.text[:5], "about"),
        ):
            with ScriptedProvider(key_of=key_of) as self.provider:
                self.chat(headers={"X-Run": "r1"}, messages=[{"role": "user", "content": "about task_7"}])
                self.assertEqual(key, self.provider.calls[0].key)


class Script(ProviderTest):
    def say(self, text="Hello", **fields):
        answer = self.chat(messages=[{"role": "user", "content": text}], **fields)
        return answer["choices"][0]["message"]["content"]

    def test_in_order_and_then_otherwise(self):
        self.provider.play("one", "two")
        self.assertEqual(["one", "two", "ok", "ok"], [self.say() for _ in range(4)])

    def test_by_what_the_user_says_last(self):
        self.provider.play("other")
        self.provider.when("cat", "first", "later")
        found = [self.say(text) for text in ("a cat", "a dog", "that cat", "cat")]
        self.assertEqual(["first", "other", "later", "later"], found)
        history = [{"role": "user", "content": "cat"}, {"role": "assistant", "content": "x"}, *HELLO]
        self.assertEqual("ok", self.chat(messages=history)["choices"][0]["message"]["content"])

    def test_by_a_function(self):
        for script in ([lambda call: call.text.upper()], lambda call: call.text.upper()):
            with ScriptedProvider(script) as self.provider:
                self.assertEqual("HELLO", self.say())

    def test_other_addresses_have_a_script_of_their_own(self):
        self.provider.play(Fault(429), path=stand_in.EMBEDDINGS)
        self.assertEqual("ok", self.say())
        fields = {"model": "m", "input": "a"}
        self.assertEqual([429, 200], [self.ask(stand_in.EMBEDDINGS, fields)[0].status for _ in range(2)])

    def test_a_refused_request_takes_nothing_from_the_script(self):
        self.provider.play("one")
        self.chat(status=400, messages=[])
        self.assertEqual("one", self.say())

    def test_what_is_no_behaviour(self):
        for wrong in (None, 5, [], ["a"]):
            self.assertRaises(TypeError, self.provider.play, wrong)

    def test_a_script_that_goes_wrong_is_reported(self):
        with self.assertRaisesRegex(AssertionError, "ZeroDivisionError"), ScriptedProvider() as self.provider:
            self.assertEqual(b"", self.read_all(self.raw(lambda call: 1 // 0)))

    def test_it_can_stop_and_start_again(self):
        port = self.provider.port
        self.provider.stop()
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self.provider.start()
        self.assertEqual((port, "ok"), (self.provider.port, self.say()))

    def test_waiting_for_what_does_not_happen(self):
        self.assertRaisesRegex(AssertionError, "did not happen", self.provider.wait_for, 1, 0.01)


class Alone(ProviderTest):
    def start(self, *options):
        path = pathlib.Path(stand_in.__file__)
        process = subprocess.Popen([sys.executable, path, *options], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        places = json.loads(process.stdout.readline())
        self.assertEqual(process.pid, places["pid"])
        self.provider.port = int(places["url"].rpartition(":")[2])
        return process

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        said = json.loads(process.stdout.readline())
        self.assertEqual(0, process.wait(TIMEOUT_S))
        return said

    def test_with_a_script(self):
        script = {
            "script": ["one", {"fault": {"status": 429, "retry_after": 2}}, [{"tool_call": {"name": "clock"}}]],
            "when": [{"text": "cut", "script": [{"cut": {"after": 1, "answer": {"answer": {"text": "a b"}}}}]}],
            "otherwise": {"partial_chunks": {"sizes": [3], "answer": "else"}},
        }
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(script, file)
            file.flush()
            process = self.start("--script", file.name)
        self.provider.queue.clear()
        found = [self.ask(stand_in.CHAT, {"model": "m", "messages": HELLO}) for _ in range(4)]
        self.assertEqual([200, 429, 200, 200], [response.status for response, _ in found])
        bodies = [json.loads(body) for _, body in found]
        self.assertEqual("one", bodies[0]["choices"][0]["message"]["content"])
        self.assertEqual("clock", bodies[2]["choices"][0]["message"]["tool_calls"][0]["function"]["name"])
        self.assertEqual("else", bodies[3]["choices"][0]["message"]["content"])
        with self.assertRaises(http.client.IncompleteRead):
            cut = [{"role": "user", "content": "cut"}]
            self.ask(stand_in.CHAT, {"model": "m", "messages": cut, "stream": True})
        calls = json.loads(self.ask("/_calls")[1])
        self.assertEqual([True, True, True, True, False], [call["delivered"] for call in calls[:5]])
        self.end(process)

    def test_fast(self):
        process = self.start("--fast", "--text", "quick brown fox")
        connection = self.connect()
        answer = self.chat(connection=connection)
        self.assertEqual("quick brown fox", answer["choices"][0]["message"]["content"])
        chunks = self.chunks(connection=connection)
        self.assertEqual([], chunks[-1]["choices"])
        self.assertEqual("quick brown fox", self.message()["content"][0]["text"])
        self.assertEqual("message_stop", self.events()[-1]["type"])
        response, _ = self.ask(stand_in.EMBEDDINGS, {"model": "m", "input": "a"})
        self.assertEqual(200, response.status)
        self.assertEqual({"calls": 5}, self.end(process))

    def test_a_delay(self):
        process = self.start("--fast", "--delay-ms", "50")
        begin = time.monotonic()
        self.chat()
        self.assertGreater(time.monotonic() - begin, 0.05)
        self.end(process)


if __name__ == "__main__":
    unittest.main()
