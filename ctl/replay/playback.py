# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Plays the client of a recorded session to a device. It sends the client's messages in their order,
# each when the device's messages have come that came before it in the recording, and compares what
# the device sends. Ids of the device's own commands may differ; bytes that were not recorded are
# not compared.

from __future__ import annotations

import array
import os
import select
import socket
import struct
import sys
import time
from typing import Any, NamedTuple

SAME, DIFFERS, USAGE, GONE = 0, 1, 2, 3
REPLY, NO_REPLY, ERROR = 0x1, 0x10, 0x20
DMA_MAP, DMA_UNMAP, DMA_READ, DMA_WRITE = 2, 3, 11, 12
HEADER = struct.Struct("=HHIII")
PATIENCE_S, DRAIN_S = 5.0, 1.0
FDS_MAX = 253


class Message(NamedTuple):
    number: int
    name: str
    client: bool          # the client sent it
    id: int
    command: int
    flags: int
    error: int
    size: int             # with its header
    payload: str          # hexadecimal; as far as the trace has it
    after: int = 0        # number of the device's messages that come before it
    pause_us: int = 0     # silence of the client before it
    partner: int = 0      # number of its request or reply; 0: none
    fds: tuple[tuple[str, int, int], ...] = ()  # kind, which file, size

    @property
    def reply(self) -> bool:
        return bool(self.flags & REPLY) or (not self.client and bool(self.flags & ERROR))

    @property
    def title(self) -> str:
        return f"message {self.number} ({self.name}{' reply' if self.reply else ''})"


class Map(NamedTuple):
    address: int
    size: int
    fd: int
    offset: int


class Gone(Exception):
    """The device closed the connection."""


