"""People of two organisations who sign in, each from a machine of his own: all of 127.0.0.0/8 is loopback."""

import http.client
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from support.cases import ServerTest
from support.server import Server
from support.sign_in import PASSWORD

ADMIN = "admin@al.test"
WRONG = "wrong horse battery staple"
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"  # names nothing, whatever it is put in the place of
EVIL = "https://evil.example"
# What was found of a token is remembered for so long at most.
REMEMBERED_S = 1.1
CALL_TIMEOUT_S = 60

machines: Iterator[str] = (f"127.{a}.{b}.{c}" for a in range(1, 255) for b in range(1, 255) for c in range(1, 255))
numbers: Iterator[int] = itertools.count(1)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: list[tuple[str, str]]  # names in lower case
    body: Any  # JSON, or text
    seconds: float

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def code(self) -> str:
        """Of a problem."""
        return self.body["code"]


def ask(
    server: Server,
    method: str,
    path: str,
    body: Any = None,
    token: str = "",
    machine: str = "",
    headers: dict[str, str] | None = None,
    role: str | None = None,
) -> Reply:
    """One request under /api/v1 with no more than it names; a body of bytes goes as it is."""
    place = urlsplit(server.urls[role] if role else server.url)
    source = (machine, 0) if machine else None
    connection = http.client.HTTPConnection(place.hostname, place.port, CALL_TIMEOUT_S, source_address=source)
    sent = {"Authorization": "Bearer " + token} if token else {}
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    sent |= {"Content-Type": "application/json"} if content is not None else {}
    sent = {name: value for name, value in (sent | (headers or {})).items() if value}
    began = time.perf_counter()
    try:
        connection.request(method, "/api/v1" + path, content, sent)
        response = connection.getresponse()
        # A stream has no end; its head says whether it was opened.
        is_stream = response.headers.get_content_type() == "text/event-stream"
        text = "" if is_stream else response.read().decode()
        seconds = time.perf_counter() - began
        fields = [(name.lower(), value) for name, value in response.getheaders()]
        is_json = "json" in response.headers.get("Content-Type", "")
        return Reply(response.status, fields, json.loads(text) if is_json and text else text, seconds)
    finally:
        connection.close()


def told(reply: Reply) -> tuple:
    """All that tells one answer from another: its numbers of seconds and the id of the request do not."""
    body = {key: value for key, value in reply.body.items() if key != "request_id"}
    text = "".join("#" if c.isdigit() else c for c in json.dumps(body))
    while "##" in text:
        text = text.replace("##", "#")
    return reply.status, tuple(sorted(name for name, _ in reply.headers)), text


class PeopleTest(ServerTest):
    environment: ClassVar[dict[str, str]] = {
        "LOG_LEVEL": "error",
        "AGENT_LIGHTNING_ADMIN_EMAIL": ADMIN,
        "AGENT_LIGHTNING_ADMIN_PASSWORD": PASSWORD,
        "AUTH_REGISTRATION": "true",
    }

    @classmethod
    def ask(cls, method: str, path: str, body: Any = None, token: str = "", **more: Any) -> Reply:
        """By nobody unless there is a token, from a machine that has not asked before unless one is named."""
        return ask(cls.server, method, path, body, token, more.pop("machine", "") or next(machines), **more)

    @classmethod
    def login(cls, email: str = ADMIN, password: str = PASSWORD, **more: Any) -> Reply:
        where = {name: more.pop(name) for name in ("machine", "headers", "token", "role") if name in more}
        return cls.ask("POST", "/auth/login", {"email": email, "password": password, **more}, **where)

    @classmethod
    def tokens(cls, email: str = ADMIN, password: str = PASSWORD, **more: Any) -> dict:
        reply = cls.login(email, password, **more)
        assert reply.status == 200, reply
        return reply.body

    @classmethod
    def set_password(cls, reset: dict, password: str = PASSWORD) -> None:
        reply = cls.ask("POST", "/auth/reset-password", {"token": reset["token"], "new_password": password})
        assert reply.status == 200, reply

    @classmethod
    def new_user(cls, *roles: str, has_password: bool = True) -> dict:
        wanted = {"email": f"user{next(numbers)}@al.test", "full_name": "Ada Lovelace", "roles": list(roles)}
        user = cls.server.api("POST", "/users", wanted, 201)
        if has_password:
            cls.set_password(cls.server.api("POST", f"/users/{user['id']}/password-reset", expect=201))
        return user

    @classmethod
    def access_token(cls, *roles: str) -> str:
        """Of a new user."""
        return cls.tokens(cls.new_user(*roles)["email"])["access_token"]

    @classmethod
    def service_key(cls, *permissions: str) -> str:
        """An API key of no user."""
        wanted = {"name": "k", "permissions": list(permissions)}
        return cls.server.api("POST", "/auth/api-keys?owner=service", wanted, 201)["api_key"]

    @classmethod
    def new_organisation(cls, id: str) -> str:
        """The access token of its administrator."""
        cls.server.api("POST", "/organisations", {"id": id, "name": id.title()}, 201)
        boss = {"email": f"boss@{id}.test", "full_name": "Boss", "roles": ["admin"]}
        made = cls.server.api("POST", f"/organisations/{id}/users", boss, 201)
        cls.set_password(made["password_reset"])
        return cls.tokens(boss["email"])["access_token"]

    @classmethod
    def operations(cls) -> dict[tuple[str, str], dict]:
        """By method and path, without /api/v1, of /openapi.json."""
        return {
            (method.upper(), path.removeprefix("/api/v1")): operation
            for path, methods in cls.server.call("GET", "/openapi.json")[1]["paths"].items()
            for method, operation in methods.items()
        }
