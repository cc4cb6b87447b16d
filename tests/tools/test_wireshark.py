#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""contrib/wireshark/vfio_user.lua in tshark: every field of every command against what was written,
links, times, expert information, filters; cut and malformed captures.

usage: test_wireshark.py --build DIR [TEST...]
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

from trace_writer import (BACKEND, BEGIN_NS, BIG_ENDIAN, BROKER, CLIENT, LEG_BACKEND, LEG_CLIENT,
                          TWIN, UNDELIVERED, Fd, Message, Trace)

DISSECTOR = Path(__file__).resolve().parents[2] / "contrib" / "wireshark" / "vfio_user.lua"
SKIPPED = 77
PATIENCE = 240  # seconds; only ever waited out where something has gone wrong
# The step through exhaustive ranges: every byte only in tests/run soak.
STEP = 1 if os.environ.get("POEMD_SOAK") else 7
BETWEEN = "\x1e"  # in no value: between those of one field in one packet

build = Path()

# The structures by FORMAT.trace and the specification, told once more: column, its type in a
# struct's words, and its bits by name, or True where it is shown in hexadecimal.
IRQ_BITS = {"eventfd": 1, "maskable": 2, "automasked": 4, "noresize": 8}
SET_BITS = {"none": 1, "bool": 2, "eventfd": 4, "mask": 8, "unmask": 16, "trigger": 32}
REGION_BITS = {"read": 1, "write": 2, "mmap": 4, "caps": 8}
STRUCTURES: dict[str, list[tuple[str, str, object]]] = {
    "version": [("major", "H", 0), ("minor", "H", 0)],
    "dma_map": [("argsz", "I", 0), ("flags", "I", {"readable": 1, "writeable": 2}),
                ("offset", "Q", True), ("address", "Q", True), ("size", "Q", True)],
    "dma_unmap": [("argsz", "I", 0), ("flags", "I", True), ("address", "Q", True),
                  ("size", "Q", True)],
    "device_info": [("argsz", "I", 0), ("flags", "I", {"reset": 1, "pci": 2}),
                    ("num_regions", "I", 0), ("num_irqs", "I", 0)],
    "region_info": [("argsz", "I", 0), ("flags", "I", REGION_BITS), ("index", "I", 0),
                    ("cap_offset", "I", True), ("size", "Q", True), ("offset", "Q", True)],
    "cap": [("id", "H", 0), ("version", "H", 0), ("next", "I", True)],
    "sparse": [("nr_areas", "I", 0), ("reserved", "I", True)],
    "sparse.area": [("offset", "Q", True), ("size", "Q", True)],
    "cap_type": [("type", "I", True), ("subtype", "I", True)],
    "io_fds": [("argsz", "I", 0), ("flags", "I", True), ("index", "I", 0), ("count", "I", 0)],
    "io_fd": [("offset", "Q", True), ("size", "Q", True), ("fd_index", "I", 0), ("type", "I", 0),
              ("flags", "I", True), ("padding", "I", True), ("datamatch", "Q", True)],
    "irq_info": [("argsz", "I", 0), ("flags", "I", IRQ_BITS), ("index", "I", 0),
                 ("count", "I", 0)],
    "irq_set": [("argsz", "I", 0), ("flags", "I", SET_BITS), ("index", "I", 0), ("start", "I", 0),
                ("count", "I", 0)],
    "region": [("offset", "Q", True), ("index", "I", 0), ("count", "I", 0)],
    "dma": [("address", "Q", True), ("count", "Q", 0)],
    "dma short": [("address", "Q", True), ("count", "I", 0)],
    "write_multi": [("wr_cnt", "Q", 0)],
    "feature": [("argsz", "I", 0), ("flags", "I", {"get": 0x10000, "set": 0x20000,
                                                  "probe": 0x40000})],
    "migration": [("flags", "Q", {"stop_copy": 1, "p2p": 2, "pre_copy": 4})],
    "mig_state": [("device_state", "I", 0), ("data_fd", "I", 0)],
    "dma_logging": [("page_size", "Q", True), ("num_ranges", "I", 0), ("reserved", "I", True)],
    "dma_logging.range": [("iova", "Q", True), ("length", "Q", True)],
    "dma_report": [("iova", "Q", True), ("length", "Q", True), ("page_size", "Q", True)],
    "mig_data": [("argsz", "I", 0), ("size", "I", 0)],
}
(VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO, GET_IO_FDS, GET_IRQ_INFO, SET_IRQS,
 REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE, RESET) = range(1, 14)
WRITE_MULTI, FEATURE, MIG_READ, MIG_WRITE = range(15, 19)
NO_REPLY, ERROR = 0x10, 0x20
FEATURE_GET, FEATURE_SET, FEATURE_PROBE = 0x10000, 0x20000, 0x40000

Shown = list[tuple[str, str]]


def shown_number(value: int, size: int, how: object) -> str:
    return f"0x{value:0{2 * size}x}" if how else str(value)


def shown_time(ns: int) -> str:
    return f"{'-' if ns < 0 else ''}{abs(ns) // 10**9}.{abs(ns) % 10**9:09d}"


def columns(prefix: str, table: list[tuple[str, str, object]], values: tuple[int, ...]) -> Shown:
    shown: Shown = []
    for (name, shape, how), value in zip(table, values, strict=True):
        shown.append((f"{prefix}.{name}", shown_number(value, struct.calcsize(shape), how)))
        if isinstance(how, dict):
            shown += [(f"{prefix}.{name}.{bit}", str(int(value & mask != 0)))
                      for bit, mask in how.items()]
    return shown


class Payload:
    """Bytes, and the fields that a dissector should find in them."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.data = b""
        self.shown: Shown = []

    def structure(self, name: str, *values: int) -> Payload:
        table = STRUCTURES[name]
        prefix = "vfio_user." + name.split(" ")[0]
        self.data += struct.pack(self.order + "".join(shape for _, shape, _ in table), *values)
        self.shown.append((prefix, "1"))
        self.shown += columns(prefix, table, values)
        if name == "feature":
            self.shown.append((prefix + ".index", str(values[1] & 0xFFFF)))
        return self

    def bytes_of(self, name: str, data: bytes) -> Payload:
        self.data += data
        self.shown.append(("vfio_user." + name, data.hex()))
        return self

    def register_value(self, data: bytes) -> Payload:
        self.bytes_of("region.data", data)
        return self.also("region.value", f"0x{int.from_bytes(data, 'little'):016x}")

    def raw(self, data: bytes) -> Payload:
        self.data += data
        return self

    def also(self, name: str, value: str) -> Payload:
        self.shown.append(("vfio_user." + name, value))
        return self

    def text(self, content: object, **members: object) -> Payload:
        """VERSION's JSON; members: the fields made of it, '.' written as '__'."""
        text = json.dumps(content, ensure_ascii=False)
        self.data += text.encode() + b"\0"
        self.also("version.data", text)
        for name, value in members.items():
            for one in value if isinstance(value, list) else [value]:
                self.also(name.replace("__", "."), str(int(one) if isinstance(one, bool) else one))
        return self