class Client:
    def __init__(self, session: list[Message], fields: dict[int, list[tuple[int, int, str]]],
                 path: str) -> None:
        self.session = session
        self.fields = fields
        self.numbers = {m.number: m for m in session}
        self.device = [m for m in session if not m.client]
        self.came: set[int] = set()
        self.ids: dict[int, int] = {}
        self.waiting: list[Message] = []
        self.files: dict[int, int] = {}
        self.maps: list[Map] = []
        self.found = 0
        self.low = 0  # all of the device's messages before this one have come
        self.last = time.monotonic()
        self.room = max([m.size for m in session] + [1 << 21])
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)

    def differs(self, text: str) -> None:
        self.found += 1
        print(text)

    # ---- what the device sends ----

    def take_bytes(self, n: int, deadline: float, fds: list[int]) -> bytes:
        data = b""
        while len(data) < n:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self.sock], [], [], left)[0]:
                raise TimeoutError
            part, anc, _, _ = self.sock.recvmsg(n - len(data), socket.CMSG_SPACE(4 * FDS_MAX))
            for level, kind, raw in anc:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    some = array.array("i")
                    some.frombytes(raw[:len(raw) - len(raw) % some.itemsize])
                    fds += some
            if not part:
                raise Gone
            data += part
        return data

    def take(self, deadline: float, draining: bool = False) -> None:
        """Receives a message, compares it and answers it if it is a command without a record."""
        fds: list[int] = []
        try:
            head = self.take_bytes(HEADER.size, deadline, fds)
            _, _, size, _, _ = HEADER.unpack(head)
            if not HEADER.size <= size <= self.room:
                self.differs(f"a message of {size} bytes, which is not valid")
                raise Gone
            payload = self.take_bytes(size - HEADER.size, deadline, fds)
            self.last = time.monotonic()
            self.take_message(head, payload, fds, draining)
        finally:
            for fd in fds:
                os.close(fd)

    def take_message(self, head: bytes, payload: bytes, fds: list[int], draining: bool) -> None:
        ident, command, _, flags, _ = HEADER.unpack(head)
        request = next((m for m in self.waiting if m.id == ident), None)
        if flags & REPLY or (request and flags & ERROR and request.command == command):
            if not request:
                self.differs(f"a reply to command {command} with id {ident}, which no request has")
                return
            self.waiting.remove(request)
            if request.partner:
                self.compare(self.numbers[request.partner], head, payload, fds)
            return
        if draining:
            return
        self.write_memory(command, payload)
        recorded = self.find_command(command, payload)
        if recorded:
            self.ids[recorded.number] = ident
            self.compare(recorded, head, payload, fds)
            return
        self.differs(f"command {command} with id {ident}, which was not recorded")
        if not flags & NO_REPLY:
            self.send_answer(ident, command, payload)

    def find_command(self, command: int, payload: bytes) -> Message | None:
        open_ = [m for m in self.device if not m.reply and m.number not in self.came]
        same = [m for m in open_ if m.command == command
                and m.payload[:32] == payload[:16].hex()]
        return (same or open_ or [None])[0]

    def compare(self, m: Message, head: bytes, payload: bytes, fds: list[int]) -> None:
        _, command, size, flags, error = HEADER.unpack(head)
        self.came.add(m.number)
        want_error = m.error if m.flags & ERROR else 0
        got_error = error if flags & ERROR else 0
        want = bytes.fromhex(m.payload)
        if command != m.command:
            self.differs(f"{m.title}: command is {command}, recorded {m.command}")
        elif (flags & ERROR, got_error) != (m.flags & ERROR, want_error):
            self.differs(f"{m.title}: error is {self.errno(got_error)}, "
                         f"recorded {self.errno(want_error)}")
        elif flags != m.flags:
            self.differs(f"{m.title}: flags is {flags:#x}, recorded {m.flags:#x}")
        elif size != m.size:
            self.differs(f"{m.title}: size is {size}, recorded {m.size}")
        elif payload[:len(want)] != want:
            self.differs(f"{m.title}: {self.describe(m, want, payload)}")
        else:
            self.compare_fds(m, fds)

    def compare_fds(self, m: Message, fds: list[int]) -> None:
        if len(fds) != len(m.fds):
            self.differs(f"{m.title}: {len(fds)} file descriptors, recorded {len(m.fds)}")
            return
        for fd, (kind, _, _) in zip(fds, m.fds):
            name = os.readlink(f"/proc/self/fd/{fd}")
            word = {"memfd": "memfd:", "eventfd": "[eventfd]", "socket": "socket:",
                    "pipe": "pipe:"}.get(kind)
            if word and word not in name:
                self.differs(f"{m.title}: a file descriptor is {name}, recorded {kind}")

    @staticmethod
    def errno(error: int) -> str:
        return f"{error} ({os.strerror(error)})" if error else "none"

    def describe(self, m: Message, want: bytes, got: bytes) -> str:
        at = next(i for i, byte in enumerate(want) if got[i] != byte)
        for offset, size, name in self.fields.get(m.command, []):
            if offset <= at < offset + size:
                return (f"{name} is {int.from_bytes(got[offset:offset + size], sys.byteorder):#x}, "
                        f"recorded {int.from_bytes(want[offset:offset + size], sys.byteorder):#x}")
        end = max((o + s for o, s, _ in self.fields.get(m.command, [])), default=0)
        return f"data byte {at - end} is {got[at]:#x}, recorded {want[at]:#x}"

    # ---- the guest's memory ----

    def note_sent(self, m: Message, fds: list[int]) -> None:
        payload = bytes.fromhex(m.payload)
        if m.command == DMA_MAP and len(payload) >= 32:
            _, _, offset, address, size = struct.unpack_from("=IIQQQ", payload)
            if not fds:
                fd, offset = os.memfd_create("memory"), 0
                os.truncate(fd, size)
            else:
                fd = fds[0]
            self.maps.append(Map(address, size, fd, offset))
        elif m.command == DMA_UNMAP and len(payload) >= 24:
            _, flags, address, size = struct.unpack_from("=IIQQ", payload)
            self.maps = [x for x in self.maps if not flags & 2
                         and not address <= x.address < address + size]

    def find_map(self, address: int, count: int) -> Map | None:
        return next((x for x in self.maps
                     if x.address <= address and address + count <= x.address + x.size), None)

    def write_memory(self, command: int, payload: bytes) -> None:
        if command == DMA_WRITE and len(payload) >= 16:
            address, count = struct.unpack_from("=QQ", payload)
            memory = self.find_map(address, count)
            if memory and count == len(payload) - 16:
                os.pwrite(memory.fd, payload[16:], memory.offset + address - memory.address)

    def send_answer(self, ident: int, command: int, payload: bytes) -> None:
        """Answers a command of the device from memory."""
        if len(payload) < 16 or command not in (DMA_READ, DMA_WRITE):
            self.send(HEADER.pack(ident, command, HEADER.size, REPLY | ERROR, 22), [])
            return
        address, count = struct.unpack_from("=QQ", payload)
        memory = self.find_map(address, count)
        if not memory or count > self.room:
            self.send(HEADER.pack(ident, command, HEADER.size, REPLY | ERROR, 14), [])
            return
        data = b""
        if command == DMA_READ:
            data = os.pread(memory.fd, count, memory.offset + address - memory.address)
            data += bytes(count - len(data))
        size = HEADER.size + 16 + len(data)
        self.send(HEADER.pack(ident, command, size, REPLY, 0) + payload[:16] + data, [])

    # ---- what the client sends ----

    def send(self, data: bytes, fds: list[int]) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self.sock.settimeout(PATIENCE_S)
            sent = self.sock.sendmsg([data], rights)
            self.sock.sendall(data[sent:])
        except (BrokenPipeError, ConnectionResetError):
            raise Gone from None
        self.last = time.monotonic()

    def make_file(self, kind: str, key: int, size: int) -> int:
        if key not in self.files:
            if kind == "eventfd":
                self.files[key] = os.eventfd(0, os.EFD_NONBLOCK)
            else:
                self.files[key] = os.memfd_create("memory", os.MFD_ALLOW_SEALING)
                os.truncate(self.files[key], size)
        return self.files[key]

    def send_message(self, m: Message) -> None:
        payload = bytes.fromhex(m.payload)
        if m.reply and HEADER.size + len(payload) < m.size:
            self.send_answer(self.ids[m.partner], m.command,
                             bytes.fromhex(self.numbers[m.partner].payload))
            return
        fds = [self.make_file(*fd) for fd in m.fds]
        ident = self.ids.get(m.partner, m.id) if m.reply else m.id
        if not m.reply and not m.flags & NO_REPLY:
            self.waiting.append(m)
        self.send(HEADER.pack(ident, m.command, m.size, m.flags, m.error) + payload, fds)
        self.note_sent(m, fds)

    def missing(self, n: int) -> Message | None:
        while self.low < n and self.device[self.low].number in self.came:
            self.low += 1
        return self.device[self.low] if self.low < n else None

    def wait_for(self, n: int) -> bool:
        """Receives until the device's first n messages have come. False: one did not in time."""
        while m := self.missing(n):
            try:
                self.take(time.monotonic() + PATIENCE_S)
            except TimeoutError:
                self.differs(f"{m.title}: did not come within {PATIENCE_S:g} s")
                return False
            except (Gone, ConnectionResetError):
                print(f"the device closed the connection before {m.title}")
                raise Gone from None
        return True

    def drain(self) -> None:
        """Waits for messages that were not recorded, at most DRAIN_S."""
        deadline = time.monotonic() + DRAIN_S
        self.sock.shutdown(socket.SHUT_WR)
        try:
            while True:
                self.take(deadline, draining=True)
        except (TimeoutError, Gone, ConnectionResetError):
            pass

    def play(self) -> bool:
        """Returns False if a message of the device did not come."""
        for m in self.session:
            if m.client:
                if not self.wait_for(m.after):
                    return False
                time.sleep(max(0.0, self.last + m.pause_us / 1e6 - time.monotonic()))
                try:
                    self.send_message(m)
                except Gone:
                    print(f"the device closed the connection before {m.title}")
                    raise
        return self.wait_for(len(self.device))


def main(session: list[Message], fields: dict[int, list[tuple[int, int, str]]],
         argv: list[Any]) -> int:
    if len(argv) != 2:
        print(f"usage: {argv[0]} SOCKET", file=sys.stderr)
        return USAGE
    try:
        client = Client(session, fields, argv[1])
    except OSError as error:
        print(f"{argv[1]}: {error.strerror}", file=sys.stderr)
        return GONE
    try:
        if client.play():
            client.drain()
    except Gone:
        return GONE
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        return USAGE
    if client.found == 0:
        print(f"same: {len(client.device)} messages of the device are as recorded")
    return DIFFERS if client.found else SAME
