# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""QEMU's machine protocol: commands and events as JSON, one a line."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from . import wait
from .channel import LineChannel


class QmpError(AssertionError):
    """A command was answered with an error; the text is QEMU's description."""


class Qmp:
    def __init__(self, sock: socket.socket) -> None:
        self._channel = LineChannel(sock, "QMP")
        self._events: list[dict[str, Any]] = []

    def close(self) -> None:
        self._channel.close()

    def negotiate(self) -> None:
        """Takes the greeting: QEMU has made its devices by then."""
        while "QMP" not in self._receive("QEMU's greeting"):
            pass
        self.execute("qmp_capabilities")

    def _receive(self, what: str, timeout: float = wait.TIMEOUT_S) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._channel.receive_line(what, timeout))
        return message

    def execute(self, command: str, **arguments: Any) -> Any:
        request: dict[str, Any] = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self._channel.send_line(json.dumps(request))
        while True:
            message = self._receive(f"the answer to {command}")
            if "event" in message:
                self._events.append(message)
            elif "error" in message:
                raise QmpError(message["error"]["desc"])
            elif "return" in message:
                return message["return"]

    def wait_event(self, name: str, timeout: float = wait.TIMEOUT_S, **data: Any) -> dict[str, Any]:
        """Takes the first event of that name whose data has all of DATA."""
        end = time.monotonic() + timeout
        while True:
            for index, event in enumerate(self._events):
                have = event.get("data", {})
                if event["event"] == name and all(have.get(k) == v for k, v in data.items()):
                    return self._events.pop(index)
            message = self._receive(f"event {name} {data}", max(0.0, end - time.monotonic()))
            if "event" in message:
                self._events.append(message)
