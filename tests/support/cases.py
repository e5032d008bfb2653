"""Test cases that share the real program, and the scripted provider that it asks where there is one."""

import contextlib
import http.client
import unittest
from collections.abc import Iterator
from typing import Any, ClassVar

from support.provider import ScriptedProvider
from support.server import Server

KINDS = ("openai", "anthropic")


def accounts(provider: ScriptedProvider, *kinds: str) -> dict[str, str]:
    """Settings with which the program asks this provider; without `kinds` under both protocols."""
    urls = {"openai": provider.openai_url, "anthropic": provider.anthropic_url}
    settings = {}
    for kind in kinds or KINDS:
        settings |= {f"{kind.upper()}_API_KEY": provider.key, f"{kind.upper()}_BASE_URL": urls[kind]}
    return settings


@contextlib.contextmanager
def serving(provider: ScriptedProvider, settings: dict[str, str], roles: tuple[str, ...] = ()) -> Iterator[Server]:
    """A server that may ask `provider`, which runs already; at the end nothing that hangs holds it up."""
    with Server(settings, roles) as server:
        try:
            yield server
        finally:
            provider.release()


class ServerTest(unittest.TestCase):
    """`server` is shared by the tests of a class."""

    environment: ClassVar[dict[str, str]] = {"LOG_LEVEL": "error"}
    server: Server

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = cls.enterClassContext(Server(cls.environment))

    def api(self, method: str, path: str, body: Any = None, expect: int = 200, headers=None) -> Any:
        """The answer of a route under /api/v1, which must have this status."""
        return self.server.api(method, path, body, expect, headers)

    def connect(self, role: str | None = None) -> http.client.HTTPConnection:
        connection = self.server.connect(role)
        self.addCleanup(connection.close)
        return connection

    def open(self, *request: Any, **options: Any) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """As `Server.open`; closed at the end of the test at the latest."""
        connection, response = self.server.open(*request, **options)
        self.addCleanup(connection.close)
        self.addCleanup(response.close)
        return connection, response


class ProviderTest(ServerTest):
    """`provider` stands for the model providers of the server."""

    kinds: ClassVar[tuple[str, ...]] = KINDS

    @classmethod
    def setUpClass(cls) -> None:
        cls.provider = cls.enterClassContext(cls.new_provider())
        cls.server = cls.enterClassContext(serving(cls.provider, cls.settings()))

    @classmethod
    def new_provider(cls) -> ScriptedProvider:
        return ScriptedProvider()

    @classmethod
    def settings(cls) -> dict[str, str]:
        """Of the server; `provider` runs already."""
        return accounts(cls.provider, *cls.kinds) | cls.environment
