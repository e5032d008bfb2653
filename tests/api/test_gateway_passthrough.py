"""OpenAI's and Anthropic's endpoints of the role ai-model, in front of a provider that follows a script."""

import http.client
import json
import re
import socket
import time
import unittest
from typing import ClassVar
from urllib.parse import urlsplit

from support.cases import ProviderTest, accounts, serving
from support.provider import (
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
from support.server import Server

CHAT, EMBEDDINGS, MESSAGES = "/v1/chat/completions", "/v1/embeddings", "/v1/messages"
OPENAI_MODEL, CLAUDE = "gpt-5-mini", "claude-sonnet-4-6"
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
VERSION = {"anthropic-version": "2023-06-01"}


def chat(**fields) -> bytes:
    return json.dumps({"model": OPENAI_MODEL, "messages": QUESTION} | fields).encode()


def message(**fields) -> bytes:
    return json.dumps({"model": CLAUDE, "max_tokens": 100, "messages": QUESTION} | fields).encode()


class Reply:
    def __init__(self, response: http.client.HTTPResponse, body: bytes):
        self.status, self.body = response.status, body
        self.headers = {name.lower(): value for name, value in response.getheaders()}

    @property
    def json(self):
        return json.loads(self.body)


class PassthroughTest(ProviderTest):
    environment: ClassVar = {
        "OPENAI_MODELS": f"fast={OPENAI_MODEL}",
        "ANTHROPIC_MODELS": f"thinker={CLAUDE}",
        "MODELS_FIRST_TOKEN_TIMEOUT": "3",
    }

    @classmethod
    def new_provider(cls, **options) -> ScriptedProvider:
        return ScriptedProvider(key_of=lambda call: str(call.number), **options)

    def setUp(self):
        self.first = len(self.provider.calls)

    def ask(self, path, body: bytes | None, headers=None, role="ai-model", method="POST", credential=True) -> Reply:
        connection = self.connect(role)
        own = self.server.headers if credential else {}
        connection.request(method, path, body, own | (headers or {}))
        response = connection.getresponse()
        return Reply(response, response.read())

    def asked(self) -> list:
        return self.provider.calls[self.first :]

    def usage(self, model: str) -> dict:
        """The row of this model; all zeros before there is one."""
        status, answer = self.server.call("GET", "/models/usage?limit=500", role="ai-model")
        self.assertEqual(200, status, answer)
        rows = [row for row in answer["usage"] if row["model"] == model]
        return rows[0] if rows else {"requests": 0, "input_tokens": 0, "output_tokens": 0}

    def wait_for_usage(self, model: str, **expected) -> None:
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            row = self.usage(model)
            if all(row[name] == value for name, value in expected.items()):
                return
            time.sleep(0.05)
        self.fail(f"{model}: {row} is not {expected}")

    # ---- what goes there and back ----

    def test_a_plain_answer_comes_back_as_it_is(self):
        self.provider.play(Answer("Paris", unknown=True, headers={"x-ratelimit-new": "7", "set-cookie": "a=b"}))
        reply = self.ask(CHAT, chat())
        self.assertEqual(200, reply.status, reply.body)
        # A call that an earlier test gave up may still come in.
        (call,) = (one for one in self.asked() if one.body == chat())
        self.assertEqual(self.provider.key, call.headers["authorization"].removeprefix("Bearer "))
        self.assertEqual("Paris", reply.json["choices"][0]["message"]["content"])
        self.assertIn("x_last", reply.json)
        self.assertEqual("application/json", reply.headers["content-type"])
        self.assertEqual(f"req_{call.number:032x}", reply.headers["x-request-id"])
        self.assertEqual("199980", reply.headers["x-ratelimit-remaining-tokens"])
        self.assertEqual("7", reply.headers["x-ratelimit-new"])
        self.assertEqual("2020-10-01", reply.headers["openai-version"])
        self.assertNotIn("set-cookie", reply.headers)

    def test_bytes_survive_both_ways(self):
        odd = (
            b'{ "unknown" : {"deep":[1,  2.50, 1e3, "\\u00e9\xc3\xa9"]},\r\n "model" : "' + OPENAI_MODEL.encode()
            + b'"\t,"messages":[{"role":"user","content":"a \\"model\\": \\\\"}] , "stream": false, "n":1.0 }\n'
        )
        answer = b'{"odd" :  [1.0, 1e2, "\\u00e9", "\xc3\xa9"],\n"usage":{"prompt_tokens":1,"completion_tokens":2}}\r\n'
        self.provider.play(Garbage(answer))
        reply = self.ask(CHAT, odd)
        self.assertEqual(odd, self.asked()[0].body)
        self.assertEqual(answer, reply.body)

    def test_only_the_name_of_a_mapped_model_is_replaced(self):
        body = b'{"messages" : [{"role":"user","content":"fast"}],  "model":"fast" , "x":"fast"}'
        self.assertEqual(200, self.ask(CHAT, body).status)
        self.assertEqual(body.replace(b'"model":"fast"', b'"model":"gpt-5-mini"'), self.asked()[0].body)
        self.assertEqual(200, self.ask(MESSAGES, message(model="thinker"), VERSION).status)
        self.assertEqual(message(), self.asked()[1].body)

    def test_anthropic(self):
        self.provider.play(Answer("Paris", thinking="France", unknown=True))
        beta = VERSION | {"anthropic-beta": "a-2025-01-01,b", "x-unknown": "1"}
        reply = self.ask(MESSAGES + "?beta=true", message(), beta)
        self.assertEqual(200, reply.status, reply.body)
        call = self.asked()[0]
        self.assertEqual((message(), "beta=true"), (call.body, call.query))
        self.assertEqual(self.provider.key, call.headers["x-api-key"])
        self.assertEqual("a-2025-01-01,b", call.headers["anthropic-beta"])
        self.assertEqual("thinking", reply.json["content"][0]["type"])
        self.assertEqual(f"req_01{call.number:022d}", reply.headers["request-id"])
        self.assertEqual("50", reply.headers["anthropic-ratelimit-requests-limit"])
        count = self.ask(MESSAGES + "/count_tokens", json.dumps({"model": CLAUDE, "messages": QUESTION}), VERSION)
        self.assertGreater(count.json["input_tokens"], 0)

    def test_tools(self):
        tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
        self.provider.play([ToolCall("weather", {"city": "Paris"}), ToolCall("weather", "no json {")])
        calls = self.ask(CHAT, chat(tools=[tool])).json["choices"][0]["message"]["tool_calls"]
        self.assertEqual(['{"city":"Paris"}', "no json {"], [call["function"]["arguments"] for call in calls])

    def test_embeddings(self):
        body = json.dumps({"model": "text-embedding-3-small", "input": ["a b", "c"], "dimensions": 8}).encode()
        reply = self.ask(EMBEDDINGS, body)
        self.assertEqual(200, reply.status, reply.body)
        self.assertEqual([8, 8], [len(one["embedding"]) for one in reply.json["data"]])
        self.wait_for_usage("text-embedding-3-small", requests=1, output_tokens=0)

    def test_big_bodies(self):
        large = "x" * (8 << 20)
        self.provider.play(Answer("y" * (3 << 20)))
        body = chat(messages=[{"role": "user", "content": large}])
        reply = self.ask(CHAT, body)
        self.assertEqual(body, self.asked()[0].body)
        self.assertEqual(3 << 20, len(reply.json["choices"][0]["message"]["content"]))

    def test_the_gateway_answers_too(self):
        self.assertEqual(200, self.ask(CHAT, chat(), role="gateway").status)
        self.assertEqual(200, self.ask("/api/v1" + CHAT, chat(), role="dashboard").status)

    # ---- streams ----

    def test_a_stream_passes_byte_for_byte(self):
        plain = Answer("Grüße aus Paris, 巴黎", pieces=("Grüße ", "aus ", "Paris, 巴黎"), unknown=True)
        for path, body, headers in ((CHAT, chat(stream=True), {}), (MESSAGES, message(stream=True), VERSION)):
            for behaviour in (plain, PartialChunks(plain, seed=1, comments=True, space=False)):
                self.provider.play(behaviour, behaviour)
                passed = self.ask(path, body, headers)
                direct = self.ask_directly(path, body, headers)
                self.assertEqual("text/event-stream; charset=utf-8", passed.headers["content-type"])
                self.assertEqual("no-cache", passed.headers["cache-control"])
                self.assertIn("Grüße ".encode(), passed.body)
                self.assertEqual(self.without_numbers(direct.body), self.without_numbers(passed.body))

    def ask_directly(self, path: str, body: bytes, headers: dict) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.provider.port, timeout=30)
        self.addCleanup(connection.close)
        connection.request("POST", path, body, {"Authorization": "Bearer " + self.provider.key} | headers)
        response = connection.getresponse()
        return Reply(response, response.read())

    @staticmethod
    def without_numbers(body: bytes) -> bytes:
        """Ids hold the number of the call."""
        return re.sub(rb"\d+", b"0", body)

    def test_pieces_come_at_once(self):
        self.provider.play(Hang(after=2, answer=Answer("one two three")))
        _, response = self.open("POST", CHAT, chat(stream=True), role="ai-model")
        first = response.readline()
        self.assertTrue(first.startswith(b"data: "), first)
        response.readline()
        self.assertIn(b'"one "', response.readline())
        self.provider.wait_for_hanging()
        self.provider.release()
        self.assertTrue(response.read().endswith(b"data: [DONE]\n\n"))

    def test_a_slow_stream_comes_to_its_end(self):
        self.provider.play(SlowStream(0.3, Answer("a b c d e f g h i j k l")))
        self.assertTrue(self.ask(CHAT, chat(stream=True)).body.endswith(b"data: [DONE]\n\n"))

    def test_an_error_inside_a_stream_passes(self):
        self.provider.play(Fault(529, after=2))
        self.assertIn(b"overloaded_error", self.ask(MESSAGES, message(stream=True), VERSION).body)

    # ---- errors of the provider ----

    def test_refusals_pass_as_they_are(self):
        for status in (400, 401, 404, 429, 500, 503):
            self.provider.play(Fault(status, retry_after=7, headers={"x-should-retry": "false", "retry-after-ms": "7"}))
            reply = self.ask(CHAT, chat())
            self.assertEqual(status, reply.status)
            self.assertEqual({"message", "type", "param", "code"}, set(reply.json["error"]))
            self.assertEqual(
                ("7", "7", "false"),
                (reply.headers["retry-after"], reply.headers["retry-after-ms"], reply.headers["x-should-retry"]),
            )
        self.assertEqual(6, len(self.asked()), "each was asked once")
        self.provider.play(Fault(529))
        overloaded = self.ask(MESSAGES, message(), VERSION)
        self.assertEqual((529, "overloaded_error"), (overloaded.status, overloaded.json["error"]["type"]))

    def test_a_provider_that_cuts_before_its_answer(self):
        self.provider.play(Cut())
        reply = self.ask(CHAT, chat())
        self.assertEqual((502, "server_error"), (reply.status, reply.json["error"]["type"]))
        self.provider.play(Cut(after=1))
        self.assertEqual(502, self.ask(CHAT, chat()).status, "in the middle of a plain answer")
        self.provider.play(Garbage(b"SSH-2.0\r\n", where="answer"))
        reply = self.ask(MESSAGES, message(), VERSION)
        self.assertEqual((502, "error", "api_error"), (reply.status, reply.json["type"], reply.json["error"]["type"]))

    def test_a_stream_that_is_cut_is_not_taken_for_whole(self):
        self.provider.play(Cut(after=3, inside="frame"))
        _, response = self.open("POST", CHAT, chat(stream=True), role="ai-model")
        self.assertEqual(200, response.status)
        with self.assertRaises(http.client.IncompleteRead):
            response.read()

    def test_a_provider_that_is_silent(self):
        self.provider.play(Hang(), Hang())
        started = time.monotonic()
        reply = self.ask(MESSAGES, message(), VERSION)
        self.assertEqual((504, "timeout_error"), (reply.status, reply.json["error"]["type"]))
        self.assertLess(time.monotonic() - started, 15)
        self.assertEqual(504, self.ask(CHAT, chat(stream=True)).status)

    # ---- our own errors ----

    def test_without_a_token(self):
        openai = self.ask(CHAT, chat(), {"Authorization": "Bearer wrong"}, credential=False)
        self.assertEqual((401, "authentication_error"), (openai.status, openai.json["error"]["type"]))
        anthropic = self.ask(MESSAGES, message(), {"x-api-key": "wrong"}, credential=False)
        self.assertEqual((401, "authentication_error"), (anthropic.status, anthropic.json["error"]["type"]))
        self.assertEqual("error", anthropic.json["type"])
        self.assertEqual(anthropic.headers["request-id"], anthropic.json["request_id"])
        self.assertEqual([], self.asked())

    def test_bodies_that_cannot_be_passed_on(self):
        unfit = (b'{"model":"bad\xff"}', b'{"model":"nul\x00"}', b'{"model":"a\\u0000b"}')
        for body in (b"", b"[]", b"{", b'{"model":"a","model":"b"}', b"\xff", *unfit):
            reply = self.ask(CHAT, body)
            self.assertEqual((400, "invalid_request_error"), (reply.status, reply.json["error"]["type"]), body)
        packed = self.ask(MESSAGES, message(), VERSION | {"Content-Encoding": "gzip"})
        self.assertEqual((415, "invalid_request_error"), (packed.status, packed.json["error"]["type"]))
        connection = self.connect("ai-model")
        connection.putrequest("POST", MESSAGES)
        for name, value in (self.server.headers | {"Content-Length": str(33 << 20)}).items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        self.assertEqual((413, "request_too_large"), (response.status, json.load(response)["error"]["type"]))
        self.assertEqual([], self.asked())

    def test_a_key_that_the_provider_quotes_stays_here(self):
        key = self.provider.key
        for path, body, headers in ((CHAT, chat(), {}), (MESSAGES, message(), VERSION), ("/v1/models", None, {})):
            self.provider.play(Fault(401, message=f"Incorrect API key: {key}."), path=path)
            reply = self.ask(path, body, headers, method="POST" if body else "GET")
            self.assertEqual(401, reply.status)
            self.assertNotIn(key.encode(), reply.body)
            self.assertIn(b"Incorrect API key: ***.", reply.body)

    def test_a_request_without_model_is_the_providers_to_refuse(self):
        reply = self.ask(CHAT, b'{"messages":[]}')
        self.assertEqual((400, "you must provide a model parameter"), (reply.status, reply.json["error"]["message"]))

    # ---- credentials ----

    def test_no_credential_leaves(self):
        secret = self.server.token
        sent = {
            "Cookie": "session=" + secret,
            "Proxy-Authorization": "Basic " + secret,
            "X-Forwarded-For": "10.0.0.1",
            "X-Real-Ip": "10.0.0.1",
            "X-User-Id": "root",
            "OpenAI-Organization": "someone-else",
            "X-Request-Id": "mine",
            "User-Agent": "test/1",
            "OpenAI-Beta": "assistants=v2",
            "X-Stainless-Lang": "python",
        }
        self.assertEqual(200, self.ask(CHAT, chat(), sent).status)
        self.assertEqual(200, self.ask(MESSAGES, message(), VERSION | {"x-api-key": secret}, credential=False).status)
        for call in self.asked():
            self.assertNotIn(secret, json.dumps(call.raw_headers))
        kept = self.asked()[0].headers
        self.assertEqual(("test/1", "assistants=v2"), (kept["user-agent"], kept["openai-beta"]))
        self.assertEqual("python", kept["x-stainless-lang"])
        for name in ("cookie", "proxy-authorization", "x-forwarded-for", "x-real-ip", "x-user-id", "x-request-id"):
            self.assertNotIn(name, kept)
        self.assertNotIn("openai-organization", kept)

    def test_x_api_key(self):
        token = self.server.token
        self.assertEqual(200, self.ask(CHAT, chat(), {"x-api-key": token}, credential=False).status)
        self.assertEqual(200, self.ask(CHAT, chat(), {"x-api-key": token}).status, "both, and the same")
        self.assertEqual(401, self.ask(CHAT, chat(), {"x-api-key": "another"}).status, "two tokens")

    # ---- clients that leave or are slow ----

    def leave(self, body: bytes) -> None:
        """Sends a request and closes the connection as soon as the provider hangs."""
        connection = self.connect("ai-model")
        connection.request("POST", CHAT, body, self.server.headers)
        self.provider.wait_for_hanging()
        connection.close()
        started = time.monotonic()
        self.provider.wait_until(lambda: self.asked()[-1].left_at, 10)
        self.assertLess(time.monotonic() - started, 1.0)

    def test_a_client_that_leaves_ends_the_call(self):
        self.provider.play(Hang(), Hang(after=2))
        self.leave(chat())
        self.provider.release()
        self.leave(chat(stream=True))
        self.provider.release()

    def test_a_client_that_does_not_read_slows_the_provider(self):
        self.provider.play(Endless(Answer("x" * 5000)))
        host = urlsplit(self.server.urls["ai-model"])
        with socket.create_connection((host.hostname, host.port)) as connection:
            body = chat(stream=True)
            head = "".join(f"{name}: {value}\r\n" for name, value in self.server.headers.items())
            request = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n"
            connection.sendall(request.encode() + body)
            calls = self.provider.wait_for(self.first + 1)
            call, before = calls[-1], -1
            while call.chunks != before:
                before = call.chunks
                time.sleep(0.5)
            self.assertLess(call.chunks * 5000, 64 << 20, "the buffers of the system take a few megabytes")
        self.provider.wait_until(lambda: call.left_at, 10)

    # ---- models ----

    def test_models(self):
        listed = self.ask("/v1/models", None, method="GET")
        self.assertEqual([OPENAI_MODEL, CLAUDE, "text-embedding-3-small"], [one["id"] for one in listed.json["data"]])
        self.assertEqual(OPENAI_MODEL, self.ask("/v1/models/fast", None, method="GET").json["id"])
        self.assertEqual(404, self.ask("/v1/models/nothing", None, method="GET").status)
        anthropic = self.ask("/v1/models?limit=2", None, VERSION, method="GET")
        self.assertEqual("limit=2", self.asked()[-1].query)
        self.assertEqual("model", anthropic.json["data"][0]["type"])
        own = self.ask("/models", None, method="GET").json
        ids = {(one["id"], one["provider"], one["model_id"]) for one in own["models"]}
        self.assertIn(("fast", "openai", OPENAI_MODEL), ids)
        self.assertIn(("thinker", "anthropic", CLAUDE), ids)
        self.assertIn(("extractive", "extractive", "extractive"), ids)
        self.assertEqual(len(own["models"]), own["count"])
        one = self.ask("/models/fast", None, method="GET").json
        self.assertEqual((OPENAI_MODEL, "openai"), (one["model_id"], one["kind"]))
        self.assertEqual(404, self.ask("/models/nothing", None, method="GET").status)

    # ---- usage ----

    def test_usage_is_billed(self):
        names = iter(("bill-plain", "bill-stream", "bill-silent-stream", "bill-claude", "bill-refused"))
        with self.new_provider(key=None) as provider, serving(provider, accounts(provider), ("ai-model",)) as server:
            self.bill(provider, server, names)

    def bill(self, provider: ScriptedProvider, server: Server, names) -> None:
        before, type(self).server = self.server, server
        try:
            plain, stream, silent, claude, refused = names
            provider.play(*[Answer("x", tokens=(11, 7))] * 7, Fault(400))
            for _ in range(3):
                self.ask(CHAT, chat(model=plain))
            self.ask(CHAT, chat(model=stream, stream=True, stream_options={"include_usage": True}))
            self.ask(CHAT, chat(model=silent, stream=True))
            self.ask(MESSAGES, message(model=claude), VERSION)
            self.ask(MESSAGES, message(model=claude, stream=True), VERSION)
            self.ask(CHAT, chat(model=refused))
            self.wait_for_usage(claude, requests=2, input_tokens=22, output_tokens=14)
            self.wait_for_usage(plain, requests=3, input_tokens=33, output_tokens=21)
            self.wait_for_usage(stream, requests=1, input_tokens=11, output_tokens=7)
            self.wait_for_usage(silent, requests=1, input_tokens=0, output_tokens=0)
            self.assertEqual(0, self.usage(refused)["requests"])
            _, metrics = server.call("GET", "/metrics")
            self.assertIn('agent_lightning_model_calls_total{provider="openai",status="2xx"} 5\n', metrics)
            self.assertIn('agent_lightning_model_calls_total{provider="openai",status="4xx"} 1\n', metrics)
            tokens = 'agent_lightning_model_tokens_total{provider="anthropic",direction="output"} 14\n'
            self.assertIn(tokens, metrics)
            self.assertIn('agent_lightning_model_first_byte_seconds_count{provider="anthropic"} 2\n', metrics)
            provider.play(Answer("x", tokens=(1, 1)))
            self.ask(CHAT, chat(model=plain))
            server.stop()
            server.start()
            self.assertEqual(4, self.usage(plain)["requests"], "what was gathered is stored at the end")
            provider.play(Answer("x", tokens=(1, 1)))
            self.assertEqual(200, self.ask(CHAT, chat(model="a" * 199 + "é")).status)
            self.wait_for_usage("a" * 199, requests=1)
            self.assertEqual(0, server.run("export").returncode, "what callers wrote can be exported")
        finally:
            type(self).server = before


class NothingConfiguredTest(unittest.TestCase):
    def test_it_says_what_to_configure(self):
        with Server(roles=("ai-model",)) as server:
            status, answer = server.call("POST", CHAT, {"model": "gpt-5", "messages": []})
            self.assertEqual((404, "not_found_error"), (status, answer["error"]["type"]))
            self.assertIn("OPENAI_API_KEY", answer["error"]["message"])
            status, answer = server.call("POST", MESSAGES, {"model": "claude"})
            self.assertEqual((404, "error", "not_found_error"), (status, answer["type"], answer["error"]["type"]))
            self.assertIn("ANTHROPIC_API_KEY", answer["error"]["message"])
            self.assertEqual((200, {"object": "list", "data": []}), server.call("GET", "/v1/models"))
            models = server.call("GET", "/models")[1]["models"]
            self.assertEqual(["extractive"], [model["id"] for model in models])


if __name__ == "__main__":
    unittest.main()