class Talk:
    """A trace as a conversation, and by packet the fields that are to be seen in it."""

    def __init__(self, file_order: str = "<", order: str = "<") -> None:
        self.order = order
        self.trace = Trace(file_order)
        self.trace.section()
        self.trace.interface("edu0/1", session=1, route="edu0", verdict="allow", taint="-")
        self.now = BEGIN_NS
        self.number = defaultdict(int)
        self.messages: list[Message] = []
        self.times: list[int] = []
        self.shown: list[Shown] = []
        self.second_pass: list[Shown] = []

    def payload(self) -> Payload:
        return Payload(self.order)

    def structure(self, name: str, *values: int) -> Payload:
        return self.payload().structure(name, *values)

    def say(self, sender: int, kind: int, identity: int, command: int,
            payload: Payload | None = None, *, error: int = 0, kept: int | None = None,
            wait: int = 10_000, answers: int = 0, expert: str = "", header_size: int | None = None,
            legs: int = LEG_CLIENT | LEG_BACKEND, flags: int = 0, session: int = 1, lost: int = 0,
            fds: list[Fd] | None = None, skip: int = 0) -> int:
        """One message; answers: the frame of its request. The number of its frame."""
        payload = payload or self.payload()
        size = 16 + len(payload.data)
        said_size = size if header_size is None else header_size
        data = struct.pack(self.order + "HHIII", identity, command, said_size, kind,
                           error) + payload.data
        self.now += wait
        self.number[session] += 1 + lost + skip
        m = Message(sender, data[:kept], session=session, number=self.number[session],
                    time_ns=self.now, delivered_ns=len(self.shown) * 1_000_000_007, size=size,
                    legs=legs, flags=flags | (BIG_ENDIAN if self.order == ">" else 0), lost=lost,
                    fds=fds or [], comment="unseen: interrupts by eventfd" if fds else "")
        self.trace.message(m)
        self.messages.append(m)
        self.times.append(self.now)
        self.shown.append(self.capture_shown(m) + [
            ("vfio_user.id", f"0x{identity:04x}"), ("vfio_user.command", str(command)),
            ("vfio_user.size", str(said_size)), ("vfio_user.flags", f"0x{kind:08x}"),
            ("vfio_user.flags.type", str(kind & 0xF)),
            ("vfio_user.flags.no_reply", str(int(kind & NO_REPLY != 0))),
            ("vfio_user.flags.error", str(int(kind & ERROR != 0))),
            ("vfio_user.error", str(error))] + payload.shown)
        self.second_pass.append([])
        self.expect(*expert.split())
        if answers:
            self.link(answers)
        return len(self.shown)

    def link(self, request: int) -> None:
        self.shown[-1] += [
            ("vfio_user.request_in", str(request)),
            ("vfio_user.time", shown_time(self.times[-1] - self.times[request - 1]))]
        self.second_pass[request - 1].append(("vfio_user.response_in", str(len(self.shown))))

    def expect(self, *experts: str) -> None:
        for name in experts:
            place = self.second_pass if name == "unanswered" else self.shown
            prefix = "vfio_user_capture" if name in ("lost", "not_delivered") else "vfio_user"
            place[-1].append((f"{prefix}.expert.{name}", "1"))

    @staticmethod
    def capture_shown(m: Message) -> Shown:
        flags = {"big_endian": 1, "broker": 2, "twin": 4, "undelivered": 8}
        shown = columns("vfio_user_capture", [
            ("version", "B", 0), ("flags", "B", flags), ("length", "H", 0),
            ("legs", "B", {"client": 1, "backend": 2}), ("sender", "B", 0), ("fds", "H", 0),
            ("session", "Q", 0), ("size", "I", 0), ("lost", "I", 0), ("number", "Q", 0)],
            (1, m.flags, 40 + 32 * len(m.fds), m.legs, m.sender, len(m.fds), m.session, m.whole,
             m.lost, m.number))
        shown.append(("vfio_user_capture.delivered", shown_time(m.delivered_ns)))
        seals = {"seal": 1, "shrink": 2, "grow": 4, "write": 8, "future_write": 16, "exec": 32}
        for fd in m.fds:
            shown.append(("vfio_user_capture.fd", "1"))
            shown += columns("vfio_user_capture.fd", [
                ("kind", "B", 0), ("access", "B", 0), ("flags", "H", {"withheld": 1}),
                ("seals", "I", seals), ("device", "Q", True), ("inode", "Q", 0), ("size", "Q", 0)],
                (fd.kind, fd.access, fd.flags, fd.seals, fd.device, fd.inode, fd.size))
        return shown

    def ask(self, identity: int, command: int, payload: Payload | None = None,
            **more: object) -> int:
        return self.say(more.pop("by", CLIENT), more.pop("kind", 0), identity, command, payload,
                        **more)

    def answer(self, request: int, identity: int, command: int, payload: Payload | None = None,
               **more: object) -> int:
        return self.say(more.pop("by", BACKEND), more.pop("kind", 1), identity, command, payload,
                        answers=request, **more)

    def swap(self, identity: int, command: int, request: Payload | None = None,
             reply: Payload | None = None, request_fds: list[Fd] | None = None,
             reply_fds: list[Fd] | None = None) -> None:
        """A request of the client's and its good reply."""
        frame = self.ask(identity, command, request, fds=request_fds)
        self.answer(frame, identity, command, reply, fds=reply_fds)

    def begin(self, session: int = 1, fds: int = 8, transfer: int = 65536) -> None:
        """VERSION as it passes a broker: four messages."""
        content = {"capabilities": {"max_msg_fds": fds, "max_data_xfer_size": transfer}}

        def offer() -> Payload:
            return self.structure("version", 0, 1).text(
                content, capabilities__max_msg_fds=fds, capabilities__max_data_xfer_size=transfer)

        first = self.ask(0, VERSION, offer(), legs=LEG_CLIENT, session=session)
        second = self.ask(0, VERSION, offer(), legs=LEG_BACKEND, flags=BROKER, session=session)
        self.answer(second, 0, VERSION, offer(), legs=LEG_BACKEND, session=session)
        self.answer(first, 0, VERSION, offer(), legs=LEG_CLIENT, flags=BROKER, session=session)

    def table(self, passes: int) -> list[dict[str, list[str]]]:
        """By packet: each field that is to be seen with its values in order."""
        result = []
        for shown, later in zip(self.shown, self.second_pass):
            fields: dict[str, list[str]] = defaultdict(list)
            for name, value in shown + (later if passes == 2 else []):
                fields[name].append(value)
            result.append(dict(fields))
        return result


# ---- a conversation that has every field ----

def poem_versions(talk: Talk) -> None:
    digest, nonce, broker = "31" * 32, "20" * 32, "bb" * 16
    text = "Say this aloud,\nin freedom's “name”, and pass."
    recital = {"text": text, "sha256": digest, "licence": "GPL-2.0-or-later", "proof": "f0" * 32}
    ask = {"capabilities": {
        "max_msg_fds": 16, "max_data_xfer_size": 1048576, "max_dma_maps": 65535, "pgsizes": 4096,
        "write_multiple": True, "twin_socket": {"supported": True},
        "migration": {"pgsize": 4096, "max_bitmap_size": 268435456}, "licence": "GPL-2.0-only",
        "poem": {"v": 1, "challenge": "00" * 32, "recital": {**recital, "nonce": nonce},
                 "through": ["aa" * 16, broker]}}}
    said = {"max_msg_fds": 16, "max_data_xfer_size": 1048576, "max_dma_maps": 65535,
            "pgsizes": 4096, "write_multiple": True, "twin_socket__supported": True,
            "migration__pgsize": 4096, "migration__max_bitmap_size": 268435456}
    shown_recital = {"text": text.replace("\n", "\\n"), "sha256": digest,
                     "licence": "GPL-2.0-or-later", "proof": "f0" * 32}
    request = talk.structure("version", 0, 1).text(
        ask, **{f"capabilities__{name}": value for name, value in said.items()},
        licence="GPL-2.0-only", poem__v=1, poem__challenge="00" * 32,
        poem__through=["aa" * 16, broker], poem__recital__nonce=nonce,
        **{f"poem__recital__{name}": value for name, value in shown_recital.items()})
    frame = talk.ask(0, VERSION, request, legs=LEG_CLIENT)
    via = [{"by": broker, "recited": "yes", "licence": "GPL-2.0-only"},
           {"by": "dd" * 16, "recited": "no", "licence": "BSD-3-Clause"}]
    reply = talk.structure("version", 0, 0).text(
        {"capabilities": {"max_msg_fds": 2, "twin_socket": {"supported": False, "fd_index": 0},
                          "poem": {"v": 1, "recital": recital, "via": via}}},
        capabilities__max_msg_fds=2, capabilities__twin_socket__supported=False,
        capabilities__twin_socket__fd_index=0, poem__v=1, poem__via__by=[one["by"] for one in via],
        poem__via__recited=["yes", "no"], poem__via__licence=[one["licence"] for one in via],
        **{f"poem__recital__{name}": value for name, value in shown_recital.items()})
    passed_on = talk.structure("version", 0, 1).text({"capabilities": {"max_msg_fds": 2}},
                                                     capabilities__max_msg_fds=2)
    backend_frame = talk.ask(0, VERSION, passed_on, legs=LEG_BACKEND, flags=BROKER)
    talk.answer(backend_frame, 0, VERSION, talk.structure("version", 0, 1).text(
        {"capabilities": {"poem": "Say \"this\"."}}, poem__refrain='Say "this".'),
        legs=LEG_BACKEND)
    talk.answer(frame, 0, VERSION, reply, legs=LEG_CLIENT, flags=BROKER,
                fds=[Fd(kind=4, inode=77)])


