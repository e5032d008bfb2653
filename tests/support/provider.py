"""A model provider that follows a script: the OpenAI and the Anthropic protocol over HTTP/1.1, on a loopback port.

    with ScriptedProvider() as provider:
        provider.play(Fault(429, retry_after=1), Answer("Paris"))
        provider.when("weather", ToolCall("weather", {"city": "Paris"}), Answer("Sunny."))
        ...  # the client uses provider.key and provider.openai_url or provider.anthropic_url
        provider.wait_for(2)
        assert [call.status for call in provider.calls] == [429, 200]
        assert not provider.repeats()

Alone: provider.py --port N [--script FILE] [--fast]; it prints its addresses as one line of JSON. The formats are those
of the providers' public references. What breaks the protocol is refused with the provider's status, type and code; the
wordings are not theirs.
"""

import argparse
import asyncio
import base64
import collections
import dataclasses
import email.utils
import hashlib
import http
import itertools
import json
import math
import os
import random
import re
import signal
import socket
import struct
import sys
import termios
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fcntl import ioctl
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import unquote, urlsplit

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 32 * 1024 * 1024  # what the Messages API takes
BACKLOG = 1024
WAIT_S = 20.0
LINGER_S = 10.0
KEY = "sk-scripted-provider"
MODELS = ("gpt-5-mini", "claude-sonnet-4-6", "text-embedding-3-small")
DIMENSIONS = 1536
CREATED = 1_760_000_000
AT_END = 10**9  # as `after`: when all chunks are sent, before the end of the body is

CHAT, EMBEDDINGS, MODEL_LIST = "/v1/chat/completions", "/v1/embeddings", "/v1/models"
MESSAGES, COUNT_TOKENS = "/v1/messages", "/v1/messages/count_tokens"
ANSWERING = (CHAT, MESSAGES)

# --- what a script is made of ----------------------------------------------------------------------------------------


class Behaviour:
    """What one request gets. Those with an `answer` change how that one is sent; they nest."""

    def plan(self) -> "Plan":
        raise NotImplementedError


@dataclass(frozen=True)
class Answer(Behaviour):
    """A full answer. `text` may be any JSON value, for structured output."""

    text: Any = "ok"
    tools: tuple["ToolCall", ...] = ()
    thinking: str = ""
    delay_s: float = 0
    tokens: tuple[int, int] | None = None  # read, written
    finish: str = ""  # in OpenAI's words, translated for Anthropic: stop, length, tool_calls, content_filter
    pieces: tuple[str, ...] = ()  # of the text in a stream; otherwise one a word
    model: str = ""
    is_refusal: bool = False
    unknown: bool = False  # fields and events that no reference names, everywhere
    headers: dict[str, str] = field(default_factory=dict)
    framing: str = ""  # length, chunked or close; otherwise a stream is chunked and the rest has a length

    def plan(self) -> "Plan":
        return Plan(self, delay_s=self.delay_s)

    @property
    def words(self) -> str:
        return self.text if isinstance(self.text, str) else dump(self.text)

    @property
    def deltas(self) -> Iterable[str]:
        return self.pieces or re.findall(r"\S+\s*|\s+", self.words)


