#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""A small vfio-user PCI device with one fault, for tests of the tools that are to name it.

usage: fault_device.py SOCKET FAULT [--ready-fd FD]

Serves one client after another. FAULTS has the faults; "none" has none.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import time
from collections.abc import Callable

(VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO, GET_REGION_IO_FDS, GET_IRQ_INFO, SET_IRQS,
 REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE, RESET) = range(1, 14)
HEADER = struct.Struct("<HHIII")
REPLY, NO_REPLY, ERROR = 1, 0x10, 0x20
CONFIG = 7
READ, WRITE, MMAP, CAPS = 1, 2, 4, 8
PIN = 0x3D


class Device:
    """A good device: a BAR of 4 KiB, INTx, MSI-X, 256 bytes of configuration space."""

    def __init__(self) -> None:
        self.version: dict[str, object] = {"capabilities": {"max_msg_fds": 8,
                                                            "max_data_xfer_size": 1048576,
                                                            "pgsizes": 4096}}
        self.number = (0, 0)
        self.info = (3, 9, 5)  # RESET, PCI; regions, interrupt types
        self.region = {0: (READ | WRITE, 4096), CONFIG: (READ | WRITE, 256)}
        self.irq = {0: (1 | 2 | 4, 1), 2: (1, 4)}
        self.config = bytearray(4096)
        self.put(0, struct.pack("<HHHHBBBB", 0x1234, 0x11E8, 0, 0x10, 1, 0, 0xFF, 0))
        self.put(0x34, b"\x40")
        self.put(PIN, b"\x01")
        # MSI-X: 4 vectors, the table at 0x400 and the pending bits at 0x800 of BAR 0.
        self.put(0x40, struct.pack("<BBHII", 0x11, 0, 3, 0x400, 0x800))
        self.connection: socket.socket | None = None
        # Faults replace these: the payload of a reply by its command, and how it is sent.
        self.payload: dict[int, Callable[[bytes], bytes | int]] = {
            VERSION: self.answer_version, DMA_MAP: lambda _: b"", DMA_UNMAP: lambda b: b[:24],
            GET_INFO: lambda _: struct.pack("<IIII", 16, *self.info),
            GET_REGION_INFO: self.answer_region, GET_IRQ_INFO: self.answer_irq,
            SET_IRQS: lambda _: b"", REGION_READ: self.answer_read,
            REGION_WRITE: self.answer_write, RESET: lambda _: b""}
        self.send: dict[int, Callable[[bytes], None]] = {}
        self.fds: dict[int, int] = {}

    def put(self, at: int, data: bytes) -> None:
        self.config[at:at + len(data)] = data

    # ---- answers: a payload, or an errno ----

    def answer_version(self, _: bytes) -> bytes:
        return struct.pack("<HH", *self.number) + json.dumps(self.version).encode() + b"\0"

    def answer_region(self, asked: bytes) -> bytes:
        index = struct.unpack_from("<I", asked, 8)[0]
        flags, size = self.region.get(index, (0, 0))
        return struct.pack("<IIIIQQ", 32, flags, index, 0, size, 0)

    def answer_irq(self, asked: bytes) -> bytes:
        index = struct.unpack_from("<I", asked, 8)[0]
        return struct.pack("<IIII", 16, *self.irq.get(index, (0, 0))[:1], index,
                           self.irq.get(index, (0, 0))[1])

    def answer_read(self, asked: bytes) -> bytes:
        offset, region, count = struct.unpack_from("<QII", asked)
        data = self.config[offset:offset + count] if region == CONFIG else bytes(count)
        return asked[:16] + bytes(data).ljust(count, b"\0")

    def answer_write(self, asked: bytes) -> bytes:
        offset, region, count = struct.unpack_from("<QII", asked)
        # The BARs have the bits of their size only.
        if region == CONFIG and not 0x10 <= offset < 0x28:
            self.put(offset, asked[16:16 + count])
        return asked[:16]

    # ---- messages ----

    def write(self, data: bytes, fds: int = 0) -> None:
        assert self.connection
        memory = [os.memfd_create("fault") for _ in range(fds)]
        for fd in memory:
            os.ftruncate(fd, 4096)
        socket.send_fds(self.connection, [data], memory)
        for fd in memory:
            os.close(fd)

    def read(self, size: int) -> bytes:
        assert self.connection
        data = b""
        while len(data) < size:
            more = self.connection.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def wait(self) -> None:
        """Until the client has had enough."""
        while True:
            self.read(1)

    def serve_one(self) -> None:
        number, command, size, flags, _ = HEADER.unpack(self.read(16))
        asked = self.read(size - 16)
        if flags & 0xF:
            return
        answer = self.payload.get(command, lambda _: 95)(asked)
        if flags & NO_REPLY:
            return
        if isinstance(answer, int):
            reply = HEADER.pack(number, command, 16, REPLY | ERROR, answer)
        else:
            reply = HEADER.pack(number, command, 16 + len(answer), REPLY, 0) + answer
        self.send.get(command, lambda data: self.write(data, self.fds.get(command, 0)))(reply)

    def serve(self, path: str, ready_fd: int | None) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(4)
            if ready_fd is not None:
                os.write(ready_fd, b"\n")
                os.close(ready_fd)
            while True:
                self.connection, _ = listener.accept()
                try:
                    while True:
                        self.serve_one()
                except (EOFError, OSError):
                    self.connection.close()