def memory(talk: Talk) -> None:
    fd = Fd(kind=1, access=2, seals=0x2A, device=0x1234, inode=2**63, size=2**40)
    first = talk.ask(1, DMA_MAP, talk.structure("dma_map", 32, 3, 0x1000, 0x10000, 0x8000000),
                     fds=[fd])
    second = talk.ask(2, DMA_MAP, talk.structure("dma_map", 32, 1, 0, 2**47, 4096),
                      fds=[Fd(kind=2, access=0, seals=0x15, flags=1)])
    talk.answer(first, 1, DMA_MAP)
    talk.answer(second, 2, DMA_MAP, kind=1 | ERROR, error=17, expert="error_reply")
    unmap = talk.structure("dma_unmap", 24, 0, 0x10000, 0x8000000)
    for direction in (DMA_READ, DMA_WRITE):
        asked, said = talk.structure("dma", 0x20000, 24), talk.structure("dma", 0x20000, 24)
        with_data = asked if direction == DMA_WRITE else said
        with_data.bytes_of("dma.data", bytes(range(24)))
        frame = talk.ask(7, direction, asked, by=BACKEND, flags=TWIN)
        talk.answer(frame, 7, direction, said, by=CLIENT, flags=TWIN)
    frame = talk.ask(8, DMA_WRITE, talk.structure("dma", 0x20000, 1).bytes_of("dma.data", b"!"),
                     by=BACKEND)
    talk.answer(frame, 8, DMA_WRITE, talk.structure("dma short", 0x20000, 1), by=CLIENT)
    talk.swap(3, DMA_UNMAP, unmap, unmap)


def inquiries(talk: Talk) -> None:
    talk.swap(4, GET_INFO, talk.structure("device_info", 16, 0, 0, 0),
              talk.structure("device_info", 16, 3, 9, 5))
    talk.swap(5, GET_REGION_INFO, talk.structure("region_info", 96, 0, 2, 0, 0, 0),
              talk.structure("region_info", 96, 0xF, 2, 32, 0x100000, 0x2000)
              .structure("cap", 1, 1, 80).structure("sparse", 2, 0)
              .structure("sparse.area", 0x1000, 0x2000).structure("sparse.area", 0x8000, 0x1000)
              .structure("cap", 2, 1, 0).structure("cap_type", 0x80008086, 3),
              reply_fds=[Fd(kind=6, access=2)])
    talk.swap(6, GET_IO_FDS, talk.structure("io_fds", 96, 0, 0, 0),
              talk.structure("io_fds", 96, 0, 0, 2)
              .structure("io_fd", 0x20, 4, 0, 0, 1, 0, 0xABCDEF0123456789)
              .structure("io_fd", 0x40, 8, 1, 1, 2, 0, 5),
              reply_fds=[Fd(kind=3), Fd(kind=5, access=1)])
    talk.swap(7, GET_IRQ_INFO, talk.structure("irq_info", 16, 0, 2, 0),
              talk.structure("irq_info", 16, 0xD, 2, 2048))
    talk.swap(8, SET_IRQS, talk.structure("irq_set", 20, 0x24, 2, 1, 2),
              request_fds=[Fd(kind=3, inode=1), Fd(kind=3, inode=2)])
    talk.swap(9, SET_IRQS,
              talk.structure("irq_set", 23, 0xA, 0, 0, 3).bytes_of("irq_set.data", b"\1\0\1"))
    talk.swap(10, SET_IRQS, talk.structure("irq_set", 20, 0x11, 1, 0, 1))


def accesses(talk: Talk) -> None:
    read = talk.structure("region", 4, 7, 2).also("region.register", "COMMAND")
    talk.swap(11, REGION_READ, read, talk.structure("region", 4, 7, 2)
              .also("region.register", "COMMAND").register_value(b"\x06\x01"))
    talk.swap(12, REGION_WRITE,
              talk.structure("region", 0x88, 0, 8).register_value(bytes(range(1, 9))),
              talk.structure("region", 0x88, 0, 8))
    frame = talk.ask(13, REGION_READ, talk.structure("region", 0, 42, 100))
    kept = talk.structure("region", 0, 42, 100).bytes_of("region.data", bytes(range(64)))
    kept.raw(bytes(36))
    talk.answer(frame, 13, REGION_READ, kept, kept=16 + 16 + 64)
    talk.ask(14, REGION_WRITE, talk.structure("region", 1, 1, 1).register_value(b"\xff"),
             kind=NO_REPLY)
    writes = talk.structure("write_multi", 2).structure("region", 0x10, 0, 4)
    writes.register_value(b"\1\2\3\4").raw(bytes(4)).structure("region", 0x18, 7, 8)
    writes.also("region.register", "BAR2").register_value(bytes(range(8)))
    talk.swap(15, WRITE_MULTI, writes, talk.structure("write_multi", 2))
    talk.swap(16, RESET)


def features(talk: Talk) -> None:
    def feature(identity: int, flags: int, ask: Payload | None, reply: Payload | None) -> None:
        room = 8 + max(len(part.data) if part else 0 for part in (ask, reply))
        sides = []
        for part in (ask, reply):
            side = talk.structure("feature", room, flags)
            if part:
                side.data += part.data
                side.shown += part.shown
            sides.append(side)
        talk.swap(identity, FEATURE, *sides)

    def logging() -> Payload:
        return talk.structure("dma_logging", 4096, 2, 0).structure(
            "dma_logging.range", 0, 0x100000).structure("dma_logging.range", 2**40, 0x1000)

    def report() -> Payload:
        return talk.structure("dma_report", 0x10000, 0x20000, 4096)

    def state() -> Payload:
        return talk.structure("mig_state", 3, 0xFFFFFFFF)

    feature(20, FEATURE_PROBE | FEATURE_GET | FEATURE_SET | 2, None, None)
    feature(21, FEATURE_GET | 1, None, talk.structure("migration", 5))
    feature(22, FEATURE_SET | 2, state(), state())
    feature(23, FEATURE_SET | 6, logging(), logging())
    feature(24, FEATURE_SET | 7, None, None)
    feature(25, FEATURE_GET | 8, report(), report().bytes_of("dma_report.bitmap", bytes(8)))
    feature(26, FEATURE_GET | 99, None, talk.payload().bytes_of("data", b"what?"))
    talk.swap(27, MIG_READ, talk.structure("mig_data", 24, 16),
              talk.structure("mig_data", 24, 16).bytes_of("mig_data.data", bytes(range(16))))
    talk.swap(28, MIG_WRITE,
              talk.structure("mig_data", 13, 5).bytes_of("mig_data.data", b"state"))
    talk.ask(29, RESET, flags=UNDELIVERED, expert="not_delivered unanswered")


