# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
"""What the fuzzer of the running daemon sends: VERSION, messages, and fds of strange kinds, each
chosen by the scenario's own random numbers.
"""

from __future__ import annotations

import array
import ctypes
import fcntl
import os
import random
import select
import signal
import socket
import struct

HEADER = struct.Struct("<HHIII")
VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, REGION_INFO, REGION_IO_FDS, IRQ_INFO, SET_IRQS, READ, \
    WRITE, DMA_READ, DMA_WRITE, RESET = range(1, 14)
WRITE_MULTI, FEATURE, MIG_READ, MIG_WRITE = range(15, 19)
COMMANDS = (*range(0, 20), 0x7fff, 0xffff)
REPLY, NO_REPLY, ERROR = 1, 0x10, 0x20
NUMBERS = (0, 1, 3, 7, 8, 15, 16, 17, 4095, 4096, 65535, 65536, 1 << 20, (1 << 31) - 1, 1 << 31,
           (1 << 32) - 1, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
IO_URING_SETUP, PIDFD_OPEN = 425, 434
F_ADD_SEALS, ALL_SEALS = 1033, 0xf
MOST_FDS = 253

libc = ctypes.CDLL(None, use_errno=True)

CAPABILITIES = '"max_msg_fds":16,"max_data_xfer_size":1048576,"max_dma_maps":65535,"pgsizes":4096'
TWIN = '"twin_socket":{"supported":true,"fd_index":0}'
JSONS = (
    None, "{}", '{"capabilities":{}}', "{\"capabilities\":{%s}}" % CAPABILITIES,
    "{\"capabilities\":{%s,%s}}" % (CAPABILITIES, TWIN), "{\"capabilities\":{%s}}" % TWIN,
    '{"capabilities":{"twin_socket":{"supported":true,"fd_index":7}}}',
    '{"capabilities":{"twin_socket":{"supported":1}}}', '{"capabilities":{"max_msg_fds":0}}',
    '{"capabilities":{"max_msg_fds":4294967296}}', '{"capabilities":{"max_msg_fds":-1}}',
    '{"capabilities":{"max_data_xfer_size":18446744073709551615}}',
    '{"capabilities":{"max_data_xfer_size":1}}', '{"capabilities":{"max_dma_maps":1}}',
    '{"capabilities":{"migration":{"pgsize":4096,"max_bitmap_size":268435456}}}',
    '{"capabilities":{"poem":{"recital":{}}}}', '{"capabilities":{"poem":{"challenge":"%s"}}}'
    % ("0f" * 32), '{"capabilities":{"licence":"GPL-2.0-or-later"}}', '{"capabilities":[]}',
    '{"capabilities":null}', "[]", "{", '{"a":1,"a":2}', '{"a":' * 70 + "1" + "}" * 70,
    '{"a":"%s"}' % ("x" * 4000), '{"a":"%s"}' % ("y" * 70000), '{"\\u0000":1}', '{"a":"\ud800"}',
    '{"capabilities":{"max_msg_fds":1e400}}', '"' * 200, "",
)


def message(ident: int, command: int, payload: bytes, flags: int = 0, error: int = 0,
            size: int | None = None) -> bytes:
    return HEADER.pack(ident & 0xffff, command & 0xffff,
                       16 + len(payload) if size is None else size & 0xffffffff, flags, error) + payload


def version(r: random.Random, flags: int, asked: int | None = None, twin: bool = True) -> bytes:
    """Most are good ones: behind them is the most to be found. asked: the id of the request."""
    text = r.choice(JSONS[1:5 if twin else 4]) if r.random() < 0.9 else r.choice(JSONS)
    number = struct.pack("<HH", r.choice((0,) * 20 + (1, 999)), r.choice((0,) * 20 + (1, 999)))
    ident = r.randrange(65536) if asked is None or r.random() < 0.03 else asked
    payload = number + (text.encode("utf-8", "surrogatepass") + b"\0" if text is not None else b"")
    if r.random() < 0.05:
        payload = payload[:r.randrange(len(payload) + 1)]
    data = message(ident, VERSION if r.random() < 0.97 else r.choice(COMMANDS),
                   payload, flags if r.random() < 0.95 else r.choice(NUMBERS) & 0xffffffff)
    return damaged(r, data, 0.06)


def damaged(r: random.Random, data: bytes, chance: float) -> bytes:
    """With this chance a few bits of it are others, or its size is."""
    if r.random() >= chance or not data:
        return data
    out = bytearray(data)
    if r.random() < 0.3 and len(out) >= 8:
        out[4:8] = struct.pack("<I", r.choice(NUMBERS) & 0xffffffff)
    else:
        for _ in range(r.randrange(1, 4)):
            out[r.randrange(len(out))] ^= 1 << r.randrange(8)
    return bytes(out)


def number(r: random.Random, bits: int = 64) -> int:
    n = r.choice(NUMBERS) if r.random() < 0.3 else r.randrange(1 << 24)
    return n & ((1 << bits) - 1)


def body(r: random.Random, command: int, reply: bool) -> bytes:
    """A payload as the command has it, with numbers of any kind."""
    count = r.choice((0, 1, 4, 8, 512, 4096, 65536, 300000))
    data = bytes(count)
    if command == DMA_MAP:
        return b"" if reply else struct.pack("<IIQQQ", 32, r.randrange(16), number(r),
                                             number(r) & ~4095, number(r) & ~4095)
    if command == DMA_UNMAP:
        return struct.pack("<IIQQ", 24, r.randrange(4), number(r) & ~4095, number(r) & ~4095)
    if command in (READ, WRITE):
        with_data = (command == READ) == reply
        return struct.pack("<QII", number(r), r.randrange(10), count) + (data if with_data else b"")
    if command in (DMA_READ, DMA_WRITE):
        with_data = (command == DMA_READ) == reply
        return struct.pack("<QQ", number(r), count) + (data if with_data else b"")
    if command == SET_IRQS:
        return struct.pack("<IIIII", 20, r.randrange(64), r.randrange(5), r.randrange(8),
                           number(r, 32)) + data[:r.randrange(64)]
    if command == FEATURE:
        return struct.pack("<II", 8, r.randrange(1 << 20)) + data[:r.randrange(64)]
    if command == WRITE_MULTI:
        return struct.pack("<Q", number(r)) + data[:24 * r.randrange(8)]
    if command in (MIG_READ, MIG_WRITE):
        return struct.pack("<II", 8, count) + data
    return r.randbytes(r.choice((0, 4, 16, 32, 100)))


def any_message(r: random.Random) -> bytes:
    command = r.choice(COMMANDS)
    reply = r.random() < 0.4
    flags = (REPLY if reply else 0) | (NO_REPLY if r.random() < 0.1 else 0)
    if reply and r.random() < 0.2:
        flags |= ERROR
    if r.random() < 0.02:
        flags = number(r, 32)
    payload = body(r, command, reply)
    return damaged(r, message(r.randrange(32), command, payload, flags, r.randrange(40)), 0.01)


# ---- fds ----

def _io_uring() -> int:
    parameters = (ctypes.c_uint8 * 120)()
    return int(libc.syscall(IO_URING_SETUP, 4, parameters))


def _sealed() -> int:
    fd = os.memfd_create("sealed", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    os.ftruncate(fd, 4096)
    fcntl.fcntl(fd, F_ADD_SEALS, ALL_SEALS)
    return fd


def _sized() -> int:
    fd = os.memfd_create("memory", os.MFD_CLOEXEC)
    os.ftruncate(fd, 1 << 20)
    return fd


def _first(pair: tuple[int, int], first: bool = True) -> int:
    os.close(pair[first])
    return pair[not first]


def _listening() -> int:
    s = socket.socket(socket.AF_UNIX)
    s.bind("")
    s.listen(4)
    return s.detach()


def _in_flight() -> int:
    """A socket in whose queue it lies itself, with a memfd: only the kernel's collector finds it."""
    a, b = socket.socketpair()
    with a, os.fdopen(_sized(), "rb") as memory:
        socket.send_fds(a, [b"x"], [b.fileno(), memory.fileno()])
        return b.detach()


def _epoll() -> int:
    epoll = select.epoll()
    try:
        return os.dup(epoll.fileno())
    finally:
        epoll.close()


KINDS = (
    _sized, _sealed, _sized, _io_uring, _listening, _in_flight, _epoll,
    lambda: os.memfd_create("empty", os.MFD_CLOEXEC),
    lambda: os.eventfd(0, os.EFD_CLOEXEC), lambda: os.eventfd(7, os.EFD_SEMAPHORE),
    lambda: _first(os.pipe()), lambda: _first(os.pipe(), False),
    lambda: socket.socketpair()[0].detach(),
    lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)[0].detach(),
    lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].detach(),
    lambda: socket.socket(socket.AF_INET).detach(),
    lambda: os.open("/", os.O_RDONLY | os.O_DIRECTORY), lambda: os.open("/", os.O_PATH),
    lambda: os.open("/dev/null", os.O_RDWR), lambda: os.open("/proc/self/exe", os.O_RDONLY),
    lambda: os.open("/proc/self/mem", os.O_RDWR), lambda: os.open("/dev/zero", os.O_RDONLY),
    lambda: int(libc.syscall(PIDFD_OPEN, os.getpid(), 0)), lambda: libc.timerfd_create(1, 0),
    lambda: libc.inotify_init(), lambda: libc.fanotify_init(0, 0),
)