# ---- faults ----

Fault = Callable[[Device], None]


def capability(name: str, value: object) -> Fault:
    return lambda d: d.version["capabilities"].__setitem__(name, value)


def payload(command: int, change: Callable[[bytes], bytes | int]) -> Fault:
    """Changes the payload of replies to a command, or makes an error of them."""
    def fault(d: Device) -> None:
        good = d.payload[command]
        d.payload[command] = lambda asked: change(good(asked))
    return fault


def of_region(index: int, change: Callable[[bytes], bytes | int]) -> Fault:
    """Changes the answer to GET_REGION_INFO about one region."""
    def changed(reply: bytes) -> bytes | int:
        return change(reply) if struct.unpack_from("<I", reply, 8)[0] == index else reply
    return payload(GET_REGION_INFO, changed)


def of_irq(index: int, change: Callable[[bytes], bytes | int]) -> Fault:
    def changed(reply: bytes) -> bytes | int:
        return change(reply) if struct.unpack_from("<I", reply, 8)[0] == index else reply
    return payload(GET_IRQ_INFO, changed)


def sent(command: int, send: Callable[[Device, bytes], None]) -> Fault:
    """Sends replies to a command in another way."""
    return lambda d: d.send.__setitem__(command, lambda reply: send(d, reply))


def fds(command: int, count: int) -> Fault:
    return lambda d: d.fds.__setitem__(command, count)


def region(index: int, flags: int, size: int) -> Fault:
    return lambda d: d.region.__setitem__(index, (flags, size))


def irq(index: int, flags: int, count: int) -> Fault:
    return lambda d: d.irq.__setitem__(index, (flags, count))


def config(at: int, data: bytes) -> Fault:
    return lambda d: d.put(at, data)


def info(*values: int) -> Fault:
    return lambda d: setattr(d, "info", values)


def header(reply: bytes, **values: int) -> bytes:
    names = ("id", "command", "size", "flags", "error")
    fields = dict(zip(names, HEADER.unpack(reply[:16]))) | values
    return HEADER.pack(*(fields[name] for name in names)) + reply[16:]


def begun(size: int) -> Callable[[Device, bytes], None]:
    """Sends only so many bytes of a reply; negative: so many are missing."""
    def send(d: Device, reply: bytes) -> None:
        d.write(reply[:size])
        d.wait()
    return send


def close_after(size: int) -> Callable[[Device, bytes], None]:
    def send(d: Device, reply: bytes) -> None:
        d.write(reply[:size])
        raise EOFError
    return send


def slow(seconds: float) -> Callable[[Device, bytes], None]:
    def send(d: Device, reply: bytes) -> None:
        d.write(reply[:-1])
        time.sleep(seconds)
        d.write(reply[-1:])
    return send


def long_version(d: Device) -> None:
    d.version["capabilities"]["vendor"] = ""
    d.version["capabilities"]["vendor"] = "x" * (331 - 16 - len(d.answer_version(b"")))


def big_endian(value: int) -> bytes:
    return struct.pack(">I", value)