def everything(file_order: str = "<", order: str = "<") -> Talk:
    talk = Talk(file_order, order)
    poem_versions(talk)
    memory(talk)
    inquiries(talk)
    accesses(talk)
    features(talk)
    talk.trace.statistics(0, talk.now, len(talk.shown), 0, ended="client closed")
    return talk


# ---- a conversation that breaks the specification in every way ----

def broken_headers(talk: Talk) -> None:
    talk.ask(1, 14, expert="unknown_command unanswered")
    talk.ask(1, 200, talk.payload().bytes_of("data", b"xyz"), expert="unknown_command unanswered")
    talk.ask(2, RESET, kind=2, expert="unknown_type")
    talk.ask(3, RESET, kind=0x40 | NO_REPLY, expert="reserved_flags")
    talk.ask(4, RESET, kind=ERROR, error=5, expert="error_in_command unanswered")
    talk.ask(5, RESET, header_size=17, expert="header_size unanswered")
    talk.ask(6, RESET, talk.payload().bytes_of("data", b"\1"), expert="payload_long unanswered")
    talk.ask(7, DMA_MAP, talk.payload().also("dma_map", "1").also("dma_map.argsz", "32")
             .raw(struct.pack(talk.order + "I", 32)), expert="payload_short unanswered")
    talk.ask(8, RESET, by=BACKEND, expert="wrong_direction unanswered")
    talk.ask(9, GET_INFO, talk.structure("device_info", 16, 0, 0, 0), fds=[Fd()],
             expert="fds_where_none unanswered")
    talk.ask(10, DMA_MAP, talk.structure("dma_map", 32, 7, 0, 0x100000, 4096),
             expert="flags unanswered")


def broken_counts(talk: Talk) -> None:
    def wrong(identity: int, command: int, payload: Payload, expert: str, **more: object) -> None:
        talk.ask(identity, command, payload, expert=expert + " unanswered", **more)

    wrong(20, REGION_WRITE, talk.structure("region", 0, 0, 4).bytes_of("region.data", b"12345")
          .also("region.value", "0x0000000034333231"), "count")
    wrong(21, DMA_WRITE, talk.structure("dma", 0x1000, 4).bytes_of("dma.data", b"123"), "count",
          by=BACKEND)
    wrong(22, SET_IRQS, talk.structure("irq_set", 20, 0x25, 0, 0, 1), "flags")
    wrong(23, SET_IRQS, talk.structure("irq_set", 20, 0x20, 0, 0, 1), "flags")
    wrong(24, SET_IRQS, talk.structure("irq_set", 20, 0x21, 0, 0, 1).bytes_of("data", b"?"),
          "payload_long")
    wrong(25, SET_IRQS, talk.structure("irq_set", 20, 0x22, 0, 0, 3)
          .bytes_of("irq_set.data", b"\1"), "count")
    wrong(26, WRITE_MULTI, talk.structure("write_multi", 2).structure("region", 0, 0, 1)
          .bytes_of("region.data", b"\1").also("region.value", f"0x{1:016x}").raw(bytes(7)),
          "count")
    wrong(27, WRITE_MULTI, talk.structure("write_multi", 1).structure("region", 0, 0, 9)
          .raw(bytes(8)), "count")
    wrong(28, FEATURE, talk.structure("feature", 8, 1), "flags")
    wrong(29, FEATURE, talk.structure("feature", 8, FEATURE_GET | FEATURE_SET | 1),
          "flags")
    wrong(30, FEATURE, talk.structure("feature", 8, 0x80000 | FEATURE_GET | 1), "flags")
    wrong(31, FEATURE, talk.structure("feature", 24, FEATURE_SET | 6)
          .structure("dma_logging", 4096, 1, 0), "count")
    wrong(32, MIG_WRITE, talk.structure("mig_data", 9, 2).bytes_of("mig_data.data", b"1"), "count")


def broken_replies(talk: Talk) -> None:
    def pair(identity: int, command: int, request: Payload | None, reply: Payload | None,
             expert: str, **more: object) -> None:
        frame = talk.ask(identity, command, request)
        talk.answer(frame, identity, command, reply, expert=expert, **more)

    pair(40, RESET, None, talk.payload().bytes_of("data", b"no"), "error_reply error_payload",
         kind=1 | ERROR, error=95)
    pair(41, RESET, None, None, "error_reply", kind=1 | ERROR)
    pair(42, RESET, None, None, "error_without_reply", kind=ERROR, error=22)
    pair(43, GET_INFO, talk.structure("device_info", 8, 0, 0, 0),
         talk.structure("device_info", 16, 3, 9, 5), "reply_over_argsz")
    pair(44, REGION_READ, talk.structure("region", 0, 0, 1),
         talk.structure("region", 0, 0, 2).register_value(b"ab"), "reply_count")
    info = talk.structure("region_info", 32, 0, 0, 0, 0, 0)
    for offset in (8, 33, 2**32 - 4):
        pair(45, GET_REGION_INFO, talk.structure("region_info", 64, 0, 0, 0, 0, 0),
             talk.structure("region_info", 32, 8, 0, offset, 0, 0), "caps")
    looping = talk.structure("region_info", 40, 8, 0, 32, 0, 0).structure("cap", 9, 1, 32)
    pair(46, GET_REGION_INFO, talk.structure("region_info", 64, 0, 0, 0, 0, 0), looping, "caps")
    pair(47, GET_REGION_INFO, info, talk.structure("region_info", 80, 8, 0, 32, 0, 0), "")
    many = talk.structure("region_info", 48, 8, 0, 32, 0, 0).structure("cap", 1, 1, 0)
    pair(48, GET_REGION_INFO, talk.structure("region_info", 64, 0, 0, 0, 0, 0),
         many.structure("sparse", 2**32 - 1, 0), "count")
    pair(49, GET_IO_FDS, talk.structure("io_fds", 64, 0, 0, 0),
         talk.structure("io_fds", 17, 0, 0, 3).bytes_of("data", b"\0"), "count")
    frame = talk.ask(50, DMA_WRITE, talk.structure("dma", 0x1000, 1).bytes_of("dma.data", b"1"),
                     by=BACKEND)
    talk.answer(frame, 50, DMA_WRITE, talk.structure("dma", 0x1000, 1).bytes_of("data", b"?"),
                by=CLIENT, expert="payload_long")


def broken_sequences(talk: Talk) -> None:
    frame = talk.ask(60, RESET)
    talk.answer(frame, 60, DMA_MAP, expert="reply_command")
    talk.ask(61, RESET, kind=NO_REPLY)
    talk.answer(0, 61, RESET, expert="reply_to_no_reply")
    talk.answer(0, 61, RESET, expert="unasked_reply")
    talk.answer(0, 62, RESET, by=CLIENT, expert="unasked_reply wrong_direction")
    first, second = talk.ask(63, RESET), talk.ask(63, RESET)
    talk.answer(first, 63, RESET)
    talk.answer(second, 63, RESET)
    twin, other = talk.ask(64, RESET), talk.ask(64, RESET, flags=TWIN)
    talk.answer(other, 64, RESET, flags=TWIN)
    talk.answer(twin, 64, RESET)
    backend = talk.ask(65, DMA_READ, talk.structure("dma", 0x1000, 1), by=BACKEND)
    client = talk.ask(65, RESET)
    talk.answer(client, 65, RESET)
    talk.answer(backend, 65, DMA_READ,
                talk.structure("dma", 0x1000, 1).bytes_of("dma.data", b"1"), by=CLIENT)
    talk.ask(66, RESET, fds=[Fd()] * 9, expert="fds_where_none too_many_fds unanswered")
    talk.ask(67, REGION_READ, talk.structure("region", 0, 0, 65537),
             expert="data_over_max unanswered")
    for text in (b'{"capabilities":{}', b'{"a":1}', b"nothing\0", b'{"a":\xff}\0', b'{"a":tru}\0',
                 b"[" * 99 + b"]" * 99 + b"\0", b'{"a":"\\ud83d\\ude00\\x"}\0'):
        payload = talk.structure("version", 0, 0)
        shown = text.rstrip(b"\0")
        if b"\xff" in text:
            payload.bytes_of("data", text)
        else:
            payload.raw(text).also("version.data", shown.decode())
        talk.ask(68, VERSION, payload, legs=LEG_CLIENT, flags=UNDELIVERED,
                 expert="version_data not_delivered unanswered")