def nested(fd: int) -> int:
    """A socket in whose queue the other fd lies."""
    a, b = socket.socketpair()
    with a:
        socket.send_fds(a, [b"x"], [fd])
        return b.detach()


def strange_fds(r: random.Random, n: int, own: list[int]) -> list[int]:
    """n fds of any kind, which are the caller's to close; the session's own sockets among them."""
    out = []
    for _ in range(n):
        if own and r.random() < 0.15:
            out.append(os.dup(r.choice(own)) if r.random() < 0.7 else nested(r.choice(own)))
            continue
        fd = r.choice(KINDS)()
        if fd >= 0:
            out.append(fd)
    return out


def how_many_fds(r: random.Random) -> int:
    p = r.random()
    if p < 0.7:
        return 0
    return r.randrange(1, 9) if p < 0.97 else r.choice((16, 17, 64, MOST_FDS))


def send(s: socket.socket, data: bytes, fds: list[int]) -> int:
    """One sendmsg; how much went. 0: nothing goes now. -1: the other side has gone."""
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    try:
        return s.sendmsg([data], control, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    except BlockingIOError:
        return 0
    except OSError:
        return -1


def take(s: socket.socket, most: int = 65536) -> bytes | None:
    """What has come, its fds being closed. None: the end."""
    try:
        data, ancillary, _, _ = s.recvmsg(most, socket.CMSG_SPACE(4 * MOST_FDS), socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""
    except OSError:
        return None
    for level, kind, given in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            for fd in array.array("i", given[:len(given) // 4 * 4]):
                os.close(fd)
    return data or None


def stopped_child() -> int:
    """A process that holds all of our fds and stands still. To be killed."""
    pid = os.fork()
    if pid == 0:
        while True:
            signal.pause()
    os.kill(pid, signal.SIGSTOP)
    return pid
