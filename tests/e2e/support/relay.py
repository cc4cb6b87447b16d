# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Relays in the test itself, between QEMU and a device process: they pass on every message with its
descriptors, and may change what is said in VERSION.

The Reciter recites by docs/PROTOCOL.poem alone, without any of this project's C code: so the page
is shown to suffice.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import select
import socket
import struct
import threading
from pathlib import Path
from typing import Any, Callable

from . import wait

HEADER = struct.Struct("=HHIII")  # id, command, size, flags, error number
VERSION_FIXED = HEADER.size + 4
VERSION = 1
REPLY = 1
ERROR = 0x20
MAX_FDS = 253  # in one message, the kernel's bound


class Closed(Exception):
    """The peer hung up between two messages."""


def receive(sock: socket.socket) -> tuple[bytes, list[int]]:
    """One message, exactly, and the descriptors that came with it."""
    header, fds, _, _ = socket.recv_fds(sock, HEADER.size, MAX_FDS)
    try:
        if not header:
            raise Closed
        while len(header) < HEADER.size:
            header += _some(sock, HEADER.size - len(header))
        parts = [header]
        left = HEADER.unpack(header)[2] - HEADER.size
        while left > 0:
            parts.append(_some(sock, left))
            left -= len(parts[-1])
    except BaseException:
        for fd in fds:
            os.close(fd)
        raise
    return b"".join(parts), fds


def _some(sock: socket.socket, size: int) -> bytes:
    data = sock.recv(size)
    if not data:
        raise AssertionError("the peer hung up in the middle of a message")
    return data


def send(sock: socket.socket, message: bytes, fds: list[int]) -> None:
    """The descriptors go with the first part; they are closed here."""
    try:
        sent = socket.send_fds(sock, [message], fds) if fds else sock.send(message)
    finally:
        for fd in fds:
            os.close(fd)
    sock.sendall(message[sent:])


def version_json(message: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(message[VERSION_FIXED:].rstrip(b"\0") or b"{}")
    return parsed


def with_json(message: bytes, body: dict[str, Any]) -> bytes:
    """The VERSION message with other JSON in it."""
    return with_text(message, compact(body))


def compact(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def with_text(message: bytes, text: bytes) -> bytes:
    ident, command, _, flags, error = HEADER.unpack_from(message)
    size = VERSION_FIXED + len(text) + 1
    header = HEADER.pack(ident, command, size, flags, error)
    return header + message[HEADER.size:VERSION_FIXED] + text + b"\0"


class Relay:
    """Serves one client after another on PATH, each with a connection of its own to BACKEND, in a
    thread. close() ends it and tells of what went wrong in it."""

    def __init__(self, path: Path, backend: Path) -> None:
        self.path = path
        self.requests: list[bytes] = []  # VERSION requests as they came
        self.replies: list[bytes] = []  # VERSION replies as they went
        self._backend = backend
        self._error: BaseException | None = None
        self._stop_read, self._stop_write = os.pipe()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, name=f"relay {path.name}")
        self._thread.start()

    def request(self, message: bytes) -> bytes:
        """What the backend is sent for the client's VERSION request."""
        return message

    def reply(self, message: bytes) -> bytes:
        """What the client is sent for the backend's VERSION reply."""
        return message

    def close(self) -> None:
        os.close(self._stop_write)
        self._thread.join(wait.TIMEOUT_S)
        alive = self._thread.is_alive()
        os.close(self._stop_read)
        self._listener.close()
        if alive:
            raise AssertionError(f"{self._thread.name} does not end")
        if self._error is not None:
            raise AssertionError(f"{self._thread.name}: {self._error!r}") from self._error

    def _serve(self) -> None:
        try:
            while self._wait([self._listener]):
                client, _ = self._listener.accept()
                with client, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as backend:
                    for sock in (client, backend):
                        sock.settimeout(wait.TIMEOUT_S)
                    backend.connect(str(self._backend))
                    self._session(client, backend)
        except BaseException as error:  # close() raises it in the test's own thread
            self._error = error

    def _wait(self, socks: list[socket.socket]) -> list[socket.socket]:
        """Those of SOCKS that can be read; none when it is time to end."""
        poller = select.poll()
        for sock in socks:
            poller.register(sock, select.POLLIN)
        poller.register(self._stop_read, select.POLLIN)
        ready = {fd for fd, _ in poller.poll()}
        return [] if self._stop_read in ready else [s for s in socks if s.fileno() in ready]

    def _session(self, client: socket.socket, backend: socket.socket) -> None:
        while ready := self._wait([client, backend]):
            for source in ready:
                sink = backend if source is client else client
                try:
                    message, fds = receive(source)
                    send(sink, self._changed(message), fds)
                except (Closed, BrokenPipeError, ConnectionResetError):
                    return

    def _changed(self, message: bytes) -> bytes:
        _, command, _, flags, _ = HEADER.unpack_from(message)
        if command != VERSION or flags & ERROR:
            return message
        if flags & 0xF == REPLY:
            self.replies.append(self.reply(message))
            return self.replies[-1]
        self.requests.append(message)
        return self.request(message)


def recital(poem: bytes, licence: str, request: bytes) -> dict[str, Any]:
    """Section 6 of docs/PROTOCOL.poem, of a server: what answers the challenge in REQUEST."""
    challenge = bytes.fromhex(version_json(request)["capabilities"]["poem"]["challenge"])
    proof = hmac.new(poem, digestmod=hashlib.sha256)
    proof.update(b"poemd recital v1 server\0")
    proof.update(challenge)
    proof.update(hashlib.sha256(request).digest())
    return {"text": poem.decode(), "sha256": hashlib.sha256(poem).hexdigest(),
            "licence": licence, "proof": proof.hexdigest()}


class Reciter(Relay):
    """Recites to whoever asks. ALTER gets the reply's capabilities before they are sent, and
    ALTER_TEXT the JSON text made of them."""

    def __init__(self, path: Path, backend: Path, poem: bytes) -> None:
        self.poem = poem
        self.licence = "GPL-2.0-or-later"
        self.alter: Callable[[dict[str, Any]], None] = lambda capabilities: None
        self.alter_text: Callable[[bytes], bytes] = lambda text: text
        super().__init__(path, backend)

    def request(self, message: bytes) -> bytes:
        body = version_json(message)
        body["capabilities"].pop("poem", None)
        return with_json(message, body)

    def reply(self, message: bytes) -> bytes:
        asked = self.requests[-1]
        body = version_json(message)
        capabilities = body["capabilities"]
        if "poem" in version_json(asked)["capabilities"]:
            capabilities["licence"] = self.licence
            capabilities["poem"] = {"v": 1, "recital": recital(self.poem, self.licence, asked)}
            self.alter(capabilities)
        return with_text(message, self.alter_text(compact(body)))
