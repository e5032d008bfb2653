"""The real program in a temporary directory, for tests. AGENT_LIGHTNING_BINARY names it."""

import http.client
import json
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time
from typing import Any, Self
from urllib.parse import urlsplit

from support.program import Program

BINARY = pathlib.Path(os.environ.get("AGENT_LIGHTNING_BINARY", "build/debug/agent-lightning")).resolve()
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60
CALL_TIMEOUT_S = 30
LOG_TAIL_BYTES = 8000
# What the program may see of our environment: no setting of the person who runs the tests gets in.
PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")
PORTS = (
    "GATEWAY_PORT",
    "AGENT_DESIGNER_PORT",
    "AI_MODEL_PORT",
    "AUTH_PORT",
    "WEBSOCKET_PORT",
    "SERVICE_DISCOVERY_PORT",
    "OPERATIONS_PORT",
    "DASHBOARD_PORT",
)


def clean_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


class Server(Program):
    """After `start` there are `url` (of the gateway, or the first role), `urls` (by role), `token` and `data`.

    After `stop` or `kill` it can be started again on the same data; `remove` deletes them. As a context it runs, and
    must end in an orderly way.
    """

    process_group: int | None = None  # that of the tests, which gets their Ctrl-C; 0 is one of its own

    def __init__(self, environment: dict[str, str] | None = None, roles: tuple[str, ...] = ()):
        self.directory = tempfile.TemporaryDirectory(prefix="agent-lightning-")
        self.data = os.path.join(self.directory.name, "data")
        self.log = pathlib.Path(self.directory.name) / "log"
        self.roles = roles
        self.environment = clean_environment() | {"AGENT_LIGHTNING_DATA": self.data}
        self.environment |= {port: "0" for port in PORTS} | (environment or {})
        self.process: subprocess.Popen | None = None
        self.pid = 0
        self.url, self.urls, self.token = "", {}, ""

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            super().__exit__()

    def start(self, wrapper: list[str] | None = None) -> Self:
        """Answers when /ready does. `wrapper` is a command that runs the program, such as strace."""
        self.launch(wrapper)
        self.wait_until_started()
        return self

    def launch(self, wrapper: list[str] | None = None) -> None:
        """The first half of `start`, which does not wait."""
        assert self.process is None, "it runs already"
        if wrapper:
            os.makedirs(self.data, mode=0o700, exist_ok=True)  # wrappers leave their files there
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*(wrapper or []), str(BINARY), "serve", *self.roles, "--json"],
                cwd=self.directory.name,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                process_group=self.process_group,
            )
        self.pid = self.process.pid  # until it says its own, which is another one under some wrappers

    def wait_until_started(self) -> None:
        """The second half of `start`."""
        try:
            said = json.loads(self.read_line())
            self.pid, self.urls = said["pid"], said["roles"]
            self.url = self.urls.get("gateway") or next(iter(self.urls.values()), "")
            self.token = (
                self.environment.get("AGENT_LIGHTNING_TOKEN")
                or pathlib.Path(self.directory.name, said["token_file"]).read_text().strip()
            )
            if self.url:
                self.wait_until_ready()
        except BaseException:
            self.end_at_once()
            raise

    def read_line(self) -> bytes:
        """What the program says once it listens."""
        readable, _, _ = select.select([self.process.stdout], [], [], START_TIMEOUT_S)
        line = self.process.stdout.readline() if readable else b""
        if not line:
            raise AssertionError(f"the server did not start (exit code {self.process.poll()}): {self.log_tail()}")
        return line

    def wait_until_ready(self) -> None:
        limit = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                break
            if self.call("GET", "/ready")[0] == 200:
                return
            time.sleep(0.005)
        raise AssertionError(f"the server did not get ready (exit code {self.process.poll()}): {self.log_tail()}")

    def connect(self, role: str | None = None, timeout_s: float = CALL_TIMEOUT_S) -> http.client.HTTPConnection:
        host = urlsplit(self.urls[role] if role else self.url)
        return http.client.HTTPConnection(host.hostname, host.port, timeout=timeout_s)

    @property
    def headers(self) -> dict[str, str]:
        """Of a request with a body of JSON."""
        return {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}

    def open(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        role: str | None = None,
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """A request that carries the token: its answer with the body still to be read. The caller closes both."""
        connection = self.connect(role, timeout_s)
        own = dict(self.headers)
        if body is None:
            del own["Content-Type"]
        try:
            connection.request(method, path, body, own | (headers or {}))
            return connection, connection.getresponse()
        except BaseException:
            connection.close()
            raise

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **where: Any):
        """Status and parsed JSON (or text) of one request that carries the token; `where` is as of `open`."""
        content = None if body is None else json.dumps(body).encode()
        connection, response = self.open(method, path, content, headers, **where)
        try:
            text = response.read()
            is_json = "json" in (response.getheader("Content-Type") or "")
            return response.status, json.loads(text) if is_json and text else text.decode()
        finally:
            response.close()
            connection.close()

    def api(self, method: str, path: str, body: Any = None, expect: int = 200, headers=None, **where: Any) -> Any:
        """The answer of a route under /api/v1, which must have this status."""
        status, answer = self.call(method, "/api/v1" + path, body, headers, **where)
        assert status == expect, f"{method} {path}: {status} is not {expect}: {answer}"
        return answer

    def ended(self, task_id: str, timeout_s: float = CALL_TIMEOUT_S) -> dict:
        """The task, once it has ended in whatever way."""
        limit = time.monotonic() + timeout_s
        while (task := self.api("GET", f"/tasks/{task_id}"))["status"] in ("pending", "started"):
            assert time.monotonic() < limit, f"task {task_id} did not end: {task}"
            time.sleep(0.01)
        return task

    def run(self, *arguments: str, environment: dict[str, str] | None = None, text: str | None = None):
        """The command line against this server; answers the finished process."""
        settings = self.environment | {"AGENT_LIGHTNING_URL": self.url or "http://127.0.0.1:1"} | (environment or {})
        return subprocess.run(
            [str(BINARY), *arguments],
            cwd=self.directory.name,
            env=settings,
            input=text,
            stdin=None if text is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def stop(self) -> None:
        """In an orderly way; anything but exit code 0 is a failure."""
        if self.process is None:
            return
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
        self.wait_until_stopped()

    def wait_until_stopped(self) -> None:
        """After a SIGTERM; anything but exit code 0 is a failure."""
        process, self.process = self.process, None
        try:
            code = process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired as expired:
            os.kill(self.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"the server did not stop: {self.log_tail()}") from expired
        finally:
            process.stdout.close()
        if code != 0:
            raise AssertionError(f"the server ended with exit code {code}: {self.log_tail()}")

    def kill(self) -> None:
        """As a crash: no handler runs."""
        self.end_at_once()

    def end_at_once(self) -> None:
        if self.process is None:
            return
        process, self.process = self.process, None
        gone = {process.pid} if process.poll() is not None else set()  # its number may be another one's by now
        for pid in {self.pid, process.pid} - gone:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()
        process.stdout.close()

    def remove(self) -> None:
        self.end_at_once()
        self.directory.cleanup()

    def resident_mb(self) -> float:
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def log_tail(self) -> str:
        return "\n" + self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace") if self.log.exists() else ""
