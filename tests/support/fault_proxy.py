"""A TCP proxy of the tests' own between a process and its PostgreSQL or Redis, which can spoil the connection.

What it holds back is not lost: it arrives when the link is healed, as with TCP over a network that was cut for a while.
That is how a write of a worker that others took for dead comes late.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

from support.program import Program

CALL_TIMEOUT_S = 10
PIECE_BYTES = 65536
# Closing such a socket sends a reset.
LINGER_NOT = struct.pack("ii", 1, 0)


class Direction:
    """What goes one way: to the server ("up") or from it ("down")."""

    def __init__(self) -> None:
        self.is_open = asyncio.Event()
        self.delay_s = 0.0
        self.bytes_left: int | None = None  # until the connection is reset
        self.heal()

    def heal(self) -> None:
        self.is_open.set()
        self.delay_s, self.bytes_left = 0.0, None


class Link:
    """One port that leads to one server. The faults hold for open and for new connections, until `heal`."""

    def __init__(self, proxy: "FaultProxy", server_port: int):
        self.proxy, self.server_port, self.port = proxy, server_port, 0
        self.up, self.down = Direction(), Direction()
        self.is_cut = False
        self.writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Open connections are reset, new ones too: the server's machine is gone."""

        def act() -> None:
            self.is_cut = True
            self.reset_all()

        self.proxy.do(act)

    def black_hole(self) -> None:
        """Nothing passes and nobody is told; connections are taken."""
        self.proxy.do(lambda: (self.up.is_open.clear(), self.down.is_open.clear()))

    def one_way(self, direction: str) -> None:
        """Nothing passes in this direction ("up" or "down"), all of it in the other one."""
        self.proxy.do(getattr(self, direction).is_open.clear)

    def delay(self, seconds: float) -> None:
        """Each piece, both ways."""

        def act() -> None:
            self.up.delay_s = self.down.delay_s = seconds

        self.proxy.do(act)

    def reset(self) -> None:
        """Open connections are reset; new ones work."""
        self.proxy.do(self.reset_all)

    def kill_after(self, response_bytes: int) -> None:
        """After so many bytes from the server the connection is reset, once: what it committed last stays unknown."""

        def act() -> None:
            self.down.bytes_left = response_bytes

        self.proxy.do(act)

    def heal(self) -> None:
        def act() -> None:
            self.is_cut = False
            self.up.heal()
            self.down.heal()

        self.proxy.do(act)

    # From here on everything runs in the proxy's thread.

    def reset_all(self) -> None:
        for writer in tuple(self.writers):
            reset(writer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        server_writer = None
        try:
            if self.is_cut:
                return reset(writer)
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.server_port)
            self.writers.add(server_writer)
            ways = [
                asyncio.ensure_future(self.pump(reader, server_writer, self.up)),
                asyncio.ensure_future(self.pump(server_reader, writer, self.down)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            reset(writer)
        finally:
            for end in (writer, server_writer):
                if end is not None:
                    self.writers.discard(end)
                    end.close()

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Direction) -> None:
        while piece := await reader.read(PIECE_BYTES):
            if way.delay_s:
                await asyncio.sleep(way.delay_s)
            await way.is_open.wait()
            if way.bytes_left is not None:
                if way.bytes_left < len(piece):
                    writer.write(piece[: way.bytes_left])
                    way.bytes_left = None
                    return reset(writer)  # the other end is closed by `serve`
                way.bytes_left -= len(piece)
            writer.write(piece)
            await writer.drain()
        await way.is_open.wait()  # that one side has closed is news as well


def reset(writer: asyncio.StreamWriter) -> None:
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None and not writer.transport.is_closing():
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    writer.transport.abort()


class FaultProxy(Program):
    """All links of a test, served by one thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True, name="fault proxy")
        self.servers: list[asyncio.Server] = []
        self.links: list[Link] = []

    def start(self) -> "FaultProxy":
        self.thread.start()
        return self

    def link(self, server_port: int) -> Link:
        async def listen() -> Link:
            link = Link(self, server_port)
            server = await asyncio.start_server(link.serve, "127.0.0.1", 0)
            link.port = server.sockets[0].getsockname()[1]
            self.servers.append(server)
            self.links.append(link)
            return link

        return asyncio.run_coroutine_threadsafe(listen(), self.loop).result(CALL_TIMEOUT_S)

    def do(self, act: Callable[[], Any]) -> None:
        """In the proxy's thread; done when it returns."""

        async def run() -> None:
            act()

        asyncio.run_coroutine_threadsafe(run(), self.loop).result(CALL_TIMEOUT_S)

    def remove(self) -> None:
        if self.loop.is_closed():
            return

        async def end() -> None:
            for server in self.servers:
                server.close()
            for link in self.links:
                link.up.heal()
                link.down.heal()
                link.reset_all()
            if tasks := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(tasks, timeout=CALL_TIMEOUT_S / 2)

        if self.thread.is_alive():
            asyncio.run_coroutine_threadsafe(end(), self.loop).result(CALL_TIMEOUT_S)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(CALL_TIMEOUT_S)
        self.loop.close()
