# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Lines over a socket to QEMU: what its qtest and QMP channels have in common."""

from __future__ import annotations

import socket
import time

from . import wait


class PeerGone(AssertionError):
    """QEMU closed the channel, mostly because it ended."""


class LineChannel:
    """Owns SOCK, this side's end of a socket pair."""

    def __init__(self, sock: socket.socket, name: str) -> None:
        self._sock = sock
        self._name = name
        self._buffer = b""

    def close(self) -> None:
        self._sock.close()

    def fileno(self) -> int:
        return self._sock.fileno()

    def send_line(self, line: str) -> None:
        try:
            self._sock.sendall(line.encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError) as error:
            raise PeerGone(f"{self._name}: QEMU is gone") from error

    def receive_line(self, what: str, timeout: float = wait.TIMEOUT_S) -> str:
        end = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            wait.readable(self._sock.fileno(), what, max(0.0, end - time.monotonic()))
            try:
                data = self._sock.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                raise PeerGone(f"{self._name}: QEMU is gone while waiting for {what}")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.decode().rstrip("\r")
