"""What benchmarks share: the load that wrk makes, and nginx to compare with."""

import collections
import contextlib
import http.client
import os
import pathlib
import statistics
import subprocess
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

HERE = pathlib.Path(__file__).parent
START_TIMEOUT_S = 30
# One worker, as the gateways that are compared have one thread.
NGINX_SERVER = """
daemon off; worker_processes 1; pid {folder}/{name}.pid; error_log {folder}/{name}.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; default_type application/json;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/temp;
  {more}
  server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ {location} }} }}
}}
"""


class Load(NamedTuple):
    """What wrk measured."""

    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int

    @property
    def note(self) -> str:
        return f"{self.errors} errors" if self.errors else ""


def wrk(script: str, url: str, clients: int, seconds: float, **settings: str) -> Load:
    """One thread of wrk with a script of this folder, which reads `settings` from its environment as BENCH_<NAME>."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BENCH_")}
    environment |= {f"BENCH_{name.upper()}": value for name, value in settings.items()}
    command = ["wrk", "-t1", f"-c{clients}", f"-d{int(seconds)}s", "-s", str(HERE / script), "--latency", url]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    _, per_second, p50, p99, errors = next(line for line in out.splitlines() if line.startswith("RESULT")).split()
    return Load(float(per_second), float(p50), float(p99), int(errors))


class Rows:
    """What was measured of each row with each number of clients, one figure a round."""

    def __init__(self):
        self.loads: dict[tuple[str, int], list[Load]] = collections.defaultdict(list)

    def add(self, name: str, clients: int, load: Load) -> None:
        self.loads[name, clients].append(load)
        figures = f"{load.per_second:9.0f}/s  p50 {load.p50_ms:7.3f} ms  p99 {load.p99_ms:7.3f} ms"
        print(f"{name:24s} {clients:3d} clients {figures}  {load.note}", flush=True)

    def print_added(self, name: str, base: str) -> None:
        """What a client by itself waits longer than for `base`; nothing where the row was not measured."""
        if not self.loads[name, 1]:
            return
        pairs = zip(self.loads[name, 1], self.loads[base, 1], strict=True)
        added = [one.p50_ms - other.p50_ms for one, other in pairs]
        middle = statistics.median(added)
        print(f"{name:24s} adds {middle:.3f} ms at p50 with one client ({min(added):.3f} at best)")

    def print_ratio(self, ours: str, theirs: str, clients: int) -> None:
        """Of figures of the same round; nothing where the other row was not measured."""
        if not self.loads[theirs, clients]:
            return
        pairs = zip(self.loads[ours, clients], self.loads[theirs, clients], strict=True)
        ratios = [one.per_second / other.per_second for one, other in pairs]
        span = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"requests a second, ours / {theirs}: {statistics.median(ratios):.2f} ({span})")


@contextlib.contextmanager
def running(command: list[str], **options: Any) -> Iterator[None]:
    """A process that is told to end with the context."""
    process = subprocess.Popen(command, **options)
    try:
        yield
    finally:
        process.terminate()
        process.wait(15)


@contextlib.contextmanager
def nginx(folder: str, name: str, configuration: str) -> Iterator[None]:
    """One with this configuration, whose files lie in `folder`."""
    path = pathlib.Path(folder, f"{name}.conf")
    path.write_text(configuration)
    with running(["nginx", "-c", str(path), "-p", folder], stderr=subprocess.DEVNULL):
        yield


def nginx_answer(folder: str, port: int, answer: str) -> contextlib.AbstractContextManager[None]:
    """What is in front of nothing: it gives this answer to whatever is asked."""
    location = f"return 200 '{answer}';"
    text = NGINX_SERVER.format(folder=folder, name="answer", port=port, more="", location=location)
    return nginx(folder, "answer", text)


def nginx_proxy(folder: str, port: int, service: int, headers: str = "") -> contextlib.AbstractContextManager[None]:
    """One that passes requests on to the port `service` over kept connections; `headers` are further directives."""
    more = f"upstream service {{ server 127.0.0.1:{service}; keepalive 128; keepalive_requests 100000000; }}"
    location = f'proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; {headers}'
    text = NGINX_SERVER.format(folder=folder, name="proxy", port=port, more=more, location=location)
    return nginx(folder, "proxy", text)


def wait_until_listening(port: int, path: str = "/") -> None:
    limit = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < limit:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=1)) as connection:
            try:
                connection.request("GET", path)
                connection.getresponse().read()
                return
            except OSError:
                time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")