def broken_memory(talk: Talk) -> None:
    def access(command: int, address: int, count: int, expert: str) -> None:
        ask = talk.structure("dma", address, count)
        say = talk.structure("dma", address, count)
        (ask if command == DMA_WRITE else say).bytes_of("dma.data", bytes(count))
        frame = talk.ask(90, command, ask, by=BACKEND, expert=expert)
        talk.answer(frame, 90, command, say, by=CLIENT)

    def change(command: int, kind: int, *values: int) -> int:
        name = "dma_map" if command == DMA_MAP else "dma_unmap"
        return talk.ask(91, command, talk.structure(name, *values), kind=kind)

    talk.answer(change(DMA_MAP, 0, 32, 1, 0, 0x20000, 0x1000), 91, DMA_MAP)
    talk.answer(change(DMA_MAP, 0, 32, 3, 0, 0x21000, 0x1000), 91, DMA_MAP)
    for address, count in ((0x20000, 8), (0x20FFC, 8), (0x21FFC, 4)):
        access(DMA_READ, address, count, "")
    for address, count in ((0x1FFFC, 8), (0x21FFC, 5), (0x22000, 1), (0, 1), (2**64 - 4, 4)):
        access(DMA_READ, address, count, "dma_outside")
    access(DMA_WRITE, 0x20FFC, 4, "dma_flags")
    access(DMA_WRITE, 0x21000, 4, "")
    refused = change(DMA_MAP, 0, 32, 3, 0, 0x30000, 0x1000)
    talk.answer(refused, 91, DMA_MAP, kind=1 | ERROR, error=12, expert="error_reply")
    access(DMA_READ, 0x30000, 4, "dma_outside")
    # Without a reply, it has left once the backend has answered what came after it.
    change(DMA_UNMAP, NO_REPLY, 24, 0, 0x21000, 0x1000)
    access(DMA_READ, 0x21000, 4, "")
    talk.swap(92, RESET)
    access(DMA_READ, 0x21000, 4, "dma_outside")
    unmap = talk.structure("dma_unmap", 24, 0, 0x20000, 0x1000)
    frame = talk.ask(93, DMA_UNMAP, unmap)
    access(DMA_READ, 0x20000, 4, "")
    talk.answer(frame, 93, DMA_UNMAP, unmap)
    access(DMA_READ, 0x20000, 4, "dma_outside")
    # As QEMU does it: unmapped, and mapped otherwise, before the first reply has come.
    talk.answer(change(DMA_MAP, 0, 32, 3, 0, 0x40000, 0x10000), 91, DMA_MAP)
    frame = talk.ask(94, DMA_UNMAP, talk.structure("dma_unmap", 24, 0, 0x40000, 0x10000))
    parts = [change(DMA_MAP, 0, 32, allowed, 0, 0x40000 + start, 0x8000)
             for start, allowed in ((0, 1), (0x8000, 3))]
    access(DMA_WRITE, 0x40000, 4, "")
    talk.answer(frame, 94, DMA_UNMAP, talk.structure("dma_unmap", 24, 0, 0x40000, 0x10000))
    for part in parts:
        talk.answer(part, 91, DMA_MAP)
    access(DMA_WRITE, 0x40000, 4, "dma_flags")
    access(DMA_WRITE, 0x48000, 4, "")
    # Refused: nothing has changed.
    frame = talk.ask(95, DMA_UNMAP, talk.structure("dma_unmap", 24, 0, 0x48000, 0x8000))
    talk.answer(frame, 95, DMA_UNMAP, kind=1 | ERROR, error=22, expert="error_reply")
    access(DMA_WRITE, 0x48000, 4, "")
    # All at once, as libvfio-user has it.
    everything_mapped = talk.structure("dma_unmap", 24, 2, 0, 0)
    frame = talk.ask(96, DMA_UNMAP, everything_mapped)
    talk.answer(frame, 96, DMA_UNMAP, everything_mapped)
    access(DMA_READ, 0x48000, 4, "dma_outside")


def broken() -> Talk:
    talk = Talk()
    talk.begin()
    talk.swap(1, DMA_MAP, talk.structure("dma_map", 32, 3, 0, 0, 0x10000))
    for part in (broken_replies, broken_sequences):
        part(talk)
    # What is lost may have been anything: nothing is judged any more that goes by what was before.
    talk.ask(80, RESET, lost=3, expert="lost unanswered")
    talk.answer(0, 81, RESET)
    talk.ask(82, DMA_READ, talk.structure("dma", 2**40, 1), by=BACKEND, expert="unanswered")
    for part in (broken_headers, broken_counts):
        part(talk)
    return talk


def memory_session() -> Talk:
    talk = Talk()
    talk.begin()
    broken_memory(talk)
    return talk


# ---- tshark ----

