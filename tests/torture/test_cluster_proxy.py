"""The proxy that spoils connections."""

import contextlib
import socket
import threading
import time
import unittest

from support.fault_proxy import FaultProxy

TIMEOUT_S = 5
SOON_S = 0.2  # what has not come by then is held back


class Echo:
    """Sends back what it gets."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                connection.sendall(piece)


class Faults(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.listener.close)
        self.proxy = self.enterContext(FaultProxy())
        self.link = self.proxy.link(self.echo.port)

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.link.port), TIMEOUT_S)
        self.addCleanup(connection.close)
        return connection

    def receive(self, connection, count):
        out = b""
        while len(out) < count and (piece := connection.recv(count - len(out))):
            out += piece
        return out

    def assert_echo(self, connection, data=b"hello"):
        connection.sendall(data)
        self.assertEqual(data, self.receive(connection, len(data)))

    def assert_silent(self, connection):
        connection.settimeout(SOON_S)
        with self.assertRaises(TimeoutError):
            connection.recv(1)
        connection.settimeout(TIMEOUT_S)

    def test_it_passes_on(self):
        connection = self.connect()
        self.assert_echo(connection)
        self.assert_echo(connection, bytes(300_000))

    def test_cut(self):
        connection = self.connect()
        self.assert_echo(connection)
        self.link.cut()
        with self.assertRaises(ConnectionResetError):
            connection.recv(1)
        with self.assertRaises(ConnectionResetError):
            self.connect().recv(1)
        self.link.heal()
        self.assert_echo(self.connect())

    def test_what_a_black_hole_held_back_comes_later(self):
        connection = self.connect()
        self.assert_echo(connection)
        self.link.black_hole()
        connection.sendall(b"late")
        self.assert_silent(connection)
        self.link.heal()
        self.assertEqual(b"late", self.receive(connection, 4))

    def test_one_way(self):
        for way in ("up", "down"):
            with self.subTest(way):
                connection = self.connect()
                self.assert_echo(connection)
                self.link.one_way(way)
                connection.sendall(b"late")
                self.assert_silent(connection)
                self.link.heal()
                self.assertEqual(b"late", self.receive(connection, 4))

    def test_delay(self):
        connection = self.connect()
        self.assert_echo(connection)
        self.link.delay(0.1)
        begun = time.monotonic()
        self.assert_echo(connection)
        self.assertGreaterEqual(time.monotonic() - begun, 0.2)

    def test_reset(self):
        connection = self.connect()
        self.assert_echo(connection)
        self.link.reset()
        with self.assertRaises(ConnectionResetError):
            connection.recv(1)
        self.assert_echo(self.connect())

    def test_kill_after(self):
        connection = self.connect()
        self.link.kill_after(7)
        self.assert_echo(connection)
        connection.sendall(b"hello")
        with self.assertRaises(ConnectionResetError):
            self.receive(connection, 5)
            connection.recv(1)
        self.assert_echo(self.connect(), b"once only, this was")

    def test_a_server_that_is_away(self):
        link = self.proxy.link(1)
        with self.assertRaises(ConnectionResetError):
            with socket.create_connection(("127.0.0.1", link.port), TIMEOUT_S) as connection:
                connection.recv(1)


if __name__ == "__main__":
    unittest.main()
