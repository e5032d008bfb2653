"""Server-sent events as a client of the program hears them."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self

from support.server import Server

WATCH_TIMEOUT_S = 40


class Lines(Protocol):
    """An open answer, or all of its bytes in a `BytesIO`."""

    def readline(self) -> bytes: ...


@dataclass(frozen=True)
class Event:
    name: str
    data: dict
    id: str
    at: float


def events_of(lines: Lines) -> Iterator[Event]:
    """The events as they come, each with the time of its end."""
    fields: dict[str, str] = {}
    while line := lines.readline():
        name, _, value = line.decode().rstrip("\r\n").partition(":")
        if name == "data":
            fields["data"] = fields.get("data", "") + value.strip()
        elif name:
            fields[name] = value.strip()
        elif line in (b"\n", b"\r\n") and "data" in fields:
            yield Event(fields.get("event", ""), json.loads(fields["data"]), fields.get("id", ""), time.monotonic())
            fields = {}


def written(events: Iterable[Event], step: int | None = None) -> str:
    """What the `text` events say, of one step or of all."""
    return "".join(
        event.data["text"] for event in events if event.name == "text" and step in (None, event.data["step"])
    )


def answers(events: Iterable[Event]) -> list[str]:
    """What the `text` events say, answer by answer."""
    texts: dict[int, str] = {}
    for event in events:
        if event.name == "text":
            texts[event.data["answer"]] = texts.get(event.data["answer"], "") + event.data["text"]
    return list(texts.values())


class Watch:
    """A client of a task's live stream."""

    def __init__(self, server: Server, id: object, token: str = "", timeout_s: float = WATCH_TIMEOUT_S):
        headers = {"Authorization": "Bearer " + token} if token else {}
        path = f"/api/v1/tasks/{id}/stream"
        self.connection, self.response = server.open("GET", path, headers=headers, timeout_s=timeout_s)
        self.status = self.response.status
        self.sock = self.connection.sock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.response.close()
        self.connection.close()

    def __iter__(self) -> Iterator[Event]:
        return events_of(self.response)

    def until(self, name: str) -> list[Event]:
        """All events up to the first of that name."""
        seen = []
        for event in self:
            seen.append(event)
            if event.name == name:
                return seen
        raise EOFError(f"the stream ended before '{name}': {seen}")

    def until_written(self, text: str) -> list[Event]:
        """All events up to the one with which `text` is complete."""
        seen = []
        for event in self:
            seen.append(event)
            if text in written(seen):
                return seen
        raise EOFError(f"the stream ended before '{text}' was written: {seen}")