@dataclass(frozen=True)
class ToolCall(Behaviour):
    """Alone an answer of one call; several go into `Answer.tools` or a list. Text is sent as it is, valid or not."""

    name: str
    arguments: Any = field(default_factory=dict)
    id: str = ""

    def plan(self) -> "Plan":
        return Answer("", tools=(self,)).plan()

    @property
    def json(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else dump(self.arguments)


@dataclass(frozen=True)
class Fault(Behaviour):
    """An HTTP error; with `after`, an error inside a stream after so many chunks (plain answers get the HTTP error).

    `retry_after` is seconds, or text for the header. What is not given is what the provider sends with that status.
    """

    status: int
    type: str = ""
    code: str | None = None
    message: str = ""
    param: str | None = None
    retry_after: float | str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    after: int | None = None
    answer: Behaviour = Answer()
    delay_s: float = 0

    def plan(self) -> "Plan":
        plan = as_behaviour(self.answer).plan()
        return dataclasses.replace(plan, fault=self, delay_s=plan.delay_s + self.delay_s)


@dataclass(frozen=True)
class Hang(Behaviour):
    """Sends nothing more until `release`, or until the client leaves; at once, or after the head and so many chunks."""

    after: int | None = None
    answer: Behaviour = Answer()

    def plan(self) -> "Plan":
        return dataclasses.replace(as_behaviour(self.answer).plan(), hang=self)


@dataclass(frozen=True)
class Cut(Behaviour):
    """Ends the connection: at once, or after the headers and so many chunks.

    `inside` a "frame" or a "character": in the middle of the next one, the latter of several UTF-8 bytes.
    """

    after: int | None = None
    answer: Behaviour = Answer()
    inside: str = ""
    is_reset: bool = False  # RST instead of FIN

    def plan(self) -> "Plan":
        return dataclasses.replace(as_behaviour(self.answer).plan(), cut=self)

    def part_of(self, data: bytes) -> bytes | None:
        """How much of it still goes out; None when it has nothing to cut."""
        if not self.inside:
            return b""
        if self.inside == "frame":
            return data[: len(data) // 2]
        several = re.search(rb"[\xc2-\xf4][\x80-\xbf]+", data)
        return data[: several.start() + 1] if several else None


@dataclass(frozen=True)
class Garbage(Behaviour):
    """`data` in place of the whole "answer", of its "body", or of a "frame" of the stream after so many chunks."""

    data: bytes = b'{"id": "\xff\xfe truncated'
    where: str = "body"
    status: int = 200
    content_type: str = ""
    after: int = 1
    answer: Behaviour = Answer()

    def plan(self) -> "Plan":
        return dataclasses.replace(as_behaviour(self.answer).plan(), garbage=self)


@dataclass(frozen=True)
class SlowStream(Behaviour):
    """Waits before each chunk but the first; a plain body goes out in eight parts."""

    chunk_delay_s: float
    answer: Behaviour = Answer()

    def plan(self) -> "Plan":
        return dataclasses.replace(as_behaviour(self.answer).plan(), chunk_delay_s=self.chunk_delay_s)


@dataclass(frozen=True)
class PartialChunks(Behaviour):
    """The same bytes in pieces that heed no frame, of `sizes` in turn; or of random sizes with a `seed`.

    Also the freedom of server-sent events: line ends of "\\r\\n" or "\\r", comments, no space after the colon.
    """

    answer: Behaviour = Answer()
    sizes: tuple[int, ...] = (1, 2, 3, 5, 8, 13)
    seed: int | None = None
    line_end: str = "\r\n"
    comments: bool = False
    space: bool = True

    def plan(self) -> "Plan":
        return dataclasses.replace(as_behaviour(self.answer).plan(), pieces=self)

    def all_sizes(self) -> Iterator[int]:
        if self.seed is None:
            return itertools.cycle(self.sizes)
        chance = random.Random(self.seed)
        return iter(lambda: chance.randint(1, 40), 0)

    def dress(self, frame: bytes) -> bytes:
        if not self.space:
            frame = re.sub(rb"^(event|data): ", rb"\1:", frame, flags=re.MULTILINE)
        if self.comments:
            # No `id`: after one, OpenAI's own clients take the empty line after a comment for an event.
            frame = b": keep-alive\n\nretry: 3000\nx-unknown: 7\n" + frame
        return frame.replace(b"\n", self.line_end.encode())


@dataclass(frozen=True)
class Endless(Behaviour):
    """Repeats the deltas of the stream until the client leaves; a plain body starts with endless white space."""

    answer: Behaviour = Answer()
    chunk_delay_s: float = 0

    def plan(self) -> "Plan":
        plan = as_behaviour(self.answer).plan()
        return dataclasses.replace(plan, is_endless=True, chunk_delay_s=self.chunk_delay_s)


@dataclass(frozen=True)
class Plan:
    """A behaviour, taken apart."""

    answer: Answer
    delay_s: float = 0
    chunk_delay_s: float = 0
    fault: Fault | None = None
    hang: Hang | None = None
    cut: Cut | None = None
    garbage: Garbage | None = None
    pieces: PartialChunks | None = None
    is_endless: bool = False


BEHAVIOURS = (Answer, ToolCall, Fault, Hang, Cut, Garbage, SlowStream, PartialChunks, Endless)
Script = Behaviour | str | list | tuple | Callable[["Call"], Any]


def as_behaviour(value: Any) -> Behaviour:
    """Text is an answer; a list of calls is an answer of several calls."""
    if isinstance(value, Behaviour):
        return value
    if isinstance(value, str):
        return Answer(value)
    if isinstance(value, (list, tuple)) and value and all(isinstance(call, ToolCall) for call in value):
        return Answer("", tools=tuple(value))
    raise TypeError(f"{value!r} is no behaviour")


def behaviour_from_json(value: Any) -> Behaviour:
    """`"text"`, `{"fault": {"status": 429}}`, `{"hang": {"after": 2, "answer": "text"}}`, `[{"tool_call": {...}}]`."""
    if isinstance(value, str):
        return Answer(value)
    if isinstance(value, list):
        return as_behaviour([behaviour_from_json(call) for call in value])
    (name, fields), *more = value.items()
    kinds = {re.sub(r"(?<!^)([A-Z])", r"_\1", kind.__name__).lower(): kind for kind in BEHAVIOURS}
    if more or name not in kinds:
        raise ValueError(f"{value!r} is no behaviour; it needs one of {', '.join(kinds)}")
    fields = dict(fields)
    if "answer" in fields:
        fields["answer"] = behaviour_from_json(fields["answer"])
    if "tools" in fields:
        fields["tools"] = tuple(behaviour_from_json({"tool_call": call}) for call in fields["tools"])
    if "data" in fields:
        fields["data"] = fields["data"].encode()
    for name_of_list in ("tokens", "pieces", "sizes"):
        if name_of_list in fields:
            fields[name_of_list] = tuple(fields[name_of_list])
    return kinds[name](**fields)


# --- what was received -----------------------------------------------------------------------------------------------


@dataclass
class Call:
    """One request and what became of it. Times are those of `time.monotonic`."""

    number: int
    connection: int
    at: float
    method: str
    path: str
    query: str
    raw_headers: list[tuple[str, str]]
    body: bytes
    json: Any = None
    is_json: bool = False
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case
    key: str = ""
    behaviour: Behaviour | None = None
    refusal: str = ""  # why the provider did not take the request
    status: int = 0
    chunks: int = 0
    sent_bytes: int = 0
    answered_at: float | None = None
    left_at: float | None = None
    is_unread: bool = False

    def __post_init__(self) -> None:
        for name, value in self.raw_headers:
            known = self.headers.get(name.lower())
            self.headers[name.lower()] = value if known is None else f"{known}, {value}"
        try:
            self.json = json.loads(self.body)
            self.is_json = True
        except ValueError:
            pass

    @property
    def delivered(self) -> bool:
        """The whole answer was sent, and the client took it.

        Of a client that ends with bytes unread the kernel resets the connection; that makes this false again.
        """
        return self.answered_at is not None and not self.is_unread

    @property
    def is_anthropic(self) -> bool:
        is_shared = self.path.startswith(MODEL_LIST) and "anthropic-version" in self.headers
        return self.path.startswith(MESSAGES) or is_shared

    @property
    def fields(self) -> dict:
        return self.json if isinstance(self.json, dict) else {}

    @property
    def streams(self) -> bool:
        return self.path in ANSWERING and self.fields.get("stream") is True

    @property
    def messages(self) -> list[dict]:
        messages = self.fields.get("messages")
        return [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []

    @property
    def text(self) -> str:
        """Of the last message of the user that has any; of an embedding, its input."""
        if self.path == EMBEDDINGS:
            return "\n".join(str(part) for part in listed(self.fields.get("input")))
        for message in reversed(self.messages):
            if message.get("role") == "user" and (text := text_of(message.get("content"))):
                return text
        return ""

    @property
    def tool_results(self) -> list[tuple[str, str]]:
        """Id and text of each result that the conversation ends with."""
        found: list[tuple[str, str]] = []
        for message in reversed(self.messages):
            if message.get("role") == "tool":
                found.insert(0, (message.get("tool_call_id", ""), text_of(message.get("content"))))
                continue
            if message.get("role") == "user" and not found:
                results = [block for block in blocks_of(message) if block.get("type") == "tool_result"]
                return [(block.get("tool_use_id", ""), text_of(block.get("content"))) for block in results]
            break
        return found

    def summary(self) -> dict:
        """For people who look at a provider that runs alone."""
        shown = ("number", "connection", "method", "path", "key", "refusal", "status", "chunks", "is_unread")
        return {name: getattr(self, name) for name in shown} | {
            "text": self.text,
            "delivered": self.delivered,
            "body": self.json if self.is_json else self.body.decode(errors="replace"),
        }


def listed(value: Any) -> list:
    return value if isinstance(value, list) else [value]


def text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part["text"]) for part in parts if isinstance(part, dict) and part.get("type") == "text")


def blocks_of(message: dict) -> list[dict]:
    content = message.get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def find_key(call: Call) -> str:
    """What a caller marks its work with: an idempotency key or task id in a header or in the body."""
    for name in ("idempotency-key", "x-idempotency-key", "x-task-id"):
        if call.headers.get(name):
            return call.headers[name]
    metadata = call.fields.get("metadata")
    for place in (metadata if isinstance(metadata, dict) else {}, call.fields):
        for name in ("idempotency_key", "task_id", "user_id", "safety_identifier", "user"):
            if isinstance(place.get(name), str) and place[name]:
                return place[name]
    return ""


# --- what both protocols share ---------------------------------------------------------------------------------------


def dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def token_count(text: str | bytes) -> int:
    return max(1, len(text if isinstance(text, bytes) else text.encode()) // 4)


def tokens_of(call: Call, answer: Answer) -> tuple[int, int]:
    if answer.tokens:
        return answer.tokens
    written = answer.words + answer.thinking + "".join(tool.name + tool.json for tool in answer.tools)
    return token_count(call.body), token_count(written)


def parts_of_arguments(text: str) -> Iterable[str]:
    """Small enough to split words, numbers and escapes of the JSON inside."""
    return (text[start : start + 5] for start in range(0, len(text), 5))


def with_unknown_fields(value: Any) -> Any:
    """Only the arguments of a tool stay: their fields are the model's."""
    if isinstance(value, list):
        return [with_unknown_fields(part) for part in value]
    if not isinstance(value, dict):
        return value
    kept = {name: part if name == "input" else with_unknown_fields(part) for name, part in value.items()}
    return {"x_first": {"a": None}} | kept | {"x_last": {"nested": {"deep": [1, "two"]}}}


def vector_of(text: str, dimensions: int) -> list[float]:
    """A unit vector; texts that share words are near each other."""
    values = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()) or [text]:
        for place in struct.unpack("<4I", hashlib.blake2b(word.encode(), digest_size=16).digest()):
            values[place % dimensions] += 1.0 if place & 0x80000000 else -1.0
    length = math.sqrt(sum(value * value for value in values)) or 1.0
    packed = struct.pack(f"<{dimensions}f", *(value / length for value in values))
    return list(struct.unpack(f"<{dimensions}f", packed))


def retry_headers(fault: Fault) -> dict[str, str]:
    if fault.retry_after is None:
        return {}
    return {"Retry-After": fault.retry_after if isinstance(fault.retry_after, str) else f"{fault.retry_after:g}"}


class Dialect:
    """One provider's protocol: what it refuses, and how it says things."""

    ERRORS: ClassVar[dict[int, tuple[str, str | None, str]]]  # status -> type, code, message
    ENDPOINTS: ClassVar[dict[str, str]]  # path -> method

    def __init__(self, key: str | None, models: tuple[str, ...] | None):
        self.key, self.models = key, models

    def refuse(self, call: Call) -> Fault | None:
        raise NotImplementedError

    def body(self, call: Call, answer: Answer) -> dict:
        raise NotImplementedError

    def frames(self, call: Call, answer: Answer) -> list[bytes]:
        raise NotImplementedError

    def error(self, call: Call, fault: Fault) -> dict:
        raise NotImplementedError

    def error_frame(self, call: Call, fault: Fault) -> bytes:
        raise NotImplementedError

    def headers(self, call: Call) -> dict[str, str]:
        raise NotImplementedError

    def parts_of_error(self, fault: Fault) -> tuple[str, str | None, str]:
        nearest = fault.status if fault.status in self.ERRORS else 500 if fault.status >= 500 else 400
        kind, code, message = self.ERRORS[nearest]
        return fault.type or kind, fault.code or (None if fault.type else code), fault.message or message

    def is_known_model(self, model: Any) -> bool:
        return self.models is None or model in self.models

    def method_of(self, path: str) -> str | None:
        return "GET" if path.startswith(MODEL_LIST + "/") else self.ENDPOINTS.get(path)

    @property
    def listed_models(self) -> tuple[str, ...]:
        return MODELS if self.models is None else self.models


# --- OpenAI ----------------------------------------------------------------------------------------------------------


def is_closed(schema: Any) -> bool:
    """Whether all objects in the schema list their members, require them and allow no others."""
    if isinstance(schema, list):
        return all(map(is_closed, schema))
    if not isinstance(schema, dict):
        return True
    if "properties" in schema or schema.get("type") == "object":
        names = schema.get("properties", {})
        if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(names):
            return False
    return all(map(is_closed, schema.values()))


def openai_refusal(message: str, param: str | None = None, code: str | None = None, status: int = 400) -> Fault:
    return Fault(status, type="invalid_request_error", message=message, param=param, code=code)


class OpenAi(Dialect):
    ENDPOINTS: ClassVar = {CHAT: "POST", EMBEDDINGS: "POST", MODEL_LIST: "GET"}
    ERRORS: ClassVar = {
        400: ("invalid_request_error", None, "The request is invalid."),
        401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-sc****ider."),
        403: ("request_forbidden", "unsupported_country_region_territory", "Country or region not supported"),
        404: ("invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."),
        429: ("requests", "rate_limit_exceeded", "Rate limit reached on requests per min (RPM): Limit 3, Used 3."),
        500: ("server_error", None, "The server had an error while processing your request. Sorry about that!"),
        503: ("service_unavailable_error", "server_is_overloaded", "The engine is currently overloaded."),
    }
    ROLES = ("system", "assistant", "user", "function", "tool", "developer")

    def headers(self, call: Call) -> dict[str, str]:
        return {
            "openai-organization": "scripted",
            "openai-processing-ms": "7",
            "openai-version": "2020-10-01",
            "x-request-id": f"req_{call.number:032x}",
            "x-ratelimit-limit-requests": "500",
            "x-ratelimit-limit-tokens": "200000",
            "x-ratelimit-remaining-requests": "499",
            "x-ratelimit-remaining-tokens": "199980",
            "x-ratelimit-reset-requests": "120ms",
            "x-ratelimit-reset-tokens": "6ms",
        }

    def error(self, call: Call, fault: Fault) -> dict:
        kind, code, message = self.parts_of_error(fault)
        return {"error": {"message": message, "type": kind, "param": fault.param, "code": code}}

    def error_frame(self, call: Call, fault: Fault) -> bytes:
        return f"data: {dump(self.error(call, fault))}\n\n".encode()

    def refuse(self, call: Call) -> Fault | None:
        method = self.method_of(call.path)
        if method is None:
            return openai_refusal(f"Invalid URL ({call.method} {call.path})", status=404)
        if method != call.method:
            return openai_refusal(
                f"Not allowed to {call.method} on {call.path}.", code="method_not_supported", status=405
            )
        scheme, _, key = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return openai_refusal("You didn't provide an API key.", status=401)
        if self.key is not None and key.strip() != self.key:
            return Fault(401)
        if method == "GET":
            model = unquote(call.path.removeprefix(MODEL_LIST).lstrip("/"))
            return None if not model or model in self.listed_models else self.unknown_model(model)
        if not call.is_json or not isinstance(call.json, dict):
            return openai_refusal("We could not parse the JSON body of your request.")
        if not isinstance(call.fields.get("model"), str) or not call.fields["model"]:
            return openai_refusal("you must provide a model parameter")
        if not self.is_known_model(call.fields["model"]):
            return self.unknown_model(call.fields["model"])
        return self.refuse_embedding(call.fields) if call.path == EMBEDDINGS else self.refuse_chat(call.fields)

    def unknown_model(self, model: str) -> Fault:
        message = f"The model `{model}` does not exist or you do not have access to it."
        return openai_refusal(message, code="model_not_found", status=404)

    def refuse_embedding(self, fields: dict) -> Fault | None:
        input = fields.get("input")
        if input is None:
            return openai_refusal("Missing required parameter: 'input'.", "input", "missing_required_parameter")
        inputs = self.inputs(input)
        if not inputs or len(inputs) > 2048 or any(part in ("", []) for part in inputs):
            return openai_refusal("'$.input' is invalid.")
        dimensions = fields.get("dimensions", DIMENSIONS)
        if not isinstance(dimensions, int) or not 1 <= dimensions <= 3072:
            return openai_refusal("Invalid value for 'dimensions'.", "dimensions", "invalid_value")
        if fields.get("encoding_format", "float") not in ("float", "base64"):
            return openai_refusal("Invalid value for 'encoding_format'.", "encoding_format", "invalid_value")
        return None

    def refuse_chat(self, fields: dict) -> Fault | None:
        if "messages" not in fields:
            return openai_refusal("Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
        messages = fields["messages"]
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            return openai_refusal("Invalid type for 'messages': expected an array.", "messages", "invalid_type")
        if not messages:
            return openai_refusal("Invalid 'messages': empty array.", "messages", "empty_array")
        if fields.get("stream_options") is not None and fields.get("stream") is not True:
            message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            return openai_refusal(message, "stream_options")
        for index, tool in enumerate(fields.get("tools") or []):
            name = tool.get("function", {}).get("name") if isinstance(tool, dict) else None
            if not isinstance(name, str) or not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
                return openai_refusal("Invalid name of a tool.", f"tools[{index}].function.name", "invalid_value")
        shape = fields.get("response_format") or {"type": "text"}
        if shape.get("type") == "json_schema":
            schema = shape.get("json_schema")
            for name in ("name", "schema"):
                if not isinstance(schema, dict) or name not in schema:
                    param = f"response_format.json_schema.{name}"
                    return openai_refusal(
                        f"Missing required parameter: '{param}'.", param, "missing_required_parameter"
                    )
            if schema["schema"].get("type") != "object" or (schema.get("strict") and not is_closed(schema["schema"])):
                message = "Invalid schema for response_format: 'additionalProperties' is required to be false."
                return openai_refusal(message, "response_format")
        return self.refuse_messages(messages)

    def refuse_messages(self, messages: list[dict]) -> Fault | None:
        """Each call of a tool is answered by a `tool` message, before anything else is said."""
        unanswered: list[str] = []
        for index, message in enumerate([*messages, {"role": "user", "content": ""}]):
            role, param = message.get("role"), f"messages.[{index}].role"
            if role not in self.ROLES:
                return openai_refusal(f"Invalid value: '{role}'.", f"messages[{index}].role", "invalid_value")
            if role == "tool":
                if message.get("tool_call_id") not in unanswered:
                    text = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message"
                    return openai_refusal(text + " with 'tool_calls'.", param)
                unanswered.remove(message["tool_call_id"])
            elif unanswered:
                text = "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
                return openai_refusal(f"{text} 'tool_call_id'. Missing: {', '.join(unanswered)}", param)
            calls = message.get("tool_calls") or []
            if message.get("content") is None and not calls:
                text = "Invalid value for 'content': expected a string, got null."
                return openai_refusal(text, f"messages.[{index}].content")
            if role == "assistant":
                unanswered = [call.get("id", "") for call in calls]
        return None

    def body(self, call: Call, answer: Answer) -> dict:
        if call.path == EMBEDDINGS:
            return self.embeddings(call)
        if call.method == "GET":
            models = [
                {"id": name, "object": "model", "created": CREATED, "owned_by": "system"} for name in self.listed_models
            ]
            wanted = unquote(call.path.removeprefix(MODEL_LIST).lstrip("/"))
            found = next((model for model in models if model["id"] == wanted), None)
            return found or {"object": "list", "data": models}
        message = {"role": "assistant", "content": answer.words or None, "refusal": None, "annotations": []}
        if answer.is_refusal:
            message |= {"content": None, "refusal": answer.words}
        if answer.tools:
            message["tool_calls"] = [
                {
                    "id": self.tool_id(call, index, tool),
                    "type": "function",
                    "function": {"name": tool.name, "arguments": tool.json},
                }
                for index, tool in enumerate(answer.tools)
            ]
        elif message["content"] is None and not answer.is_refusal:
            message["content"] = ""
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish(answer)}
        envelope = self.envelope(call, answer, "chat.completion")
        return envelope | {"choices": [choice], "usage": self.usage(call, answer)}

    def frames(self, call: Call, answer: Answer) -> list[bytes]:
        options = call.fields.get("stream_options") or {}
        envelope = self.envelope(call, answer, "chat.completion.chunk")
        has_usage = {"usage": None} if options.get("include_usage") else {}
        chunks = []

        def say(delta: dict, finish: str | None = None) -> None:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            chunk = envelope | {"choices": [choice]} | has_usage
            if options.get("include_obfuscation", True):
                chunk["obfuscation"] = "x" * (16 - len(chunks) % 8)
            chunks.append(chunk)

        kind = "refusal" if answer.is_refusal else "content"
        has_text = bool(answer.words)
        say({"role": "assistant", "content": "" if has_text and not answer.is_refusal else None, "refusal": None})
        for part in answer.deltas:
            say({kind: part})
        for index, tool in enumerate(answer.tools):
            function = {"name": tool.name, "arguments": ""}
            start = {"index": index, "id": self.tool_id(call, index, tool), "type": "function", "function": function}
            say({"tool_calls": [start]})
            for part in parts_of_arguments(tool.json):
                say({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
        say({}, self.finish(answer))
        if has_usage:
            chunks.append(envelope | {"choices": [], "usage": self.usage(call, answer)})
        if answer.unknown:
            chunks = [with_unknown_fields(chunk) for chunk in chunks]
        return [f"data: {dump(chunk)}\n\n".encode() for chunk in chunks] + [b"data: [DONE]\n\n"]

    def envelope(self, call: Call, answer: Answer, kind: str) -> dict:
        return {
            "id": f"chatcmpl-{call.number:029d}",
            "object": kind,
            "created": CREATED + call.number,
            "model": answer.model or call.fields["model"],
            "service_tier": "default",
            "system_fingerprint": "fp_5c71a1b2d3",
        }

    def usage(self, call: Call, answer: Answer) -> dict:
        read, written = tokens_of(call, answer)
        thought = token_count(answer.thinking) if answer.thinking else 0
        details = ("audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens")
        return {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": thought} | dict.fromkeys(details, 0),
        }

    def finish(self, answer: Answer) -> str:
        return answer.finish or ("tool_calls" if answer.tools else "stop")

    def tool_id(self, call: Call, index: int, tool: ToolCall) -> str:
        return tool.id or f"call_{call.number:012d}{index:012d}"

    def inputs(self, input: Any) -> list:
        """One text, several texts, one list of tokens, or several of those."""
        is_one = isinstance(input, str) or (isinstance(input, list) and input and isinstance(input[0], int))
        return [input] if is_one else listed(input)

    def embeddings(self, call: Call) -> dict:
        fields, inputs = call.fields, self.inputs(call.fields["input"])
        dimensions = fields.get("dimensions", DIMENSIONS)
        data = []
        for index, part in enumerate(inputs):
            values: Any = vector_of(part if isinstance(part, str) else " ".join(map(str, part)), dimensions)
            if fields.get("encoding_format") == "base64":
                values = base64.b64encode(struct.pack(f"<{dimensions}f", *values)).decode()
            data.append({"object": "embedding", "index": index, "embedding": values})
        read = sum(token_count(part) if isinstance(part, str) else len(part) for part in inputs)
        usage = {"prompt_tokens": read, "total_tokens": read}
        return {"object": "list", "data": data, "model": fields["model"], "usage": usage}


# --- Anthropic -------------------------------------------------------------------------------------------------------


def anthropic_refusal(message: str, status: int = 400, type: str = "") -> Fault:
    return Fault(status, type=type, message=message)


class Anthropic(Dialect):
    ENDPOINTS: ClassVar = {MESSAGES: "POST", COUNT_TOKENS: "POST", MODEL_LIST: "GET"}
    ERRORS: ClassVar = {
        400: ("invalid_request_error", None, "The request is invalid."),
        401: ("authentication_error", None, "invalid x-api-key"),
        402: ("billing_error", None, "There is an issue with your billing or payment information."),
        403: ("permission_error", None, "Your API key does not have permission to use the specified resource."),
        404: ("not_found_error", None, "Not found"),
        409: ("conflict_error", None, "The request conflicts with the current state of a resource."),
        413: ("request_too_large", None, "Request exceeds the maximum size"),
        429: ("rate_limit_error", None, "This request would exceed your account's rate limit. Please try again later."),
        500: ("api_error", None, "Internal server error"),
        504: ("timeout_error", None, "Request timed out"),
        529: ("overloaded_error", None, "Overloaded"),
    }
    STREAMED = ("text", "thinking", "signature", "input")
    VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")
    STRICT_SINCE = "2026-10-21"
    SAMPLING = ("temperature", "top_p", "top_k")  # until STRICT_SINCE
    PARAMETERS = frozenset(
        ("billing_policy", "cache_control", "compaction", "container", "context_management", "diagnostics")
        + ("fallback_credit_token", "fallbacks", "inference_geo", "max_tokens", "mcp_servers", "messages", "metadata")
        + ("model", "output_config", "output_format", "service_tier", "speed", "stop_sequences", "stream", "system")
        + ("thinking", "thread", "tool_choice", "tools", "user_profile_id", "workspace_id")
    )
    FINISHES: ClassVar = {
        "stop": "end_turn",
        "length": "max_tokens",
        "tool_calls": "tool_use",
        "content_filter": "refusal",
    }

    def headers(self, call: Call) -> dict[str, str]:
        limits = {"requests": 50, "input-tokens": 50000, "output-tokens": 10000}
        headers = {
            "request-id": self.request_id(call),
            "anthropic-organization-id": "00000000-0000-4000-8000-000000000001",
        }
        for name, limit in limits.items():
            headers[f"anthropic-ratelimit-{name}-limit"] = str(limit)
            headers[f"anthropic-ratelimit-{name}-remaining"] = str(limit - 1)
            headers[f"anthropic-ratelimit-{name}-reset"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return headers

    def request_id(self, call: Call) -> str:
        return f"req_01{call.number:022d}"

    def error(self, call: Call, fault: Fault) -> dict:
        kind, code, message = self.parts_of_error(fault)
        error = {"type": kind, "message": message} | ({"details": {"error_code": code}} if code else {})
        return {"type": "error", "error": error, "request_id": self.request_id(call)}

    def error_frame(self, call: Call, fault: Fault) -> bytes:
        error = self.error(call, fault)
        error["error"].setdefault("details", None)
        return f"event: error\ndata: {dump(error)}\n\n".encode()

    def refuse(self, call: Call) -> Fault | None:
        method = self.method_of(call.path)
        if method is None:
            return anthropic_refusal(f"{call.path} was not found", 404)
        if method != call.method:
            return anthropic_refusal("Method Not Allowed", 405)
        return self.refuse_key(call) or self.refuse_version(call) or self.refuse_content(call)

    def refuse_key(self, call: Call) -> Fault | None:
        """Either header may carry the key; of both, `x-api-key` counts."""
        key = call.headers.get("x-api-key")
        if key is not None:
            is_right = bool(key) if self.key is None else key == self.key
            return None if is_right else anthropic_refusal("invalid x-api-key", 401)
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return anthropic_refusal("x-api-key header is required", 401)
        is_right = bool(token) if self.key is None else token == self.key
        return None if is_right else anthropic_refusal("Invalid bearer token", 401)

    def refuse_version(self, call: Call) -> Fault | None:
        version = call.headers.get("anthropic-version")
        if version is None:
            return anthropic_refusal("anthropic-version: header is required")
        if version not in self.VERSIONS:
            return anthropic_refusal(f'anthropic-version: "{version}" is not a valid version')
        return None

    def refuse_content(self, call: Call) -> Fault | None:
        if call.method == "GET":
            model = unquote(call.path.removeprefix(MODEL_LIST).lstrip("/"))
            return None if not model or model in self.listed_models else anthropic_refusal(f"model: {model}", 404)
        if not call.is_json or not isinstance(call.json, dict):
            return anthropic_refusal("The request body is not valid JSON: expected an object")
        fields = call.fields
        is_strict = call.headers["anthropic-version"] >= self.STRICT_SINCE
        known = {*self.PARAMETERS, *(() if is_strict else self.SAMPLING)}
        if call.path == COUNT_TOKENS:
            known -= {"max_tokens", "metadata", "stream", "stop_sequences", *self.SAMPLING}
        for name in fields:
            if name not in known:
                return anthropic_refusal(f"{name}: Extra inputs are not permitted")
        for name in ("model", "messages") if call.path == COUNT_TOKENS else ("model", "max_tokens", "messages"):
            if name not in fields:
                return anthropic_refusal(f"{name}: Field required")
        limit = fields.get("max_tokens", 1)
        if not isinstance(limit, int) or limit < 1:
            return anthropic_refusal("max_tokens: Input should be greater than or equal to 1")
        if not self.is_known_model(fields["model"]):
            return anthropic_refusal(f"model: {fields['model']}", 404)
        for index, tool in enumerate(fields.get("tools") or []):
            is_own = isinstance(tool, dict) and tool.get("type", "custom") == "custom"
            if is_own and not isinstance(tool.get("input_schema"), dict):
                return anthropic_refusal(f"tools.{index}.custom.input_schema: Field required")
        return self.refuse_messages(fields["messages"], is_strict)

    def refuse_messages(self, messages: Any, is_strict: bool) -> Fault | None:
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            return anthropic_refusal("messages: Input should be a valid list")
        if not messages:
            return anthropic_refusal("messages: at least one message is required")
        for index, message in enumerate(messages):
            role, content = message.get("role"), message.get("content")
            if role not in ("user", "assistant", "system"):
                return anthropic_refusal(f"messages.{index}.role: Input should be 'user', 'assistant' or 'system'")
            if content in (None, "", []) and not (role == "assistant" and index == len(messages) - 1):
                return anthropic_refusal(f"messages.{index}: {role} messages must have non-empty content")
            for place, block in enumerate(blocks_of(message)):
                kind, name = block.get("type"), f"messages.{index}.content.{place}"
                if kind == "text" and not block.get("text"):
                    return anthropic_refusal("messages: text content blocks must be non-empty")
                if is_strict and role == "assistant" and kind == "document":
                    return anthropic_refusal(f"{name}: document blocks are not permitted in assistant messages")
                if is_strict and role == "user" and kind == "text" and block.get("citations"):
                    return anthropic_refusal(f"{name}.text.citations: Extra inputs are not permitted")
        return self.refuse_tool_results(messages)

    def refuse_tool_results(self, messages: list[dict]) -> Fault | None:
        """The results of all calls of a message are in the message after it, and nowhere else."""
        asked: list[str] = []
        for index, message in enumerate([*messages, {"role": "user", "content": []}]):
            given = [block.get("tool_use_id") for block in blocks_of(message) if block.get("type") == "tool_result"]
            missing = [id for id in asked if id not in given]
            if missing:
                text = "`tool_use` ids were found without `tool_result` blocks immediately after"
                return anthropic_refusal(f"messages.{index - 1}: {text}: {', '.join(missing)}.")
            surplus = [id for id in given if id not in asked]
            if surplus:
                text = "unexpected `tool_use_id` found in `tool_result` blocks"
                return anthropic_refusal(f"messages.{index}.content: {text}: {', '.join(map(str, surplus))}.")
            is_asking = message.get("role") == "assistant"
            asked = [block["id"] for block in blocks_of(message) if is_asking and block.get("type") == "tool_use"]
        return None

    def body(self, call: Call, answer: Answer) -> dict:
        if call.method == "GET":
            return self.model_body(call)
        if call.path == COUNT_TOKENS:
            return {"input_tokens": tokens_of(call, answer)[0]}
        usage = self.usage(call, answer)
        content = [block for block, _ in self.blocks(call, answer)]
        return self.message(call, answer, usage) | {"content": content} | self.ending(answer)

    def frames(self, call: Call, answer: Answer) -> list[bytes]:
        usage = self.usage(call, answer)
        events: list[dict] = []
        start = self.message(call, answer, usage | {"output_tokens": 1})
        events.append({"type": "message_start", "message": start})
        for index, (block, deltas) in enumerate(self.blocks(call, answer)):
            empty = {name: type(part)() if name in self.STREAMED else part for name, part in block.items()}
            events.append({"type": "content_block_start", "index": index, "content_block": empty})
            if index == 0:
                events.append({"type": "ping"})
                if answer.unknown:
                    events.append({"type": "x_future_event", "index": 0, "delta": {"type": "x_future_delta"}})
            events += ({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
            events.append({"type": "content_block_stop", "index": index})
        totals = {name: usage[name] for name in usage if name.endswith("_tokens")}
        events.append({"type": "message_delta", "delta": self.ending(answer), "usage": totals})
        events.append({"type": "message_stop"})
        if answer.unknown:
            events = [with_unknown_fields(event) for event in events]
        return [f"event: {event['type']}\ndata: {dump(event)}\n\n".encode() for event in events]

    def blocks(self, call: Call, answer: Answer) -> Iterator[tuple[dict, list[dict]]]:
        """Each content block, and the deltas that it is streamed as."""
        if answer.thinking:
            signature = base64.b64encode(answer.thinking.encode()).decode()
            deltas = [{"type": "thinking_delta", "thinking": part} for part in re.findall(r"\S+\s*", answer.thinking)]
            deltas.append({"type": "signature_delta", "signature": signature})
            yield {"type": "thinking", "thinking": answer.thinking, "signature": signature}, deltas
        if answer.words:
            yield (
                {"type": "text", "text": answer.words},
                [{"type": "text_delta", "text": part} for part in answer.deltas],
            )
        for index, tool in enumerate(answer.tools):
            # A call without arguments is streamed as an empty text, not as an empty object.
            text = tool.json if tool.json != "{}" else ""
            parts = ["", *parts_of_arguments(text)]
            try:
                input = json.loads(tool.json)
            except ValueError:
                input = {}
            block = {"type": "tool_use", "id": tool.id or f"toolu_01{call.number:011d}{index:011d}", "name": tool.name}
            caller = {"caller": {"type": "direct"}}
            yield (
                block | {"input": input} | caller,
                [{"type": "input_json_delta", "partial_json": part} for part in parts],
            )

    def message(self, call: Call, answer: Answer, usage: dict) -> dict:
        return {
            "model": answer.model or call.fields["model"],
            "id": f"msg_01{call.number:022d}",
            "type": "message",
            "role": "assistant",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "usage": usage,
        }

    def ending(self, answer: Answer) -> dict:
        finish = answer.finish or ("tool_calls" if answer.tools else "content_filter" if answer.is_refusal else "stop")
        reason = self.FINISHES.get(finish, finish)
        details = {"type": "refusal", "category": None, "explanation": None} if reason == "refusal" else None
        return {"stop_reason": reason, "stop_sequence": None, "stop_details": details}

    def usage(self, call: Call, answer: Answer) -> dict:
        read, written = tokens_of(call, answer)
        return {
            "input_tokens": read,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": written,
            "service_tier": "standard",
            "inference_geo": "not_available",
        }

    def model_body(self, call: Call) -> dict:
        since, unknown = "2026-02-17T00:00:00Z", {"max_input_tokens": 200000, "max_tokens": 64000}
        models = [
            {"type": "model", "id": name, "display_name": name, "created_at": since, "lifecycle": "active"} | unknown
            for name in self.listed_models
        ]
        wanted = unquote(call.path.removeprefix(MODEL_LIST).lstrip("/"))
        found = next((model for model in models if model["id"] == wanted), None)
        ends = {"first_id": models[0]["id"], "last_id": models[-1]["id"]} if models else {}
        return found or {"data": models, "has_more": False} | ends


# --- the wire --------------------------------------------------------------------------------------------------------


class BadRequest(Exception):
    pass


def decode_chunked(data: bytearray, start: int) -> tuple[bytes, int] | None:
    """Body and where it ends; None when there is more to come."""
    body = bytearray()
    while True:
        line_end = data.find(b"\r\n", start)
        if line_end < 0:
            return None
        try:
            size = int(data[start:line_end].split(b";")[0], 16)
        except ValueError as error:
            raise BadRequest("a chunk without a size") from error
        start = line_end + 2
        if size == 0:
            end = data.find(b"\r\n", start)
            while end > start:  # trailers
                start = end + 2
                end = data.find(b"\r\n", start)
            return None if end < 0 else (bytes(body), end + 2)
        if len(data) < start + size + 2:
            return None
        body += data[start : start + size]
        start += size + 2


@dataclass
class Head:
    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    at: float
    length: int | None = 0  # None: chunked

    @classmethod
    def parse(cls, data: bytearray) -> "Head":
        first, *lines = data.decode("latin-1").split("\r\n")
        try:
            method, target, version = first.split(" ")
            pairs = [line.split(":", 1) for line in lines]
            headers = [(name, value.strip()) for name, value in pairs]
        except ValueError as error:
            raise BadRequest("malformed") from error
        head = cls(method, target, version, headers, time.monotonic())
        for name, value in headers:
            if name.lower() == "content-length":
                head.length = int(value) if value.isdigit() else 0
            elif name.lower() == "transfer-encoding" and "chunked" in value.lower():
                head.length = None
                break
        return head

    def has(self, name: str, value: str) -> bool:
        return any(key.lower() == name and value in text.lower() for key, text in self.headers)


def reason_of(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Overloaded" if status == 529 else "Unknown"


def head_bytes(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {reason_of(status)}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Connection(asyncio.Protocol):
    """Reads requests one after the other and has each of them answered. All of it runs in the provider's loop."""

    def __init__(self, provider: "ScriptedProvider"):
        self.provider = provider
        self.number = next(provider.connection_numbers)
        self.buffer = bytearray()
        self.head: Head | None = None
        self.call: Call | None = None
        self.task: asyncio.Task | None = None
        self.writable = asyncio.Event()
        self.writable.set()
        self.is_closing = False
        self.has_left = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.set_write_buffer_limits(high=0)  # so that `write` waits until the kernel has it all
        # asyncio does this only for sockets that it made; without it each second write waits 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.provider.connections.add(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.task is None:
            self.advance()

    def eof_received(self) -> None:
        self.client_left(self.took_all())

    def connection_lost(self, error: Exception | None) -> None:
        self.provider.connections.discard(self)
        self.writable.set()
        self.client_left(error is None)

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def took_all(self) -> bool:
        """Nothing is on its way to the client, and its kernel did not answer with a reset."""
        sock = self.transport.get_extra_info("socket")
        if self.transport.get_write_buffer_size() or sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return False
        return struct.unpack("i", ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0] == 0

    def client_left(self, is_clean: bool) -> None:
        """Also called when we leave; then the call knows already."""
        if self.has_left:
            return
        self.has_left = True
        if self.call is not None:
            with self.provider.changed:
                if not self.is_closing or self.call.answered_at is not None:
                    self.call.left_at = time.monotonic()
                    self.call.is_unread = not is_clean
                self.provider.changed.notify_all()
        if self.task is not None:
            self.task.cancel()

    def advance(self) -> None:
        """Takes requests out of the buffer as long as none is being answered."""
        try:
            while self.task is None and self.buffer and not self.transport.is_closing():
                body = self.next_body()
                if body is None:
                    return
                head, self.head = self.head, None
                assert head is not None
                if not self.provider.answer_at_once(self, head, body):
                    self.call = self.provider.receive(self.number, head, body)
                    self.task = asyncio.get_running_loop().create_task(self.serve(head))
                    self.task.add_done_callback(self.served)
        except BadRequest:
            self.transport.write(head_bytes(400, {"Content-Length": "0", "Connection": "close"}))
            self.close()

    def next_body(self) -> bytes | None:
        if self.head is None:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0 and len(self.buffer) <= HEAD_BYTES_MAX:
                return None
            if end < 0 or end > HEAD_BYTES_MAX:
                raise BadRequest("a head without an end")
            self.head = Head.parse(self.buffer[:end])
            del self.buffer[: end + 4]
            if self.head.has("expect", "100-continue"):
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self.head.length is None:
            decoded = decode_chunked(self.buffer, 0)
            if decoded is None:
                return None
            body, end = decoded
        else:
            end = self.head.length
            if len(self.buffer) < end:
                return None
            body = bytes(self.buffer[:end])
        del self.buffer[:end]
        return body

    async def serve(self, head: Head) -> None:
        assert self.call is not None
        try:
            await self.provider.perform(self.call, self)
            if head.version == "HTTP/1.0" or head.has("connection", "close"):
                self.half_close()
        except ConnectionError:
            self.transport.abort()

    def served(self, task: asyncio.Task) -> None:
        if not task.cancelled() and (error := task.exception()):
            self.provider.problems.append("".join(traceback.format_exception(error)))
            self.transport.abort()
        self.task = None
        self.provider.notify()
        self.advance()

    async def write(self, data: bytes) -> None:
        """Returns when the kernel has it."""
        if self.transport.is_closing():
            raise ConnectionResetError("the client has left")
        self.transport.write(data)
        await self.writable.wait()
        if self.has_left or self.transport.is_closing():
            raise ConnectionResetError("the client has left")
        assert self.call is not None
        self.call.sent_bytes += len(data)

    def half_close(self) -> None:
        """The end of the answer; the client's own end tells whether it took it."""
        if not self.transport.is_closing():
            self.transport.write_eof()
            asyncio.get_running_loop().call_later(LINGER_S, self.transport.abort)

    def close(self, is_reset: bool = False) -> None:
        self.is_closing = True
        if is_reset:
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        else:
            self.transport.close()


class Performance:
    """Plays one plan on one connection."""

    def __init__(self, provider: "ScriptedProvider", call: Call, connection: Connection, dialect: Dialect, plan: Plan):
        self.provider, self.call, self.connection = provider, call, connection
        self.dialect, self.plan = dialect, plan
        self.framing = plan.answer.framing
        self.sizes = plan.pieces.all_sizes() if plan.pieces else None
        self.rest = b""

    async def run(self) -> None:
        plan, call = self.plan, self.call
        if plan.delay_s:
            await asyncio.sleep(plan.delay_s)
        if plan.hang and plan.hang.after is None:
            await self.provider.hang()
        if plan.cut and plan.cut.after is None:
            self.connection.close(plan.cut.is_reset)
        elif plan.garbage and plan.garbage.where == "answer":
            await self.connection.write(plan.garbage.data)
            self.finish()
            self.connection.half_close()
        elif plan.fault and (plan.fault.after is None or not call.streams):
            fault = plan.fault
            headers = fault.headers | retry_headers(fault)
            await self.send_plain(fault.status, dump(self.dialect.error(call, fault)).encode(), "", headers)
        elif plan.garbage and plan.garbage.where == "body":
            garbage = plan.garbage
            kind = garbage.content_type or ("text/event-stream; charset=utf-8" if call.streams else "")
            await self.send_plain(garbage.status, garbage.data, kind, plan.answer.headers)
        elif call.streams:
            await self.send_stream()
        else:
            body = self.dialect.body(call, plan.answer)
            body = with_unknown_fields(body) if plan.answer.unknown else body
            await self.send_plain(200, dump(body).encode(), "", plan.answer.headers)

    async def send_head(self, status: int, content_type: str, length: int | None, headers: dict[str, str]) -> None:
        self.call.status = status
        framing = {
            "length": {"Content-Length": str(length)},
            "chunked": {"Transfer-Encoding": "chunked"},
            "close": {"Connection": "close"},
        }[self.framing]
        date = {"Date": email.utils.formatdate(usegmt=True), "Content-Type": content_type or "application/json"}
        await self.connection.write(head_bytes(status, date | self.dialect.headers(self.call) | framing | headers))

    async def send_plain(self, status: int, body: bytes, content_type: str, headers: dict[str, str]) -> None:
        """The body is one chunk, or several when something is to happen in its middle."""
        plan = self.plan
        chunks = [body]
        if plan.chunk_delay_s:
            size = max(1, math.ceil(len(body) / 8))
            chunks = [body[start : start + size] for start in range(0, len(body), size)]
        elif plan.hang or (plan.cut and plan.cut.inside != "character"):
            chunks = [body[: len(body) // 2], body[len(body) // 2 :]]
        self.framing = self.framing or ("chunked" if plan.is_endless else "length")
        await self.send_head(status, content_type, len(body), headers)
        if plan.is_endless:
            await self.send_endlessly([b" " * 4096])
        await self.send_chunks(chunks)

    async def send_stream(self) -> None:
        plan = self.plan
        frames = self.dialect.frames(self.call, plan.answer)
        if plan.fault and plan.fault.after is not None:
            frames[plan.fault.after :] = [self.dialect.error_frame(self.call, plan.fault)]
        if plan.garbage:
            frames[plan.garbage.after : plan.garbage.after + 1] = [b"data: " + plan.garbage.data + b"\n\n"]
        if plan.pieces:
            frames = [plan.pieces.dress(frame) for frame in frames]
        self.framing = self.framing or "chunked"
        headers = {"Cache-Control": "no-cache"} | plan.answer.headers
        await self.send_head(200, "text/event-stream; charset=utf-8", sum(map(len, frames)), headers)
        if plan.is_endless:
            is_delta = re.compile(rb'"delta":\{"(?!role")|content_block_delta')
            start = next(index for index, frame in enumerate(frames) if is_delta.search(frame))
            for frame in frames[:start]:
                await self.send(frame)
            await self.send_endlessly([frame for frame in frames if is_delta.search(frame)])
        await self.send_chunks(frames)

    async def send_chunks(self, chunks: list[bytes]) -> None:
        """With whatever is to happen before, between, inside and after them."""
        plan = self.plan
        hang_at = min(plan.hang.after, len(chunks)) if plan.hang and plan.hang.after is not None else -1
        cut_at = min(plan.cut.after or 0, len(chunks)) if plan.cut else len(chunks) + 1
        for index in range(len(chunks) + 1):
            chunk = chunks[index] if index < len(chunks) else b""
            if index == hang_at:
                await self.flush()
                await self.provider.hang()
            if plan.cut and index >= cut_at:
                part = plan.cut.part_of(chunk) if chunk else b""
                if part is not None:
                    if plan.cut.inside == "character" and not chunk:
                        raise ValueError("the answer has no character of several bytes to cut")
                    await self.send(part)
                    await self.flush()
                    self.connection.close(plan.cut.is_reset)
                    return
            if index < len(chunks):
                if index and plan.chunk_delay_s:
                    await asyncio.sleep(plan.chunk_delay_s)
                await self.send(chunk, is_last=index == len(chunks) - 1 and hang_at != len(chunks) and not plan.cut)
                self.call.chunks += 1
                self.provider.notify()
        await self.end()

    async def send_endlessly(self, frames: list[bytes]) -> None:
        for frame in itertools.cycle(frames):
            await self.send(frame)
            self.call.chunks += 1
            await asyncio.sleep(self.plan.chunk_delay_s)

    async def send(self, data: bytes, is_last: bool = False) -> None:
        """In pieces if the plan says so. The last chunk goes out together with the end of the body: a client that
        reads no further than the last event has the end then too, and keeps the connection."""
        if self.sizes is None:
            if data:
                await self.connection.write(self.framed(data) + (self.terminator() if is_last else b""))
            if is_last:
                self.finish()
            return
        self.rest += data
        if not hasattr(self, "size"):
            self.size = next(self.sizes)
        while len(self.rest) >= self.size:
            piece, self.rest = self.rest[: self.size], self.rest[self.size :]
            self.size = next(self.sizes)
            await self.connection.write(self.framed(piece))
            await asyncio.sleep(0)

    async def flush(self) -> None:
        if self.rest:
            rest, self.rest = self.rest, b""
            await self.connection.write(self.framed(rest))

    async def end(self) -> None:
        await self.flush()
        if self.call.answered_at is None:
            if self.terminator():
                await self.connection.write(self.terminator())
            self.finish()
        if self.framing == "close":
            self.connection.half_close()

    def finish(self) -> None:
        self.call.answered_at = time.monotonic()

    def framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self.framing == "chunked" else data

    def terminator(self) -> bytes:
        return b"0\r\n\r\n" if self.framing == "chunked" else b""


# --- the provider ----------------------------------------------------------------------------------------------------


@dataclass
class Rule:
    text: str
    path: str | None
    behaviours: collections.deque

    def fits(self, call: Call) -> bool:
        return fits_path(self.path, call) and self.text in call.text


def fits_path(path: str | None, call: Call) -> bool:
    return call.path in ANSWERING if path is None else call.path == path


class ScriptedProvider:
    """Which behaviour a request gets: the first `when` whose text is in the user's last message, else the next of
    `play`, else `otherwise`. A behaviour may be a function of the `Call`; None from it means `otherwise`.

    Its methods may be called from any thread; the server has one of its own. `key` None takes any key, `models` None
    any model. `key_of` is a function, the name of a header, or a pattern for the body; otherwise see `find_key`.
    """

    def __init__(
        self,
        script: Iterable[Script] | Callable[[Call], Any] = (),
        key: str | None = KEY,
        models: tuple[str, ...] | None = None,
        key_of: Callable[[Call], str] | str | re.Pattern = find_key,
        fast: Answer | None = None,
        port: int = 0,
    ):
        self.key = key or KEY
        self.openai, self.anthropic = OpenAi(key, models), Anthropic(key, models)
        self.key_of, self.fast, self.port = key_of, fast, port
        self.changed = threading.Condition()
        self.rules: list[Rule] = []
        self.queue: list[tuple[str | None, Script]] = []
        self.otherwise: Script = script if callable(script) else Answer()
        self.calls: list[Call] = []
        self.answered_at_once = 0
        self.problems: list[str] = []
        self.hanging = 0
        self.releases: list[asyncio.Event] = []
        self.connections: set[Connection] = set()
        self.connection_numbers = itertools.count(1)
        self.canned: dict[tuple[str, bool], bytes] = {}
        if not callable(script):
            self.play(*script)

    # The script.

    def play(self, *behaviours: Script, path: str | None = None) -> "ScriptedProvider":
        """Once each, in this order; for the answers of both protocols, or for `path`, such as "/v1/embeddings"."""
        with self.changed:
            self.queue += [(path, self.checked(behaviour)) for behaviour in behaviours]
        return self

    def when(self, text: str, *behaviours: Script, path: str | None = None) -> "ScriptedProvider":
        """In this order; the last one goes on."""
        assert behaviours
        with self.changed:
            self.rules.append(Rule(text, path, collections.deque(map(self.checked, behaviours))))
        return self

    @staticmethod
    def checked(behaviour: Script) -> Script:
        return behaviour if callable(behaviour) else as_behaviour(behaviour)

    def choose(self, call: Call) -> Behaviour:
        with self.changed:
            script = self.next_for(call)
        if callable(script):
            script = script(call)
        if script is None:
            script = Answer() if callable(self.otherwise) else self.otherwise
        return as_behaviour(script)

    def next_for(self, call: Call) -> Script:
        for rule in self.rules:
            if rule.fits(call):
                return rule.behaviours.popleft() if len(rule.behaviours) > 1 else rule.behaviours[0]
        for index, (path, script) in enumerate(self.queue):
            if fits_path(path, call):
                del self.queue[index]
                return script
        return self.otherwise if call.path in ANSWERING else Answer()

    def release(self) -> None:
        """Whatever hangs goes on."""
        with self.changed:
            releases, self.releases = self.releases, []
        for event in releases:
            self.loop.call_soon_threadsafe(event.set)

    # What happened.

    def counts(self) -> collections.Counter:
        """How many requests each key came with."""
        with self.changed:
            return collections.Counter(call.key for call in self.calls)

    def count(self, key: str) -> int:
        return self.counts()[key]

    def repeats(self, identity: Callable[[Call], Any] | None = None) -> list[Call]:
        """Calls for an answer that had been given before: successful, whole, and taken by the client.

        Without `identity` a call is known by its key; one without a key is an error, for it would hide a repetition.
        """
        with self.changed:
            calls = [call for call in self.calls if call.path in ANSWERING]
        found, given = [], set()
        for call in calls:
            same = identity(call) if identity else call.key
            assert same, f"call {call.number} carries no key"
            if any(same == known and answered <= call.at for known, answered in given):
                found.append(call)
            if call.delivered and call.status == 200:
                given.add((same, call.answered_at))
        return found

    def refused(self) -> list[Call]:
        """Requests that break the protocol; `refusal` says how."""
        with self.changed:
            return [call for call in self.calls if call.refusal]

    def wait_until(self, condition: Callable[[], Any], timeout_s: float = WAIT_S) -> Any:
        """Answers what `condition` does once that is true. It is asked whenever something happened."""
        with self.changed:
            result = self.changed.wait_for(condition, timeout_s)
        if not result:
            known = [f"{call.method} {call.path} {call.status} {call.chunks} chunks" for call in self.calls]
            raise AssertionError(f"it did not happen within {timeout_s} s; the calls: {known}")
        return result

    def wait_for(self, calls: int, timeout_s: float = WAIT_S) -> list[Call]:
        """Until so many requests have arrived."""
        self.wait_until(lambda: len(self.calls) >= calls, timeout_s)
        return self.calls[:calls]

    def wait_for_hanging(self, hanging: int = 1, timeout_s: float = WAIT_S) -> None:
        self.wait_until(lambda: self.hanging >= hanging, timeout_s)

    def notify(self) -> None:
        with self.changed:
            self.changed.notify_all()

    # The server.

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        """OpenAI's clients want the version in the base address, Anthropic's do not."""
        return self.url + "/v1"

    @property
    def anthropic_url(self) -> str:
        return self.url

    def start(self) -> Self:
        """After `stop` it can be started again, on the same port."""
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=BACKLOG)
        self.port = self.listener.getsockname()[1]
        self.is_listening, self.stopping = threading.Event(), asyncio.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.listen()), name="provider", daemon=True)
        self.thread.start()
        assert self.is_listening.wait(WAIT_S), "the provider did not start"
        return self

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join(WAIT_S)

    async def listen(self) -> None:
        self.loop = asyncio.get_running_loop()
        server = await self.loop.create_server(lambda: Connection(self), sock=self.listener, backlog=BACKLOG)
        self.is_listening.set()
        await self.stopping.wait()
        server.close()
        for connection in list(self.connections):
            connection.is_closing = True
            connection.transport.abort()
        await asyncio.sleep(0)  # lets the ends of the connections arrive

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self.problems and error is None:
            raise AssertionError("the script went wrong:\n" + "\n".join(self.problems))

    def receive(self, connection: int, head: Head, body: bytes) -> Call:
        target = urlsplit(head.target)
        with self.changed:
            call = Call(
                len(self.calls) + 1, connection, head.at, head.method, target.path, target.query, head.headers, body
            )
            call.key = self.key_for(call)
            self.calls.append(call)
            self.changed.notify_all()
        return call

    def key_for(self, call: Call) -> str:
        if isinstance(self.key_of, str):
            return call.headers.get(self.key_of.lower(), "")
        if isinstance(self.key_of, re.Pattern):
            text = call.body.decode(errors="replace")
            match = self.key_of.search(text)
            return match.group(0) if match else ""
        return self.key_of(call)

    async def perform(self, call: Call, connection: Connection) -> None:
        if call.path == "/_calls":
            dialect: Dialect = self.openai
            plan = Garbage(dump([known.summary() for known in self.calls]).encode()).plan()
        else:
            dialect = self.anthropic if call.is_anthropic else self.openai
            too_large = Fault(413) if len(call.body) > BODY_BYTES_MAX else None
            refusal = too_large or dialect.refuse(call)
            call.refusal = (refusal.message or f"status {refusal.status}") if refusal else ""
            call.behaviour = refusal or self.choose(call)
            plan = call.behaviour.plan()
        await Performance(self, call, connection, dialect, plan).run()

    async def hang(self) -> None:
        event = asyncio.Event()
        with self.changed:
            self.releases.append(event)
            self.hanging += 1
            self.changed.notify_all()
        try:
            await event.wait()
        finally:
            with self.changed:
                self.hanging -= 1
                self.changed.notify_all()

    def answer_at_once(self, connection: Connection, head: Head, body: bytes) -> bool:
        """For benchmarks: bytes made beforehand. Nothing is checked or recorded, only counted."""
        if self.fast is None or head.target.partition("?")[0] not in ANSWERING:
            return False
        place = head.target.partition("?")[0], re.search(rb'"stream"\s*:\s*true', body) is not None
        data = self.canned.get(place) or self.canned.setdefault(place, self.can(*place))
        self.answered_at_once += 1
        if self.fast.delay_s:
            self.loop.call_later(self.fast.delay_s, connection.transport.write, data)
        else:
            connection.transport.write(data)
        return True

    def can(self, path: str, streams: bool) -> bytes:
        assert self.fast is not None
        dialect = self.anthropic if path == MESSAGES else self.openai
        fields = {"model": MODELS[0], "messages": [], "stream": streams, "stream_options": {"include_usage": True}}
        call = Call(1, 1, 0, "POST", path, "", [], dump(fields).encode())
        if streams:
            frames = dialect.frames(call, self.fast)
            body = b"".join(b"%x\r\n%b\r\n" % (len(frame), frame) for frame in frames) + b"0\r\n\r\n"
            framing = {"Content-Type": "text/event-stream; charset=utf-8", "Transfer-Encoding": "chunked"}
        else:
            body = dump(dialect.body(call, self.fast)).encode()
            framing = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        return head_bytes(200, framing | dialect.headers(call)) + body


# --- alone -----------------------------------------------------------------------------------------------------------

FAST_TEXT = "The lease of a worker ends when its heartbeat stays away; the task goes back to the queue. " * 3


def load(provider: ScriptedProvider, path: str) -> None:
    """`{"script": [...], "when": [{"text": "...", "script": [...]}], "otherwise": ...}`, or the list alone."""
    with open(path, encoding="utf-8") as file:
        value = json.load(file)
    value = value if isinstance(value, dict) else {"script": value}
    for step in value.get("script", []):
        provider.play(behaviour_from_json(step))
    for rule in value.get("when", []):
        provider.when(rule["text"], *map(behaviour_from_json, rule["script"]), path=rule.get("path"))
    if "otherwise" in value:
        provider.otherwise = behaviour_from_json(value["otherwise"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", help="JSON file; GET /_calls shows what was received")
    parser.add_argument("--fast", action="store_true", help="one answer for all, made beforehand; nothing is recorded")
    parser.add_argument("--delay-ms", type=float, default=0, help="of the fast answer")
    parser.add_argument("--text", default=FAST_TEXT, help="of the fast answer, and of others that no script gives")
    parser.add_argument("--key", help="the only key that is taken")
    options = parser.parse_args()
    answer = Answer(options.text, delay_s=options.delay_ms / 1000)
    provider = ScriptedProvider(key=options.key, fast=answer if options.fast else None, port=options.port)
    provider.otherwise = answer
    if options.script:
        load(provider, options.script)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with provider:
        places = {"url": provider.url, "openai": provider.openai_url, "anthropic": provider.anthropic_url}
        print(json.dumps(places | {"pid": os.getpid()}), flush=True)
        ended.wait()
    print(json.dumps({"calls": len(provider.calls) + provider.answered_at_once}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
