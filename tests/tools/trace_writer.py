# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Writes traces by docs/FORMAT.trace alone: a second hand beside trace/file/pcapng.c, for tests of what
reads them. It also writes what the broker never would: cut headers, wrong counts, other orders.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field

DISSECTOR = b"vfio_user_capture"
LINKTYPE = 252
CLIENT, BACKEND = 0, 1
LEG_CLIENT, LEG_BACKEND = 1, 2
BIG_ENDIAN, BROKER, TWIN, UNDELIVERED = 1, 2, 4, 8
BEGIN_NS = 1_795_410_000_123_456_789


@dataclass(frozen=True)
class Fd:
    kind: int = 1
    access: int = 2
    flags: int = 0
    seals: int = 0
    device: int = 1
    inode: int = 0
    size: int = 0

    def __bytes__(self) -> bytes:
        return struct.pack("<BBHIQQQ", self.kind, self.access, self.flags, self.seals, self.device,
                           self.inode, self.size)


@dataclass
class Message:
    """A message as the broker saw it: data are the bytes that were kept of it."""
    sender: int
    data: bytes
    session: int = 1
    number: int = 1
    time_ns: int = BEGIN_NS
    delivered_ns: int = 1500
    size: int | None = None  # None: all of it was kept
    legs: int = LEG_CLIENT | LEG_BACKEND
    flags: int = 0
    lost: int = 0
    fds: list[Fd] = field(default_factory=list)
    comment: str = ""
    interface: int = 0

    @property
    def whole(self) -> int:
        return len(self.data) if self.size is None else self.size

    def capture_header(self) -> bytes:
        return struct.pack("<BBHBBHQQIIQ", 1, self.flags, 40 + 32 * len(self.fds), self.legs,
                           self.sender, len(self.fds), self.session, self.delivered_ns,
                           self.whole, self.lost, self.number) + b"".join(map(bytes, self.fds))


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


class Trace:
    """Blocks in the order of the calls; bytes() is the file."""

    def __init__(self, order: str = "<") -> None:
        self.order = order
        self.blocks: list[bytes] = []
        self.packets = 0

    def __bytes__(self) -> bytes:
        return b"".join(self.blocks)

    def pack(self, shape: str, *values: int) -> bytes:
        return struct.pack(self.order + shape, *values)

    def option(self, code: int, value: bytes) -> bytes:
        return self.pack("HH", code, len(value)) + padded(value)

    def block(self, kind: int, body: bytes, *options: bytes) -> None:
        if options:
            body += b"".join(options) + self.pack("HH", 0, 0)
        length = self.pack("I", len(body) + 12)
        self.blocks.append(self.pack("I", kind) + length + body + length)

    def section(self) -> None:
        self.block(0x0A0D0D0A, self.pack("IHHq", 0x1A2B3C4D, 1, 0, -1),
                   self.option(4, b"poemd test"),
                   self.option(1, json.dumps({"poemd-trace": 1, "payload": 64}).encode()))

    def interface(self, name: str, **facts: object) -> None:
        self.block(1, self.pack("HHI", LINKTYPE, 0, 0), self.option(2, name.encode()),
                   self.option(9, b"\x09"), self.option(1, json.dumps(facts).encode()))

    def packet(self, data: bytes, original: int, time_ns: int, interface: int = 0,
               *options: bytes) -> None:
        """A packet of any bytes behind the tags; original: its length before it was cut."""
        tags = struct.pack(">HH", 12, len(padded(DISSECTOR))) + padded(DISSECTOR) + bytes(4)
        head = self.pack("IIIII", interface, time_ns >> 32, time_ns & 0xFFFFFFFF,
                         len(tags) + len(data), len(tags) + original)
        self.packets += 1
        self.block(6, head + padded(tags + data), *options)

    def message(self, m: Message) -> None:
        header = m.capture_header()
        options = [self.option(2, self.pack("I", 1 if m.sender == CLIENT else 2)),
                   self.option(4, self.pack("Q", m.lost)), self.option(5, self.pack("Q", m.number))]
        if m.comment:
            options.append(self.option(1, m.comment.encode()))
        self.packet(header + m.data, len(header) + m.whole, m.time_ns, m.interface, *options)

    def statistics(self, interface: int, time_ns: int, received: int, dropped: int,
                   **facts: object) -> None:
        self.block(5, self.pack("III", interface, time_ns >> 32, time_ns & 0xFFFFFFFF),
                   self.option(4, self.pack("Q", received)),
                   self.option(5, self.pack("Q", dropped)),
                   self.option(1, json.dumps(facts).encode()))