FAULTS: dict[str, Fault] = {
    "none": lambda d: None,
    # VERSION
    "fds-32": capability("max_msg_fds", 32),
    "fds-text": capability("max_msg_fds", "8"),
    "maps-65536": capability("max_dma_maps", 65536),
    "data-128m": capability("max_data_xfer_size", 128 << 20),
    "page-2048": capability("pgsizes", 2048),
    "page-0": capability("pgsizes", 0),
    "migration-page-1024": capability("migration", {"pgsize": 1024}),
    "bitmap-1t": capability("migration", {"max_bitmap_size": 1 << 40}),
    "migration-text": capability("migration", "yes"),
    "multiple-text": capability("write_multiple", "yes"),
    "version-long": long_version,
    "version-major": lambda d: setattr(d, "number", (1, 0)),
    "version-minor": lambda d: setattr(d, "number", (0, 1)),
    "version-no-nul": payload(VERSION, lambda p: p[:-1]),
    "version-json": payload(VERSION, lambda p: p[:-3] + b"\0"),
    "version-list": lambda d: setattr(d, "version", []),
    "version-capabilities-list": lambda d: d.version.__setitem__("capabilities", []),
    "version-unknown": capability("color", "blue"),
    "version-fd": fds(VERSION, 1),
    "version-refused": payload(VERSION, lambda p: 13),
    "version-half": sent(VERSION, begun(50)),
    "version-silent": sent(VERSION, begun(0)),
    "version-closed": sent(VERSION, close_after(0)),
    # DEVICE_GET_INFO
    "info-refused": payload(GET_INFO, lambda p: 22),
    "info-closed": sent(GET_INFO, close_after(0)),
    "info-silent": sent(GET_INFO, begun(0)),
    "info-half": sent(GET_INFO, begun(-1)),
    "info-long": payload(GET_INFO, lambda p: p + bytes(4)),
    "info-short": payload(GET_INFO, lambda p: p[:-4]),
    "info-fd": fds(GET_INFO, 1),
    "regions-8": info(3, 8, 5),
    "regions-200": info(3, 200, 5),
    "regions-big-endian": payload(GET_INFO, lambda p: p[:8] + big_endian(9) + p[12:]),
    "irqs-2": info(3, 9, 2),
    "irqs-60": info(3, 9, 60),
    "not-pci": info(1, 9, 5),
    # DEVICE_GET_REGION_INFO
    "bar-3000": region(0, READ | WRITE, 3000),
    "bar-huge": region(0, READ | WRITE, 1 << 63),
    "bar-map-no-fd": region(0, READ | WRITE | MMAP, 4096),
    "bar-refused": of_region(0, lambda p: 22),
    "bar-fds-2": lambda d: (region(0, READ | WRITE | MMAP, 4096)(d), fds(GET_REGION_INFO, 2)(d)),
    "bar-long": of_region(0, lambda p: p + bytes(8)),
    "bar-caps": of_region(0, lambda p: struct.pack("<IIIIQQ", 32, READ | WRITE | CAPS, 0, 8, 4096,
                                                    0)),
    "bar-caps-loop": of_region(0, lambda p: struct.pack("<IIIIQQHHI", 40, READ | WRITE | CAPS, 0,
                                                        32, 4096, 0, 1, 1, 32)),
    "config-0": region(CONFIG, READ | WRITE, 0),
    "config-100": region(CONFIG, READ | WRITE, 100),
    "config-8192": region(CONFIG, READ | WRITE, 8192),
    "config-write-only": region(CONFIG, WRITE, 256),
    "config-refused": of_region(CONFIG, lambda p: 22),
    "region-other": of_region(0, lambda p: p[:8] + struct.pack("<I", 1) + p[12:]),
    # interrupts and capabilities
    "irq-refused": of_irq(0, lambda p: 22),
    "intx-no-pin": config(PIN, b"\0"),
    "intx-no-irq": irq(0, 0, 0),
    "intx-no-eventfd": irq(0, 0, 1),
    "pin-9": config(PIN, b"\x09"),
    "set-irqs-refused": payload(SET_IRQS, lambda p: 22),
    "msix-no-irq": irq(2, 0, 0),
    "msix-fewer-irqs": irq(2, 1, 2),
    "msix-bar-absent": config(0x44, struct.pack("<II", 0x402, 0x802)),
    "msix-beyond": config(0x44, struct.pack("<II", 0x1000, 0x800)),
    "msix-overlap": config(0x44, struct.pack("<II", 0x400, 0x410)),
    "caps-loop": config(0x41, b"\x40"),
    "header-type-1": config(0x0E, b"\x01"),
    "vendor-ffff": config(0, b"\xFF\xFF"),
    # other commands
    "map-refused": payload(DMA_MAP, lambda p: 12),
    "map-silent": sent(DMA_MAP, begun(0)),
    "config-read-refused": payload(REGION_READ, lambda p: 22),
    "read-short": payload(REGION_READ, lambda p: p[:12] + struct.pack("<I", len(p) - 17) + p[16:-1]),
    "read-long": payload(REGION_READ, lambda p: p[:12] + struct.pack("<I", len(p) - 12) + p[16:] +
                         bytes(4)),
    "read-count": payload(REGION_READ, lambda p: p[:12] + struct.pack("<I", 1 << 20) + p[16:]),
    "read-half": sent(REGION_READ, begun(-1)),
    "read-half-header": sent(REGION_READ, begun(9)),
    "read-silent": sent(REGION_READ, begun(0)),
    "read-closed": sent(REGION_READ, close_after(20)),
    "read-fd": fds(REGION_READ, 1),
    "read-id": sent(REGION_READ, lambda d, r: d.write(header(r, id=0xBEEF))),
    "read-twice": sent(REGION_READ, lambda d, r: d.write(r + r)),
    "read-command": sent(REGION_READ, lambda d, r: d.write(header(r, command=REGION_WRITE))),
    "read-size-15": sent(REGION_READ, lambda d, r: d.write(header(r, size=15))),
    "read-size-more": sent(REGION_READ, lambda d, r: d.write(header(r, size=len(r) + 8))),
    "read-size-less": sent(REGION_READ, lambda d, r: d.write(header(r, size=len(r) - 2))),
    "read-type-2": sent(REGION_READ, lambda d, r: d.write(header(r, flags=2))),
    "read-command-type": sent(REGION_READ, lambda d, r: d.write(header(r, flags=0))),
    "read-slow": sent(REGION_READ, slow(0.3)),
    "write-refused": payload(REGION_WRITE, lambda p: 22),
    "reset-refused": payload(RESET, lambda p: 22),
}


def main() -> None:
    device = Device()
    FAULTS[sys.argv[2]](device)
    device.serve(sys.argv[1], int(sys.argv[4]) if len(sys.argv) > 4 else None)


if __name__ == "__main__":
    main()
