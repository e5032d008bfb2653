"""A Redis of the tests' own: a private directory, a loopback port, nothing kept on disk."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from typing import Self

from support.postgres import free_port
from support.program import Program

START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 20
CALL_TIMEOUT_S = 5


class Redis(Program):
    """After `stop` or `kill` it can be started again, empty. It ends when the tests' process does."""

    def __init__(self, port: int = 0):
        self.directory = tempfile.mkdtemp(prefix="agent-lightning-redis-", dir="/tmp")
        self.port = port or free_port()
        self.process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def log(self) -> pathlib.Path:
        return pathlib.Path(self.directory, "log")

    def start(self) -> Self:
        assert self.process is None, "it runs already"
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self.directory}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", "redis-server", *words],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        limit = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < limit and self.process.poll() is None:
            try:
                if self.command("PING") == "+PONG":
                    return self
            except OSError:
                pass
            time.sleep(0.01)
        raise AssertionError(f"Redis did not start:\n{self.log.read_text(errors='replace')[-4000:]}")

    def command(self, line: str) -> str:
        """The first line of the answer to a command without binary arguments."""
        with socket.create_connection(("127.0.0.1", self.port), CALL_TIMEOUT_S) as connection:
            connection.sendall(line.encode() + b"\r\n")
            with connection.makefile("rb") as answer:
                return answer.readline().decode(errors="replace").rstrip()

    def flush(self) -> None:
        answer = self.command("FLUSHALL")
        assert answer == "+OK", answer

    def send(self, number: signal.Signals) -> None:
        if self.process is not None:
            os.kill(self.process.pid, number)

    def pause(self) -> None:
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        self.send(signal.SIGCONT)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.resume()
        self.send(how)
        process, self.process = self.process, None
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
