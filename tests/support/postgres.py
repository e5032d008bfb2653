"""A PostgreSQL of the tests' own: a private directory, a free loopback port, an ordinary owner, fsync on."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Self

from support.program import Program

PROGRAMS = pathlib.Path(os.environ.get("AL_POSTGRES_PROGRAMS", "/usr/lib/postgresql/15/bin"))
START_TIMEOUT_S = 60
OWNER = "agent_user"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres(Program):
    """`start` makes the cluster the first time; `remove` deletes it, unless it lies in a directory of the caller's.

    The server ends when the thread that started it does. `settings` are further ones, as "name=value".
    """

    def __init__(self, directory: str = "", port: int = 0, settings: tuple[str, ...] = ()):
        self.is_kept = bool(directory)
        self.directory = directory or tempfile.mkdtemp(prefix="agent-lightning-pg-", dir="/tmp")
        self.port = port or free_port()
        self.settings = settings
        self.process: subprocess.Popen | None = None
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")

    def command(self, program: str, *arguments: str) -> list[str]:
        """PostgreSQL refuses to run as root."""
        switch = ["setpriv", "--pdeathsig", "INT"]
        if os.geteuid() == 0:
            switch += ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
        return [*switch, "--", str(PROGRAMS / program), *arguments]

    def start(self) -> Self:
        data = os.path.join(self.directory, "data")
        if not os.path.exists(os.path.join(data, "PG_VERSION")):
            options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
            self.must(self.command("initdb", "-D", data, *options))
        # No socket file: the path of a checkout may be longer than such a file's name can be.
        settings = [f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
        settings += ["fsync=on", "max_connections=200", "shared_buffers=64MB", *self.settings]
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.process = subprocess.Popen(
                self.command("postgres", "-D", data, *(word for setting in settings for word in ("-c", setting))),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        limit = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < limit and self.process.poll() is None:
            ping = self.command("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port))
            if subprocess.run(ping, cwd=self.directory, check=False).returncode == 0:
                return
            time.sleep(0.02)
        log = pathlib.Path(self.directory, "log").read_text(errors="replace")
        raise AssertionError(f"PostgreSQL did not start:\n{log[-4000:]}")

    def must(self, command: list[str]) -> str:
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    def create_database(self, name: str) -> str:
        """Owned by an ordinary user, unless it is there; answers the URL to give to DATABASE_URL."""
        if not self.query("postgres", f"SELECT 1 FROM pg_roles WHERE rolname = '{OWNER}'"):
            self.query("postgres", f"CREATE ROLE {OWNER} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB")
        if not self.query("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            self.query("postgres", f'CREATE DATABASE "{name}" OWNER {OWNER}')
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{name}"

    def query(self, database: str, sql: str) -> str:
        """As the superuser; answers the rows, one a line, without decoration."""
        return self.must([*self.psql(database), "-c", sql]).strip()

    def psql(self, database: str) -> list[str]:
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database]
        return self.command("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *where)

    @contextlib.contextmanager
    def open_transaction(self, database: str, sql: str) -> Iterator[None]:
        """One that has done `sql`, has a number and keeps its snapshot, until the end: then it is rolled back."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(self.psql(database), text=True, cwd=self.directory, **pipes) as psql:
            psql.stdin.write(f"BEGIN ISOLATION LEVEL REPEATABLE READ; {sql}; SELECT 'open ' || txid_current();\n")
            psql.stdin.flush()
            if not any(line.startswith("open ") for line in iter(psql.stdout.readline, "")):
                raise AssertionError(f"no transaction in {database}")
            yield

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends sessions in an orderly way; SIGQUIT is a crash that the next start recovers from."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.send_signal(how)
        process.wait(60)

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        if not self.is_kept:
            shutil.rmtree(self.directory, ignore_errors=True)