class Wireshark(unittest.TestCase):
    folder: Path
    fields: list[str]

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.fields = cls().all_fields()

    def write(self, content: bytes, name: str = "trace.pcapng") -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def run_tshark(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """tshark with the dissector and nobody's settings; a Lua error in what it says is one."""
        done = subprocess.run(
            ["tshark", *map(str, arguments), "-n", "-X", f"lua_script:{DISSECTOR}"],
            capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False,
            env={**os.environ, "HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)},
            encoding="utf-8", errors="replace")
        said = done.stderr + ("" if arguments[0] == "-G" else done.stdout)
        faults = [line for line in said.splitlines() if "Lua Error" in line or "lua:" in line]
        self.assertEqual(faults[:5], [])
        return done

    def tshark(self, path: Path, *arguments: object) -> str:
        done = self.run_tshark("-r", path, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def all_fields(self) -> list[str]:
        done = self.run_tshark("-G", "fields")
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        names = {row[2] for row in rows if row[0] == "F"
                 and row[2].split(".")[0] in ("vfio_user", "vfio_user_capture")}
        self.assertGreater(len(names), 150)
        return sorted(names) + ["_ws.lua.error", "_ws.malformed"]

    def table(self, path: Path, fields: list[str],
              *arguments: object) -> list[dict[str, list[str]]]:
        """By packet: the fields that it has, each with its values in order."""
        chosen = [word for name in fields for word in ("-e", name)]
        said = self.tshark(path, "-T", "fields", "-E", "separator=/t",
                           "-E", f"aggregator={BETWEEN}", *chosen, *arguments)
        # Of a boolean later versions say so in words.
        words = {"True": "1", "False": "0"}
        return [{name: [words.get(value, value) for value in values.split(BETWEEN)]
                 for name, values in zip(fields, line.split("\t"), strict=True) if values}
                for line in said.split("\n")[:-1]]

    def check(self, talk: Talk, passes: int = 1) -> None:
        path = self.write(bytes(talk.trace))
        seen = self.table(path, self.fields, *(["-2"] if passes == 2 else []))
        expected = talk.table(passes)
        self.assertEqual(len(seen), len(expected))
        wrong = [f"packet {number}, {name}: {has.get(name)} is not {should.get(name)}"
                 for number, (has, should) in enumerate(zip(seen, expected), 1)
                 for name in {**has, **should} if has.get(name) != should.get(name)]
        self.assertEqual(wrong, [], "\n".join(wrong))

    def test_every_field(self) -> None:
        for file_order, order in (("<", "<"), (">", "<"), ("<", ">")):
            talk = everything(file_order, order)
            for passes in (1, 2):
                self.check(talk, passes)
        told = {name for packet in everything().table(2) for name in packet}
        rest = {name for name in self.fields if ".expert." not in name and name[:3] != "_ws"} - told
        self.assertEqual(rest, set())

    def test_every_expert_information(self) -> None:
        talks = [broken(), memory_session(), everything()]
        for talk in talks:
            for passes in (1, 2):
                self.check(talk, passes)
        told = {name for talk in talks for packet in talk.table(2) for name in packet}
        rest = {name for name in self.fields if ".expert." in name} - told
        # These two are of capture headers, which a Talk does not break.
        self.assertEqual(rest, {"vfio_user_capture.expert.cut", "vfio_user_capture.expert.header"})

    def test_poemctl_finds_what_wireshark_does(self) -> None:
        """Two hands judge by one specification. poemctl knows more rules; by those that both have,
        it finds nothing that Wireshark does not. What waits for the backend is left out."""
        shared = {name.split(".")[-1] for name in self.fields
                  if name.startswith("vfio_user.expert.")} - {"unanswered", "error_reply"}
        for talk, clean in ((everything(), True), (broken(), False)):
            path = self.write(bytes(talk.trace))
            told = subprocess.run([build / "poemctl", "trace", "lint", "--json", path], check=False,
                                  capture_output=True, text=True, timeout=PATIENCE).stdout
            lines = [json.loads(line) for line in told.splitlines()]
            linted = {(one["number"], one["rule"].replace("-", "_")) for one in lines
                      if one["type"] == "finding"}
            linted = {one for one in linted if one[1] in shared}
            seen = {(int(packet["vfio_user_capture.number"][0]), name.split(".")[-1])
                    for packet in self.table(path, self.fields) for name in packet}
            self.assertEqual(linted - seen, set())
            self.assertEqual(linted == set(), clean)

    def test_poemctl_reads_the_same(self) -> None:
        """Commands, ids, sizes, errors, pairs and latencies, by the project's other reader."""
        for content in (self.sample(), bytes(everything().trace), bytes(broken().trace)):
            path = self.write(content)
            self.assertEqual(self.seen_by_tshark(path), self.seen_by_poemctl(path))

    def seen_by_tshark(self, path: Path) -> dict[tuple[str, str], tuple[object, ...]]:
        """By session and number: what a message is, and how long after which request it came."""
        fields = ["vfio_user_capture.session", "vfio_user_capture.number", "vfio_user.command",
                  "vfio_user.id", "vfio_user_capture.size", "vfio_user.request_in",
                  "vfio_user.time"]
        rows = [[row.get(name, [""])[0] for name in fields] for row in self.table(path, fields)]
        return {(row[0], row[1]): (int(row[2]), int(row[3], 16), int(row[4]),
                                   rows[int(row[5]) - 1][1] if row[5] else "",
                                   round(float(row[6] or 0) * 1e9)) for row in rows}

    @staticmethod
    def seen_by_poemctl(path: Path) -> dict[tuple[str, str], tuple[object, ...]]:
        told = subprocess.run([build / "poemctl", "trace", "show", "--json", path], check=True,
                              capture_output=True, text=True, timeout=PATIENCE).stdout
        seen = {}
        for one in map(json.loads, told.splitlines()):
            if one["type"] != "message":
                continue
            session, number = str(one["session"]), str(one["number"])
            seen[session, number] = (one["code"], one["id"], one["size"], "", 0)
            reply = one.get("reply")
            if reply:
                code = reply.get("code", one["code"])
                seen[session, str(reply["number"])] = (code, one["id"], reply["size"], number,
                                                       reply["latency_ns"])
        return seen

    def test_examples_of_the_protocol(self) -> None:
        """The messages that PROTOCOL.poem shows byte by byte, told by their own JSON."""
        talk = Talk()
        page = (DISSECTOR.parents[2] / "docs" / "PROTOCOL.poem").read_text()
        examples = re.findall(r"^  (request|reply) \d, (\d+) bytes:\n((?:    [0-9a-f]+\n)+)", page,
                              re.MULTILINE)
        self.assertEqual(len(examples), 7)
        contents = []
        for kind, size, text in examples:
            data = bytes.fromhex("".join(text.split()))
            self.assertEqual(len(data), int(size))
            contents.append(json.loads(data[20:-1])["capabilities"])
            talk.trace.message(Message(CLIENT if kind == "request" else BACKEND, data))
        names = ["challenge", "through", "recital.text", "recital.sha256", "recital.licence",
                 "recital.proof", "recital.nonce", "via.by", "via.recited", "via.licence"]
        fields = ["vfio_user.poem." + name for name in names]
        extra = ["vfio_user.poem.refrain", "vfio_user.licence", "vfio_user.expert.version_data"]
        seen = self.table(self.write(bytes(talk.trace)), fields + extra)
        for packet, said in zip(seen, contents, strict=True):
            poem = said.get("poem", {})
            expected = {"vfio_user.poem.refrain": [poem] if isinstance(poem, str) else []}
            expected["vfio_user.licence"] = [said["licence"]] if "licence" in said else []
            for name in names:
                values = [poem] if isinstance(poem, dict) else []
                for part in name.split("."):
                    values = [one[part] for one in values if part in one]
                    values = [one for value in values
                              for one in (value if isinstance(value, list) else [value])]
                expected["vfio_user.poem." + name] = [value.replace("\n", "\\n")
                                                      for value in values]
            self.assertEqual(packet, {name: values for name, values in expected.items() if values})

    def test_a_capture_that_goes_on(self) -> None:
        """Read from a pipe, as Wireshark reads what is captured live."""
        done = subprocess.run(
            ["tshark", "-l", "-n", "-r", "-", "-X", f"lua_script:{DISSECTOR}", "-T", "fields",
             "-e", "vfio_user.command"], input=bytes(everything().trace), check=True,
            capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.stdout.decode().split(),
                         [packet["vfio_user.command"][0] for packet in everything().table(1)])

    def test_answers_are_the_oldest_requests(self) -> None:
        """Across the legs too: the broker may answer what it has passed on."""
        talk = Talk()
        talk.begin()
        passed = talk.ask(1, RESET)
        own = talk.ask(1, RESET, legs=LEG_CLIENT)
        talk.answer(passed, 1, RESET, legs=LEG_CLIENT, flags=BROKER)
        talk.answer(own, 1, RESET, legs=LEG_CLIENT, flags=BROKER)
        talk.begin(session=2)
        others = [talk.ask(2, RESET, session=session) for session in (1, 2)]
        talk.answer(others[1], 2, RESET, session=2)
        talk.answer(others[0], 2, RESET, session=1)
        frames = [talk.ask(3, RESET) for _ in range(300)]
        for frame in frames:
            talk.answer(frame, 3, RESET)
        for passes in (1, 2):
            self.check(talk, passes)

    def test_times(self) -> None:
        """To the nanosecond, also after weeks, and where the clock was set back meanwhile."""
        talk = Talk()
        for wait in (1, 999_999_999, 10**9, 40 * 86400 * 10**9 + 7, 123_456_789, -5_000_001):
            frame = talk.ask(1, RESET, wait=0)
            talk.answer(frame, 1, RESET, wait=wait)
        self.check(talk)
        path = self.write(bytes(talk.trace))
        self.assertEqual(len(self.table(path, ["frame.number"], "-Y", "vfio_user.time >= 1")), 2)

    def test_display_filters(self) -> None:
        talk = everything()
        path = self.write(bytes(talk.trace))
        packets = talk.table(2)
        for text, name, wanted in (
                ('vfio_user.command == "DMA_MAP"', "vfio_user.command", "2"),
                ("vfio_user.flags.error == 1", "vfio_user.flags.error", "1"),
                ('vfio_user.error == "EEXIST"', "vfio_user.error", "17"),
                ("vfio_user.dma_map.address >= 0x10000 && vfio_user.dma_map.flags.writeable == 1",
                 "vfio_user.dma_map.flags.writeable", "1"),
                ('vfio_user.region.index == "CONFIG"', "vfio_user.region.index", "7"),
                ("vfio_user.region.value == 0x0106", "vfio_user.region.value", f"0x{0x106:016x}"),
                ('vfio_user.mig_state.device_state == "STOP_COPY"',
                 "vfio_user.mig_state.device_state", "3"),
                ("vfio_user_capture.fd.inode == 9223372036854775808",
                 "vfio_user_capture.fd.inode", str(2**63)),
                ("vfio_user_capture.flags.twin == 1", "vfio_user_capture.flags.twin", "1"),
                ("vfio_user.expert.error_reply", "vfio_user.expert.error_reply", "1"),
                ('vfio_user.poem.via.recited == "no"', "vfio_user.poem.via.recited", "no")):
            frames = [[str(number)] for number, packet in enumerate(packets, 1)
                      if wanted in packet.get(name, [])]
            seen = self.table(path, ["frame.number"], "-2", "-Y", text)
            self.assertNotEqual(frames, [], text)
            self.assertEqual([packet["frame.number"] for packet in seen], frames, text)

    def test_filters_of_the_readme(self) -> None:
        text = (DISSECTOR.parent / "README.md").read_text()
        section = text[text.index("## Filters worth knowing"):text.index("As a table of latencies")]
        filters = [line.strip().split("  ")[0] for line in section.splitlines()
                   if line.startswith("    ")]
        self.assertGreater(len(filters), 10)
        path = self.write(bytes(everything().trace))
        together = " || ".join(f"({text})" for text in filters)
        self.assertNotEqual(self.table(path, ["frame.number"], "-2", "-Y", together), [])

    def test_a_number_for_another_session(self) -> None:
        """As after the broker was started again: what waits for a reply waits no more."""
        talk = Talk()
        talk.begin()
        talk.ask(1, RESET, expert="unanswered")
        talk.number[1] = 0
        talk.begin()
        talk.answer(0, 1, RESET, expert="unasked_reply")
        talk.swap(2, RESET)
        for passes in (1, 2):
            self.check(talk, passes)

    def test_columns(self) -> None:
        talk = everything()
        path = self.write(bytes(talk.trace))
        rows = self.table(path, ["_ws.col.Source", "_ws.col.Destination", "_ws.col.Info"])
        said = [tuple(row[name][0] for name in row) for row in rows]
        for row in (("client", "broker", "VERSION 0.1 challenge recital GPL-2.0-or-later"),
                    ("broker", "backend", "VERSION 0.1 (by the broker)"),
                    ("backend", "broker", "VERSION ok 0.1 refrain"),
                    ("client", "backend", "DMA_MAP 0x10000..0x8010000 rw fds=1"),
                    ("backend", "client", "DMA_MAP ok"), ("backend", "client", "DMA_MAP EEXIST"),
                    ("backend (twin)", "client (twin)", "DMA_READ 0x20000 24"),
                    ("backend", "client", "DEVICE_GET_INFO ok regions=9 irqs=5 reset pci"),
                    ("client", "backend", "DEVICE_SET_IRQS MSIX 1..3 eventfd trigger fds=2"),
                    ("backend", "client", "REGION_READ ok CONFIG+0x4 COMMAND 2 = 0x106"),
                    ("client", "backend", "REGION_WRITE BAR1+0x1 1 = 0xff no-reply"),
                    ("client", "backend", "REGION_WRITE_MULTI 2 writes"),
                    ("client", "backend", "DEVICE_FEATURE set MIG_DEVICE_STATE STOP_COPY")):
            self.assertIn(row, said)

    def test_protocols_of_a_packet(self) -> None:
        path = self.write(bytes(everything().trace))
        seen = {packet["frame.protocols"][0] for packet in self.table(path, ["frame.protocols"])}
        self.assertEqual(seen, {"exported_pdu:vfio_user_capture:vfio_user",
                                "exported_pdu:vfio_user_capture:vfio_user:json"})

    def is_part_of(self, has: dict[str, list[str]], whole: dict[str, list[str]]) -> None:
        """Of a packet that was cut: nothing is seen that was not there, and no new finding."""
        for name, values in has.items():
            if name in ("vfio_user_capture.expert.cut", "vfio_user_capture.expert.header"):
                continue
            self.assertIn(name, whole)
            if whole[name] == values[:-1] + whole[name][len(values) - 1:]:
                self.assertTrue(whole[name][len(values) - 1].startswith(values[-1]), name)
            else:
                self.fail(f"{name}: {values} of {whole[name]}")

    def test_packets_cut_at_every_byte(self) -> None:
        talk = everything()
        trace = Trace()
        trace.section()
        trace.interface("edu0/1", session=1)
        cuts = []
        for m, whole in zip(talk.messages, talk.table(1)):
            m.session = 1000 + len(cuts)
            whole["vfio_user_capture.session"] = [str(m.session)]
            data = m.capture_header() + m.data
            for length in range(0, len(data), STEP):
                trace.packet(data[:length], len(data), m.time_ns)
                cuts.append((length - len(m.capture_header()), whole))
        seen = self.table(self.write(bytes(trace)), self.fields)
        self.assertEqual(len(seen), len(cuts))
        for has, (length, whole) in zip(seen, cuts):
            self.is_part_of(has, whole)
            if length >= 16:
                self.assertEqual(has["vfio_user.error"], whole["vfio_user.error"])

    def test_random_bytes(self) -> None:
        dice = random.Random(5)
        trace = Trace()
        trace.section()
        trace.interface("edu0/1", session=1)
        messages = [m.capture_header() + m.data for talk in (everything(), broken())
                    for m in talk.messages]
        count = 8000 // STEP
        for number in range(count):
            data = bytearray(dice.choice(messages))
            begin = 0 if number % 4 == 0 else min(40, len(data) - 1)
            for _ in range(dice.choice((1, 3, 10))):
                byte = dice.choice((0, 1, 0xFF, dice.randrange(256)))
                data[dice.randrange(begin, len(data))] = byte
            if number % 5 == 0:
                data[40:] = dice.randbytes(dice.randrange(200))
            if number % 7 == 0:
                data = data[:dice.randrange(len(data) + 1)]
            trace.packet(bytes(data), len(data) + dice.choice((0, 0, 9)), BEGIN_NS + number)
        path = self.write(bytes(trace))
        for more in ([], ["-2"]):
            seen = self.table(path, ["frame.number", "vfio_user.command", "_ws.lua.error"], *more)
            self.assertEqual(len(seen), count)
            self.assertEqual([packet for packet in seen if "_ws.lua.error" in packet], [])

    def test_files_cut_at_every_byte(self) -> None:
        """Wireshark's reader takes all packets that are whole; the dissector minds no cut."""
        content = self.sample()
        ends = self.packet_ends(content)
        # What has not got the first block whole is no pcapng to Wireshark.
        for first in range(self.block_ends(content)[0], len(content), 1000):
            cuts = range(first, min(first + 1000, len(content)), STEP)
            paths = [self.write(content[:cut], f"cut{cut:05}.pcapng") for cut in cuts]
            said = subprocess.run(["capinfos", "-T", "-m", "-r", "-c", *paths], check=False,
                                  capture_output=True, text=True, timeout=PATIENCE).stdout
            counts = dict(line.rsplit(",", 1) for line in said.splitlines())
            for cut, path in zip(cuts, paths):
                whole = sum(end <= cut for end in ends)
                self.assertEqual(int(counts.get(str(path), 0)), whole, cut)
                path.unlink()

    def test_cut_files_in_tshark(self) -> None:
        content = self.sample()
        ends = self.packet_ends(content)
        cuts = [*range(self.block_ends(content)[0], ends[0] + 100, 41),
                *range(ends[-1] - 120, len(content), 7)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda cut: self.read_cut(content, ends, cut), cuts))

    def read_cut(self, content: bytes, ends: list[int], cut: int) -> None:
        path = self.write(content[:cut], f"one{cut:05}.pcapng")
        done = self.run_tshark("-r", path, "-T", "fields", "-e", "frame.number",
                               "-e", "vfio_user.command", "-e", "_ws.lua.error")
        whole = sum(end <= cut for end in ends)
        self.assertEqual(len(done.stdout.splitlines()), whole, cut)
        self.assertEqual("cut short" in done.stderr, cut not in self.block_ends(content), cut)

    @staticmethod
    def block_ends(content: bytes) -> list[int]:
        ends, at = [], 0
        while at < len(content):
            at += struct.unpack_from("<I", content, at + 4)[0]
            ends.append(at)
        return ends

    def packet_ends(self, content: bytes) -> list[int]:
        ends = self.block_ends(content)
        return [end for begin, end in zip([0, *ends], ends)
                if struct.unpack_from("<I", content, begin)[0] == 6]

    def sample(self) -> bytes:
        """The sample trace by the project's own writer."""
        path = self.folder / "sample.pcapng"
        subprocess.run([build / "tests/unit/trace/trace_sample", path], check=True, timeout=PATIENCE)
        return path.read_bytes()

    # ---- the dissector in C ----

    def pdml(self, path: Path, home: Path, *arguments: object) -> list[list[tuple[str, ...]]]:
        """The fields of each packet: name, value, place. Not as root, who gets no plugins."""
        user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        done = subprocess.run(
            [*(user if os.geteuid() == 0 else []), "tshark", "-r", str(path), "-2", "-n", "-T", "pdml",
             "-o", 'uat:user_dlts:"User 0 (DLT=147)","vfio_user","0","","0",""',
             *map(str, arguments)],
            capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, check=True,
            env={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)}, encoding="utf-8")
        return [[tuple(field.get(key, "") for key in ("name", "show", "pos", "size"))
                 for proto in packet.findall("proto")
                 if proto.get("name") in ("vfio_user", "vfio_user_capture")
                 for field in proto.iter("field") if field.get("name", "").startswith("vfio_user")]
                for packet in ElementTree.fromstring(done.stdout).findall("packet")]

    def plugin_home(self) -> Path:
        """A home with the dissector in C as a plugin; skips the test if it cannot be built."""
        flags = subprocess.run(["pkg-config", "--cflags", "wireshark"], check=False,
                               capture_output=True, encoding="utf-8")
        if flags.returncode != 0:
            self.skipTest("libwireshark-dev is not installed")
        home = self.folder / "home"
        home.mkdir()
        self.folder.chmod(0o755)
        folders = subprocess.run(["tshark", "-G", "folders"], check=True, capture_output=True,
                                 env={**os.environ, "HOME": str(home)}, encoding="utf-8").stdout
        found = re.search(r"Personal Plugins:\s*(/.*)", folders)
        assert found
        plugins = Path(found[1]) / "epan"
        plugins.mkdir(parents=True)
        subprocess.run(["cc", "-std=gnu11", "-shared", "-fPIC", "-Wall", "-Werror",
                        *flags.stdout.split(), "-o", plugins / "vfio_user.so",
                        DISSECTOR.parent / "packet-vfio-user.c", DISSECTOR.parent / "plugin.c"],
                       check=True, timeout=PATIENCE)
        return home

    @staticmethod
    def comparable(packet: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Numbers in one base; without what only one of the dissectors has."""
        only = ("vfio_user.expert", "vfio_user_capture.expert", "vfio_user.capabilities",
                "vfio_user.poem", "vfio_user.licence", "vfio_user.dma_map.flags.mmap",
                "vfio_user.dma_map.flags.file_io")

        def number(shown: str) -> str:
            return str(int(shown, 16)) if re.fullmatch("0x[0-9a-f]+", shown) else shown

        return sorted((field[0], number(field[1]), *field[2:]) for field in packet
                      if not field[0].startswith(only))

    def bare(self) -> bytes:
        """A pcap of link type 147: a request and a reply without any header of poemd's."""
        read = struct.pack("<HHIIIQII", 1, REGION_READ, 32, 0, 0, 0x10, 0, 4)
        reply = struct.pack("<HHIIIQIII", 1, REGION_READ, 36, 1, 0, 0x10, 0, 4, 0x12345678)
        return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 147) + b"".join(
            struct.pack("<IIII", 1, 0, len(m), len(m)) + m for m in (read, reply))

    def test_the_dissector_in_c_has_the_same_fields(self) -> None:
        home = self.plugin_home()
        plain = self.folder / "plain"
        plain.mkdir()
        dissector = self.folder / "vfio_user.lua"
        shutil.copy(DISSECTOR, dissector)
        for path in self.write(self.sample(), "c.pcapng"), self.write(self.bare(), "bare.pcap"):
            path.chmod(0o644)
            lua = self.pdml(path, plain, "-X", f"lua_script:{dissector}")
            c = self.pdml(path, home)
            self.assertEqual(len(lua), len(c))
            for one, other in zip(lua, c):
                self.assertGreater(len(one), 8)
                self.assertEqual(self.comparable(one), self.comparable(other))

    def test_the_tables_in_c_are_those_of_the_decoders(self) -> None:
        done = subprocess.run([build / "wireshark_tables"], check=True,
                              capture_output=True, encoding="utf-8")
        self.assertEqual((DISSECTOR.parent / "packet-vfio-user-tables.h").read_text(), done.stdout)

    def test_what_the_tracer_writes(self) -> None:
        content = self.sample()
        path = self.write(content)
        seen = self.table(path, self.fields, "-2")
        self.assertEqual(len(seen), len(self.packet_ends(content)))
        commands = {packet["vfio_user.command"][0] for packet in seen}
        self.assertEqual(commands, {str(n) for n in (*range(1, 14), *range(15, 19), 200)})
        for packet in seen:
            self.assertNotIn("_ws.lua.error", packet)
            self.assertNotIn("_ws.malformed", packet)
        experts = sorted(name.split(".")[-1] for packet in seen for name in packet
                         if ".expert." in name)
        self.assertEqual(experts, sorted([
            "error_reply", "error_reply", "error_reply", "error_reply", "lost", "not_delivered",
            "unanswered", "unanswered", "unasked_reply", "unknown_command"]))


def main() -> None:
    global build
    arguments = sys.argv[1:]
    if arguments[:1] != ["--build"] or len(arguments) < 2:
        sys.exit(__doc__)
    build = Path(arguments[1]).resolve()
    if not shutil.which("tshark"):
        print("tshark is not installed: contrib/packages wireshark")
        sys.exit(SKIPPED)
    unittest.main(argv=[sys.argv[0], *arguments[2:]])


if __name__ == "__main__":
    main()
