"""The platform as several processes of each role, on a PostgreSQL and a Redis of its own. Also `scripts/cluster`.

Start, restart and stop from one thread that lives as long as the cluster: the kernel ends a child with the thread that
started it, so that nothing is left behind when the tests themselves are killed.
"""

import functools
import os
import pathlib
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from typing import Self

from support.fault_proxy import FaultProxy, Link
from support.postgres import Postgres
from support.program import Program
from support.redis import Redis
from support.server import BINARY, Server, clean_environment

# The variable of each role's port; a role without a port has none.
PORT_OF = {
    "gateway": "GATEWAY_PORT",
    "agent-designer": "AGENT_DESIGNER_PORT",
    "ai-model": "AI_MODEL_PORT",
    "auth": "AUTH_PORT",
    "websocket": "WEBSOCKET_PORT",
    "service-discovery": "SERVICE_DISCOVERY_PORT",
    "operations": "OPERATIONS_PORT",
    "dashboard": "DASHBOARD_PORT",
    "worker": "",
    "relay": "",
}
DATABASE = "agent_lightning"
# The processes share the 200 connections of the private PostgreSQL.
SETTINGS = {
    "AGENT_LIGHTNING_TRUSTED_PROXIES": "127.0.0.0/8",
    "DB_POOL_SIZE": "5",
    "DB_MAX_OVERFLOW": "5",
    "AGENT_LIGHTNING_THREADS": "1",
    "LOG_LEVEL": "warning",
}
ENDS_WITH_US = ["setpriv", "--pdeathsig", "KILL", "--"]


@functools.cache
def said(*arguments: str) -> str:
    """What a command of the program says that needs no server."""
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(
            [str(BINARY), *arguments], cwd=empty, env=clean_environment(), capture_output=True, text=True, check=True
        )
    return done.stdout


def knows_redis() -> bool:
    return "REDIS_URL" in said("config")


def known_roles() -> tuple[str, ...]:
    return tuple(role for role in PORT_OF if re.search(rf"\b{role}( \(|,|;)", said("serve", "--help")))


class Member(Server):
    """One process of a cluster."""

    process_group = 0  # a Ctrl-C is for us; we end it in order

    def __init__(self, cluster: "Cluster", role: str, number: int, environment: dict[str, str]):
        super().__init__(cluster.environment | environment | {"AGENT_LIGHTNING_DATA": cluster.data}, (role,))
        self.role, self.name = role, f"{role}-{number}"
        self.data = cluster.data
        self.log = pathlib.Path(cluster.directory, f"{self.name}.log")
        self.database_link: Link | None = None
        self.redis_link: Link | None = None
        self.is_paused = False

    def launch(self, wrapper: list[str] | None = None) -> None:
        super().launch([*ENDS_WITH_US, *(wrapper or [])])

    @property
    def is_running(self) -> bool:
        return self.process is not None

    @property
    def has_port(self) -> bool:
        return bool(PORT_OF[self.role])

    def pause(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)
        self.is_paused = True

    def resume(self) -> None:
        if self.is_paused:
            os.kill(self.pid, signal.SIGCONT)
            self.is_paused = False

    def stop(self) -> None:
        self.resume()
        super().stop()

    def kill(self) -> None:
        self.is_paused = False
        super().kill()

    def restart(self) -> None:
        self.stop()
        self.start()


class Cluster(Program):
    """After `start`: `members`, `postgres`, and `redis` where the program knows Redis.

    `each` is the number of processes of each of `roles`; `environment` holds settings for all of them. `ports` gives
    the first process of a role its port and further ones each 100 above; without it they take free ones. `proxied`:
    each process reaches PostgreSQL and Redis over links of its own, which can be spoiled. In `directory` data and logs
    are kept; without it they are temporary.
    """

    def __init__(
        self,
        each: int = 2,
        roles: Iterable[str] = (),
        environment: dict[str, str] | None = None,
        ports: dict[str, int] | None = None,
        proxied: bool = False,
        directory: str = "",
        postgres: Postgres | None = None,
        redis: Redis | None = None,
    ):
        self.temporary = None if directory else tempfile.TemporaryDirectory(prefix="agent-lightning-cluster-")
        self.directory = directory or self.temporary.name
        self.data = os.path.join(self.directory, "data")
        self.each, self.roles = each, tuple(roles) or known_roles()
        self.environment = SETTINGS | (environment or {})
        self.ports = ports or {}
        self.postgres = postgres or Postgres()
        self.redis = redis or Redis() if knows_redis() else None
        self.proxy = FaultProxy() if proxied else None
        self.members: list[Member] = []

    def start(self) -> Self:
        self.postgres.start()
        url = self.postgres.create_database(DATABASE)
        if self.redis:
            self.redis.start()
        if self.proxy:
            self.proxy.start()
        for role in self.roles:
            for number in range(1, self.each + 1):
                self.members.append(self.make_member(role, number, url))
        first, *others = self.members
        first.start()  # makes the schema and the token
        self.start_all(others)
        return self

    def make_member(self, role: str, number: int, url: str) -> Member:
        environment = {"DATABASE_URL": url}
        if role in self.ports:
            environment[PORT_OF[role]] = str(self.ports[role] + 100 * (number - 1))
        if self.redis:
            environment["REDIS_URL"] = self.redis.url
        member = Member(self, role, number, environment)
        if self.proxy:
            member.database_link = self.link(member, "DATABASE_URL", self.postgres.port)
            if self.redis:
                member.redis_link = self.link(member, "REDIS_URL", self.redis.port)
        return member

    def link(self, member: Member, variable: str, port: int) -> Link:
        """Leads this member there instead."""
        link = self.proxy.link(port)
        member.environment[variable] = member.environment[variable].replace(f":{port}/", f":{link.port}/")
        return link

    def start_all(self, members: Iterable[Member]) -> None:
        """All at once: they share two cores, but most of a start is waiting."""
        members = tuple(members)
        for member in members:
            member.launch()
        for member in members:
            member.wait_until_started()

    def of(self, *roles: str) -> list[Member]:
        return [member for member in self.members if member.role in roles]

    def stop(self) -> None:
        """SIGTERM for all at once; each must end with exit code 0. PostgreSQL and Redis run on."""
        running = [member for member in self.members if member.is_running]
        for member in running:
            member.resume()
            if member.process.poll() is None:
                os.kill(member.pid, signal.SIGTERM)
        faults = []
        for member in running:
            try:
                member.wait_until_stopped()
            except AssertionError as fault:
                faults.append(f"{member.name}: {fault}")
        if faults:
            raise AssertionError("\n".join(faults))

    def remove(self) -> None:
        for member in self.members:
            member.remove()
        if self.proxy:
            self.proxy.remove()
        if self.redis:
            self.redis.remove()
        self.postgres.stop()
        self.postgres.remove()
        if self.temporary:
            self.temporary.cleanup()

    def logs(self) -> dict[str, str]:
        return {m.name: m.log.read_text(errors="replace") for m in self.members if m.log.exists()}
