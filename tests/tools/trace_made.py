# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""Traces made from docs/FORMAT.trace alone: not a line of the broker's writer is in them."""

from __future__ import annotations

import json
import math
import random
import struct
from typing import Any

CLIENT, BACKEND = 0, 1
BOTH = 3
REPLY, NO_REPLY, ERROR = 0x1, 0x10, 0x20
BEGIN = 1_795_410_000_000_000_000

VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO, GET_REGION_IO_FDS = range(1, 7)
GET_IRQ_INFO, SET_IRQS, REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE, RESET = range(7, 14)
MEMFD, FILE, EVENTFD = 1, 2, 3


def option(code: int, data: bytes) -> bytes:
    return struct.pack("<HH", code, len(data)) + data + bytes(-len(data) % 4)


def block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


END = option(0, b"")
NAME = b"vfio_user_capture"
TAGS = struct.pack(">HH", 12, 20) + NAME.ljust(20, b"\0") + struct.pack(">HH", 0, 0)


def descriptor(kind: int, inode: int, size: int = 0, access: int = 2, device: int = 5) -> bytes:
    return struct.pack("<BBHIQQQ", kind, access, 0, 0, device, inode, size)


def message(command: int, payload: bytes = b"", *, number: int = 1, flags: int = 0,
            error: int = 0, order: str = "<") -> bytes:
    """A vfio-user message with that id."""
    return struct.pack(order + "HHIII", number & 0xffff, command, 16 + len(payload), flags,
                       error) + payload


class Trace:
    """Blocks in the order they are asked for; `bytes(trace)` is the file."""

    def __init__(self, **section: Any) -> None:
        comment = json.dumps({"poemd-trace": 1, **section}).encode()
        self.blocks = [block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1) +
                             option(4, b"poemd 0.1.0") + option(1, comment) + END)]
        self.sessions: list[int] = []
        self.numbers: list[int] = []

    def session(self, number: int = 1, route: str = "edu0", **facts: Any) -> int:
        """Returns its interface."""
        comment = json.dumps({"session": number, "route": route, **facts}).encode()
        self.blocks.append(block(1, struct.pack("<HHI", 252, 0, 0) +
                                 option(2, f"{route}/{number}".encode()) +
                                 option(3, b"a client and a backend") +
                                 option(9, b"\x09") + option(1, comment) + END))
        self.sessions.append(number)
        self.numbers.append(0)
        return len(self.sessions) - 1

    def say(self, time: int, sender: int, data: bytes, *, interface: int = 0, passed: int = 2000,
            size: int | None = None, lost: int = 0, legs: int = BOTH, flags: int = 0,
            fds: tuple[bytes, ...] = (), comment: str = "") -> None:
        """A message read so many nanoseconds after the beginning."""
        whole = len(data) if size is None else size
        self.numbers[interface] += 1 + lost
        number = self.numbers[interface]
        head = struct.pack("<BBHBBHQQIIQ", 1, flags, 40 + 32 * len(fds), legs, sender, len(fds),
                           self.sessions[interface], passed, whole, lost, number)
        kept = TAGS + head + b"".join(fds) + data
        at = BEGIN + time
        self.blocks.append(block(6, struct.pack("<IIIII", interface, at >> 32, at & 0xffffffff,
                                                len(kept), len(kept) - len(data) + whole) +
                                 kept + bytes(-len(kept) % 4) +
                                 (option(1, comment.encode()) if comment else b"") +
                                 option(2, struct.pack("<I", 1 if sender == CLIENT else 2)) +
                                 (option(4, struct.pack("<Q", lost)) if lost else b"") +
                                 option(5, struct.pack("<Q", number)) + END))

    def statistics(self, time: int, *, interface: int = 0, lost: int = 0, seen: int | None = None,
                   ended: str = "") -> None:
        at = BEGIN + time
        seen = self.numbers[interface] + lost if seen is None else seen
        clock = struct.pack("<II", at >> 32, at & 0xffffffff)
        self.blocks.append(block(5, struct.pack("<I", interface) + clock +
                                 option(2, struct.pack("<II", BEGIN >> 32, BEGIN & 0xffffffff)) +
                                 option(4, struct.pack("<Q", seen)) +
                                 option(5, struct.pack("<Q", lost)) +
                                 (option(3, clock) +
                                  option(1, json.dumps({"ended": ended}).encode())
                                  if ended else b"") + END))

    def access(self, time: int, latency: int, command: int, region: int, offset: int,
               data: bytes = b"abcd", *, number: int = 1, interface: int = 0, error: int = 0,
               passed: int = 2000) -> None:
        """A region's read or write, and its reply."""
        place = struct.pack("<QII", offset, region, len(data))
        asked = place + (data if command == REGION_WRITE else b"")
        told = b"" if error else place + (data if command == REGION_READ else b"")
        self.say(time, CLIENT, message(command, asked, number=number), interface=interface,
                 passed=passed)
        self.say(time + latency, BACKEND,
                 message(command, told, number=number, error=error,
                         flags=REPLY | (ERROR if error else 0)), interface=interface, passed=passed)

    def __bytes__(self) -> bytes:
        return b"".join(self.blocks)


def busy(exchanges: int, *, seed: int = 1, route: str = "nvme0") -> Trace:
    """A trace that looks like one: latencies of two kinds, polled registers, DMA, errors, losses."""
    chance = random.Random(seed)
    trace = Trace()
    trace.session(17, route, verdict="allow")
    time = 0
    for i in range(exchanges):
        latency = int(chance.lognormvariate(math.log(12000 + 8000 * math.sin(i / exchanges * 12)),
                                            0.35))
        if chance.random() < 0.02:
            latency += int(chance.lognormvariate(math.log(200000), 0.4))
        passed = int(chance.lognormvariate(math.log(2500), 0.3))
        kind = chance.random()
        if kind < 0.95:
            region = 0 if kind < 0.88 else 7
            offset = chance.choice((0, 4, 0x10, 0x34) if region == 7 else
                                   (0, 0, 0, 4, 8, 0x14, 0x1c, 0x1000, 0x1000,
                                    0x2000 + 8 * chance.randrange(64)))
            trace.access(time, latency, REGION_READ if kind < 0.55 or region == 7 else REGION_WRITE,
                         region, offset, number=i, passed=passed,
                         error=22 if chance.random() < 0.002 else 0)
        else:
            place = struct.pack("<QQ", 0x100000 + 4096 * chance.randrange(256), 512)
            trace.say(time, BACKEND, message(DMA_READ, place, number=i), passed=passed)
            trace.say(time + latency // 3, CLIENT, message(DMA_READ, place, number=i, flags=REPLY),
                      size=32 + 512, lost=3 if chance.random() < 0.01 else 0, passed=passed)
        time += latency + passed + int(chance.expovariate(1 / 8000))
    trace.statistics(time, ended="client closed")
    return trace
