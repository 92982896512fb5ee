"""A server on this machine that behaves as badly as it is told to: no test of the engine reaches the network."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

CONTENT = np.random.default_rng(0).bytes(1_000_000)


class Server(ThreadingHTTPServer):
    """Serves ``content``, with ranges unless told not to, and keeps what it was asked.

    Attributes:
        cut: it breaks off after so many bytes.
        status: of every answer, where it is not 200.
        length: that it tells, where it lies about it; 0 tells none.
        stall: seconds of silence after half of the content.
        silence: seconds before it answers at all.
        to: address that it sends on to.
    """

    daemon_threads = True
    content = CONTENT
    ranges = True
    cut: int | None = None
    status = 200
    length: int | None = None
    stall = 0.0
    silence = 0.0
    to: str | None = None
    kind = "application/octet-stream"

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up here on purpose."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, span = self.server, self.headers["Range"]
        server.asked.append(span)
        time.sleep(server.silence)
        start = int(span.removeprefix("bytes=").removesuffix("-")) if span and server.ranges else 0
        if server.to is not None:
            self.send_response(302)
            self.send_header("Location", server.to)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if server.status != 200 or start >= len(server.content):
            self.send_response(server.status if server.status != 200 else 416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        rest = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", server.kind)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        if server.length != 0:
            self.send_header("Content-Length", str(len(rest) if server.length is None else server.length))
        self.end_headers()
        if server.stall:
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            time.sleep(server.stall)
        else:
            self.wfile.write(rest if server.cut is None else rest[: server.cut])

    def log_message(self, *_: object) -> None:
        pass


def running(server: Server) -> threading.Thread:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))  # how often it looks whether it is to end
    thread.start()
    return thread


@pytest.fixture
def servers(monkeypatch) -> Iterator[list[Server]]:
    """Two of them."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = [Server(), Server()]
    threads = [running(each) for each in made]
    yield made
    for each, thread in zip(made, threads, strict=True):
        each.shutdown()
        each.server_close()
        thread.join()


@pytest.fixture
def server(servers) -> Server:
    return servers[0]


@pytest.fixture
def nobody(monkeypatch) -> str:
    """An address at which nobody listens."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    closed = Server()
    closed.server_close()
    return closed.url
